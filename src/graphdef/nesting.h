// Well-formedness of every nested message of a GraphDef whose type is known, with a limit of
// nesting.
#pragma once

#include "base/limits.h"
#include "graphdef/wire.h"

namespace graft::graphdef {

// Message types that can hold themselves, directly or not, and those on the way to them.
enum class Message {
  kGraph,
  kNode,
  kAttrEntry,
  kAttrValue,
  kList,
  kFunc,
  kTensor,
  kVariant,
  kLibrary,
  kFunction,
  kOp,
  kOpAttr,
  kArgAttrs,
  kArgAttrsEntry,
  kShape,
  kDim,
  kVersions
};

// InvalidGraph with the byte offset for malformed bytes; "nesting" when messages lie deeper than
// limits.max_proto_depth, counted from `depth`.
Status check_nesting(Bytes bytes, Message type, int depth, const std::byte* origin,
                     const Limits& limits);

}  // namespace graft::graphdef
