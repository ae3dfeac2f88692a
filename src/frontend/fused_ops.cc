// fused_ops is {BiasAdd or FusedBatchNorm, then maybe Add, then maybe an activation}: the lists for
// which TensorFlow has CPU kernels.
#include "frontend/fused_ops.h"

#include <cmath>
#include <string>

#include "base/dtype.h"
#include "base/log.h"
#include "graphdef/attr.h"

namespace graft::frontend {

namespace {

using ir::BinaryFn;
using ir::UnaryFn;

struct FusedActivation {
  std::string_view name;
  UnaryFn fn;
};
constexpr FusedActivation kActivations[] = {
    {"Relu", UnaryFn::kRelu},      {"Relu6", UnaryFn::kRelu6},
    {"Elu", UnaryFn::kElu},        {"LeakyRelu", UnaryFn::kLeakyRelu},
    {"Tanh", UnaryFn::kTanh},      {"Sigmoid", UnaryFn::kSigmoid},
    {"GeluExact", UnaryFn::kGelu}, {"GeluApproximate", UnaryFn::kGeluTanh},
};

const FusedActivation* activation_named(std::string_view name) {
  for (const FusedActivation& a : kActivations)
    if (a.name == name) return &a;
  return nullptr;
}

std::string list_text(const std::vector<std::string_view>& ops) {
  std::string text = "[";
  for (std::string_view op : ops) text += (text.size() > 1 ? ", " : "") + printable(op);
  return text + "]";
}

Result<std::vector<std::string_view>> read_fused_ops(NodeImport& n) {
  n.ignore({"fused_ops"});
  const graphdef::AttrView* attr = n.node().find_attr("fused_ops");
  if (!attr) return std::vector<std::string_view>{};
  GRAFT_ASSIGN_OR_RETURN(const graphdef::AttrValue value, graphdef::decode_attr(attr->value));
  const bool other = !value.list_i.empty() || !value.list_f.empty() || !value.list_b.empty() ||
                     !value.list_type.empty() || !value.list_shape.empty() ||
                     value.list_messages != 0;
  if (value.kind != graphdef::AttrValue::Kind::kList || other)
    return n.invalid("attribute 'fused_ops' is no list of strings");
  return value.list_s;
}

// Inputs args..: as many as num_args says, of the node's dtype.
Status check_args(NodeImport& n, size_t args) {
  GRAFT_ASSIGN_OR_RETURN(const int64_t count, n.attr_int("num_args"));
  GRAFT_ASSIGN_OR_RETURN(const int64_t host_count, n.attr_int("num_host_args", 0));
  if (count < 0 || host_count < 0 || count != static_cast<int64_t>(n.inputs() - args) - host_count)
    return n.invalid("attributes 'num_args' and 'num_host_args' are " + std::to_string(count) +
                     " and " + std::to_string(host_count) + ", the node has " +
                     std::to_string(n.inputs()) + " inputs");
  if (host_count != 0)
    return n.refuse("unsupported_attr",
                    "attribute 'num_host_args' is " + std::to_string(host_count) + ", expected 0");
  if (n.has_attr("TArgs")) {
    n.ignore({"TArgs"});
    GRAFT_ASSIGN_OR_RETURN(const std::vector<DType> types,
                           graphdef::attr_type_list(n.node(), "TArgs"));
    if (types.size() != n.inputs() - args)
      return n.invalid("attribute 'TArgs' lists " + std::to_string(types.size()) +
                       " dtypes, the node has " + std::to_string(n.inputs() - args) + " args");
    for (size_t i = 0; i < types.size(); ++i)
      if (types[i] != n.dtype(args + i))
        return n.invalid("attribute 'TArgs' says " + dtype_name(types[i]) + " for input " +
                         std::to_string(args + i) + ", the edge is " +
                         dtype_name(n.dtype(args + i)));
  }
  for (size_t i = args; i < n.inputs(); ++i)
    if (n.dtype(i) != n.dtype(0))
      return n.refuse("dtype", "input " + std::to_string(i) + " is " + dtype_name(n.dtype(i)) +
                                   ", expected " + dtype_name(n.dtype(0)) + " as input 0");
  return ok_status();
}

// A vector that fits the channels of dst.
Status check_vector(NodeImport& n, size_t input, ir::ValueId dst) {
  const ir::Dim channels = n.at(dst).type.dims.back();
  if (n.rank(input) != 1)
    return n.invalid("input " + std::to_string(input) + " has rank " +
                     std::to_string(n.rank(input)) + ", expected 1");
  const ir::Dim d = n.type(input).dims[0];
  if (d == channels) return ok_status();
  if (d.is_const() && channels.is_const())
    return n.invalid("input " + std::to_string(input) + " has " + std::to_string(d.value()) +
                     " elements, the result has " + std::to_string(channels.value()) + " channels");
  return n.refuse("shape", "input " + std::to_string(input) +
                               " is not known to have as many elements as the result channels");
}

Result<ir::ValueId> normalize(NodeImport& n, ir::ValueId dst, size_t first, float epsilon) {
  for (size_t i = first; i < first + 4; ++i) GRAFT_RETURN_IF_ERROR(check_vector(n, i, dst));
  const DType t = n.dtype(0);
  const auto binary = [&](BinaryFn fn, ir::ValueId a, ir::ValueId b) {
    return n.emit(ir::BinaryAttrs{fn}, {a, b});
  };
  const ir::ValueId gamma = n.in(first), beta = n.in(first + 1), mean = n.in(first + 2),
                    variance = n.in(first + 3);
  const ir::ValueId eps = n.constant_scalar(static_cast<double>(epsilon), t);
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId scale, binary(BinaryFn::kAdd, variance, eps));
  GRAFT_ASSIGN_OR_RETURN(scale, n.emit(ir::UnaryAttrs{{UnaryFn::kRsqrt}}, {scale}));
  GRAFT_ASSIGN_OR_RETURN(scale, binary(BinaryFn::kMul, scale, gamma));
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId shift, binary(BinaryFn::kMul, mean, scale));
  GRAFT_ASSIGN_OR_RETURN(shift, binary(BinaryFn::kSub, beta, shift));
  GRAFT_ASSIGN_OR_RETURN(dst, binary(BinaryFn::kMul, dst, scale));
  return binary(BinaryFn::kAdd, dst, shift);
}

