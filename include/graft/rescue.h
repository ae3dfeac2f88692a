// rescue: a graph of TensorFlow's TensorRT converter without its engines.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "graft/status.h"

namespace graft {

struct Rescued {
  std::vector<std::byte> graph;      // GraphDef
  std::vector<std::string> engines;  // names of the nodes that were turned back
};

// Puts in place of each engine node (TRTEngineOp, GraftEngineOp) the nodes of its native segment, a
// function of the library ("<engine>_native_segment"), under the names that they had before the
// conversion, in the bodies of functions, too; TRTCalibOps are taken out. Neither a plan nor
// TensorRT is needed. Unsupported for an engine without a native segment (TF-TRT before 1.10 kept
// none); InvalidGraph for a segment that does not fit its engine.
Result<Rescued> rescue(std::span<const std::byte> graph);

}  // namespace graft
