// The loops that every element of a calibrated tensor passes, once an instruction set. Their
// results are the same in each, whatever the state of the floating-point unit.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace graft::quantize {

enum : size_t { kLanes = 4, kLaneBins = 4096 };

struct ObserveLoops {
  // Smallest and largest order key (order_key.h) of count >= 1 elements.
  void (*key_range)(const float* values, size_t count, int32_t* min_key, int32_t* max_key);
  // counts[floor(|x| * factor)] += 1 of finite elements; returns how many are zero.
  int64_t (*count)(const float* values, size_t count, float factor, uint64_t* counts);
  // The same into kLanes arrays of kLaneBins counters, element i into array i % kLanes.
  int64_t (*count_in_lanes)(const float* values, size_t count, float factor, uint16_t* lanes);
  // counts[b] += the lanes' counters of b < bins, which become 0.
  void (*take_lanes)(uint16_t* lanes, size_t bins, uint64_t* counts);
  // dst[i] += src[i], and src[i] = 0.
  void (*take_counts)(uint64_t* src, size_t count, uint64_t* dst);
  // slots[i] += x * 2^24, rounded; |x| <= 2^20.
  void (*add_fixed)(const float* values, int64_t count, uint64_t* slots);
};

// The best for this machine.
const ObserveLoops& observe_loops();

}  // namespace graft::quantize
