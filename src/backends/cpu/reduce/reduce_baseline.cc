#define GRAFT_ISA_BASELINE

#include "backends/cpu/reduce/reduce_vec.h"

namespace graft::cpu {
inline namespace isa_baseline {

// Constant initialisation: nothing compiled for this ISA may run before the ISA is known to exist.
static constexpr ReduceTable kTable = make_reduce_table();

const ReduceTable* reduce_table() { return &kTable; }

}  // namespace isa_baseline
}  // namespace graft::cpu
