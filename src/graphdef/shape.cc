#include "graphdef/shape.h"

#include "base/checked.h"

namespace graft::graphdef {
namespace {

Status check_shape(const ShapeView& shape) {
  if (shape.unknown_rank && !shape.dims.empty())
    return invalid_graph("a shape of unknown rank has " + std::to_string(shape.dims.size()) +
                         " dims");
  if (shape.dims.size() > kMaxProtoRank)
    return invalid_graph("a shape has " + std::to_string(shape.dims.size()) +
                         " dims, the limit is " + std::to_string(kMaxProtoRank));
  std::vector<int64_t> known;
  for (int64_t dim : shape.dims) {
    if (dim < -1) return invalid_graph("a shape has the dim " + std::to_string(dim));
    if (dim != -1) known.push_back(dim);
  }
  if (!checked_product(known))
    return invalid_graph("the product of a shape's dims passes 2^63 - 1");
  return ok_status();
}

}  // namespace

Status merge_shape(Bytes bytes, const std::byte* origin, ShapeView& shape) {
  FieldReader reader(bytes, origin);
  while (reader.next()) {
    if (reader.key() == varint_key(3)) shape.unknown_rank = reader.varint() != 0;
    if (reader.key() != bytes_key(2)) continue;
    int64_t size = 0;
    FieldReader dim(reader.bytes(), origin);
    while (dim.next())
      if (dim.key() == varint_key(1)) size = static_cast<int64_t>(dim.varint());
    GRAFT_RETURN_IF_ERROR(dim.status());
    // One dim past the limit is enough to refuse it; no more are kept.
    if (shape.dims.size() <= kMaxProtoRank) shape.dims.push_back(size);
  }
  GRAFT_RETURN_IF_ERROR(reader.status());
  return check_shape(shape);
}

}  // namespace graft::graphdef
