#include "passes/polynomial.h"

#include <algorithm>
#include <cmath>

namespace graft::passes {

namespace {

constexpr size_t kMaxTerms = 16;
constexpr int kMaxOps = 64;

using Terms = std::vector<Term>;

class Expander {
 public:
  Expander(Editor& edit, const std::vector<ir::ValueId>& leaves) : edit_(edit), leaves_(leaves) {}

  std::optional<Terms> expand(ir::ValueId id) {
    if (std::find(leaves_.begin(), leaves_.end(), id) != leaves_.end()) return Terms{{1, {}, {id}}};
    const ir::Value& value = edit_.value(id);
    if (value.is_const()) {
      if (auto c = scalar_constant(value)) return Terms{{*c, {}, {}}};
      return Terms{{1, {id}, {}}};
    }
    const ir::Op* op = edit_.producer_op(id);
    if (!op || ++visited_ > kMaxOps) return std::nullopt;
    if (const auto* u = op->get_if<ir::UnaryAttrs>()) return unary(*op, u->fn.fn);
    if (const auto* b = op->get_if<ir::BinaryAttrs>()) return binary(*op, b->fn);
    return std::nullopt;
  }

 private:
  std::optional<Terms> unary(const ir::Op& op, ir::UnaryFn fn) {
    const ir::ValueId src = op.inputs[0];
    if (fn != ir::UnaryFn::kNeg && fn != ir::UnaryFn::kSquare) return std::nullopt;
    auto terms = expand(src);
    if (!terms) return std::nullopt;
    if (fn == ir::UnaryFn::kSquare) return product(*terms, *terms);
    for (Term& t : *terms) t.coefficient = -t.coefficient;
    return terms;
  }

  std::optional<Terms> binary(const ir::Op& op, ir::BinaryFn fn) {
    using ir::BinaryFn;
    const ir::ValueId left = op.inputs[0], right = op.inputs[1];
    if (fn == BinaryFn::kPow) return power(left, right);
    if (fn == BinaryFn::kDiv) {
      const auto divisor = scalar_constant(edit_.value(right));
      if (!divisor || *divisor == 0) return std::nullopt;
      auto terms = expand(left);
      if (terms) {
        for (Term& t : *terms) t.coefficient /= *divisor;
      }
      return terms;
    }
    if (fn != BinaryFn::kAdd && fn != BinaryFn::kSub && fn != BinaryFn::kMul) return std::nullopt;
    auto a = expand(left), b = expand(right);
    if (!a || !b) return std::nullopt;
    if (fn == BinaryFn::kMul) return product(*a, *b);
    for (Term& t : *b) {
      if (fn == BinaryFn::kSub) t.coefficient = -t.coefficient;
      a->push_back(std::move(t));
    }
    if (a->size() > kMaxTerms) return std::nullopt;
    return a;
  }

  std::optional<Terms> power(ir::ValueId base, ir::ValueId exponent) {
    const auto e = scalar_constant(edit_.value(exponent));
    if (!e || (*e != 2 && *e != 3)) return std::nullopt;
    const auto terms = expand(base);
    if (!terms) return std::nullopt;
    auto square = product(*terms, *terms);
    return square && *e == 3 ? product(*square, *terms) : square;
  }

  static std::optional<Terms> product(const Terms& a, const Terms& b) {
    if (a.size() * b.size() > kMaxTerms) return std::nullopt;
    Terms out;
    for (const Term& x : a) {
      for (const Term& y : b) {
        Term t = x;
        t.coefficient *= y.coefficient;
        t.vectors.insert(t.vectors.end(), y.vectors.begin(), y.vectors.end());
        t.leaves.insert(t.leaves.end(), y.leaves.begin(), y.leaves.end());
        std::sort(t.leaves.begin(), t.leaves.end());
        out.push_back(std::move(t));
      }
    }
    return out;
  }

  Editor& edit_;
  const std::vector<ir::ValueId>& leaves_;
  int visited_ = 0;
};

}  // namespace

std::optional<std::vector<Term>> expand(Editor& edit, ir::ValueId root,
                                        const std::vector<ir::ValueId>& leaves) {
  return Expander(edit, leaves).expand(root);
}

std::vector<const Term*> terms_with(const std::vector<Term>& terms,
                                    std::vector<ir::ValueId> leaves) {
  std::sort(leaves.begin(), leaves.end());
  std::vector<const Term*> found;
  for (const Term& t : terms) {
    if (t.leaves == leaves) found.push_back(&t);
  }
  return found;
}

std::vector<size_t> arithmetic_readers(Editor& edit, ir::ValueId from, int depth) {
  std::vector<size_t> found;
  std::vector<ir::ValueId> frontier{from};
  for (int step = 0; step < depth && !frontier.empty() && found.size() < kMaxOps; ++step) {
    std::vector<ir::ValueId> next;
    for (ir::ValueId id : frontier) {
      for (int32_t op : edit.consumers(id)) {
        const ir::Op& reader = edit.op(static_cast<size_t>(op));
        if (!reader.get_if<ir::BinaryAttrs>() && !reader.get_if<ir::UnaryAttrs>()) continue;
        if (std::find(found.begin(), found.end(), static_cast<size_t>(op)) != found.end()) continue;
        found.push_back(static_cast<size_t>(op));
        next.push_back(reader.outputs[0]);
      }
    }
    frontier = std::move(next);
  }
  return found;
}

bool near(double a, double b) {
  return std::abs(a - b) <= 1e-5 * std::max(std::abs(a), std::abs(b));
}

}  // namespace graft::passes
