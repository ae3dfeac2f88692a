#include <algorithm>
#include <mutex>
#include <set>
#include <utility>

#include "base/check.h"
#include "engine/lower/registry.h"
#include "engine/run/check_inputs.h"
#include "engine/run/execute.h"
#include "engine/run/load.h"
#include "engine/run/schedule_cache.h"

namespace graft::engine {
namespace {

constexpr size_t kPreparedBytes = size_t{64} << 20, kPageBytes = 4096;

class EngineImpl final : public Engine {
 public:
  EngineImpl(std::shared_ptr<const Program> program, std::string identity, int threads,
             bool reference_only)
      : program_(std::move(program)),
        identity_(std::move(identity)),
        threads_(threads),
        reference_only_(reference_only),
        schedules_(program_, threads),
        inputs_(border_specs(program_->network, program_->network.inputs)),
        outputs_(border_specs(program_->network, program_->network.outputs)) {}

  // Maps and touches the memory of a run of `batch` images, so that the first run does not. Nothing
  // where other extents are open, where shapes depend on data, or where it would be much.
  void prepare_memory(int64_t batch) {
    const ir::Network& network = program_->network;
    if (reference_only_ || !program_->host_inputs.empty()) return;
    ScheduleInputs shapes;
    for (const ir::ValueId id : network.inputs) {
      std::vector<int64_t>& dims = shapes.dims.emplace_back();
      for (const ir::Dim dim : network.values[id].type.dims) {
        if (!dim.is_const() && !dims.empty()) return;
        dims.push_back(dim.is_const() ? dim.value() : batch);
      }
    }
    const auto schedule = make_schedule(*program_, shapes, {}, threads_);
    if (!schedule.ok()) return;
    const size_t bytes = (*schedule)->arena_bytes + (*schedule)->scratch_bytes;
    if (bytes > kPreparedBytes) return;
    const auto context = pool_.take(bytes);
    if (!context.ok()) return;
    for (size_t at = 0; at < bytes; at += kPageBytes) (*context)->memory.data()[at] = {};
  }

  const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  const std::vector<TensorSpec>& outputs() const override { return outputs_; }
  const std::string& identity() const override { return identity_; }

  Status run(std::span<const TensorRef> inputs, OutputSink& sink, std::stop_token stop) override {
    return guard([&]() -> Status { return run_once(inputs, sink, std::move(stop)); });
  }

  Status run_profiled(std::span<const TensorRef> inputs, OutputSink& sink) override {
    return guard([&]() -> Status { return run_once(inputs, sink, {}, true); });
  }

  std::vector<std::string> taps() const override { return found_taps().names; }

  Status run_observed(std::span<const TensorRef> inputs, OutputSink& sink, TapObserver& observer,
                      std::stop_token stop) override {
    return guard([&]() -> Status {
      return run_once(inputs, sink, std::move(stop), false, &observer, &found_taps());
    });
  }

  std::vector<RealTap> real_taps() const override {
    const Taps& taps = found_real_taps();
    std::vector<RealTap> result;
    for (size_t i = 0; i < taps.names.size(); ++i)
      result.push_back({taps.names[i], taps.scales[i]});
    return result;
  }

  Status run_observed_reals(std::span<const TensorRef> inputs, OutputSink& sink,
                            TapObserver& observer, std::stop_token stop) override {
    return guard([&]() -> Status {
      return run_once(inputs, sink, std::move(stop), false, &observer, &found_real_taps());
    });
  }

  std::vector<StepInfo> steps() const override {
    const std::shared_ptr<const Schedule> schedule = schedules_.last();
    std::vector<StepInfo> infos;
    std::vector<int32_t> info_of(program_->ops.size(), -1);
    for (size_t i = 0; i < program_->ops.size(); ++i) {
      const ProgramOp& lowered = program_->ops[i];
      if (!lowered.step && lowered.bodies.empty()) continue;
      info_of[i] = static_cast<int32_t>(infos.size());
      const ir::Op& op = program_->network.ops[i];
      StepInfo& info = infos.emplace_back();
      info.name = op.name;
      info.op = ir::op_info(op.kind()).text_name;
      info.kernel = lowered.step ? lowered.step->kernel_name() : "bodies";
      for (const backends::Refusal& r : lowered.refused)
        info.refused.push_back(r.kernel + ": " + r.reason);
    }
    if (!schedule) return infos;
    const std::lock_guard lock(profile_mutex_);
    for (size_t s = 0; s < schedule->steps.size(); ++s) {
      StepInfo& info = infos[info_of[schedule->steps[s].op]];
      info.flops = schedule->steps[s].flops;
      info.bytes = step_bytes(*schedule, s, s + 1);
      if (profiled_ == schedule && s < times_ns_.size()) info.time_ns = times_ns_[s];
    }
    // The last of fused steps stands for them all.
    for (const FusedSteps& fused : schedule->fused) {
      StepInfo& last = infos[info_of[schedule->steps[fused.end - 1].op]];
      for (int32_t s = fused.begin; s < fused.end; ++s) {
        StepInfo& info = infos[info_of[schedule->steps[s].op]];
        info.kernel = fused.step->kernel_name();
        if (&info != &last) last.flops += std::exchange(info.flops, 0);
        info.bytes = 0;
      }
      last.bytes =
          step_bytes(*schedule, static_cast<size_t>(fused.begin), static_cast<size_t>(fused.end));
    }
    return infos;
  }

