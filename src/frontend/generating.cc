// Ops that make tensors from shapes and numbers.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/dtype.h"
#include "frontend/compose.h"

namespace graft::frontend {

namespace {

Result<DType> read_out_type(NodeImport& n) {
  GRAFT_ASSIGN_OR_RETURN(const DType to, n.attr_type("out_type", DType::kInt32));
  if (to == DType::kInt32 || to == DType::kInt64) return to;
  return n.refuse("dtype",
                  "attribute 'out_type' is " + dtype_name(to) + ", expected int32 or int64");
}

Status import_shape(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  GRAFT_ASSIGN_OR_RETURN(const DType to, read_out_type(n));
  return n.finish(ir::ShapeAttrs{to}, {n.in(0)});
}

Status import_shape_n(NodeImport& n) {
  GRAFT_ASSIGN_OR_RETURN(const int64_t count, n.attr_int("N"));
  if (count != static_cast<int64_t>(n.inputs()))
    return n.invalid("attribute 'N' is " + std::to_string(count) + ", the node has " +
                     std::to_string(n.inputs()) + " inputs");
  GRAFT_RETURN_IF_ERROR(n.check_types("T", 0, n.inputs()));
  GRAFT_ASSIGN_OR_RETURN(const DType to, read_out_type(n));
  for (size_t i = 0; i < n.inputs(); ++i) {
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId shape, n.emit(ir::ShapeAttrs{to}, {n.in(i)}));
    n.output(shape);
  }
  return ok_status();
}

Status import_rank(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  n.output(n.constant_int(n.rank(0), DType::kInt32));
  return ok_status();
}

Status import_size(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  GRAFT_ASSIGN_OR_RETURN(const DType to, read_out_type(n));
  if (n.rank(0) == 0) {
    n.output(n.constant_int(1, to));
    return ok_status();
  }
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId shape, n.emit(ir::ShapeAttrs{to}, {n.in(0)}));
  return n.finish(ir::ReduceAttrs{ir::ReduceFn::kProd, {0}, false}, {shape});
}

Status import_fill(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {1}));
  if (n.has_attr("index_type")) GRAFT_RETURN_IF_ERROR(n.check_type("index_type", {0}));
  return n.finish(ir::FillAttrs{}, {n.in(0), n.in(1)});
}

// ZerosLike and OnesLike: Fill(Shape(x), arg).
Status import_like(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  const DType dtype = n.dtype(0);
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId shape, n.emit(ir::ShapeAttrs{DType::kInt64}, {n.in(0)}));
  return n.finish(ir::FillAttrs{}, {shape, n.constant_scalar(n.arg(), dtype)});
}

constexpr int64_t kMaxRangeElems = 1 << 20;

// A scalar that is known: a constant, or an integer constant that was cast.
template <typename T>
std::optional<T> known_scalar(NodeImport& n, ir::ValueId id) {
  if (n.at(id).type.rank() != 0) return std::nullopt;
  if (n.at(id).is_const()) {
    T value;
    std::memcpy(&value, ir::materialize(n.at(id)).data(), sizeof(T));
    return value;
  }
  const std::vector<ir::Op>& ops = n.network().ops;
  for (auto op = ops.rbegin(); op != ops.rend(); ++op) {
    if (op->outputs[0] != id) continue;
    if (!op->get_if<ir::CastAttrs>()) return std::nullopt;
    const auto& host = n.at(op->inputs[0]).host;
    if (!host || host->size() != 1 || !(*host)[0].is_const()) return std::nullopt;
    return static_cast<T>((*host)[0].value());
  }
  return std::nullopt;
}

// Of floating numbers: start + i * delta, as TensorFlow computes it.
template <typename T>
Status floating_range(NodeImport& n) {
  T ends[3];
  for (size_t i = 0; i < 3; ++i) {
    const auto known = known_scalar<T>(n, n.in(i));
    if (!known) return n.finish(ir::RangeAttrs{}, {n.in(0), n.in(1), n.in(2)});  // says why not
    ends[i] = *known;
  }
  const auto [start, limit, delta] = ends;
  if (delta == 0 || (delta > 0 ? start > limit : start < limit))
    return n.invalid("the range from " + std::to_string(start) + " to " + std::to_string(limit) +
                     " has the step " + std::to_string(delta));
  const double count = std::ceil(std::abs((limit - start) / delta));
  if (!(count <= double{kMaxRangeElems}))
    return n.refuse("shape", "the range has " + std::to_string(count) + " elements, at most " +
                                 std::to_string(kMaxRangeElems) + " of a floating dtype");
  std::vector<T> elems;
  for (int64_t i = 0; static_cast<double>(i) < count; ++i)
    elems.push_back(start + static_cast<T>(i) * delta);
  n.output(n.network().add_constant_of<T>(
      std::string(n.node().name), std::vector<int64_t>{static_cast<int64_t>(elems.size())}, elems));
  return ok_status();
}

Status import_range(NodeImport& n) {
  if (n.has_attr("Tidx")) GRAFT_RETURN_IF_ERROR(n.check_type("Tidx", {0, 1, 2}));
  const bool one_dtype = n.dtype(1) == n.dtype(0) && n.dtype(2) == n.dtype(0);
  if (one_dtype && n.dtype(0) == DType::kFloat) return floating_range<float>(n);
  if (one_dtype && n.dtype(0) == DType::kDouble) return floating_range<double>(n);
  return n.finish(ir::RangeAttrs{}, {n.in(0), n.in(1), n.in(2)});
}

