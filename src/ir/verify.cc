// verify: safe on hostile content; every id and length is checked before it is used.
#include "ir/verify.h"

#include <cstring>
#include <memory>

#include "base/limits.h"
#include "ir/infer.h"
#include "ir/quantized.h"

namespace graft::ir {

namespace {

// Passes keep unused values around; a plan that lists more than this is refused before it costs
// time.
constexpr size_t kMaxValues = size_t{1} << 26;

class Verifier {
 public:
  explicit Verifier(const Network& network, int depth)
      : net_(network),
        depth_(depth),
        dims_(network.dims),
        state_(network.values.size(), kUndefined),
        hosts_(network.values.size()) {}

  Status run() {
    if (net_.values.size() > kMaxValues) return invalid_graph("network has too many values");
    GRAFT_RETURN_IF_ERROR(check_dims());
    for (size_t i = 0; i < net_.values.size(); ++i) GRAFT_RETURN_IF_ERROR(check_value(i));
    for (ValueId v : net_.inputs) GRAFT_RETURN_IF_ERROR(check_input(v));
    for (const Op& op : net_.ops) GRAFT_RETURN_IF_ERROR(check_op(op));
    for (ValueId v : net_.outputs) {
      GRAFT_RETURN_IF_ERROR(check_id(v, "network output"));
      if (state_[static_cast<size_t>(v)] != kDefined)
        return bad_value(v, "is an output without producer");
    }
    return ok_status();
  }

 private:
  enum State : char { kUndefined, kDefined };

  Status bad_value(ValueId v, const std::string& what) const {
    return invalid_graph("value " + std::to_string(v) + " '" +
                         net_.values[static_cast<size_t>(v)].name + "' " + what);
  }
  Status check_id(ValueId v, const std::string& what) const {
    if (v >= 0 && static_cast<size_t>(v) < net_.values.size()) return ok_status();
    return invalid_graph(what + " refers to value " + std::to_string(v) + " of " +
                         std::to_string(net_.values.size()));
  }

  bool known(Dim d) const { return d.is_const() || d.id() < net_.dims.size(); }

  // Expressions refer to earlier ones only, so that evaluating them ends.
  Status check_dims() const {
    for (int32_t i = 0; i < net_.dims.size(); ++i) {
      const DimTable::Expr& e = net_.dims.expr(Dim::symbol(i));
      const bool leaf = e.op == DimOp::kInput || e.op == DimOp::kOpaque;
      bool ok = e.op >= DimOp::kInput && e.op < DimOp::kCount;
      for (Dim d : {e.a, e.b}) ok = ok && (d.is_const() || (!leaf && d.id() < i));
      if (ok && e.op == DimOp::kInput) {
        const int64_t input = e.a.value();
        ok = input >= 0 && e.b.value() >= 0 && e.b.value() < Limits{}.max_rank;
      }
      if (!ok) return invalid_graph("dim expression " + std::to_string(i) + " is malformed");
    }
    return ok_status();
  }

  Status check_value(size_t i) {
    const Value& v = net_.values[i];
    const auto id = static_cast<ValueId>(i);
    if (!is_plan_dtype(v.type.dtype))
      return bad_value(id, "is " + dtype_name(v.type.dtype) + ", not an engine dtype");
    if (v.type.scale != 0 && v.constant) return bad_value(id, "is a constant with a scale");
    if (v.type.rank() > Limits{}.max_rank)
      return bad_value(id, "has rank " + std::to_string(v.type.rank()));
    int64_t elems = 1;
    bool constant = true, zero = false;
    for (Dim d : v.type.dims) {
      if (!known(d)) return bad_value(id, "has an unknown dim expression");
      if (!d.is_const()) {
        constant = false;
        continue;
      }
      if (d.value() < 0) return bad_value(id, "has extent " + std::to_string(d.value()));
      zero |= d.value() == 0;
      if (d.value() > 0 &&
          (__builtin_mul_overflow(elems, d.value(), &elems) || elems > Limits{}.max_tensor_elems))
        return bad_value(id, "has more than 2^40 elements");
    }
    if (zero) elems = 0;
    if (v.host) {
      if (!is_integer(v.type.dtype) && v.type.dtype != DType::kBool)
        return bad_value(id, "has host elements but no integer dtype");
      if (!constant || static_cast<int64_t>(v.host->size()) != elems)
        return bad_value(id, "has " + std::to_string(v.host->size()) +
                                 " host elements, which do not fit its shape");
      for (Dim d : *v.host)
        if (!known(d)) return bad_value(id, "has an unknown dim expression as host element");
      hosts_[i] = &*v.host;
    }
    if (v.constant) {
      if (!constant) return bad_value(id, "is a constant with a symbolic shape");
      GRAFT_RETURN_IF_ERROR(check_constant(id, v, elems));
      state_[i] = kDefined;
    }
    return ok_status();
  }

