// SHA-256 (FIPS 180-4): content identity of plans, segments and weights.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace graft {

using Digest = std::array<uint8_t, 32>;

class Sha256 {
 public:
  Sha256();
  void update(std::span<const std::byte> bytes);
  void update(std::string_view text);
  void update_u64(uint64_t value);  // little endian; lengths go in front of variable parts
  Digest finish();

 private:
  void blocks(const uint8_t* p, size_t count);
  std::array<uint32_t, 8> state_;
  std::array<uint8_t, 64> buffer_;
  size_t fill_ = 0;
  uint64_t total_bytes_ = 0;
};

Digest sha256(std::span<const std::byte> bytes);
std::string to_hex(const Digest& digest);  // 64 lower-case digits

}  // namespace graft
