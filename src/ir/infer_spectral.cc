// fft, complex.
#include "ir/infer_context.h"

namespace graft::ir {

namespace {

// Whether an operand has a last axis of real and imaginary part.
Status want_complex(const InferContext& c, size_t i) {
  if (c.rank(i) < 1 || c.shape(i).back() != Dim(2))
    return c.fail("operand " + std::to_string(i) + " " + c.text(i) +
                  " has no last axis of real and imaginary part");
  return ok_status();
}

Status want_real_dtype(const InferContext& c) {
  const DType t = c.dtype(0);
  if (t == DType::kFloat || t == DType::kDouble) return ok_status();
  return c.fail("does not take " + dtype_name(t));
}

std::vector<Dim> without_parts(const std::vector<Dim>& shape) {
  return {shape.begin(), shape.end() - 1};
}

}  // namespace

Status infer_fft(InferContext& c) {
  const auto& a = c.op.as<FftAttrs>();
  if (a.fn < FftFn::kForward || a.fn >= FftFn::kCount) return c.fail("unknown function");
  GRAFT_RETURN_IF_ERROR(want_real_dtype(c));
  if (a.fn != FftFn::kReal) GRAFT_RETURN_IF_ERROR(want_complex(c, 0));
  const int axes = c.rank(0) - (a.fn == FftFn::kReal ? 0 : 1);
  GRAFT_RETURN_IF_ERROR(c.want_axis(a.axis, 0, axes, "axis"));
  const bool has_length = a.fn == FftFn::kReal || a.fn == FftFn::kInverseReal;
  if (c.inputs.size() != (has_length ? 2 : 1))
    return c.fail("has " + std::to_string(c.inputs.size()) + " inputs, expected " +
                  (has_length ? "2" : "1"));
  std::vector<Dim> out = c.shape(0);
  if (!has_length) {
    c.add_output(c.dtype(0), std::move(out));
    return ok_status();
  }
  GRAFT_ASSIGN_OR_RETURN(const std::vector<Dim>* host, c.need_host(1, 0, "length"));
  const Dim length = (*host)[0];
  if (length.is_const() && (length.value() < 1 || length.value() > INT32_MAX))
    return c.fail("length is " + std::to_string(length.value()) + ", expected 1 to " +
                  std::to_string(INT32_MAX));
  const Dim half = c.add(c.dims.floor_div(length, 2), 1);
  Dim& extent = out[static_cast<size_t>(a.axis)];
  const Dim needed = a.fn == FftFn::kReal ? length : half;
  if (extent.is_const() && needed.is_const() && extent.value() < needed.value())
    return c.fail("src " + c.text(0) + " has less than " + std::to_string(needed.value()) +
                  " elements along axis " + std::to_string(a.axis));
  extent = a.fn == FftFn::kReal ? half : length;
  if (a.fn == FftFn::kReal) {
    out.push_back(2);
  } else {
    out.pop_back();
  }
  c.add_output(c.dtype(0), std::move(out));
  return ok_status();
}

Status infer_complex(InferContext& c) {
  const ComplexFn fn = c.op.as<ComplexAttrs>().fn;
  if (fn < ComplexFn::kReal || fn >= ComplexFn::kCount) return c.fail("unknown function");
  GRAFT_RETURN_IF_ERROR(want_real_dtype(c));
  const size_t operands = fn == ComplexFn::kMake || fn == ComplexFn::kMul ? 2 : 1;
  if (c.inputs.size() != operands)
    return c.fail("has " + std::to_string(c.inputs.size()) + " inputs, expected " +
                  std::to_string(operands));
  if (operands == 2) GRAFT_RETURN_IF_ERROR(c.same_dtype(0, 1));
  std::vector<Dim> out;
  if (fn == ComplexFn::kMake) {
    GRAFT_ASSIGN_OR_RETURN(out, c.broadcast_shapes(c.shape(0), c.shape(1)));
  } else {
    for (size_t i = 0; i < operands; ++i) GRAFT_RETURN_IF_ERROR(want_complex(c, i));
    out = without_parts(c.shape(0));
    if (fn == ComplexFn::kMul) {
      GRAFT_ASSIGN_OR_RETURN(out, c.broadcast_shapes(out, without_parts(c.shape(1))));
    }
  }
  if (fn == ComplexFn::kMake || fn == ComplexFn::kMul || fn == ComplexFn::kExp) out.push_back(2);
  c.add_output(c.dtype(0), std::move(out));
  return ok_status();
}

}  // namespace graft::ir
