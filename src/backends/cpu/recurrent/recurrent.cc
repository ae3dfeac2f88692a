// Recurrent layers, float32: the steps one after another. Threads share the rows of the batch, of
// which none waits for another; where they are few, the units of a step.
//
// A task of the pool that shares units takes part in all steps: it claims blocks of units, waits
// until every block of the step (of either half of a step of kGru) is done, and goes on. A thread
// only waits for blocks that another one is computing, so any number of threads, also one, gets
// through. A thread begins with the same blocks in each step, whose weights its cache then holds.
#include <sched.h>
#include <xmmintrin.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

#include "backends/cpu/common/pick_isa.h"
#include "backends/cpu/common/rounding.h"
#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/split.h"
#include "backends/cpu/common/step_util.h"
#include "backends/cpu/recurrent/recurrent_table.h"
#include "base/alloc.h"

namespace graft::cpu {
namespace {

// Multiply-adds of a step below which waiting for another thread costs more than it brings; of all
// steps, below which starting one does.
constexpr double kMinStepMacs = 24 * 1024, kMinMacs = 128 * 1024;
// Rows of a thread, below which reading all weights for them costs more than to wait; and of a
// part, of which a thread may have several, so that one which starts late does fewer.
constexpr int64_t kMinRows = 4, kPartRows = 8;

int gate_index(const ir::Activation& act) {
  if (act.fn == ir::UnaryFn::kSigmoid) return 0;
  return act.fn == ir::UnaryFn::kHardSigmoid ? 1 : -1;
}
int state_index(const ir::Activation& act) {
  if (act.fn == ir::UnaryFn::kTanh) return 0;
  if (act.fn == ir::UnaryFn::kRelu) return 1;
  return act.fn == ir::UnaryFn::kIdentity ? 2 : -1;
}

// Half a step of kGru, a step of the others: gates [first, first + gates) of every unit.
struct Phase {
  RecurrentBlockFn fn = nullptr;
  int64_t first = 0, gates = 0;
};

struct Progress {
  alignas(64) std::atomic<int64_t> done{0};  // blocks, of all phases
};
struct Block {
  alignas(64) std::atomic<int64_t> claimed{0};  // phases
};

struct RecurrentPlan {
  int64_t steps = 0, batch = 0;
  int64_t row_parts = 1;  // of the batch
  int threads = 1;        // that take them
  int64_t workers = 1;    // that share the units instead
  // Of scratch, in bytes.
  size_t blocks = 0, state = 0, z = 0, scaled = 0, packed = 0, total = 0;
};

void relax(int spins) {
  if (spins < 2000)
    _mm_pause();
  else
    sched_yield();
}

class RecurrentStep final : public Step {
 public:
  static Result<std::unique_ptr<Step>> create(const Problem& problem) {
    auto step = std::make_unique<RecurrentStep>(problem);
    if (problem.constants[1].data == nullptr) return std::unique_ptr<Step>(std::move(step));
    GRAFT_ASSIGN_OR_RETURN(step->packed_, Buffer::allocate_weights(step->packed_size()));
    step->pack(static_cast<const float*>(problem.constants[1].data),
               reinterpret_cast<float*>(step->packed_.data()));
    return std::unique_ptr<Step>(std::move(step));
  }

  explicit RecurrentStep(const Problem& problem)
      : attrs_(problem.op->as<ir::RecurrentAttrs>()),
        units_(problem.src[1]->dims[0].value()),
        gates_(ir::gates_of(attrs_.fn)) {
    const RecurrentTable& table =
        *pick_isa(problem.target.isa, isa_baseline::recurrent_table(), isa_avx2::recurrent_table(),
                  isa_avx512::recurrent_table());
    lanes_ = table.lanes;
    blocks_ = ceil_div(units_, lanes_);
    const int gate = std::max(0, gate_index(attrs_.gate)), act = state_index(attrs_.act);
    switch (attrs_.fn) {
      case ir::RecurrentFn::kLstm:
        phases_[0] = {table.lstm[gate][act], 0, 4};
        break;
      case ir::RecurrentFn::kGru:
        phases_[0] = {table.gru_gates[gate], 0, 2};
        phases_[1] = {table.gru_state[act], 2, 1};
        break;
      case ir::RecurrentFn::kGruResetAfter:
        phases_[0] = {table.gru_reset_after[gate][act], 0, 3};
        break;
      default:
        phases_[0] = {table.simple[act], 0, 1};
    }
    num_phases_ = phases_[1].fn ? 2 : 1;
  }