Result<ir::ValueId> activate(NodeImport& n, ir::ValueId dst, UnaryFn fn, float alpha) {
  ir::Activation act{fn};
  if (fn == UnaryFn::kElu) act.alpha = 1;
  if (fn == UnaryFn::kLeakyRelu) {
    if (!std::isfinite(alpha))
      return n.refuse("unsupported_attr", "attribute 'leakyrelu_alpha' is not finite");
    act.alpha = alpha;
  }
  return n.emit(ir::UnaryAttrs{act}, {dst});
}

}  // namespace

Result<ir::ValueId> apply_fused_ops(NodeImport& n, ir::ValueId dst, const FusedForm& form) {
  const auto [args, batch_norm, channels_first] = form;
  GRAFT_ASSIGN_OR_RETURN(const std::vector<std::string_view> ops, read_fused_ops(n));
  GRAFT_ASSIGN_OR_RETURN(const float epsilon, n.attr_float("epsilon", 1e-4f));
  GRAFT_ASSIGN_OR_RETURN(const float alpha, n.attr_float("leakyrelu_alpha", 0.2f));
  GRAFT_RETURN_IF_ERROR(check_args(n, args));
  const auto refuse = [&n, &ops, batch_norm = batch_norm] {
    return n.refuse("unsupported_attr",
                    "attribute 'fused_ops' is " + list_text(ops) + ", expected BiasAdd" +
                        (batch_norm ? " or FusedBatchNorm" : "") +
                        ", then maybe Add, then maybe an activation (Relu, Relu6, Elu, LeakyRelu, "
                        "Tanh, Sigmoid, GeluExact, GeluApproximate)",
                    "convert the graph before Grappler rewrites it");
  };
  size_t next = 0;
  const auto is = [&](std::string_view name) { return next < ops.size() && ops[next] == name; };
  const bool normalized = is("FusedBatchNorm");
  if (normalized ? !batch_norm : !is("BiasAdd")) return refuse();
  ++next;
  const bool add = is("Add");
  next += add;
  const FusedActivation* act = next < ops.size() ? activation_named(ops[next]) : nullptr;
  next += act != nullptr;
  if (next != ops.size()) return refuse();
  const size_t wanted = args + (normalized ? 4 : 1) + add;
  if (n.inputs() != wanted)
    return n.invalid("has " + std::to_string(n.inputs()) + " inputs, attribute 'fused_ops' " +
                     list_text(ops) + " takes " + std::to_string(wanted));
  if (normalized) {
    GRAFT_ASSIGN_OR_RETURN(dst, normalize(n, dst, args, epsilon));
  } else {
    GRAFT_RETURN_IF_ERROR(check_vector(n, args, dst));
    GRAFT_ASSIGN_OR_RETURN(dst, n.emit(ir::BinaryAttrs{BinaryFn::kAdd}, {dst, n.in(args)}));
  }
  if (add) {
    const size_t addend = wanted - 1;
    if (channels_first)
      return n.refuse("unsupported_attr", "attribute 'fused_ops' has Add beside channels first");
    if (n.type(addend).dims != n.at(dst).type.dims)
      return n.refuse("shape", "input " + std::to_string(addend) +
                                   " (of the fused Add) is not known to have the result's shape");
    GRAFT_ASSIGN_OR_RETURN(dst, n.emit(ir::BinaryAttrs{BinaryFn::kAdd}, {dst, n.in(addend)}));
  }
  if (!act) return dst;
  return activate(n, dst, act->fn, alpha);
}

}  // namespace graft::frontend
