#include "engine/run/memory_plan.h"

#include <gtest/gtest.h>

#include <random>

namespace graft::engine {
namespace {

bool alive_together(const BufferRequest& a, const BufferRequest& b) {
  return a.first <= b.last && b.first <= a.last;
}

// Brute force: every pair that is alive at once, and the bytes alive at every step.
void check(const std::vector<BufferRequest>& requests, const MemoryPlan& plan) {
  ASSERT_EQ(plan.offsets.size(), requests.size());
  for (size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ(plan.offsets[i] % 64, 0u);
    EXPECT_LE(plan.offsets[i] + requests[i].size_bytes, plan.total_bytes);
    for (size_t j = i + 1; j < requests.size(); ++j) {
      if (!alive_together(requests[i], requests[j])) continue;
      const bool apart = plan.offsets[i] + requests[i].size_bytes <= plan.offsets[j] ||
                         plan.offsets[j] + requests[j].size_bytes <= plan.offsets[i];
      EXPECT_TRUE(apart) << "buffers " << i << " and " << j << " overlap";
    }
  }
}

TEST(MemoryPlan, random_lifetimes_never_overlap) {
  std::mt19937 rng(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<BufferRequest> requests;
    const int n = 1 + static_cast<int>(rng() % 60);
    for (int i = 0; i < n; ++i) {
      const auto first = static_cast<int32_t>(rng() % 40);
      requests.push_back({rng() % 5000, first, first + static_cast<int32_t>(rng() % 8)});
    }
    const auto plan = plan_memory(requests, SIZE_MAX / 4);
    ASSERT_TRUE(plan.ok());
    check(requests, *plan);
  }
}

TEST(MemoryPlan, chain_takes_two_buffers) {
  std::vector<BufferRequest> requests;
  for (int32_t i = 0; i < 20; ++i) requests.push_back({640, i, i + 1});
  const auto plan = plan_memory(requests, SIZE_MAX / 4);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->total_bytes, 1280u);
}

TEST(MemoryPlan, L9_more_than_the_cap_is_refused) {
  const std::vector<BufferRequest> requests{{900, 0, 2}, {900, 1, 2}};
  EXPECT_TRUE(plan_memory(requests, 2048).ok());
  const auto plan = plan_memory(requests, 1500);
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.status().code(), Code::kResourceExhausted);
  EXPECT_FALSE(plan_memory(std::vector<BufferRequest>{{SIZE_MAX - 8, 0, 0}}, 1500).ok());
}

}  // namespace
}  // namespace graft::engine
