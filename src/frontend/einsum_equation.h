// The equation of an Einsum of one or two operands, and what its labels are.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace graft::frontend {

// One character an axis: a letter, or of an ellipsis the number of the axis from its right, which
// is how two ellipses are aligned.
struct EinsumEquation {
  std::vector<std::string> operands;  // one or two
  std::string out;
};

inline bool is_ellipsis_label(char c) { return c > 0 && c < 16; }

// For operands of the given ranks. Absent: `problem` says whether the ranks do not fit (`invalid`),
// or the equation is none of distinct letters.
struct EinsumProblem {
  bool invalid = false;
  std::string text;
};
std::optional<EinsumEquation> parse_einsum(std::string_view text, const std::vector<int>& ranks,
                                           EinsumProblem& problem);

// Labels in the order of the first operand, then of the second.
struct EinsumLabels {
  std::string batch;       // in both and the result
  std::string contracted;  // in both only
  std::string rows, cols;  // in one and the result
  std::string sums[2];     // in one only
};
EinsumLabels classify(const EinsumEquation& equation);

}  // namespace graft::frontend
