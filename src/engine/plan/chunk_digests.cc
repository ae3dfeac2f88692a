#include "engine/plan/chunk_digests.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

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

size_t chunk_count(size_t weights_bytes) {
  return (weights_bytes + kDigestChunkBytes - 1) / kDigestChunkBytes;
}

// Bytes [begin, begin + size) of a rope.
class RopeReader {
 public:
  explicit RopeReader(const Rope& rope) : rope_(rope) {
    size_t end = 0;
    for (const Rope::Piece& piece : rope.pieces()) ends_.push_back(end += piece.bytes.size());
  }
  Digest digest(size_t begin, size_t size) const {
    Sha256 hash;
    auto i =
        static_cast<size_t>(std::upper_bound(ends_.begin(), ends_.end(), begin) - ends_.begin());
    while (size > 0) {
      const auto bytes = rope_.pieces()[i].bytes;
      const auto part = bytes.subspan(begin - (ends_[i] - bytes.size()));
      const size_t n = std::min(size, part.size());
      hash.update(part.first(n));
      begin += n;
      size -= n;
      ++i;
    }
    return hash.finish();
  }

 private:
  const Rope& rope_;
  std::vector<size_t> ends_;  // of each piece
};

}  // namespace

void digest_chunks(const Rope& weights, std::span<std::byte> digests) {
  const size_t chunks = chunk_count(weights.size());
  GRAFT_CHECK(digests.size() == chunks * sizeof(Digest));
  const RopeReader reader(weights);
  for_each_on_threads(chunks, thread_count(chunks), [&](size_t i) {
    const size_t begin = i * kDigestChunkBytes;
    const Digest digest = reader.digest(begin, std::min(kDigestChunkBytes, weights.size() - begin));
    std::memcpy(&digests[i * sizeof(Digest)], digest.data(), sizeof(Digest));
  });
}

int64_t first_bad_chunk(std::span<const std::byte> weights, std::span<const std::byte> digests) {
  const size_t chunks = chunk_count(weights.size());
  GRAFT_CHECK(digests.size() == chunks * sizeof(Digest));
  std::atomic<int64_t> bad{INT64_MAX};
  for_each_on_threads(chunks, thread_count(chunks), [&](size_t i) {
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