  std::string_view kernel_name() const override { return "recurrent_f32"; }
  bool consumes_constant(int i) const override { return i == 1 && packed_.data() != nullptr; }
  size_t packed_bytes() const override { return packed_.size(); }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    RecurrentPlan p;
    p.steps = shapes.src[0][0];
    p.batch = shapes.src[0][1];
    const double macs =
        static_cast<double>(p.batch * units_) * static_cast<double>(units_ * gates_);
    p.threads = shapes.threads;
    const int64_t threads = p.threads;
    const auto parts = [](double work, double least, int64_t most) {
      return static_cast<int64_t>(std::clamp(work / least, 1.0, static_cast<double>(most)));
    };
    if (p.batch >= kMinRows * threads)
      p.row_parts = parts(macs * static_cast<double>(p.steps), kMinMacs,
                          threads == 1 ? 1 : std::max(threads, p.batch / kPartRows));
    else
      p.workers = parts(macs, kMinStepMacs, std::min(threads, blocks_));
    const auto take = [&p](int64_t bytes) {
      const size_t at = p.total;
      p.total += static_cast<size_t>(align64(bytes));
      return at;
    };
    const int64_t state = p.batch * units_ * static_cast<int64_t>(sizeof(float));
    take(sizeof(Progress));
    p.blocks = take(blocks_ * static_cast<int64_t>(sizeof(Block)));
    if (!attrs_.sequence) p.state = take(state);
    if (attrs_.fn == ir::RecurrentFn::kGru) {
      p.z = take(state);
      p.scaled = take(state);
    }
    if (packed_.data() == nullptr) p.packed = take(static_cast<int64_t>(packed_size()));
    const size_t total = p.total;
    return plan_of(p, total);
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte* scratch) const override {
    const auto& p = state_as<RecurrentPlan>(state);
    Run r{*this, p, scratch, src, dst};
    r.start();
    if (p.steps > 0 && p.batch > 0) {
      if (p.workers > 1)
        parallel_for(p.workers, static_cast<int>(p.workers),
                     [&](int64_t task, int) { r.share_units(task); });
      else
        parallel_for(p.row_parts, p.threads, [&](int64_t task, int) {
          r.run_rows(p.batch * task / p.row_parts, p.batch * (task + 1) / p.row_parts);
        });
    }
    r.finish();
  }

 private:
  struct Run {
    const RecurrentStep& step;
    const RecurrentPlan& p;
    std::byte* scratch;
    const void* const* src;
    void* const* dst;
    const float* weights = nullptr;
    RecurrentArgs args = {};  // what all blocks share

    bool lstm() const { return step.attrs_.fn == ir::RecurrentFn::kLstm; }
    int64_t state_elems() const { return p.batch * step.units_; }
    const float* in(int64_t i) const { return static_cast<const float*>(src[i]); }
    float* out(int i) const { return static_cast<float*>(dst[i]); }
    float* memory(size_t at) const { return reinterpret_cast<float*>(scratch + at); }
    Progress& progress() const { return *reinterpret_cast<Progress*>(scratch); }
    Block& block(int64_t i) const { return reinterpret_cast<Block*>(scratch + p.blocks)[i]; }

    void start() {
      new (scratch) Progress;
      for (int64_t i = 0; i < step.blocks_; ++i) new (&block(i)) Block;
      weights = reinterpret_cast<const float*>(step.packed_.data());
      if (weights == nullptr) {
        step.pack(in(1), memory(p.packed));
        weights = memory(p.packed);
      }
      args.gates_ld = step.gates_ * step.units_;
      args.gate_step = step.units_;
      args.cell_clip = step.attrs_.cell_clip;
      args.k = step.units_;
    }

    // h after step t; t = -1: before the first.
    float* h_after(int64_t t) const {
      if (t < 0) return const_cast<float*>(in(2));
      if (step.attrs_.sequence) return out(0) + t * state_elems();
      return (p.steps - 1 - t) % 2 == 0 ? out(1) : memory(p.state);
    }
    float* c_after(int64_t t) const {
      if (t < 0) return const_cast<float*>(in(3));
      return out(2) + (step.attrs_.cells ? t * state_elems() : 0);
    }

