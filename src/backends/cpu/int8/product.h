// What quantized convolutions and matrix products have in common: which problems the kernels take,
// and how the op's attributes and constants become bias, multipliers and bounds.
#pragma once

#include <string>

#include "backends/cpu/int8/igemm8.h"
#include "backends/cpu/int8/operand8.h"
#include "backends/cpu/kernel_list.h"

namespace graft::cpu {

// The instruction set's accumulating and finishing functions.
struct Int8Isa {
  const Int8Table* table;
  const Int8Finish* finish;
};
Int8Isa int8_isa_of(const ir::Target& target);

// The accumulating functions: those of `isa` unless others of the machine are
// faster for the matrix and the sign of src.
const Int8Table& int8_weights_table(const Int8Isa& isa, const Int8Matrix& matrix,
                                    bool src_has_sign);

// A right operand for the functions that suit it best.
Int8Operand int8_operand(const Int8Isa& isa, int64_t k, int64_t n, bool left_has_sign);

struct Int8Product {
  bool has_bias = false, has_residual = false;
  const ir::Activation* act = nullptr;
  const int32_t* bias = nullptr;  // constants; null: none
  const float* scales = nullptr;  // of the weights; null: src 1 has one scale

  explicit Int8Product(const Problem& problem);
  int residual_index() const { return 2 + has_bias; }
};

// "" when src, bias, scales, residual and activation are what the kernels take.
std::string int8_product_refusal(const Problem& problem);

// For groups of `columns` columns, each padded to padded_columns.
Int8Epilogue int8_epilogue(const Problem& problem, const Int8Finish& finish, int64_t groups,
                           int64_t columns, int64_t padded_columns);

// Whether all values, whatever src and residual hold, are within int32 before the activation's
// bounds. bias [groups * n] or null.
bool values_within_int32(const Int8Epilogue& epilogue, const Int8Matrix& matrix,
                         const int32_t* bias);

}  // namespace graft::cpu
