// canonicalize_bodies: the whole pipeline over the networks that While and Branch ops run.
//
// They stay in floating point: nobody observes what is within a body, so nothing there has a range.
#include <memory>

#include "passes/passes.h"

namespace graft::passes {

Result<bool> canonicalize_bodies(ir::Network& network, PassContext& context) {
  bool changed = false;
  for (ir::Op& op : network.ops) {
    for (auto& body : op.bodies) {
      PassOptions options;
      options.disabled = context.options.disabled;
      options.verify_each = context.options.verify_each;
      options.strict_math = context.options.strict_math;
      options.max_folded_bytes = context.options.max_folded_bytes;
      ir::Network rewritten = *body;
      std::vector<PassRecord> records;
      GRAFT_RETURN_IF_ERROR(canonicalize(rewritten, options, context.work, &records));
      for (const PassRecord& record : records) changed = changed || record.changed;
      body = std::make_shared<const ir::Network>(std::move(rewritten));
    }
  }
  return changed;
}

}  // namespace graft::passes
