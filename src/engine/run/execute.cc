#include "engine/run/execute.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "base/check.h"
#include "engine/run/control.h"

namespace graft::engine {
namespace {

// Elements of empty tensors: never read, but not null.
alignas(64) const std::byte kNothing[64] = {};

class BackendRun {
 public:
  BackendRun(const backends::Backend* backend, int threads) : backend_(backend) {
    if (backend_) backend_->begin_run(threads);
  }
  ~BackendRun() {
    if (backend_) backend_->end_run();
  }
  BackendRun(const BackendRun&) = delete;
  BackendRun& operator=(const BackendRun&) = delete;

 private:
  const backends::Backend* backend_;
};

class BackendThreads final : public RunThreads {
 public:
  BackendThreads(const backends::Backend* backend, int threads)
      : backend_(backend), count_(backend ? threads : 1) {}
  int count() const override { return count_; }
  void parallel(int64_t num_tasks, int max_workers, Task task, void* context) const override {
    max_workers = std::min(max_workers, count_);
    if (backend_) return backend_->parallel(num_tasks, max_workers, task, context);
    for (int64_t t = 0; t < num_tasks; ++t) task(context, t, 0);
  }

 private:
  const backends::Backend* backend_;
  int count_;
};

bool misaligned(const void* data, DType dtype) {
  return reinterpret_cast<uintptr_t>(data) % dtype_size(dtype) != 0;
}

bool overlaps(const void* a, size_t a_bytes, const void* b, size_t b_bytes) {
  const auto x = reinterpret_cast<uintptr_t>(a), y = reinterpret_cast<uintptr_t>(b);
  return x < y + b_bytes && y < x + a_bytes;
}

class Run {
 public:
  Run(const RunArgs& args, Context& context)
      : args_(args), network_(args.program.network), schedule_(args.schedule), c_(context) {}

  Status run() {
    c_.values.resize(network_.values.size());
    c_.sinks.resize(network_.outputs.size());
    c_.stand_ins.resize(network_.inputs.size() + network_.outputs.size());
    if (args_.profile) c_.times_ns.assign(schedule_.steps.size(), 0);
    GRAFT_RETURN_IF_ERROR(ask_sink());
    GRAFT_RETURN_IF_ERROR(bind_values());
    GRAFT_RETURN_IF_ERROR(run_steps());
    copy_outputs();
    return ok_status();
  }

 private:
  Status ask_sink() {
    for (size_t k = 0; k < network_.outputs.size(); ++k) {
      const ir::ValueId id = network_.outputs[k];
      c_.sinks[k] = args_.sink.allocate(static_cast<int>(k), network_.values[id].type.dtype,
                                        schedule_.dims[id], schedule_.size_bytes[id]);
      if (!c_.sinks[k] && schedule_.size_bytes[id] != 0)
        return resource_exhausted("no memory for output '" + network_.values[id].name + "' of " +
                                  std::to_string(schedule_.size_bytes[id]) + " bytes");
    }
    return ok_status();
  }

  // Memory of border `index` (inputs, then outputs) that is private to this run.
  Result<std::byte*> stand_in(size_t index, size_t size_bytes) {
    Buffer& buffer = c_.stand_ins[index];
    if (buffer.size() < size_bytes) {
      GRAFT_ASSIGN_OR_RETURN(buffer, Buffer::allocate(size_bytes));
    }
    return buffer.data();
  }

  Result<const std::byte*> bind_input(size_t index, size_t size_bytes) {
    const TensorRef& input = args_.inputs[index];
    if (size_bytes == 0) return kNothing;
    if (!misaligned(input.data, input.dtype)) return static_cast<const std::byte*>(input.data);
    GRAFT_ASSIGN_OR_RETURN(std::byte * copy, stand_in(index, size_bytes));
    std::memcpy(copy, input.data, size_bytes);
    return copy;
  }

  // Where the step writes output k: the sink's memory, unless a step could not use it or would
  // overwrite an input.
  Result<const std::byte*> bind_output(size_t k, ir::ValueId id) {
    bool direct = !misaligned(c_.sinks[k], network_.values[id].type.dtype);
    for (size_t i = 0; direct && i < args_.inputs.size(); ++i)
      direct = !overlaps(c_.sinks[k], schedule_.size_bytes[id], args_.inputs[i].data,
                         args_.inputs[i].size_bytes);
    if (direct) return static_cast<const std::byte*>(c_.sinks[k]);
    GRAFT_ASSIGN_OR_RETURN(std::byte * memory,
                           stand_in(network_.inputs.size() + k, schedule_.size_bytes[id]));
    return memory;
  }

