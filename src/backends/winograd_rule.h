// Which convolutions run by Winograd's algorithm, and in which form: by kernel, channels and
// extents, never by batch.
#pragma once

#include <cstdint>

#include "backends/winograd_form.h"

namespace graft::backends {

// The form of a convolution of one group with stride and dilation 1, an index of kWinogradForm; -1:
// the direct form is faster. oh and ow: extents of dst, 0 if not known (then taken as large).
inline int winograd_form(int64_t kernel_h, int64_t kernel_w, int64_t c, int64_t oc, int64_t oh,
                         int64_t ow) {
  // With fewer, the transforms cost more than the products they save.
  constexpr int64_t kMinChannels = 32;
  // With fewer tiles in an image, reading the transformed weights takes longer than the products
  // of a smaller form.
  constexpr int64_t kMinTiles = 12;
  // Bounds the memory of the transformed weights.
  constexpr int64_t kMaxFilterElems = 512 * 512;
  if (c < kMinChannels || oc < kMinChannels || c * oc > kMaxFilterElems) return -1;
  int found = -1;
  for (int i = 0; i < cpu::kWinogradForms; ++i) {
    const cpu::WinogradForm& f = cpu::kWinogradForm[i];
    const bool straight = f.kernel_h == kernel_h && f.kernel_w == kernel_w;
    const bool turned = !straight && f.kernel_h == 1 && f.kernel_w == kernel_h && kernel_w == 1;
    if (!straight && !turned) continue;
    const int64_t tile_h = turned ? f.tile_w : f.tile_h, tile_w = turned ? f.tile_h : f.tile_w;
    const int64_t tiles = (oh + tile_h - 1) / tile_h * ((ow + tile_w - 1) / tile_w);
    if (found < 0 || oh == 0 || ow == 0 || tiles >= kMinTiles) found = i;
  }
  return found;
}

}  // namespace graft::backends
