#include "graphdef/nesting.h"

#include <optional>

namespace graft::graphdef {
namespace {

struct Child {
  Message parent;
  uint32_t number;
  Message type;
};
constexpr Child kChildren[] = {
    {Message::kGraph, 1, Message::kNode},
    {Message::kGraph, 2, Message::kLibrary},
    {Message::kGraph, 4, Message::kVersions},
    {Message::kNode, 5, Message::kAttrEntry},
    {Message::kAttrEntry, 2, Message::kAttrValue},
    {Message::kAttrValue, 1, Message::kList},
    {Message::kAttrValue, 7, Message::kShape},
    {Message::kAttrValue, 8, Message::kTensor},
    {Message::kAttrValue, 10, Message::kFunc},
    {Message::kList, 7, Message::kShape},
    {Message::kList, 8, Message::kTensor},
    {Message::kList, 9, Message::kFunc},
    {Message::kFunc, 2, Message::kAttrEntry},
    {Message::kTensor, 2, Message::kShape},
    {Message::kTensor, 15, Message::kVariant},
    {Message::kVariant, 3, Message::kTensor},
    {Message::kShape, 2, Message::kDim},
    {Message::kLibrary, 1, Message::kFunction},
    {Message::kFunction, 1, Message::kOp},
    {Message::kFunction, 3, Message::kNode},
    {Message::kFunction, 5, Message::kAttrEntry},
    {Message::kFunction, 7, Message::kArgAttrsEntry},
    {Message::kArgAttrsEntry, 2, Message::kArgAttrs},
    {Message::kArgAttrs, 1, Message::kAttrEntry},
    {Message::kOp, 4, Message::kOpAttr},
    {Message::kOpAttr, 3, Message::kAttrValue},
    {Message::kOpAttr, 7, Message::kAttrValue},
};

std::optional<Message> child_of(Message parent, uint32_t key) {
  for (const Child& child : kChildren)
    if (child.parent == parent && bytes_key(child.number) == key) return child.type;
  return std::nullopt;
}

}  // namespace

// Recursion is bounded by max_proto_depth; each byte is looked at once per level at most, since
// lengths are skipped.
Status check_nesting(Bytes bytes, Message type, int depth, const std::byte* origin,
                     const Limits& limits) {
  if (depth > limits.max_proto_depth)
    return invalid_graph("nesting of messages deeper than " +
                         std::to_string(limits.max_proto_depth) + " at byte " +
                         std::to_string(bytes.data() - origin));
  FieldReader reader(bytes, origin);
  while (reader.next())
    if (const auto child = child_of(type, reader.key()))
      GRAFT_RETURN_IF_ERROR(check_nesting(reader.bytes(), *child, depth + 1, origin, limits));
  return reader.status();
}

}  // namespace graft::graphdef
