// fake_quant of rows, as plain C types.
#pragma once

#include <stddef.h>

namespace graft::cpu {

// Formulas: ir/fake_quant.h; the numbers of a grid by the names there. Each points to one, or to
// one an element of a row.
struct FakeQuantArgs {
  float* dst;  // may be src
  const float* src;
  const float *min, *max, *factor, *scale, *zero;
  ptrdiff_t rows, n;  // dense
};

// As ir::FakeQuantFn.
enum FakeQuantFormula { kNudged, kNudgedDivide, kHalfToEven, kHalfUp, kNumFakeQuantFormulas };

struct FakeQuantTable {
  void (*one_grid[kNumFakeQuantFormulas])(const FakeQuantArgs*);
  void (*grid_each[kNumFakeQuantFormulas])(const FakeQuantArgs*);
};

inline namespace isa_baseline {
const FakeQuantTable* fake_quant_table();
}
inline namespace isa_avx2 {
const FakeQuantTable* fake_quant_table();
}
inline namespace isa_avx512 {
const FakeQuantTable* fake_quant_table();
}

}  // namespace graft::cpu
