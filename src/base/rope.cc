#include "graft/rope.h"

#include <algorithm>
#include <cstring>

#include "base/huge_pages.h"

namespace graft {
namespace {

constexpr size_t kViewFrom = 4096;  // a shorter piece costs more than its copy
constexpr size_t kFirstBlock = 256, kLargestBlock = size_t{64} << 10;

}  // namespace

// Never grows, so that pieces may view it.
struct Rope::Block {
  explicit Block(size_t capacity)
      : data(std::make_unique_for_overwrite<std::byte[]>(capacity)), capacity(capacity) {}
  std::unique_ptr<std::byte[]> data;
  size_t used = 0, capacity;
};

Rope::Rope(std::string text) {
  auto owner = std::make_shared<const std::string>(std::move(text));
  push(std::as_bytes(std::span(owner->data(), owner->size())), owner);
}

void Rope::push(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  if (bytes.empty()) return;
  size_ += bytes.size();
  if (!pieces_.empty()) {
    Piece& last = pieces_.back();
    if (owner && last.owner == owner && last.bytes.data() + last.bytes.size() == bytes.data()) {
      last.bytes = {last.bytes.data(), last.bytes.size() + bytes.size()};
      return;
    }
  }
  pieces_.push_back({bytes, std::move(owner)});
}

void Rope::append_copy(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  if (!tail_ || tail_->capacity - tail_->used < bytes.size()) {
    const size_t grown = tail_ ? std::min(2 * tail_->capacity, kLargestBlock) : kFirstBlock;
    tail_ = std::make_shared<Block>(std::max(grown, bytes.size()));
  }
  std::byte* const dst = tail_->data.get() + tail_->used;
  std::memcpy(dst, bytes.data(), bytes.size());
  tail_->used += bytes.size();
  push({dst, bytes.size()}, tail_);
}

void Rope::append_view(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  if (bytes.size() < kViewFrom)
    append_copy(bytes);
  else
    push(bytes, std::move(owner));
}

void Rope::append(const Rope& other) {
  for (const Piece& piece : other.pieces_) append_view(piece.bytes, piece.owner);
}

void Rope::copy_to(std::byte* dst) const {
  for (const Piece& piece : pieces_) {
    std::memcpy(dst, piece.bytes.data(), piece.bytes.size());
    dst += piece.bytes.size();
  }
}

std::vector<std::byte> Rope::flatten() const {
  std::vector<std::byte> bytes;
  bytes.reserve(size_);
  advise_huge_pages(bytes.data(), size_);
  for (const Piece& piece : pieces_)
    bytes.insert(bytes.end(), piece.bytes.begin(), piece.bytes.end());
  return bytes;
}

}  // namespace graft
