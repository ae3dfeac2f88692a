#define GRAFT_ISA_BASELINE

#include "backends/cpu/softmax/softmax_vec.h"

namespace graft::cpu {
inline namespace isa_baseline {

// Constant initialisation: nothing compiled for this ISA may run before the ISA is known to exist.
static constexpr SoftmaxTable kTable = make_softmax_table();

const SoftmaxTable* softmax_table() { return &kTable; }

}  // namespace isa_baseline
}  // namespace graft::cpu
