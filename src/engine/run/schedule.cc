#include "engine/run/schedule.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/dtype.h"
#include "engine/run/control.h"
#include "engine/run/memory_plan.h"
#include "engine/run/shapes.h"
#include "ir/cost.h"

namespace graft::engine {
namespace {

constexpr int32_t kNever = -1;

class Scheduler {
 public:
  Scheduler(const Program& program, const ScheduleInputs& inputs, ConcreteShapes shapes,
            int threads, const Limits& limits)
      : program_(program),
        network_(program.network),
        inputs_(inputs),
        shapes_(std::move(shapes)),
        threads_(threads),
        limits_(limits),
        schedule_(std::make_shared<Schedule>()) {}

  Result<std::shared_ptr<const Schedule>> run(std::vector<int64_t> key) {
    schedule_->key = std::move(key);
    root_.assign(network_.values.size(), ir::kNoValue);
    schedule_->slots.resize(network_.values.size());
    place_borders();
    GRAFT_RETURN_IF_ERROR(place_ops());
    place_outputs();
    GRAFT_RETURN_IF_ERROR(place_fused());
    GRAFT_RETURN_IF_ERROR(place_tiles());
    GRAFT_RETURN_IF_ERROR(place_arena());
    GRAFT_RETURN_IF_ERROR(plan_steps());
    for (size_t id = 0; id < root_.size(); ++id) {
      if (root_[id] != ir::kNoValue && root_[id] != static_cast<ir::ValueId>(id))
        schedule_->slots[id] = {Place::kView, root_[id]};
    }
    schedule_->dims = std::move(shapes_.dims);
    schedule_->size_bytes = std::move(shapes_.size_bytes);
    return std::shared_ptr<const Schedule>(std::move(schedule_));
  }

 private:
  void place_borders() {
    for (size_t i = 0; i < network_.inputs.size(); ++i)
      place(network_.inputs[i], {Place::kInput, static_cast<int64_t>(i)});
    for (size_t id = 0; id < network_.values.size(); ++id) {
      if (program_.resident[id])
        place(static_cast<ir::ValueId>(id), {Place::kResident, 0});
      else if (network_.values[id].is_const())
        root_[id] = static_cast<ir::ValueId>(id);
    }
  }

  void place(ir::ValueId id, Slot slot) {
    root_[id] = id;
    schedule_->slots[id] = slot;
  }

  // Decides which ops run in this schedule; the others are views, or their values are known.
  Status place_ops() {
    for (size_t i = 0; i < network_.ops.size(); ++i) {
      const ir::Op& op = network_.ops[i];
      if (program_.ops[i].view) {
        root_[op.outputs[0]] = root_[op.inputs[0]];
        continue;
      }
      bool all_host = true, all_empty = true;
      for (ir::ValueId id : op.outputs) {
        all_host &= shapes_.host[id].has_value();
        all_empty &= shapes_.size_bytes[id] == 0;
      }
      if (all_host) {
        for (ir::ValueId id : op.outputs) place_host(id);
        continue;
      }
      for (ir::ValueId id : op.outputs) place(id, {Place::kArena, 0});
      if (all_empty) continue;
      GRAFT_CHECK(program_.ops[i].step || !program_.ops[i].bodies.empty(), op.name);
      ScheduledStep& step = schedule_->steps.emplace_back();
      step.op = static_cast<int32_t>(i);
      step.step = program_.ops[i].step.get();
    }
    return ok_status();
  }

  void place_host(ir::ValueId id) {
    std::vector<std::byte>& data = schedule_->host_data;
    const size_t offset = (data.size() + 7) / 8 * 8;
    const std::vector<int64_t>& elems = *shapes_.host[id];
    data.resize(offset + shapes_.size_bytes[id]);
    visit_dtype(network_.values[id].type.dtype, [&]<typename T>() {
      GRAFT_CHECK(elems.size() * sizeof(T) == shapes_.size_bytes[id], network_.values[id].name);
      if constexpr (std::is_integral_v<T>) {
        for (size_t i = 0; i < elems.size(); ++i) {
          const T elem = static_cast<T>(elems[i]);
          std::memcpy(&data[offset + i * sizeof(T)], &elem, sizeof(T));
        }
      } else {
        GRAFT_CHECK(false, network_.values[id].name);
      }
    });
    place(id, {Place::kHost, static_cast<int64_t>(offset)});
  }

