#include "session/engine_nodes.h"

#include "base/log.h"
#include "graphdef/attr.h"

namespace graft::session {

namespace {

// The resource of a node that collects; "": it does not.
Result<std::string_view> resource_of(const graphdef::Node& node) {
  GRAFT_ASSIGN_OR_RETURN(const std::string_view precision,
                         graphdef::attr_string_or(node, "precision_mode", ""));
  GRAFT_ASSIGN_OR_RETURN(const bool calibrates,
                         graphdef::attr_bool_or(node, "use_calibration", true));
  GRAFT_ASSIGN_OR_RETURN(const std::string_view data,
                         graphdef::attr_string_or(node, "calibration_data", ""));
  if (precision != "INT8" || !calibrates || !data.empty()) return std::string_view();
  return graphdef::attr_string_or(node, "resource_name", "");
}

// The attribute, where the node has it, must name the plan's types.
Status check_types(const graphdef::Node& node, std::string_view attr,
                   const std::vector<TensorSpec>& plan) {
  if (node.find_attr(attr) == nullptr) return ok_status();
  GRAFT_ASSIGN_OR_RETURN(const std::vector<DType> types, graphdef::attr_type_list(node, attr));
  const auto refused = [&](const std::string& got, const std::string& expected) {
    return plan_error("attribute '" + std::string(attr) + "' has " + got + ", its plan " +
                      expected);
  };
  if (types.size() != plan.size())
    return refused(std::to_string(types.size()) + " entries", std::to_string(plan.size()));
  for (size_t i = 0; i < types.size(); ++i)
    if (types[i] != plan[i].dtype)
      return refused(dtype_name(types[i]) + " at " + std::to_string(i), dtype_name(plan[i].dtype));
  return ok_status();
}

}  // namespace

bool is_engine_op(std::string_view op) { return op == "TRTEngineOp" || op == "GraftEngineOp"; }
bool is_calib_op(std::string_view op) { return op == "TRTCalibOp" || op == "GraftCalibOp"; }

Result<EngineNode> load_engine_node(const graphdef::Node& node, const EngineOptions& options) {
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
  GRAFT_RETURN_IF_ERROR(check_types(node, "InT", graft_engine->inputs()).with_context(where));
  GRAFT_RETURN_IF_ERROR(check_types(node, "OutT", graft_engine->outputs()).with_context(where));
  EngineNode result;
  result.engine = graft_engine;
  GRAFT_ASSIGN_OR_RETURN(const std::string_view resource, resource_of(node));
  if (resource.empty()) return result;
  result.resource = resource;
  auto collector = CalibrationCollector::create(graft_engine);
  if (!collector.ok()) return collector.status().with_context(where);
  result.collector = std::move(*collector);
  return result;
}

}  // namespace graft::session
