// ReverseV2, ReverseSequence, Roll and InvertPermutation: the same elements in another order.
#include <algorithm>

#include "frontend/compose.h"

namespace graft::frontend {

namespace {

Status import_reverse(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  if (n.has_attr("Tidx")) GRAFT_RETURN_IF_ERROR(n.check_type("Tidx", {1}));
  if (n.rank(1) != 1)
    return n.invalid("the axes (input 1) have rank " + std::to_string(n.rank(1)) + ", expected 1");
  GRAFT_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, n.const_ints(1, "axis"));
  std::vector<AxisRange> ranges(static_cast<size_t>(n.rank(0)));
  for (int64_t a : axes) {
    GRAFT_ASSIGN_OR_RETURN(a, n.axis(a, n.rank(0), "an element of the axes (input 1)"));
    int64_t& stride = ranges[static_cast<size_t>(a)].stride;
    if (stride < 0)
      return n.invalid("the axes (input 1) name axis " + std::to_string(a) + " twice");
    stride = -1;
  }
  ir::ValueId y = n.in(0);
  if (!axes.empty()) {
    GRAFT_ASSIGN_OR_RETURN(y, slice_by(n, y, ranges));
  }
  n.output(y);
  return ok_status();
}

// The first seq_lengths[b] elements of each sequence b in reverse order. A negative length and one
// beyond the sequence make an index outside, which is gather's error.
Result<ir::ValueId> reversed_places(NodeImport& n, ir::ValueId src) {
  const DType t = n.dtype(1);
  using ir::BinaryFn;
  const auto binary = [&](BinaryFn fn, ir::ValueId a, ir::ValueId b) {
    return n.emit(ir::BinaryAttrs{fn}, {a, b});
  };
  const ir::ValueId zero = n.constant_int(0, t), one = n.constant_int(1, t);
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId extent, extent_scalar(n, src, 1, t));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId place, n.emit(ir::RangeAttrs{}, {zero, extent, one}));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId length, n.emit(ir::ExpandDimsAttrs{1}, {n.in(1)}));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId inside, binary(BinaryFn::kLess, place, length));
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId reversed, binary(BinaryFn::kSub, length, place));
  GRAFT_ASSIGN_OR_RETURN(reversed, binary(BinaryFn::kSub, reversed, one));
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId wrong, binary(BinaryFn::kMin, length, zero));
  GRAFT_ASSIGN_OR_RETURN(wrong, binary(BinaryFn::kMax, wrong, n.constant_int(-1, t)));
  GRAFT_ASSIGN_OR_RETURN(wrong, binary(BinaryFn::kMul, wrong, extent));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId same, binary(BinaryFn::kAdd, place, wrong));
  return n.emit(ir::SelectAttrs{}, {inside, reversed, same});
}

Status import_reverse_sequence(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  if (n.has_attr("Tlen")) GRAFT_RETURN_IF_ERROR(n.check_type("Tlen", {1}));
  GRAFT_ASSIGN_OR_RETURN(const int64_t seq, n.attr_int("seq_dim"));
  GRAFT_ASSIGN_OR_RETURN(const int64_t batch, n.attr_int("batch_dim", 0));
  const int rank = n.rank(0);
  if (seq < 0 || seq >= rank || batch < 0 || batch >= rank || seq == batch)
    return n.refuse("unsupported_attr", "attributes 'seq_dim' and 'batch_dim' are " +
                                            std::to_string(seq) + " and " + std::to_string(batch) +
                                            ", input 0 has rank " + std::to_string(rank));
  if (n.dtype(1) != DType::kInt32 && n.dtype(1) != DType::kInt64)
    return n.invalid("the lengths (input 1) are no int32 or int64");
  if (n.rank(1) != 1)
    return n.invalid("the lengths (input 1) have rank " + std::to_string(n.rank(1)) +
                     ", expected 1");
  std::vector<int64_t> perm{batch, seq}, back(static_cast<size_t>(rank));
  for (int64_t axis = 0; axis < rank; ++axis)
    if (axis != batch && axis != seq) perm.push_back(axis);
  for (size_t i = 0; i < perm.size(); ++i)
    back[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
  const bool in_place = std::is_sorted(perm.begin(), perm.end());
  ir::ValueId y = n.in(0);
  if (!in_place) {
    GRAFT_ASSIGN_OR_RETURN(y, n.transpose(y, perm));
  }
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId places, reversed_places(n, y));
  GRAFT_ASSIGN_OR_RETURN(y, n.emit(ir::GatherAttrs{1, 1}, {y, places}));
  if (!in_place) {
    GRAFT_ASSIGN_OR_RETURN(y, n.transpose(y, back));
  }
  n.output(y);
  return ok_status();
}

