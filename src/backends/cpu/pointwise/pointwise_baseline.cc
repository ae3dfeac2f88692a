#define GRAFT_ISA_BASELINE

#include "backends/cpu/pointwise/pointwise_rows.h"

namespace graft::cpu {
inline namespace isa_baseline {

// Constant initialisation: nothing compiled for this ISA may run before the ISA is known to exist.
static constexpr PointwiseTable kTable = make_pointwise_table();

const PointwiseTable* pointwise_table() { return &kTable; }

}  // namespace isa_baseline
}  // namespace graft::cpu
