// Segment ops: rows of the data that have one id are summed up, averaged or compared.
// UnsortedSegment* take ids from anywhere; the others only constant ones, since their last id is
// the extent of the result.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/dtype.h"
#include "frontend/compose.h"
#include "frontend/volume.h"

namespace graft::frontend {

namespace {

using ir::BinaryFn;
using ir::ScatterFn;

// Where a segment's first element meets: what leaves it as it is.
double start_of(ScatterFn fn, DType t) {
  if (fn == ScatterFn::kAdd) return 0;
  return visit_dtype(t, [&]<typename T>() -> double {
    if constexpr (std::is_same_v<T, Half>) {
      return fn == ScatterFn::kMax ? -65504.0 : 65504.0;
    } else if constexpr (std::is_same_v<T, Bfloat16>) {
      constexpr double kLargest = 0x1.fep127;
      return fn == ScatterFn::kMax ? -kLargest : kLargest;
    } else if constexpr (std::is_same_v<T, bool>) {
      return 0;
    } else {
      return fn == ScatterFn::kMax ? static_cast<double>(std::numeric_limits<T>::lowest())
                                   : static_cast<double>(std::numeric_limits<T>::max());
    }
  });
}

Status check_numbers(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  if (n.dtype(0) == DType::kBool) return n.invalid("the data (input 0) are bool");
  return ok_status();
}

// Negative ids fall into a row in front of the result, which is cut off; other ids outside are
// scatter_nd's error.
Status import_unsorted(NodeImport& n) {
  const auto fn = static_cast<ScatterFn>(n.arg());
  GRAFT_RETURN_IF_ERROR(check_numbers(n));
  GRAFT_RETURN_IF_ERROR(n.check_type("Tindices", {1}));
  if (n.has_attr("Tnumsegments")) GRAFT_RETURN_IF_ERROR(n.check_type("Tnumsegments", {2}));
  const DType t = n.dtype(0), index = n.dtype(1);
  if (index != DType::kInt32 && index != DType::kInt64)
    return n.refuse("dtype", "the segment ids (input 1) are " + dtype_name(index) +
                                 ", expected int32 or int64");
  if (fn != ScatterFn::kAdd && (t == DType::kInt64 || t == DType::kUint64))
    return n.refuse("dtype",
                    "the data (input 0) are " + dtype_name(t) + ", expected at most 32 bits");
  if (n.rank(1) > n.rank(0))
    return n.invalid("the segment ids (input 1) have rank " + std::to_string(n.rank(1)) +
                     ", the data (input 0) " + std::to_string(n.rank(0)));
  if (n.rank(2) != 0)
    return n.invalid("num_segments (input 2) has rank " + std::to_string(n.rank(2)) +
                     ", expected a scalar");
  const auto& count = n.value(2).host;
  if (!count)
    return n.refuse("shape", "num_segments (input 2) depends on data",
                    "make it a constant, or compute it from Shape");
  if (count->front().is_const() && count->front().value() < 0)
    return n.refuse("unsupported_value",
                    "num_segments (input 2) is " + std::to_string(count->front().value()));
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId rows, n.reshape(n.in(2), {1}));
  GRAFT_ASSIGN_OR_RETURN(rows, n.cast(rows, DType::kInt64));
  GRAFT_ASSIGN_OR_RETURN(
      rows, n.emit(ir::BinaryAttrs{BinaryFn::kAdd}, {rows, n.constant_ints({1}, DType::kInt64)}));
  ir::ValueId shape = rows;
  if (n.rank(1) < n.rank(0)) {
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId rest, extents_of(n, n.in(0), n.rank(1), n.rank(0)));
    GRAFT_ASSIGN_OR_RETURN(shape, n.emit(ir::ConcatAttrs{0}, {rows, rest}));
  }
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId empty,
                         n.emit(ir::FillAttrs{}, {shape, n.constant_scalar(start_of(fn, t), t)}));
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId ids, n.emit(ir::BinaryAttrs{BinaryFn::kMax},
                                                 {n.in(1), n.constant_int(-1, index)}));
  GRAFT_ASSIGN_OR_RETURN(ids,
                         n.emit(ir::BinaryAttrs{BinaryFn::kAdd}, {ids, n.constant_int(1, index)}));
  GRAFT_ASSIGN_OR_RETURN(ids, n.emit(ir::ExpandDimsAttrs{n.rank(1)}, {ids}));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId all,
                         n.emit(ir::ScatterNdAttrs{fn}, {empty, ids, n.in(0)}));
  std::vector<AxisRange> ranges(static_cast<size_t>(n.at(all).type.rank()));
  ranges[0].begin = 1;
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId y, slice_by(n, all, ranges));
  n.output(y);
  return ok_status();
}

