#include "backends/cpu/conv/conv_block.h"

#include <algorithm>
#include <optional>

#include "backends/cpu/common/step_util.h"
#include "backends/cpu/conv/conv_part.h"
#include "backends/cpu/conv/conv_problem.h"
#include "backends/cpu/conv/depthwise2d.h"
#include "backends/cpu/threads/parallel.h"

namespace graft::cpu {
namespace {

// Ring and depthwise rows of a task together; the rest of the second-level cache is for weights.
constexpr int64_t kCacheBytes = 320 << 10;
// Tensors in between of fewer bytes than this stay in the caches anyway.
constexpr int64_t kMinBytes = 512 << 10;
// Weights of the 1x1 convolutions, which are read again for every few rows.
constexpr int64_t kMaxWeightsBytes = 256 << 10;
// Rows computed twice, of those that the image has: at most one in so many.
constexpr int64_t kMinRowsPerExtra = 10;

int64_t align64(int64_t bytes) { return (bytes + 63) / 64 * 64; }

struct BlockPlan {
  ConvShape expand, project;  // the former's oc may be zero extents: absent
  DepthwisePlan dw;
  int64_t group_rows = 1;  // depthwise rows at a time
  int64_t slots = 0;       // of the ring
  int64_t rows_per_task = 1, row_tasks = 1, tasks = 0;
  int workers = 1;
  int64_t ring_bytes = 0, group_bytes = 0, worker_bytes = 0;
  int64_t scratch_bytes() const { return worker_bytes * workers; }
};

struct Parts {
  std::optional<ConvPart> expand, project;
  ConvPart dw;
};

bool is_pointwise(const ConvPart& p) {
  const ConvShape& s = *p.shape;
  const bool padded =
      p.attrs->padding == ir::Padding::kExplicit &&
      std::any_of(p.attrs->pads.begin(), p.attrs->pads.end(), [](int64_t pad) { return pad != 0; });
  return p.igemm && s.kh == 1 && s.kw == 1 && s.stride_h == 1 && s.stride_w == 1 && s.groups == 1 &&
         !padded;
}

bool has_fixed_bias(const ConvPart& p) { return !p.attrs->has_bias || p.bias; }

std::optional<Parts> parts_of(std::span<const backends::Step* const> steps) {
  Parts parts;
  bool have_dw = false;
  for (size_t i = 0; i < steps.size(); ++i) {
    const auto* source = dynamic_cast<const ConvPartSource*>(steps[i]);
    if (!source) return std::nullopt;
    const ConvPart part = source->part();
    if (!has_fixed_bias(part)) return std::nullopt;
    if (part.attrs->has_residual && (!have_dw || i + 1 != steps.size())) return std::nullopt;
    if (part.depthwise && !have_dw && !part.attrs->has_residual) {
      parts.dw = part;
      have_dw = true;
    } else if (is_pointwise(part) && i == 0) {
      parts.expand = part;
    } else if (is_pointwise(part) && have_dw && i + 1 == steps.size()) {
      parts.project = part;
    } else {
      return std::nullopt;
    }
  }
  if (!have_dw || steps.size() < 2) return std::nullopt;
  return parts;
}

// A 1x1 convolution of `rows` dense pixels.
void run_pixels(const ConvPart& part, const float* src, int64_t rows, const float** pointers,
                const float* residual, float* dst) {
  const int64_t k = part.shape->c;
  for (int64_t i = 0; i < rows; ++i) pointers[i] = src + i * k;
  IgemmBlock b;
  b.table = part.table;
  b.panels = part.igemm->panels;
  b.packed = part.igemm->packed.as<float>();
  b.taps = 1;
  b.tap_k = k;
  b.rows = pointers;
  b.row_stride = b.num_rows = rows;
  b.bias = part.bias;
  b.residual = residual;
  b.ldr = b.ldd = part.shape->oc;
  b.dst = dst;
  b.epilogue = part.epilogue;
  run_igemm_block(b, 0, b.panels.count);
}

class ConvBlock final : public backends::Step {
 public:
  explicit ConvBlock(const Parts& parts) : parts_(parts) {}

