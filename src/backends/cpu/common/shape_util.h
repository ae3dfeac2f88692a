// Small helpers on dims and problems.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "backends/cpu/kernel_list.h"
#include "graft/types.h"

namespace graft::cpu {

inline int64_t elems_of(std::span<const int64_t> dims) {
  int64_t n = 1;
  for (int64_t d : dims) n *= d;
  return n;
}

// Why src input `i` is not what the kernel takes; "" when it is.
inline std::string require_dtype(const Problem& problem, size_t i, DType want) {
  const DType got = problem.src[i]->dtype;
  if (got == want) return "";
  return "input " + std::to_string(i) + " is " + dtype_name(got) + ", the kernel takes " +
         dtype_name(want);
}

inline std::string require_float(const Problem& problem) {
  for (size_t i = 0; i < problem.src.size(); ++i) {
    if (auto why = require_dtype(problem, i, DType::kFloat); !why.empty()) return why;
  }
  return "";
}

}  // namespace graft::cpu
