#include "base/hash.h"

#include <algorithm>
#include <cstring>

#include "base/hash_blocks.h"

namespace graft {
namespace {

void store_be32(uint32_t value, uint8_t* p) {
  for (int i = 0; i < 4; ++i) p[i] = static_cast<uint8_t>(value >> (24 - 8 * i));
}

}  // namespace

Sha256::Sha256()
    : state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19},
      buffer_{} {}

void Sha256::blocks(const uint8_t* p, size_t count) {
  if (sha256_detail::has_sha_instructions())
    sha256_detail::blocks_sha_ni(state_.data(), p, count);
  else
    sha256_detail::blocks_portable(state_.data(), p, count);
}

void Sha256::update(std::span<const std::byte> bytes) {
  const auto* p = reinterpret_cast<const uint8_t*>(bytes.data());
  size_t left = bytes.size();
  total_bytes_ += left;
  while (left > 0) {
    if (fill_ == 0 && left >= 64) {
      blocks(p, left / 64);
      p += left / 64 * 64, left %= 64;
      continue;
    }
    const size_t n = std::min(left, size_t{64} - fill_);
    std::memcpy(buffer_.data() + fill_, p, n);
    fill_ += n, p += n, left -= n;
    if (fill_ == 64) {
      blocks(buffer_.data(), 1);
      fill_ = 0;
    }
  }
}

void Sha256::update(std::string_view text) {
  update(std::as_bytes(std::span(text.data(), text.size())));
}

void Sha256::update_u64(uint64_t value) {
  std::byte bytes[8];
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<std::byte>(value >> (8 * i));
  update(std::span<const std::byte>(bytes));
}

Digest Sha256::finish() {
  const uint64_t bits = total_bytes_ * 8;
  buffer_[fill_++] = 0x80;
  if (fill_ > 56) {
    std::fill(buffer_.begin() + static_cast<std::ptrdiff_t>(fill_), buffer_.end(), uint8_t{0});
    blocks(buffer_.data(), 1);
    fill_ = 0;
  }
  std::fill(buffer_.begin() + static_cast<std::ptrdiff_t>(fill_), buffer_.begin() + 56, uint8_t{0});
  store_be32(static_cast<uint32_t>(bits >> 32), buffer_.data() + 56);
  store_be32(static_cast<uint32_t>(bits), buffer_.data() + 60);
  blocks(buffer_.data(), 1);
  Digest digest;
  for (int i = 0; i < 8; ++i) store_be32(state_[i], digest.data() + 4 * i);
  *this = Sha256();
  return digest;
}

Digest sha256(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

std::string to_hex(const Digest& digest) {
  std::string text;
  text.reserve(2 * digest.size());
  for (uint8_t byte : digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

}  // namespace graft
