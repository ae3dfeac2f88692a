// Which family serves which op. Ops without a family (views, shapes) have an empty list: the
// engine runs them itself or the reference does.
#include <algorithm>

#include "backends/cpu/kernel_list.h"
#include "ir/quantized.h"

namespace graft::cpu {

std::span<const KernelEntry> kernels_of(ir::OpKind kind) {
  using ir::OpKind;
  switch (kind) {
    case OpKind::kUnary:
      return unary_kernels();
    case OpKind::kBitcast:
      return bitcast_kernels();
    case OpKind::kBinary:
      return binary_kernels();
    case OpKind::kSelect:
      return select_kernels();
    case OpKind::kCast:
      return cast_kernels();
    case OpKind::kAffine:
      return affine_kernels();
    case OpKind::kConv:
      return conv_kernels();
    case OpKind::kMatMul:
      return matmul_kernels();
    case OpKind::kPool:
      return pool_kernels();
    case OpKind::kPoolArgmax:
      return pool_argmax_kernels();
    case OpKind::kDilation2D:
      return dilation_kernels();
    case OpKind::kReduce:
      return reduce_kernels();
    case OpKind::kArgReduce:
      return arg_reduce_kernels();
    case OpKind::kSoftmax:
      return softmax_kernels();
    case OpKind::kLayerNorm:
      return layer_norm_kernels();
    case OpKind::kAttention:
      return attention_kernels();
    case OpKind::kFakeQuant:
      return fake_quant_kernels();
    case OpKind::kTranspose:
      return transpose_kernels();
    case OpKind::kConcat:
    case OpKind::kPack:
      return concat_kernels();
    case OpKind::kSplit:
    case OpKind::kUnpack:
      return split_kernels();
    case OpKind::kStridedSlice:
    case OpKind::kSlice:
      return slice_kernels();
    case OpKind::kPad:
      return pad_kernels();
    case OpKind::kGather:
      return gather_kernels();
    case OpKind::kGatherNd:
    case OpKind::kScatterNd:
      return nd_kernels();
    case OpKind::kScan:
      return scan_kernels();
    case OpKind::kTopK:
      return top_k_kernels();
    case OpKind::kTile:
    case OpKind::kBroadcastTo:
    case OpKind::kFill:
    case OpKind::kRange:
    case OpKind::kOneHot:
      return tile_kernels();
    case OpKind::kResize:
    case OpKind::kDepthToSpace:
      return resize_kernels();
    case OpKind::kNonMaxSuppression:
      return nms_kernels();
    case OpKind::kCombinedNonMaxSuppression:
      return combined_nms_kernels();
    case OpKind::kCropAndResize:
      return crop_and_resize_kernels();
    case OpKind::kRecurrent:
      return recurrent_kernels();
    case OpKind::kFft:
      return fft_kernels();
    case OpKind::kComplex:
      return complex_kernels();
    case OpKind::kReshape:
    case OpKind::kExpandDims:
    case OpKind::kSqueeze:
    case OpKind::kShape:
    case OpKind::kQuantize:
    case OpKind::kWhile:
    case OpKind::kBranch:
    case OpKind::kCount:
      return {};
  }
  return {};
}

std::span<const KernelEntry> quantized_kernels_of(ir::OpKind kind) {
  using ir::OpKind;
  switch (kind) {
    case OpKind::kQuantize:
      return quantize_kernels();
    case OpKind::kConv:
      return int8_conv_kernels();
    case OpKind::kMatMul:
      return int8_matmul_kernels();
    case OpKind::kAttention:
      return int8_attention_kernels();
    case OpKind::kUnary:
      return int8_unary_kernels();
    case OpKind::kBinary:
      return int8_binary_kernels();
    case OpKind::kPool:
      return int8_pool_kernels();
    case OpKind::kReduce:
      return int8_reduce_kernels();
    default:
      return {};
  }
}

std::span<const KernelEntry> kernels_for(const Problem& problem) {
  const ir::OpKind kind = problem.op->kind();
  const auto quantized = [](const ir::TensorType* type) { return ir::is_quantized(*type); };
  const bool any = std::any_of(problem.src.begin(), problem.src.end(), quantized) ||
                   std::any_of(problem.dst.begin(), problem.dst.end(), quantized);
  return any && !ir::moves_quantized(kind) ? quantized_kernels_of(kind) : kernels_of(kind);
}

}  // namespace graft::cpu
