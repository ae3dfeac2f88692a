#include "engine/plan/container.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/checked.h"
#include "base/fault.h"
#include "base/log.h"
#include "engine/plan/chunk_digests.h"

namespace graft::engine {
namespace {

constexpr char kMagic[4] = {'G', 'R', 'F', 'T'};
constexpr uint64_t kMaxMetadataBytes = (uint64_t{1} << 31) - 1;  // of FlatBuffers
constexpr size_t kWriterOffset = 8, kWriterBytes = 32, kMetadataBytesOffset = 40;
constexpr size_t kWeightsBytesOffset = 48, kWorkspaceOffset = 56, kBatchOffset = 64;
constexpr size_t kIdentityOffset = 72, kReservedOffset = 104, kSealOffset = 224;

void put_le(std::byte* dst, uint64_t value, int size_bytes) {
  for (int i = 0; i < size_bytes; ++i) dst[i] = static_cast<std::byte>(value >> (8 * i));
}

uint64_t get_le(const std::byte* src, int size_bytes) {
  uint64_t value = 0;
  for (int i = 0; i < size_bytes; ++i) value |= std::to_integer<uint64_t>(src[i]) << (8 * i);
  return value;
}

bool all_zero(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

// Seal: SHA-256 over header (less the seal), metadata, digests and the padding between them.
Digest compute_seal(std::span<const std::byte> plan, const PlanLayout& layout) {
  Sha256 hash;
  hash.update(plan.first(kSealOffset));
  hash.update(plan.subspan(kPlanHeaderBytes, layout.weights - kPlanHeaderBytes));
  return hash.finish();
}

std::optional<int64_t> align_up(int64_t offset) {
  const std::optional<int64_t> end = checked_add(offset, kPlanAlignment - 1);
  if (!end) return std::nullopt;
  return *end / static_cast<int64_t>(kPlanAlignment) * static_cast<int64_t>(kPlanAlignment);
}

Status wrong_magic(std::span<const std::byte> bytes) {
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()),
                              std::min<size_t>(bytes.size(), 4));
  std::string text = "not a Graft plan: starts with '" + printable(head) + "', expected 'GRFT'";
  if (head == "ftrt" || head == "ptrt" || head == "blob")
    text += "; it looks like a TensorRT plan, see `graft rescue`";
  return plan_error(text);
}

Result<PlanHeader> read_header(std::span<const std::byte> bytes) {
  if (bytes.empty()) return plan_error("plan is empty");
  if (std::memcmp(bytes.data(), kMagic, std::min<size_t>(bytes.size(), sizeof kMagic)) != 0)
    return wrong_magic(bytes);
  if (bytes.size() < 8)
    return plan_error("plan is truncated: " + std::to_string(bytes.size()) +
                      " bytes, the header has " + std::to_string(kPlanHeaderBytes));
  PlanHeader h;
  h.format_version = static_cast<uint32_t>(get_le(&bytes[4], 4));
  if (h.format_version != kPlanFormatVersion) {
    std::string writer;
    if (bytes.size() >= kPlanHeaderBytes) {
      const std::string_view field(reinterpret_cast<const char*>(&bytes[kWriterOffset]),
                                   kWriterBytes);
      writer = ", written by '" + printable(field.substr(0, field.find('\0'))) + "'";
    }
    return plan_error("plan has format version " + std::to_string(h.format_version) + writer +
                      "; this library (graft " GRAFT_VERSION ") reads format version " +
                      std::to_string(kPlanFormatVersion));
  }
  if (bytes.size() < kPlanHeaderBytes)
    return plan_error("plan is truncated: " + std::to_string(bytes.size()) +
                      " bytes, the header has " + std::to_string(kPlanHeaderBytes));
  const std::string_view writer(reinterpret_cast<const char*>(&bytes[kWriterOffset]), kWriterBytes);
  h.writer = printable(writer.substr(0, writer.find('\0')));
  h.metadata_bytes = get_le(&bytes[kMetadataBytesOffset], 8);
  h.weights_bytes = get_le(&bytes[kWeightsBytesOffset], 8);
  h.max_workspace_bytes = static_cast<int64_t>(get_le(&bytes[kWorkspaceOffset], 8));
  h.tuning_batch = static_cast<int64_t>(get_le(&bytes[kBatchOffset], 8));
  std::memcpy(h.identity.data(), &bytes[kIdentityOffset], h.identity.size());
  return h;
}

}  // namespace

