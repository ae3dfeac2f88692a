#define GRAFT_ISA_AVX2

#include "backends/cpu/pool/pool_vec.h"

namespace graft::cpu {
inline namespace isa_avx2 {

// Constant initialisation: nothing compiled for this ISA may run before the ISA is known to exist.
static constexpr PoolTable kTable = make_pool_table();

const PoolTable* pool_table() { return &kTable; }

}  // namespace isa_avx2
}  // namespace graft::cpu
