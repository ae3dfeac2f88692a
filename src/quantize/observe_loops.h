// The loops that every element of a calibrated tensor passes, once an instruction set. Their
// results are the same in each, whatever the state of the floating-point unit.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace graft::quantize {

enum : size_t { kBins = 4096, kZeroSlots = 8 };

struct ObserveLoops {
  // Smallest and largest order key (order_key.h) of count >= 1 elements.
  void (*key_range)(const float* values, size_t count, int32_t* min_key, int32_t* max_key);
  // counts[floor(|x| * factor)] += 1 of finite elements, bins below kBins; returns how many are
  // zero.
  int64_t (*count)(const float* values, size_t count, float factor, uint64_t* counts);
  // The same but for zeros, which go to slots of their own behind the bins: a run of them (ReLU)
  // would wait for its own last increment. counts: kBins + kZeroSlots, which the first-level cache
  // holds beside the values.
  int64_t (*count_apart)(const float* values, size_t count, float factor, uint32_t* counts);
  // dst[i] += src[i], and src[i] = 0.
  void (*take_counts)(uint32_t* src, size_t count, uint64_t* dst);
  void (*take_totals)(uint64_t* src, size_t count, uint64_t* dst);
  // slots[i] += x * 2^24, rounded; |x| <= 2^20.
  void (*add_fixed)(const float* values, int64_t count, uint64_t* slots);
};

// The best for this machine.
const ObserveLoops& observe_loops();

}  // namespace graft::quantize
