// SHA-256 of every MiB of a weights section, on a few threads when it is large.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "graft/rope.h"

namespace graft::engine {

// Writes 32 bytes a chunk into `digests`, which has room for exactly all chunks.
void digest_chunks(const Rope& weights, std::span<std::byte> digests);

// Index of the first chunk whose digest differs from the table's; -1: none.
int64_t first_bad_chunk(std::span<const std::byte> weights, std::span<const std::byte> digests);

}  // namespace graft::engine
