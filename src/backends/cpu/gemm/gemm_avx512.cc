// AVX-512 level: 8x48 tiles, 12x32 for narrower panels.
#define GRAFT_ISA_AVX512

#include "backends/cpu/conv/depthwise.h"
#include "backends/cpu/conv/winograd.h"
#include "backends/cpu/gemm/table_rows.h"

namespace graft::cpu {
inline namespace isa_avx512 {

static constexpr ComputeTable make_table() {
  ComputeTable t = {};
  t.name = "avx512";
  t.lanes = kLanes;
  t.panel_vecs = 3;
  add_tiles<1, 14>(t);
  add_tiles<2, 12>(t);
  add_tiles<3, 8>(t);
  t.depthwise = &depthwise_row;
  t.winograd_src = &winograd_src;
  t.winograd_dst = &winograd_dst;
  add_math(t);
  return t;
}

// Constant initialisation: nothing compiled for this ISA may run before the ISA is known to exist.
static constexpr ComputeTable kTable = make_table();

const ComputeTable* compute_table() { return &kTable; }

}  // namespace isa_avx512
}  // namespace graft::cpu