  // The first output of a value that a step makes is written in place; other outputs are copies.
  void place_outputs() {
    for (size_t k = 0; k < network_.outputs.size(); ++k) {
      const ir::ValueId id = network_.outputs[k];
      Slot& slot = schedule_->slots[root_[id]];
      if (slot.place == Place::kArena && shapes_.size_bytes[id] != 0)
        slot = {Place::kOutput, static_cast<int64_t>(k)};
      else if (shapes_.size_bytes[id] != 0)
        schedule_->copies.push_back({static_cast<int32_t>(k), root_[id]});
    }
  }

  // Fused ops that are all there, where that pays.
  Status place_fused() {
    const auto& steps = schedule_->steps;
    size_t s = 0;
    for (const FusedOps& f : program_.fused) {
      while (s < steps.size() && steps[s].op < f.first) ++s;
      const size_t end = s + static_cast<size_t>(f.count);
      if (end > steps.size() || steps[s].op != f.first ||
          steps[end - 1].op != f.first + f.count - 1)
        continue;
      backends::StepShapes shapes;
      shapes.threads = threads_;
      for (size_t i = s; i < end; ++i) {
        const backends::StepShapes one = step_shapes(network_.ops[steps[i].op], shapes_);
        shapes.src.insert(shapes.src.end(), one.src.begin(), one.src.end());
        shapes.dst.insert(shapes.dst.end(), one.dst.begin(), one.dst.end());
        shapes.host.insert(shapes.host.end(), one.host.begin(), one.host.end());
      }
      const std::string& name = network_.ops[steps[end - 1].op].name;
      GRAFT_ASSIGN_OR_RETURN(auto state, planned(f.step->plan(shapes), name));
      if (state)
        schedule_->fused.push_back(
            {static_cast<int32_t>(s), static_cast<int32_t>(end), f.step.get(), std::move(state)});
    }
    return ok_status();
  }

  // The fused steps that a step is part of; null: none.
  const FusedSteps* fused_of(int32_t step) const {
    const auto& fused = schedule_->fused;
    const auto f = std::upper_bound(fused.begin(), fused.end(), step,
                                    [](int32_t s, const FusedSteps& one) { return s < one.end; });
    return f != fused.end() && f->begin <= step ? &*f : nullptr;
  }

  // Which tile a step is in, -1: none.
  int32_t tile_of(int32_t step) const {
    for (size_t t = 0; t < schedule_->tiles.size(); ++t) {
      if (step >= schedule_->tiles[t].begin && step < schedule_->tiles[t].end)
        return static_cast<int32_t>(t);
    }
    return -1;
  }

  // Tiles, and per value the tile in which its whole life passes.
  Status place_tiles() {
    const std::vector<bool> batched = batched_values(network_);
    inside_.assign(network_.values.size(), -1);
    int64_t batch = 0;
    for (ir::ValueId id : network_.inputs) {
      if (batched[id]) batch = shapes_.dims[id][0];
    }
    std::vector<TileStep> steps;
    for (const ScheduledStep& s : schedule_->steps) {
      const ir::Op& op = network_.ops[s.op];
      TileStep& step = steps.emplace_back();
      step.op = s.op;
      step.fused = fused_of(static_cast<int32_t>(steps.size() - 1)) != nullptr;
      step.weights_bytes = s.step ? static_cast<int64_t>(s.step->packed_bytes()) : 0;
      for (ir::ValueId id : op.inputs)
        step.activation_bytes += batched[id] ? static_cast<int64_t>(shapes_.size_bytes[id]) : 0;
      for (ir::ValueId id : op.outputs)
        step.activation_bytes += static_cast<int64_t>(shapes_.size_bytes[id]);
    }
    schedule_->tiles = choose_batch_tiles(network_, steps, batch, program_.l3_bytes);
    for (const BatchTile& tile : schedule_->tiles) {
      for (int64_t images : {tile.images, tile.rest()}) {
        ScheduleInputs inputs = inputs_;
        for (size_t i = 0; i < network_.inputs.size(); ++i) {
          if (batched[network_.inputs[i]] && images > 0) inputs.dims[i][0] = images;
        }
        ConcreteShapes shapes;
        if (images > 0) {
          GRAFT_ASSIGN_OR_RETURN(shapes, infer_shapes(program_, inputs, limits_));
        }
        tile_shapes_.push_back(std::move(shapes));
      }
    }
    find_insides();
    return ok_status();
  }

