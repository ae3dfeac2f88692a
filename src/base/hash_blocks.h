// The compression function of SHA-256 over whole 64-byte blocks: portable, and with the SHA
// instructions of x86-64.
#pragma once

#include <cstddef>
#include <cstdint>

namespace graft::sha256_detail {

extern const uint32_t kRound[64];  // FIPS 180-4, 4.2.2

void blocks_portable(uint32_t state[8], const uint8_t* data, size_t count);
// Only when has_sha_instructions().
void blocks_sha_ni(uint32_t state[8], const uint8_t* data, size_t count);
bool has_sha_instructions();

}  // namespace graft::sha256_detail
