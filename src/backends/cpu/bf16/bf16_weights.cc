#include "backends/cpu/bf16/bf16_weights.h"

#include <algorithm>
#include <cstring>

#include "backends/cpu/common/rounding.h"
#include "backends/cpu/threads/parallel.h"
#include "backends/cpu/tiles/permission.h"
#include "base/half.h"

namespace graft::cpu {

Bf16Isa bf16_isa_of(const ir::Target& target, int64_t k, int64_t n) {
  if (target.isa < ir::Isa::kAvx512 || !target.avx512_bf16) return {};
  const bool fills_tiles = k > kBf16TileTerms && n > kTileColumns;
  const bool tiles = target.isa >= ir::Isa::kAmx && fills_tiles && amx_permitted();
  if (!tiles && !target.fast_bf16_dot) return {};
  return {tiles ? isa_amx::bf16_table() : isa_avx512bf16::bf16_table(),
          isa_avx512bf16::bf16_table()->narrow, isa_avx512::bf16_finish()->finish};
}

Result<Bf16Weights> Bf16Weights::pack(const Bf16Isa& isa, const Bf16Matrix& m, const float* bias) {
  Bf16Weights w;
  w.isa = isa;
  w.panels = Panels(kTileColumns, 2, m.n);
  w.taps = m.taps;
  w.tap_k = m.tap_k;
  w.tap_steps = round_up(m.tap_k, kBf16TileTerms) / kBf16StepTerms;
  const int64_t padded = w.panels.padded_columns();
  const auto bytes = static_cast<size_t>(padded * w.row_bytes());
  GRAFT_ASSIGN_OR_RETURN(w.packed, Buffer::allocate_weights(bytes));
  auto* const packed = w.packed.as<uint16_t>();
  std::memset(packed, 0, bytes);
  parallel_for(w.panels.count, ThreadPool::kNoLimit, [&](int64_t p, int) {
    uint16_t* const panel = packed + (w.panel(p) - w.packed.as<uint16_t>());
    const int64_t width = w.panels.width(p), columns = w.panels.columns(p);
    const float* b = m.b + w.panels.first_column(p) * m.column_step;
    for (int64_t tap = 0; tap < m.taps; ++tap) {
      for (int64_t k = 0; k < m.tap_k; ++k) {
        const float* row = b + (tap * m.tap_k + k) * m.row_step;
        uint16_t* to = panel + (tap * w.tap_steps + k / kBf16StepTerms) * width * kBf16StepTerms +
                       k % kBf16StepTerms;
        for (int64_t j = 0; j < columns; ++j)
          to[j * kBf16StepTerms] = float_to_bfloat16(row[j * m.column_step]);
      }
    }
  });
  w.bias.assign(static_cast<size_t>(padded), 0.0f);
  if (bias) std::copy_n(bias, m.n, w.bias.begin());
  return w;
}

}  // namespace graft::cpu
