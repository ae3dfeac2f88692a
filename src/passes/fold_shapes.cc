// fold_shapes: values whose elements are known while converting become constants, and shape
// operands with one open extent become constants with -1.
//
//   before   s = shape(x) [n,7,7,64]; b = s[0]; t = pack(b, 49, 64); y = reshape(x, t)
//   after    y = reshape(x, {-1, 49, 64})
#include <algorithm>
#include <memory>

#include "base/dtype.h"
#include "passes/editor.h"
#include "passes/passes.h"

namespace graft::passes {

namespace {

ir::Constant int_constant(const std::vector<int64_t>& elems, DType dtype) {
  const size_t size = dtype_size(dtype);
  auto bytes = std::make_shared<std::vector<std::byte>>(elems.size() * size);
  for (size_t i = 0; i < elems.size(); ++i) {
    visit_dtype(dtype, [&]<typename T>() {
      if constexpr (std::is_integral_v<T>) {
        const T v = static_cast<T>(elems[i]);
        std::copy_n(reinterpret_cast<const std::byte*>(&v), sizeof v, bytes->data() + i * size);
      }
    });
  }
  ir::Constant constant;
  constant.bytes = std::span<const std::byte>(bytes->data(), bytes->size());
  constant.owner = std::move(bytes);
  return constant;
}

// Known elements; an unknown one as -1, at most `open` of them.
std::optional<std::vector<int64_t>> known_elems(const ir::Value& value, int open) {
  if (!value.host || (value.type.dtype != DType::kInt32 && value.type.dtype != DType::kInt64))
    return std::nullopt;
  std::vector<int64_t> elems;
  for (ir::Dim d : *value.host) {
    if (!d.is_const() && --open < 0) return std::nullopt;
    elems.push_back(d.is_const() ? d.value() : -1);
  }
  return elems;
}

}  // namespace

Result<bool> fold_shapes(ir::Network& network, PassContext&) {
  Editor edit(network);
  for (size_t i = 0; i < edit.ops(); ++i) {
    const std::vector<ir::ValueId> outputs = edit.op(i).outputs;
    if (outputs.size() != 1 || edit.value(outputs[0]).is_const()) continue;
    if (auto elems = known_elems(edit.value(outputs[0]), 0)) {
      const ir::TensorType type = edit.type(outputs[0]);
      edit.replace(outputs[0], edit.add_constant(edit.value(outputs[0]).name, type,
                                                 int_constant(*elems, type.dtype)));
      edit.kill_if_unused(i);
      continue;
    }
    if (!edit.op(i).get_if<ir::ReshapeAttrs>() || edit.value(edit.op(i).inputs[1]).is_const())
      continue;
    // The result's dims say what the operand must be; with a zero in it -1 would be ambiguous.
    std::vector<int64_t> dims;
    int open = 0;
    bool zero = false;
    for (ir::Dim d : edit.type(outputs[0]).dims) {
      open += !d.is_const();
      zero = zero || d == ir::Dim(0);
      dims.push_back(d.is_const() ? d.value() : -1);
    }
    if (open > 1 || (open == 1 && zero)) continue;
    const ir::ValueId old = edit.op(i).inputs[1];
    const auto rank = static_cast<int64_t>(dims.size());
    const ir::ValueId shape = edit.add_constant(
        edit.value(old).name, {DType::kInt64, {ir::Dim(rank)}}, int_constant(dims, DType::kInt64));
    edit.set_input(i, 1, shape);
    if (edit.producer(old) >= 0) edit.kill_if_unused(static_cast<size_t>(edit.producer(old)));
  }
  edit.finish();
  return edit.changed();
}

}  // namespace graft::passes
