// Quantized tensors: int8 with |q| <= 127 or uint8 with q <= 127, symmetric, one scale a tensor
// (TensorType::scale); weights int8 with a scale for each output channel. What an op over them
// computes is fixed here to the bit, so that every kernel on every machine stores the same integer.
//
// Notation: s = scale of a tensor, inv = 1.0f / s of dst, lo = -127 (int8) or 0 (uint8). All steps
// in float32, each rounded once (no fused multiply-add), in the order written.
//   store(v)     = rint(min(max(v, lo), 127)), half to even; a NaN becomes lo.
//
// quantize       float src: store(x * inv). Quantized src: store((float(q) * s_src) * inv).
//                Without Op::quant the dst is float: float(q) * s_src.
// conv, matmul   src quantized, weights int8 constant, scales w [OC] the last input (float
//                constant, > 0), bias int32 in units of s_src * w. acc = sum of products + bias,
//                exact in int32.
//                Quantized dst: m[c] = float(double(s_src) * w[c] / s_dst),
//                  v = float(acc) * m[c]; a residual (quantized) adds float(r) * float(double(s_r)
//                  / s_dst) to v; then the activation: identity, relu, relu6 or clip, its bounds
//                  divided by s_dst (float); store(v).
//                Float dst: m[c] = float(double(s_src) * w[c]), v = float(acc) * m[c]; a residual
//                is
//                  float and added; any activation.
//                matmul of two quantized tensors: w = s of the second for all columns, no scales
//                input.
// attention      q, k, v quantized, mask float. Of a row: x = float(sum of q k) * m + mask (the
//                addition only with a mask), m = float(double(s_q) * s_k * scale). top = the
//                largest x, a NaN left out. The probability of a key is an integer p, 0..127, as
//                exp(x - top) is 0..1:
//                  d = max(x - top, -16), -16 instead of a NaN; t = d * 1.44269504f; n = rint(t);
//                  r = t - n; e = (((1.21701658f * r + 7.10010529f) * r + 30.5106049f) * r +
//                  88.0267715f) * r + 127; p = rint(e * 2^n).
//                v = float(sum of p v) * (m_v / float(sum of p)), both sums exact;
//                m_v = float(double(s_v) / s_dst) and store(v), or s_v and v where dst is float: a
//                NaN where all p are 0. Without keys dst is 0.
// pool           max: of the integers, scale and dtype of src. avg, and reduce mean: sum of the
//                integers in the window / over the axes (exact),
//                store(float(sum) * float(s_src / (double(s_dst) * count))).
// unary          a table: store(float(f(double(float(q) * s_src))) * inv).
// binary         add, sub, mul, max, min of two quantized tensors:
//                store(f(float(a) * s_a, float(b) * s_b) * inv).
// concat, pack   inputs of equal dtype and scale; movement ops keep dtype and scale. pad: its value
//                has src's dtype and is in units of q.
#pragma once

#include <span>

#include "ir/infer.h"

namespace graft::ir {

// Longest sum of products of a quantized conv or matmul: with |bias| <= kMaxQuantizedBias the
// accumulator stays within int32.
constexpr int64_t kMaxQuantizedTerms = int64_t{1} << 16;
constexpr int32_t kMaxQuantizedBias = int32_t{1} << 30;

bool is_quantized(const TensorType& type);
// Any of the op's data inputs or its dst is quantized.
bool is_quantized(const Op& op, std::span<const InferInput> inputs);
// Only moves elements: dst has dtype and scale of input 0.
bool moves_quantized(OpKind kind);
// Weights of a conv or matmul have their scales as last input.
bool has_weight_scales(const Op& op, size_t inputs);

}  // namespace graft::ir
