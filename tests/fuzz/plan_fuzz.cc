// Plan bytes: read, load, run on tiny inputs. A changed byte breaks the seal, so the bytes are
// tried as they are and with header and digests made right again, which reaches the verifier and
// the kernels.
#include <vector>

#include "alloc_cap.h"
#include "engine/plan/container.h"
#include "engine/plan/plan.h"
#include "fuzz_run.h"
#include "fuzz_target.h"

using namespace graft;

namespace {

void try_plan(std::span<const std::byte> bytes) {
  auto plan = engine::read_plan(bytes);
  if (!plan.ok()) {
    if (plan.status().code() == Code::kInternal) __builtin_trap();
    return;
  }
  EngineOptions options;
  options.threads = 1;
  auto loaded = Engine::load(bytes, options);
  if (loaded.ok()) run_engine(**loaded);
}

// A sealed plan whose metadata and weights are the fuzzed bytes: the first two bytes say where one
// ends.
std::vector<std::byte> sealed(std::span<const std::byte> bytes) {
  if (bytes.size() < 2) return {};
  const size_t split = std::to_integer<size_t>(bytes[0]) | std::to_integer<size_t>(bytes[1]) << 8;
  bytes = bytes.subspan(2);
  const size_t metadata = std::min(split, bytes.size());
  engine::PlanHeader header;
  header.writer = "fuzz";
  header.metadata_bytes = metadata;
  header.weights_bytes = bytes.size() - metadata;
  auto layout = engine::plan_layout(header, Limits());
  if (!layout.ok()) return {};
  std::vector<std::byte> plan(layout->total);
  std::copy_n(bytes.begin(), metadata,
              plan.begin() + static_cast<std::ptrdiff_t>(layout->metadata));
  std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(metadata), bytes.end(),
            plan.begin() + static_cast<std::ptrdiff_t>(layout->weights));
  engine::seal_container(plan, header, *layout);
  return plan;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cap_allocations();
  const auto bytes = std::as_bytes(std::span(data, size));
  try_plan(bytes);
  const std::vector<std::byte> plan = sealed(bytes);
  if (!plan.empty()) try_plan(plan);
  return 0;
}
