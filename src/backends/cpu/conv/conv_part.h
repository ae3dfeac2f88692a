// What a convolution's step shows to a step that is fused of several (conv_block.h).
#pragma once

#include "backends/cpu/conv/conv2d.h"
#include "ir/attrs.h"

namespace graft::cpu {

// Belongs to the step, as does all it points to.
struct ConvPart {
  const ir::ConvAttrs* attrs = nullptr;
  const ConvShape* shape = nullptr;  // without batch, extents and pads
  const Epilogue* epilogue = nullptr;
  const ComputeTable* table = nullptr;
  const float* bias = nullptr;  // null: none, or one known only while running
  int inputs = 0;               // of the op
  // Packed weights: of the implicit GEMM or the depthwise kernel; both null for other kernels.
  const ConvWeights* igemm = nullptr;
  const float* depthwise = nullptr;
};

class ConvPartSource {
 public:
  virtual ConvPart part() const = 0;

 protected:
  ~ConvPartSource() = default;
};

}  // namespace graft::cpu
