// The GRFT container: a fixed little-endian header and three sections whose places follow from
// their sizes, so that nothing can overlap or leave a hole. docs/plan-format.md is the prose.
//   [0, 256)      header
//   metadata      FlatBuffers (plan.fbs)
//   digests       SHA-256 of every MiB of the weights section
//   weights       constants, each aligned to 64 bytes within the plan
// Sections start at multiples of 64; padding is zero. The seal covers everything before the weights
// but itself.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/hash.h"
#include "base/limits.h"
#include "base/status.h"
#include "graft/rope.h"

namespace graft::engine {

constexpr uint32_t kPlanFormatVersion = 1;
constexpr size_t kPlanHeaderBytes = 256;
constexpr size_t kPlanAlignment = 64;
constexpr size_t kDigestChunkBytes = size_t{1} << 20;

struct PlanHeader {
  uint32_t format_version = kPlanFormatVersion;
  std::string writer;  // at most 31 printable characters
  uint64_t metadata_bytes = 0;
  uint64_t weights_bytes = 0;
  int64_t max_workspace_bytes = 0;
  int64_t tuning_batch = 0;
  Digest identity{};
};

// Offsets within the plan.
struct PlanLayout {
  size_t metadata, digests, digests_bytes, weights, total;
};
// PlanError when the sizes overflow or pass the limits.
Result<PlanLayout> plan_layout(const PlanHeader& header, const Limits& limits);

// A plan whose header, seal and weight digests were checked. Sections view the plan's bytes.
struct OpenPlan {
  PlanHeader header;
  std::span<const std::byte> metadata, weights;
};
Result<OpenPlan> open_container(std::span<const std::byte> bytes, const Limits& limits);

// Fills header, digests and seal of `plan`, whose metadata and weights sections hold their bytes
// already and whose padding is zero. Computes the identity.
void seal_container(std::span<std::byte> plan, PlanHeader& header, const PlanLayout& layout);
// The same with the weights section elsewhere: `head` is everything before it.
void seal_container(std::span<std::byte> head, const Rope& weights, PlanHeader& header,
                    const PlanLayout& layout);

// What the node carries: hash of metadata (ops, types, options that change the answer) and weights.
Digest plan_identity(std::span<const std::byte> metadata, std::span<const std::byte> digests);

}  // namespace graft::engine
