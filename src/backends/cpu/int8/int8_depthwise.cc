// Depthwise convolution of quantized tensors, NHWC. A task is a range of output rows. Pixels whose
// taps all lie inside the image run together; the others one by one, with a pointer to zeros for
// each tap outside. More than one output channel for each input channel: the input rows are first
// written with their channels repeated.
#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "backends/cpu/common/pick_isa.h"
#include "backends/cpu/common/rounding.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/conv/conv_part.h"
#include "backends/cpu/conv/conv_problem.h"
#include "backends/cpu/int8/depthwise_kernels.h"
#include "backends/cpu/int8/depthwise_pack.h"
#include "backends/cpu/int8/depthwise_table.h"
#include "backends/cpu/int8/quantized_problem.h"
#include "backends/cpu/threads/parallel.h"

namespace graft::cpu {
namespace {

constexpr int64_t kMinTaskMacs = 200'000;
constexpr int64_t kMaxTaps = 256;
// Below it floats convert to int32.
constexpr float kIntLimit = 2e9f;

struct Bounds {
  float lo, hi;
};

// Of the activation in units of `scale`.
bool activation_bounds(const ir::Activation& act, float scale, Bounds* b) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  switch (act.fn) {
    case ir::UnaryFn::kIdentity:
      *b = {-kInf, kInf};
      return true;
    case ir::UnaryFn::kRelu:
      *b = {0.0f, kInf};
      return true;
    case ir::UnaryFn::kRelu6:
      *b = {0.0f, 6.0f / scale};
      return true;
    case ir::UnaryFn::kClip:
      *b = {act.alpha / scale, act.beta / scale};
      return b->lo <= b->hi;
    default:
      return false;
  }
}

// The widest blocks, unless half of the only one would be idle.
const Int8DepthwiseTable& table_for(ir::Isa isa, int64_t channels) {
  const Int8DepthwiseTable* wide = isa_avx512::int8_depthwise_table();
  if (channels <= wide->block / 2) wide = isa_avx2::int8_depthwise_table();
  return *pick_isa(isa, isa_baseline::int8_depthwise_table(), isa_avx2::int8_depthwise_table(),
                   wide);
}

struct DepthwisePlan8 {
  ConvShape shape;
  int64_t y_begin = 0, y_end = 0;  // output rows and columns whose taps all lie inside
  int64_t x_begin = 0, x_end = 0;
  int64_t rows_per_task = 1, tasks = 0;
  int workers = 1;
  int64_t worker_bytes = 0;  // repeated input rows
};

void inside_range(int64_t out, int64_t in, int64_t pad, int64_t stride, int64_t span,
                  int64_t* begin, int64_t* end) {
  *begin = std::min(out, (pad + stride - 1) / stride);
  const int64_t room = in - span + pad;
  *end = room < 0 ? *begin : std::clamp(room / stride + 1, *begin, out);
}

class Int8DepthwiseStep final : public Step, public ConvPartSource {
 public:
  explicit Int8DepthwiseStep(const Problem& p)
      : attrs_(p.op->as<ir::ConvAttrs>()),
        shape_(conv_shape(attrs_, p.constants[1].dims)),
        num_inputs_(static_cast<int>(p.src.size())),
        to_float_(p.dst[0]->dtype == DType::kFloat) {
    const Int8DepthwiseTable& table = table_for(p.target.isa, shape_.oc);
    run_ = table.run[p.src[0]->dtype == DType::kInt8][to_float_];
    activation_bounds(attrs_.act, to_float_ ? 1.0f : p.dst[0]->scale, &bounds_);
    if (!to_float_) {
      const float lowest = lowest_quantized(p.dst[0]->dtype);
      bounds_.hi = std::clamp(bounds_.hi, lowest, 127.0f);
      bounds_.lo = std::nearbyint(std::clamp(bounds_.lo, lowest, 127.0f));
    }
    if (attrs_.has_residual && !to_float_)
      residual_scale_ = static_cast<float>(
          static_cast<double>(p.src[static_cast<size_t>(residual_index())]->scale) /
          static_cast<double>(p.dst[0]->scale));
  }

