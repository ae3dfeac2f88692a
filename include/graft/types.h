// Element types and tensor references shared by every public header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace graft {

// Numbers are those of TensorFlow's DataType enum (framework/types.proto), so no table translates
// them.
enum class DType : int {
  kInvalid = 0,
  kFloat = 1,
  kDouble = 2,
  kInt32 = 3,
  kUint8 = 4,
  kInt16 = 5,
  kInt8 = 6,
  kString = 7,
  kComplex64 = 8,
  kInt64 = 9,
  kBool = 10,
  kBfloat16 = 14,
  kUint16 = 17,
  kComplex128 = 18,
  kHalf = 19,
  kResource = 20,
  kVariant = 21,
  kUint32 = 22,
  kUint64 = 23,
};

// Bytes of one element; 0 for types that have no fixed size here (string, resource, variant,
// complex, invalid).
size_t dtype_size(DType dtype);
// "float32", "int64", ...: NumPy's names; "dtype 9999" for a number that is none of the above.
std::string dtype_name(DType dtype);
// Inverse of dtype_name; kInvalid when unknown.
DType dtype_from_name(std::string_view name);

// What a tensor at a border may look like: dims[i] >= 0 is fixed, -1 is any.
struct TensorSpec {
  std::string name;  // TensorFlow name, "node" or "node:1"
  DType dtype = DType::kInvalid;
  std::vector<int64_t> dims;
};

// A dense row-major tensor owned by somebody else. `data` may be unaligned. `dims` must outlive the
// reference.
struct TensorRef {
  DType dtype = DType::kInvalid;
  std::span<const int64_t> dims;
  const void* data = nullptr;
  size_t size_bytes = 0;
};

}  // namespace graft
