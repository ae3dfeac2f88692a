// AVX2 + FMA level: 6x16 tiles.
#define GRAFT_ISA_AVX2

#include "backends/cpu/conv/depthwise.h"
#include "backends/cpu/conv/winograd.h"
#include "backends/cpu/gemm/table_rows.h"

namespace graft::cpu {
inline namespace isa_avx2 {

static constexpr ComputeTable make_table() {
  ComputeTable t = {};
  t.name = "avx2";
  t.lanes = kLanes;
  t.panel_vecs = 2;
  add_tiles<1, 8>(t);
  add_tiles<2, 6>(t);
  t.depthwise = &depthwise_row;
  t.winograd_src = &winograd_src;
  t.winograd_dst = &winograd_dst;
  add_math(t);
  return t;
}

// Constant initialisation: nothing compiled for this ISA may run before the ISA is known to exist.
static constexpr ComputeTable kTable = make_table();

const ComputeTable* compute_table() { return &kTable; }

}  // namespace isa_avx2
}  // namespace graft::cpu
