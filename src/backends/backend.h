// What a backend must answer. The engine lowers a Network op by op: the backend picks the first
// kernel of its ordered list that supports the problem and prepares it (packs weights); per shape
// the step is planned, per run it is run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "graft/threads.h"
#include "ir/network.h"
#include "ir/target.h"

namespace graft::backends {

// A constant input of the op, in the dtype of its type (half-stored weights already widened),
// aligned to 64 bytes; data is null for inputs that are not constant. Valid only while the step is
// created: a step copies (packs) what it needs.
struct ConstInput {
  DType dtype = DType::kInvalid;
  std::span<const int64_t> dims;
  const void* data = nullptr;
};

// One op to be lowered. Dims of types may be symbolic.
struct Problem {
  const ir::Op* op = nullptr;
  std::vector<const ir::TensorType*> src, dst;
  std::vector<ConstInput> constants;  // one an input
  ir::Target target;
  bool strict_math = false;          // no Winograd
  bool bf16_products = false;        // operands of conv and matmul may be rounded to bfloat16
  int64_t max_workspace_bytes = -1;  // cap on scratch
};

// Concrete shapes of one op, for one schedule.
struct StepShapes {
  std::vector<std::span<const int64_t>> src, dst;
  // Elements of small integer inputs that are known before running (shapes, axes, paddings); empty
  // span: not known.
  std::vector<std::span<const int64_t>> host;
  int threads = 1;
};

// Thrown by Step::run when the data make the op fail (an index out of range); the engine returns
// its status.
class StepFailure : public std::exception {
 public:
  explicit StepFailure(Status status) : status_(std::move(status)) {}
  const Status& status() const { return status_; }
  const char* what() const noexcept override { return status_.message().c_str(); }

 private:
  Status status_;
};

// Kernel-private data of one schedule (tiling, pointers offsets, splits). Read-only while running.
class StepState {
 public:
  virtual ~StepState() = default;
};

struct StepPlan {
  std::unique_ptr<StepState> state;  // may be null
  size_t scratch_bytes = 0;          // private to one run; 64-byte aligned
};

// Takes the rows of what several fused steps make: see graft::TapRows; `which` counts the steps.
class StepRows {
 public:
  virtual ~StepRows() = default;
  virtual void rows(size_t which, int64_t image, int64_t row, int64_t count, const float* data,
                    int worker) = 0;
};

// A prepared kernel instance for one op: immutable after creation, shared by all runs.
class Step {
 public:
  virtual ~Step() = default;
  virtual std::string_view kernel_name() const = 0;
  // Must cost microseconds and never change the reduction order of an element.
  virtual Result<StepPlan> plan(const StepShapes& shapes) const = 0;
  // Buffers are dense, 64-byte aligned unless they are borders of the engine (then element-aligned
  // or not: `src`/`dst` of border tensors may be unaligned; kernels use unaligned loads). Constant
  // inputs that the step consumed have src null.
  virtual void run(const StepState* state, const void* const* src, void* const* dst,
                   std::byte* scratch) const = 0;
  // Fused steps: whether run_shown can show every row of every dst of the steps once.
  virtual bool shows_rows(const StepState* /*state*/) const { return false; }
  virtual void run_shown(const StepState*, const void* const* /*src*/, void* const* /*dst*/,
                         std::byte* /*scratch*/, StepRows&) const {}
  // Input i is packed inside the step and need not stay resident.
  virtual bool consumes_constant(int) const { return false; }
  // dst[0] may be the buffer of src[i] (same size) when src[i] is not used later.
  virtual bool may_run_in_place(int) const { return false; }
  virtual size_t packed_bytes() const { return 0; }
  virtual bool is_reference() const { return false; }
};

struct Refusal {
  std::string kernel, reason;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string_view name() const = 0;
  // Unsupported when no kernel takes the op; refusals of the kernels that came before the chosen
  // one are appended.
  virtual Result<std::unique_ptr<Step>> create_step(const Problem& problem,
                                                    std::vector<Refusal>* refused) const = 0;
  // One step that does what `steps` do one after another, to the bit, without storing what lies
  // between them; null: there is none. Each of them reads the dst of the one before as src[0],
  // which nobody else reads. src and dst are those of all of `steps`, in order; only the last dst
  // is written, and must not overlap any src. A plan without state: at these shapes they run better
  // one after another. `steps` outlive the step.
  virtual std::unique_ptr<Step> fuse(std::span<const Step* const> /*steps*/) const {
    return nullptr;
  }
  // Whether any kernel but the reference evaluator takes the problem. For reports: constants may be
  // unaligned and are not read, nothing is packed.
  virtual bool has_kernel(const Problem& problem) const = 0;
  // Around every run, on the calling thread: joins the thread pool with up to `threads` workers and
  // sets the floating point state; end_run restores it. Neither allocates after first use.
  virtual void begin_run(int threads) const = 0;
  virtual void end_run() const = 0;
  // Between them: the thread pool for work that is no step. See RunThreads::parallel.
  virtual void parallel(int64_t num_tasks, int /*max_workers*/, RunThreads::Task task,
                        void* context) const {
    for (int64_t t = 0; t < num_tasks; ++t) task(context, t, 0);
  }
};

const Backend& cpu_backend();
const Backend& null_backend();  // refuses everything; a template for new backends

// The machine's target, capped by `isa` ("", "baseline", "avx2", "avx512", "avx512_vnni", "amx";
// InvalidArgument lists them; a cap above the machine is InvalidArgument too).
Result<ir::Target> detect_target(std::string_view isa);
// Threads for a run: option, else GRAFT_THREADS, else the cores this process may use.
// InvalidArgument for bad values.
Result<int> resolve_threads(int option);

}  // namespace graft::backends