    // Block i of rows [begin, end).
    void compute(int64_t t, int phase, int64_t i, int64_t begin, int64_t end) const {
      const Phase& ph = step.phases_[phase];
      const int64_t unit = i * step.lanes_, extra = lstm() ? 4 : 3;
      const int64_t row = begin * step.units_, at = row + unit;
      RecurrentArgs a = args;
      a.rows = end - begin;
      a.weights = weights + (ph.first * step.blocks_ + ph.gates * i) * step.units_ * step.lanes_;
      a.units = std::min<int64_t>(step.lanes_, step.units_ - unit);
      a.gates = in(0) + (t * p.batch + begin) * a.gates_ld + unit;
      a.state = (phase == 0 ? h_after(t - 1) : memory(p.scaled)) + row;
      a.h = h_after(t - 1) + at;
      a.h_next = h_after(t) + at;
      if (lstm()) {
        a.c = c_after(t - 1) + at;
        a.c_next = c_after(t) + at;
      }
      if (step.num_phases_ == 2) {
        a.z = memory(p.z) + at;
        a.scaled = memory(p.scaled) + at;
      }
      if (step.attrs_.has_bias) a.bias = in(extra) + unit;
      if (step.attrs_.has_peephole) a.peephole = in(extra) + unit;
      ph.fn(&a);
    }

    void run_rows(int64_t begin, int64_t end) const {
      for (int64_t t = 0; t < p.steps; ++t)
        for (int phase = 0; phase < step.num_phases_; ++phase)
          for (int64_t i = 0; i < step.blocks_; ++i) compute(t, phase, i, begin, end);
    }

    void share_units(int64_t task) const {
      const int64_t n = step.blocks_, first = n * task / p.workers;
      std::atomic<int64_t>& done = progress().done;
      int64_t number = 0;  // of the phase
      for (int64_t t = 0; t < p.steps; ++t) {
        for (int phase = 0; phase < step.num_phases_; ++phase, ++number) {
          for (int64_t j = 0; j < n; ++j) {
            const int64_t i = first + j < n ? first + j : first + j - n;
            int64_t mine = number;
            if (!block(i).claimed.compare_exchange_strong(mine, number + 1,
                                                          std::memory_order_relaxed))
              continue;
            compute(t, phase, i, 0, p.batch);
            done.fetch_add(1, std::memory_order_release);
          }
          const int64_t all = (number + 1) * n;
          for (int spins = 1; done.load(std::memory_order_acquire) < all; ++spins) relax(spins);
        }
      }
    }

    void copy(float* to, const float* from, int64_t elems) const {
      std::memcpy(to, from, static_cast<size_t>(elems) * sizeof(float));
    }

    // What the steps have not left where it belongs.
    void finish() const {
      const int64_t n = state_elems();
      if (n == 0) return;
      if (p.steps == 0) {
        if (!step.attrs_.sequence) std::memset(out(0), 0, static_cast<size_t>(n) * sizeof(float));
        copy(out(1), in(2), n);
        if (lstm() && !step.attrs_.cells) copy(out(2), in(3), n);
      } else if (step.attrs_.sequence) {
        copy(out(1), h_after(p.steps - 1), n);
      } else {
        copy(out(0), out(1), n);
      }
    }
  };

  size_t packed_size() const {
    return static_cast<size_t>(blocks_ * units_ * gates_ * lanes_) * sizeof(float);
  }

  // [phase][block][k][gate of the phase][lane], zeros past the units.
  void pack(const float* weights, float* to) const {
    const int64_t columns = gates_ * units_;
    for (int phase = 0; phase < num_phases_; ++phase) {
      const Phase& ph = phases_[phase];
      for (int64_t i = 0; i < blocks_; ++i) {
        const int64_t unit = i * lanes_, n = std::min<int64_t>(lanes_, units_ - unit);
        for (int64_t k = 0; k < units_; ++k) {
          for (int64_t g = 0; g < ph.gates; ++g, to += lanes_) {
            const float* from = weights + k * columns + (ph.first + g) * units_ + unit;
            std::memcpy(to, from, static_cast<size_t>(n) * sizeof(float));
            std::fill(to + n, to + lanes_, 0.0f);
          }
        }
      }
    }
  }

  ir::RecurrentAttrs attrs_;
  int64_t units_, gates_, blocks_ = 0;
  int lanes_ = 1, num_phases_ = 1;
  Phase phases_[2];
  Buffer packed_;
};

std::string supports_recurrent(const Problem& problem) {
  const auto& attrs = problem.op->as<ir::RecurrentAttrs>();
  if (gate_index(attrs.gate) < 0 && attrs.fn != ir::RecurrentFn::kSimple)
    return std::string("gate activation ") + name_of(attrs.gate.fn) + " is left to the reference";
  if (state_index(attrs.act) < 0)
    return std::string("activation ") + name_of(attrs.act.fn) + " is left to the reference";
  return require_float(problem);
}

constexpr KernelEntry kRecurrent[] = {
    {"recurrent_f32", supports_recurrent, &RecurrentStep::create}};

}  // namespace

std::span<const KernelEntry> recurrent_kernels() { return kRecurrent; }

}  // namespace graft::cpu
