// DimTable: polynomial normal form of symbolic extents. A polynomial is a sum of terms, a term a
// coefficient times a sorted multiset of atoms (symbols that are no sum or product). Polynomials
// are capped; beyond the cap an expression is interned as it was built, which only costs
// recognition of equal ones.
#include "ir/dim.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/checked.h"

namespace graft::ir {

namespace {

constexpr size_t kMaxTerms = 64, kMaxAtoms = 16;
constexpr int kMaxDepth = 96;

using Atoms = std::vector<int32_t>;

// Graded lexicographic, so that the leading term of a product is the product of the leading terms.
bool before(const Atoms& a, const Atoms& b) {
  if (a.size() != b.size()) return a.size() > b.size();
  return a < b;
}

bool in_symbol_range(int64_t v) { return !Dim(v).is_const(); }

int64_t floor_divide(int64_t a, int64_t b) {
  const int64_t q = a / b;
  return q - ((a % b != 0) && ((a < 0) != (b < 0)));
}

bool remove_atoms(Atoms from, const Atoms& what, Atoms& rest) {
  for (int32_t atom : what) {
    auto it = std::find(from.begin(), from.end(), atom);
    if (it == from.end()) return false;
    from.erase(it);
  }
  rest = std::move(from);
  return true;
}

}  // namespace

struct DimTable::Poly {
  struct Term {
    Atoms atoms;
    int64_t coef;
  };
  std::vector<Term> terms;  // sorted by before(), no zero coefficients

  bool is_const() const { return terms.empty() || (terms.size() == 1 && terms[0].atoms.empty()); }
  int64_t constant() const { return terms.empty() ? 0 : terms[0].coef; }