constexpr int64_t kMaxLinSpaceElems = 1 << 20;

// The last element is stop itself, as in TensorFlow.
template <typename T>
std::vector<T> line(T start, T stop, int64_t count) {
  std::vector<T> elems{start};
  const T step = count > 1 ? (stop - start) / static_cast<T>(count - 1) : T(0);
  for (int64_t i = 1; i < count - 1; ++i) elems.push_back(start + step * static_cast<T>(i));
  if (count > 1) elems.push_back(stop);
  return elems;
}

template <typename T>
ir::ValueId constant_line(NodeImport& n, int64_t count) {
  T ends[2];
  for (size_t i = 0; i < 2; ++i)
    std::memcpy(&ends[i], ir::materialize(n.value(i)).data(), sizeof(T));
  const std::vector<T> elems = line(ends[0], ends[1], count);
  return n.network().add_constant_of<T>(std::string(n.node().name), std::vector<int64_t>{count},
                                        elems);
}

Status import_lin_space(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0, 1}));
  if (n.has_attr("Tidx")) GRAFT_RETURN_IF_ERROR(n.check_type("Tidx", {2}));
  for (size_t i = 0; i < 3; ++i) {
    if (n.rank(i) != 0)
      return n.invalid("input " + std::to_string(i) + " has rank " + std::to_string(n.rank(i)) +
                       ", expected a scalar");
  }
  if (n.dtype(0) != DType::kFloat && n.dtype(0) != DType::kDouble)
    return n.refuse("dtype",
                    "input 0 is " + dtype_name(n.dtype(0)) + ", expected float32 or float64");
  GRAFT_ASSIGN_OR_RETURN(const int64_t count, n.const_int(2, "num"));
  if (count < 1) return n.invalid("num (input 2) is " + std::to_string(count));
  if (!n.value(0).is_const() || !n.value(1).is_const())
    return n.refuse("shape", "start (input 0) or stop (input 1) is not a constant");
  if (count > kMaxLinSpaceElems)
    return n.refuse("unsupported_value", "num (input 2) is " + std::to_string(count) +
                                             ", at most " + std::to_string(kMaxLinSpaceElems) +
                                             " is supported");
  n.output(n.dtype(0) == DType::kFloat ? constant_line<float>(n, count)
                                       : constant_line<double>(n, count));
  return ok_status();
}

// The shape to which two shapes broadcast, element by element from one of them.
Status import_broadcast_args(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0, 1}, DType::kInt32));
  for (size_t i = 0; i < 2; ++i) {
    if (n.rank(i) != 1)
      return n.invalid("input " + std::to_string(i) + " has rank " + std::to_string(n.rank(i)) +
                       ", expected 1");
    if (!n.value(i).host)
      return n.refuse("shape", "the shape in input " + std::to_string(i) + " depends on data");
  }
  const std::vector<ir::Dim> a = *n.value(0).host, b = *n.value(1).host;
  const size_t rank = std::max(a.size(), b.size());
  std::vector<ir::ValueId> parts;
  for (size_t i = 0; i < rank; ++i) {
    const size_t skip_a = rank - a.size(), skip_b = rank - b.size();
    const ir::Dim one(1), x = i < skip_a ? one : a[i - skip_a],
                          y = i < skip_b ? one : b[i - skip_b];
    if (x != y && x != one && y != one) {
      if (x.is_const() && y.is_const())
        return n.invalid("the shapes do not broadcast: " + std::to_string(x.value()) + " and " +
                         std::to_string(y.value()));
      return n.refuse("shape",
                      "the shapes in inputs 0 and 1 are not known to broadcast in dimension " +
                          std::to_string(i));
    }
    const bool from_b = x == one && y != one;
    const auto at = static_cast<int64_t>(i - (from_b ? skip_b : i < skip_a ? 0 : skip_a));
    if (!from_b && x == one && i < skip_a) {
      parts.push_back(n.constant_ints({1}, n.dtype(0)));
      continue;
    }
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId part,
                           slice_by(n, n.in(from_b ? 1 : 0), {{at, at + 1}}));
    parts.push_back(part);
  }
  if (parts.empty()) parts.push_back(n.constant_ints({}, n.dtype(0)));
  if (parts.size() == 1) {
    n.output(parts[0]);
    return ok_status();
  }
  return n.finish(ir::ConcatAttrs{0}, parts);
}

constexpr OpEntry kRows[] = {
    {"LinSpace", import_lin_space, 3, 3}, {"BroadcastArgs", import_broadcast_args, 2, 2},
    {"Shape", import_shape, 1, 1},        {"Rank", import_rank, 1, 1},
    {"ShapeN", import_shape_n, 1, -1},    {"Size", import_size, 1, 1},
    {"Fill", import_fill, 2, 2},          {"ZerosLike", import_like, 1, 1, 0},
    {"OnesLike", import_like, 1, 1, 1},   {"Range", import_range, 3, 3},
};

}  // namespace

std::span<const OpEntry> generating_ops() { return kRows; }

}  // namespace graft::frontend
