#include "passes/unused_ranges.h"

#include <algorithm>

#include "base/log.h"

namespace graft::passes {

namespace {

using ir::Op;
using ir::ValueId;

class Finder {
 public:
  Finder(const ir::Network& network, const QuantizeChoice& choice)
      : net_(network), choice_(choice), uses_(ir::compute_uses(network)) {}

  // Empty: its integers follow `range`.
  std::string reason(ValueId id, const ir::TensorRange& range) const {
    const std::vector<int32_t>& readers = uses_.consumers[static_cast<size_t>(id)];
    if (std::none_of(readers.begin(), readers.end(), [&](int32_t op) { return is_int8(op); }))
      return "no INT8 layer reads the tensor";
    if (choice_.storage[static_cast<size_t>(id)].scale == range.threshold / 127) return "";
    if (const ValueId source = carried_from(id); source != id)
      return "its op stores what it reads; give the range of '" + name(source) + "'";
    for (int32_t reader : readers) {
      const Op& op = net_.ops[static_cast<size_t>(reader)];
      if (is_int8(reader) && joins(op))
        return "it is stored as the tensor that it is joined into; give the range of '" +
               name(op.outputs[0]) + "'";
    }
    return "the graph's own quantization nodes give it";
  }

 private:
  bool is_int8(int32_t op) const { return op >= 0 && choice_.int8[static_cast<size_t>(op)]; }
  std::string name(ValueId id) const {
    return printable(net_.values[static_cast<size_t>(id)].name);
  }

  // The tensor whose integers `id` holds, moved.
  ValueId carried_from(ValueId id) const {
    for (;;) {
      const int32_t op = uses_.producer[static_cast<size_t>(id)];
      if (!is_int8(op)) return id;
      const Op& maker = net_.ops[static_cast<size_t>(op)];
      if (!keeps_scale(maker) || joins(maker)) return id;
      id = maker.inputs[0];
    }
  }

  const ir::Network& net_;
  const QuantizeChoice& choice_;
  const ir::Uses uses_;
};

}  // namespace

std::vector<std::string> unused_ranges(const ir::Network& network, const ir::RangeTable& ranges,
                                       const QuantizeChoice& choice) {
  const Finder finder(network, choice);
  std::vector<std::string> texts;
  for (size_t id = 0; id < network.values.size(); ++id) {
    const ir::Value& value = network.values[id];
    const auto range = ranges.ranges.find(value.name);
    if (value.is_const() || range == ranges.ranges.end() || !range->second.from_user) continue;
    const std::string reason = finder.reason(static_cast<ValueId>(id), range->second);
    if (!reason.empty())
      texts.push_back("the range given for '" + printable(value.name) + "' is not used: " + reason);
  }
  return texts;
}

}  // namespace graft::passes
