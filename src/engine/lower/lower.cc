#include <algorithm>
#include <map>

#include "backends/reference_step.h"
#include "base/check.h"
#include "engine/lower/constant_data.h"
#include "engine/lower/host_inputs.h"
#include "engine/lower/program.h"
#include "engine/plan/few_threads.h"

namespace graft::engine {
namespace {

constexpr int64_t kNoTiles = INT64_MAX;  // a last-level cache that holds everything

bool is_view(const ir::Op& op) {
  switch (op.kind()) {
    case ir::OpKind::kReshape:
    case ir::OpKind::kExpandDims:
    case ir::OpKind::kSqueeze:
      return true;
    case ir::OpKind::kUnary:
      return op.as<ir::UnaryAttrs>().fn.fn == ir::UnaryFn::kIdentity;
    default:
      return false;
  }
}

class Lowering {
 public:
  Lowering(PlanView& view, const LowerOptions& options, const backends::Backend& backend,
           bool is_body = false)
      : view_(view),
        network_(view.plan.network),
        options_(options),
        backend_(backend),
        is_body_(is_body),
        data_(view) {}

  Result<std::shared_ptr<const Program>> run() {
    auto program = std::make_shared<Program>();
    program->backend = &backend_;
    program->l3_bytes = is_body_ ? kNoTiles : options_.target.l3_bytes;
    program->host_inputs = find_host_inputs(network_);
    needed_.assign(network_.values.size(), false);
    root_.resize(network_.values.size());
    for (size_t id = 0; id < root_.size(); ++id) root_[id] = static_cast<ir::ValueId>(id);
    program->ops.resize(network_.ops.size());
    GRAFT_RETURN_IF_ERROR(lower_bodies(program->ops));
    GRAFT_RETURN_IF_ERROR(create_steps(program->ops));
    for (size_t i = 0; i < program->ops.size(); ++i) note_needs(network_.ops[i], program->ops[i]);
    if (!options_.reference_only && !is_body_) fuse_ops(*program);
    for (const ProgramOp& op : program->ops) {
      if (op.step) program->weights_bytes += op.step->packed_bytes();
      for (const auto& body : op.bodies) program->weights_bytes += body->weights_bytes;
    }
    for (ir::ValueId id : network_.outputs) need(id);
    GRAFT_RETURN_IF_ERROR(keep_constants(*program));
    for (ir::Value& value : network_.values) {
      if (value.constant) value.constant = ir::Constant{};
    }
    program->network = std::move(network_);
    return std::shared_ptr<const Program>(std::move(program));
  }

 private:
  void need(ir::ValueId id) {
    if (network_.values[root_[id]].is_const()) needed_[root_[id]] = true;
  }

  bool needs_step(const ir::Op& op) const {
    if (is_view(op) || !op.bodies.empty()) return false;
    for (ir::ValueId id : op.outputs) {
      if (!network_.values[id].host) return true;
    }
    return false;
  }

  // Bodies keep no bytes of the plan either.
  Status lower_bodies(std::vector<ProgramOp>& ops) {
    for (size_t i = 0; i < ops.size(); ++i) {
      for (auto& body : network_.ops[i].bodies) {
        PlanView view;
        view.plan.network = *body;
        view.plan.options = view_.plan.options;
        GRAFT_ASSIGN_OR_RETURN(std::shared_ptr<const Program> program,
                               Lowering(view, options_, backend_, true).run());
        body = std::shared_ptr<const ir::Network>(program, &program->network);
        ops[i].bodies.push_back(std::move(program));
      }
    }
    return ok_status();
  }

  // Packing dominates loading, and ops are independent.
  Status create_steps(std::vector<ProgramOp>& ops) {
    std::vector<Status> statuses(ops.size());
    for_each_on_threads(ops.size(), static_cast<size_t>(options_.threads), [&](size_t i) {
      const ir::Op& op = network_.ops[i];
      if (!needs_step(op)) return;
      statuses[i] = guard([&]() -> Status {
        GRAFT_ASSIGN_OR_RETURN(ops[i].step, create_step(op, ops[i].refused));
        return ok_status();
      });
    });
    for (const Status& status : statuses) GRAFT_RETURN_IF_ERROR(status);
    return ok_status();
  }

