// fft of float32: a unit is as many transforms as a vector has lanes. A real row of even length is
// transformed as half as many complex numbers, its pairs.
#include <algorithm>

#include "backends/cpu/common/pick_isa.h"
#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/split.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/spectral/fft_plan.h"

namespace graft::cpu {
namespace {

using ir::FftFn;

// Of one side: rows along the axis. Steps are in floats.
struct Side {
  int64_t extent = 0;
  int64_t elem_step = 0;   // between elements along the axis
  int64_t lane_step = 0;   // between neighbouring transforms of a unit
  int64_t outer_step = 0;  // from one outer index to the next
};

struct FftState {
  FftPlan plan;
  std::vector<float> weights;  // of a real row's pairs; empty: no such transform
  Side src, dst;
  int64_t length = 0, outer = 0, inner = 0, lanes = 0, workers = 1;
  int64_t buffer = 0;  // floats of one part of the cells

  // Along the last axis the lanes are rows, else columns.
  bool columns() const { return inner > 1; }
  int64_t blocks() const { return columns() ? (inner + lanes - 1) / lanes : 1; }
  int64_t units() const { return columns() ? outer * blocks() : (outer + lanes - 1) / lanes; }
};

// Cells of a unit that stay in the cache.
constexpr int64_t kCachedBytes = 512 << 10;

class FftStep final : public Step {
 public:
  explicit FftStep(const Problem& problem)
      : attrs_(problem.op->as<ir::FftAttrs>()),
        table_(pick_isa(problem.target.isa, isa_baseline::spectral_table(),
                        isa_avx2::spectral_table(), isa_avx512::spectral_table())) {}
  std::string_view kernel_name() const override { return "fft_f32"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    FftState s;
    const auto in = shapes.src[0], out = shapes.dst[0];
    const auto axis = static_cast<size_t>(attrs_.axis);
    const bool from_real = attrs_.fn == FftFn::kReal, to_real = attrs_.fn == FftFn::kInverseReal;
    s.length = to_real ? out[axis] : in[axis];
    if (from_real) {
      if (shapes.host[1].size() != 1) return internal_error("the length of fft is not known");
      s.length = shapes.host[1][0];
    }
    if (s.length > kMaxFftLength)
      return unsupported("fft of length " + std::to_string(s.length) + ", at most " +
                         std::to_string(kMaxFftLength) + " is supported");
    s.outer = elems_of(in.first(axis));
    s.inner = elems_of(in.subspan(axis + 1, in.size() - axis - (from_real ? 1 : 2)));
    s.src = side(s, in[axis], from_real ? 1 : 2);
    s.dst = side(s, out[axis], to_real ? 1 : 2);
    if (s.outer * s.inner * s.length == 0) return plan_of(std::move(s));
    const bool real = from_real || to_real, pairs = real && s.length % 2 == 0;
    s.plan = plan_fft(pairs ? s.length / 2 : s.length);
    if (pairs) s.weights = roots_of_unity(s.length, s.length / 4 + 1);
    choose_lanes(s, shapes.threads);
    const int64_t cells = s.plan.cells() + 1;
    s.buffer = (cells * s.lanes + 15) / 16 * 16;
    return plan_of(std::move(s), static_cast<size_t>(s.workers * 4 * s.buffer) * sizeof(float));
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte* scratch) const override {
    const auto& s = state_as<FftState>(state);
    if (s.outer * s.inner * s.length == 0) return;
    // Loading does not write.
    auto* x = const_cast<float*>(static_cast<const float*>(src[0]));
    auto* y = static_cast<float*>(dst[0]);
    const auto task = [&](int64_t u, int worker) {
      float* mine = reinterpret_cast<float*>(scratch) + worker * 4 * s.buffer;
      FftBuffers cells{mine, mine + s.buffer, mine + 2 * s.buffer, mine + 3 * s.buffer};
      const int64_t row = s.columns() ? u / s.blocks() : u * s.lanes;
      const int64_t column = s.columns() ? u % s.blocks() * s.lanes : 0;
      const int64_t left = s.columns() ? s.inner - column : s.outer - row;
      unit(s, x + row * s.src.outer_step + column * s.src.lane_step * s.columns(),
           y + row * s.dst.outer_step + column * s.dst.lane_step * s.columns(),
           std::min(s.lanes, left), cells);
    };
    parallel_for(s.units(), static_cast<int>(s.workers), task);
  }

 private:
  // `parts`: floats of a number.
  static Side side(const FftState& s, int64_t extent, int64_t parts) {
    Side to{extent, s.inner * parts, parts, extent * s.inner * parts};
    if (!s.columns()) to.lane_step = to.outer_step;
    return to;
  }

