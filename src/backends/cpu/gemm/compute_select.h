// From the target and the IR to what the compute drivers take.
#pragma once

#include <string>

#include "backends/cpu/gemm/compute_table.h"
#include "ir/attrs.h"
#include "ir/target.h"

namespace graft::cpu {

const ComputeTable& compute_table_of(const ir::Target& target);

// False when the activation can't be fused into a GEMM-like kernel.
bool to_epilogue(const ir::Activation& act, Epilogue* epilogue);

}  // namespace graft::cpu
