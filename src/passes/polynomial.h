// Polynomial: an elementwise expression over Add, Sub, Mul, Neg, Square and division by constants,
// multiplied out over chosen leaves. Patterns compare sums of products, so that no association or
// order of factors escapes them.
#pragma once

#include <optional>
#include <vector>

#include "passes/editor.h"

namespace graft::passes {

// coefficient * product(vectors) * product(leaves). `vectors`: constants with more than one
// distinct element.
struct Term {
  double coefficient = 1;
  std::vector<ir::ValueId> vectors;
  std::vector<ir::ValueId> leaves;  // sorted, with repetition
};

// Nothing when the expression has another leaf than those given, or more than 16 terms or 64 ops.
std::optional<std::vector<Term>> expand(Editor& edit, ir::ValueId root,
                                        const std::vector<ir::ValueId>& leaves);

// The terms whose leaves are exactly `leaves` (any order).
std::vector<const Term*> terms_with(const std::vector<Term>& terms,
                                    std::vector<ir::ValueId> leaves);

// Elementwise ops that depend on `from` through such arithmetic, at most `depth` steps; nearest
// first.
std::vector<size_t> arithmetic_readers(Editor& edit, ir::ValueId from, int depth);

bool near(double a, double b);  // within 1e-5, relative

}  // namespace graft::passes