// Constant ids, rising.
struct Segments {
  std::vector<int64_t> ids;
  std::vector<int64_t> counts;  // one a row of the result
};

constexpr int64_t kMaxSegments = 1 << 20;

Status read_segments(NodeImport& n, size_t input, std::optional<int64_t> rows, Segments& s) {
  if (n.rank(input) != 1)
    return n.invalid("the segment ids (input " + std::to_string(input) + ") have rank " +
                     std::to_string(n.rank(input)) + ", expected 1");
  GRAFT_ASSIGN_OR_RETURN(s.ids, n.const_ints(input, "segment_ids"));
  const int64_t last = s.ids.empty() ? -1 : s.ids.back();
  if (!std::is_sorted(s.ids.begin(), s.ids.end()) || (!s.ids.empty() && s.ids[0] < 0) ||
      (rows && last >= *rows))
    return n.refuse("unsupported_value", "the segment ids (input " + std::to_string(input) +
                                             ") do not rise, or lie outside");
  const int64_t count = rows.value_or(last + 1);
  if (count > kMaxSegments)
    return n.refuse("unsupported_value", "the segment ids make " + std::to_string(count) +
                                             " segments, at most " + std::to_string(kMaxSegments) +
                                             " are supported");
  s.counts.assign(static_cast<size_t>(count), 0);
  for (int64_t id : s.ids) ++s.counts[static_cast<size_t>(id)];
  return ok_status();
}

// [rows, 1, ...] of dtype t, one number a segment.
Result<ir::ValueId> per_segment(NodeImport& n, const std::vector<double>& numbers, int rank,
                                DType t) {
  std::vector<int64_t> dims(static_cast<size_t>(rank), 1);
  dims[0] = static_cast<int64_t>(numbers.size());
  const ir::ValueId column =
      n.network().add_constant_of<double>(std::string(n.node().name) + "/segments", dims, numbers);
  return n.cast(column, t);
}

// Rows `data` by segment; a segment without rows is 0.
Result<ir::ValueId> scatter_rows(NodeImport& n, ir::ValueId data, const Segments& s, ScatterFn fn) {
  const DType t = n.at(data).type.dtype;
  const int rank = n.at(data).type.rank();
  const auto rows = static_cast<int64_t>(s.counts.size());
  ir::ValueId shape = n.constant_ints({rows}, DType::kInt64);
  if (rank > 1) {
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId rest, extents_of(n, data, 1, rank));
    GRAFT_ASSIGN_OR_RETURN(shape, n.emit(ir::ConcatAttrs{0}, {shape, rest}));
  }
  ir::ValueId start = ir::kNoValue;
  if (fn == ScatterFn::kAdd) {
    GRAFT_ASSIGN_OR_RETURN(start, n.emit(ir::FillAttrs{}, {shape, n.constant_scalar(0, t)}));
  } else {
    const double infinity = std::numeric_limits<double>::infinity();
    const double far = fn == ScatterFn::kMax ? -infinity : infinity;
    std::vector<double> numbers;
    for (int64_t count : s.counts) numbers.push_back(count > 0 ? far : 0.0);
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId column, per_segment(n, numbers, rank, t));
    GRAFT_ASSIGN_OR_RETURN(start, n.emit(ir::BroadcastToAttrs{}, {column, shape}));
  }
  const auto count = static_cast<int64_t>(s.ids.size());
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId ids,
                         n.reshape(n.constant_ints(s.ids, DType::kInt64), {count, 1}));
  return n.emit(ir::ScatterNdAttrs{fn}, {start, ids, data});
}

// Sums divided by a number a segment.
Result<ir::ValueId> divide_rows(NodeImport& n, ir::ValueId sums, const Segments& s, bool root) {
  std::vector<double> numbers;
  for (int64_t count : s.counts) {
    const auto c = static_cast<double>(std::max<int64_t>(count, 1));
    numbers.push_back(root ? std::sqrt(c) : c);
  }
  const DType t = n.at(sums).type.dtype;
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId column,
                         per_segment(n, numbers, n.at(sums).type.rank(), t));
  return n.emit(ir::BinaryAttrs{BinaryFn::kDiv}, {sums, column});
}

