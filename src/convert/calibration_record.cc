#include "convert/calibration_record.h"

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "graphdef/attr.h"

namespace graft::convert_detail {
namespace {

using Json = nlohmann::json;

// The one list of options that travel: fn(name, field).
template <typename Options, typename Fn>
void each_option(Options& o, const Fn& fn) {
  fn("outputs", o.outputs);
  fn("inputs", o.inputs);
  fn("max_batch_size", o.max_batch_size);
  fn("max_workspace_bytes", o.max_workspace_bytes);
  fn("min_segment_size", o.min_segment_size);
  fn("max_engines", o.max_engines);
  fn("deny_ops", o.deny_ops);
  fn("allow_ops", o.allow_ops);
  fn("deny_nodes", o.deny_nodes);
  fn("slow_nodes", o.slow_nodes);
  fn("allow_nodes", o.allow_nodes);
  fn("native_segments", o.native_segments);
  fn("strict", o.strict);
  fn("strict_all", o.strict_all);
  fn("node_strict", o.node_strict);
  fn("strict_math", o.strict_math);
  fn("engine_name_format", o.engine_name_format);
  fn("graph_number", o.graph_number);
  fn("op_name", o.op_name);
  fn("disabled_passes", o.disabled_passes);
  fn("memory_limit_bytes", o.memory_limit_bytes);
  fn("keep_float", o.keep_float);
  fn("int8_per_tensor_weights", o.int8_per_tensor_weights);
}

}  // namespace

std::string record_to_json(const CalibrationRecord& record) {
  Json options = Json::object();
  each_option(record.options, [&](const char* name, const auto& field) { options[name] = field; });
  const Json json = {
      {"engine", record.engine}, {"identity", record.identity}, {"options", std::move(options)}};
  // A node name that is not UTF-8 is not found again by the finish, which says so.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<CalibrationRecord> read_record(const graphdef::Node& node) {
  const auto bad = [&](const std::string& why) {
    return Status(Code::kCalibrationError, "calibration node '" + printable(node.name) +
                                               "': attribute " + std::string(kRecordAttr) + ": " +
                                               why);
  };
  GRAFT_ASSIGN_OR_RETURN(const std::string_view text,
                         graphdef::attr_string_or(node, kRecordAttr, ""));
  if (text.empty()) return bad("missing: this calibration graph was not made by Graft");
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return bad("not a JSON object");
  CalibrationRecord record;
  record.options.precision = Precision::kInt8;
  try {
    json.at("engine").get_to(record.engine);
    json.at("identity").get_to(record.identity);
    const Json& options = json.at("options");
    each_option(record.options,
                [&](const char* name, auto& field) { options.at(name).get_to(field); });
  } catch (const Json::exception& error) {
    return bad(error.what());
  }
  return record;
}

}  // namespace graft::convert_detail