  // Stretches of ops that each read the one before and that nothing else reads, longest first.
  void fuse_ops(Program& program) const {
    constexpr size_t kMostOps = 3;
    std::vector<int32_t> readers(network_.values.size(), 0);
    for (const ir::Op& op : network_.ops) {
      for (ir::ValueId id : op.inputs) ++readers[id];
    }
    for (ir::ValueId id : network_.outputs) ++readers[id];
    const auto follows = [&](size_t i) {
      const ir::Op &op = network_.ops[i], &before = network_.ops[i - 1];
      return program.ops[i].step && !op.inputs.empty() && before.outputs.size() == 1 &&
             op.inputs[0] == before.outputs[0] && readers[op.inputs[0]] == 1;
    };
    for (size_t i = 0; i + 1 < network_.ops.size();) {
      std::vector<const backends::Step*> steps;
      if (program.ops[i].step) steps.push_back(program.ops[i].step.get());
      while (!steps.empty() && steps.size() < kMostOps && i + steps.size() < network_.ops.size() &&
             follows(i + steps.size()))
        steps.push_back(program.ops[i + steps.size()].step.get());
      std::unique_ptr<backends::Step> fused;
      for (; steps.size() >= 2; steps.pop_back()) {
        if ((fused = backend_.fuse(steps))) break;
      }
      if (fused)
        program.fused.push_back(
            {static_cast<int32_t>(i), static_cast<int32_t>(steps.size()), std::move(fused)});
      i += std::max<size_t>(steps.size(), 1);
    }
  }

  // Marks the constants that runs read: those that the op's step did not pack.
  void note_needs(const ir::Op& op, ProgramOp& lowered) {
    lowered.view = is_view(op);
    if (lowered.view) root_[op.outputs[0]] = root_[op.inputs[0]];
    if (!lowered.step && lowered.bodies.empty()) return;
    for (size_t i = 0; i < op.inputs.size(); ++i) {
      const bool packed = lowered.step && network_.values[op.inputs[i]].is_const() &&
                          lowered.step->consumes_constant(static_cast<int>(i));
      if (!packed) need(op.inputs[i]);
    }
  }

  Result<std::unique_ptr<backends::Step>> create_step(const ir::Op& op,
                                                      std::vector<backends::Refusal>& refused) {
    backends::Problem problem;
    problem.op = &op;
    problem.target = options_.target;
    problem.strict_math = view_.plan.options.strict_math;
    problem.bf16_products = view_.plan.options.precision == Precision::kBf16;
    problem.max_workspace_bytes = options_.max_workspace_bytes >= 0
                                      ? options_.max_workspace_bytes
                                      : view_.plan.options.max_workspace_bytes;
    std::vector<Buffer> holders(op.inputs.size());
    std::vector<std::vector<int64_t>> dims(op.inputs.size());
    for (size_t i = 0; i < op.inputs.size(); ++i) {
      const ir::Value& value = network_.values[op.inputs[i]];
      problem.src.push_back(&value.type);
      backends::ConstInput& constant = problem.constants.emplace_back();
      if (!value.is_const()) continue;
      for (ir::Dim d : value.type.dims) dims[i].push_back(d.value());
      constant.dtype = value.type.dtype;
      constant.dims = dims[i];
      GRAFT_ASSIGN_OR_RETURN(constant.data, data_.aligned(op.inputs[i], holders[i]));
    }
    for (ir::ValueId id : op.outputs) problem.dst.push_back(&network_.values[id].type);
    auto step = options_.reference_only ? backends::create_reference_step(problem)
                                        : backend_.create_step(problem, &refused);
    if (!step.ok()) return step.status().with_context(op.name);
    return step;
  }

  // One buffer for the elements of every constant that runs read; equal constants share.
  Status keep_constants(Program& program) {
    const auto round_up = [](size_t n) { return (n + 63) / 64 * 64; };
    std::map<ConstantData::Key, size_t> offsets;
    size_t total = 0;
    for (size_t id = 0; id < needed_.size(); ++id) {
      if (!needed_[id]) continue;
      const ConstantData::Key key = data_.key(static_cast<ir::ValueId>(id));
      if (offsets.try_emplace(key, total).second) {
        if (key.size_bytes > SIZE_MAX / 2 - total)
          return resource_exhausted("constants do not fit the address space");
        total += std::max<size_t>(round_up(key.size_bytes), 64);
      }
    }
    if (total > static_cast<size_t>(Limits{}.max_arena_bytes))
      return resource_exhausted("constants take " + std::to_string(total) + " bytes when expanded");
    GRAFT_ASSIGN_OR_RETURN(program.resident_storage, Buffer::allocate(total));
    program.resident.assign(needed_.size(), nullptr);
    std::map<size_t, bool> written;
    for (size_t id = 0; id < needed_.size(); ++id) {
      if (!needed_[id]) continue;
      const size_t offset = offsets[data_.key(static_cast<ir::ValueId>(id))];
      program.resident[id] = program.resident_storage.data() + offset;
      if (!std::exchange(written[offset], true))
        data_.write(static_cast<ir::ValueId>(id), program.resident_storage.data() + offset);
    }
    program.weights_bytes += total;
    return ok_status();
  }

  PlanView& view_;
  ir::Network& network_;
  const LowerOptions& options_;
  const backends::Backend& backend_;
  const bool is_body_;
  ConstantData data_;
  std::vector<bool> needed_;       // per value: a constant that must stay resident
  std::vector<ir::ValueId> root_;  // per value: what it views
};

}  // namespace

Result<std::shared_ptr<const Program>> lower(PlanView view, const LowerOptions& options,
                                             const backends::Backend& backend) {
  return Lowering(view, options, backend).run();
}

}  // namespace graft::engine