  EngineStats stats() const override {
    EngineStats stats;
    stats.weights_bytes = program_->weights_bytes;
    if (const std::shared_ptr<const Schedule> schedule = schedules_.last()) {
      stats.arena_bytes = schedule->arena_bytes;
      stats.scratch_bytes = schedule->scratch_bytes;
      if (schedule->flops > 0)
        stats.reference_flops_share = schedule->reference_flops / schedule->flops;
    }
    return stats;
  }

 private:
  // Of what steps [begin, end) of the schedule read and the last of them writes.
  double step_bytes(const Schedule& schedule, size_t begin, size_t end) const {
    const auto bytes_of = [&](ir::ValueId id) {
      auto bytes = static_cast<double>(dtype_size(program_->network.values[id].type.dtype));
      for (const int64_t extent : schedule.dims[static_cast<size_t>(id)])
        bytes *= static_cast<double>(extent);
      return bytes;
    };
    std::set<ir::ValueId> seen;
    double bytes = 0;
    for (size_t s = begin; s < end; ++s) {
      const ir::Op& op = program_->network.ops[schedule.steps[s].op];
      for (const ir::ValueId id : op.inputs) {
        if (seen.insert(id).second) bytes += bytes_of(id);
      }
      seen.insert(op.outputs.begin(), op.outputs.end());
      if (s + 1 < end) continue;
      for (const ir::ValueId id : op.outputs) bytes += bytes_of(id);
    }
    return bytes;
  }
  Status run_once(std::span<const TensorRef> inputs, OutputSink& sink, std::stop_token stop,
                  bool profile = false, TapObserver* observer = nullptr,
                  const Taps* taps = nullptr) {
    GRAFT_RETURN_IF_ERROR(check_inputs(program_->network, inputs_, inputs));
    GRAFT_ASSIGN_OR_RETURN(const std::shared_ptr<const Schedule> schedule, schedules_.get(inputs));
    GRAFT_ASSIGN_OR_RETURN(const ContextPool::Lease context,
                           pool_.take(schedule->arena_bytes + schedule->scratch_bytes));
    RunArgs args{*program_,       *schedule, inputs,  sink,
                 std::move(stop), threads_,  profile, !reference_only_};
    args.taps = taps;
    args.observer = observer;
    try {
      GRAFT_RETURN_IF_ERROR(execute(args, *context));
    } catch (const backends::StepFailure& failure) {
      return failure.status();
    }
    if (profile) {
      const std::lock_guard lock(profile_mutex_);
      profiled_ = schedule;
      times_ns_ = context->times_ns;
    }
    return ok_status();
  }

  // Made on first use: engines that only run pay nothing for them.
  const Taps& found_taps() const {
    std::call_once(taps_once_, [&] { taps_ = find_taps(*program_); });
    return taps_;
  }

  const Taps& found_real_taps() const {
    std::call_once(real_taps_once_, [&] { real_taps_ = find_real_taps(*program_); });
    return real_taps_;
  }

  const std::shared_ptr<const Program> program_;
  const std::string identity_;
  const int threads_;
  const bool reference_only_;
  ScheduleCache schedules_;
  const std::vector<TensorSpec> inputs_, outputs_;
  ContextPool pool_;
  mutable std::once_flag taps_once_, real_taps_once_;
  mutable Taps taps_, real_taps_;
  mutable std::mutex profile_mutex_;
  std::shared_ptr<const Schedule> profiled_;
  std::vector<double> times_ns_;
};

Result<std::shared_ptr<Engine>> load_checked(std::span<const std::byte> plan,
                                             const EngineOptions& options,
                                             const backends::Backend& backend) {
  const Limits limits;
  GRAFT_ASSIGN_OR_RETURN(const OpenPlan container, open_container(plan, limits));
  std::string identity = to_hex(container.header.identity);
  if (!options.expected_identity.empty() && options.expected_identity != identity)
    return plan_error("the plan is not the one that the node names: its identity is " + identity +
                      ", expected " + options.expected_identity);
  LowerOptions lower_options;
  GRAFT_ASSIGN_OR_RETURN(lower_options.target, backends::detect_target(options.isa));
  lower_options.max_workspace_bytes = options.max_workspace_bytes;
  lower_options.reference_only = options.reference_only;
  GRAFT_ASSIGN_OR_RETURN(const int threads, backends::resolve_threads(options.threads));
  lower_options.threads = threads;
  const std::string key =
      program_key(identity, container.header.max_workspace_bytes, lower_options, backend);
  GRAFT_ASSIGN_OR_RETURN(
      std::shared_ptr<const Program> program,
      ProgramRegistry::instance().get(key, [&]() -> Result<std::shared_ptr<const Program>> {
        GRAFT_ASSIGN_OR_RETURN(PlanView view, parse_plan(container, nullptr, limits));
        return lower(std::move(view), lower_options, backend);
      }));
  auto engine = std::make_shared<EngineImpl>(std::move(program), std::move(identity), threads,
                                             options.reference_only);
  // A load does not fail for want of memory that only a run needs.
  (void)guard([&] {
    engine->prepare_memory(std::max<int64_t>(1, container.header.tuning_batch));
    return ok_status();
  });
  return std::shared_ptr<Engine>(std::move(engine));
}

}  // namespace

Result<std::shared_ptr<Engine>> load_engine(std::span<const std::byte> plan,
                                            const EngineOptions& options,
                                            const backends::Backend& backend) {
  return guard([&] { return load_checked(plan, options, backend); });
}

}  // namespace graft::engine

namespace graft {

Result<std::shared_ptr<Engine>> Engine::load(std::span<const std::byte> plan,
                                             const EngineOptions& options) {
  return engine::load_engine(plan, options, backends::cpu_backend());
}

}  // namespace graft
