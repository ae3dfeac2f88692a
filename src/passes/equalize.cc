// equalize: the channels between two convolutions get weights of like range on both sides, so that
// one step of the activation's scale serves them all (cross-layer equalization: Nagel et al.,
// "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019).
//
//   before   y = conv(relu(conv(x, w1, b1)), w2)
//   after    y = conv(relu(conv(x, w1 / s, b1 / s)), w2 * s)      s [C] over the channels between
//
// s is a power of two: every number keeps its mantissa, so the network's answers keep their bits
// unless something under- or overflows, which the guard excludes. Only for INT8 networks, before
// calibration sees them. Guarded: one reader, constant weights, identity or relu between, no
// residual into the first.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "base/fault.h"
#include "passes/editor.h"
#include "passes/passes.h"

namespace graft::passes {

namespace {

constexpr double kMaxFactor = 256;  // 2^8: far from the ends of float's exponent
constexpr float kLeast = 0x1p-100f, kMost = 0x1p100f;

std::vector<float> floats(const ir::Value& value) {
  const std::vector<std::byte> bytes = ir::materialize(value);
  std::vector<float> result(bytes.size() / sizeof(float));
  if (!result.empty()) std::memcpy(result.data(), bytes.data(), bytes.size());
  return result;
}

ir::ValueId add_floats(Editor& edit, const ir::Value& like, const std::vector<float>& elems) {
  auto owner = std::make_shared<std::vector<std::byte>>(elems.size() * sizeof(float));
  std::memcpy(owner->data(), elems.data(), owner->size());
  return edit.add_constant(like.name, like.type, ir::Constant{*owner, false, owner});
}

// Channel of each weight on the side of the source or of dst.
struct WeightIndex {
  explicit WeightIndex(const ir::Value& weights, int64_t groups) {
    in = static_cast<size_t>(weights.type.dims[2].value());
    out = static_cast<size_t>(weights.type.dims[3].value());
    depthwise = groups > 1;
  }
  size_t source(size_t i) const { return depthwise ? i % out : i / out % in; }
  size_t dst(size_t i) const { return i % out; }
  size_t in = 0, out = 0;
  bool depthwise = false;
};

// One conv, ordinary or depthwise with multiplier 1, whose numbers are constants well inside float.
bool fits(Editor& edit, const ir::Op& op) {
  const auto* conv = op.get_if<ir::ConvAttrs>();
  if (!conv) return false;
  const ir::Value& w = edit.value(op.inputs[1]);
  if (!w.is_const() || w.type.dtype != DType::kFloat || w.constant->splat) return false;
  if (conv->groups > 1 && (w.type.dims[2] != ir::Dim(1) || w.type.dims[3] != ir::Dim(conv->groups)))
    return false;
  if (conv->has_bias && !edit.value(op.inputs[2]).is_const()) return false;
  for (size_t i = 1; i < 2u + conv->has_bias; ++i) {
    for (float f : floats(edit.value(op.inputs[i]))) {
      const float m = std::fabs(f);
      if (!(m <= kMost) || (m != 0 && m < kLeast)) return false;
    }
  }
  return true;
}

std::vector<double> factors(const std::vector<float>& first, const WeightIndex& by_dst,
                            const std::vector<float>& second, const WeightIndex& by_source) {
  std::vector<double> left(by_dst.out, 0), right(by_dst.out, 0), s(by_dst.out, 1);
  for (size_t i = 0; i < first.size(); ++i) {
    double& most = left[by_dst.dst(i)];
    most = std::max(most, std::fabs(static_cast<double>(first[i])));
  }
  for (size_t i = 0; i < second.size(); ++i) {
    double& most = right[by_source.source(i)];
    most = std::max(most, std::fabs(static_cast<double>(second[i])));
  }
  for (size_t c = 0; c < s.size(); ++c) {
    if (left[c] == 0 || right[c] == 0) continue;
    s[c] = std::exp2(std::round(std::log2(std::sqrt(left[c] / right[c]))));
    s[c] = std::clamp(s[c], 1 / kMaxFactor, kMaxFactor);
  }
  return s;
}

bool equalize_pair(Editor& edit, size_t second_index) {
  const ir::Op& second = edit.op(second_index);
  if (!fits(edit, second)) return false;
  const ir::ValueId between = second.inputs[0];
  ir::Op* first = edit.producer_of<ir::ConvAttrs>(between);
  if (!first || !edit.single_use(between) || !fits(edit, *first)) return false;
  const auto& attrs = first->as<ir::ConvAttrs>();
  const ir::UnaryFn act = attrs.act.fn;
  if (attrs.has_residual || (act != ir::UnaryFn::kIdentity && act != ir::UnaryFn::kRelu))
    return false;
  const ir::Value& w1 = edit.value(first->inputs[1]);
  const ir::Value& w2 = edit.value(second.inputs[1]);
  const WeightIndex index1(w1, attrs.groups), index2(w2, second.as<ir::ConvAttrs>().groups);
  std::vector<float> first_weights = floats(w1), second_weights = floats(w2);
  const std::vector<double> s = factors(first_weights, index1, second_weights, index2);
  if (std::all_of(s.begin(), s.end(), [](double f) { return f == 1; })) return false;
  for (size_t i = 0; i < first_weights.size(); ++i)
    first_weights[i] = static_cast<float>(first_weights[i] / s[index1.dst(i)]);
  for (size_t i = 0; i < second_weights.size() && !GRAFT_FAULT(equalization_not_undone); ++i)
    second_weights[i] = static_cast<float>(second_weights[i] * s[index2.source(i)]);
  const auto first_index = static_cast<size_t>(edit.producer(between));
  if (attrs.has_bias) {
    const ir::ValueId bias = first->inputs[2];
    std::vector<float> b = floats(edit.value(bias));
    for (size_t c = 0; c < b.size(); ++c) b[c] = static_cast<float>(b[c] / s[c]);
    edit.set_input(first_index, 2, add_floats(edit, edit.value(bias), b));
  }
  const ir::ValueId scaled1 =
      add_floats(edit, edit.value(edit.op(first_index).inputs[1]), first_weights);
  edit.set_input(first_index, 1, scaled1);
  const ir::ValueId scaled2 =
      add_floats(edit, edit.value(edit.op(second_index).inputs[1]), second_weights);
  edit.set_input(second_index, 1, scaled2);
  return true;
}

}  // namespace

Result<bool> equalize(ir::Network& network, PassContext& context) {
  if (!context.options.int8) return false;
  int64_t cost = 1;
  for (const ir::Value& v : network.values) {
    if (v.is_const()) cost += static_cast<int64_t>(v.constant->bytes.size() / 64);
  }
  GRAFT_RETURN_IF_ERROR(context.work.spend(cost, "equalizing weights"));
  Editor edit(network);
  for (size_t i = 0; i < edit.ops(); ++i) {
    if (edit.alive(i)) equalize_pair(edit, i);
  }
  edit.finish();
  return edit.changed();
}

}  // namespace graft::passes
