#include "engine/plan/chunk_digests.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>

#include "base/check.h"
#include "base/hash.h"
#include "engine/plan/container.h"
#include "engine/plan/few_threads.h"

namespace graft::engine {
namespace {

constexpr size_t kChunksPerThread = 8;  // below this a thread costs more than it saves
constexpr size_t kMaxThreads = 8;

size_t thread_count(size_t chunks) {
  return std::min({chunks / kChunksPerThread, kMaxThreads,
                   static_cast<size_t>(std::thread::hardware_concurrency())});
}

Digest chunk_digest(std::span<const std::byte> weights, size_t chunk) {
  const size_t begin = chunk * kDigestChunkBytes;
  return sha256(weights.subspan(begin, std::min(kDigestChunkBytes, weights.size() - begin)));
}

size_t chunk_count(std::span<const std::byte> weights) {
  return (weights.size() + kDigestChunkBytes - 1) / kDigestChunkBytes;
}

}  // namespace

void digest_chunks(std::span<const std::byte> weights, std::span<std::byte> digests) {
  GRAFT_CHECK(digests.size() == chunk_count(weights) * sizeof(Digest));
  for_each_on_threads(chunk_count(weights), thread_count(chunk_count(weights)), [&](size_t i) {
    const Digest digest = chunk_digest(weights, i);
    std::memcpy(&digests[i * sizeof(Digest)], digest.data(), sizeof(Digest));
  });
}

int64_t first_bad_chunk(std::span<const std::byte> weights, std::span<const std::byte> digests) {
  GRAFT_CHECK(digests.size() == chunk_count(weights) * sizeof(Digest));
  std::atomic<int64_t> bad{INT64_MAX};
  for_each_on_threads(chunk_count(weights), thread_count(chunk_count(weights)), [&](size_t i) {
    const Digest digest = chunk_digest(weights, i);
    if (std::memcmp(&digests[i * sizeof(Digest)], digest.data(), sizeof(Digest)) == 0) return;
    int64_t seen = bad.load();
    while (static_cast<int64_t>(i) < seen &&
           !bad.compare_exchange_weak(seen, static_cast<int64_t>(i))) {
    }
  });
  return bad.load() == INT64_MAX ? -1 : bad.load();
}

}  // namespace graft::engine
