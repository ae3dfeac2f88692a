#include "session/engine_nodes.h"

#include "base/log.h"
#include "graphdef/attr.h"

namespace graft::session {

bool is_engine_op(std::string_view op) { return op == "TRTEngineOp" || op == "GraftEngineOp"; }

Result<std::shared_ptr<Engine>> load_engine_node(const graphdef::Node& node,
                                                 const EngineOptions& options) {
  const std::string where = "engine node '" + printable(node.name) + "'";
  GRAFT_ASSIGN_OR_RETURN(const std::string_view plan,
                         graphdef::attr_string_or(node, "serialized_segment", ""));
  GRAFT_ASSIGN_OR_RETURN(const std::string_view identity,
                         graphdef::attr_string_or(node, "plan_identity", ""));
  GRAFT_ASSIGN_OR_RETURN(const std::string_view file,
                         graphdef::attr_string_or(node, "plan_file", ""));
  if (plan.empty() && !file.empty())
    return unsupported(where +
                       ": attribute 'plan_file': plans beside the graph are not in this version");
  if (plan.substr(0, 4) != "GRFT")
    return unsupported(
        where + " holds no Graft plan (attribute 'serialized_segment' has " +
        std::to_string(plan.size()) +
        " bytes): a graph of TensorFlow's TensorRT converter is turned back by `graft rescue`");
  EngineOptions engine_options = options;
  engine_options.expected_identity = identity;
  auto engine = Engine::load(std::as_bytes(std::span(plan)), engine_options);
  if (!engine.ok()) return engine.status().with_context(where);
  const auto& graft_engine = *engine;
  if (graft_engine->inputs().size() != node.inputs.size())
    return plan_error(where + " has " + std::to_string(node.inputs.size()) + " inputs, its plan " +
                      std::to_string(graft_engine->inputs().size()));
  return engine;
}

}  // namespace graft::session
