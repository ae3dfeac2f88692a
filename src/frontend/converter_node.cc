// ConverterNode over NodeImport: what a user's converter sees of a node.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <new>

#include "base/check.h"
#include "base/checked.h"
#include "base/dtype.h"
#include "base/log.h"
#include "frontend/converters.h"
#include "ir/attrs_text.h"
#include "ir/network.h"

namespace graft::frontend {

namespace {

using graphdef::AttrValue;
using Kind = AttrValue::Kind;

constexpr size_t kMaxOutputs = 1 << 16;  // of one IR op

uint64_t next_call() {
  static std::atomic<uint64_t> calls{0};
  return ++calls;
}

class UserNode final : public ConverterNode {
 public:
  UserNode(NodeImport& n) : n_(n), call_(next_call()) {}

  std::string_view name() const override { return n_.node().name; }
  std::string_view op() const override { return n_.node().op; }

  bool has_attr(std::string_view name) const override { return n_.has_attr(name); }
  Result<int64_t> attr_int(std::string_view name, std::optional<int64_t> fallback) override {
    return read<int64_t>(name, "an int", std::move(fallback), Kind::kInt,
                         [](AttrValue& v) { return v.i; });
  }
  Result<float> attr_float(std::string_view name, std::optional<float> fallback) override {
    return read<float>(name, "a float", std::move(fallback), Kind::kFloat,
                       [](AttrValue& v) { return v.f; });
  }
  Result<bool> attr_bool(std::string_view name, std::optional<bool> fallback) override {
    return read<bool>(name, "a bool", std::move(fallback), Kind::kBool,
                      [](AttrValue& v) { return v.b; });
  }
  Result<std::string> attr_string(std::string_view name,
                                  std::optional<std::string> fallback) override {
    return read<std::string>(name, "a string", std::move(fallback), Kind::kString,
                             [](AttrValue& v) { return std::string(v.s); });
  }
  Result<DType> attr_type(std::string_view name, std::optional<DType> fallback) override {
    return read<DType>(name, "a type", std::move(fallback), Kind::kType,
                       [](AttrValue& v) { return v.type; });
  }
  Result<std::vector<int64_t>> attr_shape(std::string_view name,
                                          std::optional<std::vector<int64_t>> fallback) override {
    return read<std::vector<int64_t>>(
        name, "a shape", std::move(fallback), Kind::kShape,
        [&](AttrValue& v) -> Result<std::vector<int64_t>> {
          if (v.shape.unknown_rank)
            return unsupported("attribute '" + printable(name) + "' is a shape of unknown rank");
          return std::move(v.shape.dims);
        });
  }
  Result<HostTensor> attr_tensor(std::string_view name) override {
    return read<HostTensor>(name, "a tensor", {}, Kind::kTensor,
                            [&](AttrValue& v) -> Result<HostTensor> {
                              GRAFT_ASSIGN_OR_RETURN(const graphdef::TensorView view,
                                                     graphdef::decode_tensor(v.tensor));
                              return copy(view.dtype, view.dims, view.content, view.splat);
                            });
  }
  Result<std::vector<int64_t>> attr_ints(std::string_view name,
                                         std::optional<std::vector<int64_t>> fallback) override {
    return read_list(name, "a list of ints", std::move(fallback), &AttrValue::list_i);
  }
  Result<std::vector<float>> attr_floats(std::string_view name,
                                         std::optional<std::vector<float>> fallback) override {
    return read_list(name, "a list of floats", std::move(fallback), &AttrValue::list_f);
  }
  Result<std::vector<std::string>> attr_strings(
      std::string_view name, std::optional<std::vector<std::string>> fallback) override {
    std::optional<std::vector<std::string_view>> views;
    if (fallback) views.emplace(fallback->begin(), fallback->end());
    auto list = read_list(name, "a list of strings", std::move(views), &AttrValue::list_s);
    if (!list.ok()) return list.status();
    return std::vector<std::string>(list->begin(), list->end());
  }
  Result<std::vector<DType>> attr_types(std::string_view name,
                                        std::optional<std::vector<DType>> fallback) override {
    return read_list(name, "a list of types", std::move(fallback), &AttrValue::list_type);
  }
  void ignore(std::initializer_list<std::string_view> names) override {
    for (std::string_view name : names) handle(name);
  }