  void choose_lanes(FftState& s, int threads) const {
    const int64_t transforms = s.columns() ? s.inner : s.outer;
    const int64_t others = s.columns() ? s.outer : 1;
    s.lanes = table_->lanes;
    const int64_t cell_bytes = 4 * s.plan.cells() * int64_t{sizeof(float)};
    while (s.lanes > 4 && (cell_bytes * s.lanes > kCachedBytes ||
                           (transforms + s.lanes - 1) / s.lanes * others < threads))
      s.lanes /= 2;
    s.lanes = std::min(s.lanes, transforms);
    const int64_t work = s.outer * s.inner * s.length;
    s.workers = std::clamp<int64_t>(work / (kGrainElems / 2), 1, std::max(threads, 1));
    s.workers = std::min(s.workers, s.units());
  }

  void unit(const FftState& s, float* x, float* y, int64_t lanes, FftBuffers cells) const {
    switch (attrs_.fn) {
      case FftFn::kForward: {
        move(table_->load, x, cells, s.length, lanes, s.src);
        run_fft(s.plan, *table_, lanes, cells);
        return move(table_->store, y, cells, s.length, lanes, s.dst);
      }
      case FftFn::kInverse: {
        move(table_->load, x, cells, s.length, lanes, s.src);
        inverse(s, lanes, cells);
        return move(table_->store, y, cells, s.length, lanes, s.dst, 1.0 / double(s.length));
      }
      case FftFn::kReal:
        return forward_real(s, x, y, lanes, cells);
      default:
        return inverse_real(s, x, y, lanes, cells);
    }
  }

  void inverse(const FftState& s, int64_t lanes, FftBuffers& cells) const {
    FftBuffers swapped{cells.im, cells.re, cells.other_im, cells.other_re};
    run_fft(s.plan, *table_, lanes, swapped);
    cells = {swapped.im, swapped.re, swapped.other_im, swapped.other_re};
  }

  void forward_real(const FftState& s, float* x, float* y, int64_t lanes, FftBuffers cells) const {
    if (!s.weights.empty()) {
      move_pairs(table_->load, x, cells, s.length / 2, lanes, s.src);
      run_fft(s.plan, *table_, lanes, cells);
      const FftRealArgs args{cells.re, cells.im, s.length / 2, lanes, s.weights.data()};
      table_->split(&args);
    } else {
      move_reals(table_->load, x, cells, s.length, lanes, s.src);
      std::fill_n(cells.im, s.length * lanes, 0.0f);
      run_fft(s.plan, *table_, lanes, cells);
      std::fill_n(cells.im, lanes, 0.0f);  // a sum of real numbers
    }
    move(table_->store, y, cells, s.length / 2 + 1, lanes, s.dst);
  }

  void inverse_real(const FftState& s, float* x, float* y, int64_t lanes, FftBuffers cells) const {
    const int64_t half = s.length / 2;
    move(table_->load, x, cells, half + 1, lanes, s.src);
    const double scale = 1.0 / double(s.length);
    if (!s.weights.empty()) {
      const FftRealArgs args{cells.re, cells.im, half, lanes, s.weights.data()};
      table_->merge(&args);
      inverse(s, lanes, cells);
      return move_pairs(table_->store, y, cells, half, lanes, s.dst, scale);
    }
    std::fill_n(cells.im, lanes, 0.0f);
    for (int64_t k = 1; k <= half; ++k) {
      std::copy_n(cells.re + k * lanes, lanes, cells.re + (s.length - k) * lanes);
      std::transform(cells.im + k * lanes, cells.im + (k + 1) * lanes,
                     cells.im + (s.length - k) * lanes, [](float v) { return -v; });
    }
    inverse(s, lanes, cells);
    move_reals(table_->store, y, cells, s.length, lanes, s.dst, scale);
  }

  using Move = void (*)(const FftMoveArgs*);
  // Complex numbers.
  static void move(Move fn, float* memory, const FftBuffers& c, int64_t elems, int64_t lanes,
                   const Side& side, double scale = 1) {
    const FftMoveArgs args{memory,         c.re,  c.im,
                           elems,          lanes, side.elem_step,
                           side.lane_step, 1,     static_cast<float>(scale)};
    fn(&args);
  }
  // Real numbers, two of which are one complex number.
  static void move_pairs(Move fn, float* memory, const FftBuffers& c, int64_t elems, int64_t lanes,
                         const Side& side, double scale = 1) {
    const FftMoveArgs args{memory,         c.re,           c.im,
                           elems,          lanes,          2 * side.elem_step,
                           side.lane_step, side.elem_step, static_cast<float>(scale)};
    fn(&args);
  }
  static void move_reals(Move fn, float* memory, const FftBuffers& c, int64_t elems, int64_t lanes,
                         const Side& side, double scale = 1) {
    const FftMoveArgs args{memory,         c.re,  nullptr,
                           elems,          lanes, side.elem_step,
                           side.lane_step, 0,     static_cast<float>(scale)};
    fn(&args);
  }

  const ir::FftAttrs attrs_;
  const SpectralTable* table_;
};

std::string supports_fft(const Problem& problem) {
  return require_dtype(problem, 0, DType::kFloat);
}

constexpr KernelEntry kFft[] = {{"fft_f32", supports_fft, make_step<FftStep>}};

}  // namespace

std::span<const KernelEntry> fft_kernels() { return kFft; }

}  // namespace graft::cpu
