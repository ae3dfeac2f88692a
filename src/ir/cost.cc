#include "ir/cost.h"

#include <cmath>

namespace graft::ir {

namespace {

double elems(std::span<const int64_t> dims) {
  double n = 1;
  for (int64_t d : dims) n *= static_cast<double>(d);
  return n;
}

double epilogue(const Activation& act, bool has_bias, bool has_residual) {
  return static_cast<double>((act.fn != UnaryFn::kIdentity) + has_bias + has_residual);
}

}  // namespace

double flops(const Op& op, std::span<const std::span<const int64_t>> src,
             std::span<const std::span<const int64_t>> dst) {
  if (src.empty() || dst.empty()) return 0;
  const double out = elems(dst[0]);
  switch (op.kind()) {
    case OpKind::kConv: {
      const auto& a = op.as<ConvAttrs>();
      if (src.size() < 2 || src[1].size() != 4) return 0;
      const double k = static_cast<double>(src[1][0]) * static_cast<double>(src[1][1]) *
                       static_cast<double>(src[1][2]);
      return out * (2 * k + epilogue(a.act, a.has_bias, a.has_residual));
    }
    case OpKind::kMatMul: {
      const auto& a = op.as<MatMulAttrs>();
      if (src[0].size() < 2) return 0;
      const double k = static_cast<double>(src[0][src[0].size() - (a.transpose_a ? 2 : 1)]);
      return out * (2 * k + epilogue(a.act, a.has_bias, a.has_residual));
    }
    case OpKind::kAttention: {
      if (src.size() < 3 || src[0].size() != 4 || src[1].size() != 4 || src[2].size() != 4)
        return 0;
      const double scores = elems(src[0]) / static_cast<double>(src[0][3] ? src[0][3] : 1) *
                            static_cast<double>(src[1][1]);
      return scores * (2 * static_cast<double>(src[0][3]) + 2 * static_cast<double>(src[2][3]) + 5);
    }
    case OpKind::kRecurrent: {
      if (src[0].size() != 3 || src.size() < 3) return 0;
      const double gates = elems(src[0]), units = static_cast<double>(src[1][0]);
      return gates * (2 * units + 5);  // the product; sum, activation, two for the state
    }
    case OpKind::kPool: {
      const auto& a = op.as<PoolAttrs>();
      if (a.ksize.size() != 2) return 0;
      return out * static_cast<double>(a.ksize[0]) * static_cast<double>(a.ksize[1]);
    }
    case OpKind::kReduce:
    case OpKind::kArgReduce:
      return elems(src[0]);
    case OpKind::kSoftmax:
      return 5 * out;  // max, subtract, exp, sum, divide
    case OpKind::kLayerNorm:
      return 8 * out;  // mean, variance, normalize, scale, shift
    case OpKind::kAffine:
      return out * (2 + epilogue(op.as<AffineAttrs>().act, false, false));
    case OpKind::kPoolArgmax: {
      const auto& a = op.as<PoolArgmaxAttrs>();
      if (a.ksize.size() != 2) return 0;
      return out * static_cast<double>(a.ksize[0]) * static_cast<double>(a.ksize[1]);
    }
    case OpKind::kDilation2D:
      if (src.size() < 2 || src[1].size() != 3) return 0;
      return 2 * out * static_cast<double>(src[1][0]) * static_cast<double>(src[1][1]);
    case OpKind::kFft: {
      const auto& a = op.as<FftAttrs>();
      // Elements of the side whose extent is the length: two of a complex number.
      const auto whole = a.fn == FftFn::kInverseReal ? dst[0] : src[0];
      if (a.axis < 0 || a.axis >= static_cast<int64_t>(whole.size())) return 0;
      const double n = static_cast<double>(whole[static_cast<size_t>(a.axis)]);
      return n > 1 ? 2.5 * elems(whole) * std::log2(n) : 0;
    }
    case OpKind::kComplex:
      return 3 * out;
    case OpKind::kResize: {
      const auto& a = op.as<ResizeAttrs>();
      if (a.method == ResizeMethod::kBicubic) return 14 * out;  // four taps a way
      if (a.method == ResizeMethod::kArea) return 2 * (out + elems(src[0]));
      return a.bilinear ? 6 * out : 0;
    }
    case OpKind::kCropAndResize:
      return op.as<CropAndResizeAttrs>().bilinear ? 6 * out : 0;
    case OpKind::kNonMaxSuppression:
    case OpKind::kCombinedNonMaxSuppression:
      return src.size() < 2 ? 0 : elems(src[1]);  // as if every score were only looked at
    case OpKind::kFakeQuant:
      return 5 * out;  // clamp, scale, round, scale back
    case OpKind::kScan:
    case OpKind::kTopK:
      return elems(src[0]);
    case OpKind::kUnary:
      return op.as<UnaryAttrs>().fn.fn == UnaryFn::kIdentity ? 0 : out;
    case OpKind::kBinary:
    case OpKind::kSelect:
    case OpKind::kCast:
      return out;
    default:
      return 0;
  }
}

}  // namespace graft::ir
