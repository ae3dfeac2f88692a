// Every large buffer of the library: aligned, counted, capped, and able to fail by index for fault
// tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "base/status.h"

namespace graft {

// Uninitialised memory aligned to 64 bytes (2 MiB and huge-page advice from 4 MiB up). Movable, not
// copyable.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    Buffer tmp(std::move(other));
    swap(tmp);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer();

  // ResourceExhausted when the cap is hit, the system refuses or the fault index says so.
  static Result<Buffer> allocate(size_t size_bytes);

  // As allocate, for weights: buffers under 4 MiB are cut from common chunks with huge-page advice,
  // since a run reads many of them in turn and their page walks show. A chunk is unmapped with its
  // last buffer.
  static Result<Buffer> allocate_weights(size_t size_bytes);

  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  std::span<std::byte> span() { return {data_, size_}; }
  std::span<const std::byte> span() const { return {data_, size_}; }
  template <typename T>
  T* as() {
    return reinterpret_cast<T*>(data_);
  }
  template <typename T>
  const T* as() const {
    return reinterpret_cast<const T*>(data_);
  }

 private:
  static Result<Buffer> make(size_t size_bytes, bool from_chunk);
  void swap(Buffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(mapped_, other.mapped_);
    std::swap(chunk_, other.chunk_);
  }
  std::byte* data_ = nullptr;
  size_t size_ = 0;
  size_t mapped_ = 0;  // bytes obtained by mmap, 0 when from the heap or a chunk
  std::shared_ptr<void> chunk_;
};

struct AllocStats {
  int64_t live_bytes = 0, peak_bytes = 0, allocations = 0;
};
AllocStats alloc_stats();
void set_alloc_cap(int64_t bytes);        // of live_bytes; -1: none
void set_alloc_fault(int64_t nth_alloc);  // the n-th allocation from now fails; 0 = off

}  // namespace graft
