// The plan: a canonical Network with weights, portable and self-checking (docs/plan-format.md).
// Data only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/status.h"
#include "graft/convert.h"
#include "graft/rope.h"
#include "ir/network.h"

namespace graft::engine {

// Options that change the answer; part of the identity.
struct PlanOptions {
  // kFp16, kBf16: storage of large weights; kBf16: operands of products, too.
  Precision precision = Precision::kFp32;
  bool strict_math = false;
  int64_t max_workspace_bytes = int64_t{1} << 30;  // not part of the identity
  int64_t tuning_batch = 1;                        // not part of the identity
};

// What became of each weight at its storage precision.
struct PlanFacts {
  std::string identity;  // 64 hex digits
  int64_t weights_bytes = 0;
  std::vector<std::string> warnings;       // layers kept in FP32 and why
  DType narrow_dtype = DType::kInvalid;    // what the narrow_values are stored in
  std::vector<std::string> narrow_values;  // names of constants stored in half or bfloat16
};

struct WrittenPlan : PlanFacts {
  std::vector<std::byte> bytes;
};

struct PlanPieces : PlanFacts {
  Rope bytes;  // shares the constants of the network, and views those that have no owner
};

// Serializes; the network must be verified. Same network and options -> same bytes.
Result<PlanPieces> write_plan_pieces(const ir::Network& network, const PlanOptions& options);
// The same in one piece.
Result<WrittenPlan> write_plan(const ir::Network& network, const PlanOptions& options);

struct Plan {
  ir::Network network;  // constants own or share their (aligned) bytes
  PlanOptions options;
  std::string identity;
  uint32_t format_version = 0;
  std::string writer;
};

// Checks header, digests, metadata (FlatBuffers verifier) and the network (ir::verify); PlanError
// otherwise. The result does not refer to `bytes`.
Result<Plan> read_plan(std::span<const std::byte> bytes, const Limits& limits = {});

}  // namespace graft::engine
