#define GRAFT_ISA_AVX512

#include "backends/cpu/reduce/reduce_vec.h"

namespace graft::cpu {
inline namespace isa_avx512 {

// Constant initialisation: nothing compiled for this ISA may run before the ISA is known to exist.
static constexpr ReduceTable kTable = make_reduce_table();

const ReduceTable* reduce_table() { return &kTable; }

}  // namespace isa_avx512
}  // namespace graft::cpu
