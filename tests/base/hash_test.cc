#include "base/hash.h"

#include <gtest/gtest.h>

#include <string>

namespace graft {
namespace {

std::string hex_of(std::string_view text) {
  return to_hex(sha256(std::as_bytes(std::span(text.data(), text.size()))));
}

TEST(Hash, known_answers) {
  EXPECT_EQ(hex_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex_of(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Hash, pieces_give_the_digest_of_the_whole) {
  std::string text(300, '\0');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 37);
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    Sha256 hash;
    hash.update(std::string_view(text).substr(0, cut));
    hash.update(std::string_view(text).substr(cut));
    EXPECT_EQ(to_hex(hash.finish()), hex_of(text)) << "cut at " << cut;
  }
}

TEST(Hash, finish_starts_anew_and_u64_is_little_endian) {
  Sha256 hash;
  hash.update("junk");
  hash.finish();
  hash.update_u64(0x0807060504030201);
  EXPECT_EQ(to_hex(hash.finish()), hex_of(std::string("\1\2\3\4\5\6\7\10", 8)));
}

}  // namespace
}  // namespace graft
