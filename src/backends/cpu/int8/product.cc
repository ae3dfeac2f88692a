#include "backends/cpu/int8/product.h"

#include <algorithm>
#include <cmath>

#include "backends/cpu/common/rounding.h"
#include "backends/cpu/gemm/compute_select.h"
#include "backends/cpu/tiles/permission.h"
#include "ir/quantized.h"

namespace graft::cpu {
namespace {

constexpr int64_t kTileBytes = int64_t{kInt8TileSteps} * kInt8Step;

bool int8_or_uint8(DType t) { return t == DType::kInt8 || t == DType::kUint8; }

}  // namespace

Int8Isa int8_isa_of(const ir::Target& target) {
  if (target.isa >= ir::Isa::kAmx && amx_permitted())
    return {isa_amx::int8_table(), isa_avx512::int8_finish()};
  if (target.isa >= ir::Isa::kAvx512Vnni)
    return {isa_avx512vnni::int8_table(), isa_avx512::int8_finish()};
  if (target.isa == ir::Isa::kAvx2 && target.avx_vnni)
    return {isa_avxvnni::int8_table(), isa_avx2::int8_finish()};
  if (target.isa >= ir::Isa::kAvx512) return {isa_avx512::int8_table(), isa_avx512::int8_finish()};
  if (target.isa >= ir::Isa::kAvx2) return {isa_avx2::int8_table(), isa_avx2::int8_finish()};
  return {isa_baseline::int8_table(), isa_baseline::int8_finish()};
}

const Int8Table& int8_weights_table(const Int8Isa& isa, const Int8Matrix& m, bool src_has_sign) {
  if (isa.table == isa_avx2::int8_table() && src_has_sign) return *isa_avx2::int8_words_table();
  // Measured: tiles of 64 terms and 32 columns lose where they are hardly filled, and where rows
  // are copied from many short taps.
  const int64_t tap_bytes = round_up(m.tap_k, kInt8Step);
  const bool short_runs = m.taps_are_runs && tap_bytes <= kInt8ShortTap &&
                          m.taps * m.tap_k * 4 >= round_up(m.taps * tap_bytes, kTileBytes) * 3;
  const bool fills_tiles =
      m.taps * m.tap_k > kTileBytes && m.n > 32 && (m.taps == 1 || m.tap_k >= 32 || short_runs);
  if (isa.table == isa_amx::int8_table() && !fills_tiles) return *isa_avx512vnni::int8_table();
  return *isa.table;
}

Int8Operand int8_operand(const Int8Isa& isa, int64_t k, int64_t n, bool left_has_sign) {
  Int8Matrix m;
  m.tap_k = k;
  m.n = n;
  return Int8Operand(int8_weights_table(isa, m, left_has_sign), k, n, left_has_sign);
}

Int8Product::Int8Product(const Problem& p) {
  if (const auto* conv = p.op->get_if<ir::ConvAttrs>()) {
    has_bias = conv->has_bias;
    has_residual = conv->has_residual;
    act = &conv->act;
  } else {
    const auto& matmul = p.op->as<ir::MatMulAttrs>();
    has_bias = matmul.has_bias;
    has_residual = matmul.has_residual;
    act = &matmul.act;
  }
  if (has_bias) bias = static_cast<const int32_t*>(p.constants[2].data);
  if (ir::has_weight_scales(*p.op, p.src.size()))
    scales = static_cast<const float*>(p.constants.back().data);
}

std::string int8_product_refusal(const Problem& p) {
  const Int8Product product(p);
  if (!ir::is_quantized(*p.src[0]) || !int8_or_uint8(p.src[0]->dtype)) return "src not quantized";
  if (product.has_bias && product.bias == nullptr) return "bias is not a constant";
  const bool has_scales = ir::has_weight_scales(*p.op, p.src.size());
  if (has_scales && product.scales == nullptr) return "scales of the weights are not a constant";
  if (has_scales == ir::is_quantized(*p.src[1])) return "weights have two scales, or none";
  const ir::TensorType& dst = *p.dst[0];
  const bool quantized = ir::is_quantized(dst);
  if (!quantized && dst.dtype != DType::kFloat) return "dst is " + dtype_name(dst.dtype);
  if (product.has_residual) {
    const ir::TensorType& r = *p.src[static_cast<size_t>(product.residual_index())];
    if (quantized != ir::is_quantized(r)) return "residual and dst are not both quantized";
    if (!quantized && r.dtype != DType::kFloat) return "residual is " + dtype_name(r.dtype);
  }
  Epilogue e;
  if (!to_epilogue(*product.act, &e) || (quantized && e.act != Act::kClamp))
    return std::string("can't fuse activation ") + name_of(product.act->fn);
  return "";
}

Int8Epilogue int8_epilogue(const Problem& p, const Int8Finish& finish, int64_t groups,
                           int64_t columns, int64_t padded_columns) {
  const Int8Product product(p);
  const ir::TensorType& dst = *p.dst[0];
  const bool quantized = ir::is_quantized(dst);
  const auto src_scale = static_cast<double>(p.src[0]->scale);
  const auto dst_scale = static_cast<double>(dst.scale);
  Int8Epilogue e;
  e.quantized = quantized;
  e.finish = quantized ? finish.to_quantized : finish.to_float;
  e.m.resize(static_cast<size_t>(groups * padded_columns));
  for (int64_t c = 0; c < groups * columns; ++c) {
    const double w = static_cast<double>(product.scales ? product.scales[c] : p.src[1]->scale);
    const double m = quantized ? src_scale * w / dst_scale : src_scale * w;
    e.m[static_cast<size_t>(c / columns * padded_columns + c % columns)] = static_cast<float>(m);
  }
  e.dst_elem_bytes = e.residual_elem_bytes = quantized ? 1 : 4;
  to_epilogue(*product.act, &e.act);
  if (!quantized) return e;
  if (product.has_residual) {
    const ir::TensorType& r = *p.src[static_cast<size_t>(product.residual_index())];
    e.residual_has_sign = r.dtype == DType::kInt8;
    e.residual_scale = static_cast<float>(static_cast<double>(r.scale) / dst_scale);
  }
  // The activation's bounds in units of dst, within those of its dtype.
  const float least = dst.dtype == DType::kInt8 ? -127.0f : 0.0f;
  const auto bound = [&](float x) { return std::min(std::max(x / dst.scale, least), 127.0f); };
  e.lo = bound(e.act.lo);
  e.hi = bound(e.act.hi);
  return e;
}

bool values_within_int32(const Int8Epilogue& e, const Int8Matrix& m, const int32_t* bias) {
  constexpr double kLargest = 127;
  const double product = kLargest * kLargest * static_cast<double>(m.taps * m.tap_k);
  const int64_t padded = static_cast<int64_t>(e.m.size()) / std::max<int64_t>(1, m.groups);
  const double residual = kLargest * static_cast<double>(e.residual_scale);
  for (int64_t c = 0; c < m.groups * m.n; ++c) {
    const double scale = static_cast<double>(e.m[static_cast<size_t>(c / m.n * padded + c % m.n)]);
    const double most =
        scale * (product + (bias ? std::abs(static_cast<double>(bias[c])) : 0)) + residual;
    // Half of int32, for the roundings on the way. False for a NaN too.
    if (!(most < 0x1p30)) return false;
  }
  return true;
}

}  // namespace graft::cpu