  static Result<std::unique_ptr<Step>> create(const Problem& p) {
    auto step = std::make_unique<Int8DepthwiseStep>(p);
    const Int8DepthwiseTable& table = table_for(p.target.isa, step->shape_.oc);
    const auto* w = static_cast<const float*>(p.constants.back().data);
    std::vector<float> scale(static_cast<size_t>(step->shape_.oc));
    for (size_t c = 0; c < scale.size(); ++c) {
      const double real = static_cast<double>(p.src[0]->scale) * static_cast<double>(w[c]);
      scale[c] =
          static_cast<float>(step->to_float_ ? real : real / static_cast<double>(p.dst[0]->scale));
    }
    const void* bias = step->attrs_.has_bias ? p.constants[2].data : nullptr;
    GRAFT_ASSIGN_OR_RETURN(
        step->weights_,
        pack_int8_depthwise(step->shape_, table.block, p.src[0]->dtype == DType::kInt8,
                            static_cast<const int8_t*>(p.constants[1].data),
                            static_cast<const int32_t*>(bias), scale.data()));
    if (step->weights_.has_3x3 && !step->to_float_ && !step->attrs_.has_residual &&
        step->weights_.largest < kIntLimit && step->shape_.stride_w <= 2) {
      step->run_3x3_ = table.run_3x3[step->shape_.stride_w - 1];
    }
    step->zeros_.resize(static_cast<size_t>(std::max(step->shape_.oc, int64_t{64})));
    return std::unique_ptr<Step>(std::move(step));
  }

  std::string_view kernel_name() const override { return "conv_depthwise_int8"; }
  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    DepthwisePlan8 p = inside_of(concrete_conv_shape(attrs_, shape_, shapes.src[0], shapes.dst[0]));
    const ConvShape& s = p.shape;
    const int64_t rows = s.batch * s.oh;
    if (rows > 0 && s.ow > 0) {
      p.workers = std::max(1, shapes.threads);
      const int64_t macs = s.ow * s.oc * s.kh * s.kw;
      const int64_t least = std::max<int64_t>(1, kMinTaskMacs / macs);
      p.rows_per_task =
          std::min(rows, std::max(least, std::max<int64_t>(1, rows / (int64_t{p.workers} * 4))));
      p.tasks = (rows + p.rows_per_task - 1) / p.rows_per_task;
      if (s.oc != s.c) p.worker_bytes = align64(s.kh * s.w * s.oc);
    }
    return plan_of(p, static_cast<size_t>(p.worker_bytes * p.workers));
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte* scratch) const override {
    const auto& p = state_as<DepthwisePlan8>(state);
    const ConvShape& s = p.shape;
    const int64_t rows = s.batch * s.oh, image_bytes = s.h * s.w * s.c;
    const auto* residual =
        attrs_.has_residual ? static_cast<const std::byte*>(src[residual_index()]) : nullptr;
    const auto* first = static_cast<const int8_t*>(src[0]);
    auto* out = static_cast<std::byte*>(dst[0]);
    parallel_for(p.tasks, p.workers, [&](int64_t task, int worker) {
      const int64_t end = std::min(rows, (task + 1) * p.rows_per_task);
      auto* own = reinterpret_cast<int8_t*>(scratch + worker * p.worker_bytes);
      for (int64_t row = task * p.rows_per_task; row < end; ++row) {
        const Image image{first + row / s.oh * image_bytes, s.h, first + s.batch * image_bytes};
        const int64_t at = row * dst_row_bytes(s);
        row_of(p, image, row % s.oh, residual ? residual + at : nullptr, out + at, own);
      }
    });
  }

  ConvPart part() const override {
    ConvPart part;
    // One output for each channel: input rows are read where they are.
    part.kind = shape_.oc == shape_.c ? ConvPartKind::kDepthwise : ConvPartKind::kOther;
    part.attrs = &attrs_;
    part.shape = &shape_;
    part.inputs = num_inputs_;
    part.src_bytes = 1;
    part.dst_bytes = to_float_ ? 4 : 1;
    return part;
  }
  std::unique_ptr<backends::StepState> plan_rows(const ConvShape& shape) const override {
    return std::make_unique<StateOf<DepthwisePlan8>>(inside_of(shape));
  }
  void run_row(const backends::StepState& plan, const PartRows& rows, int64_t oy,
               void* dst) const override {
    const auto* first = reinterpret_cast<const int8_t*>(rows.first);
    row_of(state_as<DepthwisePlan8>(&plan),
           {first, rows.slots, first + rows.slots * rows.row_bytes}, oy, nullptr,
           static_cast<std::byte*>(dst), nullptr);
  }

