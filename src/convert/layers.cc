#include "convert/layers.h"

#include <algorithm>
#include <unordered_set>

#include "backends/backend.h"
#include "backends/winograd_rule.h"
#include "base/checked.h"
#include "base/dtype.h"
#include "convert/glob.h"
#include "ir/cost.h"
#include "ir/quantized.h"

namespace graft::convert_detail {
namespace {

bool is_product(const ir::Op& op) {
  return op.kind() == ir::OpKind::kConv || op.kind() == ir::OpKind::kMatMul ||
         op.kind() == ir::OpKind::kAttention;
}

}  // namespace

std::vector<LayerReport> describe_layers(const ir::Network& network, const TuningShapes& shapes,
                                         const engine::PlanFacts& plan, bool strict_math) {
  const std::unordered_set<std::string> narrow(plan.narrow_values.begin(),
                                               plan.narrow_values.end());
  std::vector<LayerReport> layers;
  for (const ir::Op& op : network.ops) {
    LayerReport layer;
    layer.name = op.name;
    layer.op = ir::op_info(op.kind()).text_name;
    std::vector<std::vector<int64_t>> storage;
    std::vector<std::span<const int64_t>> src, dst;
    storage.reserve(op.inputs.size() + op.outputs.size());
    for (ir::ValueId v : op.inputs)
      src.emplace_back(storage.emplace_back(shapes.extents(network.values[v].type)));
    for (ir::ValueId v : op.outputs)
      dst.emplace_back(storage.emplace_back(shapes.extents(network.values[v].type)));
    layer.flops = ir::flops(op, src, dst);
    layer.dtype = op.outputs.empty() ? "" : dtype_name(network.values[op.outputs[0]].type.dtype);
    for (ir::ValueId v : op.inputs) {
      if (!network.values[v].is_const() || !is_floating(network.values[v].type.dtype)) continue;
      layer.weights_dtype = narrow.count(network.values[v].name)
                                ? dtype_name(plan.narrow_dtype)
                                : dtype_name(network.values[v].type.dtype);
      if (narrow.count(network.values[v].name)) break;
    }
    if (is_product(op) && ir::is_quantized(network.values[op.inputs[0]].type)) {
      layer.dtype = dtype_name(DType::kInt8);
      if (network.values[op.inputs[1]].is_const()) layer.weights_dtype = layer.dtype;
    }
    if (const auto* conv = op.get_if<ir::ConvAttrs>(); conv != nullptr && conv->groups == 1) {
      const std::span<const int64_t> weights = src[1];
      layer.winograd_allowed =
          !strict_math && weights.size() == 4 && conv->strides == std::vector<int64_t>{1, 1} &&
          conv->dilations == std::vector<int64_t>{1, 1} &&
          backends::winograd_form(weights[0], weights[1], weights[2], weights[3], 0, 0) >= 0;
    }
    layers.push_back(std::move(layer));
  }
  return layers;
}

passes::QuantizeOptions quantize_options(const ir::Network& network,
                                         const ConvertOptions& options) {
  passes::QuantizeOptions result;
  result.per_tensor_weights = options.int8_per_tensor_weights;
  for (const ir::Op& op : network.ops) {
    if (is_product(op) && any_glob_match(options.keep_float, op.name))
      result.keep_float.push_back(op.name);
  }
  return result;
}

double int8_macs_share(const std::vector<LayerReport>& layers) {
  constexpr std::string_view kWithProducts[] = {"conv", "matmul", "attention", "recurrent"};
  double total = 0, int8 = 0;
  for (const LayerReport& layer : layers) {
    if (std::ranges::find(kWithProducts, layer.op) == std::end(kWithProducts)) continue;
    total += layer.flops;
    if (layer.dtype == dtype_name(DType::kInt8)) int8 += layer.flops;
  }
  return total > 0 ? int8 / total : 0;
}

int64_t boundary_bytes(const ir::Network& network, const TuningShapes& shapes) {
  int64_t total = 0;
  for (const auto* border : {&network.inputs, &network.outputs})
    for (ir::ValueId v : *border)
      total = checked_add(total, shapes.bytes_of(v)).value_or(INT64_MAX);
  return total;
}

double reference_share(const ir::Network& network, const TuningShapes& shapes,
                       const std::vector<LayerReport>& layers) {
  Result<ir::Target> target = backends::detect_target("");
  double total = 0, reference = 0;
  for (size_t i = 0; i < network.ops.size(); ++i) {
    const ir::Op& op = network.ops[i];
    total += layers[i].flops;
    backends::Problem problem;
    problem.op = &op;
    std::vector<std::vector<int64_t>> dims;
    dims.reserve(op.inputs.size());
    for (ir::ValueId v : op.inputs) {
      const ir::Value& value = network.values[v];
      problem.src.push_back(&value.type);
      backends::ConstInput& constant = problem.constants.emplace_back();
      if (!value.is_const()) continue;
      dims.push_back(shapes.extents(value.type));
      constant = {value.type.dtype, dims.back(), value.constant->bytes.data()};
    }
    for (ir::ValueId v : op.outputs) problem.dst.push_back(&network.values[v].type);
    if (target.ok()) problem.target = *target;
    if (!backends::cpu_backend().has_kernel(problem)) reference += layers[i].flops;
  }
  return total > 0 ? reference / total : 0;
}

}  // namespace graft::convert_detail
