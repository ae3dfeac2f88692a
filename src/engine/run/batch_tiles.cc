#include "engine/run/batch_tiles.h"

#include <algorithm>

namespace graft::engine {

namespace {

bool has(const std::vector<int64_t>& axes, int64_t axis) {
  return std::find(axes.begin(), axes.end(), axis) != axes.end();
}

// Attributes that could mix images.
bool keeps_axis_0(const ir::Op& op) {
  using ir::OpKind;
  switch (op.kind()) {
    case OpKind::kUnary:
    case OpKind::kBinary:
    case OpKind::kCast:
    case OpKind::kAffine:
    case OpKind::kConv:
    case OpKind::kMatMul:
    case OpKind::kPool:
    case OpKind::kLayerNorm:
    case OpKind::kAttention:
    case OpKind::kResize:
    case OpKind::kDepthToSpace:
    case OpKind::kPad:
    case OpKind::kQuantize:
      return true;
    case OpKind::kReduce:
      return !has(op.as<ir::ReduceAttrs>().axes, 0);
    case OpKind::kTranspose:
      return op.as<ir::TransposeAttrs>().perm[0] == 0;
    case OpKind::kConcat:
      return op.as<ir::ConcatAttrs>().axis != 0;
    case OpKind::kSplit:
      return op.as<ir::SplitAttrs>().axis != 0;
    default:
      return false;
  }
}

// Of the steps [begin, end): what their activations weigh against weights read once a tile.
BatchTile tile_of(const std::vector<TileStep>& steps, int32_t begin, int32_t end, int64_t batch,
                  int64_t budget) {
  int64_t largest = 0, activations = 0, weights = 0;
  for (int32_t s = begin; s < end; ++s) {
    const TileStep& step = steps[static_cast<size_t>(s)];
    largest = std::max(largest, step.activation_bytes);
    activations += step.activation_bytes;
    weights += step.weights_bytes;
  }
  const int64_t per_image = std::max<int64_t>(largest / batch, 1);
  const int64_t images = std::clamp<int64_t>(budget / per_image, 1, batch);
  const int64_t tiles = (batch + images - 1) / images;
  if (end - begin < 2 || tiles < 2 || weights * (tiles - 1) > activations) return {};
  return {begin, end, batch, images};
}

}  // namespace

std::vector<bool> batched_values(const ir::Network& network) {
  std::vector<bool> batched(network.values.size(), false);
  ir::Dim batch = 0;
  for (ir::ValueId id : network.inputs) {
    const std::vector<ir::Dim>& dims = network.values[static_cast<size_t>(id)].type.dims;
    if (!dims.empty() && !dims[0].is_const()) {
      batch = dims[0];
      break;
    }
  }
  if (batch.is_const()) return batched;
  for (size_t id = 0; id < batched.size(); ++id) {
    const ir::Value& v = network.values[id];
    batched[id] = !v.is_const() && !v.host && v.type.rank() > 0 && v.type.dims[0] == batch &&
                  std::count(v.type.dims.begin(), v.type.dims.end(), batch) == 1;
  }
  return batched;
}

bool works_by_image(const ir::Network& network, const ir::Op& op,
                    const std::vector<bool>& batched) {
  if (!keeps_axis_0(op)) return false;
  int rank = -1;
  for (size_t i = 0; i < op.inputs.size(); ++i) {
    const ir::ValueId id = op.inputs[i];
    const ir::Value& v = network.values[static_cast<size_t>(id)];
    if (v.is_const()) continue;
    if (!batched[static_cast<size_t>(id)]) return false;
    // Of unequal ranks, broadcasting would lay one batch along another axis.
    if (rank >= 0 && v.type.rank() != rank) return false;
    rank = v.type.rank();
  }
  if (rank < 2) return false;
  // Two matrices of the batch itself.
  if (op.kind() == ir::OpKind::kMatMul && rank == 2 &&
      (batched[static_cast<size_t>(op.inputs[1])] || op.as<ir::MatMulAttrs>().transpose_a))
    return false;
  return std::all_of(op.outputs.begin(), op.outputs.end(),
                     [&](ir::ValueId id) { return batched[static_cast<size_t>(id)]; });
}

std::vector<BatchTile> choose_batch_tiles(const ir::Network& network,
                                          const std::vector<TileStep>& steps, int64_t batch,
                                          int64_t l3_bytes) {
  std::vector<BatchTile> tiles;
  if (batch < 2) return tiles;
  const std::vector<bool> batched = batched_values(network);
  const auto n = static_cast<int32_t>(steps.size());
  const auto fits = [&](int32_t s) {
    const TileStep& step = steps[static_cast<size_t>(s)];
    return !step.fused &&
           works_by_image(network, network.ops[static_cast<size_t>(step.op)], batched);
  };
  const auto is_large = [&](int32_t s) {
    return steps[static_cast<size_t>(s)].activation_bytes > l3_bytes / 2;
  };
  for (int32_t s = 0; s < n;) {
    if (!is_large(s) || !fits(s)) {
      ++s;
      continue;
    }
    int32_t end = s + 1, last_large = s;
    for (; end < n && fits(end); ++end) {
      if (is_large(end)) last_large = end;
    }
    const BatchTile tile = tile_of(steps, s, last_large + 1, batch, l3_bytes / 4);
    if (tile.images > 0) tiles.push_back(tile);
    s = end;
  }
  return tiles;
}

}  // namespace graft::engine