  Status check_constant(ValueId id, const Value& v, int64_t elems) const {
    const auto size = static_cast<int64_t>(dtype_size(v.type.dtype));
    const int64_t want = v.constant->splat ? size : elems * size;  // at most 2^40 * 8
    const std::span<const std::byte> bytes = v.constant->bytes;
    if (static_cast<int64_t>(bytes.size()) != want) {
      return bad_value(id, "has " + std::to_string(bytes.size()) + " constant bytes, expected " +
                               std::to_string(want));
    }
    if (v.type.dtype == DType::kBool) {
      for (std::byte b : bytes)
        if (static_cast<unsigned char>(b) > 1)
          return bad_value(id, "is a bool constant with a byte above 1");
    }
    if (!v.host) return ok_status();
    if (v.type.dtype == DType::kBool) return bad_value(id, "is a bool constant with host elements");
    const auto ints = constant_ints(v);
    bool same = ints && ints->size() == v.host->size();
    for (size_t i = 0; same && i < ints->size(); ++i)
      same = (*v.host)[i].is_const() && (*v.host)[i].value() == (*ints)[i];
    return same ? ok_status() : bad_value(id, "has host elements that differ from its constant");
  }

  Status check_input(ValueId v) {
    GRAFT_RETURN_IF_ERROR(check_id(v, "network input"));
    const auto i = static_cast<size_t>(v);
    if (net_.values[i].constant) return bad_value(v, "is an input and a constant");
    if (net_.values[i].type.scale != 0) return bad_value(v, "is an input with a scale");
    if (state_[i] == kDefined) return bad_value(v, "is an input twice");
    state_[i] = kDefined;
    return ok_status();
  }

  // Types must be those of infer(). Two different symbols are let through: passes may prove an
  // equality that the normal form does not see, and scheduling infers again with constants.
  static bool same_type(const TensorType& got, const TensorType& want) {
    if (got.dtype != want.dtype || got.scale != want.scale || got.dims.size() != want.dims.size())
      return false;
    for (size_t i = 0; i < got.dims.size(); ++i) {
      if (got.dims[i].is_const() != want.dims[i].is_const()) return false;
      if (got.dims[i].is_const() && got.dims[i] != want.dims[i]) return false;
    }
    return true;
  }

  std::string text(const TensorType& t) const {
    std::string s = dtype_name(t.dtype) + " [";
    for (size_t i = 0; i < t.dims.size(); ++i) s += (i ? "," : "") + dims_.text(t.dims[i]);
    return s + "]" + (t.scale != 0 ? " scale " + std::to_string(t.scale) : "");
  }

