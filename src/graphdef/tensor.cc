#include <algorithm>
#include <vector>

#include "base/checked.h"
#include "base/dtype.h"
#include "graphdef/attr.h"
#include "graphdef/shape.h"
#include "graphdef/wire.h"

namespace graft::graphdef {
namespace {

// Which typed field of TensorProto holds the values of a dtype, and how.
struct ValueField {
  uint32_t number;
  Wire wire;  // of one unpacked element
};

ValueField value_field(DType dtype) {
  switch (dtype) {
    case DType::kFloat:
      return {5, Wire::kFixed32};
    case DType::kDouble:
      return {6, Wire::kFixed64};
    case DType::kComplex64:
      return {9, Wire::kFixed32};
    case DType::kComplex128:
      return {12, Wire::kFixed64};
    case DType::kInt64:
      return {10, Wire::kVarint};
    case DType::kBool:
      return {11, Wire::kVarint};
    case DType::kHalf:
    case DType::kBfloat16:
      return {13, Wire::kVarint};
    case DType::kUint32:
      return {16, Wire::kVarint};
    case DType::kUint64:
      return {17, Wire::kVarint};
    default:
      return {7, Wire::kVarint};  // the small integers
  }
}

// Bytes of an element; 0: not read. Quantized integers are written as the integers of their width.
size_t elem_bytes_of(DType dtype) {
  switch (static_cast<int>(dtype)) {
    case 11:  // qint8
    case 12:  // quint8
      return 1;
    case 15:  // qint16
    case 16:  // quint16
      return 2;
    case 13:  // qint32
      return 4;
    case 8:  // complex64
      return 8;
    case 18:  // complex128
      return 16;
    default:
      return dtype_size(dtype);
  }
}

// Values that an element has in the typed field: of a complex number the real and imaginary part.
size_t parts_of(DType dtype) {
  return dtype == DType::kComplex64 || dtype == DType::kComplex128 ? 2 : 1;
}

struct Fields {
  DType dtype = DType::kInvalid;
  ShapeView shape;
  Bytes content;
};

Status read_fields(Bytes bytes, Fields& fields) {
  FieldReader reader(bytes);
  while (reader.next()) {
    switch (reader.key()) {
      case varint_key(1):
        fields.dtype = static_cast<DType>(reader.int32());
        break;
      case bytes_key(2):
        GRAFT_RETURN_IF_ERROR(merge_shape(reader.bytes(), reader.origin(), fields.shape));
        break;
      case bytes_key(4):
        fields.content = reader.bytes();
        break;
      default:
        break;
    }
  }
  return reader.status();
}

Result<int64_t> count_elems(const Fields& fields, const Limits& limits) {
  if (fields.shape.unknown_rank) return invalid_graph("a tensor's shape has unknown rank");
  for (int64_t dim : fields.shape.dims)
    if (dim < 0) return invalid_graph("a tensor's shape has the dim " + std::to_string(dim));
  const auto elems = checked_product(fields.shape.dims);
  if (!elems) return invalid_graph("the product of a tensor's dims passes 2^63 - 1");
  if (*elems > limits.max_tensor_elems)
    return invalid_graph("a tensor has " + std::to_string(*elems) + " elements, the limit is " +
                         std::to_string(limits.max_tensor_elems));
  return *elems;
}

// The typed values, `want` of them at most. A single packed run of fixed-size floats stays a view.
struct Values {
  size_t elem_bytes;
  size_t want;
  Bytes view;
  std::shared_ptr<std::vector<std::byte>> decoded;
  size_t count = 0;

