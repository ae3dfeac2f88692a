// StridedSlice and Slice whose begin depends on data: x[i] in a loop.
#pragma once

#include "frontend/node_import.h"

namespace graft::frontend {

// Every index that is not known must take its axis away; refuses as the op itself would otherwise.
Status strided_slice_at_data(NodeImport& n, const ir::StridedSliceAttrs& attrs);
// Every begin that is not known must be of an axis whose size is.
Status slice_at_data(NodeImport& n);

}  // namespace graft::frontend
