#include "base/alloc.h"

#include <sys/mman.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <string>
#include <tuple>

namespace graft {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kMmapFrom = size_t{4} << 20;

// Under AddressSanitizer every buffer comes from its heap, so that each has red zones.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kUseMmap = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kUseMmap = false;
#else
constexpr bool kUseMmap = true;
#endif
#else
constexpr bool kUseMmap = true;
#endif

std::atomic<int64_t> live_bytes{0}, peak_bytes{0}, allocations{0};
std::atomic<int64_t> cap_bytes{-1}, fault_countdown{0};

bool fault_now() {
  int64_t left = fault_countdown.load(std::memory_order_relaxed);
  while (left > 0)
    if (fault_countdown.compare_exchange_weak(left, left - 1)) return left == 1;
  return false;
}

// Books size bytes, or returns false when that would pass the cap.
bool book(int64_t size) {
  const int64_t cap = cap_bytes.load(std::memory_order_relaxed);
  int64_t live = live_bytes.load(std::memory_order_relaxed);
  do {
    if (cap >= 0 && (live > cap || size > cap - live)) return false;
  } while (!live_bytes.compare_exchange_weak(live, live + size));
  int64_t peak = peak_bytes.load(std::memory_order_relaxed);
  while (peak < live + size && !peak_bytes.compare_exchange_weak(peak, live + size)) {
  }
  return true;
}

// 2 MiB aligned mapping of `mapped` bytes (a multiple of 2 MiB), or nullptr.
std::byte* map_aligned(size_t mapped) {
  void* raw = ::mmap(nullptr, mapped + kHugePage, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (raw == MAP_FAILED) return nullptr;
  auto* begin = static_cast<std::byte*>(raw);
  const size_t skip = (kHugePage - reinterpret_cast<uintptr_t>(raw) % kHugePage) % kHugePage;
  if (skip > 0) ::munmap(begin, skip);
  if (skip < kHugePage) ::munmap(begin + skip + mapped, kHugePage - skip);
  ::madvise(begin + skip, mapped, MADV_HUGEPAGE);  // advice only: nothing depends on it
  return begin + skip;
}

// Large enough that the unused ends of chunks do not matter.
constexpr size_t kChunkBytes = size_t{8} << 20;

struct Chunk {
  Chunk() = default;
  Chunk(const Chunk&) = delete;
  Chunk& operator=(const Chunk&) = delete;
  ~Chunk() {
    if (data != nullptr) ::munmap(data, kChunkBytes);
  }
  std::byte* data = map_aligned(kChunkBytes);
  size_t used = 0;
};

std::mutex chunk_mutex;
std::weak_ptr<Chunk> open_chunk;  // guarded by chunk_mutex

// size_bytes <= kChunkBytes, aligned to kAlignment; data null when the system refuses.
std::pair<std::shared_ptr<Chunk>, std::byte*> cut_from_chunk(size_t size_bytes) {
  const size_t size = (size_bytes + kAlignment - 1) / kAlignment * kAlignment;
  const std::lock_guard lock(chunk_mutex);
  std::shared_ptr<Chunk> chunk = open_chunk.lock();
  if (!chunk || chunk->used + size > kChunkBytes) {
    chunk = std::make_shared<Chunk>();
    if (chunk->data == nullptr) return {};
    open_chunk = chunk;
  }
  std::byte* data = chunk->data + chunk->used;
  chunk->used += size;
  return {std::move(chunk), data};
}

}  // namespace

Result<Buffer> Buffer::allocate(size_t size_bytes) { return make(size_bytes, false); }
Result<Buffer> Buffer::allocate_weights(size_t size_bytes) { return make(size_bytes, true); }

Result<Buffer> Buffer::make(size_t size_bytes, bool from_chunk) {
  constexpr size_t kLargest = (size_t{1} << 62);
  const auto fail = [&](const std::string& why) {
    return resource_exhausted("cannot allocate " + std::to_string(size_bytes) + " bytes: " + why);
  };
  if (size_bytes == 0) return Buffer();
  if (size_bytes > kLargest) return fail("larger than any memory");
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (fault_now()) return fail("allocation fault set by a test");
  if (!book(static_cast<int64_t>(size_bytes)))
    return fail("the memory limit is " + std::to_string(cap_bytes.load()) + " bytes and " +
                std::to_string(live_bytes.load()) + " are in use");
  Buffer buffer;
  if (kUseMmap && size_bytes >= kMmapFrom) {
    const size_t mapped = (size_bytes + kHugePage - 1) / kHugePage * kHugePage;
    buffer.data_ = map_aligned(mapped);
    buffer.mapped_ = buffer.data_ != nullptr ? mapped : 0;
  } else if (kUseMmap && from_chunk) {
    std::tie(buffer.chunk_, buffer.data_) = cut_from_chunk(size_bytes);
  } else {
    void* p = nullptr;
    if (::posix_memalign(&p, kAlignment, size_bytes) == 0)
      buffer.data_ = static_cast<std::byte*>(p);
  }
  if (buffer.data_ == nullptr) {
    live_bytes.fetch_sub(static_cast<int64_t>(size_bytes));
    return fail("out of memory");
  }
  buffer.size_ = size_bytes;
  return buffer;
}

Buffer::~Buffer() {
  if (data_ == nullptr) return;
  if (mapped_ > 0) {
    ::munmap(data_, mapped_);
  } else if (!chunk_) {
    std::free(data_);
  }
  live_bytes.fetch_sub(static_cast<int64_t>(size_));
}

AllocStats alloc_stats() {
  AllocStats stats;
  stats.live_bytes = live_bytes.load();
  stats.peak_bytes = peak_bytes.load();
  stats.allocations = allocations.load();
  return stats;
}

void set_alloc_cap(int64_t bytes) { cap_bytes.store(bytes); }
void set_alloc_fault(int64_t nth_alloc) { fault_countdown.store(nth_alloc); }

}  // namespace graft
