// Engine: a loaded plan, ready to run. Loading verifies every byte of the plan, packs weights for
// this machine and shares the packed copy with every other Engine of the same plan identity, target
// and options in the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "graft/status.h"
#include "graft/threads.h"
#include "graft/types.h"

namespace graft {

struct EngineOptions {
  int threads = 0;  // 0: GRAFT_THREADS, else the cores this process may use
  std::string isa;  // "", "baseline", "avx2", "avx512": cap for the kernels; "" = GRAFT_ISA, else
                    // the machine's best
  std::string
      expected_identity;  // plan identity (64 hex digits) that the node carries; "" = not checked
  int64_t max_workspace_bytes = -1;  // cap on kernel scratch; -1: what the plan says
  bool reference_only = false;       // run every op by the reference evaluator (oracle for tests)
};

// Receives the outputs of a run: called once an output, before its values are written. The returned
// buffer must hold size_bytes and stay valid until run returns; it may be unaligned. nullptr =
// allocation failed.
class OutputSink {
 public:
  virtual ~OutputSink() = default;
  virtual void* allocate(int index, DType dtype, std::span<const int64_t> dims,
                         size_t size_bytes) = 0;
};

// Takes several float tensors [N, H, W, C] as they are made.
class TapRows {
 public:
  virtual ~TapRows() = default;
  // Rows [row, row + count) of axis 1 of image `image` of tensor `which`. Every row of every tensor
  // comes once, in any order, from any thread of the run; `worker` is distinct among those that
  // call at one time. `data` lives for the call only.
  virtual void rows(size_t which, int64_t image, int64_t row, int64_t count, const float* data,
                    int worker) = 0;
};

// Sees the float tensors of an observed run, on the thread that runs it.
class TapObserver {
 public:
  virtual ~TapObserver() = default;
  // `tap` indexes Engine::taps(); `data` is dense and row-major, of shape `dims`, never empty. Both
  // live for the call only. A large batch may come as several calls of some whole images (slices
  // of axis 0) each, in order.
  // An error ends the run with it.
  virtual Status observe(size_t tap, std::span<const float> data,
                         std::span<const int64_t> dims) = 0;
  // What the engine calls; `threads` live for the call only.
  virtual Status observe_with(size_t tap, std::span<const float> data,
                              std::span<const int64_t> dims, const RunThreads& /*threads*/) {
    return observe(tap, data, dims);
  }
  // Tensors that the engine could show row by row, workers below `workers`, before a call of
  // end_rows; null: they are to come whole. What is returned lives until then.
  struct ShownTensor {
    size_t tap = 0;
    std::span<const int64_t> dims;
  };
  virtual Result<TapRows*> begin_rows(std::span<const ShownTensor> /*tensors*/, int /*workers*/) {
    return nullptr;
  }
  virtual Status end_rows() { return ok_status(); }
};

// A tensor that run_observed_reals shows.
struct RealTap {
  std::string name;  // TensorFlow name
  double scale = 0;  // > 0: quantized, shown as what its integers stand for
};

// One executed step, for profiles and `--explain`.
struct StepInfo {
  std::string name;    // TensorFlow node name
  std::string op;      // IR op, "conv"
  std::string kernel;  // "conv_igemm_avx2", "reference"
  double flops = 0;    // multiply and add counted apart, for the shapes of the last schedule
  double bytes = 0;    // of inputs, constants and outputs; of fused steps without what lies between
  double time_ns = 0;  // of the last profiled run
  std::vector<std::string> refused;  // "kernel: reason", in list order
};

struct EngineStats {
  size_t weights_bytes = 0;  // packed weights resident for this engine
  size_t arena_bytes = 0;    // of the last schedule
  size_t scratch_bytes = 0;  // of the last schedule
  double reference_flops_share =
      0;  // share of FLOPs of the last schedule that ran in the reference evaluator
};

class Engine {
 public:
  // PlanError: corrupt or foreign bytes, or another identity than expected. The bytes are not
  // needed after return.
  static Result<std::shared_ptr<Engine>> load(std::span<const std::byte> plan,
                                              const EngineOptions& options = {});
  virtual ~Engine() = default;

  virtual const std::vector<TensorSpec>& inputs() const = 0;
  virtual const std::vector<TensorSpec>& outputs() const = 0;
  virtual const std::string& identity() const = 0;

  // Runs once. Safe from many threads at once; allocates nothing after the first run of a shape
  // beyond what `sink` does. InvalidArgument: count, dtype, rank or a fixed dim does not match
  // inputs(), naming which. The stop token is checked before each step (Cancelled).
  virtual Status run(std::span<const TensorRef> inputs, OutputSink& sink,
                     std::stop_token stop = {}) = 0;

  // The float32 tensors that run_observed shows, by TensorFlow name, each once: inputs first, then
  // what ops make. Not among them: views of others (Reshape), constants, host arithmetic.
  virtual std::vector<std::string> taps() const = 0;
  // As run, and calls `observer` for each tap that has elements: the inputs before the first step,
  // every other one right after the step that made it, before anything can overwrite it. A tensor
  // that a run does not make is not shown; tensors that share a name show under the same tap. When
  // the run fails or is stopped half-way, some taps were shown: nothing may be kept of it.
  virtual Status run_observed(std::span<const TensorRef> inputs, OutputSink& sink,
                              TapObserver& observer, std::stop_token stop = {}) = 0;

  // For comparisons: as taps(), and the quantized tensors too. A float tensor that a step quantizes
  // shows once, in the form that INT8 steps read; of tensors that share a name, the first shows.
  virtual std::vector<RealTap> real_taps() const = 0;
  // As run_observed; `tap` indexes real_taps().
  virtual Status run_observed_reals(std::span<const TensorRef> inputs, OutputSink& sink,
                                    TapObserver& observer, std::stop_token stop = {}) = 0;

  // As run, and fills steps() times.
  virtual Status run_profiled(std::span<const TensorRef> inputs, OutputSink& sink) = 0;
  virtual std::vector<StepInfo> steps() const = 0;
  virtual EngineStats stats() const = 0;
};

}  // namespace graft