  bool consumes_constant(int i) const override {
    return i == 1 || i == num_inputs_ - 1 || (i == 2 && attrs_.has_bias);
  }
  // Overlapping blocks of channels read the residual of channels that are stored already.
  bool may_run_in_place(int i) const override {
    return attrs_.has_residual && i == residual_index() &&
           (shape_.oc % weights_.block == 0 || shape_.oc < weights_.block);
  }
  size_t packed_bytes() const override { return weights_.bytes() + zeros_.size(); }

 private:
  // The rows of one image: row y at first + y % slots * w * c; bytes below `end` may be read.
  struct Image {
    const int8_t* first;
    int64_t slots;
    const int8_t* end;
  };

  int residual_index() const { return 2 + attrs_.has_bias; }
  int64_t dst_row_bytes(const ConvShape& s) const { return s.ow * s.oc * (to_float_ ? 4 : 1); }

  static DepthwisePlan8 inside_of(const ConvShape& shape) {
    DepthwisePlan8 p;
    const ConvShape& s = p.shape = shape;
    if (s.batch * s.oh * s.ow == 0) return p;
    inside_range(s.oh, s.h, s.pad_top, s.stride_h, (s.kh - 1) * s.dilation_h + 1, &p.y_begin,
                 &p.y_end);
    inside_range(s.ow, s.w, s.pad_left, s.stride_w, (s.kw - 1) * s.dilation_w + 1, &p.x_begin,
                 &p.x_end);
    return p;
  }

  // Input rows of output row oy with every channel repeated, [kh, w, oc]; rows outside the image
  // are left as they are.
  void repeat_channels(const ConvShape& s, const int8_t* image, int64_t y0, int8_t* to) const {
    const int64_t multiplier = s.oc / s.c;
    for (int64_t ky = 0; ky < s.kh; ++ky) {
      const int64_t y = y0 + ky * s.dilation_h;
      if (y < 0 || y >= s.h) continue;
      const int8_t* from = image + y * s.w * s.c;
      int8_t* row = to + ky * s.w * s.oc;
      for (int64_t i = 0; i < s.w * s.c; ++i)
        for (int64_t m = 0; m < multiplier; ++m) *row++ = from[i];
    }
  }

