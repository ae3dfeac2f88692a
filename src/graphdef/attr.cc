#include "graphdef/attr.h"

#include "base/log.h"
#include "graphdef/shape.h"
#include "graphdef/wire.h"

namespace graft::graphdef {
namespace {

using Kind = AttrValue::Kind;

Status count_list(Bytes bytes, const std::byte* origin, const Limits& limits) {
  size_t count = 0;
  FieldReader reader(bytes, origin);
  while (reader.next()) {
    switch (reader.key()) {
      case bytes_key(3):
      case bytes_key(5):
      case bytes_key(6):
        count += count_varints(reader.bytes());
        break;
      case bytes_key(4):
        count += reader.bytes().size() / 4;
        break;
      default:
        ++count;
        break;
    }
  }
  GRAFT_RETURN_IF_ERROR(reader.status());
  if (count > static_cast<size_t>(limits.max_attr_list))
    return invalid_graph("a list attribute has " + std::to_string(count) +
                         " elements, the limit is " + std::to_string(limits.max_attr_list));
  return ok_status();
}

Status packed_floats(Bytes bytes, std::vector<float>& out) {
  if (bytes.size() % 4 != 0)
    return invalid_graph("a packed list of floats has " + std::to_string(bytes.size()) + " bytes");
  for (size_t i = 0; i < bytes.size(); i += 4) {
    float value;
    std::memcpy(&value, bytes.data() + i, 4);
    out.push_back(value);
  }
  return ok_status();
}

Status merge_list(Bytes bytes, const std::byte* origin, const Limits& limits, AttrValue& attr) {
  GRAFT_RETURN_IF_ERROR(count_list(bytes, origin, limits));
  const auto add_int = [&](uint64_t v) { attr.list_i.push_back(static_cast<int64_t>(v)); };
  const auto add_bool = [&](uint64_t v) { attr.list_b.push_back(v != 0); };
  const auto add_type = [&](uint64_t v) {
    attr.list_type.push_back(static_cast<DType>(static_cast<int32_t>(v)));
  };
  FieldReader reader(bytes, origin);
  while (reader.next()) {
    switch (reader.key()) {
      case bytes_key(2):
        attr.list_s.push_back(reader.text());
        break;
      case varint_key(3):
        add_int(reader.varint());
        break;
      case bytes_key(3):
        GRAFT_RETURN_IF_ERROR(for_each_varint(reader.bytes(), origin, add_int));
        break;
      case fixed32_key(4):
        attr.list_f.push_back(reader.float32());
        break;
      case bytes_key(4):
        GRAFT_RETURN_IF_ERROR(packed_floats(reader.bytes(), attr.list_f));
        break;
      case varint_key(5):
        add_bool(reader.varint());
        break;
      case bytes_key(5):
        GRAFT_RETURN_IF_ERROR(for_each_varint(reader.bytes(), origin, add_bool));
        break;
      case varint_key(6):
        add_type(reader.varint());
        break;
      case bytes_key(6):
        GRAFT_RETURN_IF_ERROR(for_each_varint(reader.bytes(), origin, add_type));
        break;
      case bytes_key(7):
        GRAFT_RETURN_IF_ERROR(merge_shape(reader.bytes(), origin, attr.list_shape.emplace_back()));
        break;
      case bytes_key(8):
      case bytes_key(9):
        ++attr.list_messages;
        break;
      default:
        break;
    }
  }
  return reader.status();
}

Status merge_func(Bytes bytes, const std::byte* origin, FuncView& func) {
  FieldReader reader(bytes, origin);
  while (reader.next()) {
    if (reader.key() == bytes_key(1)) func.name = reader.text();
    if (reader.key() != bytes_key(2)) continue;
    AttrView& entry = func.attrs.emplace_back();
    FieldReader fields(reader.bytes(), origin);
    while (fields.next()) {
      if (fields.key() == bytes_key(1)) entry.name = fields.text();
      if (fields.key() == bytes_key(2)) entry.value = fields.bytes();
    }
    GRAFT_RETURN_IF_ERROR(fields.status());
  }
  return reader.status();
}

// The fields of AttrValue are a oneof: one of another kind clears what came before, one of the same
// kind merges.
void start(AttrValue& attr, Kind kind) {
  if (attr.kind == kind) return;
  attr = AttrValue();
  attr.kind = kind;
}

}  // namespace

Result<AttrValue> decode_attr(Bytes attr_value, const Limits& limits) {
  const std::byte* const origin = attr_value.data();
  AttrValue attr;
  FieldReader reader(attr_value);
  while (reader.next()) {
    switch (reader.key()) {
      case bytes_key(1):
        start(attr, Kind::kList);
        GRAFT_RETURN_IF_ERROR(merge_list(reader.bytes(), origin, limits, attr));
        break;
      case bytes_key(2):
        start(attr, Kind::kString);
        attr.s = reader.text();
        break;
      case varint_key(3):
        start(attr, Kind::kInt);
        attr.i = static_cast<int64_t>(reader.varint());
        break;
      case fixed32_key(4):
        start(attr, Kind::kFloat);
        attr.f = reader.float32();
        break;
      case varint_key(5):
        start(attr, Kind::kBool);
        attr.b = reader.varint() != 0;
        break;
      case varint_key(6):
        start(attr, Kind::kType);
        attr.type = static_cast<DType>(reader.int32());
        break;
      case bytes_key(7):
        start(attr, Kind::kShape);
        GRAFT_RETURN_IF_ERROR(merge_shape(reader.bytes(), origin, attr.shape));
        break;
      case bytes_key(8):
        // Two messages would have to be joined in memory of their own; no writer produces that.
        if (attr.kind == Kind::kTensor)
          return invalid_graph("an attribute holds its tensor in two pieces");
        start(attr, Kind::kTensor);
        attr.tensor = reader.bytes();
        break;
      case bytes_key(9):
        start(attr, Kind::kPlaceholder);
        attr.s = reader.text();
        break;
      case bytes_key(10):
        start(attr, Kind::kFunc);
        GRAFT_RETURN_IF_ERROR(merge_func(reader.bytes(), origin, attr.func));
        break;
      default:
        break;
    }
  }
  GRAFT_RETURN_IF_ERROR(reader.status());
  return attr;
}

}  // namespace graft::graphdef