  size_t inputs() const override { return n_.inputs(); }
  Result<ConverterTensor> input(size_t index) const override {
    if (index >= n_.inputs())
      return invalid_argument("input " + std::to_string(index) + " is asked for, the node has " +
                              std::to_string(n_.inputs()));
    return tensor(n_.in(index));
  }
  Result<TensorSpec> type(ConverterTensor tensor) const override {
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId id, id_of(tensor));
    const ir::Value& value = n_.at(id);
    TensorSpec spec{value.name, value.type.dtype, {}};
    for (ir::Dim d : value.type.dims) spec.dims.push_back(d.is_const() ? d.value() : -1);
    return spec;
  }
  Result<HostTensor> constant_of(ConverterTensor tensor) const override {
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId id, id_of(tensor));
    const ir::Value& value = n_.at(id);
    std::vector<int64_t> dims;
    for (ir::Dim d : value.type.dims) dims.push_back(d.is_const() ? d.value() : -1);
    if (value.constant)
      return copy(value.type.dtype, std::move(dims), value.constant->bytes, value.constant->splat);
    HostTensor result{value.type.dtype, std::move(dims), {}};
    bool known = value.host && is_integer(value.type.dtype);
    for (size_t i = 0; known && i < value.host->size(); ++i) {
      const ir::Dim d = (*value.host)[i];
      known = d.is_const();
      if (known) append(result, d.value());
    }
    if (!known)
      return unsupported("'" + printable(value.name) +
                         "' is not a constant: its elements are not known while converting");
    return result;
  }

