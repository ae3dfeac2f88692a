// What a convolution's step shows to a step that is fused of several (conv_block.h).
#pragma once

#include <memory>

#include "backends/backend.h"
#include "backends/cpu/conv/conv2d.h"
#include "ir/attrs.h"

namespace graft::cpu {

enum class ConvPartKind { kOther, kProduct, kDepthwise };

// Belongs to the step, as does all it points to.
struct ConvPart {
  ConvPartKind kind = ConvPartKind::kOther;
  const ir::ConvAttrs* attrs = nullptr;
  const ConvShape* shape = nullptr;  // without batch, extents and pads
  int inputs = 0;                    // of the op
  int residual = -1;                 // which of them; -1: none
  int src_bytes = 4, dst_bytes = 4;  // of an element; the residual's are dst's
  int64_t weights_bytes = 0;         // packed, of a product
};

// Where the rows of one image of src lie: row y at first + y % slots * row_bytes.
struct PartRows {
  const std::byte* first = nullptr;
  int64_t slots = 0, row_bytes = 0;
};

class ConvPartSource {
 public:
  virtual ConvPart part() const = 0;

  // kProduct with a 1x1 kernel: `rows` dense pixels; residual may be null.
  virtual int64_t pixels_scratch_bytes(int64_t /*rows*/) const { return 0; }
  virtual void run_pixels(const void* /*src*/, int64_t /*rows*/, const void* /*residual*/,
                          void* /*dst*/, std::byte* /*scratch*/) const {}

  // kDepthwise: what run_row needs for a shape, and output row oy of one image, whose input rows
  // lie in `rows`.
  virtual std::unique_ptr<backends::StepState> plan_rows(const ConvShape& /*shape*/) const {
    return nullptr;
  }
  virtual void run_row(const backends::StepState& /*plan*/, const PartRows& /*rows*/,
                       int64_t /*oy*/, void* /*dst*/) const {}

 protected:
  ~ConvPartSource() = default;
};

}  // namespace graft::cpu
