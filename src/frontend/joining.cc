// Concat, Split, Pack and Unpack: several tensors on one side.
#include <algorithm>

#include "base/checked.h"
#include "base/dtype.h"
#include "frontend/node_import.h"

namespace graft::frontend {

namespace {

constexpr int64_t kMaxOutputs = 1 << 16;

Status check_count(NodeImport& n, size_t tensors) {
  GRAFT_ASSIGN_OR_RETURN(const int64_t count, n.attr_int("N"));
  if (count != static_cast<int64_t>(tensors))
    return n.invalid("attribute 'N' is " + std::to_string(count) + ", the node has " +
                     std::to_string(tensors) + " tensors");
  return ok_status();
}

// arg 1: ConcatV2, values then axis; 0: Concat, axis then values.
Status import_concat(NodeImport& n) {
  const size_t tensors = n.inputs() - 1, first = n.arg() == 1 ? 0 : 1,
               axis_input = n.arg() == 1 ? tensors : 0;
  GRAFT_RETURN_IF_ERROR(check_count(n, tensors));
  GRAFT_RETURN_IF_ERROR(n.check_types("T", first, first + tensors));
  if (n.has_attr("Tidx")) GRAFT_RETURN_IF_ERROR(n.check_type("Tidx", {axis_input}));
  GRAFT_ASSIGN_OR_RETURN(int64_t axis, n.const_int(axis_input, "axis"));
  GRAFT_ASSIGN_OR_RETURN(axis, n.axis(axis, n.rank(first), "the axis"));
  std::vector<ir::ValueId> values;
  for (size_t i = first; i < first + tensors; ++i) values.push_back(n.in(i));
  if (values.size() == 1) {
    n.output(values[0]);
    return ok_status();
  }
  return n.finish(ir::ConcatAttrs{axis}, values);
}

Status finish_split(NodeImport& n, size_t src, int64_t axis, std::vector<int64_t> sizes,
                    int64_t outputs) {
  if (outputs < 1 || outputs > kMaxOutputs)
    return n.invalid("attribute 'num_split' is " + std::to_string(outputs) + ", expected 1 to " +
                     std::to_string(kMaxOutputs));
  if (outputs == 1) {
    n.output(n.in(src));
    return ok_status();
  }
  GRAFT_ASSIGN_OR_RETURN(auto ids, n.emit_many(ir::SplitAttrs{axis, std::move(sizes)}, {n.in(src)},
                                               static_cast<size_t>(outputs)));
  for (ir::ValueId id : ids) n.output(id);
  return ok_status();
}

Status import_split(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {1}));
  GRAFT_ASSIGN_OR_RETURN(const int64_t outputs, n.attr_int("num_split"));
  GRAFT_ASSIGN_OR_RETURN(int64_t axis, n.const_int(0, "split_dim"));
  GRAFT_ASSIGN_OR_RETURN(axis, n.axis(axis, n.rank(1), "the split dimension"));
  const ir::Dim d = n.type(1).dims[static_cast<size_t>(axis)];
  if (outputs > 0 && d.is_const() && d.value() % outputs != 0)
    return n.invalid("dimension " + std::to_string(axis) + " of input 1 is " +
                     std::to_string(d.value()) + ", expected a multiple of 'num_split', " +
                     std::to_string(outputs));
  return finish_split(n, 1, axis, {}, outputs);
}

Status import_split_v(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  if (n.has_attr("Tlen")) GRAFT_RETURN_IF_ERROR(n.check_type("Tlen", {1}));
  GRAFT_ASSIGN_OR_RETURN(const int64_t outputs, n.attr_int("num_split"));
  GRAFT_ASSIGN_OR_RETURN(std::vector<int64_t> sizes, n.const_ints(1, "size_splits"));
  GRAFT_ASSIGN_OR_RETURN(int64_t axis, n.const_int(2, "split_dim"));
  GRAFT_ASSIGN_OR_RETURN(axis, n.axis(axis, n.rank(0), "the split dimension"));
  if (static_cast<int64_t>(sizes.size()) != outputs)
    return n.invalid("the sizes (input 1) have " + std::to_string(sizes.size()) +
                     " elements, 'num_split' is " + std::to_string(outputs));
  int64_t sum = 0;
  for (int64_t s : sizes) {
    const auto next = checked_add(sum, std::max<int64_t>(s, 0));
    if (s < -1 || !next) return n.invalid("the sizes (input 1) contain " + std::to_string(s));
    sum = *next;
  }
  const auto open = std::count(sizes.begin(), sizes.end(), -1);
  if (open > 1) return n.invalid("the sizes (input 1) contain -1 more than once");
  const ir::Dim d = n.type(0).dims[static_cast<size_t>(axis)];
  if (d.is_const() && (open ? sum > d.value() : sum != d.value()))
    return n.invalid("the sizes (input 1) sum to " + std::to_string(sum) + ", dimension " +
                     std::to_string(axis) + " of input 0 is " + std::to_string(d.value()));
  return finish_split(n, 0, axis, std::move(sizes), outputs);
}

Status import_pack(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(check_count(n, n.inputs()));
  GRAFT_RETURN_IF_ERROR(n.check_types("T", 0, n.inputs()));
  GRAFT_ASSIGN_OR_RETURN(int64_t axis, n.attr_int("axis", 0));
  GRAFT_ASSIGN_OR_RETURN(axis, n.axis(axis, n.rank(0) + 1, "attribute 'axis'"));
  std::vector<ir::ValueId> values;
  for (size_t i = 0; i < n.inputs(); ++i) values.push_back(n.in(i));
  return n.finish(ir::PackAttrs{axis}, values);
}

Status import_unpack(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  GRAFT_ASSIGN_OR_RETURN(const int64_t outputs, n.attr_int("num"));
  GRAFT_ASSIGN_OR_RETURN(int64_t axis, n.attr_int("axis", 0));
  GRAFT_ASSIGN_OR_RETURN(axis, n.axis(axis, n.rank(0), "attribute 'axis'"));
  if (outputs < 0 || outputs > kMaxOutputs)
    return n.invalid("attribute 'num' is " + std::to_string(outputs) + ", expected 0 to " +
                     std::to_string(kMaxOutputs));
  const ir::Dim d = n.type(0).dims[static_cast<size_t>(axis)];
  if (d.is_const() && d.value() != outputs)
    return n.invalid("attribute 'num' is " + std::to_string(outputs) + ", dimension " +
                     std::to_string(axis) + " of input 0 is " + std::to_string(d.value()));
  if (outputs == 0) return n.refuse("unsupported_value", "it has no outputs");
  GRAFT_ASSIGN_OR_RETURN(
      auto ids, n.emit_many(ir::UnpackAttrs{axis}, {n.in(0)}, static_cast<size_t>(outputs)));
  for (ir::ValueId id : ids) n.output(id);
  return ok_status();
}

constexpr OpEntry kRows[] = {
    {"ConcatV2", import_concat, 2, -1, 1}, {"Concat", import_concat, 2, -1, 0},
    {"Split", import_split, 2, 2},         {"SplitV", import_split_v, 3, 3},
    {"Pack", import_pack, 1, -1},          {"Unpack", import_unpack, 1, 1},
};

}  // namespace

std::span<const OpEntry> joining_ops() { return kRows; }

}  // namespace graft::frontend
