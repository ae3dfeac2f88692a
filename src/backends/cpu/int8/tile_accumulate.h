// Int8Table::accumulate by matrix tiles; Ops<has_sign> has the products of uint8 or int8 rows with
// int8 weights.
#pragma once

#include "backends/cpu/int8/gemm_table.h"
#include "backends/cpu/tiles/tile_gemm.h"

namespace graft::cpu {

template <template <bool> class Ops>
struct Int8Tiles {
  static void accumulate(const Int8AccArgs* args) {
    const Int8AccArgs& a = *args;
    const TileProductArgs t = {a.packed_rows,
                               a.packed_ld,
                               a.packed_taps,
                               a.num_packed_taps,
                               a.packed_bytes > 0 ? a.packed_bytes : a.packed_ld,
                               a.num_rows,
                               a.b,
                               a.bias,
                               a.acc,
                               a.vecs};
    a.has_sign ? TileGemm<Ops<true>>::run(&t) : TileGemm<Ops<false>>::run(&t);
  }
};

}  // namespace graft::cpu
