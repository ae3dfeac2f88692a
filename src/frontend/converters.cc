#include "frontend/converters.h"

#include <algorithm>
#include <mutex>

#include "base/log.h"
#include "graphdef/output_names.h"

namespace graft {

using namespace frontend;

namespace {

// Maps are replaced, not changed: a conversion keeps the one that it began with.
struct Registry {
  std::mutex mutex;
  std::shared_ptr<const ConverterMap> map;
};

// Never destroyed: conversions may run while the process ends, and functions of an interpreter that
// is gone must not be freed.
Registry& registry() {
  static Registry* const instance = new Registry;
  return *instance;
}

bool is_op_name(std::string_view op) {
  const auto legal = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '>' || c == '.';
  };
  return !op.empty() && std::all_of(op.begin(), op.end(), legal);
}

bool is_output_name(std::string_view name) {
  const size_t mark = std::min(name.find_first_of("*@"), name.size());
  const std::string_view attr = name.substr(std::min(mark + 1, name.size()));
  return is_op_name(name.substr(0, mark)) && (mark == name.size() || is_op_name(attr));
}

// Nodes of these ops are more than what they compute, or their tensors are none of an engine's.
bool is_structural(std::string_view op) {
  if (const OpEntry* row = importer_of(op))
    return row->any_inputs || !row->always_refused.empty() || op == "Const";
  graphdef::Node node;
  node.op = op;
  const std::string code = refusal_of_unknown_op(node).code;
  return code == "control_flow" || code == "function_call" || code == "variable" ||
         code == "resource" || code == "engine";
}

}  // namespace

Status register_converter(const std::string& op, ConverterFn function,
                          const ConverterOptions& options) {
  const std::string what = "converter for op '" + printable(op) + "': ";
  if (!is_op_name(op)) return invalid_argument(what + "that is no name of an op");
  if (!function) return invalid_argument(what + "there is no function");
  if (is_structural(op))
    return invalid_argument(what + "nodes of this op are more than what they compute");
  if (importer_of(op) && !options.override_existing)
    return invalid_argument(what + "Graft has an importer for it; set override to replace it");
  std::string outputs;
  for (const std::string& name : options.outputs) {
    if (!is_output_name(name))
      return invalid_argument(what + "'" + printable(name) + "' is no name of an output");
    outputs += (outputs.empty() ? "" : ",") + name;
  }
  auto converter = std::make_shared<const UserConverter>(
      UserConverter{op, options.name.empty() ? op : options.name, std::move(function)});
  // Freed outside of the lock: a function may hold whatever its owner likes.
  std::shared_ptr<const ConverterMap> old;
  const std::lock_guard lock(registry().mutex);
  old = registry().map;
  if (old && old->contains(op) && !options.override_existing)
    return invalid_argument(what + "there is one; unregister it, or set override to replace it");
  auto map = old ? std::make_shared<ConverterMap>(*old) : std::make_shared<ConverterMap>();
  (*map)[op] = std::move(converter);
  registry().map = std::move(map);
  // They stay: they are true of the op, whoever converts it.
  if (!importer_of(op)) graphdef::set_output_names(op, std::move(outputs));
  return ok_status();
}

Status unregister_converter(std::string_view op) {
  std::shared_ptr<const ConverterMap> old;
  const std::lock_guard lock(registry().mutex);
  old = registry().map;
  if (!old || !old->contains(op))
    return invalid_argument("op '" + printable(op) + "' has no converter to unregister");
  auto map = std::make_shared<ConverterMap>(*old);
  map->erase(map->find(op));
  registry().map = map->empty() ? nullptr : std::move(map);
  return ok_status();
}

namespace frontend {

std::shared_ptr<const ConverterMap> registered_converters() {
  const std::lock_guard lock(registry().mutex);
  return registry().map;
}

std::string UserConverter::title() const {
  return "converter '" + printable(name) + "' of " + printable(op) + ": ";
}

}  // namespace frontend
}  // namespace graft
