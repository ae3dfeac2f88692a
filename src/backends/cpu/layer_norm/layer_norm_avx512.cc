#define GRAFT_ISA_AVX512

#include "backends/cpu/layer_norm/layer_norm_vec.h"

namespace graft::cpu {
inline namespace isa_avx512 {

// Constant initialisation: nothing compiled for this ISA may run before the ISA is known to exist.
static constexpr LayerNormTable kTable = make_layer_norm_table();

const LayerNormTable* layer_norm_table() { return &kTable; }

}  // namespace isa_avx512
}  // namespace graft::cpu
