// infer: dispatch to one rule an op, and the checks that every op shares.
#include "ir/infer.h"

#include "ir/infer_context.h"
#include "ir/quantized.h"

namespace graft::ir {

namespace {

constexpr InferRule kRules[] = {
#define GRAFT_OP(Name, text, min_in, max_in) infer_##text,
#include "ir/ops.def"
#undef GRAFT_OP
};

Status check_inputs(const InferContext& c) {
  const OpInfo& info = op_info(c.op.kind());
  const auto n = static_cast<int64_t>(c.inputs.size());
  if (n < info.min_inputs || (info.max_inputs >= 0 && n > info.max_inputs)) {
    return c.fail("has " + std::to_string(n) + " inputs, expected " +
                  std::to_string(info.min_inputs) +
                  (info.max_inputs < 0 ? " or more" : " to " + std::to_string(info.max_inputs)));
  }
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    GRAFT_CHECK(c.inputs[i].type != nullptr, "input type of " + c.op.name);
    if (!is_plan_dtype(c.dtype(i))) {
      return c.refuse("input " + std::to_string(i) + " is " + dtype_name(c.dtype(i)) +
                      ", not an engine dtype");
    }
    if (c.rank(i) > kMaxRank) {
      return c.refuse("input " + std::to_string(i) + " has rank " + std::to_string(c.rank(i)) +
                      ", engines take at most " + std::to_string(kMaxRank));
    }
    for (Dim d : c.shape(i))
      if (!d.is_const() && d.id() >= c.dims.size())
        return c.fail("input " + std::to_string(i) + " has an unknown dim");
  }
  return ok_status();
}

// Data that comes as host values may hold numbers next to INT64_MIN, which read as symbols: such an
// input has no known elements.
bool reads_as_unknown_symbol(const InferInput& in, const DimTable& dims) {
  if (in.host == nullptr) return false;
  for (Dim d : *in.host)
    if (!d.is_const() && d.id() >= dims.size()) return true;
  return false;
}

Status check_outputs(const InferContext& c) {
  for (const InferOutput& o : c.out) {
    if (o.type.rank() > kMaxRank) {
      return c.refuse("output has rank " + std::to_string(o.type.rank()) +
                      ", engines take at most " + std::to_string(kMaxRank));
    }
    int64_t elems = 1;
    for (Dim d : o.type.dims) {
      if (!d.is_const()) continue;
      if (d.value() < 0) return c.fail("output " + c.text(o.type.dims) + " has a negative extent");
      if (d.value() == 0) continue;
      if (__builtin_mul_overflow(elems, d.value(), &elems) || elems > Limits{}.max_tensor_elems)
        return c.fail("output " + c.text(o.type.dims) + " has more than 2^40 elements");
    }
  }
  return ok_status();
}

}  // namespace

Result<std::vector<InferOutput>> infer(const Op& op, std::span<const InferInput> inputs,
                                       size_t outputs, DimTable& dims) {
  const auto kind = static_cast<size_t>(op.kind());
  if (kind >= std::size(kRules)) return invalid_graph("op '" + op.name + "' has no kind");
  std::vector<InferInput> cleaned;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!reads_as_unknown_symbol(inputs[i], dims)) continue;
    if (cleaned.empty()) cleaned.assign(inputs.begin(), inputs.end());
    cleaned[i].host = nullptr;
  }
  if (!cleaned.empty()) inputs = cleaned;
  InferContext c{op, inputs, outputs, dims, {}, false};
  GRAFT_RETURN_IF_ERROR(check_inputs(c));
  if (!may_have_outputs(op.kind(), outputs)) {
    const size_t expected = output_count(op.kind());
    if (expected == 0) return c.fail("has no outputs");
    return c.fail("has " + std::to_string(outputs) + " outputs, expected " +
                  std::to_string(expected));
  }
  GRAFT_RETURN_IF_ERROR(is_quantized(op, inputs) ? infer_quantized(c) : kRules[kind](c));
  if (c.overflow) return c.fail("a size overflows 64 bits");
  GRAFT_CHECK(c.out.size() == outputs, op.name);
  GRAFT_RETURN_IF_ERROR(check_outputs(c));
  return std::move(c.out);
}

}  // namespace graft::ir