  Result<ConverterTensor> constant(const TensorRef& elements) override {
    if (!is_plan_dtype(elements.dtype))
      return invalid_argument("constant: an engine has no " + dtype_name(elements.dtype));
    if (elements.dims.size() > static_cast<size_t>(n_.limits().max_rank))
      return invalid_argument("constant: has rank " + std::to_string(elements.dims.size()) +
                              ", at most " + std::to_string(n_.limits().max_rank) +
                              " is supported");
    std::optional<int64_t> bytes = static_cast<int64_t>(dtype_size(elements.dtype));
    for (int64_t d : elements.dims) {
      if (d < 0) return invalid_argument("constant: has extent " + std::to_string(d));
      if (bytes) bytes = checked_mul(*bytes, d);
    }
    if (!bytes || static_cast<uint64_t>(*bytes) != elements.size_bytes ||
        (*bytes > 0 && elements.data == nullptr))
      return invalid_argument("constant: has " + std::to_string(elements.size_bytes) +
                              " bytes, which do not fit its dtype and extents");
    const auto* data = static_cast<const std::byte*>(elements.data);
    std::vector<std::byte> copied;
    copied.assign(data, data + elements.size_bytes);
    if (elements.dtype == DType::kBool)
      for (std::byte& b : copied) b = std::byte{b != std::byte{0}};
    return tensor(n_.network().add_constant_bytes(std::string(n_.node().name) + "/constant",
                                                  elements.dtype, elements.dims, copied));
  }
  Result<ConverterTensor> constant_scalar(double number, DType dtype) override {
    if (!is_plan_dtype(dtype))
      return invalid_argument("constant: an engine has no " + dtype_name(dtype));
    const bool fits = visit_dtype(dtype, [&]<typename T>() {
      if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>)
        return number >= static_cast<double>(std::numeric_limits<T>::lowest()) &&
               number < static_cast<double>(std::numeric_limits<T>::max()) + 1.0 &&
               number == std::floor(number);
      return true;
    });
    if (!fits)
      return invalid_argument("constant: " + std::to_string(number) + " is no " +
                              dtype_name(dtype));
    return tensor(n_.constant_scalar(number, dtype));
  }
  Result<ConverterTensor> constant_ints(std::span<const int64_t> elements) override {
    return tensor(n_.constant_ints({elements.begin(), elements.end()}, DType::kInt64));
  }

  Result<ConverterTensor> emit(std::string_view ir_op, std::span<const ConverterTensor> inputs,
                               std::string_view attrs) override {
    GRAFT_ASSIGN_OR_RETURN(const std::vector<ConverterTensor> made,
                           emit_many(ir_op, inputs, attrs, 1));
    return made[0];
  }
  Result<std::vector<ConverterTensor>> emit_many(std::string_view ir_op,
                                                 std::span<const ConverterTensor> inputs,
                                                 std::string_view attrs, size_t outputs) override {
    if (Status spent = n_.scope().work.spend(1, "converting nodes"); !spent.ok())
      return fatal_ = spent;
    const std::optional<ir::OpKind> kind = ir::op_kind_from_text(ir_op);
    if (!kind) return invalid_argument("emit: there is no IR op '" + printable(ir_op) + "'");
    if (*kind == ir::OpKind::kWhile || *kind == ir::OpKind::kBranch ||
        *kind == ir::OpKind::kQuantize)
      return unsupported("emit: a converter makes no " + std::string(ir_op));
    if (outputs > kMaxOutputs)
      return invalid_argument("emit: " + std::to_string(outputs) + " outputs are too many");
    auto parsed = ir::parse_attrs(*kind, attrs);
    if (!parsed.ok()) return parsed.status().with_context("emit");
    std::vector<ir::ValueId> ids;
    for (ConverterTensor input : inputs) {
      auto id = id_of(input);
      if (!id.ok()) return id.status().with_context("emit " + std::string(ir_op));
      ids.push_back(*id);
    }
    auto made = n_.emit_many(std::move(*parsed), std::move(ids), outputs);
    if (!made.ok()) return refused(made.status());
    std::vector<ConverterTensor> result;
    for (ir::ValueId id : *made) result.push_back(tensor(id));
    return result;
  }

  Status output(ConverterTensor tensor) override {
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId id, id_of(tensor));
    n_.output(id);
    return ok_status();
  }
  Status refuse(std::string reason, std::string hint) override {
    refusal_ = {std::move(reason), std::move(hint)};
    return unsupported(refusal_->first);
  }

  // Ends the conversion, whatever the converter made of it.
  const Status& fatal() const { return fatal_; }
  const std::optional<std::pair<std::string, std::string>>& refusal() const { return refusal_; }

 private:
  // The name as the graph holds it, which lives as long as the import.
  void handle(std::string_view name) {
    if (const graphdef::AttrView* attr = n_.node().find_attr(name)) n_.ignore({attr->name});
  }

  template <typename T, typename Get>
  Result<T> read(std::string_view name, const std::string& expected, std::optional<T> fallback,
                 Kind kind, const Get& get) {
    const std::string what = "attribute '" + printable(name) + "' ";
    const graphdef::AttrView* attr = n_.node().find_attr(name);
    if (!attr) {
      if (fallback) return std::move(*fallback);
      return invalid_graph(what + "is missing, expected " + expected);
    }
    n_.ignore({attr->name});
    auto value = graphdef::decode_attr(attr->value, n_.limits());
    if (!value.ok()) return value.status().with_context(what);
    if (value->kind != kind) return invalid_graph(what + "is not " + expected);
    return get(*value);
  }

  template <typename T>
  Result<std::vector<T>> read_list(std::string_view name, const std::string& expected,
                                   std::optional<std::vector<T>> fallback,
                                   std::vector<T> AttrValue::*list) {
    return read<std::vector<T>>(
        name, expected, std::move(fallback), Kind::kList,
        [&](AttrValue& v) -> Result<std::vector<T>> {
          const size_t all = v.list_s.size() + v.list_i.size() + v.list_f.size() + v.list_b.size() +
                             v.list_type.size() + v.list_shape.size() +
                             static_cast<size_t>(v.list_messages);
          if (all != (v.*list).size())
            return invalid_graph("attribute '" + printable(name) + "' is not " + expected);
          return std::move(v.*list);
        });
  }

  Result<HostTensor> copy(DType dtype, std::vector<int64_t> dims, graphdef::Bytes bytes,
                          bool splat) const {
    HostTensor result{dtype, std::move(dims), {}};
    if (!splat) {
      result.bytes.assign(bytes.begin(), bytes.end());
      return result;
    }
    std::optional<int64_t> count = 1;
    for (int64_t d : result.dims)
      if (count) count = checked_mul(*count, d);
    const auto total = count ? checked_mul(*count, static_cast<int64_t>(bytes.size())) : count;
    if (!total || *total > n_.limits().max_folded_bytes)
      return unsupported("a constant of one repeated element has more than " +
                         std::to_string(n_.limits().max_folded_bytes) + " bytes");
    for (int64_t i = 0; i < *count; ++i)
      result.bytes.insert(result.bytes.end(), bytes.begin(), bytes.end());
    return result;
  }

  static void append(HostTensor& tensor, int64_t element) {
    visit_dtype(tensor.dtype, [&]<typename T>() {
      if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
        const T narrow = static_cast<T>(element);
        const auto* bytes = reinterpret_cast<const std::byte*>(&narrow);
        tensor.bytes.insert(tensor.bytes.end(), bytes, bytes + sizeof narrow);
      }
    });
  }

  ConverterTensor tensor(ir::ValueId id) const { return {call_, id}; }
  Result<ir::ValueId> id_of(ConverterTensor tensor) const {
    if (tensor.call == 0) return invalid_argument("the tensor was never made");
    if (tensor.call != call_)
      return invalid_argument("the tensor is of another node, or of an earlier call");
    if (tensor.value < 0 || static_cast<size_t>(tensor.value) >= n_.network().values.size())
      return invalid_argument("there is no tensor " + std::to_string(tensor.value));
    return tensor.value;
  }

  // An op that inference refused; the name of the node stands before the reason anyway.
  Status refused(const Status& status) {
    if (status.code() != Code::kUnsupported && status.code() != Code::kInvalidGraph)
      return fatal_ = status;
    const std::string prefix = n_.invalid("").message();
    const std::string& text = status.message();
    return unsupported("emit: " + (text.starts_with(prefix) ? text.substr(prefix.size()) : text));
  }

  NodeImport& n_;
  const uint64_t call_;
  Status fatal_;
  std::optional<std::pair<std::string, std::string>> refusal_;
};

