// Canonical numbering of a network for its plan: inputs, constants in order of first use, then op
// outputs in order. Constants of equal bytes share one blob; unused constants are left out.
#pragma once

#include <vector>

#include "engine/plan/constants.h"
#include "engine/write/storage.h"

namespace graft::engine {

struct CanonicalConstant {
  ir::ValueId value;  // in the network
  DType stored;
  uint32_t blob;
};

struct CanonicalNetwork {
  std::vector<int32_t> number;  // per value of the network; -1: not in the plan
  std::vector<CanonicalConstant> constants;
  std::vector<CanonicalNetwork> bodies;  // of all ops, in order
};

struct Canonical : CanonicalNetwork {
  std::vector<BlobRange> blobs;  // of the network and all bodies
  Rope weights;                  // the section: the blobs with zeros between them
};

// InvalidGraph when a constant's bytes do not fit its type.
Result<Canonical> canonical_numbering(const ir::Network& network, const Storage& storage);

}  // namespace graft::engine
