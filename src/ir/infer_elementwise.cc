// Unary, binary, select, cast, affine.
#include <algorithm>

#include "ir/host_arith.h"
#include "ir/infer_context.h"

namespace graft::ir {

namespace {

constexpr bool is_comparison(BinaryFn fn) {
  return fn >= BinaryFn::kLess && fn <= BinaryFn::kNotEqual;
}

// Element i of a host tensor that is broadcast to n elements: scalars, single elements and equal
// sizes only.
const Dim* host_at(const std::vector<Dim>& host, size_t n, size_t i) {
  if (host.size() == n) return &host[i];
  return host.size() == 1 ? &host[0] : nullptr;
}

// Elements of the output when broadcasting is trivial (rank <= 1 or equal shapes); nullopt
// otherwise.
std::optional<size_t> flat_elems(const InferContext& c, const std::vector<Dim>& shape) {
  size_t n = 1;
  for (Dim d : shape) {
    if (!d.is_const() || d.value() < 0 || d.value() > static_cast<int64_t>(kMaxHostElems))
      return std::nullopt;
    n *= static_cast<size_t>(d.value());
    if (n > kMaxHostElems) return std::nullopt;
  }
  for (const InferInput& in : c.inputs)
    if (in.host != nullptr && in.host->size() != 1 && in.type->dims != shape) return std::nullopt;
  return n;
}

}  // namespace

Status infer_unary(InferContext& c) {
  const auto& fn = c.op.as<UnaryAttrs>().fn;
  const DType t = c.dtype(0);
  if (!unary_takes(fn.fn, t))
    return c.fail(std::string(name_of(fn.fn)) + " does not take " + dtype_name(t));
  if (fn.alpha != fn.alpha || fn.beta != fn.beta)
    return c.fail(std::string(name_of(fn.fn)) + " with a NaN parameter");
  c.add_output(unary_result(fn.fn, t), c.shape(0));
  if (const std::vector<Dim>* host = c.host(0)) {
    if (fn.fn == UnaryFn::kIdentity) {
      c.set_host(*host);
    } else if (fn.fn == UnaryFn::kNeg || fn.fn == UnaryFn::kLogicalNot) {
      std::vector<Dim> r;
      for (Dim d : *host) {
        if (auto v = host_binary(c, BinaryFn::kSub, fn.fn == UnaryFn::kNeg ? 0 : 1, d))
          r.push_back(*v);
      }
      if (r.size() == host->size()) c.set_host(std::move(r));
    }
  }
  return ok_status();
}

Status infer_binary(InferContext& c) {
  const BinaryFn fn = c.op.as<BinaryAttrs>().fn;
  GRAFT_RETURN_IF_ERROR(c.same_dtype(0, 1));
  if (!binary_takes(fn, c.dtype(0)))
    return c.fail(std::string(name_of(fn)) + " does not take " + dtype_name(c.dtype(0)));
  std::vector<Dim> shape;
  if (c.shape(0) == c.shape(1)) {
    shape = c.shape(0);
  } else {
    GRAFT_ASSIGN_OR_RETURN(shape, c.broadcast_shapes(c.shape(0), c.shape(1)));
  }
  InferOutput& o = c.add_output(is_comparison(fn) ? DType::kBool : c.dtype(0), std::move(shape));
  const std::vector<Dim>*a = c.host(0), *b = c.host(1);
  if (a == nullptr || b == nullptr) return ok_status();
  const auto n = flat_elems(c, o.type.dims);
  if (!n) return ok_status();
  std::vector<Dim> r;
  for (size_t i = 0; i < *n; ++i) {
    const Dim *x = host_at(*a, *n, i), *y = host_at(*b, *n, i);
    std::optional<Dim> v;
    if (x != nullptr && y != nullptr) v = host_binary(c, fn, *x, *y);
    if (!v) return ok_status();
    r.push_back(*v);
  }
  c.set_host(std::move(r));
  return ok_status();
}

Status infer_select(InferContext& c) {
  if (c.dtype(0) != DType::kBool)
    return c.fail("condition is " + dtype_name(c.dtype(0)) + ", expected bool");
  GRAFT_RETURN_IF_ERROR(c.same_dtype(1, 2));
  GRAFT_ASSIGN_OR_RETURN(auto branches, c.broadcast_shapes(c.shape(1), c.shape(2)));
  GRAFT_ASSIGN_OR_RETURN(auto shape, c.broadcast_shapes(c.shape(0), branches));
  InferOutput& o = c.add_output(c.dtype(1), std::move(shape));
  const std::vector<Dim>*cond = c.host(0), *x = c.host(1), *y = c.host(2);
  if (cond == nullptr || x == nullptr || y == nullptr) return ok_status();
  const auto n = flat_elems(c, o.type.dims);
  if (!n) return ok_status();
  std::vector<Dim> r;
  for (size_t i = 0; i < *n; ++i) {
    const Dim *k = host_at(*cond, *n, i), *a = host_at(*x, *n, i), *b = host_at(*y, *n, i);
    if (k == nullptr || a == nullptr || b == nullptr || !k->is_const()) return ok_status();
    r.push_back(k->value() != 0 ? *a : *b);
  }
  c.set_host(std::move(r));
  return ok_status();
}

Status infer_cast(InferContext& c) {
  const DType to = c.op.as<CastAttrs>().to;
  if (!is_plan_dtype(to)) return c.fail("to " + dtype_name(to) + ", not an engine dtype");
  c.add_output(to, c.shape(0));
  if (c.host(0) != nullptr && to != DType::kBool) c.set_host(*c.host(0));
  return ok_status();
}

Status infer_bitcast(InferContext& c) {
  const DType from = c.dtype(0), to = c.op.as<BitcastAttrs>().to;
  const auto has_bits = [](DType t) { return is_floating(t) || is_integer(t); };
  if (!has_bits(from) || !has_bits(to))
    return c.fail("does not take " + dtype_name(from) + " to " + dtype_name(to));
  const auto src_bytes = static_cast<int64_t>(dtype_size(from)),
             dst_bytes = static_cast<int64_t>(dtype_size(to));
  std::vector<Dim> shape = c.shape(0);
  if (src_bytes > dst_bytes) {
    if (c.rank(0) == kMaxRank) return c.refuse("dst has more than 8 axes");
    shape.push_back(Dim(src_bytes / dst_bytes));
  } else if (src_bytes < dst_bytes) {
    const int64_t parts = dst_bytes / src_bytes;
    if (c.rank(0) < 1) return c.fail("src is a scalar");
    if (!shape.back().is_const()) return c.refuse("the last extent of src is not known");
    if (shape.back().value() != parts)
      return c.fail("src " + c.text(0) + " of " + dtype_name(from) +
                    " should have a last extent of " + std::to_string(parts));
    shape.pop_back();
  }
  c.add_output(to, std::move(shape));
  return ok_status();
}

Status infer_affine(InferContext& c) {
  if (!is_floating(c.dtype(0)))
    return c.fail("src is " + dtype_name(c.dtype(0)) + ", expected a floating dtype");
  if (c.rank(0) < 1) return c.fail("src is a scalar");
  std::vector<Dim> shape = c.shape(0);
  for (size_t i : {1, 2}) {
    GRAFT_RETURN_IF_ERROR(c.same_dtype(0, i));
    GRAFT_RETURN_IF_ERROR(c.want_rank(i, 1, i == 1 ? "scale" : "shift"));
    if (!c.merge(shape.back(), c.shape(i)[0], &shape.back()))
      return c.fail((i == 1 ? "scale " : "shift ") + c.text(i) + " does not fit src " + c.text(0));
  }
  GRAFT_RETURN_IF_ERROR(check_activation(c, c.op.as<AffineAttrs>().act, c.dtype(0)));
  c.add_output(c.dtype(0), std::move(shape));
  return ok_status();
}

}  // namespace graft::ir
