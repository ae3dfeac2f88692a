#define GRAFT_ISA_AVX512

#include "backends/cpu/pool/pool_vec.h"

namespace graft::cpu {
inline namespace isa_avx512 {

// Constant initialisation: nothing compiled for this ISA may run before the ISA is known to exist.
static constexpr PoolTable kTable = make_pool_table();

const PoolTable* pool_table() { return &kTable; }

}  // namespace isa_avx512
}  // namespace graft::cpu