// The function is not ours: what it throws is its failure, not the conversion's.
Status call(const ConverterFn& function, UserNode& node) {
  try {
    return function(node);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    return unsupported(std::string("it threw: ") + error.what());
  } catch (...) {
    return unsupported("it threw something that is no std::exception");
  }
}

// Extents that the graph's own shapes contradict.
std::string contradiction(const NodeImport& n) {
  const graphdef::AttrView* attr = n.node().find_attr("_output_shapes");
  if (!attr) return "";
  const auto value = graphdef::decode_attr(attr->value, n.limits());
  if (!value.ok() || value->kind != Kind::kList) return "";
  for (size_t i = 0; i < std::min(value->list_shape.size(), n.outputs().size()); ++i) {
    const graphdef::ShapeView& shape = value->list_shape[i];
    const std::vector<ir::Dim>& made = n.at(n.outputs()[i]).type.dims;
    if (shape.unknown_rank) continue;
    bool same = shape.dims.size() == made.size();
    for (size_t k = 0; same && k < made.size(); ++k)
      same = shape.dims[k] < 0 || !made[k].is_const() || made[k].value() == shape.dims[k];
    if (!same)
      return "output " + std::to_string(i) +
             " has another shape than the graph says in '_output_shapes'";
  }
  return "";
}

}  // namespace

Status run_converter(NodeImport& n, const UserConverter& converter) {
  UserNode node(n);
  const Status status = call(converter.function, node);
  if (!node.fatal().ok()) return node.fatal();
  const std::string title = converter.title();
  if (node.refusal())
    return n.refuse("converter", title + node.refusal()->first, node.refusal()->second);
  if (!status.ok()) return n.refuse("converter", title + status.message());
  if (n.outputs().empty()) return n.refuse("converter", title + "it set no output");
  if (const std::string_view attr = n.unhandled_attr(); !attr.empty())
    return n.refuse("unsupported_attr", title + "attribute '" + printable(attr) + "' was not read",
                    "read the attribute, or ignore it where it does not change the answer");
  if (const std::string what = contradiction(n); !what.empty())
    return n.refuse("converter", title + what);
  return ok_status();
}

}  // namespace graft::frontend
