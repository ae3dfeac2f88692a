#define GRAFT_ISA_AVX512

#include "backends/cpu/pointwise/pointwise_rows.h"

namespace graft::cpu {
inline namespace isa_avx512 {

// Constant initialisation: nothing compiled for this ISA may run before the ISA is known to exist.
static constexpr PointwiseTable kTable = make_pointwise_table();

const PointwiseTable* pointwise_table() { return &kTable; }

}  // namespace isa_avx512
}  // namespace graft::cpu