  void add_varint(uint64_t value, bool is_bool) {
    if (count == want) return;
    if (is_bool) value = value != 0;
    add(reinterpret_cast<const std::byte*>(
        &value));  // little endian: truncates as TensorFlow's casts do
  }
  void add(const std::byte* element) {
    if (count == want) return;
    own();
    decoded->insert(decoded->end(), element, element + elem_bytes);
    ++count;
  }
  void add_run(Bytes run) {
    const size_t n = std::min(run.size() / elem_bytes, want - count);
    const Bytes used = run.first(n * elem_bytes);
    if (count == 0) {
      view = used;
    } else {
      own();
      decoded->insert(decoded->end(), used.begin(), used.end());
    }
    count += n;
  }
  void own() {
    if (decoded) return;
    decoded = std::make_shared<std::vector<std::byte>>(view.begin(), view.end());
    view = {};
  }
  Bytes bytes() const { return decoded ? Bytes(*decoded) : view; }
};

Status read_values(Bytes bytes, DType dtype, Values& values) {
  const ValueField field = value_field(dtype);
  const bool is_bool = dtype == DType::kBool;
  FieldReader reader(bytes);
  while (reader.next()) {
    if (reader.key() == field_key(field.number, field.wire)) {
      // Fixed-size fields lie in the low bytes of the value, as integers do.
      values.add_varint(reader.varint(), is_bool);
    } else if (reader.key() == bytes_key(field.number)) {
      if (field.wire == Wire::kVarint) {
        GRAFT_RETURN_IF_ERROR(for_each_varint(reader.bytes(), reader.origin(), [&](uint64_t value) {
          values.add_varint(value, is_bool);
        }));
      } else {
        if (reader.bytes().size() % values.elem_bytes != 0)
          return invalid_graph("a packed run of " + dtype_name(dtype) + " has " +
                               std::to_string(reader.bytes().size()) + " bytes");
        values.add_run(reader.bytes());
      }
    }
  }
  return reader.status();
}

}  // namespace

int64_t TensorView::elems() const { return checked_product(dims).value_or(0); }

Result<TensorView> decode_tensor(Bytes tensor_proto, const Limits& limits) {
  Fields fields;
  GRAFT_RETURN_IF_ERROR(read_fields(tensor_proto, fields));
  if (fields.dtype == DType::kInvalid) return invalid_graph("a tensor has no data type");
  const int number = static_cast<int>(fields.dtype);
  if (number < 0 || number > 133)
    return invalid_graph("a tensor has the data type " + std::to_string(number));
  GRAFT_ASSIGN_OR_RETURN(const int64_t elems, count_elems(fields, limits));
  const size_t elem_bytes = elem_bytes_of(fields.dtype);
  if (elem_bytes == 0)
    return unsupported("tensors of " + dtype_name(fields.dtype) + " are not read");
  const auto size = checked_mul(elems, static_cast<int64_t>(elem_bytes));
  if (!size) return invalid_graph("a tensor's size passes 2^63 - 1 bytes");

  TensorView tensor;
  tensor.dtype = fields.dtype;
  tensor.dims = std::move(fields.shape.dims);
  if (elems == 0) return tensor;
  if (!fields.content.empty()) {
    if (fields.content.size() != static_cast<size_t>(*size))
      return invalid_graph("a tensor's tensor_content has " +
                           std::to_string(fields.content.size()) + " bytes, " +
                           dtype_name(tensor.dtype) + " x " + std::to_string(elems) +
                           " elements need " + std::to_string(*size));
    tensor.content = fields.content;
    return tensor;
  }
  const size_t parts = parts_of(tensor.dtype), part_bytes = elem_bytes / parts;
  Values values{part_bytes, static_cast<size_t>(elems) * parts, {}, nullptr};
  GRAFT_RETURN_IF_ERROR(read_values(tensor_proto, tensor.dtype, values));
  while (values.count == 0 || values.count % parts != 0) {
    static constexpr std::byte kZero[8] = {};
    values.add(kZero);
  }
  tensor.splat = values.count == parts && elems != 1;
  if (!tensor.splat && values.count < values.want) {
    // The last value repeats. Bounded, since few bytes could ask for much memory.
    const int64_t limit =
        std::max(limits.max_folded_bytes, 16 * static_cast<int64_t>(tensor_proto.size()));
    if (*size > limit)
      return resource_exhausted("a tensor of " + std::to_string(*size) + " bytes is written as " +
                                std::to_string(values.count) +
                                " values, the last repeated; the limit is " +
                                std::to_string(limit) + " bytes");
    values.own();
    values.decoded->reserve(static_cast<size_t>(*size));
    const std::vector<std::byte> last(
        values.decoded->end() - static_cast<std::ptrdiff_t>(elem_bytes), values.decoded->end());
    while (values.count < values.want)
      for (size_t part = 0; part < parts; ++part) values.add(last.data() + part * part_bytes);
  }
  tensor.content = values.bytes();
  tensor.owner = values.decoded;
  return tensor;
}

}  // namespace graft::graphdef
