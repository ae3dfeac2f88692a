// Convolutions fused into one step: the same bits as the steps one after another, whatever the
// shapes, strides, padding, activation, batch and threads.
#include "backends/cpu/conv/conv_block.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "backends/cpu/kernel_list.h"
#include "gemm_testing.h"

namespace graft::cpu {
namespace {

using backends::StepShapes;
using testing::Data;
using testing::draw;
using Dims = std::vector<int64_t>;

// One convolution with constant weights and bias.
struct Layer {
  ir::Op op;
  Dims weights_dims, dst_dims;
  std::vector<float> weights, bias;
  std::unique_ptr<backends::Step> step;
  const ir::ConvAttrs& attrs() const { return op.as<ir::ConvAttrs>(); }
  bool residual() const { return attrs().has_residual; }
};

ir::TensorType type_of(const Dims& dims) {
  ir::TensorType type;
  type.dtype = DType::kFloat;
  type.dims.assign(dims.begin(), dims.end());
  return type;
}

int64_t elems_of(const Dims& dims) {
  int64_t n = 1;
  for (int64_t d : dims) n *= d;
  return n;
}

int64_t extent(int64_t in, int64_t kernel, int64_t stride, int64_t dilation, const ir::ConvAttrs& a,
               int axis) {
  const int64_t reach = (kernel - 1) * dilation + 1;
  if (a.padding == ir::Padding::kSame) return (in + stride - 1) / stride;
  const int64_t pads =
      a.padding == ir::Padding::kExplicit ? a.pads[2 * axis] + a.pads[2 * axis + 1] : 0;
  return (in + pads - reach) / stride + 1;
}

Layer layer(std::mt19937& rng, const Dims& src, const Dims& weights, ir::ConvAttrs a) {
  Layer l;
  l.weights_dims = weights;
  l.dst_dims = {src[0], extent(src[1], weights[0], a.strides[0], a.dilations[0], a, 0),
                extent(src[2], weights[1], a.strides[1], a.dilations[1], a, 1), weights[3]};
  l.weights = draw(rng, elems_of(weights), Data::kNormal);
  l.bias = draw(rng, weights[3], Data::kNormal);
  const ir::TensorType src_type = type_of(src), dst_type = type_of(l.dst_dims),
                       weights_type = type_of(weights), bias_type = type_of({weights[3]});
  l.op.attrs = a;
  Problem p;
  p.op = &l.op;
  p.target = machine_target();
  p.src = {&src_type, &weights_type};
  p.constants = {{DType::kFloat, {}, nullptr}, {DType::kFloat, l.weights_dims, l.weights.data()}};
  if (a.has_bias) {
    p.src.push_back(&bias_type);
    p.constants.push_back({DType::kFloat, std::span(&l.weights_dims[3], 1), l.bias.data()});
  }
  if (a.has_residual) {
    p.src.push_back(&dst_type);
    p.constants.push_back({DType::kFloat, {}, nullptr});
  }
  p.dst = {&dst_type};
  auto step = backends::cpu_backend().create_step(p, nullptr);
  EXPECT_TRUE(step.ok());
  l.step = std::move(*step);
  return l;
}

// Every layer by itself, then the fused step over sentinels.
void expect_same_bits(const std::vector<Layer>& layers, const Dims& src_dims, int threads,
                      bool want_fused, std::mt19937& rng) {
  const std::vector<float> src = draw(rng, elems_of(src_dims), Data::kNormal);
  const std::vector<float> residual = draw(rng, elems_of(layers.back().dst_dims), Data::kNormal);
  testing::RunScope scope(threads);
  std::vector<std::vector<float>> dst;
  StepShapes all;
  all.threads = threads;
  std::vector<const backends::Step*> steps;
  std::vector<const void*> all_src;
  std::vector<void*> all_dst;
  std::vector<std::vector<float>> sentinels;
  const Dims* dims = &src_dims;
  const float* data = src.data();
  for (const Layer& l : layers) {
    StepShapes shapes;
    shapes.threads = threads;
    shapes.src = {*dims, l.weights_dims};
    std::vector<const void*> in = {data, nullptr};
    if (l.attrs().has_bias) {
      shapes.src.push_back(std::span(&l.weights_dims[3], 1));
      in.push_back(nullptr);
    }
    if (l.residual()) {
      shapes.src.push_back(l.dst_dims);
      in.push_back(residual.data());
    }
    shapes.dst = {l.dst_dims};
    dst.emplace_back(static_cast<size_t>(elems_of(l.dst_dims)), NAN);
    sentinels.emplace_back(dst.back().size() + 1, 12345.75f);
    void* out = dst.back().data();
    auto plan = l.step->plan(shapes);
    ASSERT_TRUE(plan.ok());
    auto scratch = Buffer::allocate(plan->scratch_bytes + 64);
    l.step->run(plan->state.get(), in.data(), &out, scratch->data());
    all.src.insert(all.src.end(), shapes.src.begin(), shapes.src.end());
    all.dst.push_back(l.dst_dims);
    in[0] = steps.empty() ? data : nullptr;  // nothing in between is read
    all_src.insert(all_src.end(), in.begin(), in.end());
    steps.push_back(l.step.get());
    dims = &l.dst_dims;
    data = dst.back().data();
  }
  for (auto& s : sentinels) all_dst.push_back(s.data());
  const auto fused = backends::cpu_backend().fuse(steps);
  ASSERT_NE(fused, nullptr);
  EXPECT_EQ(fused->kernel_name(), "conv_block_f32");
  auto plan = fused->plan(all);
  ASSERT_TRUE(plan.ok());
  ASSERT_EQ(plan->state != nullptr, want_fused);
  if (!want_fused) return;
  auto scratch = Buffer::allocate(plan->scratch_bytes);
  fused->run(plan->state.get(), all_src.data(), all_dst.data(), scratch->data());
  for (size_t i = 0; i < layers.size(); ++i) {
    std::vector<float>& got = sentinels[i];
    EXPECT_EQ(got.back(), 12345.75f) << "wrote behind dst " << i;
    if (i + 1 < layers.size()) {
      EXPECT_EQ(std::count(got.begin(), got.end(), 12345.75f), static_cast<int64_t>(got.size()))
          << "wrote dst " << i;
      continue;
    }
    got.pop_back();
    EXPECT_EQ(std::memcmp(got.data(), dst[i].data(), got.size() * sizeof(float)), 0);
  }
}

struct BlockCase {
  Dims src;
  int64_t middle, out;  // channels; 0: no 1x1 before / after
  int64_t kernel, stride, dilation;
  ir::Padding padding;
  ir::UnaryFn act;
  bool residual;
};

std::vector<Layer> block(std::mt19937& rng, const BlockCase& c) {
  std::vector<Layer> layers;
  ir::ConvAttrs pointwise;
  pointwise.has_bias = true;
  pointwise.act.fn = c.act;
  Dims src = c.src;
  if (c.middle) {
    layers.push_back(layer(rng, src, {1, 1, src[3], c.middle}, pointwise));
    src = layers.back().dst_dims;
  }
  ir::ConvAttrs dw;
  dw.strides = {c.stride, c.stride};
  dw.dilations = {c.dilation, c.dilation};
  dw.padding = c.padding;
  if (c.padding == ir::Padding::kExplicit) dw.pads = {0, 1, 1, 2};
  dw.groups = src[3];
  dw.has_bias = c.middle % 2 == 0;
  dw.act.fn = c.act;
  layers.push_back(layer(rng, src, {c.kernel, c.kernel, 1, src[3]}, dw));
  if (c.out) {
    pointwise.act.fn = ir::UnaryFn::kIdentity;
    pointwise.has_residual = c.residual;
    layers.push_back(layer(rng, layers.back().dst_dims, {1, 1, src[3], c.out}, pointwise));
  }
  return layers;
}

constexpr auto kSame = ir::Padding::kSame, kValid = ir::Padding::kValid,
               kExplicit = ir::Padding::kExplicit;
constexpr auto kNone = ir::UnaryFn::kIdentity, kRelu6 = ir::UnaryFn::kRelu6,
               kSwish = ir::UnaryFn::kSwish;

TEST(ConvBlock, same_bits_as_the_steps_one_after_another) {
  const BlockCase cases[] = {
      {{1, 56, 40, 12}, 72, 20, 3, 1, 1, kSame, kRelu6, true},
      {{1, 57, 41, 7}, 71, 9, 3, 2, 1, kSame, kRelu6, false},
      {{1, 90, 33, 8}, 80, 24, 5, 1, 1, kValid, kSwish, false},
      {{1, 83, 33, 8}, 64, 16, 5, 2, 1, kSame, kNone, false},
      {{1, 80, 31, 6}, 64, 16, 3, 1, 2, kSame, kRelu6, true},
      {{1, 50, 48, 6}, 64, 16, 3, 2, 1, kExplicit, kRelu6, false},
      {{1, 61, 40, 5}, 72, 0, 3, 1, 1, kSame, kSwish, false},
      {{1, 61, 40, 5}, 72, 0, 5, 2, 1, kValid, kRelu6, false},
      {{1, 70, 60, 33}, 0, 17, 3, 1, 1, kSame, kRelu6, true},
      {{1, 241, 120, 48}, 0, 16, 2, 3, 1, kValid, kNone, false},
      {{2, 45, 40, 12}, 72, 20, 3, 1, 1, kSame, kRelu6, true},
      {{5, 14, 14, 24}, 140, 24, 3, 1, 1, kSame, kRelu6, true},
      {{8, 7, 9, 16}, 272, 40, 5, 1, 1, kSame, kSwish, true},
  };
  std::mt19937 rng(41);
  for (const BlockCase& c : cases) {
    SCOPED_TRACE(::testing::Message() << "case " << &c - cases);
    const std::vector<Layer> layers = block(rng, c);
    for (int threads : {1, 2, 3}) {
      SCOPED_TRACE(::testing::Message() << threads << " threads");
      expect_same_bits(layers, c.src, threads, true, rng);
    }
  }
}

TEST(ConvBlock, small_or_short_images_run_step_by_step) {
  std::mt19937 rng(42);
  const BlockCase small = {{1, 8, 8, 8}, 48, 8, 3, 1, 1, kSame, kRelu6, true};
  expect_same_bits(block(rng, small), small.src, 2, false, rng);
  // 16 threads would compute every other row twice.
  const BlockCase tall = {{1, 56, 40, 12}, 72, 20, 3, 1, 1, kSame, kRelu6, true};
  expect_same_bits(block(rng, tall), tall.src, 16, false, rng);
}

TEST(ConvBlock, fuses_nothing_else) {
  std::mt19937 rng(43);
  const Dims src = {1, 40, 40, 32};
  ir::ConvAttrs a;
  const Layer one = layer(rng, src, {1, 1, 32, 32}, a);
  const Layer two = layer(rng, src, {1, 1, 32, 32}, a);
  a.padding = kSame;
  const Layer full = layer(rng, src, {3, 3, 32, 32}, a);
  a.groups = 32;
  const Layer dw = layer(rng, src, {3, 3, 1, 32}, a);
  const Layer dw2 = layer(rng, src, {3, 3, 1, 32}, a);
  a.groups = 1;
  a.strides = {2, 2};
  const Layer strided = layer(rng, src, {1, 1, 32, 32}, a);
  a.strides = {1, 1};
  a.padding = kExplicit;
  a.pads = {0, 0, 1, 0};
  const Layer padded = layer(rng, src, {1, 1, 32, 32}, a);
  const auto fused = [](std::initializer_list<const Layer*> layers) {
    std::vector<const backends::Step*> steps;
    for (const Layer* l : layers) steps.push_back(l->step.get());
    return backends::cpu_backend().fuse(steps) != nullptr;
  };
  EXPECT_TRUE(fused({&one, &dw, &two}));
  EXPECT_TRUE(fused({&dw, &two}));
  EXPECT_TRUE(fused({&one, &dw}));
  EXPECT_FALSE(fused({&dw}));
  EXPECT_FALSE(fused({&one, &two}));
  EXPECT_FALSE(fused({&one, &two, &dw}));
  EXPECT_FALSE(fused({&dw, &one, &two}));
  EXPECT_FALSE(fused({&dw, &dw2}));
  EXPECT_FALSE(fused({&full, &dw, &two}));
  EXPECT_FALSE(fused({&one, &dw, &strided}));
  EXPECT_FALSE(fused({&padded, &dw, &one}));
}

}  // namespace
}  // namespace graft::cpu
