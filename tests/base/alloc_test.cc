#include "base/alloc.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace graft {
namespace {

TEST(Buffer, aligned_counted_and_given_back) {
  const int64_t live = alloc_stats().live_bytes;
  for (size_t size : {size_t{1}, size_t{63}, size_t{4096}, (size_t{4} << 20) - 1, size_t{4} << 20,
                      (size_t{5} << 20) + 3}) {
    auto buffer = Buffer::allocate(size);
    ASSERT_TRUE(buffer.ok()) << size;
    EXPECT_EQ(buffer->size(), size);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer->data()) % 64, 0u) << size;
    EXPECT_EQ(alloc_stats().live_bytes, live + static_cast<int64_t>(size));
    EXPECT_GE(alloc_stats().peak_bytes, live + static_cast<int64_t>(size));
    std::memset(buffer->data(), 0x5a, size);
    Buffer moved = std::move(*buffer);
    EXPECT_EQ(buffer->size(), 0u);
    EXPECT_EQ(moved.span()[size - 1], std::byte{0x5a});
  }
  EXPECT_EQ(alloc_stats().live_bytes, live);
}

TEST(Buffer, weights_share_chunks_and_stay_apart) {
  const int64_t live = alloc_stats().live_bytes;
  std::vector<Buffer> buffers;
  for (size_t i = 0; i < 40; ++i) {
    auto buffer = Buffer::allocate_weights((i % 7 + 1) * 100'003);
    ASSERT_TRUE(buffer.ok());
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer->data()) % 64, 0u);
    std::memset(buffer->data(), static_cast<int>(i), buffer->size());
    buffers.push_back(std::move(*buffer));
    if (i % 3 == 2) buffers.erase(buffers.end() - 2);  // what is given back is not given out again
  }
  for (const Buffer& b : buffers) {
    for (const std::byte byte : b.span()) ASSERT_EQ(byte, b.span()[0]);
  }
  buffers.clear();
  EXPECT_EQ(alloc_stats().live_bytes, live);
}

TEST(Buffer, empty_is_no_allocation) {
  const int64_t before = alloc_stats().allocations;
  auto buffer = Buffer::allocate(0);
  ASSERT_TRUE(buffer.ok());
  EXPECT_EQ(buffer->size(), 0u);
  EXPECT_EQ(alloc_stats().allocations, before);
}

TEST(Buffer, assignment_frees_what_was_held) {
  const int64_t live = alloc_stats().live_bytes;
  Buffer buffer = Buffer::allocate(1000).value();
  buffer = Buffer::allocate(10).value();
  EXPECT_EQ(alloc_stats().live_bytes, live + 10);
  buffer = Buffer();
  EXPECT_EQ(alloc_stats().live_bytes, live);
}

TEST(Buffer, X1_the_nth_allocation_fails) {
  const int64_t live = alloc_stats().live_bytes;
  set_alloc_fault(2);
  auto first = Buffer::allocate(8), second = Buffer::allocate(8), third = Buffer::allocate(8);
  EXPECT_TRUE(first.ok());
  EXPECT_EQ(second.status().code(), Code::kResourceExhausted);
  EXPECT_TRUE(third.ok());
  EXPECT_EQ(alloc_stats().live_bytes, live + 16);
}

TEST(Buffer, X3_cap_is_never_passed) {
  const int64_t live = alloc_stats().live_bytes;
  set_alloc_cap(live + 100);
  auto first = Buffer::allocate(60), second = Buffer::allocate(41);
  EXPECT_TRUE(first.ok());
  EXPECT_EQ(second.status().code(), Code::kResourceExhausted);
  EXPECT_NE(second.status().message().find("41 bytes"), std::string::npos);
  EXPECT_TRUE(Buffer::allocate(40).ok());
  set_alloc_cap(-1);
  EXPECT_TRUE(Buffer::allocate(41).ok());
}

TEST(Buffer, impossible_sizes_are_errors) {
  EXPECT_EQ(Buffer::allocate(SIZE_MAX).status().code(), Code::kResourceExhausted);
  EXPECT_EQ(Buffer::allocate(size_t{1} << 62).status().code(), Code::kResourceExhausted);
}

}  // namespace
}  // namespace graft
