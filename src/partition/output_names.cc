#include "partition/output_names.h"

#include <algorithm>

#include "base/log.h"
#include "graphdef/attr.h"

namespace graft::partition {
namespace {

// `outputs`: names joined by ','; "name*attr": as many as the int attribute says; "name@attr": one
// per type of the list.
struct Row {
  std::string_view op, outputs;
};
constexpr Row kRows[] = {
#include "partition/output_names.inc"
};

std::string_view outputs_of(std::string_view op) {
  const auto* row =
      std::lower_bound(std::begin(kRows), std::end(kRows), op,
                       [](const Row& r, std::string_view wanted) { return r.op < wanted; });
  return row != std::end(kRows) && row->op == op ? row->outputs : "output";
}

Result<int64_t> count_of(const graphdef::Node& node, std::string_view attr, bool is_list) {
  if (!is_list) return graphdef::attr_int(node, attr);
  GRAFT_ASSIGN_OR_RETURN(const auto types, graphdef::attr_type_list(node, attr));
  return static_cast<int64_t>(types.size());
}

}  // namespace

Result<std::string> output_name(const graphdef::Node& node, int32_t port) {
  std::string_view rest = outputs_of(node.op);
  int64_t left = port;
  while (!rest.empty()) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    const size_t mark = item.find_first_of("*@");
    const std::string name(item.substr(0, mark));
    int64_t count = 1;
    if (mark != std::string_view::npos) {
      GRAFT_ASSIGN_OR_RETURN(count, count_of(node, item.substr(mark + 1), item[mark] == '@'));
    }
    if (left < count) return name + ":" + std::to_string(left);
    left -= std::max<int64_t>(count, 0);
  }
  return invalid_graph("node \"" + printable(node.name) + "\" (" + printable(node.op) +
                       ") has no output " + std::to_string(port));
}

}  // namespace graft::partition
