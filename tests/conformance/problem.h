// A problem line: one op, its attributes and its tensors. The same text is a test (lines_test), a
// repro (line_runner) and a benchmark (line_runner --bench).
//   conv strides=[2,2] padding=same : float32[1,8,8,3] *float32[3,3,3,4] -> 1 rtol=1e-6
// Before the arrow the inputs, a constant with a star, small integers with their elements:
// *int32[2]=4,-1. Behind it the number of outputs, and how far a kernel may be from the reference
// evaluator relative to the largest element; without rtol the tensors hold small whole numbers and
// every bit must be equal.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "ir/network.h"

namespace graft::conformance {

struct ProblemTensor {
  DType dtype = DType::kInvalid;
  std::vector<int64_t> dims;
  bool constant = false;
  std::vector<std::byte> bytes;  // the elements that the line gives, else zeros
  bool given = false;
  size_t elems() const;
};

struct Problem {
  std::string text;
  ir::Op op;  // without inputs and outputs
  std::vector<ProblemTensor> inputs;
  size_t outputs = 1;
  double rtol = 0;
};

// InvalidArgument says what of the line cannot be read.
Result<Problem> parse_problem(const std::string& line);

// Draws the elements that the line does not give, from the line as the seed: whole numbers of at
// most 4, or with rtol standard normal ones. Integer tensors hold 0, 1 and 2.
void fill(Problem& problem);

// The op alone: tensors without a star are the network's inputs, outputs its outputs.
Result<ir::Network> network_of(const Problem& problem);

}  // namespace graft::conformance
