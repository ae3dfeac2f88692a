// What merge_affine and fold_affine share: reading an op as y = act(x * scale + shift) per channel
// of the last axis.
#pragma once

#include <optional>
#include <vector>

#include "passes/editor.h"

namespace graft::passes {

struct AffineForm {
  ir::ValueId x = ir::kNoValue;
  std::vector<double> scale, shift;
  ir::Activation act;
};

// A float32 Affine op with constant operands, or Add, Sub, Mul, Div with a per-channel or scalar
// constant.
std::optional<AffineForm> as_affine(Editor& edit, const ir::Op& op);

bool all_finite(const std::vector<double>& elems);  // as float32

}  // namespace graft::passes
