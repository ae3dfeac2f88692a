// The elementwise table for a target; calling the getter of another level runs no code of that
// level.
#pragma once

#include "backends/cpu/common/pick_isa.h"
#include "backends/cpu/pointwise/pointwise_table.h"

namespace graft::cpu {

inline const PointwiseTable& pointwise_table_of(ir::Isa isa) {
  return *pick_isa(isa, isa_baseline::pointwise_table(), isa_avx2::pointwise_table(),
                   isa_avx512::pointwise_table());
}

}  // namespace graft::cpu
