// Ordered kernel lists of the CPU backend: fastest first, the reference evaluator is always last.
// Adding a kernel = its own files and one line in the list of its op.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "backends/backend.h"

namespace graft::cpu {

using backends::Problem;
using backends::Step;

// "" = yes, else why not.
using SupportsFn = std::string (*)(const Problem&);
using CreateFn = Result<std::unique_ptr<Step>> (*)(const Problem&);

struct KernelEntry {
  const char* name;
  SupportsFn supports;
  CreateFn create;
};

// The list of an op kind, without the reference. Defined in lists.cc, which names every family's
// list:
std::span<const KernelEntry> kernels_of(ir::OpKind kind);
// The list for a problem with quantized tensors that does more than move them.
std::span<const KernelEntry> quantized_kernels_of(ir::OpKind kind);
// Which of the two serves the problem.
std::span<const KernelEntry> kernels_for(const Problem& problem);

// One per family, defined beside its kernels.
std::span<const KernelEntry> conv_kernels();
std::span<const KernelEntry> matmul_kernels();
std::span<const KernelEntry> unary_kernels();
std::span<const KernelEntry> bitcast_kernels();
std::span<const KernelEntry> binary_kernels();
std::span<const KernelEntry> select_kernels();
std::span<const KernelEntry> cast_kernels();
std::span<const KernelEntry> affine_kernels();
std::span<const KernelEntry> pool_kernels();
std::span<const KernelEntry> pool_argmax_kernels();
std::span<const KernelEntry> dilation_kernels();
std::span<const KernelEntry> reduce_kernels();
std::span<const KernelEntry> arg_reduce_kernels();
std::span<const KernelEntry> softmax_kernels();
std::span<const KernelEntry> layer_norm_kernels();
std::span<const KernelEntry> attention_kernels();
std::span<const KernelEntry> fake_quant_kernels();
std::span<const KernelEntry> transpose_kernels();
std::span<const KernelEntry> concat_kernels();  // Concat, Pack
std::span<const KernelEntry> split_kernels();   // Split, Unpack
std::span<const KernelEntry> slice_kernels();   // StridedSlice, Slice
std::span<const KernelEntry> pad_kernels();
std::span<const KernelEntry> gather_kernels();
std::span<const KernelEntry> nd_kernels();  // GatherNd, ScatterNd
std::span<const KernelEntry> scan_kernels();
std::span<const KernelEntry> top_k_kernels();
std::span<const KernelEntry> nms_kernels();
std::span<const KernelEntry> combined_nms_kernels();
std::span<const KernelEntry> crop_and_resize_kernels();
std::span<const KernelEntry> tile_kernels();    // Tile, BroadcastTo, Fill, Range, OneHot
std::span<const KernelEntry> resize_kernels();  // Resize, DepthToSpace
std::span<const KernelEntry> recurrent_kernels();
std::span<const KernelEntry> fft_kernels();
std::span<const KernelEntry> complex_kernels();

// Over quantized tensors.
std::span<const KernelEntry> quantize_kernels();
std::span<const KernelEntry> int8_conv_kernels();
std::span<const KernelEntry> int8_matmul_kernels();
std::span<const KernelEntry> int8_attention_kernels();
std::span<const KernelEntry> int8_unary_kernels();
std::span<const KernelEntry> int8_binary_kernels();
std::span<const KernelEntry> int8_pool_kernels();
std::span<const KernelEntry> int8_reduce_kernels();

}  // namespace graft::cpu
