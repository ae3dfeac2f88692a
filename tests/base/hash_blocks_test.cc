// The SHA instructions and the portable rounds give the same state.
#include "base/hash_blocks.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace graft::sha256_detail {
namespace {

TEST(HashBlocks, instructions_equal_portable_rounds) {
  if (!has_sha_instructions()) GTEST_SKIP() << "this CPU has no SHA instructions";
  std::mt19937 random(7);
  for (size_t count : {1u, 2u, 3u, 17u}) {
    std::vector<uint8_t> data(64 * count + 1);
    for (uint8_t& byte : data) byte = static_cast<uint8_t>(random());
    uint32_t expected[8], got[8];
    for (int i = 0; i < 8; ++i) expected[i] = got[i] = random();
    blocks_portable(expected, data.data() + 1, count);
    blocks_sha_ni(got, data.data() + 1, count);
    for (int i = 0; i < 8; ++i)
      EXPECT_EQ(got[i], expected[i]) << "word " << i << ", " << count << " blocks";
  }
}

}  // namespace
}  // namespace graft::sha256_detail
