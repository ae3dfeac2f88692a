// Borders of segments: what they read and what others read of them.
#pragma once

#include "partition/segment.h"

namespace graft::partition {

// Fills consts, inputs, outputs and control_inputs of every segment from `segment_of`.
void fill_borders(const graphdef::Graph& graph, std::span<const NodeClass> classes,
                  std::span<const graphdef::InputRef> fetched, Segmentation& segmentation);

}  // namespace graft::partition
