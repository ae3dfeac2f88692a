// Chooses among the tables that the ISA levels of a family give.
#pragma once

#include "ir/target.h"

namespace graft::cpu {

template <typename Table>
const Table* pick_isa(ir::Isa isa, const Table* baseline, const Table* avx2, const Table* avx512) {
  if (isa >= ir::Isa::kAvx512) return avx512;
  return isa == ir::Isa::kAvx2 ? avx2 : baseline;
}

}  // namespace graft::cpu