  Status bind_values() {
    for (size_t id = 0; id < c_.values.size(); ++id) {
      const Slot& slot = schedule_.slots[id];
      const std::byte*& data = c_.values[id];
      switch (slot.place) {
        case Place::kInput: {
          GRAFT_ASSIGN_OR_RETURN(
              data, bind_input(static_cast<size_t>(slot.index), schedule_.size_bytes[id]));
          break;
        }
        case Place::kOutput: {
          GRAFT_ASSIGN_OR_RETURN(
              data, bind_output(static_cast<size_t>(slot.index), static_cast<ir::ValueId>(id)));
          break;
        }
        case Place::kResident:
          data = args_.program.resident[id];
          break;
        case Place::kHost:
          data = schedule_.host_data.data() + slot.index;
          break;
        case Place::kArena:
          data = schedule_.size_bytes[id] ? c_.memory.data() + slot.index : kNothing;
          break;
        case Place::kNone:
        case Place::kView:
          data = nullptr;
          break;
      }
    }
    for (size_t id = 0; id < c_.values.size(); ++id) {
      const Slot& slot = schedule_.slots[id];
      if (slot.place == Place::kView) c_.values[id] = c_.values[slot.index];
    }
    return ok_status();
  }

  Status run_steps() {
    const BackendRun backend_run(used_backend(), args_.threads);
    for (size_t i = 0; args_.observer && i < network_.inputs.size(); ++i) {
      const ir::ValueId id = network_.inputs[i];
      GRAFT_RETURN_IF_ERROR(observe(id, c_.values[id], schedule_.dims[id]));
    }
    size_t s = 0;
    for (const BatchTile& tile : schedule_.tiles) {
      GRAFT_RETURN_IF_ERROR(run_until(static_cast<size_t>(tile.begin), s));
      for (int64_t first = 0; first < tile.batch; first += tile.images) {
        const Images images{first, std::min(tile.images, tile.batch - first),
                            tile.batch - first < tile.images};
        for (s = static_cast<size_t>(tile.begin); s < static_cast<size_t>(tile.end); ++s)
          GRAFT_RETURN_IF_ERROR(run_step(s, images));
      }
    }
    return run_until(schedule_.steps.size(), s);
  }

  // Steps [s, end) outside of tiles; s comes out as end.
  Status run_until(size_t end, size_t& s) {
    const Images all;
    while (s < end) {
      const FusedSteps* fused = next_fused(s);
      TapRows* rows = nullptr;
      if (fused && args_.observer) {
        GRAFT_ASSIGN_OR_RETURN(rows, begin_rows(*fused));
      }
      if (fused && (rows || !args_.observer)) {
        GRAFT_RETURN_IF_ERROR(run_fused(*fused, rows));
        s = static_cast<size_t>(fused->end);
      } else {
        GRAFT_RETURN_IF_ERROR(run_step(s++, all));
      }
    }
    return ok_status();
  }

  // The fused steps that begin with step s; null: none. To be asked in order.
  const FusedSteps* next_fused(size_t s) {
    const auto& fused = schedule_.fused;
    while (next_fused_ < fused.size() && static_cast<size_t>(fused[next_fused_].begin) < s)
      ++next_fused_;
    const bool here =
        next_fused_ < fused.size() && static_cast<size_t>(fused[next_fused_].begin) == s;
    return here ? &fused[next_fused_] : nullptr;
  }

  // Passes the rows of the steps' dst on to where the observer takes those that it wants to see.
  class ShownRows final : public backends::StepRows {
   public:
    ShownRows(TapRows& to, std::span<const int> which) : to_(to), which_(which) {}
    void rows(size_t which, int64_t image, int64_t row, int64_t count, const float* data,
              int worker) override {
      if (which_[which] >= 0)
        to_.rows(static_cast<size_t>(which_[which]), image, row, count, data, worker);
    }

   private:
    TapRows& to_;
    const std::span<const int> which_;
  };

  // Null: the steps' dst are to be shown whole.
  Result<TapRows*> begin_rows(const FusedSteps& fused) {
    if (!fused.step->shows_rows(fused.state.get())) return nullptr;
    std::vector<TapObserver::ShownTensor> tensors;
    shown_.clear();
    for (int32_t s = fused.begin; s < fused.end; ++s) {
      const ir::ValueId id = network_.ops[schedule_.steps[static_cast<size_t>(s)].op].outputs[0];
      const int32_t tap = args_.taps->of_value[id];
      shown_.push_back(tap < 0 ? -1 : static_cast<int>(tensors.size()));
      if (tap >= 0) tensors.push_back({static_cast<size_t>(tap), schedule_.dims[id]});
    }
    return args_.observer->begin_rows(tensors, args_.threads);
  }

  // rows: null, or what begin_rows gave.
  Status run_fused(const FusedSteps& fused, TapRows* rows) {
    c_.src.clear();
    c_.dst.clear();
    const auto last = static_cast<size_t>(fused.end - 1);
    for (auto s = static_cast<size_t>(fused.begin); s <= last; ++s) {
      const ir::Op& op = network_.ops[schedule_.steps[s].op];
      for (ir::ValueId id : op.inputs) c_.src.push_back(c_.values[id]);
      for (ir::ValueId id : op.outputs) c_.dst.push_back(const_cast<std::byte*>(c_.values[id]));
    }
    if (args_.stop.stop_requested())
      return cancelled("stopped before " + network_.ops[schedule_.steps[last].op].name);
    const auto begin =
        args_.profile ? std::chrono::steady_clock::now() : std::chrono::steady_clock::time_point();
    std::byte* scratch = c_.memory.data() + schedule_.arena_bytes;
    if (rows) {
      ShownRows shown(*rows, shown_);
      fused.step->run_shown(fused.state.get(), c_.src.data(), c_.dst.data(), scratch, shown);
      return args_.observer->end_rows();
    }
    fused.step->run(fused.state.get(), c_.src.data(), c_.dst.data(), scratch);
    if (args_.profile) {
      c_.times_ns[last] +=
          std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin)
              .count();
    }
    return ok_status();
  }

