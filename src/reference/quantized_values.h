// Tensors of quantized ops as integers and as real numbers, and the storing of results, as
// ir/quantized.h fixes it.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/values.h"

namespace graft::reference {

struct IntTensor {
  std::vector<int64_t> q;
  float scale = 0;
};

IntTensor integers(const ConstTensor& t);
std::vector<float> floats(const ConstTensor& t);
void put_floats(const MutTensor& dst, const std::vector<float>& v);
// store(v) of the contract, for values that are in units of q already.
void put_quantized(const MutTensor& dst, const std::vector<float>& v);

Status evaluate_quantized_attention(const Call& c);

}  // namespace graft::reference