  Status check_op(const Op& op) {
    if (static_cast<size_t>(op.kind()) >= static_cast<size_t>(OpKind::kCount))
      return invalid_graph("op '" + op.name + "' has no kind");
    GRAFT_RETURN_IF_ERROR(check_bodies(op));
    inputs_.clear();
    for (ValueId v : op.inputs) {
      GRAFT_RETURN_IF_ERROR(check_id(v, "op '" + op.name + "'"));
      const auto i = static_cast<size_t>(v);
      if (state_[i] != kDefined)
        return bad_value(v, "is used by op '" + op.name + "' before it is computed");
      inputs_.push_back({&net_.values[i].type, hosts_[i]});
    }
    for (ValueId v : op.outputs) {
      GRAFT_RETURN_IF_ERROR(check_id(v, "op '" + op.name + "'"));
      const auto i = static_cast<size_t>(v);
      if (state_[i] == kDefined)
        return bad_value(v, "is written by op '" + op.name + "' but already has a producer");
      state_[i] = kDefined;
    }
    auto inferred = infer(op, inputs_, op.outputs.size(), dims_);
    if (!inferred.ok()) return inferred.status();
    GRAFT_RETURN_IF_ERROR(check_pad_value(op));
    for (size_t k = 0; k < inferred->size(); ++k) {
      InferOutput& want = (*inferred)[k];
      const auto i = static_cast<size_t>(op.outputs[k]);
      const Value& got = net_.values[i];
      if (!same_type(got.type, want.type)) {
        return bad_value(op.outputs[k], "of op '" + op.name + "' is " + text(got.type) +
                                            ", expected " + text(want.type));
      }
      GRAFT_RETURN_IF_ERROR(check_host(op.outputs[k], got, want.host));
      if (!got.host && want.host) {
        inferred_hosts_.push_back(std::make_unique<std::vector<Dim>>(std::move(*want.host)));
        hosts_[i] = inferred_hosts_.back().get();
      }
    }
    return ok_status();
  }

  // Kernels rely on the range of quantized tensors.
  Status check_pad_value(const Op& op) const {
    if (op.kind() != OpKind::kPad || op.inputs.size() != 3 || !is_quantized(*inputs_[0].type))
      return ok_status();
    const Value& value = net_.values[static_cast<size_t>(op.inputs[2])];
    if (!value.constant || value.constant->bytes.empty())
      return invalid_graph("op '" + op.name + "' pads with a value that is no constant");
    const auto byte = std::to_integer<uint8_t>(value.constant->bytes[0]);
    const int q = value.type.dtype == DType::kInt8 ? static_cast<int8_t>(byte) : byte;
    if (q >= -127 && q <= 127) return ok_status();
    return invalid_graph("op '" + op.name + "' pads with " + std::to_string(q) +
                         ", expected at most 127 in magnitude");
  }

  // A stored host value must be the inferred one; it may be left out.
  Status check_host(ValueId id, const Value& got,
                    const std::optional<std::vector<Dim>>& want) const {
    if (!got.host) return ok_status();
    bool same = want && want->size() == got.host->size();
    for (size_t i = 0; same && i < want->size(); ++i) {
      const Dim a = (*got.host)[i], b = (*want)[i];
      same = a.is_const() ? a == b : !b.is_const();
    }
    return same ? ok_status()
                : bad_value(id, "has host elements that differ from the inferred ones");
  }

  // Before inference, which looks into the bodies.
  Status check_bodies(const Op& op) const {
    if (op.bodies.empty()) return ok_status();
    if (op.kind() != OpKind::kWhile && op.kind() != OpKind::kBranch)
      return invalid_graph("op '" + op.name + "' has bodies");
    if (depth_ >= kMaxBodyDepth)
      return invalid_graph("op '" + op.name + "' lies deeper than " +
                           std::to_string(kMaxBodyDepth) + " bodies");
    for (const auto& body : op.bodies) {
      if (!body) return invalid_graph("op '" + op.name + "' has an empty body");
      if (Status s = Verifier(*body, depth_ + 1).run(); !s.ok())
        return s.with_context("body of '" + op.name + "'");
    }
    return ok_status();
  }

  const Network& net_;
  const int depth_;
  DimTable dims_;  // a copy: inference may add expressions
  std::vector<char> state_;
  std::vector<const std::vector<Dim>*> hosts_;
  std::vector<std::unique_ptr<std::vector<Dim>>> inferred_hosts_;
  std::vector<InferInput> inputs_;
};

}  // namespace

Status verify(const Network& network) { return Verifier(network, 0).run(); }

}  // namespace graft::ir
