#include "graphdef/output_names.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "base/log.h"
#include "graphdef/attr.h"

namespace graft::graphdef {
namespace {

// `outputs`: names joined by ','; "name*attr": as many as the int attribute says; "name@attr": one
// per type of the list.
struct Row {
  std::string_view op, outputs;
};
constexpr Row kRows[] = {
#include "graphdef/output_names.inc"
};

// Ops that are not TensorFlow's own; "": only that there is such an op.
struct OwnOps {
  std::mutex mutex;
  std::map<std::string, std::string, std::less<>> outputs{{"TRTEngineOp", "out_tensor@OutT"},
                                                          {"GraftEngineOp", "out_tensor@OutT"}};
};
OwnOps& own_ops() {
  static OwnOps* const instance = new OwnOps;
  return *instance;
}

// "": not known.
std::string outputs_of(std::string_view op) {
  const auto* row =
      std::lower_bound(std::begin(kRows), std::end(kRows), op,
                       [](const Row& r, std::string_view wanted) { return r.op < wanted; });
  if (row != std::end(kRows) && row->op == op) return std::string(row->outputs);
  const std::lock_guard lock(own_ops().mutex);
  const auto own = own_ops().outputs.find(op);
  return own == own_ops().outputs.end() ? "output" : own->second;
}

Result<int64_t> count_of(const Node& node, std::string_view attr, bool is_list) {
  if (!is_list) return attr_int(node, attr);
  GRAFT_ASSIGN_OR_RETURN(const auto types, attr_type_list(node, attr));
  return static_cast<int64_t>(types.size());
}

// Calls fn(name, count) for each output argument in `rest` until it says false.
template <typename Fn>
Status for_each_output(const Node& node, std::string_view rest, Fn fn) {
  while (!rest.empty()) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    const size_t mark = item.find_first_of("*@");
    int64_t count = 1;
    if (mark != std::string_view::npos) {
      GRAFT_ASSIGN_OR_RETURN(count, count_of(node, item.substr(mark + 1), item[mark] == '@'));
    }
    if (!fn(item.substr(0, mark), std::max<int64_t>(count, 0))) break;
  }
  return ok_status();
}

}  // namespace

void set_output_names(std::string_view op, std::string outputs) {
  const std::lock_guard lock(own_ops().mutex);
  own_ops().outputs[std::string(op)] = std::move(outputs);
}

Result<std::string> output_name(const Node& node, int32_t port) {
  int64_t left = port;
  std::string found;
  const std::string outputs = outputs_of(node.op);
  if (outputs.empty())
    return unsupported("the names of the outputs of op " + printable(node.op) + " are not known");
  GRAFT_RETURN_IF_ERROR(for_each_output(node, outputs, [&](std::string_view name, int64_t count) {
    if (left < count) found = std::string(name) + ":" + std::to_string(left);
    left -= count;
    return found.empty();
  }));
  if (!found.empty()) return found;
  return invalid_graph("node \"" + printable(node.name) + "\" (" + printable(node.op) +
                       ") has no output " + std::to_string(port));
}

Result<int32_t> output_port(const Node& node, std::string_view name, int32_t index) {
  int64_t first = 0, port = -1;
  std::string outputs = outputs_of(node.op);
  if (outputs.empty()) outputs = "output";
  GRAFT_RETURN_IF_ERROR(for_each_output(node, outputs, [&](std::string_view output, int64_t count) {
    if (output != name) {
      first += count;
      return first <= INT32_MAX;
    }
    if (index >= 0 && index < count) port = first + index;
    return false;
  }));
  if (port >= 0 && port <= INT32_MAX) return static_cast<int32_t>(port);
  return invalid_graph("node \"" + printable(node.name) + "\" (" + printable(node.op) +
                       ") has no output " + printable(name) + ":" + std::to_string(index));
}

}  // namespace graft::graphdef