  std::string_view kernel_name() const override { return "conv_block_f32"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    BlockPlan p;
    size_t src = 0, dst = 0;
    const auto concrete = [&](const ConvPart& part) {
      const ConvShape s =
          concrete_conv_shape(*part.attrs, *part.shape, shapes.src[src], shapes.dst[dst]);
      src += static_cast<size_t>(part.inputs);
      ++dst;
      return s;
    };
    if (parts_.expand) p.expand = concrete(*parts_.expand);
    p.dw = plan_depthwise(concrete(parts_.dw), shapes.threads);
    if (parts_.project) p.project = concrete(*parts_.project);
    if (!cut(p, shapes.threads)) return backends::StepPlan{};
    const auto scratch = static_cast<size_t>(p.scratch_bytes());
    return plan_of(std::move(p), scratch);
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte* scratch) const override {
    const BlockPlan& p = state_as<BlockPlan>(state);
    const float* residual = nullptr;
    int inputs = parts_.dw.inputs + (parts_.expand ? parts_.expand->inputs : 0);
    if (parts_.project) inputs += parts_.project->inputs;
    if (parts_.project && parts_.project->attrs->has_residual)
      residual = static_cast<const float*>(src[inputs - 1]);
    const int last = (parts_.expand ? 1 : 0) + (parts_.project ? 1 : 0);
    const auto* image = static_cast<const float*>(src[0]);
    auto* out = static_cast<float*>(dst[last]);
    parallel_for(p.tasks, p.workers, [&](int64_t task, int worker) {
      run_task(p, task, image, residual, out, scratch + worker * p.worker_bytes);
    });
  }

 private:
  int64_t weights_bytes() const {
    int64_t bytes = 0;
    for (const auto& part : {parts_.expand, parts_.project})
      bytes += part ? static_cast<int64_t>(part->igemm->packed.size()) : 0;
    return bytes;
  }

  // Fills in how the work is cut; false: it should not be.
  bool cut(BlockPlan& p, int threads) const {
    const ConvShape& s = p.dw.shape;
    if (s.batch * s.oh * s.ow * s.oc == 0 || s.h * s.w * s.c == 0) return false;
    const int64_t row_bytes = s.w * s.c * int64_t{sizeof(float)};
    const int64_t dw_row_bytes = s.ow * s.oc * int64_t{sizeof(float)};
    const int64_t between = (parts_.expand ? s.batch * s.h * row_bytes : 0) +
                            (parts_.project ? s.batch * s.oh * dw_row_bytes : 0);
    if (between < kMinBytes || weights_bytes() > kMaxWeightsBytes) return false;
    p.workers = std::max(1, threads);
    // Whole images if there are enough of them, else as few rows twice as may be.
    p.row_tasks = s.batch >= 2 * int64_t{p.workers}
                      ? 1
                      : std::min<int64_t>(s.oh, (p.workers + s.batch - 1) / s.batch);
    const int64_t shared = std::max<int64_t>(0, (s.kh - 1) * s.dilation_h + 1 - s.stride_h);
    const auto extra = [&](int64_t tasks) { return parts_.expand ? (tasks - 1) * shared : 0; };
    if (extra(p.row_tasks) * kMinRowsPerExtra > s.h) return false;
    // More tasks even out threads that are late.
    while (p.row_tasks * s.batch < 4 * int64_t{p.workers} && p.row_tasks * 2 <= s.oh &&
           extra(p.row_tasks * 2) * 3 * kMinRowsPerExtra <= s.h)
      p.row_tasks *= 2;
    p.rows_per_task = (s.oh + p.row_tasks - 1) / p.row_tasks;
    p.row_tasks = (s.oh + p.rows_per_task - 1) / p.rows_per_task;
    p.tasks = p.row_tasks * s.batch;

    const int64_t window = (s.kh - 1) * s.dilation_h + 1;
    const auto slots = [&](int64_t rows) {
      return parts_.expand ? std::min(s.h, window + (rows - 1) * s.stride_h) : 0;
    };
    const auto bytes = [&](int64_t rows) {
      return slots(rows) * row_bytes + (parts_.project ? rows * dw_row_bytes : 0);
    };
    if (bytes(1) > kCacheBytes) return false;
    p.group_rows = 1;
    while (p.group_rows < p.rows_per_task && bytes(p.group_rows + 1) <= kCacheBytes) ++p.group_rows;
    // Groups of nearly equal height.
    const int64_t groups = (p.rows_per_task + p.group_rows - 1) / p.group_rows;
    p.group_rows = (p.rows_per_task + groups - 1) / groups;
    p.slots = slots(p.group_rows);
    p.ring_bytes = align64(p.slots * row_bytes);
    p.group_bytes = parts_.project ? align64(p.group_rows * dw_row_bytes) : 0;
    const int64_t pointers = std::max(p.slots * s.w, p.group_rows * s.ow);
    p.worker_bytes = p.ring_bytes + p.group_bytes + align64(pointers * int64_t{sizeof(float*)});
    return true;
  }

