// The CPU backend: first kernel of the op's list that supports the problem, else the reference.
#include "backends/backend.h"
#include "backends/cpu/conv/conv_block.h"
#include "backends/cpu/kernel_list.h"
#include "backends/cpu/threads/parallel.h"
#include "backends/reference_step.h"

namespace graft::backends {
namespace {

class CpuBackend final : public Backend {
 public:
  std::string_view name() const override { return "cpu"; }

  Result<std::unique_ptr<Step>> create_step(const Problem& problem,
                                            std::vector<Refusal>* refused) const override {
    for (const cpu::KernelEntry& kernel : cpu::kernels_for(problem)) {
      std::string reason = kernel.supports(problem);
      if (reason.empty()) {
        auto step = kernel.create(problem);
        // Unsupported at creation is a refusal that needed the constants' values.
        if (step.ok() || step.status().code() != Code::kUnsupported) return step;
        reason = step.status().message();
      }
      if (refused) refused->push_back({kernel.name, std::move(reason)});
    }
    return create_reference_step(problem);
  }

  std::unique_ptr<Step> fuse(std::span<const Step* const> steps) const override {
    return cpu::fuse_conv_block(steps);
  }

  bool has_kernel(const Problem& problem) const override {
    for (const cpu::KernelEntry& kernel : cpu::kernels_for(problem)) {
      if (kernel.supports(problem).empty()) return true;
    }
    return false;
  }

  void begin_run(int threads) const override { cpu::begin_run(threads); }
  void end_run() const override { cpu::end_run(); }
  void parallel(int64_t num_tasks, int max_workers, RunThreads::Task task,
                void* context) const override {
    cpu::parallel_for(num_tasks, max_workers,
                      [&](int64_t t, int worker) { task(context, t, worker); });
  }
};

}  // namespace

const Backend& cpu_backend() {
  static const CpuBackend backend;
  return backend;
}

}  // namespace graft::backends
