// Arithmetic that is a few IR ops: LRN, L2Loss, EuclideanNorm and the products and quotients that
// define 0 times anything.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/dtype.h"
#include "frontend/compose.h"

namespace graft::frontend {

namespace {

using ir::BinaryFn;
using ir::UnaryFn;

Result<ir::ValueId> unary(NodeImport& n, UnaryFn fn, ir::ValueId x) {
  return n.emit(ir::UnaryAttrs{{fn}}, {x});
}
Result<ir::ValueId> binary(NodeImport& n, BinaryFn fn, ir::ValueId a, ir::ValueId b) {
  return n.emit(ir::BinaryAttrs{fn}, {a, b});
}

enum class Guarded { kXdivy, kXlogy, kXlog1py, kMulNoNan };

// 0 where the guard (x; of MulNoNan y) is 0, whatever the other operand is.
Status import_guarded(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0, 1}));
  GRAFT_RETURN_IF_ERROR(n.require_floating(0));
  const auto kind = static_cast<Guarded>(n.arg());
  const ir::ValueId x = n.in(0), guard = n.in(kind == Guarded::kMulNoNan ? 1 : 0);
  ir::ValueId y = n.in(1);
  if (kind == Guarded::kXlogy || kind == Guarded::kXlog1py) {
    GRAFT_ASSIGN_OR_RETURN(y,
                           unary(n, kind == Guarded::kXlogy ? UnaryFn::kLog : UnaryFn::kLog1p, y));
  }
  const BinaryFn fn = kind == Guarded::kXdivy ? BinaryFn::kDiv : BinaryFn::kMul;
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId value, binary(n, fn, x, y));
  const ir::ValueId zero = n.constant_scalar(0, n.dtype(0));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId is_zero, binary(n, BinaryFn::kEqual, guard, zero));
  return n.finish(ir::SelectAttrs{}, {is_zero, zero, value});
}

Status import_l2_loss(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  GRAFT_RETURN_IF_ERROR(n.require_floating(0));
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId y, unary(n, UnaryFn::kSquare, n.in(0)));
  GRAFT_ASSIGN_OR_RETURN(y, binary(n, BinaryFn::kMul, y, n.constant_scalar(0.5, n.dtype(0))));
  if (n.rank(0) > 0) {
    std::vector<int64_t> axes(static_cast<size_t>(n.rank(0)));
    std::iota(axes.begin(), axes.end(), 0);
    GRAFT_ASSIGN_OR_RETURN(y, n.emit(ir::ReduceAttrs{ir::ReduceFn::kSum, axes, false}, {y}));
  }
  n.output(y);
  return ok_status();
}

constexpr int64_t kMaxLrnChannels = 2048;

