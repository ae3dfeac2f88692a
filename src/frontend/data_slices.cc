#include "frontend/data_slices.h"

#include <bit>
#include <numeric>
#include <optional>
#include <span>

#include "frontend/compose.h"

namespace graft::frontend {

namespace {

// More rows than this are not counted up in a constant.
constexpr int64_t kMostRows = 1 << 16;
// A Pack farther back among the imported ops is not looked for.
constexpr size_t kFarthestPack = 1024;

// What the Pack that makes a vector joins; empty: none is found. Only what is known of these
// scalars counts here: the node reads the vector.
std::span<const ir::ValueId> packed(NodeImport& n, ir::ValueId vector) {
  const std::vector<ir::Op>& ops = n.network().ops;
  for (size_t i = ops.size(), left = kFarthestPack; i > 0 && left > 0; --i, --left) {
    const ir::Op& op = ops[i - 1];
    if (op.outputs.size() != 1 || op.outputs[0] != vector) continue;
    return op.kind() == ir::OpKind::kPack ? std::span<const ir::ValueId>(op.inputs)
                                          : std::span<const ir::ValueId>();
  }
  return {};
}

// Element k of a vector operand, where the vector or what a Pack joins to it is known.
std::optional<int64_t> known_element(NodeImport& n, size_t input, size_t k) {
  ir::Dim element;
  if (const auto& host = n.value(input).host) {
    if (k >= host->size()) return std::nullopt;
    element = (*host)[k];
  } else {
    const std::span<const ir::ValueId> joined = packed(n, n.in(input));
    if (k >= joined.size()) return std::nullopt;
    const auto& scalar = n.at(joined[k]).host;
    if (!scalar || scalar->size() != 1) return std::nullopt;
    element = scalar->front();
  }
  return element.is_const() ? std::optional(element.value()) : std::nullopt;
}

// Element k of a vector operand as a scalar.
Result<ir::ValueId> element(NodeImport& n, size_t input, int64_t k) {
  ir::StridedSliceAttrs attrs;
  attrs.shrink_axis_mask = 1;
  return n.emit(attrs,
                {n.in(input), n.constant_ints({k}, DType::kInt64),
                 n.constant_ints({k + 1}, DType::kInt64), n.constant_ints({1}, DType::kInt64)});
}

// src without `axis`: its element at begin[k], counted from the end below 0. Gather checks it.
Result<ir::ValueId> at_index(NodeImport& n, ir::ValueId src, int64_t axis, int64_t k) {
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId index, element(n, 1, k));
  const DType dtype = n.dtype(1);
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId extent,
                         extent_scalar(n, src, static_cast<int>(axis), dtype));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId from_end,
                         n.emit(ir::BinaryAttrs{ir::BinaryFn::kAdd}, {index, extent}));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId below, n.emit(ir::BinaryAttrs{ir::BinaryFn::kLess},
                                                         {index, n.constant_int(0, dtype)}));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId place,
                         n.emit(ir::SelectAttrs{}, {below, from_end, index}));
  return n.emit(ir::GatherAttrs{axis, 0}, {src, place});
}

// One entry of begin, end and strides.
struct Entry {
  bool begin_mask, end_mask, ellipsis, new_axis, shrink;
  std::optional<int64_t> begin, end, stride;
  bool at_data() const { return shrink && !ellipsis && !new_axis && !begin; }
  bool known() const {
    return ellipsis || new_axis ||
           (stride && (begin_mask || begin) && (end_mask || end || (shrink && begin)));
  }
};

std::vector<Entry> entries(NodeImport& n, const ir::StridedSliceAttrs& attrs, int64_t count) {
  std::vector<Entry> result;
  for (size_t k = 0; k < static_cast<size_t>(count); ++k) {
    const auto in = [&](int64_t mask) { return (mask >> k & 1) != 0; };
    result.push_back({in(attrs.begin_mask), in(attrs.end_mask), in(attrs.ellipsis_mask),
                      in(attrs.new_axis_mask), in(attrs.shrink_axis_mask), known_element(n, 1, k),
                      known_element(n, 2, k), known_element(n, 3, k)});
  }
  return result;
}

