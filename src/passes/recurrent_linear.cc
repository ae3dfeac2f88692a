#include "passes/recurrent_linear.h"

#include <algorithm>

#include "passes/editor.h"

namespace graft::passes {

namespace {

constexpr int kMaxDepth = 32;                      // of an expression
constexpr int64_t kMaxWeights = int64_t{1} << 26;  // elements of one matrix

bool known_width(const ir::TensorType& type, int64_t* width) {
  if (type.dtype != DType::kFloat || type.rank() != 2 || !type.dims[1].is_const()) return false;
  *width = type.dims[1].value();
  return *width >= 1;
}

// Columns [begin, begin + width) of it.
LinearForm columns(const LinearForm& from, int64_t begin, int64_t width) {
  LinearForm out;
  out.width = width;
  out.terms = from.terms;
  for (auto& [leaf, weights] : out.terms) weights.column += begin;
  out.bias.assign(from.bias.begin() + begin, from.bias.begin() + begin + width);
  return out;
}

bool is_identity(const ir::Activation& act) { return act.fn == ir::UnaryFn::kIdentity; }

}  // namespace

LinearReader::LinearReader(const ir::Network& network)
    : net_(network), uses_(ir::compute_uses(network)) {}

const ir::Op* LinearReader::producer(ir::ValueId id) const {
  const int32_t p = uses_.producer[static_cast<size_t>(id)];
  return p < 0 ? nullptr : &net_.ops[static_cast<size_t>(p)];
}

// A row [width] is read as the matrix [1,width] of which it is a view.
ir::ValueId LinearReader::matrix_of_row(ir::ValueId id) const {
  const ir::Op* op = producer(id);
  if (type(id).rank() != 1 || !op ||
      !(op->get_if<ir::SqueezeAttrs>() || op->get_if<ir::ReshapeAttrs>()))
    return id;
  const ir::TensorType& from = type(op->inputs[0]);
  const bool view =
      from.rank() == 2 && from.dims[0] == ir::Dim(1) && from.dims[1] == type(id).dims[0];
  return view ? op->inputs[0] : id;
}

const LinearForm* LinearReader::read(ir::ValueId id, bool before_act) {
  id = matrix_of_row(id);
  const auto key = std::pair(id, before_act);
  auto at = known_.find(key);
  if (at == known_.end()) {
    if (depth_ >= kMaxDepth) return nullptr;
    ++depth_;
    auto form = compute(id, before_act);
    --depth_;
    at = known_.emplace(key, std::move(form)).first;
  }
  return at->second ? &*at->second : nullptr;
}

std::optional<LinearForm> LinearReader::sum(const LinearForm& a, const LinearForm& b) const {
  if (a.width != b.width) return std::nullopt;
  LinearForm out = a;
  for (size_t i = 0; i < out.bias.size(); ++i) out.bias[i] += b.bias[i];
  for (const auto& [leaf, weights] : b.terms) {
    auto [at, fresh] = out.terms.emplace(leaf, weights);
    if (!fresh) return std::nullopt;  // two roundings of one product
  }
  return out;
}

std::optional<LinearForm> LinearReader::sum(const LinearForm& a, const ir::Value& constant) const {
  if (constant.type.dtype != DType::kFloat) return std::nullopt;
  const auto elems = per_channel_constant(constant, 2, a.width);
  if (!elems) return std::nullopt;
  LinearForm out = a;
  for (size_t i = 0; i < out.bias.size(); ++i) out.bias[i] += (*elems)[i];
  return out;
}

// x * weights, where x may be several tensors side by side.
std::optional<LinearForm> LinearReader::product(const ir::Op& op) {
  const auto& attrs = op.as<ir::MatMulAttrs>();
  const ir::Value& weights = net_.values[static_cast<size_t>(op.inputs[1])];
  int64_t rows = 0, width = 0;
  if (attrs.transpose_a || attrs.transpose_b || !known_width(type(op.inputs[0]), &rows) ||
      !known_width(weights.type, &width) || !weights.is_const() ||
      ir::const_elems(weights.type) > kMaxWeights)
    return std::nullopt;
  LinearForm out;
  out.width = width;
  out.bias.assign(static_cast<size_t>(width), 0.0);
  std::vector<ir::ValueId> leaves{op.inputs[0]};
  const ir::Op* joined = producer(op.inputs[0]);
  if (joined && joined->get_if<ir::ConcatAttrs>() && joined->as<ir::ConcatAttrs>().axis == 1)
    leaves = joined->inputs;
  int64_t row = 0;
  for (ir::ValueId leaf : leaves) {
    int64_t n = 0;
    if (!known_width(type(leaf), &n) || row + n > rows) return std::nullopt;
    if (!out.terms.emplace(leaf, WeightsPart{op.inputs[1], row, 0}).second) return std::nullopt;
    row += n;
  }
  size_t next = 2;
  std::optional<LinearForm> result = std::move(out);
  if (attrs.has_bias) result = sum(*result, net_.values[static_cast<size_t>(op.inputs[next++])]);
  if (result && attrs.has_residual) {
    const ir::Value& residual = net_.values[static_cast<size_t>(op.inputs[next])];
    const LinearForm* other = residual.is_const() ? nullptr : read(op.inputs[next]);
    if (!residual.is_const() && !other) return std::nullopt;
    result = other ? sum(*result, *other) : sum(*result, residual);
  }
  return result;
}

std::optional<LinearForm> LinearReader::columns_of_split(const ir::Op& op, ir::ValueId id) {
  const LinearForm* whole = op.as<ir::SplitAttrs>().axis == 1 ? read(op.inputs[0]) : nullptr;
  int64_t begin = 0, width = 0;
  if (!whole) return std::nullopt;
  for (ir::ValueId part : op.outputs) {
    if (!known_width(type(part), &width)) return std::nullopt;
    if (part == id) break;
    begin += width;
  }
  if (begin + width > whole->width) return std::nullopt;
  return columns(*whole, begin, width);
}

// All rows, neighbouring columns.
std::optional<LinearForm> LinearReader::columns_of_slice(const ir::Op& op) {
  const auto& a = op.as<ir::StridedSliceAttrs>();
  if (a.ellipsis_mask || a.new_axis_mask || a.shrink_axis_mask || (a.begin_mask & 1) == 0 ||
      (a.end_mask & 1) == 0)
    return std::nullopt;
  std::vector<int64_t> at[3];
  for (size_t i = 0; i < 3; ++i) {
    const auto ints = ir::constant_ints(net_.values[static_cast<size_t>(op.inputs[i + 1])], 2);
    if (!ints || ints->size() != 2) return std::nullopt;
    at[i] = *ints;
  }
  const LinearForm* whole = read(op.inputs[0]);
  if (!whole || at[2] != std::vector<int64_t>{1, 1}) return std::nullopt;
  const auto bound = [&](int64_t v) { return v < 0 ? v + whole->width : v; };
  const int64_t begin = (a.begin_mask & 2) ? 0 : bound(at[0][1]);
  const int64_t end = (a.end_mask & 2) ? whole->width : bound(at[1][1]);
  if (begin < 0 || end > whole->width || begin >= end) return std::nullopt;
  return columns(*whole, begin, end - begin);
}

std::optional<LinearForm> LinearReader::compute(ir::ValueId id, bool before_act) {
  int64_t width = 0;
  const ir::Op* op = producer(id);
  if (!op || op->quant || !known_width(type(id), &width)) return std::nullopt;
  if (const auto* matmul = op->get_if<ir::MatMulAttrs>())
    return is_identity(matmul->act) != before_act ? product(*op) : std::nullopt;
  if (before_act) return std::nullopt;
  if (op->get_if<ir::SplitAttrs>()) return columns_of_split(*op, id);
  if (op->get_if<ir::StridedSliceAttrs>()) return columns_of_slice(*op);
  const auto* binary = op->get_if<ir::BinaryAttrs>();
  if (!binary || binary->fn != ir::BinaryFn::kAdd) return std::nullopt;
  for (size_t i = 0; i < 2; ++i) {
    const ir::Value& constant = net_.values[static_cast<size_t>(op->inputs[i])];
    if (!constant.is_const()) continue;
    const LinearForm* other = read(op->inputs[1 - i]);
    return other && other->width == width ? sum(*other, constant) : std::nullopt;
  }
  const LinearForm *a = read(op->inputs[0]), *b = a ? read(op->inputs[1]) : nullptr;
  return b ? sum(*a, *b) : std::nullopt;
}

}  // namespace graft::passes
