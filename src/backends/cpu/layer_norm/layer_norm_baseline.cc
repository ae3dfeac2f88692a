#define GRAFT_ISA_BASELINE

#include "backends/cpu/layer_norm/layer_norm_vec.h"

namespace graft::cpu {
inline namespace isa_baseline {

// Constant initialisation: nothing compiled for this ISA may run before the ISA is known to exist.
static constexpr LayerNormTable kTable = make_layer_norm_table();

const LayerNormTable* layer_norm_table() { return &kTable; }

}  // namespace isa_baseline
}  // namespace graft::cpu
