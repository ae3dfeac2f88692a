// NumPy's .npy format, version 1.0 to 3.0: header and dense little-endian row-major data.
#pragma once

#include <span>
#include <vector>

#include "graft/session.h"

namespace graft::cli {

// InvalidArgument: not .npy, Fortran order, big-endian or a dtype that cannot be fed; the size must
// match the shape.
Result<HostTensor> parse_npy(std::span<const std::byte> bytes, const std::string& what);
std::vector<std::byte> to_npy(const HostTensor& tensor);

}  // namespace graft::cli
