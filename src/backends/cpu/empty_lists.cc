// Families that have no kernels of their own: the reference answers.
#include "backends/cpu/kernel_list.h"

namespace graft::cpu {

std::span<const KernelEntry> pool_kernels() { return {}; }
std::span<const KernelEntry> reduce_kernels() { return {}; }
std::span<const KernelEntry> arg_reduce_kernels() { return {}; }
std::span<const KernelEntry> softmax_kernels() { return {}; }
std::span<const KernelEntry> layer_norm_kernels() { return {}; }
std::span<const KernelEntry> attention_kernels() { return {}; }
std::span<const KernelEntry> transpose_kernels() { return {}; }
std::span<const KernelEntry> concat_kernels() { return {}; }
std::span<const KernelEntry> split_kernels() { return {}; }
std::span<const KernelEntry> slice_kernels() { return {}; }
std::span<const KernelEntry> pad_kernels() { return {}; }
std::span<const KernelEntry> gather_kernels() { return {}; }
std::span<const KernelEntry> tile_kernels() { return {}; }
std::span<const KernelEntry> resize_kernels() { return {}; }

}  // namespace graft::cpu
