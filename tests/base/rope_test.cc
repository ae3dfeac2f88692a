#include "graft/rope.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

namespace graft {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
std::string text_of(const Rope& rope) {
  const std::vector<std::byte> bytes = rope.flatten();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(Rope, equals_the_string_put_together_by_any_calls) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::string expected;
    Rope rope;
    for (int step = 0; step < 40; ++step) {
      const std::string text(random() % 4 == 0 ? random() % 20000 : random() % 200,
                             static_cast<char>('a' + random() % 26));
      switch (random() % 4) {
        case 0:
          rope.append_copy(bytes_of(text));
          break;
        case 1: {
          auto owner = std::make_shared<const std::string>(text);
          rope.append_view(bytes_of(*owner), owner);
          break;
        }
        case 2:
          rope.append(Rope(text));
          break;
        default: {
          const Rope copy = rope;  // what is appended to one is not in the other
          rope.append_copy(bytes_of(text));
          ASSERT_EQ(text_of(copy), expected);
        }
      }
      expected += text;
      ASSERT_EQ(rope.size(), expected.size());
    }
    ASSERT_EQ(text_of(rope), expected);
    for (const Rope::Piece& piece : rope.pieces()) ASSERT_FALSE(piece.bytes.empty());
  }
}

TEST(Rope, copies_of_one_rope_grow_apart) {
  Rope a;
  a.append_copy(bytes_of("base"));
  Rope b = a;
  a.append_copy(bytes_of("-a"));
  b.append_copy(bytes_of("-b"));
  EXPECT_EQ(text_of(a), "base-a");
  EXPECT_EQ(text_of(b), "base-b");
}

TEST(Rope, views_long_bytes_and_copies_short_ones) {
  std::string large(100000, 'x'), small(10, 'y');
  Rope rope;
  rope.append_view(bytes_of(large));
  rope.append_view(bytes_of(small));
  EXPECT_EQ(rope.pieces()[0].bytes.data(), bytes_of(large).data());
  small[0] = 'z';
  EXPECT_EQ(text_of(rope), large + "yyyyyyyyyy");
}

TEST(Rope, keeps_owners_alive) {
  std::weak_ptr<const std::string> watch;
  Rope rope;
  {
    auto owner = std::make_shared<const std::string>(100000, 'x');
    watch = owner;
    Rope inner;
    inner.append_view(bytes_of(*owner), owner);
    rope.append(inner);
  }
  EXPECT_FALSE(watch.expired());
  rope = Rope();
  EXPECT_TRUE(watch.expired());
  EXPECT_EQ(rope.size(), 0u);
}

TEST(Rope, is_empty_after_a_move) {
  Rope a(std::string("text"));
  const Rope b = std::move(a);
  EXPECT_EQ(a.size(), 0u);  // NOLINT: the state is part of the contract
  EXPECT_TRUE(a.pieces().empty());
  EXPECT_EQ(text_of(b), "text");
}

}  // namespace
}  // namespace graft
