// Schedule: everything about a run that depends on the input shapes: extents, offsets, per-step
// state. Immutable.
#pragma once

#include <memory>
#include <vector>

#include "base/limits.h"
#include "engine/lower/program.h"
#include "engine/run/batch_tiles.h"

namespace graft::engine {

// Where the elements of a value are while running.
enum class Place : uint8_t {
  kNone,      // nowhere: packed into steps, or empty
  kInput,     // index: engine input
  kResident,  // constant of the Program
  kHost,      // index: offset into Schedule::host_data
  kArena,     // index: offset into the context's arena
  kOutput,    // index: engine output, written where the sink says
  kView,      // index: the value that has the elements
};

struct Slot {
  Place place = Place::kNone;
  int64_t index = 0;
};

struct ControlPlan;  // engine/run/control.h

struct ScheduledStep {
  int32_t op = 0;
  const backends::Step* step = nullptr;
  std::shared_ptr<const ControlPlan> control;  // of While and Branch, instead of `step`
  std::unique_ptr<backends::StepState> state;
  double flops = 0;
  // In a batch tile `state` is for one tile, rest_state for the last one where it is smaller, and
  // these say by how many bytes an image moves each input and output; 0: it lies in the tile
  // itself.
  std::unique_ptr<backends::StepState> rest_state;
  std::vector<int64_t> src_image_bytes, dst_image_bytes;
};

// Steps [begin, end) as one, unless an observer wants to see what lies between them.
struct FusedSteps {
  int32_t begin = 0, end = 0;
  const backends::Step* step = nullptr;
  std::unique_ptr<backends::StepState> state;
};

// An output that no step writes directly: copied from `value` at the end.
struct OutputCopy {
  int32_t output = 0;
  ir::ValueId value = 0;
};

struct Schedule {
  std::vector<int64_t> key;                // of the schedule cache
  std::vector<std::vector<int64_t>> dims;  // per value
  std::vector<size_t> size_bytes;          // per value
  std::vector<Slot> slots;                 // per value
  std::vector<ScheduledStep> steps;  // in order; those that only make empty tensors are left out
  std::vector<BatchTile> tiles;      // stretches of `steps`; disjoint, in order
  std::vector<FusedSteps> fused;     // the same, and outside of tiles
  std::vector<OutputCopy> copies;
  std::vector<std::byte> host_data;  // elements of shape arithmetic, 8-byte aligned each
  size_t arena_bytes = 0;            // activations
  size_t scratch_bytes = 0;          // of the neediest step
  double flops = 0, reference_flops = 0;
};

// Concrete inputs of a schedule. host[i]: elements of Program::host_inputs[i]; empty when it has
// too many.
struct ScheduleInputs {
  std::vector<std::vector<int64_t>> dims;
  std::vector<std::vector<int64_t>> host;
};

// InvalidArgument when the shapes do not go through the network, naming the op; ResourceExhausted
// beyond the limits.
Result<std::shared_ptr<const Schedule>> make_schedule(const Program& program,
                                                      const ScheduleInputs& inputs,
                                                      std::vector<int64_t> key, int threads,
                                                      const Limits& limits = {});

}  // namespace graft::engine
