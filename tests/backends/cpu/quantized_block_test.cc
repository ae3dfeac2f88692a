// Quantized convolutions fused into one step: the bits of the reference evaluator, op by op, at
// every ISA level.
#include "step_testing.h"

namespace graft::cpu::testing {
namespace {

using ir::DstQuant;
using ir::UnaryFn;

constexpr DstQuant kWide{DType::kUint8, 0.3f}, kNarrow{DType::kInt8, 0.5f};

struct Block {
  std::vector<int64_t> src;
  int64_t middle, out;  // channels; 0: no 1x1 before / after
  int64_t kernel, stride;
  bool residual;
  DstQuant last = kNarrow;
  bool from_sign = true;
};

Tensor scales(std::mt19937& rng, int64_t n) {
  Tensor t = empty_tensor(DType::kFloat, {n});
  for (int64_t i = 0; i < n; ++i) {
    const float v = 0.001f + 0.0001f * static_cast<float>(rng() % 100);
    std::memcpy(t.bytes.data() + i * 4, &v, 4);
  }
  return t;
}

Tensor biases(std::mt19937& rng, int64_t n) {
  Tensor t = empty_tensor(DType::kInt32, {n});
  for (int64_t i = 0; i < n; ++i) {
    const int32_t v = static_cast<int32_t>(rng() % 4001) - 2000;
    std::memcpy(t.bytes.data() + i * 4, &v, 4);
  }
  return t;
}

Case conv(std::mt19937& rng, const Tensor& src, std::vector<int64_t> weights, ir::ConvAttrs a,
          DstQuant quant, const Tensor* residual = nullptr) {
  a.has_bias = true;
  a.has_residual = residual != nullptr;
  const int64_t oc = weights[3];
  Case c;
  c.attrs = a;
  c.quant = quant;
  Tensor w = draw_quantized(rng, DType::kInt8, std::move(weights), 0);
  // Sums of two rows of most depthwise channels then fit in int16.
  for (std::byte& b : w.bytes) b = static_cast<std::byte>(static_cast<int8_t>(b) / 2);
  c.inputs = {src, w, biases(rng, oc)};
  if (residual) c.inputs.push_back(*residual);
  c.inputs.push_back(scales(rng, oc));
  c.constants = {1, 2, c.inputs.size() - 1};
  return c;
}

// The ops of a block, each with the reference's dst of the one before as src.
std::vector<Case> ops_of(std::mt19937& rng, const Block& b) {
  std::vector<Case> ops;
  Tensor x = draw_quantized(rng, b.from_sign ? DType::kInt8 : DType::kUint8, b.src, 0.05f);
  const ir::Activation relu6{UnaryFn::kRelu6, 0, 0};
  const auto add = [&](Case c) {
    x = run_reference(c)[0];
    ops.push_back(std::move(c));
  };
  if (b.middle) {
    ir::ConvAttrs a;
    a.act = relu6;
    add(conv(rng, x, {1, 1, b.src[3], b.middle}, a, kWide));
  }
  ir::ConvAttrs dw;
  dw.strides = {b.stride, b.stride};
  dw.padding = ir::Padding::kSame;
  dw.groups = x.dims[3];
  dw.act = relu6;
  add(conv(rng, x, {b.kernel, b.kernel, 1, x.dims[3]}, dw, b.out ? kWide : b.last));
  if (b.out) {
    std::vector<int64_t> dims = x.dims;
    dims[3] = b.out;
    const Tensor residual = b.last.scale > 0 ? draw_quantized(rng, DType::kInt8, dims, 0.4f)
                                             : draw(rng, DType::kFloat, dims, 20.0f);
    add(conv(rng, x, {1, 1, x.dims[3], b.out}, {}, b.last, b.residual ? &residual : nullptr));
  }
  return ops;
}

struct Made {
  std::vector<ir::Op> ops;
  std::vector<std::unique_ptr<backends::Step>> steps;
  std::unique_ptr<backends::Step> fused;
};

Made make(const std::vector<Case>& cases, ir::Isa isa) {
  Made made;
  made.ops.reserve(cases.size());
  std::vector<const backends::Step*> steps;
  for (const Case& c : cases) {
    made.ops.push_back(op_of(c));
    std::vector<ir::TensorType> types;
    std::vector<Tensor> all = c.inputs;
    all.push_back(infer_outputs(made.ops.back(), c)[0]);
    for (const Tensor& t : all) types.push_back({t.dtype, {t.dims.begin(), t.dims.end()}, t.scale});
    backends::Problem p;
    p.op = &made.ops.back();
    for (size_t i = 0; i < c.inputs.size(); ++i) p.src.push_back(&types[i]);
    p.dst = {&types.back()};
    p.constants.resize(c.inputs.size());
    for (size_t i : c.constants)
      p.constants[i] = {c.inputs[i].dtype, c.inputs[i].dims, c.inputs[i].bytes.data()};
    p.target = machine_target();
    p.target.isa = isa;
    auto step = backends::cpu_backend().create_step(p, nullptr);
    EXPECT_TRUE(step.ok());
    made.steps.push_back(std::move(*step));
    steps.push_back(made.steps.back().get());
  }
  made.fused = backends::cpu_backend().fuse(steps);
  return made;
}

void expect_reference(const std::vector<Case>& cases, ir::Isa isa, int threads) {
  const Made made = make(cases, isa);
  ASSERT_NE(made.fused, nullptr);
  EXPECT_EQ(made.fused->kernel_name(), "conv_block_int8");
  backends::StepShapes shapes;
  shapes.threads = threads;
  std::vector<Placed> src, dst;
  std::vector<const void*> from;
  std::vector<void*> to;
  std::vector<std::vector<int64_t>> dst_dims;
  for (const Case& c : cases) dst_dims.push_back(infer_outputs(op_of(c), c)[0].dims);
  Tensor want;
  for (size_t k = 0; k < cases.size(); ++k) {
    const Case& c = cases[k];
    want = run_reference(c)[0];
    for (size_t i = 0; i < c.inputs.size(); ++i) {
      shapes.src.push_back(c.inputs[i].dims);
      // Nothing in between is read, no constant again.
      const bool constant = i == 1 || i == 2 || i + 1 == c.inputs.size();
      const bool read = (i == 0 && k == 0) || (i != 0 && !constant);
      src.emplace_back(read ? c.inputs[i].bytes : std::vector<std::byte>(), 1);
    }
    shapes.dst.push_back(dst_dims[k]);
    dst.emplace_back(k + 1 == cases.size() ? want.bytes : std::vector<std::byte>(),
                     want.dtype == DType::kFloat ? 4 : 1);
  }
  auto plan = made.fused->plan(shapes);
  ASSERT_TRUE(plan.ok());
  ASSERT_NE(plan->state, nullptr);
  for (Placed& p : src) from.push_back(p.data());
  for (Placed& p : dst) to.push_back(p.data());
  std::memset(to.back(), 0x77, want.bytes.size());
  Placed scratch(std::vector<std::byte>(plan->scratch_bytes), 0);
  backends::cpu_backend().begin_run(threads);
  made.fused->run(plan->state.get(), from.data(), to.data(), scratch.data());
  backends::cpu_backend().end_run();
  for (Placed& p : src) p.expect_guards("src");
  for (Placed& p : dst) p.expect_guards("dst");
  scratch.expect_guards("scratch");
  EXPECT_EQ(std::memcmp(to.back(), want.bytes.data(), want.bytes.size()), 0);
}

TEST(QuantizedBlock, bits_of_the_reference_op_by_op) {
  const Block blocks[] = {
      {{1, 56, 40, 16}, 96, 24, 3, 1, true},
      {{1, 57, 41, 24}, 144, 32, 3, 2, false},
      {{1, 90, 33, 8}, 72, 20, 5, 1, true},
      {{1, 61, 40, 12}, 72, 0, 3, 1, false},
      {{1, 90, 60, 32}, 0, 16, 3, 1, false, kNarrow, false},
      {{1, 90, 60, 40}, 0, 20, 3, 1, true},
      {{1, 60, 40, 12}, 64, 20, 3, 1, true, DstQuant{}},
      {{5, 14, 14, 24}, 140, 24, 3, 1, true},
      {{4, 28, 20, 8}, 44, 28, 3, 1, true, DstQuant{DType::kUint8, 0.3f}},
  };
  std::mt19937 rng(61);
  for (const Block& b : blocks) {
    SCOPED_TRACE(::testing::Message() << "block " << &b - blocks);
    const std::vector<Case> cases = ops_of(rng, b);
    for (ir::Isa isa : isa_levels()) {
      for (int threads : {1, 2, 3}) {
        SCOPED_TRACE(::testing::Message()
                     << "isa " << static_cast<int>(isa) << ", " << threads << " threads");
        expect_reference(cases, isa, threads);
        if (HasFatalFailure() || HasNonfatalFailure()) return;
      }
    }
  }
}

// Rows that end within a step would be read past their end; channels that are repeated have rows
// of their own.
TEST(QuantizedBlock, channels_that_are_not_fused) {
  std::mt19937 rng(62);
  EXPECT_EQ(make(ops_of(rng, {{1, 60, 40, 6}, 64, 20, 3, 1, true}), ir::Isa::kBaseline).fused,
            nullptr);
  EXPECT_NE(make(ops_of(rng, {{1, 60, 40, 8}, 64, 20, 3, 1, true}), ir::Isa::kBaseline).fused,
            nullptr);
}

}  // namespace
}  // namespace graft::cpu::testing
