// The frame in which each node runs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "graphdef/graph.h"

namespace graft::frontend {

struct LoopFrame {
  std::string name;
  int32_t parent = -1;
  int depth = 0;
  std::string broken;  // why it is none that TensorFlow would run; "": it may be one
};

struct LoopFrames {
  std::vector<LoopFrame> all;  // 0: the graph itself
  std::vector<int32_t> of;     // per node; an Enter is in the frame that it enters, an Exit outside
};

LoopFrames find_frames(const graphdef::Graph& graph);

// Nodes of which dead tensors or frames are made, which no function body may hold.
bool is_frame_op(std::string_view op);

}  // namespace graft::frontend
