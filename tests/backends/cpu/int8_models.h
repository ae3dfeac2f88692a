// Scalar models of the wide INT8 instructions, over which the kernels' own templates are
// instantiated: so the logic of every level is tested on machines that lack it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "backends/cpu/int8/deep_tile.h"
#include "backends/cpu/int8/dot_tile.h"
#include "backends/cpu/int8/strips.h"
#include "backends/cpu/int8/tile_accumulate.h"
#include "tile_model.h"

namespace graft::cpu::testing {

template <int kVectorLanes>
struct ModelVec {
  int8_t b[kVectorLanes * 4];

  uint8_t u8(int i) const { return static_cast<uint8_t>(b[i]); }
  int16_t i16(int i) const { return part<int16_t>(i); }
  int32_t i32(int i) const { return part<int32_t>(i); }
  template <typename T>
  T part(int i) const {
    T v;
    std::memcpy(&v, b + i * static_cast<int>(sizeof(T)), sizeof(T));
    return v;
  }
  template <typename T>
  void set(int i, T v) {
    std::memcpy(b + i * static_cast<int>(sizeof(T)), &v, sizeof(T));
  }
};

template <int kVectorLanes, int kVecs, int kRows>
struct ModelBase {
  using Vec = ModelVec<kVectorLanes>;
  static constexpr int kLanes = kVectorLanes, kPanelVecs = kVecs;
  static constexpr int max_rows(int vecs) { return vecs < kVecs ? kRows + 1 : kRows; }
  static constexpr int kBytes = kLanes * 4;

  GRAFT_MODEL Vec load(const void* p) {
    Vec v;
    std::memcpy(v.b, p, sizeof(v.b));
    return v;
  }
  GRAFT_MODEL void store(void* p, const Vec& v) { std::memcpy(p, v.b, sizeof(v.b)); }
  GRAFT_MODEL Vec broadcast(const uint8_t* p) {
    Vec v;
    for (int i = 0; i < kLanes; ++i) std::memcpy(v.b + 4 * i, p, 4);
    return v;
  }
};

// vpmaddubsw, vpaddw, vpmaddwd: pair sums saturate, int16 sums wrap.
template <int kVectorLanes, int kVecs, int kRows>
struct DeepModel : ModelBase<kVectorLanes, kVecs, kRows> {
  using Base = ModelBase<kVectorLanes, kVecs, kRows>;
  using typename Base::Vec;
  GRAFT_MODEL Vec abs(Vec v) {
    for (int8_t& x : v.b) x = static_cast<int8_t>(x < 0 ? -x : x);  // -128 stays, as 128 unsigned
    return v;
  }
  GRAFT_MODEL Vec sign(Vec v, const Vec& of) {
    for (int i = 0; i < Base::kBytes; ++i) {
      v.b[i] = static_cast<int8_t>(of.b[i] < 0 ? -v.b[i] : of.b[i] > 0 ? v.b[i] : 0);
    }
    return v;
  }
  GRAFT_MODEL Vec pair_sums(const Vec& u, const Vec& s) {
    Vec v;
    for (int i = 0; i < 2 * Base::kLanes; ++i) {
      const int sum = u.u8(2 * i) * s.b[2 * i] + u.u8(2 * i + 1) * s.b[2 * i + 1];
      v.set(i, static_cast<int16_t>(std::clamp(sum, -32768, 32767)));
    }
    return v;
  }
  GRAFT_MODEL void add16(Vec& sum, const Vec& v) {
    for (int i = 0; i < 2 * Base::kLanes; ++i)
      sum.set(i, static_cast<int16_t>(sum.i16(i) + v.i16(i)));
  }
  GRAFT_MODEL void add_wide(Vec& acc, const Vec& pairs) {
    for (int i = 0; i < Base::kLanes; ++i) {
      const auto wide = static_cast<uint32_t>(pairs.i16(2 * i) + pairs.i16(2 * i + 1));
      acc.set(i, static_cast<uint32_t>(acc.i32(i)) + wide);
    }
  }
};

// vpdpbusd: sums wrap.
template <int kVectorLanes, int kVecs, int kRows>
struct DotModel : ModelBase<kVectorLanes, kVecs, kRows> {
  using Base = ModelBase<kVectorLanes, kVecs, kRows>;
  using typename Base::Vec;
  GRAFT_MODEL Vec flip(Vec v) {
    for (int8_t& x : v.b) x = static_cast<int8_t>(x ^ 0x80);
    return v;
  }
  GRAFT_MODEL void dot(Vec& acc, const Vec& u, const Vec& s) {
    for (int i = 0; i < Base::kLanes; ++i) {
      int32_t sum = 0;
      for (int k = 0; k < 4; ++k) sum += u.u8(4 * i + k) * s.b[4 * i + k];
      acc.set(i, static_cast<uint32_t>(acc.i32(i)) + static_cast<uint32_t>(sum));
    }
  }
};

// vpmaddwd: sums wrap.
template <int kVectorLanes, int kVecs, int kRows>
struct WordModel : ModelBase<kVectorLanes, kVecs, kRows> {
  using Base = ModelBase<kVectorLanes, kVecs, kRows>;
  using typename Base::Vec;
  GRAFT_MODEL Vec flip(Vec v) { return v; }
  GRAFT_MODEL void dot(Vec& acc, const Vec& x, const Vec& w) {
    for (int i = 0; i < Base::kLanes; ++i) {
      const int32_t sum = x.i16(2 * i) * w.i16(2 * i) + x.i16(2 * i + 1) * w.i16(2 * i + 1);
      acc.set(i, static_cast<uint32_t>(acc.i32(i)) + static_cast<uint32_t>(sum));
    }
  }
};

// AMX: eight tiles of 16 x 64 bytes; A is unsigned unless kSigned, B signed, sums wrap.
template <bool kSigned>
struct ByteTilesModel : TileModel {
  template <int kC, int kA, int kB>
  GRAFT_MODEL void dot() {
    for (int i = 0; i < 16; ++i) {
      for (int j = 0; j < 16; ++j) {
        auto sum = static_cast<uint32_t>(tiles[kC].word(i, j));
        for (int k = 0; k < 64; ++k) {
          const int8_t a = tiles[kA].b[i][k], w = tiles[kB].b[k / 4][4 * j + k % 4];
          sum += static_cast<uint32_t>((kSigned ? a : static_cast<uint8_t>(a)) * w);
        }
        std::memcpy(tiles[kC].b[i] + 4 * j, &sum, 4);
      }
    }
  }
};

}  // namespace graft::cpu::testing