enum class Rows { kSum, kMean, kSqrtN, kMax, kMin };

Status finish_rows(NodeImport& n, ir::ValueId data, const Segments& s, Rows kind) {
  const ScatterFn fn = kind == Rows::kMax   ? ScatterFn::kMax
                       : kind == Rows::kMin ? ScatterFn::kMin
                                            : ScatterFn::kAdd;
  if (kind != Rows::kSum && !is_floating(n.dtype(0)))
    return n.refuse("dtype", "the data (input 0) are " + dtype_name(n.dtype(0)) +
                                 ", expected a floating dtype");
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId y, scatter_rows(n, data, s, fn));
  if (kind == Rows::kMean || kind == Rows::kSqrtN) {
    GRAFT_ASSIGN_OR_RETURN(y, divide_rows(n, y, s, kind == Rows::kSqrtN));
  }
  n.output(y);
  return ok_status();
}

Status import_segment(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(check_numbers(n));
  GRAFT_RETURN_IF_ERROR(n.check_type("Tindices", {1}));
  if (n.rank(0) < 1) return n.invalid("the data (input 0) are a scalar");
  Segments s;
  GRAFT_RETURN_IF_ERROR(read_segments(n, 1, {}, s));
  return finish_rows(n, n.in(0), s, static_cast<Rows>(n.arg()));
}

// The rows of the data that the indices name; with a fourth input, the number of segments.
Status import_sparse_segment(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(check_numbers(n));
  if (n.has_attr("Tidx")) GRAFT_RETURN_IF_ERROR(n.check_type("Tidx", {1}));
  if (n.has_attr("Tsegmentids")) GRAFT_RETURN_IF_ERROR(n.check_type("Tsegmentids", {2}));
  n.ignore({"sparse_gradient"});
  if (n.rank(0) < 1) return n.invalid("the data (input 0) are a scalar");
  if (n.rank(1) != 1)
    return n.invalid("the indices (input 1) have rank " + std::to_string(n.rank(1)) +
                     ", expected 1");
  std::optional<int64_t> rows;
  if (n.inputs() == 4) {
    if (n.has_attr("Tnumsegments")) GRAFT_RETURN_IF_ERROR(n.check_type("Tnumsegments", {3}));
    GRAFT_ASSIGN_OR_RETURN(const int64_t count, n.const_int(3, "num_segments"));
    if (count < 0)
      return n.refuse("unsupported_value", "num_segments (input 3) is " + std::to_string(count));
    rows = count;
  }
  Segments s;
  GRAFT_RETURN_IF_ERROR(read_segments(n, 2, rows, s));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId data, n.emit(ir::GatherAttrs{}, {n.in(0), n.in(1)}));
  return finish_rows(n, data, s, static_cast<Rows>(n.arg()));
}

constexpr OpEntry unsorted(std::string_view op, ScatterFn fn) {
  return {op, import_unsorted, 3, 3, static_cast<int>(fn)};
}
constexpr OpEntry segment(std::string_view op, Rows kind) {
  return {op, import_segment, 2, 2, static_cast<int>(kind)};
}
constexpr OpEntry sparse(std::string_view op, Rows kind, int inputs) {
  return {op, import_sparse_segment, inputs, inputs, static_cast<int>(kind)};
}

constexpr OpEntry kRows[] = {
    unsorted("UnsortedSegmentSum", ScatterFn::kAdd),
    unsorted("UnsortedSegmentMax", ScatterFn::kMax),
    unsorted("UnsortedSegmentMin", ScatterFn::kMin),
    segment("SegmentSum", Rows::kSum),
    segment("SegmentMean", Rows::kMean),
    segment("SegmentMax", Rows::kMax),
    segment("SegmentMin", Rows::kMin),
    sparse("SparseSegmentSum", Rows::kSum, 3),
    sparse("SparseSegmentMean", Rows::kMean, 3),
    sparse("SparseSegmentSqrtN", Rows::kSqrtN, 3),
    sparse("SparseSegmentSumWithNumSegments", Rows::kSum, 4),
    sparse("SparseSegmentMeanWithNumSegments", Rows::kMean, 4),
    sparse("SparseSegmentSqrtNWithNumSegments", Rows::kSqrtN, 4),
};

}  // namespace

std::span<const OpEntry> segment_ops() { return kRows; }

}  // namespace graft::frontend