  // The images of the batch that a step runs for; count 0: not in a tile.
  struct Images {
    int64_t first = 0, count = 0;
    bool rest = false;
  };

  Status run_step(size_t s, const Images& images) {
    const ScheduledStep& step = schedule_.steps[s];
    const ir::Op& op = network_.ops[step.op];
    if (args_.stop.stop_requested()) return cancelled("stopped before " + op.name);
    c_.src.clear();
    c_.dst.clear();
    for (size_t i = 0; i < op.inputs.size(); ++i) {
      const int64_t offset = images.count > 0 ? images.first * step.src_image_bytes[i] : 0;
      c_.src.push_back(c_.values[op.inputs[i]] ? c_.values[op.inputs[i]] + offset : nullptr);
    }
    for (size_t i = 0; i < op.outputs.size(); ++i) {
      const int64_t offset = images.count > 0 ? images.first * step.dst_image_bytes[i] : 0;
      c_.dst.push_back(const_cast<std::byte*>(c_.values[op.outputs[i]]) + offset);
    }
    const backends::StepState* state = images.rest ? step.rest_state.get() : step.state.get();
    std::byte* scratch = c_.memory.data() + schedule_.arena_bytes;
    const auto run = [&] {
      if (step.control)
        run_control(*step.control, c_.src.data(), c_.dst.data(), scratch, args_.stop);
      else
        step.step->run(state, c_.src.data(), c_.dst.data(), scratch);
    };
    if (args_.profile) {
      const auto begin = std::chrono::steady_clock::now();
      run();
      c_.times_ns[s] +=
          std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin)
              .count();
      return ok_status();
    }
    run();
    return args_.observer ? observe_outputs(op, images) : ok_status();
  }

  // Of a tile, what it has just made: whole images.
  Status observe_outputs(const ir::Op& op, const Images& images) {
    for (size_t i = 0; i < op.outputs.size(); ++i) {
      const ir::ValueId id = op.outputs[i];
      std::vector<int64_t> dims = schedule_.dims[id];
      if (images.count > 0) dims[0] = images.count;
      GRAFT_RETURN_IF_ERROR(observe(id, static_cast<const std::byte*>(c_.dst[i]), dims));
    }
    return ok_status();
  }

  Status observe(ir::ValueId id, const std::byte* data, const std::vector<int64_t>& dims) {
    const int32_t tap = args_.taps->of_value[id];
    if (tap < 0 || schedule_.size_bytes[id] == 0) return ok_status();
    size_t elems = 1;
    for (int64_t d : dims) elems *= static_cast<size_t>(d);
    const ir::TensorType& type = network_.values[id].type;
    if (type.scale > 0) {
      reals_.resize(elems);
      for (size_t i = 0; i < elems; ++i) {
        const int q = type.dtype == DType::kUint8 ? std::to_integer<int>(data[i])
                                                  : static_cast<int8_t>(data[i]);
        reals_[i] = static_cast<float>(q) * type.scale;
      }
      data = reinterpret_cast<const std::byte*>(reals_.data());
    }
    return args_.observer->observe_with(static_cast<size_t>(tap),
                                        {reinterpret_cast<const float*>(data), elems}, dims,
                                        BackendThreads(used_backend(), args_.threads));
  }

  void copy_outputs() {
    for (size_t id = 0; id < c_.values.size(); ++id) {
      const Slot& slot = schedule_.slots[id];
      if (slot.place == Place::kOutput && c_.values[id] != c_.sinks[slot.index])
        std::memcpy(c_.sinks[slot.index], c_.values[id], schedule_.size_bytes[id]);
    }
    for (const OutputCopy& copy : schedule_.copies) {
      // memmove: a sink may hand out the memory of the input that it receives.
      std::memmove(c_.sinks[copy.output], c_.values[copy.value], schedule_.size_bytes[copy.value]);
    }
  }

  const backends::Backend* used_backend() const {
    return args_.use_backend ? args_.program.backend : nullptr;
  }

  const RunArgs& args_;
  const ir::Network& network_;
  const Schedule& schedule_;
  Context& c_;
  size_t next_fused_ = 0;
  std::vector<int> shown_;    // of fused steps: which of the observer's tensors each one's dst is
  std::vector<float> reals_;  // of the quantized tensor that the observer sees
};

}  // namespace

Status execute(const RunArgs& args, Context& context) { return Run(args, context).run(); }

}  // namespace graft::engine
