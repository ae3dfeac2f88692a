// Dim: one extent of a tensor: a non-negative constant, or a symbol whose expression lives in the
// Network's DimTable. Equal symbolic dims have equal Dim values, because expressions are interned.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "base/status.h"

namespace graft::ir {

class Dim {
 public:
  constexpr Dim() = default;
  constexpr Dim(int64_t value)
      : v_(value) {}  // NOLINT: a number is a dim; negative constants are host values only
  static constexpr Dim symbol(int32_t id) {
    Dim d;
    d.v_ = kSymbolBase + id;
    return d;
  }
  constexpr bool is_const() const { return v_ > kSymbolBase + kSymbolRange || v_ < kSymbolBase; }
  constexpr int64_t value() const { return v_; }  // valid when is_const()
  constexpr int32_t id() const {
    return static_cast<int32_t>(v_ - kSymbolBase);
  }  // valid otherwise
  constexpr bool operator==(const Dim&) const = default;

 private:
  static constexpr int64_t kSymbolBase = INT64_MIN;  // symbols take the lowest 2^32 numbers
  static constexpr int64_t kSymbolRange = int64_t{1} << 32;
  int64_t v_ = 0;
};

// kBroadcast: the common extent of two broadcast dims: b when a is 1, else a (max would be wrong
// for 0 and 1). Numbers are part of the plan format: append only.
enum class DimOp {
  kInput,
  kOpaque,
  kAdd,
  kSub,
  kMul,
  kFloorDiv,
  kCeilDiv,
  kMax,
  kMin,
  kBroadcast,
  kCount
};

// Expressions, interned. kInput(a = network input, b = axis) is a dim of an input; kOpaque(a =
// counter) is an extent that is known only while running (data-dependent). Simplifies constants and
// the neutral elements.
class DimTable {
 public:
  struct Expr {
    DimOp op;
    Dim a, b;
    bool operator==(const Expr&) const = default;
  };
  Dim input(int64_t input_index, int64_t axis) { return make(DimOp::kInput, input_index, axis); }
  Dim opaque() { return make(DimOp::kOpaque, next_opaque_++, 0); }
  Dim add(Dim a, Dim b) { return make(DimOp::kAdd, a, b); }
  Dim sub(Dim a, Dim b) { return make(DimOp::kSub, a, b); }
  Dim mul(Dim a, Dim b) { return make(DimOp::kMul, a, b); }
  Dim floor_div(Dim a, Dim b) { return make(DimOp::kFloorDiv, a, b); }  // b == 0: opaque
  Dim ceil_div(Dim a, Dim b) { return make(DimOp::kCeilDiv, a, b); }
  Dim max(Dim a, Dim b) { return make(DimOp::kMax, a, b); }
  Dim min(Dim a, Dim b) { return make(DimOp::kMin, a, b); }
  Dim broadcast(Dim a, Dim b) { return make(DimOp::kBroadcast, a, b); }
  Dim product(std::span<const Dim> dims);
  bool is_non_negative(Dim dim) const;  // provably

  // Symbols have ids 0..size()-1; an expression only refers to smaller ids.
  int32_t size() const { return static_cast<int32_t>(exprs_.size()); }
  const Expr& expr(Dim symbol) const { return exprs_[static_cast<size_t>(symbol.id())]; }
  // "n", "ceil(h/2)"...: for dumps; constants as numbers.
  std::string text(Dim dim) const;

 private:
  struct Poly;
  Dim make(DimOp op, Dim a, Dim b);
  Dim intern(DimOp op, Dim a, Dim b);
  Dim fold(DimOp op, int64_t a, int64_t b);
  Dim impossible() { return intern(DimOp::kOpaque, -1, 0); }
  std::optional<Dim> simplify(DimOp op, Dim a, Dim b);
  std::optional<Dim> divide(DimOp op, const Poly& a, const Poly& b);
  bool to_poly(Dim dim, int depth, Poly& out) const;
  Dim from_poly(const Poly& poly);
  std::string text(Dim dim, int depth) const;
  std::vector<Expr> exprs_;
  std::map<std::tuple<int, int64_t, int64_t>, int32_t> interned_;
  int64_t next_opaque_ = 0;
};

}  // namespace graft::ir
