// TensorShapeProto.
#pragma once

#include "graphdef/attr.h"
#include "graphdef/wire.h"

namespace graft::graphdef {

constexpr size_t kMaxProtoRank = 254;  // TensorFlow's own limit

// Adds the fields of one message to `shape` (protobuf merges repeated singular messages), then
// checks it: at most 254 dims, none below -1, none beside unknown_rank, and a product of the known
// ones that fits int64.
Status merge_shape(Bytes bytes, const std::byte* origin, ShapeView& shape);

}  // namespace graft::graphdef
