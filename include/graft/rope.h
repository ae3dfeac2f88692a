// Rope: a byte string in pieces, so that a graph of hundreds of megabytes is put together from
// weights and plans where they already lie.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace graft {

// Invariants: no piece is empty; a piece's bytes never change. Copies share the pieces.
class Rope {
 public:
  struct Piece {
    std::span<const std::byte> bytes;
    std::shared_ptr<const void> owner;  // null: the bytes belong to the caller of append_view
  };

  Rope() = default;
  Rope(std::string text);  // NOLINT: implicit by design; owns the text
  Rope(const Rope& other) : pieces_(other.pieces_), size_(other.size_) {}
  Rope(Rope&& other) noexcept { swap(other); }
  Rope& operator=(Rope other) noexcept {
    swap(other);
    return *this;
  }

  void append_copy(std::span<const std::byte> bytes);
  // Large bytes are viewed and must stay valid as long as the rope, by `owner` or by the caller;
  // short ones are copied.
  void append_view(std::span<const std::byte> bytes, std::shared_ptr<const void> owner = nullptr);
  void append(const Rope& other);

  size_t size() const { return size_; }
  const std::vector<Piece>& pieces() const { return pieces_; }

  void copy_to(std::byte* dst) const;  // writes size() bytes
  std::vector<std::byte> flatten() const;

 private:
  struct Block;
  void push(std::span<const std::byte> bytes, std::shared_ptr<const void> owner);
  void swap(Rope& other) noexcept {
    pieces_.swap(other.pieces_);
    std::swap(size_, other.size_);
    tail_.swap(other.tail_);
  }

  std::vector<Piece> pieces_;
  size_t size_ = 0;
  std::shared_ptr<Block> tail_;  // where copies go; a copy of the rope starts a block of its own
};

}  // namespace graft
