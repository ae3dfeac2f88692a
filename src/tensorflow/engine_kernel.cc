#include "tensorflow/engine_kernel.h"

#include <cstdlib>

#include "base/check.h"
#include "base/fault.h"
#include "base/file_io.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/run_options.h"
#include "graphdef/function_call.h"
#include "tensorflow/run_io.h"

namespace graft::tensorflow {
namespace {

constexpr char kPlanMagic[] = "GRFT";

// What a plan that is none of ours most probably is: TF-TRT used the same op and attribute.
Status foreign_plan(const std::string& plan) {
  if (plan.empty())
    return plan_error(
        "the node holds no plan (TF-TRT built such engines while running); "
        "`graft rescue` turns TF-TRT's nodes back into native ones, which can be converted again");
  return plan_error(
      "attribute serialized_segment holds " + std::to_string(plan.size()) +
      " bytes that begin with \"" + printable(plan.substr(0, 4)) +
      "\", not a Graft plan (\"GRFT\"); if it is a TensorRT plan, "
      "`graft rescue` turns the node back into native ones, which can be converted again");
}

// Threads that the TensorFlow session was given; 0 when it leaves the choice, or GRAFT_THREADS
// makes it.
int session_threads(TF_OpKernelContext* ctx) {
  const char* env = std::getenv("GRAFT_THREADS");
  if (env != nullptr && *env != '\0') return 0;
  const TfStatus status = new_status();
  const TfBuffer config(TF_NewBuffer());
  TF_GetSerializedConfigProto(ctx, config.get(), status.get());
  if (TF_GetCode(status.get()) != TF_OK) return 0;
  const int threads = graphdef::intra_op_threads(bytes_of(config.get()));
  return threads > 0 ? threads : 0;
}

}  // namespace

EngineKernel::EngineKernel(NodeAttrs attrs)
    : attrs_(std::move(attrs)), native_(attrs_), counter_(engine_counter(attrs_.engine_name)) {}

Result<std::unique_ptr<EngineKernel>> EngineKernel::create(TF_OpKernelConstruction* ctx) {
  GRAFT_ASSIGN_OR_RETURN(NodeAttrs attrs, read_node_attrs(ctx));
  return std::unique_ptr<EngineKernel>(new EngineKernel(std::move(attrs)));
}

Result<std::shared_ptr<Engine>> EngineKernel::load_plan(TF_OpKernelContext* ctx) {
  std::vector<std::byte> file;
  std::span<const std::byte> plan(reinterpret_cast<const std::byte*>(attrs_.plan.data()),
                                  attrs_.plan.size());
  if (!attrs_.plan_file.empty()) {
    GRAFT_ASSIGN_OR_RETURN(file, read_file(attrs_.plan_file, Limits().max_plan_bytes));
    plan = file;
  } else if (!attrs_.plan.starts_with(kPlanMagic)) {
    return foreign_plan(attrs_.plan);
  }
  EngineOptions options;
  options.threads = session_threads(ctx);
  options.expected_identity = attrs_.plan_identity;
  options.max_workspace_bytes = attrs_.workspace_bytes;
  return Engine::load(plan, options);
}

// The plan's inputs and outputs must be the node's (robustness L8).
Status EngineKernel::check_signature(const Engine& engine) const {
  const auto check = [](const char* attr, const std::vector<DType>& node,
                        const std::vector<TensorSpec>& plan) {
    if (node.size() != plan.size())
      return invalid_argument(std::string("attribute ") + attr + " has " +
                              std::to_string(node.size()) + " entries, the plan has " +
                              std::to_string(plan.size()));
    for (size_t i = 0; i < node.size(); ++i)
      if (node[i] != plan[i].dtype)
        return invalid_argument(std::string("attribute ") + attr + "[" + std::to_string(i) +
                                "] is " + dtype_name(node[i]) + ", the plan has " +
                                dtype_name(plan[i].dtype) + " (" + printable(plan[i].name) + ")");
    return ok_status();
  };
  GRAFT_RETURN_IF_ERROR(check("InT", attrs_.inputs, engine.inputs()));
  return check("OutT", attrs_.outputs, engine.outputs());
}

Status EngineKernel::load(TF_OpKernelContext* ctx) {
  if (!loaded_.load(std::memory_order_acquire)) {
    std::lock_guard lock(load_mutex_);
    if (!loaded_.load(std::memory_order_relaxed)) {
      // Not remembered: the option is there to be switched on and off.
      GRAFT_RETURN_IF_ERROR(planned_load_failure(attrs_.engine_name));
      Result<std::shared_ptr<Engine>> engine = guard([&] { return load_plan(ctx); });
      load_status_ = engine.status();
      if (engine.ok()) {
        engine_ = std::move(engine).value();
        load_status_ =
            check_signature(*engine_).with_context("engine node " + printable(attrs_.node_name));
        misfit_ = !load_status_.ok();
      }
      std::string().swap(attrs_.plan);
      loaded_.store(true, std::memory_order_release);
    }
  }
  if (!load_status_.ok()) return load_status_;
  return planned_load_failure(attrs_.engine_name);
}

Status EngineKernel::run_engine(TF_OpKernelContext* ctx, std::span<TF_Tensor* const> inputs) {
  GRAFT_RETURN_IF_ERROR(planned_run_failure(attrs_.engine_name));
  const InputRefs refs(inputs);
  OutputTensors outputs(ctx, attrs_.outputs.size());
  GRAFT_RETURN_IF_ERROR(engine_->run(refs.refs(), outputs));
  return outputs.commit();
}

Status EngineKernel::run_native(TF_OpKernelContext* ctx, std::span<TF_Tensor* const> inputs,
                                const Status& reason, const char* what_failed) {
  const std::string engine = printable(attrs_.engine_name);
  GRAFT_ASSIGN_OR_RETURN(bool allowed, fallback_allowed());
  allowed = allowed && !attrs_.strict;
  if (!allowed)
    return Status(Code::kAborted, "User disallowed engine native segment execution. Engine " +
                                      engine + ": " + what_failed + " failed: " + reason.message());
  if (first_warnings(*counter_))
    log(LogLevel::kWarning,
        std::string(what_failed) + " of engine " + engine +
            " failed. The native segment will be used instead. Reason: " + reason.message());
  const Status status = native_.run(ctx, inputs);
  if (status.ok()) {
    counter_->native.fetch_add(GRAFT_FAULT(fallback_not_counted) ? 0 : 1,
                               std::memory_order_relaxed);
    return status;
  }
  // The engine's own failure decides the code: it is why the step has no answer.
  return Status(reason.code(), "Engine " + engine + ": " + what_failed +
                                   " failed: " + reason.message() +
                                   "; then the native segment failed: " + status.message());
}

Status EngineKernel::compute(TF_OpKernelContext* ctx) {
  Inputs inputs;
  GRAFT_RETURN_IF_ERROR(inputs.get(ctx, attrs_.inputs.size()));
  const Status loaded = load(ctx);
  if (!loaded.ok()) {
    if (loaded_.load(std::memory_order_acquire) && misfit_) return loaded;
    return run_native(ctx, inputs.tensors(), loaded, "Loading");
  }
  const Status ran = guard([&] { return run_engine(ctx, inputs.tensors()); });
  if (!ran.ok()) return run_native(ctx, inputs.tensors(), ran, "Execution");
  counter_->engine.fetch_add(1, std::memory_order_relaxed);
  return ok_status();
}

}  // namespace graft::tensorflow