  // Output row oy; residual (or null) and dst are that row.
  void row_of(const DepthwisePlan8& p, const Image& image, int64_t oy, const std::byte* residual,
              std::byte* dst, int8_t* own) const {
    const ConvShape& s = p.shape;
    const int64_t y0 = oy * s.stride_h - s.pad_top;
    const bool repeated = s.oc != s.c;
    if (repeated) repeat_channels(s, image.first, y0, own);
    const int8_t* lines[kMaxTaps];  // of each ky; null: outside
    for (int64_t ky = 0; ky < s.kh; ++ky) {
      const int64_t y = y0 + ky * s.dilation_h;
      const int64_t slot = y < image.slots ? y : y % image.slots;
      lines[ky] = y < 0 || y >= s.h ? nullptr
                  : repeated        ? own + ky * s.w * s.oc
                                    : image.first + slot * s.w * s.oc;
    }
    // Of 3x3, one row outside is any row inside under weights of 0.
    int64_t row_left_out = -1;
    if (run_3x3_ && y0 == -1 && s.h >= 2) row_left_out = 0;
    if (run_3x3_ && y0 >= 0 && y0 + 2 == s.h) row_left_out = 2;
    const int64_t variant = row_left_out < 0 ? 0 : row_left_out == 0 ? 1 : 2;
    const int8_t* taps[kMaxTaps + 1];
    Int8DepthwiseArgs args{};
    args.taps = taps;
    args.pairs = weights_.pairs;
    args.column_step = s.stride_w * s.oc;
    args.channels = s.oc;
    args.weights = weights_.weights.as<int8_t>() + variant * weights_.weights_variant;
    args.weights_block = weights_.weights_block;
    args.bias = weights_.bias.as<int32_t>();
    args.scale = weights_.scale.as<float>();
    args.offsets = weights_.offsets.as<int16_t>();
    args.offset_bias = weights_.offset_bias.as<int32_t>();
    args.fits = weights_.fits.data();
    args.residual_scale = residual_scale_;
    args.lo = bounds_.lo;
    args.hi = bounds_.hi;
    const int64_t elem_bytes = to_float_ ? 4 : 1;
    const auto run_columns = [&](int64_t x, int64_t cols) {
      const int64_t x0 = x * s.stride_w - s.pad_left;
      int64_t t = 0;
      for (auto [ky, kx] : weights_.taps) {
        if (ky == row_left_out) ky = 1;
        const int64_t at = x0 + kx * s.dilation_w;
        const bool inside = lines[ky] && at >= 0 && at < s.w;
        taps[t++] = inside ? lines[ky] + at * s.oc : zeros_.data();
      }
      const auto call = [&](int64_t first, int64_t n) {
        if (n == 0) return;
        args.cols = n;
        const int64_t pixel = first * s.oc * elem_bytes;
        args.dst = dst + pixel;
        args.residual = residual ? residual + pixel : nullptr;
        (run_3x3_ && n > 1 ? run_3x3_ : run_)(&args);
      };
      int64_t whole = 0;
      if (s.oc < weights_.block && !repeated) {
        // Pixels from which a block reaches past the end of src are few: the last ones.
        const int8_t* last = image.first;
        for (int64_t i = 0; i < t; ++i)
          if (taps[i] != zeros_.data()) last = std::max(last, taps[i]);
        const int64_t room = image.end - last - weights_.block;
        whole = room < 0 ? 0 : std::min(cols, room / args.column_step + 1);
      }
      args.whole_loads = true;
      call(x, whole);
      if (whole == cols) return;
      for (const int8_t*& tap : std::span(taps).first(static_cast<size_t>(t)))
        tap += whole * args.column_step;
      args.whole_loads = false;
      call(x + whole, cols - whole);
    };
    int64_t x = 0;
    const bool rows_inside = (oy >= p.y_begin && oy < p.y_end) || row_left_out >= 0;
    const int64_t last_column = (s.ow - 1) * s.stride_w - s.pad_left + 2;
    if (run_3x3_ && rows_inside && s.ow > 1 && s.pad_left <= 1 && last_column <= s.w) {
      // All pixels of the row at once.
      int64_t t = 0;
      for (const auto& [ky, kx] : weights_.taps)
        taps[t++] = lines[ky == row_left_out ? 1 : ky] + kx * s.oc;
      args.left_outside = s.pad_left == 1;
      args.right_outside = last_column == s.w;
      args.cols = s.ow;
      args.dst = dst;
      return run_3x3_(&args);
    }
    if (rows_inside && p.x_end > p.x_begin) {
      for (; x < p.x_begin; ++x) run_columns(x, 1);
      run_columns(x, p.x_end - p.x_begin);
      x = p.x_end;
    }
    for (; x < s.ow; ++x) run_columns(x, 1);
  }

  const ir::ConvAttrs attrs_;
  const ConvShape shape_;  // without batch, extents and pads
  int num_inputs_;
  bool to_float_;
  // 3x3 without residual; null: not.
  void (*run_3x3_)(const Int8DepthwiseArgs*) = nullptr;
  void (*run_)(const Int8DepthwiseArgs*);
  Bounds bounds_{};
  float residual_scale_ = 0;
  Int8DepthwiseWeights weights_;
  std::vector<int8_t> zeros_;  // a pixel outside the image
};

}  // namespace

std::string supports_int8_depthwise(const Problem& p) {
  const auto& attrs = p.op->as<ir::ConvAttrs>();
  if (!(p.src[0]->scale > 0)) return "src is not quantized";
  for (size_t i : {size_t{1}, p.src.size() - 1}) {
    if (p.constants[i].data == nullptr) return "weights or their scales are not constant";
  }
  if (attrs.has_bias && p.constants[2].data == nullptr) return "bias is not a constant";
  const auto dims = p.constants[1].dims;
  // One input channel in one group is an ordinary convolution, which has more reuse.
  if (dims.size() != 4 || dims[2] != 1 || attrs.groups <= 1) return "not depthwise";
  if (dims[0] * dims[1] > kMaxTaps) return "more than 256 taps";
  Bounds bounds;
  if (!activation_bounds(attrs.act, 1.0f, &bounds))
    return std::string("can't fuse activation ") + name_of(attrs.act.fn);
  return "";
}

Result<std::unique_ptr<Step>> create_int8_depthwise(const Problem& problem) {
  return Int8DepthwiseStep::create(problem);
}

}  // namespace graft::cpu
