// Pad of any dtype, constant and mirrored. A task is a range of destination rows; a row covers the
// last padded axis and everything inside it.
#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/split.h"
#include "backends/cpu/movement/copy_step.h"

namespace graft::cpu {
namespace {

struct PadPlan {
  int64_t rows = 0;  // product of dst extents before `axis`
  int axis = 0;      // of the row
  int64_t src_dims[kMaxDims] = {}, dst_dims[kMaxDims] = {}, before[kMaxDims] = {};
  int64_t inner_bytes = 0;  // of one index of the row's axis
};

// Source index under dst index i, -1 outside (constant mode).
int64_t source_index(ir::PadMode mode, int64_t i, int64_t extent) {
  if (i >= 0 && i < extent) return i;
  if (mode == ir::PadMode::kConstant) return -1;
  const int64_t edge = mode == ir::PadMode::kSymmetric ? 1 : 0;
  return i < 0 ? -i - edge : 2 * extent - 2 - i + edge;
}

class PadStep final : public Step {
 public:
  explicit PadStep(const Problem& problem)
      : mode_(problem.op->as<ir::PadAttrs>().mode),
        has_value_(problem.src.size() == 3),
        elem_bytes_(elem_bytes_of(problem)) {}
  std::string_view kernel_name() const override { return "pad"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    const auto src = shapes.src[0], dst = shapes.dst[0], pads = shapes.host[1];
    if (pads.size() != 2 * src.size()) return unsupported("pad: paddings are not known");
    PadPlan p;
    for (size_t d = 0; d < src.size(); ++d) {
      p.src_dims[d] = src[d];
      p.dst_dims[d] = dst[d];
      p.before[d] = pads[2 * d];
      if (pads[2 * d] != 0 || pads[2 * d + 1] != 0) p.axis = static_cast<int>(d);
    }
    if (src.empty()) p.src_dims[0] = p.dst_dims[0] = 1;
    const auto axis = static_cast<size_t>(p.axis);
    p.rows = elems_of(dst.first(axis));
    p.inner_bytes = elem_bytes_;
    for (size_t d = axis + 1; d < src.size(); ++d) p.inner_bytes *= src[d];
    return plan_of(p);
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    const auto& p = state_as<PadPlan>(state);
    const int64_t row_bytes = p.dst_dims[p.axis] * p.inner_bytes;
    if (p.rows * row_bytes == 0) return;
    const auto* from = static_cast<const std::byte*>(src[0]);
    auto* to = static_cast<std::byte*>(dst[0]);
    constexpr std::byte kZero[8] = {};
    const void* value = has_value_ ? src[2] : kZero;
    parallel_ranges(p.rows, kGrainElems * 4 / row_bytes, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) pad_row(p, r, from, to + r * row_bytes, value);
    });
  }

 private:
  void fill(std::byte* dst, const void* value, int64_t bytes) const {
    fill_elems(dst, value, elem_bytes_, bytes / elem_bytes_);
  }

  void pad_row(const PadPlan& p, int64_t row, const std::byte* src, std::byte* dst,
               const void* value) const {
    const int64_t n = p.dst_dims[p.axis], extent = p.src_dims[p.axis], before = p.before[p.axis];
    int64_t offset = 0, step = 1;
    for (int d = p.axis - 1; d >= 0; --d) {
      const int64_t i = source_index(mode_, row % p.dst_dims[d] - p.before[d], p.src_dims[d]);
      if (i < 0) return fill(dst, value, n * p.inner_bytes);
      row /= p.dst_dims[d];
      offset += i * step;
      step *= p.src_dims[d];
    }
    src += offset * extent * p.inner_bytes;
    if (mode_ == ir::PadMode::kConstant) {
      fill(dst, value, before * p.inner_bytes);
    } else {
      for (int64_t i = 0; i < before; ++i) mirror(p, i, src, dst);
    }
    copy_bytes(dst + before * p.inner_bytes, src, extent * p.inner_bytes);
    const int64_t after = before + extent;
    if (mode_ == ir::PadMode::kConstant) {
      fill(dst + after * p.inner_bytes, value, (n - after) * p.inner_bytes);
    } else {
      for (int64_t i = after; i < n; ++i) mirror(p, i, src, dst);
    }
  }

  void mirror(const PadPlan& p, int64_t i, const std::byte* src, std::byte* dst) const {
    const int64_t from = source_index(mode_, i - p.before[p.axis], p.src_dims[p.axis]);
    copy_bytes(dst + i * p.inner_bytes, src + from * p.inner_bytes, p.inner_bytes);
  }

  ir::PadMode mode_;
  bool has_value_;
  int64_t elem_bytes_;
};

std::string supports_pad(const Problem& problem) { return require_movable(problem); }

constexpr KernelEntry kPad[] = {{"pad", supports_pad, make_step<PadStep>}};

}  // namespace

std::span<const KernelEntry> pad_kernels() { return kPad; }

}  // namespace graft::cpu
