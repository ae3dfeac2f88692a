// Attention over quantized tensors, step by step as ir/quantized.h fixes it.
#include <cmath>
#include <limits>

#include "reference/quantized_values.h"

namespace graft::reference {

namespace {

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

}  // namespace

Status evaluate_quantized_attention(const Call& c) {
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

}  // namespace graft::reference
