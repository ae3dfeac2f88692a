// One small network per op kind, with attributes away from their defaults where shapes allow.
#pragma once

#include "control_samples.h"
#include "engine_testing.h"

namespace graft::engine_testing {

// An op of several outputs, of which all but the first are the network's.
inline ir::ValueId outputs_of(Builder& b, ir::Attrs attrs, std::vector<ir::ValueId> inputs,
                              std::vector<ir::TensorType> types) {
  ir::Op op;
  op.attrs = std::move(attrs);
  op.name = "y";
  op.inputs = std::move(inputs);
  for (ir::TensorType& type : types) {
    const std::string port = op.outputs.empty() ? "" : ":" + std::to_string(op.outputs.size());
    op.outputs.push_back(b.network.add_value("y" + port, std::move(type)));
    if (op.outputs.size() > 1) b.output(op.outputs.back());
  }
  b.network.ops.push_back(op);
  return op.outputs[0];
}

inline ir::Network sample_network(ir::OpKind kind) {
  Builder b;
  const auto x = b.input("x", DType::kFloat, {-1, 4, 4, 8});
  ir::ValueId y = ir::kNoValue;
  using K = ir::OpKind;
  switch (kind) {
    case K::kWhile:
      return doubling_loop({-1, 4, 4, 8});
    case K::kBranch:
      return three_branches({-1, 4, 4, 8});
    case K::kQuantize: {
      const auto q = b.network.append(ir::QuantizeAttrs{}, {x}, "q", -1, {DType::kInt8, 0.5f});
      EXPECT_TRUE(q.ok()) << q.status().message();
      y = b.op(ir::QuantizeAttrs{}, {q.ok() ? *q : x}, "y");
      break;
    }
    case K::kGatherNd: {
      const auto i = b.input("i", DType::kInt32, {5, 2});
      y = b.op(ir::GatherNdAttrs{}, {b.relu(x, "r"), i}, "y");
      break;
    }
    case K::kScatterNd: {
      const auto i =
          b.network.add_constant_of<int32_t>("i", Dims{2, 1}, std::vector<int32_t>{0, 0});
      const auto u =
          b.op(ir::BroadcastToAttrs{}, {b.floats("u", {8}), b.ints("s", {2, 4, 4, 8})}, "b");
      y = b.op(ir::ScatterNdAttrs{ir::ScatterFn::kSub}, {x, i, u}, "y");
      break;
    }
    case K::kScan:
      y = b.op(ir::ScanAttrs{ir::ReduceFn::kProd, 2, true, true}, {x}, "y");
      break;
    case K::kTopK: {
      ir::Op op;
      op.attrs = ir::TopKAttrs{DType::kInt64};
      op.name = "y";
      op.inputs = {x, b.scalar<int32_t>("k", 3)};
      const auto n = b.network.values[x].type.dims[0];
      op.outputs = {b.network.add_value("y", {DType::kFloat, {n, 4, 4, 3}}),
                    b.network.add_value("y:1", {DType::kInt64, {n, 4, 4, 3}})};
      b.output(op.outputs[1]);
      y = op.outputs[0];
      b.network.ops.push_back(op);
      break;
    }
    case K::kNonMaxSuppression: {
      const auto boxes = b.input("boxes", DType::kFloat, {9, 4});
      const auto scores = b.input("scores", DType::kFloat, {9});
      y = outputs_of(b, ir::NonMaxSuppressionAttrs{},
                     {boxes, scores, b.scalar<int32_t>("k", 5), b.scalar<float>("i", 0.5f),
                      b.scalar<float>("t", 1), b.scalar<float>("g", 0.25f)},
                     {{DType::kInt32, {5}}, {DType::kFloat, {5}}, {DType::kInt32, {}}});
      b.output(b.relu(x, "r"));
      break;
    }
    case K::kCombinedNonMaxSuppression: {
      const auto boxes = b.input("boxes", DType::kFloat, {2, 9, 1, 4});
      const auto scores = b.input("scores", DType::kFloat, {2, 9, 3});
      y = outputs_of(b, ir::CombinedNonMaxSuppressionAttrs{true, false},
                     {boxes, scores, b.scalar<int32_t>("k", 2), b.scalar<int32_t>("n", 8),
                      b.scalar<float>("i", 0.5f), b.scalar<float>("t", 1)},
                     {{DType::kFloat, {2, 6, 4}},
                      {DType::kFloat, {2, 6}},
                      {DType::kFloat, {2, 6}},
                      {DType::kInt32, {2}}});
      b.output(b.relu(x, "r"));
      break;
    }
    case K::kCropAndResize: {
      const auto boxes = b.op(ir::BroadcastToAttrs{},
                              {b.floats("edges", {4}, 0, 0.25f), b.ints("s", {3, 4})}, "boxes");
      const auto images = b.ints("i", {0, 1, 0});
      y = b.op(ir::CropAndResizeAttrs{false, 2.5f}, {x, boxes, images, b.ints("size", {3, 2})},
               "y");
      break;
    }
    case K::kPoolArgmax: {
      const auto n = b.network.values[x].type.dims[0];
      y = outputs_of(b,
                     ir::PoolArgmaxAttrs{{3, 2}, {2, 1}, ir::Padding::kSame, true, DType::kInt32},
                     {x}, {{DType::kFloat, {n, 2, 4, 8}}, {DType::kInt32, {n, 2, 4, 8}}});
      break;
    }
    case K::kRecurrent: {
      ir::RecurrentAttrs a;
      a.fn = ir::RecurrentFn::kGruResetAfter;
      a.act = {ir::UnaryFn::kRelu};
      a.has_bias = true;
      a.sequence = false;
      const auto gates = b.input("gates", DType::kFloat, {5, -1, 12});
      const auto h = b.input("h", DType::kFloat, {-1, 4});
      const auto made = b.network.append_multi(
          a, {gates, b.floats("w", {4, 12}, -1, 0.03125f), h, b.floats("bias", {4})}, 2, "y");
      EXPECT_TRUE(made.ok()) << made.status().message();
      if (!made.ok()) break;
      b.output((*made)[0]);
      b.output((*made)[1]);
      y = b.relu(x, "r");
      break;
    }
    case K::kDilation2D:
      y = b.op(ir::Dilation2DAttrs{{2, 1}, {1, 2}, ir::Padding::kSame},
               {x, b.op(ir::BroadcastToAttrs{}, {b.floats("f", {8}), b.ints("s", {3, 2, 8})}, "b")},
               "y");
      break;
    case K::kFft:
      y = b.op(ir::FftAttrs{ir::FftFn::kReal, 2}, {x, b.scalar<int32_t>("n", 3)}, "y");
      break;
    case K::kComplex:
      y = b.op(ir::ComplexAttrs{ir::ComplexFn::kMake}, {x, b.relu(x, "r")}, "y");
      break;
    case K::kFakeQuant: {
      ir::FakeQuantAttrs a;
      a.fn = ir::FakeQuantFn::kHalfUp;
      a.num_bits = 6;
      a.is_signed = false;
      a.narrow_range = true;
      a.axis = 3;
      y = b.op(a, {x, b.floats("low", {8}, -3), b.floats("high", {8}, 4)}, "y");
      break;
    }
    case K::kUnary:
      y = b.op(ir::UnaryAttrs{{ir::UnaryFn::kLeakyRelu, 0.2f, 0}}, {x}, "y");
      break;
    case K::kBinary:
      y = b.binary(ir::BinaryFn::kMul, x, b.floats("c", {8}), "y");
      break;
    case K::kSelect: {
      const auto m = b.binary(ir::BinaryFn::kGreater, x, b.scalar<float>("t", 20), "m");
      y = b.op(ir::SelectAttrs{}, {m, x, b.scalar<float>("z", 1)}, "y");
      break;
    }
    case K::kCast:
      y = b.op(ir::CastAttrs{DType::kInt32}, {x}, "y");
      break;
    case K::kBitcast:
      y = b.op(ir::BitcastAttrs{DType::kInt32}, {x}, "y");
      break;
    case K::kAffine:
      y = b.op(ir::AffineAttrs{{ir::UnaryFn::kRelu6, 0, 0}},
               {x, b.floats("s", {8}), b.floats("h", {8})}, "y");
      break;
    case K::kConv: {
      ir::ConvAttrs a;
      a.strides = {2, 1};
      a.padding = ir::Padding::kExplicit;
      a.pads = {1, 0, 1, 1};
      a.has_bias = true;
      a.act = {ir::UnaryFn::kRelu, 0, 0};
      y = b.op(a, {x, b.floats("w", {3, 3, 8, 4}, -1, 0.03125f), b.floats("bias", {4})}, "y");
      break;
    }
    case K::kMatMul: {
      ir::MatMulAttrs a;
      a.transpose_b = true;
      a.has_bias = true;
      y = b.op(a, {x, b.floats("w", {5, 8}), b.floats("bias", {5})}, "y");
      break;
    }
    case K::kPool: {
      ir::PoolAttrs a;
      a.fn = ir::PoolFn::kAvg;
      a.ksize = {3, 3};
      a.strides = {2, 2};
      a.padding = ir::Padding::kSame;
      y = b.op(a, {x}, "y");
      break;
    }
    case K::kReduce:
      y = b.op(ir::ReduceAttrs{ir::ReduceFn::kMean, {1, 2}, true}, {x}, "y");
      break;
    case K::kArgReduce:
      y = b.op(ir::ArgReduceAttrs{false, 3, DType::kInt32}, {x}, "y");
      break;
    case K::kSoftmax:
      y = b.op(ir::SoftmaxAttrs{true}, {x}, "y");
      break;
    case K::kLayerNorm:
      y = b.op(ir::LayerNormAttrs{1e-3f}, {x, b.floats("g", {8}), b.floats("b", {8})}, "y");
      break;
    case K::kAttention:
      y = b.op(ir::AttentionAttrs{0.5f, false}, {x, x, x}, "y");
      break;
    case K::kReshape:
      y = b.op(ir::ReshapeAttrs{}, {x, b.ints("shape", {-1, 16, 8})}, "y");
      break;
    case K::kExpandDims:
      y = b.op(ir::ExpandDimsAttrs{2}, {x}, "y");
      break;
    case K::kSqueeze: {
      const auto e = b.op(ir::ExpandDimsAttrs{2}, {x}, "e");
      y = b.op(ir::SqueezeAttrs{{2}}, {e}, "y");
      break;
    }
    case K::kTranspose:
      y = b.op(ir::TransposeAttrs{{0, 3, 1, 2}}, {x}, "y");
      break;
    case K::kConcat:
      y = b.op(ir::ConcatAttrs{3}, {x, x}, "y");
      break;
    case K::kSplit: {
      ir::Op op;
      op.attrs = ir::SplitAttrs{3, {2, -1}};
      op.name = "y";
      op.inputs = {x};
      const auto n = b.network.values[x].type.dims[0];
      op.outputs = {b.network.add_value("y", {DType::kFloat, {n, 4, 4, 2}}),
                    b.network.add_value("y:1", {DType::kFloat, {n, 4, 4, 6}})};
      b.output(op.outputs[1]);
      y = op.outputs[0];
      b.network.ops.push_back(op);
      break;
    }
    case K::kStridedSlice: {
      ir::StridedSliceAttrs a;
      a.begin_mask = 1;
      a.end_mask = 3;
      a.shrink_axis_mask = 4;
      y = b.op(a, {x, b.ints("b", {0, 1, 2}), b.ints("e", {0, 0, 3}), b.ints("s", {1, 2, 1})}, "y");
      break;
    }
    case K::kSlice:
      y = b.op(ir::SliceAttrs{}, {x, b.ints("b", {0, 1, 0, 2}), b.ints("n", {-1, 2, -1, 3})}, "y");
      break;
    case K::kPad: {
      const std::vector<int32_t> pads{0, 0, 1, 1, 1, 1, 0, 0};
      const auto p = b.network.add_constant_of<int32_t>("p", Dims{4, 2}, pads);
      y = b.op(ir::PadAttrs{ir::PadMode::kReflect}, {x, p}, "y");
      break;
    }
    case K::kGather: {
      const auto i = b.input("i", DType::kInt64, {3});
      y = b.op(ir::GatherAttrs{0, 0}, {b.floats("table", {16, 8}), i}, "y");
      b.output(b.relu(x, "r"));
      break;
    }
    case K::kTile:
      y = b.op(ir::TileAttrs{}, {x, b.ints("m", {1, 2, 1, 1})}, "y");
      break;
    case K::kBroadcastTo: {
      const auto e =
          b.op(ir::ExpandDimsAttrs{0}, {b.relu(b.input("v", DType::kFloat, {8}), "v2")}, "e");
      y = b.op(ir::BroadcastToAttrs{}, {e, b.ints("shape", {3, 8})}, "y");
      b.output(b.relu(x, "r"));
      break;
    }
    case K::kFill:
    case K::kShape: {
      const auto s = b.op(ir::ShapeAttrs{DType::kInt32}, {x}, "s");
      y = b.op(ir::FillAttrs{}, {s, b.scalar<float>("v", 2)}, "y");
      b.output(s);
      break;
    }
    case K::kRange: {
      y = b.op(ir::RangeAttrs{},
               {b.scalar<int32_t>("a", 1), b.scalar<int32_t>("b", 9), b.scalar<int32_t>("d", 2)},
               "y");
      b.output(b.relu(x, "r"));
      break;
    }
    case K::kPack:
      y = b.op(ir::PackAttrs{1}, {x, x}, "y");
      break;
    case K::kUnpack: {
      ir::Op op;
      op.attrs = ir::UnpackAttrs{1};
      op.name = "y";
      op.inputs = {x};
      const auto n = b.network.values[x].type.dims[0];
      for (int i = 0; i < 4; ++i)
        op.outputs.push_back(
            b.network.add_value("y:" + std::to_string(i), {DType::kFloat, {n, 4, 8}}));
      y = op.outputs[2];
      b.network.ops.push_back(op);
      break;
    }
    case K::kResize: {
      ir::ResizeAttrs a;
      a.half_pixel_centers = true;
      y = b.op(a, {x, b.ints("size", {7, 5})}, "y");
      break;
    }
    case K::kDepthToSpace:
      y = b.op(ir::DepthToSpaceAttrs{2, true}, {x}, "y");
      break;
    case K::kOneHot: {
      const auto i = b.input("i", DType::kInt32, {3});
      y = b.op(ir::OneHotAttrs{1},
               {i, b.scalar<int32_t>("d", 5), b.scalar<float>("on", 2), b.scalar<float>("off", -1)},
               "y");
      b.output(b.relu(x, "r"));
      break;
    }
    case K::kCount:
      break;
  }
  if (y != ir::kNoValue) b.output(y);
  return std::move(b.network);
}

}  // namespace graft::engine_testing