  void find_insides() {
    if (schedule_->tiles.empty()) return;
    const auto& steps = schedule_->steps;
    for (size_t s = 0; s < steps.size(); ++s) {
      const ir::Op& op = network_.ops[steps[s].op];
      const int32_t tile = tile_of(static_cast<int32_t>(s));
      for (ir::ValueId id : op.outputs) {
        if (schedule_->slots[id].place == Place::kArena) inside_[id] = tile;
      }
      for (ir::ValueId id : op.inputs) {
        if (inside_[root_[id]] != tile) inside_[root_[id]] = -1;
      }
    }
    for (const OutputCopy& copy : schedule_->copies) inside_[copy.value] = -1;
  }

  size_t arena_bytes(ir::ValueId id) const {
    if (inside_[id] < 0) return shapes_.size_bytes[id];
    return tile_shapes_[2 * static_cast<size_t>(inside_[id])].size_bytes[id];
  }

  Status place_arena() {
    const size_t n = network_.values.size();
    std::vector<int32_t> last_use(n, kNever), request(n, -1);
    const auto& steps = schedule_->steps;
    for (size_t s = 0; s < steps.size(); ++s) {
      const int32_t tile = tile_of(static_cast<int32_t>(s));
      const FusedSteps* fused = fused_of(static_cast<int32_t>(s));
      for (ir::ValueId id : network_.ops[steps[s].op].inputs) {
        // What a tile reads from outside, it reads again for the next images.
        const bool again = tile >= 0 && inside_[root_[id]] != tile;
        last_use[root_[id]] = again   ? schedule_->tiles[tile].end - 1
                              : fused ? fused->end - 1
                                      : static_cast<int32_t>(s);
      }
    }
    std::vector<BufferRequest> requests;
    for (size_t s = 0; s < steps.size(); ++s) {
      const ir::Op& op = network_.ops[steps[s].op];
      const int32_t tile = tile_of(static_cast<int32_t>(s));
      for (size_t j = 0; j < op.outputs.size(); ++j) {
        const ir::ValueId id = op.outputs[j];
        if (schedule_->slots[id].place != Place::kArena) continue;
        const int32_t now = static_cast<int32_t>(s), last = std::max(now, last_use[id]);
        const ir::ValueId reuse = j == 0 && steps[s].step
                                      ? in_place_source(*steps[s].step, op, id, now, last_use)
                                      : ir::kNoValue;
        if (reuse != ir::kNoValue) {
          request[id] = request[reuse];
          requests[request[id]].last = last;
        } else {
          request[id] = static_cast<int32_t>(requests.size());
          // The images of earlier tiles lie in it while the tile begins again.
          const bool early = tile >= 0 && inside_[id] != tile;
          requests.push_back({arena_bytes(id), early ? schedule_->tiles[tile].begin : now, last});
        }
      }
    }
    GRAFT_ASSIGN_OR_RETURN(const MemoryPlan plan,
                           plan_memory(requests, static_cast<size_t>(limits_.max_arena_bytes)));
    for (size_t id = 0; id < n; ++id) {
      if (request[id] >= 0)
        schedule_->slots[id].index = static_cast<int64_t>(plan.offsets[request[id]]);
    }
    schedule_->arena_bytes = plan.total_bytes;
    return ok_status();
  }

  // The activation whose buffer `dst` may take over at step `now`; kNoValue: none.
  ir::ValueId in_place_source(const backends::Step& step, const ir::Op& op, ir::ValueId dst,
                              int32_t now, const std::vector<int32_t>& last_use) const {
    if (fused_of(now)) return ir::kNoValue;  // src is still read when dst is written
    for (size_t i = 0; i < op.inputs.size(); ++i) {
      const ir::ValueId src = root_[op.inputs[i]];
      if (schedule_->slots[src].place != Place::kArena || last_use[src] != now ||
          inside_[src] != inside_[dst] || (inside_[dst] < 0 && tile_of(now) >= 0) ||
          shapes_.size_bytes[src] != shapes_.size_bytes[dst] || shapes_.size_bytes[src] == 0 ||
          !step.may_run_in_place(static_cast<int>(i)))
        continue;
      size_t uses = 0;
      for (ir::ValueId other : op.inputs) uses += root_[other] == src;
      if (uses == 1) return src;
    }
    return ir::kNoValue;
  }

  backends::StepShapes step_shapes(const ir::Op& op, const ConcreteShapes& all) const {
    backends::StepShapes shapes;
    shapes.threads = threads_;
    for (ir::ValueId id : op.inputs) {
      shapes.src.push_back(all.dims[id]);
      shapes.host.push_back(all.host[id] ? std::span<const int64_t>(*all.host[id])
                                         : std::span<const int64_t>());
    }
    for (ir::ValueId id : op.outputs) shapes.dst.push_back(all.dims[id]);
    return shapes;
  }

