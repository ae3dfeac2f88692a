// merge_affine: two or more per-channel multiplications and additions with constants become one
// affine op.
//
//   before   y = (x - mean) * s + beta          after   y = affine(x, s, beta - mean * s)
//
// A single multiplication or addition stays what it is. Computed in double, rounded once.
#include <string>

#include "passes/affine.h"
#include "passes/passes.h"

namespace graft::passes {

Result<bool> merge_affine(ir::Network& network, PassContext&) {
  Editor edit(network);
  for (size_t i = 0; i < edit.ops(); ++i) {
    if (!edit.alive(i)) continue;
    auto outer = as_affine(edit, edit.op(i));
    if (!outer) continue;
    const ir::Op* producer = edit.producer_op(outer->x);
    while (producer && edit.single_use(outer->x)) {
      const auto inner = as_affine(edit, *producer);
      if (!inner || inner->act.fn != ir::UnaryFn::kIdentity) break;
      AffineForm joined = *outer;
      joined.x = inner->x;
      for (size_t c = 0; c < joined.scale.size(); ++c) {
        joined.shift[c] = outer->scale[c] * inner->shift[c] + outer->shift[c];
        joined.scale[c] = outer->scale[c] * inner->scale[c];
      }
      if (!all_finite(joined.scale) || !all_finite(joined.shift)) break;
      // One step at a time, so that the reader counts of the next producer are right.
      const std::string name = edit.op(i).name;
      const auto channels = static_cast<int64_t>(joined.scale.size());
      const ir::ValueId scale = edit.add_floats(name + "/scale", {channels}, joined.scale);
      const ir::ValueId shift = edit.add_floats(name + "/shift", {channels}, joined.shift);
      const auto old = static_cast<size_t>(edit.producer(outer->x));
      edit.rewrite(i, ir::AffineAttrs{joined.act}, {joined.x, scale, shift});
      edit.kill_if_unused(old);
      outer = std::move(joined);
      producer = edit.producer_op(outer->x);
    }
  }
  edit.finish();
  return edit.changed();
}

}  // namespace graft::passes
