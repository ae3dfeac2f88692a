// Helpers of the inference rules.
#include "ir/infer_context.h"

namespace graft::ir {

namespace {

std::string prefix(const Op& op) {
  return std::string(op_info(op.kind()).text_name) + " '" + op.name + "': ";
}

bool fits(DType dtype, int64_t v) {
  if (dtype == DType::kBool) return v == 0 || v == 1;
  return dtype == DType::kInt64 || (v >= INT32_MIN && v <= INT32_MAX);
}

}  // namespace

Status InferContext::fail(const std::string& what) const {
  return invalid_graph(prefix(op) + what);
}
Status InferContext::refuse(const std::string& what) const {
  return unsupported(prefix(op) + what);
}

std::string InferContext::text(const std::vector<Dim>& shape) const {
  std::string s = "[";
  for (size_t i = 0; i < shape.size(); ++i) s += (i ? "," : "") + dims.text(shape[i]);
  return s + "]";
}

Status InferContext::same_dtype(size_t i, size_t j) const {
  if (dtype(i) == dtype(j)) return ok_status();
  return fail("input " + std::to_string(j) + " is " + dtype_name(dtype(j)) + ", expected " +
              dtype_name(dtype(i)) + " as input " + std::to_string(i));
}

Status InferContext::want_rank(size_t i, int rank, const char* what) const {
  if (this->rank(i) == rank) return ok_status();
  return fail(std::string(what) + " " + text(i) + " has rank " + std::to_string(this->rank(i)) +
              ", expected " + std::to_string(rank));
}

Status InferContext::want_axis(int64_t axis, int64_t lo, int64_t hi, const char* what) const {
  if (axis >= lo && axis < hi) return ok_status();
  return fail(std::string(what) + " " + std::to_string(axis) + " is out of range [" +
              std::to_string(lo) + "," + std::to_string(hi) + ")");
}

Result<const std::vector<Dim>*> InferContext::need_host(size_t i, int want,
                                                        const char* what) const {
  if (dtype(i) != DType::kInt32 && dtype(i) != DType::kInt64)
    return fail(std::string(what) + " is " + dtype_name(dtype(i)) + ", expected int32 or int64");
  GRAFT_RETURN_IF_ERROR(want_rank(i, want, what));
  if (host(i) == nullptr)
    return refuse(std::string(what) + " (input " + std::to_string(i) + ") depends on data");
  int64_t n = 1;
  for (Dim d : shape(i)) {
    if (!d.is_const() || d.value() < 0 || __builtin_mul_overflow(n, d.value(), &n)) n = -1;
    if (n < 0) break;
  }
  if (n != static_cast<int64_t>(host(i)->size())) {
    return fail(std::string(what) + " " + text(i) + " has " + std::to_string(host(i)->size()) +
                " known elements");
  }
  return host(i);
}

Result<std::vector<int64_t>> InferContext::need_ints(size_t i, int want, const char* what) const {
  GRAFT_ASSIGN_OR_RETURN(const std::vector<Dim>* elems, need_host(i, want, what));
  std::vector<int64_t> ints;
  ints.reserve(elems->size());
  for (Dim d : *elems) {
    if (!d.is_const())
      return refuse(std::string(what) + " " + text(*elems) + " depends on the input shape");
    ints.push_back(d.value());
  }
  return ints;
}

Dim InferContext::add(Dim a, Dim b) {
  if (!a.is_const() || !b.is_const()) return dims.add(a, b);
  int64_t r;
  overflow |= __builtin_add_overflow(a.value(), b.value(), &r) || !Dim(r).is_const();
  return overflow ? Dim(0) : Dim(r);
}

Dim InferContext::sub(Dim a, Dim b) {
  if (!a.is_const() || !b.is_const()) return dims.sub(a, b);
  int64_t r;
  overflow |= __builtin_sub_overflow(a.value(), b.value(), &r) || !Dim(r).is_const();
  return overflow ? Dim(0) : Dim(r);
}

Dim InferContext::mul(Dim a, Dim b) {
  if (!a.is_const() || !b.is_const()) return dims.mul(a, b);
  int64_t r;
  overflow |= __builtin_mul_overflow(a.value(), b.value(), &r) || !Dim(r).is_const();
  return overflow ? Dim(0) : Dim(r);
}

bool InferContext::merge(Dim a, Dim b, Dim* merged) const {
  if (a.is_const() && b.is_const() && a != b) return false;
  *merged = b.is_const() ? b : a;
  return true;
}

bool InferContext::broadcast(Dim a, Dim b, Dim* result) {
  if (a == b || b == Dim(1)) {
    *result = a;
  } else if (a == Dim(1)) {
    *result = b;
  } else if (a.is_const() || b.is_const()) {
    // A symbol beside c != 1 is c or 1 when the graph is right; scheduling checks it with
    // constants.
    if (a.is_const() && b.is_const()) return false;
    *result = a.is_const() ? a : b;
  } else {
    *result = dims.broadcast(a, b);
  }
  return true;
}

Result<std::vector<Dim>> InferContext::broadcast_shapes(const std::vector<Dim>& a,
                                                        const std::vector<Dim>& b) {
  const size_t n = std::max(a.size(), b.size());
  std::vector<Dim> r(n);
  for (size_t i = 0; i < n; ++i) {
    const Dim da = i + a.size() < n ? Dim(1) : a[i + a.size() - n];
    const Dim db = i + b.size() < n ? Dim(1) : b[i + b.size() - n];
    if (!broadcast(da, db, &r[i]))
      return fail("shapes " + text(a) + " and " + text(b) + " do not broadcast");
  }
  return r;
}

InferOutput& InferContext::add_output(DType dtype, std::vector<Dim> shape) {
  if (out.empty()) out.reserve(outputs);
  InferOutput& o = out.emplace_back();
  o.type.dtype = dtype;
  o.type.dims = std::move(shape);
  return o;
}

void InferContext::set_host(std::vector<Dim> elems) {
  InferOutput& o = out.back();
  const DType t = o.type.dtype;
  if (elems.size() > kMaxHostElems ||
      (t != DType::kInt32 && t != DType::kInt64 && t != DType::kBool))
    return;
  for (Dim d : elems)
    if (d.is_const() && !fits(t, d.value())) return;
  o.host = std::move(elems);
}

}  // namespace graft::ir
