// Bodies of observe_loops.h: plain loops that the compiler turns into vector code. The including
// file defines GRAFT_ISA_NAMESPACE, so that no two instruction sets share a function.
#pragma once

#include "quantize/observe_loops.h"

namespace graft::quantize {
inline namespace GRAFT_ISA_NAMESPACE {

static inline int32_t bits_of(const float* value) {
  int32_t bits;
  __builtin_memcpy(&bits, value, sizeof(bits));
  return bits;
}

static int32_t key_of(int32_t bits) { return bits ^ ((bits >> 31) & 0x7fffffff); }

// Bits of negative floats, as unsigned numbers, are above all others and grow with magnitude.
static void key_range(const float* values, size_t count, int32_t* min_key, int32_t* max_key) {
  int32_t low = INT32_MAX, high = INT32_MIN;
  uint32_t top = 0;
  for (size_t i = 0; i < count; ++i) {
    const int32_t bits = bits_of(values + i);
    const uint32_t word = static_cast<uint32_t>(bits);
    low = bits < low ? bits : low;
    high = bits > high ? bits : high;
    top = word > top ? word : top;
  }
  if (high < 0) {  // all negative: the one of the least magnitude
    uint32_t least = UINT32_MAX;
    for (size_t i = 0; i < count; ++i) {
      const uint32_t word = static_cast<uint32_t>(bits_of(values + i));
      least = word < least ? word : least;
    }
    high = static_cast<int32_t>(least);
  }
  *min_key = key_of(low < 0 ? static_cast<int32_t>(top) : low);
  *max_key = key_of(high);
}

enum : int32_t { kIndices = 512 };

// `apart`: zeros get the slots behind the bins in turn.
static int32_t bin_indices(const float* values, int32_t count, float factor, int32_t apart,
                           uint32_t* indices) {
  int32_t zeros = 0;
  for (int32_t i = 0; i < count; ++i) {
    const int32_t bin = static_cast<int32_t>(__builtin_fabsf(values[i]) * factor);
    const int32_t zero = (bits_of(values + i) & 0x7fffffff) == 0 ? -1 : 0;
    const int32_t slot = static_cast<int32_t>(kBins) + i % static_cast<int32_t>(kZeroSlots);
    indices[i] = static_cast<uint32_t>(bin | (zero & apart & slot));
    zeros -= zero;
  }
  return zeros;
}

template <class Count>
static inline int64_t count_bins(const float* values, size_t count, float factor, int32_t apart,
                                 Count* counts) {
  int64_t zeros = 0;
  uint32_t indices[kIndices];
  for (size_t at = 0; at < count; at += kIndices) {
    const int32_t size = count - at < kIndices ? static_cast<int32_t>(count - at) : kIndices;
    zeros += bin_indices(values + at, size, factor, apart, indices);
    for (int32_t i = 0; i < size; ++i) ++counts[indices[i]];
  }
  return zeros;
}

static int64_t count(const float* values, size_t count, float factor, uint64_t* counts) {
  return count_bins(values, count, factor, 0, counts);
}

static int64_t count_apart(const float* values, size_t count, float factor, uint32_t* counts) {
  return count_bins(values, count, factor, -1, counts);
}

template <class Count>
static inline void take(Count* __restrict src, size_t count, uint64_t* __restrict dst) {
  for (size_t i = 0; i < count; ++i) {
    dst[i] += src[i];
    src[i] = 0;
  }
}

static void take_counts(uint32_t* src, size_t count, uint64_t* dst) { take(src, count, dst); }
static void take_totals(uint64_t* src, size_t count, uint64_t* dst) { take(src, count, dst); }

// x + kMagic rounds x to a multiple of 2^-24 (the spacing of doubles in [2^28, 2^29), where the sum
// lies for |x| <= 2^20), and the bits of the sum less those of kMagic are x * 2^24 as an integer.
static void add_fixed(const float* values, int64_t count, uint64_t* slots) {
  constexpr double kMagic = 0x1.8p28;
  uint64_t magic_bits;
  __builtin_memcpy(&magic_bits, &kMagic, sizeof(magic_bits));
  for (int64_t i = 0; i < count; ++i) {
    const double sum = static_cast<double>(values[i]) + kMagic;
    uint64_t bits;
    __builtin_memcpy(&bits, &sum, sizeof(bits));
    slots[i] += bits - magic_bits;
  }
}

static constexpr ObserveLoops kLoops = {key_range,   count,       count_apart,
                                        take_counts, take_totals, add_fixed};
const ObserveLoops* isa_loops() { return &kLoops; }

}  // namespace GRAFT_ISA_NAMESPACE
}  // namespace graft::quantize
