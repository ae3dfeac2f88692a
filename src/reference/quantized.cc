// Ops over quantized tensors, step by step as ir/quantized.h fixes them.
#include "ir/quantized.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "reference/values.h"

namespace graft::reference {

namespace {

struct IntTensor {
  std::vector<int64_t> q;
  float scale = 0;
};

IntTensor integers(const ConstTensor& t) {
  IntTensor r;
  r.scale = t.scale;
  if (t.dtype == DType::kUint8) {
    for (uint64_t v : load<uint64_t>(t)) r.q.push_back(static_cast<int64_t>(v));
  } else {
    r.q = load<int64_t>(t);
  }
  return r;
}

std::vector<float> floats(const ConstTensor& t) {
  std::vector<float> r;
  if (t.scale > 0) {
    for (int64_t q : integers(t).q) r.push_back(static_cast<float>(q) * t.scale);
  } else {
    for (double v : load<double>(t)) r.push_back(static_cast<float>(v));
  }
  return r;
}

void put_floats(const MutTensor& dst, const std::vector<float>& v) {
  std::copy(v.begin(), v.end(), static_cast<float*>(dst.data));
}

// store(v) of the contract, for values that are in units of q already.
void put_quantized(const MutTensor& dst, const std::vector<float>& v) {
  const bool has_sign = dst.dtype == DType::kInt8;
  const float lo = has_sign ? -127.0f : 0.0f;
  for (size_t i = 0; i < v.size(); ++i) {
    float x = v[i] > lo ? v[i] : lo;  // a NaN becomes lo
    x = x < 127.0f ? x : 127.0f;
    const auto q = static_cast<int>(std::nearbyint(x));
    if (has_sign) {
      static_cast<int8_t*>(dst.data)[i] = static_cast<int8_t>(q);
    } else {
      static_cast<uint8_t*>(dst.data)[i] = static_cast<uint8_t>(q);
    }
  }
}

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

// exp(x - top) as an integer 0..127.
float probability(float x, float top) {
  const float difference = x - top;
  const float d = difference > -16.0f ? difference : -16.0f;  // a NaN becomes -16
  const float t = d * 1.44269504f;
  const float n = std::nearbyint(t);
  const float r = t - n;
  float e = 1.21701658f;
  for (const float c : {7.10010529f, 30.5106049f, 88.0267715f, 127.0f}) {
    const float product = e * r;
    e = product + c;
  }
  return std::nearbyint(std::ldexp(e, static_cast<int>(n)));
}

Status attention(const Call& c) {
  const auto& a = c.op.as<ir::AttentionAttrs>();
  const IntTensor q = integers(c.in[0]), k = integers(c.in[1]), v = integers(c.in[2]);
  const auto qd = c.in[0].dims, vd = c.in[2].dims;
  const int64_t batch = qd[0], sq = qd[1], heads = qd[2], depth = qd[3], sk = vd[1], dv = vd[3];
  const MutTensor& dst = c.out[0];
  const auto m = static_cast<float>(static_cast<double>(q.scale) * static_cast<double>(k.scale) *
                                    static_cast<double>(a.scale));
  const auto value_scale =
      dst.scale > 0
          ? static_cast<float>(static_cast<double>(v.scale) / static_cast<double>(dst.scale))
          : v.scale;
  std::vector<float> mask;
  if (a.has_mask) {
    const std::vector<float> given = floats(c.in[3]);
    const int64_t dims[] = {batch, heads, sq, sk};
    mask.resize(static_cast<size_t>(elems(dims)));
    walk(dims, broadcast_strides(c.in[3].dims, dims), 0, [&](int64_t i, int64_t o) {
      mask[static_cast<size_t>(i)] = given[static_cast<size_t>(o)];
    });
  }
  std::vector<float> result(static_cast<size_t>(elems(dst.dims)), 0.0f);
  std::vector<float> x(static_cast<size_t>(sk));
  for (int64_t row = 0; sk > 0 && row < batch * heads * sq; ++row) {
    const int64_t i = row % sq, h = row / sq % heads, b = row / sq / heads;
    float top = -std::numeric_limits<float>::infinity();
    for (int64_t j = 0; j < sk; ++j) {
      int64_t sum = 0;
      for (int64_t e = 0; e < depth; ++e)
        sum += q.q[static_cast<size_t>(((b * sq + i) * heads + h) * depth + e)] *
               k.q[static_cast<size_t>(((b * sk + j) * heads + h) * depth + e)];
      float& score = x[static_cast<size_t>(j)];
      score = static_cast<float>(sum) * m;
      if (a.has_mask) score += mask[static_cast<size_t>(row * sk + j)];
      if (score > top) top = score;
    }
    std::vector<int64_t> sums(static_cast<size_t>(dv), 0);
    int64_t total = 0;
    for (int64_t j = 0; j < sk; ++j) {
      const auto p = static_cast<int64_t>(probability(x[static_cast<size_t>(j)], top));
      total += p;
      for (int64_t e = 0; e < dv; ++e)
        sums[static_cast<size_t>(e)] +=
            p * v.q[static_cast<size_t>(((b * sk + j) * heads + h) * dv + e)];
    }
    const float factor = value_scale / static_cast<float>(total);
    for (int64_t e = 0; e < dv; ++e)
      result[static_cast<size_t>(((b * sq + i) * heads + h) * dv + e)] =
          static_cast<float>(sums[static_cast<size_t>(e)]) * factor;
  }
  if (dst.scale > 0) {
    put_quantized(dst, result);
  } else {
    put_floats(dst, result);
  }
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
      return attention(c);
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