  Result<std::unique_ptr<backends::StepState>> plan_step(const ScheduledStep& scheduled,
                                                         const ConcreteShapes& shapes) {
    const ir::Op& op = network_.ops[scheduled.op];
    return planned(scheduled.step->plan(step_shapes(op, shapes)), op.name);
  }

  Result<std::unique_ptr<backends::StepState>> planned(Result<backends::StepPlan> plan,
                                                       const std::string& name) {
    if (!plan.ok()) return plan.status().with_context(name);
    if (plan->scratch_bytes > static_cast<size_t>(limits_.max_arena_bytes))
      return resource_exhausted(name + " asks for " + std::to_string(plan->scratch_bytes) +
                                " bytes of scratch");
    schedule_->scratch_bytes = std::max(schedule_->scratch_bytes, plan->scratch_bytes);
    return std::move(plan->state);
  }

  // Bytes between the images of a value that lies whole in memory while the tile runs.
  int64_t image_bytes(ir::ValueId id, int32_t tile) const {
    const ir::ValueId root = root_[id];
    if (network_.values[root].is_const() || inside_[root] == tile) return 0;
    return static_cast<int64_t>(shapes_.size_bytes[id]) / schedule_->tiles[tile].batch;
  }

  Status plan_control_step(ScheduledStep& scheduled) {
    const ir::Op& op = network_.ops[scheduled.op];
    GRAFT_ASSIGN_OR_RETURN(scheduled.control, plan_control(op, program_.ops[scheduled.op],
                                                           step_shapes(op, shapes_), limits_));
    if (scheduled.control->scratch_bytes > static_cast<size_t>(limits_.max_arena_bytes))
      return resource_exhausted(op.name + " asks for " +
                                std::to_string(scheduled.control->scratch_bytes) +
                                " bytes of scratch");
    schedule_->scratch_bytes = std::max(schedule_->scratch_bytes, scheduled.control->scratch_bytes);
    scheduled.flops = scheduled.control->flops;
    schedule_->flops += scheduled.flops;
    schedule_->reference_flops += scheduled.control->reference_flops;
    return ok_status();
  }

  Status plan_steps() {
    for (size_t s = 0; s < schedule_->steps.size(); ++s) {
      ScheduledStep& scheduled = schedule_->steps[s];
      const ir::Op& op = network_.ops[scheduled.op];
      if (!scheduled.step) {
        GRAFT_RETURN_IF_ERROR(plan_control_step(scheduled));
        continue;
      }
      const int32_t tile = tile_of(static_cast<int32_t>(s));
      const size_t shapes_at = 2 * static_cast<size_t>(std::max(tile, 0));
      GRAFT_ASSIGN_OR_RETURN(scheduled.state,
                             plan_step(scheduled, tile < 0 ? shapes_ : tile_shapes_[shapes_at]));
      if (tile >= 0) {
        if (schedule_->tiles[tile].rest() > 0) {
          GRAFT_ASSIGN_OR_RETURN(scheduled.rest_state,
                                 plan_step(scheduled, tile_shapes_[shapes_at + 1]));
        }
        for (ir::ValueId id : op.inputs) scheduled.src_image_bytes.push_back(image_bytes(id, tile));
        for (ir::ValueId id : op.outputs)
          scheduled.dst_image_bytes.push_back(image_bytes(id, tile));
      }
      const backends::StepShapes shapes = step_shapes(op, shapes_);
      scheduled.flops = ir::flops(op, shapes.src, shapes.dst);
      schedule_->flops += scheduled.flops;
      if (scheduled.step->is_reference()) schedule_->reference_flops += scheduled.flops;
    }
    return ok_status();
  }

  const Program& program_;
  const ir::Network& network_;
  const ScheduleInputs& inputs_;
  ConcreteShapes shapes_;
  std::vector<ConcreteShapes> tile_shapes_;  // two a tile: of its images, and of the rest
  std::vector<int32_t> inside_;              // per value: the tile that it never leaves, or -1
  const int threads_;
  const Limits& limits_;
  std::shared_ptr<Schedule> schedule_;
  std::vector<ir::ValueId> root_;  // per value: the value that has its elements
};

}  // namespace

Result<std::shared_ptr<const Schedule>> make_schedule(const Program& program,
                                                      const ScheduleInputs& inputs,
                                                      std::vector<int64_t> key, int threads,
                                                      const Limits& limits) {
  GRAFT_ASSIGN_OR_RETURN(ConcreteShapes shapes, infer_shapes(program, inputs, limits));
  return Scheduler(program, inputs, std::move(shapes), threads, limits).run(std::move(key));
}

}  // namespace graft::engine
