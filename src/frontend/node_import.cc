#include "frontend/node_import.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/check.h"
#include "base/dtype.h"
#include "base/log.h"
#include "ir/infer.h"

namespace graft::frontend {

namespace {

template <typename T>
ir::Constant owned(const std::vector<T>& elems) {
  auto bytes = std::make_shared<std::vector<std::byte>>(elems.size() * sizeof(T));
  if (!elems.empty()) std::memcpy(bytes->data(), elems.data(), bytes->size());
  ir::Constant constant;
  constant.bytes = std::span<const std::byte>(bytes->data(), bytes->size());
  constant.owner = bytes;
  return constant;
}

// TensorFlow's DataType numbers end at 31 (DT_UINT2 and friends); 101 and up are reference types.
bool is_known_dtype(DType t) { return static_cast<int>(t) > 0 && static_cast<int>(t) < 40; }

}  // namespace

Status NodeImport::refuse(std::string code, std::string reason, std::string hint) {
  refusal_ = Support{false, std::move(code), std::move(reason), std::move(hint), false};
  return unsupported(refusal_.reason);
}

Status NodeImport::invalid(const std::string& what) const {
  return invalid_graph("node \"" + printable(node().name) + "\" (" + printable(node().op) +
                       "): " + what);
}

ir::ValueId NodeImport::in(size_t i) const {
  const graphdef::InputRef ref = node().inputs[i];
  return imported_.values[static_cast<size_t>(ref.node)][static_cast<size_t>(ref.port)];
}

ir::ValueId NodeImport::known_in(size_t i) const {
  const graphdef::InputRef ref = node().inputs[i];
  const auto& ports = imported_.values[static_cast<size_t>(ref.node)];
  return static_cast<size_t>(ref.port) < ports.size() ? ports[static_cast<size_t>(ref.port)]
                                                      : ir::kNoValue;
}

Result<int64_t> NodeImport::attr_int(std::string_view name, std::optional<int64_t> fallback) {
  handle(name);
  return fallback ? graphdef::attr_int_or(node(), name, *fallback)
                  : graphdef::attr_int(node(), name);
}

Result<float> NodeImport::attr_float(std::string_view name, float fallback) {
  handle(name);
  return graphdef::attr_float_or(node(), name, fallback);
}

Result<bool> NodeImport::attr_bool(std::string_view name, bool fallback) {
  handle(name);
  return graphdef::attr_bool_or(node(), name, fallback);
}

Result<std::string_view> NodeImport::attr_string(std::string_view name, std::string_view fallback) {
  handle(name);
  return graphdef::attr_string_or(node(), name, fallback);
}

Result<DType> NodeImport::attr_type(std::string_view name, std::optional<DType> fallback) {
  handle(name);
  auto type = fallback ? graphdef::attr_type_or(node(), name, *fallback)
                       : graphdef::attr_type(node(), name);
  if (type.ok() && !is_known_dtype(*type))
    return invalid("attribute '" + std::string(name) + "' is " + dtype_name(*type) +
                   ", expected a TensorFlow dtype");
  return type;
}

Result<std::vector<int64_t>> NodeImport::attr_ints(std::string_view name,
                                                   std::optional<std::vector<int64_t>> fallback) {
  handle(name);
  return fallback ? graphdef::attr_int_list_or(node(), name, std::move(*fallback))
                  : graphdef::attr_int_list(node(), name);
}

Status NodeImport::check_type(std::string_view name, std::initializer_list<size_t> inputs,
                              std::optional<DType> fallback) {
  GRAFT_ASSIGN_OR_RETURN(const DType declared, attr_type(name, fallback));
  for (size_t i : inputs) {
    if (i < this->inputs() && dtype(i) != declared)
      return invalid("attribute '" + std::string(name) + "' is " + dtype_name(declared) +
                     ", input " + std::to_string(i) + " '" +
                     printable(graphdef::tensor_name(graph_, node().inputs[i])) + "' is " +
                     dtype_name(dtype(i)));
  }
  return ok_status();
}

Status NodeImport::check_types(std::string_view name, size_t first, size_t last) {
  GRAFT_RETURN_IF_ERROR(check_type(name, {}));
  for (size_t i = first; i < last; ++i) GRAFT_RETURN_IF_ERROR(check_type(name, {i}));
  return ok_status();
}

Status NodeImport::require_floating(size_t input) {
  if (is_floating(dtype(input))) return ok_status();
  return refuse("dtype", "input " + std::to_string(input) + " is " + dtype_name(dtype(input)) +
                             ", expected a floating dtype");
}

std::string_view NodeImport::unhandled_attr() const {
  for (const graphdef::AttrView& attr : node().attrs) {
    if (attr.name.empty() || attr.name[0] == '_') continue;
    if (std::find(handled_.begin(), handled_.end(), attr.name) == handled_.end()) return attr.name;
  }
  return {};
}

Result<std::vector<int64_t>> NodeImport::const_ints(size_t input, const char* what) {
  const DType t = dtype(input);
  if (t != DType::kInt32 && t != DType::kInt64) {
    const std::string text = "input " + std::to_string(input) + " (" + what + ") is " +
                             dtype_name(t) + ", expected int32 or int64";
    // Some ops take narrow integers, too: SplitV's sizes, ArgMax's axis.
    return is_integer(t) ? refuse("dtype", text) : invalid(text);
  }
  const auto& host = value(input).host;
  std::vector<int64_t> elems;
  bool known = host.has_value();
  for (size_t i = 0; known && i < host->size(); ++i) {
    known = (*host)[i].is_const();
    if (known) elems.push_back((*host)[i].value());
  }
  if (known) return elems;
  if (auto ints = ir::constant_ints(value(input))) return *ints;
  return refuse("shape", "input " + std::to_string(input) + " (" + what + ") is not a constant",
                "freeze the graph so that this input becomes a Const");
}

Result<int64_t> NodeImport::const_int(size_t input, const char* what) {
  GRAFT_ASSIGN_OR_RETURN(const std::vector<int64_t> elems, const_ints(input, what));
  if (elems.size() != 1)
    return invalid("input " + std::to_string(input) + " (" + what + ") has " +
                   std::to_string(elems.size()) + " elements, expected a scalar");
  return elems[0];
}

Result<int64_t> NodeImport::axis(int64_t value, int rank, const char* what) const {
  if (value < -rank || value >= rank)
    return invalid(std::string(what) + " is " + std::to_string(value) + ", expected -" +
                   std::to_string(rank) + " to " + std::to_string(rank - 1) + " for rank " +
                   std::to_string(rank));
  return value < 0 ? value + rank : value;
}

Result<ir::ValueId> NodeImport::emit(ir::Attrs attrs, std::vector<ir::ValueId> inputs) {
  GRAFT_ASSIGN_OR_RETURN(std::vector<ir::ValueId> outputs,
                         emit_many(std::move(attrs), std::move(inputs), 1));
  return outputs[0];
}

Result<std::vector<ir::ValueId>> NodeImport::emit_many(
    ir::Attrs attrs, std::vector<ir::ValueId> inputs, size_t outputs,
    std::vector<std::shared_ptr<const ir::Network>> bodies) {
  ir::Network& net = network();
  ir::Op op;
  op.bodies = std::move(bodies);
  op.attrs = std::move(attrs);
  op.inputs = std::move(inputs);
  op.name = std::string(node().name);
  op.source = index_;
  std::vector<ir::InferInput> known;
  for (ir::ValueId id : op.inputs)
    known.push_back({&at(id).type, at(id).host ? &*at(id).host : nullptr});
  auto inferred = ir::infer(op, known, outputs, net.dims);
  if (!inferred.ok()) {
    if (inferred.status().code() == Code::kUnsupported)
      return refuse("shape", inferred.status().message());
    if (inferred.status().code() == Code::kInvalidGraph)
      return invalid(inferred.status().message());
    return inferred.status().with_context("node \"" + printable(node().name) + "\"");
  }
  std::vector<ir::ValueId> ids;
  for (size_t i = 0; i < inferred->size(); ++i) {
    ir::InferOutput& out = (*inferred)[i];
    std::string name(node().name);
    if (i > 0) name += ":" + std::to_string(i);
    const ir::ValueId id = net.add_value(std::move(name), std::move(out.type));
    net.values[static_cast<size_t>(id)].host = std::move(out.host);
    ids.push_back(id);
  }
  op.outputs = ids;
  net.ops.push_back(std::move(op));
  return ids;
}

Result<ir::ValueId> NodeImport::transpose(ir::ValueId src, std::vector<int64_t> perm) {
  return emit(ir::TransposeAttrs{std::move(perm)}, {src});
}

Result<ir::ValueId> NodeImport::reshape(ir::ValueId src, std::vector<int64_t> dims) {
  const ir::Value& value = at(src);
  const bool open = std::find(dims.begin(), dims.end(), -1) != dims.end();
  if (value.is_const() && !open) {
    ir::TensorType type{value.type.dtype, {dims.begin(), dims.end()}};
    GRAFT_CHECK(ir::const_elems(type) == ir::const_elems(value.type), "reshape of a constant");
    const ir::Constant constant = *value.constant;
    const std::string name = value.name;
    return network().add_constant(name, std::move(type), constant);
  }
  return emit(ir::ReshapeAttrs{}, {src, constant_ints(dims, DType::kInt64)});
}

Result<ir::ValueId> NodeImport::cast(ir::ValueId src, DType to) {
  if (at(src).type.dtype == to) return src;
  return emit(ir::CastAttrs{to}, {src});
}

ir::ValueId NodeImport::constant_ints(const std::vector<int64_t>& elems, DType dtype) {
  ir::TensorType type{dtype, {ir::Dim(static_cast<int64_t>(elems.size()))}};
  std::string name = std::string(node().name) + "/ints";
  if (dtype == DType::kInt64) return network().add_constant(name, type, owned(elems));
  return network().add_constant(name, type,
                                owned(std::vector<int32_t>(elems.begin(), elems.end())));
}

ir::ValueId NodeImport::constant_int(int64_t elem, DType dtype) {
  return constant_scalar(double(elem), dtype);
}

ir::ValueId NodeImport::constant_scalar(double value, DType dtype) {
  ir::Constant constant = visit_dtype(dtype, [&]<typename T>() {
    if constexpr (std::is_same_v<T, bool>)
      return owned(std::vector<uint8_t>{value != 0});
    else if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, Bfloat16>)
      return owned(std::vector<T>{T(float(value))});
    else
      return owned(std::vector<T>{static_cast<T>(value)});
  });
  return network().add_constant(std::string(node().name) + "/scalar", ir::TensorType{dtype, {}},
                                constant);
}

ir::ValueId NodeImport::constant_floats(const std::vector<float>& elems) {
  ir::TensorType type{DType::kFloat, {ir::Dim(static_cast<int64_t>(elems.size()))}};
  return network().add_constant(std::string(node().name) + "/floats", type, owned(elems));
}

Status NodeImport::finish(ir::Attrs attrs, std::vector<ir::ValueId> inputs) {
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId id, emit(std::move(attrs), std::move(inputs)));
  output(id);
  return ok_status();
}

}  // namespace graft::frontend
