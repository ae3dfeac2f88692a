// A step that is one strided copy of src[0] to dst[0].
#pragma once

#include <string>

#include "backends/cpu/common/step_util.h"
#include "backends/cpu/movement/copy_nd.h"
#include "graft/types.h"

namespace graft::cpu {

// "" when elements of input i have a size that the movement kernels copy.
inline std::string require_movable(const Problem& problem, size_t i = 0) {
  const size_t bytes = dtype_size(problem.src[i]->dtype);
  if (bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8) return "";
  return "elements of " + dtype_name(problem.src[i]->dtype);
}

inline int64_t elem_bytes_of(const Problem& problem, size_t i = 0) {
  return static_cast<int64_t>(dtype_size(problem.src[i]->dtype));
}

class CopyStepBase : public Step {
 public:
  explicit CopyStepBase(const Problem& problem, size_t src = 0)
      : src_(src), elem_bytes_(elem_bytes_of(problem, src)) {}
  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    run_copy(state_as<CopyNd>(state), elem_bytes_, src[src_], dst[0]);
  }

 private:
  size_t src_;
  int64_t elem_bytes_;
};

// Row-major strides of dims; strides has dims.size() entries.
inline void dense_strides(std::span<const int64_t> dims, int64_t* strides) {
  int64_t step = 1;
  for (size_t d = dims.size(); d-- > 0; step *= dims[d]) strides[d] = step;
}

inline constexpr size_t kMaxDims = 16;

}  // namespace graft::cpu