Result<PlanLayout> plan_layout(const PlanHeader& header, const Limits& limits) {
  const Status too_large =
      plan_error("plan sections are too large: metadata " + std::to_string(header.metadata_bytes) +
                 " bytes, weights " + std::to_string(header.weights_bytes) + " bytes, limit " +
                 std::to_string(limits.max_plan_bytes));
  const auto cap = static_cast<uint64_t>(limits.max_plan_bytes);
  if (header.metadata_bytes > cap || header.metadata_bytes >= kMaxMetadataBytes ||
      header.weights_bytes > cap)
    return too_large;
  const auto metadata_bytes = static_cast<int64_t>(header.metadata_bytes);
  const auto weights_bytes = static_cast<int64_t>(header.weights_bytes);
  const int64_t digests_bytes = (weights_bytes / static_cast<int64_t>(kDigestChunkBytes) +
                                 (weights_bytes % static_cast<int64_t>(kDigestChunkBytes) != 0)) *
                                32;
  const auto metadata_end = checked_add(kPlanHeaderBytes, metadata_bytes);
  const auto digests = metadata_end ? align_up(*metadata_end) : std::nullopt;
  const auto digests_end = digests ? checked_add(*digests, digests_bytes) : std::nullopt;
  const auto weights = digests_end ? align_up(*digests_end) : std::nullopt;
  const auto total = weights ? checked_add(*weights, weights_bytes) : std::nullopt;
  if (!total) return too_large;
  return PlanLayout{kPlanHeaderBytes, static_cast<size_t>(*digests),
                    static_cast<size_t>(digests_bytes), static_cast<size_t>(*weights),
                    static_cast<size_t>(*total)};
}

Digest plan_identity(std::span<const std::byte> metadata, std::span<const std::byte> digests) {
  Sha256 hash;
  hash.update("graft plan identity 1");
  hash.update_u64(metadata.size());
  hash.update(metadata);
  hash.update_u64(digests.size());
  hash.update(digests);
  return hash.finish();
}

Result<OpenPlan> open_container(std::span<const std::byte> bytes, const Limits& limits) {
  GRAFT_ASSIGN_OR_RETURN(PlanHeader header, read_header(bytes));
  GRAFT_ASSIGN_OR_RETURN(const PlanLayout layout, plan_layout(header, limits));
  if (layout.total != bytes.size())
    return plan_error("plan has " + std::to_string(bytes.size()) + " bytes, its header says " +
                      std::to_string(layout.total));
  if (compute_seal(bytes, layout) != [&] {
        Digest seal;
        std::memcpy(seal.data(), &bytes[kSealOffset], seal.size());
        return seal;
      }())
    return plan_error("plan is corrupt: the checksum of header and metadata does not match");
  const auto metadata = bytes.subspan(layout.metadata, header.metadata_bytes);
  const auto digests = bytes.subspan(layout.digests, layout.digests_bytes);
  const size_t metadata_end = layout.metadata + metadata.size();
  const size_t digests_end = layout.digests + digests.size();
  if (!all_zero(bytes.subspan(kReservedOffset, kSealOffset - kReservedOffset)) ||
      !all_zero(bytes.subspan(metadata_end, layout.digests - metadata_end)) ||
      !all_zero(bytes.subspan(digests_end, layout.weights - digests_end)))
    return plan_error("plan has bytes in its padding or reserved fields");
  if (header.max_workspace_bytes < 0 || header.tuning_batch < 1)
    return plan_error("plan header has workspace " + std::to_string(header.max_workspace_bytes) +
                      " and batch " + std::to_string(header.tuning_batch));
  if (plan_identity(metadata, digests) != header.identity)
    return plan_error("plan identity does not match its content");
  const auto weights = bytes.subspan(layout.weights);
  if (const int64_t bad = first_bad_chunk(weights, digests);
      bad >= 0 && !GRAFT_FAULT(plan_digest_ignored))
    return plan_error("plan is corrupt: the checksum of weights MiB " + std::to_string(bad) +
                      " does not match");
  return OpenPlan{std::move(header), metadata, weights};
}

void seal_container(std::span<std::byte> plan, PlanHeader& header, const PlanLayout& layout) {
  GRAFT_CHECK(plan.size() == layout.total);
  Rope weights;
  weights.append_view(plan.subspan(layout.weights));
  seal_container(plan.first(layout.weights), weights, header, layout);
}

void seal_container(std::span<std::byte> plan, const Rope& weights, PlanHeader& header,
                    const PlanLayout& layout) {
  GRAFT_CHECK(plan.size() == layout.weights && layout.weights + weights.size() == layout.total &&
              header.writer.size() < kWriterBytes);
  const auto metadata = plan.subspan(layout.metadata, header.metadata_bytes);
  const auto digests = plan.subspan(layout.digests, layout.digests_bytes);
  digest_chunks(weights, digests);
  header.identity = plan_identity(metadata, digests);
  std::memcpy(plan.data(), kMagic, sizeof kMagic);
  put_le(&plan[4], header.format_version, 4);
  std::memcpy(&plan[kWriterOffset], header.writer.data(), header.writer.size());
  put_le(&plan[kMetadataBytesOffset], header.metadata_bytes, 8);
  put_le(&plan[kWeightsBytesOffset], header.weights_bytes, 8);
  put_le(&plan[kWorkspaceOffset], static_cast<uint64_t>(header.max_workspace_bytes), 8);
  put_le(&plan[kBatchOffset], static_cast<uint64_t>(header.tuning_batch), 8);
  std::memcpy(&plan[kIdentityOffset], header.identity.data(), header.identity.size());
  const Digest seal = compute_seal(plan, layout);
  std::memcpy(&plan[kSealOffset], seal.data(), seal.size());
}

}  // namespace graft::engine
