// The report's view of a canonical network: its layers with their dtypes, work and kernels.
#pragma once

#include <vector>

#include "engine/plan/plan.h"
#include "graft/report.h"
#include "ir/network.h"

namespace graft::convert_detail {

// Extents of a value at the tuning batch: symbolic dims are evaluated with every unknown input dim
// at 1, dim 0 of an input at `batch`.
std::vector<int64_t> extents(const ir::Network& network, const ir::TensorType& type, int64_t batch);

std::vector<LayerReport> describe_layers(const ir::Network& network, const engine::PlanFacts& plan,
                                         int64_t batch, bool strict_math);

// Bytes over the engine's border at the tuning batch.
int64_t boundary_bytes(const ir::Network& network, int64_t batch);

// Share of FLOPs whose op no kernel of this machine takes but the reference evaluator; 0..1.
double reference_share(const ir::Network& network, const std::vector<LayerReport>& layers);

}  // namespace graft::convert_detail
