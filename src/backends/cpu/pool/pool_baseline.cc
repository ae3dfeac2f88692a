#define GRAFT_ISA_BASELINE

#include "backends/cpu/pool/pool_vec.h"

namespace graft::cpu {
inline namespace isa_baseline {

// Constant initialisation: nothing compiled for this ISA may run before the ISA is known to exist.
static constexpr PoolTable kTable = make_pool_table();

const PoolTable* pool_table() { return &kTable; }

}  // namespace isa_baseline
}  // namespace graft::cpu
