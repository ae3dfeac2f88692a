#include "base/dtype.h"

namespace graft {
namespace {
struct Row {
  DType dtype;
  size_t size;
  const char* name;
};
constexpr Row kRows[] = {
    {DType::kFloat, 4, "float32"},
    {DType::kDouble, 8, "float64"},
    {DType::kInt32, 4, "int32"},
    {DType::kUint8, 1, "uint8"},
    {DType::kInt16, 2, "int16"},
    {DType::kInt8, 1, "int8"},
    {DType::kString, 0, "string"},
    {DType::kComplex64, 0, "complex64"},
    {DType::kInt64, 8, "int64"},
    {DType::kBool, 1, "bool"},
    {DType::kBfloat16, 2, "bfloat16"},
    {DType::kUint16, 2, "uint16"},
    {DType::kComplex128, 0, "complex128"},
    {DType::kHalf, 2, "float16"},
    {DType::kResource, 0, "resource"},
    {DType::kVariant, 0, "variant"},
    {DType::kUint32, 4, "uint32"},
    {DType::kUint64, 8, "uint64"},
    {static_cast<DType>(11), 0, "qint8"},
    {static_cast<DType>(12), 0, "quint8"},
    {static_cast<DType>(13), 0, "qint32"},
    {static_cast<DType>(15), 0, "qint16"},
    {static_cast<DType>(16), 0, "quint16"},
    {DType::kInvalid, 0, "invalid"},
};
}  // namespace

size_t dtype_size(DType dtype) {
  for (const Row& row : kRows)
    if (row.dtype == dtype) return row.size;
  return 0;
}

std::string dtype_name(DType dtype) {
  for (const Row& row : kRows)
    if (row.dtype == dtype) return row.name;
  return "dtype " + std::to_string(static_cast<int>(dtype));
}

DType dtype_from_name(std::string_view name) {
  for (const Row& row : kRows)
    if (name == row.name) return row.dtype;
  return DType::kInvalid;
}

}  // namespace graft