  void run_task(const BlockPlan& p, int64_t task, const float* src, const float* residual,
                float* dst, std::byte* scratch) const {
    const ConvShape& s = p.dw.shape;
    auto* ring = reinterpret_cast<float*>(scratch);
    auto* group = reinterpret_cast<float*>(scratch + p.ring_bytes);
    auto** pointers = reinterpret_cast<const float**>(scratch + p.ring_bytes + p.group_bytes);
    const int64_t image = task / p.row_tasks;
    const int64_t end = std::min(s.oh, (task % p.row_tasks + 1) * p.rows_per_task);
    const int64_t src_channels = parts_.expand ? p.expand.c : s.c;
    src += image * s.h * s.w * src_channels;
    const int64_t dst_channels = parts_.project ? p.project.oc : s.oc;
    const ImageRows rows = parts_.expand ? ImageRows{ring, p.slots} : ImageRows{src, s.h};
    int64_t ready = 0;  // input rows below this one are in the ring, or no longer needed
    for (int64_t oy = task % p.row_tasks * p.rows_per_task; oy < end; oy += p.group_rows) {
      const int64_t oys = std::min(p.group_rows, end - oy);
      if (parts_.expand) {
        RowRange need;
        for (int64_t i = 0; i < oys; ++i) {
          const RowRange r = depthwise_input_rows(s, oy + i);
          if (r.begin == r.end) continue;
          if (need.begin == need.end) need.begin = r.begin;
          need.end = r.end;
        }
        for (int64_t y = std::max(ready, need.begin); y < need.end;) {
          const int64_t slot = y % p.slots, n = std::min(need.end - y, p.slots - slot);
          run_pixels(*parts_.expand, src + y * s.w * src_channels, n * s.w, pointers, nullptr,
                     ring + slot * s.w * s.c);
          y += n;
        }
        ready = std::max(ready, need.end);
      }
      const int64_t pixel = (image * s.oh + oy) * s.ow;
      float* out = dst + pixel * dst_channels;
      float* dw_out = parts_.project ? group : out;
      for (int64_t i = 0; i < oys; ++i) {
        run_depthwise_row(*parts_.dw.table, p.dw, parts_.dw.depthwise, rows, oy + i, parts_.dw.bias,
                          nullptr, *parts_.dw.epilogue, dw_out + i * s.ow * s.oc);
      }
      if (parts_.project) {
        run_pixels(*parts_.project, group, oys * s.ow, pointers,
                   residual ? residual + pixel * dst_channels : nullptr, out);
      }
    }
  }

  const Parts parts_;
};

}  // namespace

std::unique_ptr<backends::Step> fuse_conv_block(std::span<const backends::Step* const> steps) {
  const std::optional<Parts> parts = parts_of(steps);
  if (!parts) return nullptr;
  return std::make_unique<ConvBlock>(*parts);
}

}  // namespace graft::cpu
