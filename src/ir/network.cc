// Network: building, constants, uses and garbage collection.
#include "ir/network.h"

#include <cstring>

#include "base/checked.h"
#include "ir/infer.h"

namespace graft::ir {

namespace {

constexpr size_t kMaxHostElems = 64;

constexpr OpInfo kOpInfos[] = {
#define GRAFT_OP(Name, text, min_in, max_in) {#text, min_in, max_in},
#include "ir/ops.def"
#undef GRAFT_OP
};

template <typename T>
int64_t load_as_int64(const std::byte* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return static_cast<int64_t>(v);
}

int64_t load_int(DType dtype, const std::byte* p) {
  switch (dtype) {
    case DType::kInt8:
      return load_as_int64<int8_t>(p);
    case DType::kInt16:
      return load_as_int64<int16_t>(p);
    case DType::kInt32:
      return load_as_int64<int32_t>(p);
    case DType::kInt64:
      return load_as_int64<int64_t>(p);
    case DType::kUint8:
      return load_as_int64<uint8_t>(p);
    case DType::kUint16:
      return load_as_int64<uint16_t>(p);
    case DType::kUint32:
      return load_as_int64<uint32_t>(p);
    default:
      return load_as_int64<uint64_t>(p);
  }
}

// Number of elements when all dims are constant and the count fits.
std::optional<int64_t> known_elems(const TensorType& type) {
  int64_t n = 1;
  for (Dim d : type.dims) {
    if (!d.is_const() || d.value() < 0) return std::nullopt;
    auto r = checked_mul(n, d.value());
    if (!r) return std::nullopt;
    n = *r;
  }
  return n;
}

}  // namespace

size_t output_count(OpKind kind) {
  switch (kind) {
    case OpKind::kSplit:
    case OpKind::kUnpack:
    case OpKind::kWhile:
    case OpKind::kBranch:
    case OpKind::kRecurrent:
      return 0;
    case OpKind::kTopK:
    case OpKind::kPoolArgmax:
      return 2;
    case OpKind::kNonMaxSuppression:
      return 3;
    case OpKind::kCombinedNonMaxSuppression:
      return 4;
    default:
      return 1;
  }
}

bool may_have_outputs(OpKind kind, size_t outputs) {
  const size_t count = output_count(kind);
  return count == 0 ? outputs > 0 : outputs == count;
}

const OpInfo& op_info(OpKind kind) {
  const auto i = static_cast<size_t>(kind);
  GRAFT_CHECK(i < std::size(kOpInfos), "op kind " + std::to_string(i));
  return kOpInfos[i];
}

std::optional<OpKind> op_kind_from_text(std::string_view text_name) {
  for (size_t i = 0; i < std::size(kOpInfos); ++i)
    if (text_name == kOpInfos[i].text_name) return static_cast<OpKind>(i);
  return std::nullopt;
}

Attrs default_attrs(OpKind kind) {
  switch (kind) {
#define GRAFT_OP(Name, text, min_in, max_in) \
  case OpKind::k##Name:                      \
    return Name##Attrs{};
#include "ir/ops.def"
#undef GRAFT_OP
    default:
      GRAFT_CHECK(false, "op kind out of range");
  }
  return std::monostate{};
}

ValueId Network::add_value(std::string name, TensorType type) {
  Value& v = values.emplace_back();
  v.name = std::move(name);
  v.type = std::move(type);
  return static_cast<ValueId>(values.size() - 1);
}

ValueId Network::add_constant(std::string name, TensorType type, Constant constant) {
  const ValueId id = add_value(std::move(name), std::move(type));
  Value& v = values[static_cast<size_t>(id)];
  v.constant = std::move(constant);
  if (v.type.dtype == DType::kInt32 || v.type.dtype == DType::kInt64) {
    if (auto elems = constant_ints(v, kMaxHostElems)) {
      std::vector<Dim> host(elems->begin(), elems->end());
      bool plain = true;  // numbers next to INT64_MIN would read as symbols
      for (Dim d : host) plain = plain && d.is_const();
      if (plain) v.host = std::move(host);
    }
  }
  return id;
}

ValueId Network::add_constant_bytes(std::string name, DType dtype, std::span<const int64_t> dims,
                                    std::span<const std::byte> bytes) {
  auto owned = std::make_shared<std::vector<std::byte>>(bytes.begin(), bytes.end());
  TensorType type{dtype, {dims.begin(), dims.end()}};
  GRAFT_CHECK(static_cast<size_t>(const_elems(type)) * dtype_size(dtype) == bytes.size(),
              "constant " + name);
  return add_constant(std::move(name), std::move(type), Constant{*owned, false, owned});
}

Result<std::vector<ValueId>> Network::append_multi(
    Attrs attrs, std::vector<ValueId> inputs, size_t outputs, std::string name, int32_t source,
    DstQuant quant, std::vector<std::shared_ptr<const Network>> bodies) {
  Op op;
  op.bodies = std::move(bodies);
  op.quant = quant;
  op.attrs = std::move(attrs);
  op.inputs = std::move(inputs);
  op.name = std::move(name);
  op.source = source;
  std::vector<InferInput> in(op.inputs.size());
  for (size_t i = 0; i < in.size(); ++i) {
    GRAFT_CHECK(op.inputs[i] >= 0 && static_cast<size_t>(op.inputs[i]) < values.size(),
                "input of " + op.name);
    const Value& v = values[static_cast<size_t>(op.inputs[i])];
    in[i] = {&v.type, v.host ? &*v.host : nullptr};
  }
  GRAFT_ASSIGN_OR_RETURN(auto inferred, infer(op, in, outputs, dims));
  for (size_t i = 0; i < inferred.size(); ++i) {
    const ValueId id = add_value(i == 0 ? op.name : op.name + ":" + std::to_string(i),
                                 std::move(inferred[i].type));
    values[static_cast<size_t>(id)].host = std::move(inferred[i].host);
    op.outputs.push_back(id);
  }
  ops.push_back(std::move(op));
  return ops.back().outputs;
}

Result<ValueId> Network::append(Attrs attrs, std::vector<ValueId> inputs, std::string name,
                                int32_t source, DstQuant quant) {
  GRAFT_ASSIGN_OR_RETURN(auto ids, append_multi(std::move(attrs), std::move(inputs), 1,
                                                std::move(name), source, quant));
  return ids[0];
}

int64_t const_elems(const TensorType& type) {
  const auto n = known_elems(type);
  GRAFT_CHECK(n.has_value(), "const_elems of a type that is not constant");
  return *n;
}

std::vector<std::byte> materialize(const Value& value) {
  GRAFT_CHECK(value.is_const(), value.name);
  const std::span<const std::byte> src = value.constant->bytes;
  const size_t elems = static_cast<size_t>(const_elems(value.type)),
               size = dtype_size(value.type.dtype);
  size_t total = 0;
  GRAFT_CHECK(!__builtin_mul_overflow(elems, size, &total), value.name);
  GRAFT_CHECK(src.size() == (value.constant->splat ? size : total),
              "bytes of constant " + value.name);
  if (!value.constant->splat) return {src.begin(), src.end()};
  std::vector<std::byte> out(total);
  if (size != 0)
    for (size_t i = 0; i < elems; ++i) std::memcpy(out.data() + i * size, src.data(), size);
  return out;
}

std::optional<std::vector<int64_t>> constant_ints(const Value& value, int64_t max_elems) {
  if (!value.is_const() || !is_integer(value.type.dtype)) return std::nullopt;
  const auto elems = known_elems(value.type);
  if (!elems || *elems > max_elems) return std::nullopt;
  const size_t n = static_cast<size_t>(*elems), size = dtype_size(value.type.dtype);
  const std::span<const std::byte> bytes = value.constant->bytes;
  if (bytes.size() != (value.constant->splat ? size : n * size)) return std::nullopt;
  std::vector<int64_t> out(n);
  for (size_t i = 0; i < n; ++i)
    out[i] = load_int(value.type.dtype, bytes.data() + (value.constant->splat ? 0 : i * size));
  return out;
}

Uses compute_uses(const Network& network) {
  Uses uses;
  uses.producer.assign(network.values.size(), -1);
  uses.count.assign(network.values.size(), 0);
  uses.consumers.resize(network.values.size());
  for (size_t i = 0; i < network.ops.size(); ++i) {
    for (ValueId v : network.ops[i].outputs)
      uses.producer[static_cast<size_t>(v)] = static_cast<int32_t>(i);
    for (ValueId v : network.ops[i].inputs) {
      ++uses.count[static_cast<size_t>(v)];
      uses.consumers[static_cast<size_t>(v)].push_back(static_cast<int32_t>(i));
    }
  }
  for (ValueId v : network.outputs) ++uses.count[static_cast<size_t>(v)];
  return uses;
}

void compact(Network& network) {
  std::vector<char> live(network.values.size(), 0);
  for (ValueId v : network.outputs) live[static_cast<size_t>(v)] = 1;
  std::vector<char> keep(network.ops.size(), 0);
  for (size_t i = network.ops.size(); i-- > 0;) {
    for (ValueId v : network.ops[i].outputs) keep[i] |= live[static_cast<size_t>(v)];
    if (!keep[i]) continue;
    for (ValueId v : network.ops[i].inputs) live[static_cast<size_t>(v)] = 1;
    for (ValueId v : network.ops[i].outputs) live[static_cast<size_t>(v)] = 1;
  }
  for (ValueId v : network.inputs) live[static_cast<size_t>(v)] = 1;

  std::vector<ValueId> renamed(network.values.size(), kNoValue);
  size_t values = 0;
  for (size_t i = 0; i < network.values.size(); ++i) {
    if (!live[i]) continue;
    renamed[i] = static_cast<ValueId>(values);
    if (values != i) network.values[values] = std::move(network.values[i]);
    ++values;
  }
  network.values.resize(values);
  const auto rename = [&](std::vector<ValueId>& ids) {
    for (ValueId& v : ids) v = renamed[static_cast<size_t>(v)];
  };
  size_t ops = 0;
  for (size_t i = 0; i < network.ops.size(); ++i) {
    if (!keep[i]) continue;
    rename(network.ops[i].inputs);
    rename(network.ops[i].outputs);
    if (ops != i) network.ops[ops] = std::move(network.ops[i]);
    ++ops;
  }
  network.ops.resize(ops);
  rename(network.inputs);
  rename(network.outputs);
}

}  // namespace graft::ir