// The slice of what the gathers left, all known.
Result<ir::ValueId> rest(NodeImport& n, ir::ValueId src, const std::vector<Entry>& left) {
  ir::StridedSliceAttrs attrs;
  std::vector<int64_t> begin, end, strides;
  for (size_t i = 0; i < left.size(); ++i) {
    const Entry& e = left[i];
    const int64_t bit = int64_t{1} << i;
    if (e.begin_mask) attrs.begin_mask |= bit;
    if (e.end_mask) attrs.end_mask |= bit;
    if (e.ellipsis) attrs.ellipsis_mask |= bit;
    if (e.new_axis) attrs.new_axis_mask |= bit;
    if (e.shrink) attrs.shrink_axis_mask |= bit;
    begin.push_back(e.begin.value_or(0));
    end.push_back(e.end.value_or(0));
    strides.push_back(e.stride.value_or(1));
  }
  return n.emit(attrs,
                {src, n.constant_ints(begin, DType::kInt64), n.constant_ints(end, DType::kInt64),
                 n.constant_ints(strides, DType::kInt64)});
}

}  // namespace

Status strided_slice_at_data(NodeImport& n, const ir::StridedSliceAttrs& attrs) {
  const auto as_it_is = [&] { return n.finish(attrs, {n.in(0), n.in(1), n.in(2), n.in(3)}); };
  if (n.rank(1) != 1 || n.type(2).dims != n.type(1).dims || n.type(3).dims != n.type(1).dims)
    return as_it_is();
  const ir::Dim extent = n.type(1).dims[0];
  if (!extent.is_const() || extent.value() > 32 ||
      std::popcount(static_cast<uint64_t>(attrs.ellipsis_mask)) > 1)
    return as_it_is();
  const std::vector<Entry> all = entries(n, attrs, extent.value());
  int64_t axes = 0;  // that the entries name
  for (const Entry& e : all) {
    if (e.at_data() ? e.stride.value_or(0) <= 0 : !e.known()) return as_it_is();
    if (!e.ellipsis && !e.new_axis) ++axes;
  }
  if (axes > n.rank(0)) return as_it_is();
  ir::ValueId y = n.in(0);
  std::vector<Entry> left;
  int64_t axis = 0;
  for (size_t k = 0; k < all.size(); ++k) {
    const Entry& e = all[k];
    if (e.at_data()) {
      GRAFT_ASSIGN_OR_RETURN(y, at_index(n, y, axis, static_cast<int64_t>(k)));
      continue;
    }
    left.push_back(e);
    if (e.ellipsis)
      axis += n.rank(0) - axes;
    else if (!e.new_axis)
      ++axis;
  }
  if (!left.empty()) {
    GRAFT_ASSIGN_OR_RETURN(y, rest(n, y, left));
  }
  n.output(y);
  return ok_status();
}

Status slice_at_data(NodeImport& n) {
  const auto as_it_is = [&] { return n.finish(ir::SliceAttrs{}, {n.in(0), n.in(1), n.in(2)}); };
  const auto rank = static_cast<size_t>(n.rank(0));
  if (n.rank(1) != 1 || n.rank(2) != 1 || n.type(1).dims[0] != n.type(2).dims[0] ||
      n.type(1).dims[0] != ir::Dim(n.rank(0)))
    return as_it_is();
  std::vector<int64_t> begin, size;
  for (size_t k = 0; k < rank; ++k) {
    const auto first = known_element(n, 1, k), count = known_element(n, 2, k);
    if (!count || (!first && (*count < 1 || *count > kMostRows))) return as_it_is();
    begin.push_back(first.value_or(-1));
    size.push_back(*count);
  }
  ir::ValueId y = n.in(0);
  for (size_t k = 0; k < rank; ++k) {
    if (known_element(n, 1, k)) continue;
    std::vector<int64_t> steps(static_cast<size_t>(size[k]));
    std::iota(steps.begin(), steps.end(), int64_t{0});
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId first, element(n, 1, static_cast<int64_t>(k)));
    GRAFT_ASSIGN_OR_RETURN(
        const ir::ValueId rows,
        n.emit(ir::BinaryAttrs{ir::BinaryFn::kAdd}, {n.constant_ints(steps, n.dtype(1)), first}));
    GRAFT_ASSIGN_OR_RETURN(y, n.emit(ir::GatherAttrs{static_cast<int64_t>(k), 0}, {y, rows}));
    begin[k] = 0;
    size[k] = -1;
  }
  GRAFT_ASSIGN_OR_RETURN(y, n.emit(ir::SliceAttrs{}, {y, n.constant_ints(begin, DType::kInt64),
                                                      n.constant_ints(size, DType::kInt64)}));
  n.output(y);
  return ok_status();
}

}  // namespace graft::frontend
