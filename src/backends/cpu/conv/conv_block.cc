#include "backends/cpu/conv/conv_block.h"

#include <algorithm>
#include <optional>

#include "backends/cpu/common/rounding.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/conv/conv_part.h"
#include "backends/cpu/conv/conv_problem.h"
#include "backends/cpu/conv/depthwise2d.h"
#include "backends/cpu/threads/parallel.h"

namespace graft::cpu {
namespace {

// Ring and depthwise rows of a task together; the rest of the second-level cache is for weights.
constexpr int64_t kCacheBytes = 320 << 10;
// Of quantized tensors, whose rows some kernels widen besides.
constexpr int64_t kInt8CacheBytes = 128 << 10;
// Tensors in between of fewer elements than this stay in the caches anyway.
constexpr int64_t kMinElems = 128 << 10;
// Weights of the 1x1 convolutions, which are read again for every few rows.
constexpr int64_t kMaxWeightsBytes = 256 << 10;
// Rows computed twice, of those that the image has: at most one in so many.
constexpr int64_t kMinRowsPerExtra = 10;
constexpr int64_t kTasksPerThread = 4;

struct BlockPlan {
  ConvShape expand, dw, project;  // the first and the last may be absent
  std::unique_ptr<backends::StepState> dw_rows;
  int64_t group_rows = 1;  // depthwise rows of a task
  int64_t groups = 0;      // of an image
  int64_t slots = 0;       // of the ring
  // Of each group: input rows that groups before it need; all_needed: the last ones too.
  std::vector<int64_t> needed_before;
  bool all_needed = false;
  int workers = 1;
  int64_t ring_bytes = 0, group_bytes = 0, worker_bytes = 0;
  int64_t row_bytes = 0, dw_row_bytes = 0;  // of src and dst of the depthwise convolution
  int64_t scratch_bytes() const { return worker_bytes * workers; }
};

// What a thread's ring holds: input rows below `ready` of the image, as far as the depthwise rows
// from `next_row` on need them.
struct RingState {
  int64_t image = -1, next_row = 0, ready = 0;
};
constexpr int64_t kStateBytes = 64;
static_assert(sizeof(RingState) <= kStateBytes);

struct Part : ConvPart {
  const ConvPartSource* source = nullptr;
};

struct Parts {
  std::optional<Part> expand, project;
  Part dw;
};

bool is_pointwise(const ConvPart& p) {
  const ConvShape& s = *p.shape;
  const bool padded =
      p.attrs->padding == ir::Padding::kExplicit &&
      std::any_of(p.attrs->pads.begin(), p.attrs->pads.end(), [](int64_t pad) { return pad != 0; });
  return p.kind == ConvPartKind::kProduct && s.kh == 1 && s.kw == 1 && s.stride_h == 1 &&
         s.stride_w == 1 && s.groups == 1 && !padded;
}

std::optional<Parts> parts_of(std::span<const backends::Step* const> steps) {
  Parts parts;
  bool have_dw = false;
  for (size_t i = 0; i < steps.size(); ++i) {
    const auto* source = dynamic_cast<const ConvPartSource*>(steps[i]);
    if (!source) return std::nullopt;
    const Part part{source->part(), source};
    if (part.attrs->has_residual && (!have_dw || i + 1 != steps.size())) return std::nullopt;
    if (part.kind == ConvPartKind::kDepthwise && !have_dw && !part.attrs->has_residual) {
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

class ConvBlock final : public backends::Step {
 public:
  explicit ConvBlock(const Parts& parts) : parts_(parts) {}

  std::string_view kernel_name() const override {
    return parts_.dw.src_bytes == 1 ? "conv_block_int8" : "conv_block_f32";
  }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    BlockPlan p;
    size_t src = 0, dst = 0;
    const auto concrete = [&](const Part& part) {
      const ConvShape s =
          concrete_conv_shape(*part.attrs, *part.shape, shapes.src[src], shapes.dst[dst]);
      src += static_cast<size_t>(part.inputs);
      ++dst;
      return s;
    };
    if (parts_.expand) p.expand = concrete(*parts_.expand);
    p.dw = concrete(parts_.dw);
    if (parts_.project) p.project = concrete(*parts_.project);
    if (!cut(p, shapes.threads)) return backends::StepPlan{};
    p.dw_rows = parts_.dw.source->plan_rows(p.dw);
    const auto scratch = static_cast<size_t>(p.scratch_bytes());
    return plan_of(std::move(p), scratch);
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte* scratch) const override {
    run_tasks(state, src, dst, scratch, nullptr);
  }
  bool shows_rows(const backends::StepState* state) const override {
    bool floats = true;
    for (const Part* part : present()) floats = floats && part->dst_bytes == 4;
    return floats && (!parts_.expand || state_as<BlockPlan>(state).all_needed);
  }
  void run_shown(const backends::StepState* state, const void* const* src, void* const* dst,
                 std::byte* scratch, backends::StepRows& rows) const override {
    run_tasks(state, src, dst, scratch, &rows);
  }

 private:
  std::vector<const Part*> present() const {
    std::vector<const Part*> all = {&parts_.dw};
    if (parts_.expand) all.push_back(&*parts_.expand);
    if (parts_.project) all.push_back(&*parts_.project);
    return all;
  }

  void run_tasks(const backends::StepState* state, const void* const* src, void* const* dst,
                 std::byte* scratch, backends::StepRows* shown) const {
    const BlockPlan& p = state_as<BlockPlan>(state);
    const std::byte* residual = nullptr;
    if (parts_.project && parts_.project->residual >= 0) {
      const int before = parts_.dw.inputs + (parts_.expand ? parts_.expand->inputs : 0);
      residual = static_cast<const std::byte*>(src[before + parts_.project->residual]);
    }
    const int last = (parts_.expand ? 1 : 0) + (parts_.project ? 1 : 0);
    const auto* image = static_cast<const std::byte*>(src[0]);
    auto* out = static_cast<std::byte*>(dst[last]);
    for (int worker = 0; worker < p.workers; ++worker)
      *state_of(scratch + worker * p.worker_bytes) = RingState();
    parallel_for(p.dw.batch * p.groups, p.workers, [&](int64_t task, int worker) {
      std::byte* own = scratch + worker * p.worker_bytes;
      run_task(p, task, image, residual, out, own, {shown, worker});
    });
  }

  // Where a task shows its rows; null: nowhere.
  struct Shown {
    backends::StepRows* to;
    int worker;
    void rows(size_t which, int64_t image, int64_t row, int64_t count,
              const std::byte* data) const {
      if (to && count > 0)
        to->rows(which, image, row, count, reinterpret_cast<const float*>(data), worker);
    }
  };

  static RingState* state_of(std::byte* scratch) { return reinterpret_cast<RingState*>(scratch); }

  int64_t weights_bytes() const {
    int64_t bytes = 0;
    for (const auto& part : {parts_.expand, parts_.project})
      bytes += part ? part->weights_bytes : 0;
    return bytes;
  }

  // Fills in how the work is cut; false: it should not be.
  bool cut(BlockPlan& p, int threads) const {
    const ConvShape& s = p.dw;
    if (s.batch * s.oh * s.ow * s.oc == 0 || s.h * s.w * s.c == 0) return false;
    const int64_t row_bytes = p.row_bytes = s.w * s.c * parts_.dw.src_bytes;
    const int64_t dw_row_bytes = p.dw_row_bytes = s.ow * s.oc * parts_.dw.dst_bytes;
    const int64_t between = (parts_.expand ? s.batch * s.h * s.w * s.c : 0) +
                            (parts_.project ? s.batch * s.oh * s.ow * s.oc : 0);
    const int64_t cache_bytes = parts_.dw.src_bytes == 1 ? kInt8CacheBytes : kCacheBytes;
    if (between < kMinElems || weights_bytes() > kMaxWeightsBytes) return false;
    p.workers = std::max(1, threads);
    // Neighbouring tasks mostly go to one thread, which then has their shared rows. Each thread's
    // first task computes them again, but where it begins an image.
    const int64_t parts = s.batch >= 2 * int64_t{p.workers}
                              ? 1
                              : std::min<int64_t>(s.oh, (p.workers + s.batch - 1) / s.batch);
    const int64_t shared = std::max<int64_t>(0, (s.kh - 1) * s.dilation_h + 1 - s.stride_h);
    if (parts_.expand && (parts - 1) * shared * kMinRowsPerExtra > s.h) return false;

    const int64_t window = (s.kh - 1) * s.dilation_h + 1;
    const auto slots = [&](int64_t rows) {
      return parts_.expand ? std::min(s.h, window + (rows - 1) * s.stride_h) : 0;
    };
    const auto bytes = [&](int64_t rows) {
      return slots(rows) * row_bytes + (parts_.project ? rows * dw_row_bytes : 0);
    };
    if (bytes(1) > cache_bytes) return false;
    // Enough tasks to even out threads that are late.
    const int64_t most = std::max<int64_t>(1, s.batch * s.oh / (kTasksPerThread * p.workers));
    while (p.group_rows < std::min(most, s.oh) && bytes(p.group_rows + 1) <= cache_bytes)
      ++p.group_rows;
    // Groups of nearly equal height.
    p.groups = (s.oh + p.group_rows - 1) / p.group_rows;
    p.group_rows = (s.oh + p.groups - 1) / p.groups;
    p.groups = (s.oh + p.group_rows - 1) / p.group_rows;
    int64_t needed = 0;
    for (int64_t oy = 0; oy < s.oh; ++oy) {
      if (oy % p.group_rows == 0) p.needed_before.push_back(needed);
      const RowRange r = depthwise_input_rows(s, oy);
      if (r.begin <= needed) needed = std::max(needed, r.end);
    }
    p.all_needed = needed == s.h;
    p.slots = slots(p.group_rows);
    p.ring_bytes = align64(p.slots * row_bytes);
    p.group_bytes = parts_.project ? align64(p.group_rows * dw_row_bytes) : 0;
    int64_t pixels_bytes = 0;
    if (parts_.expand) pixels_bytes = parts_.expand->source->pixels_scratch_bytes(p.slots * s.w);
    if (parts_.project) {
      pixels_bytes =
          std::max(pixels_bytes, parts_.project->source->pixels_scratch_bytes(p.group_rows * s.ow));
    }
    p.worker_bytes = kStateBytes + p.ring_bytes + p.group_bytes + align64(pixels_bytes);
    return true;
  }

  void run_task(const BlockPlan& p, int64_t task, const std::byte* src, const std::byte* residual,
                std::byte* dst, std::byte* scratch, const Shown& shown) const {
    const ConvShape& s = p.dw;
    RingState& state = *state_of(scratch);
    std::byte *ring = scratch + kStateBytes, *group = ring + p.ring_bytes,
              *pixels = group + p.group_bytes;
    const int64_t image = task / p.groups, oy = task % p.groups * p.group_rows;
    const int64_t oys = std::min(p.group_rows, s.oh - oy);
    if (state.image != image || state.next_row != oy) state.ready = 0;
    const int64_t src_row_bytes =
        parts_.expand ? s.w * p.expand.c * parts_.expand->src_bytes : p.row_bytes;
    src += image * s.h * src_row_bytes;
    const int64_t dst_row_bytes =
        parts_.project ? s.ow * p.project.oc * parts_.project->dst_bytes : p.dw_row_bytes;
    const PartRows rows = {parts_.expand ? ring : src, parts_.expand ? p.slots : s.h, p.row_bytes};
    if (parts_.expand) {
      RowRange need;
      for (int64_t i = 0; i < oys; ++i) {
        const RowRange r = depthwise_input_rows(s, oy + i);
        if (r.begin == r.end) continue;
        if (need.begin == need.end) need.begin = r.begin;
        need.end = r.end;
      }
      for (int64_t y = std::max(state.ready, need.begin); y < need.end;) {
        const int64_t slot = y % p.slots, n = std::min(need.end - y, p.slots - slot);
        parts_.expand->source->run_pixels(src + y * src_row_bytes, n * s.w, nullptr,
                                          ring + slot * p.row_bytes, pixels);
        // Rows that another group needed first are its to show.
        const int64_t own = std::max(y, p.needed_before[static_cast<size_t>(task % p.groups)]);
        shown.rows(0, image, own, y + n - own, ring + (slot + own - y) * p.row_bytes);
        y += n;
      }
      state = {image, oy + oys, std::max(state.ready, need.end)};
    }
    const int64_t at = (image * s.oh + oy) * dst_row_bytes;
    std::byte* dw_out = parts_.project ? group : dst + at;
    for (int64_t i = 0; i < oys; ++i)
      parts_.dw.source->run_row(*p.dw_rows, rows, oy + i, dw_out + i * p.dw_row_bytes);
    const size_t dw_step = parts_.expand ? 1 : 0;
    shown.rows(dw_step, image, oy, oys, dw_out);
    if (parts_.project) {
      parts_.project->source->run_pixels(group, oys * s.ow, residual ? residual + at : nullptr,
                                         dst + at, pixels);
      shown.rows(dw_step + 1, image, oy, oys, dst + at);
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