// x * (bias + sum of alpha * x^2 over 2 * depth_radius + 1 channels)^-beta. The sum is a product
// with a band matrix, as in TensorFlow's own kernel: an infinite x makes its whole pixel NaN there,
// too.
Status import_lrn(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}, DType::kFloat));
  GRAFT_RETURN_IF_ERROR(n.require_floating(0));
  GRAFT_ASSIGN_OR_RETURN(const int64_t radius, n.attr_int("depth_radius", 5));
  GRAFT_ASSIGN_OR_RETURN(const float bias, n.attr_float("bias", 1.0f));
  GRAFT_ASSIGN_OR_RETURN(const float alpha, n.attr_float("alpha", 1.0f));
  GRAFT_ASSIGN_OR_RETURN(const float beta, n.attr_float("beta", 0.5f));
  if (n.rank(0) != 4)
    return n.invalid("input 0 has rank " + std::to_string(n.rank(0)) + ", expected 4");
  if (radius < 0 || radius > INT32_MAX)
    return n.invalid("attribute 'depth_radius' is " + std::to_string(radius));
  const ir::Dim depth = n.type(0).dims[3];
  if (!depth.is_const() || depth.value() > kMaxLrnChannels)
    return n.refuse("shape", "input 0 has " +
                                 (depth.is_const() ? std::to_string(depth.value())
                                                   : std::string("an unknown number of")) +
                                 " channels, expected a number up to " +
                                 std::to_string(kMaxLrnChannels));
  const auto channels = depth.value();
  std::vector<float> band(static_cast<size_t>(channels * channels), 0.0f);
  for (int64_t i = 0; i < channels; ++i) {
    const int64_t last = std::min(channels - 1, i + radius);
    for (int64_t j = std::max<int64_t>(0, i - radius); j <= last; ++j)
      band[static_cast<size_t>(i * channels + j)] = alpha;
  }
  const DType t = n.dtype(0);
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId weights,
                         n.reshape(n.constant_floats(band), {channels, channels}));
  GRAFT_ASSIGN_OR_RETURN(weights, n.cast(weights, t));
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId y, unary(n, UnaryFn::kSquare, n.in(0)));
  GRAFT_ASSIGN_OR_RETURN(y, n.emit(ir::MatMulAttrs{}, {y, weights}));
  GRAFT_ASSIGN_OR_RETURN(y, binary(n, BinaryFn::kAdd, y, n.constant_scalar(bias, t)));
  if (beta == 1.0f) {
    GRAFT_ASSIGN_OR_RETURN(y, unary(n, UnaryFn::kReciprocal, y));
  } else if (beta == 0.5f) {
    GRAFT_ASSIGN_OR_RETURN(y, unary(n, UnaryFn::kRsqrt, y));
  } else {
    GRAFT_ASSIGN_OR_RETURN(y, unary(n, UnaryFn::kLog, y));
    GRAFT_ASSIGN_OR_RETURN(y, binary(n, BinaryFn::kMul, y, n.constant_scalar(-beta, t)));
    GRAFT_ASSIGN_OR_RETURN(y, unary(n, UnaryFn::kExp, y));
  }
  return n.finish(ir::BinaryAttrs{BinaryFn::kMul}, {n.in(0), y});
}

// The root of the sum of squares over constant axes.
Status import_euclidean_norm(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  GRAFT_RETURN_IF_ERROR(n.require_floating(0));
  if (n.has_attr("Tidx")) GRAFT_RETURN_IF_ERROR(n.check_type("Tidx", {1}));
  GRAFT_ASSIGN_OR_RETURN(const bool keep_dims, n.attr_bool("keep_dims", false));
  GRAFT_ASSIGN_OR_RETURN(std::vector<int64_t> axes, n.const_ints(1, "reduction_indices"));
  for (int64_t& a : axes) {
    GRAFT_ASSIGN_OR_RETURN(a, n.axis(a, n.rank(0), "a reduction index"));
  }
  std::sort(axes.begin(), axes.end());
  if (std::adjacent_find(axes.begin(), axes.end()) != axes.end())
    return n.invalid("the reduction indices (input 1) name an axis twice");
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId y, unary(n, UnaryFn::kSquare, n.in(0)));
  if (!axes.empty()) {
    GRAFT_ASSIGN_OR_RETURN(y, n.emit(ir::ReduceAttrs{ir::ReduceFn::kSum, axes, keep_dims}, {y}));
  }
  return n.finish(ir::UnaryAttrs{{UnaryFn::kSqrt}}, {y});
}

constexpr OpEntry guarded(std::string_view op, Guarded kind) {
  return {op, import_guarded, 2, 2, static_cast<int>(kind)};
}

constexpr OpEntry kRows[] = {
    guarded("Xdivy", Guarded::kXdivy),
    guarded("Xlogy", Guarded::kXlogy),
    guarded("Xlog1py", Guarded::kXlog1py),
    guarded("MulNoNan", Guarded::kMulNoNan),
    {"L2Loss", import_l2_loss, 1, 1},
    {"LRN", import_lrn, 1, 1},
    {"EuclideanNorm", import_euclidean_norm, 2, 2},
};

}  // namespace

std::span<const OpEntry> composed_math_ops() { return kRows; }

}  // namespace graft::frontend
