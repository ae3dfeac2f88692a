// Ops over quantized tensors, step by step as ir/quantized.h fixes them.
#include "ir/quantized.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "reference/quantized_values.h"
#include "reference/values.h"

namespace graft::reference {

namespace {

// store(real * inv).
void put_real(const MutTensor& dst, std::vector<float> real) {
  if (dst.scale == 0) return put_floats(dst, real);
  const float inv = 1.0f / dst.scale;
  for (float& v : real) v *= inv;
  put_quantized(dst, real);
}

float clamp_to(float v, float lo, float hi) { return std::fmin(std::fmax(v, lo), hi); }

struct Product {
  const ir::Activation* act;
  bool has_bias, has_residual, has_scales;
};

Product product_of(const Call& c) {
  const bool scales = ir::has_weight_scales(c.op, c.in.size());
  if (const auto* conv = c.op.get_if<ir::ConvAttrs>())
    return {&conv->act, conv->has_bias, conv->has_residual, scales};
  const auto& matmul = c.op.as<ir::MatMulAttrs>();
  return {&matmul.act, matmul.has_bias, matmul.has_residual, scales};
}

// The sums of products and bias as int32: the plain op on int32 tensors without an epilogue.
Result<std::vector<int32_t>> accumulate(const Call& c, const Product& p) {
  ir::Op op = c.op;
  op.quant = {};
  if (auto* conv = std::get_if<ir::ConvAttrs>(&op.attrs)) {
    conv->act = {};
    conv->has_residual = false;
  } else {
    auto& matmul = op.as<ir::MatMulAttrs>();
    matmul.act = {};
    matmul.has_residual = false;
  }
  std::vector<std::vector<int32_t>> wide;
  std::vector<ConstTensor> in;
  wide.reserve(3);
  for (size_t i = 0; i < 2u + p.has_bias; ++i) {
    const std::vector<int64_t> q = integers(c.in[i]).q;
    wide.emplace_back(q.begin(), q.end());
    in.push_back({DType::kInt32, c.in[i].dims, wide.back().data()});
  }
  std::vector<int32_t> acc(static_cast<size_t>(elems(c.out[0].dims)));
  const MutTensor out{DType::kInt32, c.out[0].dims, acc.data()};
  GRAFT_RETURN_IF_ERROR(evaluate(op, in, std::span(&out, 1)));
  return acc;
}

std::vector<double> weight_scales(const Call& c, const Product& p, size_t channels) {
  if (!p.has_scales) return std::vector<double>(channels, static_cast<double>(c.in[1].scale));
  return load<double>(c.in.back());
}

// Bounds of the activation in units of dst.
std::pair<float, float> bounds(const ir::Activation& act, float scale) {
  const float inf = std::numeric_limits<float>::infinity();
  switch (act.fn) {
    case ir::UnaryFn::kRelu:
      return {0.0f, inf};
    case ir::UnaryFn::kRelu6:
      return {0.0f, 6.0f / scale};
    case ir::UnaryFn::kClip:
      return {act.alpha / scale, act.beta / scale};
    default:
      return {-inf, inf};
  }
}

Status product(const Call& c) {
  const Product p = product_of(c);
  GRAFT_ASSIGN_OR_RETURN(const std::vector<int32_t> acc, accumulate(c, p));
  const MutTensor& dst = c.out[0];
  const auto channels = static_cast<size_t>(dst.dims.back());
  const std::vector<double> w = weight_scales(c, p, channels);
  const bool quantized = dst.scale > 0;
  std::vector<float> m(channels);
  for (size_t ch = 0; ch < channels; ++ch) {
    const double real = static_cast<double>(c.in[0].scale) * w[ch];
    m[ch] = static_cast<float>(quantized ? real / static_cast<double>(dst.scale) : real);
  }
  std::vector<float> residual;
  if (p.has_residual) {
    const ConstTensor& r = c.in[2u + p.has_bias];
    if (quantized) {
      const auto rm =
          static_cast<float>(static_cast<double>(r.scale) / static_cast<double>(dst.scale));
      for (int64_t q : integers(r).q) residual.push_back(static_cast<float>(q) * rm);
    } else {
      residual = floats(r);
    }
  }
  std::vector<float> v(acc.size());
  for (size_t i = 0; i < v.size(); ++i) {
    v[i] = static_cast<float>(acc[i]) * m[i % channels];
    if (p.has_residual) v[i] += residual[i];
  }
  if (!quantized) {
    for (float& x : v) x = static_cast<float>(apply(*p.act, static_cast<double>(x)));
    put_floats(dst, v);
    return ok_status();
  }
  const auto [lo, hi] = bounds(*p.act, dst.scale);
  for (float& x : v) x = clamp_to(x, lo, hi);
  put_quantized(dst, v);
  return ok_status();
}

Status mean(const Call& c) {
  const ConstTensor& src = c.in[0];
  const MutTensor& dst = c.out[0];
  const std::vector<int64_t> q = integers(src).q;
  std::vector<int64_t> sums(static_cast<size_t>(elems(dst.dims)));
  std::vector<int64_t> counts(sums.size());
  if (c.op.kind() == ir::OpKind::kPool) {
    pool_sums(c, q, sums, counts);
  } else {
    ir::Op op = c.op;
    op.quant = {};
    op.as<ir::ReduceAttrs>().fn = ir::ReduceFn::kSum;
    const ConstTensor in{DType::kInt64, src.dims, q.data()};
    const MutTensor out{DType::kInt64, dst.dims, sums.data()};
    GRAFT_RETURN_IF_ERROR(evaluate(op, std::span(&in, 1), std::span(&out, 1)));
    std::fill(counts.begin(), counts.end(),
              static_cast<int64_t>(q.size() / std::max<size_t>(sums.size(), 1)));
  }
  std::vector<float> v(sums.size());
  for (size_t i = 0; i < v.size(); ++i) {
    const double m = static_cast<double>(src.scale) /
                     (static_cast<double>(dst.scale) * static_cast<double>(counts[i]));
    v[i] = static_cast<float>(sums[i]) * static_cast<float>(m);
  }
  put_quantized(dst, v);
  return ok_status();
}

Status elementwise(const Call& c) {
  std::vector<std::vector<float>> values;
  std::vector<ConstTensor> in;
  values.reserve(c.in.size());
  for (const ConstTensor& t : c.in) {
    values.push_back(floats(t));
    in.push_back({DType::kFloat, t.dims, values.back().data()});
  }
  std::vector<float> result(static_cast<size_t>(elems(c.out[0].dims)));
  const MutTensor out{DType::kFloat, c.out[0].dims, result.data()};
  ir::Op op = c.op;
  op.quant = {};
  GRAFT_RETURN_IF_ERROR(evaluate(op, in, std::span(&out, 1)));
  put_real(c.out[0], std::move(result));
  return ok_status();
}

}  // namespace

Status evaluate_quantize(const Call& c) {
  put_real(c.out[0], floats(c.in[0]));
  return ok_status();
}

Status evaluate_quantized(const Call& c) {
  switch (c.op.kind()) {
    case ir::OpKind::kQuantize:
      return evaluate_quantize(c);
    case ir::OpKind::kConv:
    case ir::OpKind::kMatMul:
      return product(c);
    case ir::OpKind::kAttention:
      return evaluate_quantized_attention(c);
    case ir::OpKind::kPool:
      if (c.op.as<ir::PoolAttrs>().fn == ir::PoolFn::kAvg) return mean(c);
      return evaluate_pool(c);
    case ir::OpKind::kReduce:
      return mean(c);
    default:
      return elementwise(c);
  }
}

}  // namespace graft::reference