// An extent that is not known: gather element (i - shift) mod extent.
Result<ir::ValueId> roll_unknown(NodeImport& n, ir::ValueId src, int axis, int64_t shift) {
  const DType t = DType::kInt64;
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId extent, extent_scalar(n, src, axis, t));
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId index, n.emit(ir::RangeAttrs{}, {n.constant_int(0, t), extent,
                                                                      n.constant_int(1, t)}));
  GRAFT_ASSIGN_OR_RETURN(
      index, n.emit(ir::BinaryAttrs{ir::BinaryFn::kSub}, {index, n.constant_int(shift, t)}));
  GRAFT_ASSIGN_OR_RETURN(index, n.emit(ir::BinaryAttrs{ir::BinaryFn::kFloorMod}, {index, extent}));
  return n.emit(ir::GatherAttrs{axis, 0}, {src, index});
}

Result<ir::ValueId> roll_axis(NodeImport& n, ir::ValueId src, int axis, int64_t shift) {
  const ir::Dim d = n.at(src).type.dims[static_cast<size_t>(axis)];
  if (!d.is_const()) return shift == 0 ? src : roll_unknown(n, src, axis, shift);
  if (d.value() == 0) return src;
  const int64_t first = ((-shift % d.value()) + d.value()) % d.value();  // the new first element
  if (first == 0) return src;
  std::vector<AxisRange> head(n.at(src).type.dims.size()), tail = head;
  tail[static_cast<size_t>(axis)].begin = first;
  head[static_cast<size_t>(axis)].end = first;
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId front, slice_by(n, src, tail));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId back, slice_by(n, src, head));
  return n.emit(ir::ConcatAttrs{axis}, {front, back});
}

Status import_roll(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  if (n.has_attr("Tshift")) GRAFT_RETURN_IF_ERROR(n.check_type("Tshift", {1}));
  if (n.has_attr("Taxis")) GRAFT_RETURN_IF_ERROR(n.check_type("Taxis", {2}));
  if (n.rank(0) < 1) return n.invalid("input 0 is a scalar");
  GRAFT_ASSIGN_OR_RETURN(const std::vector<int64_t> shifts, n.const_ints(1, "shift"));
  GRAFT_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, n.const_ints(2, "axis"));
  if (n.rank(1) > 1 || n.rank(2) > 1 || shifts.size() != axes.size())
    return n.invalid("shift (input 1) and axis (input 2) have " + std::to_string(shifts.size()) +
                     " and " + std::to_string(axes.size()) +
                     " elements, expected scalars or vectors of one size");
  std::vector<int64_t> total(static_cast<size_t>(n.rank(0)), 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    GRAFT_ASSIGN_OR_RETURN(const int64_t axis, n.axis(axes[i], n.rank(0), "the axis (input 2)"));
    int64_t& sum = total[static_cast<size_t>(axis)];
    if (shifts[i] > INT32_MAX || shifts[i] < -INT32_MAX ||
        __builtin_add_overflow(sum, shifts[i], &sum))
      return n.refuse("unsupported_value", "a shift (input 1) is " + std::to_string(shifts[i]));
  }
  ir::ValueId y = n.in(0);
  for (size_t axis = 0; axis < total.size(); ++axis) {
    GRAFT_ASSIGN_OR_RETURN(y, roll_axis(n, y, static_cast<int>(axis), total[axis]));
  }
  n.output(y);
  return ok_status();
}

Status import_invert_permutation(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}, DType::kInt32));
  if (n.rank(0) != 1)
    return n.invalid("input 0 has rank " + std::to_string(n.rank(0)) + ", expected 1");
  GRAFT_ASSIGN_OR_RETURN(const std::vector<int64_t> perm, n.const_ints(0, "x"));
  const auto count = static_cast<int64_t>(perm.size());
  std::vector<int64_t> inverse(perm.size(), -1);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t p = perm[static_cast<size_t>(i)];
    if (p < 0 || p >= count || inverse[static_cast<size_t>(p)] >= 0)
      return n.invalid("input 0 is no permutation: element " + std::to_string(i) + " is " +
                       std::to_string(p));
    inverse[static_cast<size_t>(p)] = i;
  }
  n.output(n.constant_ints(inverse, n.dtype(0)));
  return ok_status();
}

constexpr OpEntry kRows[] = {
    {"ReverseV2", import_reverse, 2, 2},
    {"ReverseSequence", import_reverse_sequence, 2, 2},
    {"Roll", import_roll, 3, 3},
    {"InvertPermutation", import_invert_permutation, 1, 1},
};

}  // namespace

std::span<const OpEntry> rearranging_ops() { return kRows; }

}  // namespace graft::frontend
