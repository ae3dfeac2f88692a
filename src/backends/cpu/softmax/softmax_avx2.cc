#define GRAFT_ISA_AVX2

#include "backends/cpu/softmax/softmax_vec.h"

namespace graft::cpu {
inline namespace isa_avx2 {

// Constant initialisation: nothing compiled for this ISA may run before the ISA is known to exist.
static constexpr SoftmaxTable kTable = make_softmax_table();

const SoftmaxTable* softmax_table() { return &kTable; }

}  // namespace isa_avx2
}  // namespace graft::cpu