  bool add_term(const Atoms& atoms, int64_t coef) {
    auto it = std::lower_bound(terms.begin(), terms.end(), atoms,
                               [](const Term& t, const Atoms& a) { return before(t.atoms, a); });
    if (it != terms.end() && it->atoms == atoms) {
      auto sum = checked_add(it->coef, coef);
      if (!sum) return false;
      if (*sum == 0)
        terms.erase(it);
      else
        it->coef = *sum;
      return true;
    }
    if (coef == 0) return true;
    if (terms.size() >= kMaxTerms) return false;
    terms.insert(it, Term{atoms, coef});
    return true;
  }
  bool add_scaled(const Poly& other, int64_t coef, const Atoms& atoms) {
    for (const Term& t : other.terms) {
      auto c = checked_mul(t.coef, coef);
      if (!c || t.atoms.size() + atoms.size() > kMaxAtoms) return false;
      Atoms all = t.atoms;
      all.insert(all.end(), atoms.begin(), atoms.end());
      std::sort(all.begin(), all.end());
      if (!add_term(all, *c)) return false;
    }
    return true;
  }
  bool add_product(const Poly& a, const Poly& b) {
    for (const Term& t : b.terms)
      if (!add_scaled(a, t.coef, t.atoms)) return false;
    return true;
  }
};

bool DimTable::to_poly(Dim dim, int depth, Poly& out) const {
  if (dim.is_const()) return out.add_term({}, dim.value());
  if (depth > kMaxDepth) return false;
  const Expr& e = expr(dim);
  switch (e.op) {
    case DimOp::kAdd:
      return to_poly(e.a, depth + 1, out) && to_poly(e.b, depth + 1, out);
    case DimOp::kSub: {
      Poly b;
      return to_poly(e.a, depth + 1, out) && to_poly(e.b, depth + 1, b) &&
             out.add_scaled(b, -1, {});
    }
    case DimOp::kMul: {
      Poly a, b;
      return to_poly(e.a, depth + 1, a) && to_poly(e.b, depth + 1, b) && out.add_product(a, b);
    }
    default:
      return out.add_term({dim.id()}, 1);
  }
}

Dim DimTable::from_poly(const Poly& poly) {
  std::optional<Dim> sum;
  for (bool negative : {false, true}) {
    for (const Poly::Term& t : poly.terms) {
      if ((t.coef < 0) != negative) continue;
      if (negative && t.coef == INT64_MIN) return impossible();
      const int64_t coef = negative ? -t.coef : t.coef;
      Dim term = coef;
      if (!t.atoms.empty()) {
        term = Dim::symbol(t.atoms[0]);
        for (size_t i = 1; i < t.atoms.size(); ++i)
          term = intern(DimOp::kMul, term, Dim::symbol(t.atoms[i]));
        if (coef != 1) term = intern(DimOp::kMul, term, coef);
      } else if (negative && !sum) {
        return -coef;
      }
      if (!sum && !negative)
        sum = term;
      else
        sum = intern(negative ? DimOp::kSub : DimOp::kAdd, sum.value_or(Dim(0)), term);
    }
  }
  return sum.value_or(Dim(0));
}

bool DimTable::is_non_negative(Dim dim) const {
  Poly poly;
  if (!to_poly(dim, 0, poly)) return false;
  for (const Poly::Term& t : poly.terms) {
    if (t.coef < 0) return false;
    for (int32_t atom : t.atoms) {
      const Expr& e = exprs_[static_cast<size_t>(atom)];
      if (e.op == DimOp::kInput || e.op == DimOp::kOpaque || e.op == DimOp::kBroadcast) continue;
      // One level is enough for the window formulas; deeper ones count as unknown.
      const bool a = e.a.is_const() ? e.a.value() >= 0 : expr(e.a).op == DimOp::kInput;
      const bool b = e.b.is_const() ? e.b.value() >= 0 : expr(e.b).op == DimOp::kInput;
      if (e.op == DimOp::kMax ? !(a || b) : !(a && b)) return false;
    }
  }
  return true;
}

Dim DimTable::intern(DimOp op, Dim a, Dim b) {
  auto [it, is_new] = interned_.try_emplace({static_cast<int>(op), a.value(), b.value()}, size());
  if (is_new) exprs_.push_back({op, a, b});
  return Dim::symbol(it->second);
}

Dim DimTable::fold(DimOp op, int64_t a, int64_t b) {
  std::optional<int64_t> r;
  switch (op) {
    case DimOp::kAdd:
      r = checked_add(a, b);
      break;
    case DimOp::kSub:
      if (int64_t d; !__builtin_sub_overflow(a, b, &d)) r = d;
      break;
    case DimOp::kMul:
      r = checked_mul(a, b);
      break;
    case DimOp::kFloorDiv:
      if (b != 0 && !(a == INT64_MIN && b == -1)) r = floor_divide(a, b);
      break;
    case DimOp::kCeilDiv:
      if (b != 0 && !(a == INT64_MIN && b == -1)) r = floor_divide(a, b) + (a % b != 0);
      break;
    case DimOp::kMax:
      r = std::max(a, b);
      break;
    case DimOp::kMin:
      r = std::min(a, b);
      break;
    case DimOp::kBroadcast:
      r = a == 1 ? b : a;
      break;
    default:
      break;
  }
  if (!r || in_symbol_range(*r)) return impossible();
  return *r;
}

// a / b: exact polynomial quotients, then whole parts out of the division by a constant.
std::optional<Dim> DimTable::divide(DimOp op, const Poly& a, const Poly& b) {
  if (b.terms.empty()) return impossible();
  if (a.terms.empty()) return Dim(0);
  Poly rest = a, quotient;
  const Poly::Term& lead = b.terms[0];
  for (size_t step = 0; step < kMaxTerms && !rest.terms.empty(); ++step) {
    const Poly::Term t = rest.terms[0];
    Atoms atoms;
    if (t.coef % lead.coef != 0 || !remove_atoms(t.atoms, lead.atoms, atoms)) break;
    const int64_t coef = t.coef / lead.coef;
    if (coef == INT64_MIN || !quotient.add_term(atoms, coef) || !rest.add_scaled(b, -coef, atoms))
      return std::nullopt;
  }
  if (rest.terms.empty()) return from_poly(quotient);
  if (!b.is_const() || b.constant() <= 0) return std::nullopt;
  // (c*q + r) / c = q + r / c for both roundings.
  int64_t c = b.constant();
  Poly whole, part;
  int64_t common = c;
  for (const Poly::Term& t : a.terms) {
    if (t.coef % c == 0) {
      if (!whole.add_term(t.atoms, t.coef / c)) return std::nullopt;
    } else {
      if (!part.add_term(t.atoms, t.coef)) return std::nullopt;
      common = std::gcd(common, t.coef);
    }
  }
  if (part.is_const()) {
    const Dim k = fold(op, part.constant(), c);
    if (!k.is_const() || !whole.add_term({}, k.value())) return std::nullopt;
    return from_poly(whole);
  }
  for (Poly::Term& t : part.terms) t.coef /= common;
  c /= common;
  Dim dividend = from_poly(part);
  if (const Expr& e = expr(dividend); e.op == op && e.b.is_const() && e.b.value() > 0) {
    if (auto cc = checked_mul(e.b.value(), c)) {  // x / c1 / c2 = x / (c1 * c2)
      dividend = e.a;
      c = *cc;
    }
  }
  const Dim q = intern(op, dividend, c);
  if (!whole.add_term({q.id()}, 1)) return std::nullopt;
  return from_poly(whole);
}

std::optional<Dim> DimTable::simplify(DimOp op, Dim a, Dim b) {
  Poly pa, pb;
  if (!to_poly(a, 0, pa) || !to_poly(b, 0, pb)) return std::nullopt;
  switch (op) {
    case DimOp::kAdd:
    case DimOp::kSub:
      if (!pa.add_scaled(pb, op == DimOp::kAdd ? 1 : -1, {})) return std::nullopt;
      return from_poly(pa);
    case DimOp::kMul: {
      Poly product;
      if (!product.add_product(pa, pb)) return std::nullopt;
      return from_poly(product);
    }
    case DimOp::kFloorDiv:
    case DimOp::kCeilDiv:
      return divide(op, pa, pb);
    case DimOp::kMax:
    case DimOp::kMin:
      if (!pa.add_scaled(pb, -1, {})) return std::nullopt;
      if (is_non_negative(from_poly(pa))) return op == DimOp::kMax ? a : b;
      for (Poly::Term& t : pa.terms) t.coef = -t.coef;
      if (is_non_negative(from_poly(pa))) return op == DimOp::kMax ? b : a;
      return std::nullopt;
    case DimOp::kBroadcast:
      if (a.is_const()) std::swap(a, b);
      if (b.is_const()) return b.value() == 1 ? a : b;
      for (auto [x, y] : {std::pair(a, b), std::pair(b, a)}) {
        const Expr& e = expr(y);
        // x beside min(x, c): a smaller c would not broadcast unless it is 1, and then x wins
        // (position tables).
        if (e.op == DimOp::kMin && (e.a == x || e.b == x)) {
          const Dim c = e.a == x ? e.b : e.a;
          if (c.is_const() && c.value() >= 1) return x;
        }
        if (e.op == DimOp::kBroadcast && (e.a == x || e.b == x)) return y;
      }
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

Dim DimTable::make(DimOp op, Dim a, Dim b) {
  if (op == DimOp::kInput || op == DimOp::kOpaque) return intern(op, a, b);
  if (a.is_const() && b.is_const()) return fold(op, a.value(), b.value());
  if (a == b && (op == DimOp::kMax || op == DimOp::kMin || op == DimOp::kBroadcast)) return a;
  if (auto r = simplify(op, a, b)) return *r;
  const bool ordered = op == DimOp::kSub || op == DimOp::kFloorDiv || op == DimOp::kCeilDiv;
  if (!ordered && b.value() < a.value()) std::swap(a, b);
  return intern(op, a, b);
}

Dim DimTable::product(std::span<const Dim> dims) {
  Dim r = 1;
  for (Dim d : dims) r = mul(r, d);
  return r;
}

std::string DimTable::text(Dim dim, int depth) const {
  if (dim.is_const()) return std::to_string(dim.value());
  if (dim.id() >= size()) return "symbol?" + std::to_string(dim.id());
  if (depth > 24) return "...";
  const Expr& e = expr(dim);
  const auto sub = [&](Dim d) { return text(d, depth + 1); };
  const auto factor = [&](Dim d) {
    const bool sum = !d.is_const() && d.id() < size() &&
                     (expr(d).op == DimOp::kAdd || expr(d).op == DimOp::kSub);
    return sum ? "(" + sub(d) + ")" : sub(d);
  };
  switch (e.op) {
    case DimOp::kInput:
      return "d" + std::to_string(e.a.value()) + "_" + std::to_string(e.b.value());
    case DimOp::kOpaque:
      return e.a.value() < 0 ? "?" : "?" + std::to_string(e.a.value());
    case DimOp::kAdd:
      return sub(e.a) + "+" + sub(e.b);
    case DimOp::kSub:
      return sub(e.a) + "-" + factor(e.b);
    case DimOp::kMul:
      return factor(e.a) + "*" + factor(e.b);
    case DimOp::kFloorDiv:
      return "floor(" + factor(e.a) + "/" + factor(e.b) + ")";
    case DimOp::kCeilDiv:
      return "ceil(" + factor(e.a) + "/" + factor(e.b) + ")";
    case DimOp::kMax:
      return "max(" + sub(e.a) + "," + sub(e.b) + ")";
    case DimOp::kMin:
      return "min(" + sub(e.a) + "," + sub(e.b) + ")";
    case DimOp::kBroadcast:
      return "bcast(" + sub(e.a) + "," + sub(e.b) + ")";
    default:
      return "?";
  }
}

std::string DimTable::text(Dim dim) const { return text(dim, 0); }

}  // namespace graft::ir
