// Which values must be known before scheduling: small integer tensors that decide shapes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ir/network.h"

namespace graft::engine {

// Inputs of more elements than this are never read before scheduling.
constexpr int64_t kMaxHostElems = 64;

// Whether input i of an op of this kind decides its output's shape or layout by value.
bool is_host_slot(ir::OpKind kind, size_t input);

// Indices of the network inputs on whose values a host slot depends that is not known from shapes
// alone.
std::vector<int32_t> find_host_inputs(const ir::Network& network);

}  // namespace graft::engine
