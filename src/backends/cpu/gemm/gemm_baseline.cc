// Baseline x86-64 (SSE2) level: 6x8 tiles.
#define GRAFT_ISA_BASELINE

#include "backends/cpu/conv/depthwise.h"
#include "backends/cpu/conv/winograd.h"
#include "backends/cpu/gemm/table_rows.h"

namespace graft::cpu {
inline namespace isa_baseline {

static constexpr ComputeTable make_table() {
  ComputeTable t = {};
  t.name = "baseline";
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

}  // namespace isa_baseline
}  // namespace graft::cpu
