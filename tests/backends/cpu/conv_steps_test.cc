// The Conv and MatMul kernels as the engine sees them: attributes, padding rules, optional inputs,
// broadcast batches.
#include <algorithm>
#include <string_view>
#include <variant>

#include "backends/cpu/kernel_list.h"
#include "gemm_testing.h"

namespace graft::cpu {
namespace {

using testing::Data;
using testing::draw;

struct Tensor {
  std::vector<int64_t> dims;
  std::vector<float> data;
  bool constant = false;
};
Tensor random_tensor(std::mt19937& rng, std::vector<int64_t> dims, bool constant = false) {
  int64_t n = 1;
  for (const int64_t d : dims) n *= d;
  return {std::move(dims), draw(rng, n, Data::kIntegers), constant};
}

// Runs every kernel of the list that supports the op and hands each result to `check(kernel, dst)`.
// Returns how many there are besides those of bfloat16, which few machines have.
template <typename Check>
int run_all(std::span<const KernelEntry> kernels, ir::Attrs attrs, const std::vector<Tensor>& src,
            const std::vector<int64_t>& dst_dims, Check&& check, bool strict = false) {
  ir::Op op;
  op.attrs = std::move(attrs);
  std::vector<ir::TensorType> types;
  for (const Tensor& t : src) {
    ir::TensorType type;
    type.dtype = DType::kFloat;
    type.dims.assign(t.dims.begin(), t.dims.end());
    types.push_back(type);
  }
  ir::TensorType dst_type;
  dst_type.dtype = DType::kFloat;
  dst_type.dims.assign(dst_dims.begin(), dst_dims.end());
  Problem p;
  p.op = &op;
  p.dst = {&dst_type};
  p.target = machine_target();
  p.target.fast_bf16_dot = p.target.avx512_bf16;
  p.strict_math = strict;
  p.bf16_products = true;
  for (size_t i = 0; i < src.size(); ++i) {
    p.src.push_back(&types[i]);
    p.constants.push_back(
        {DType::kFloat, src[i].dims, src[i].constant ? src[i].data.data() : nullptr});
  }
  int ran = 0;
  for (const KernelEntry& kernel : kernels) {
    if (!kernel.supports(p).empty()) continue;
    auto step = kernel.create(p);
    EXPECT_TRUE(step.ok()) << kernel.name;
    backends::StepShapes shapes;
    for (const Tensor& t : src) shapes.src.push_back(t.dims);
    shapes.dst.push_back(dst_dims);
    shapes.threads = 2;
    auto plan = step.value()->plan(shapes);
    EXPECT_TRUE(plan.ok()) << kernel.name;
    auto scratch = Buffer::allocate(plan.value().scratch_bytes + 64);
    EXPECT_TRUE(scratch.ok());
    int64_t elems = 1;
    for (const int64_t d : dst_dims) elems *= d;
    std::vector<float> dst(static_cast<size_t>(elems) + 1);
    std::vector<const void*> inputs;
    for (size_t i = 0; i < src.size(); ++i) {
      const bool consumed = src[i].constant && step.value()->consumes_constant(static_cast<int>(i));
      inputs.push_back(consumed ? nullptr : src[i].data.data());
    }
    void* outputs[] = {dst.data()};
    testing::RunScope run(2);
    step.value()->run(plan.value().state.get(), inputs.data(), outputs, scratch.value().data());
    SCOPED_TRACE(kernel.name);
    check(kernel, dst.data());
    if (!std::string_view(kernel.name).ends_with("_bf16")) ++ran;
  }
  return ran;
}

struct ConvCase {
  std::vector<int64_t> src, weights;
  std::vector<int64_t> stride, dilation;  // height, width
  int64_t groups;
  ir::Padding padding;
  std::vector<int64_t> pads;
  int kernels;  // that take it on an AVX2 machine
};

TEST(ConvSteps, every_padding_rule_and_optional_input) {
  std::mt19937 rng(31);
  const ConvCase cases[] = {
      {{2, 7, 9, 40}, {3, 3, 40, 33}, {1, 1}, {1, 1}, 1, ir::Padding::kSame, {0, 0, 0, 0}, 2},
      {{1, 8, 8, 32}, {3, 3, 32, 32}, {1, 1}, {1, 1}, 1, ir::Padding::kExplicit, {2, 0, 0, 1}, 2},
      {{1, 9, 8, 5}, {3, 3, 5, 7}, {2, 2}, {1, 1}, 1, ir::Padding::kSame, {0, 0, 0, 0}, 1},
      {{1, 8, 9, 3}, {5, 5, 3, 8}, {2, 2}, {1, 1}, 1, ir::Padding::kSame, {0, 0, 0, 0}, 1},
      {{1, 9, 9, 6}, {3, 3, 2, 9}, {1, 1}, {2, 2}, 3, ir::Padding::kValid, {0, 0, 0, 0}, 1},
      {{1, 6, 7, 10}, {3, 3, 1, 10}, {2, 2}, {1, 1}, 10, ir::Padding::kSame, {0, 0, 0, 0}, 2},
      {{1, 6, 7, 5}, {3, 2, 1, 15}, {1, 1}, {1, 1}, 5, ir::Padding::kExplicit, {0, 3, 1, 1}, 2},
      {{1, 5, 5, 1}, {3, 3, 1, 4}, {1, 1}, {1, 1}, 1, ir::Padding::kSame, {0, 0, 0, 0}, 1},
      {{3, 4, 4, 20}, {1, 1, 20, 12}, {1, 1}, {1, 1}, 1, ir::Padding::kValid, {0, 0, 0, 0}, 1},
      {{0, 4, 4, 20}, {1, 1, 20, 12}, {1, 1}, {1, 1}, 1, ir::Padding::kValid, {0, 0, 0, 0}, 1},
      {{1, 9, 8, 5}, {3, 3, 5, 7}, {2, 1}, {1, 1}, 1, ir::Padding::kSame, {0, 0, 0, 0}, 1},
      {{1, 9, 11, 5}, {3, 2, 5, 7}, {1, 3}, {2, 1}, 1, ir::Padding::kExplicit, {1, 0, 2, 1}, 1},
      {{1, 8, 8, 10}, {3, 3, 1, 10}, {1, 2}, {1, 2}, 10, ir::Padding::kValid, {0, 0, 0, 0}, 2},
  };
  for (const ConvCase& c : cases) {
    for (int extras = 0; extras < 8; ++extras) {
      ir::ConvAttrs a;
      a.strides = c.stride;
      a.dilations = c.dilation;
      a.padding = c.padding;
      a.pads = c.pads;
      a.groups = c.groups;
      a.has_bias = extras & 1;
      a.has_residual = extras & 2;
      a.act.fn = extras & 4 ? ir::UnaryFn::kRelu6 : ir::UnaryFn::kIdentity;
      ConvShape s;
      s.batch = c.src[0], s.h = c.src[1], s.w = c.src[2], s.c = s.src_ld = c.src[3];
      s.kh = c.weights[0], s.kw = c.weights[1], s.oc = s.dst_ld = s.residual_ld = c.weights[3];
      s.stride_h = c.stride[0], s.stride_w = c.stride[1], s.dilation_h = c.dilation[0],
      s.dilation_w = c.dilation[1], s.groups = c.groups;
      const int64_t kh = (s.kh - 1) * s.dilation_h + 1, kw = (s.kw - 1) * s.dilation_w + 1;
      if (c.padding == ir::Padding::kSame) {
        s.oh = (s.h + s.stride_h - 1) / s.stride_h, s.ow = (s.w + s.stride_w - 1) / s.stride_w;
        s.pad_top = std::max<int64_t>(0, (s.oh - 1) * s.stride_h + kh - s.h) / 2;
        s.pad_left = std::max<int64_t>(0, (s.ow - 1) * s.stride_w + kw - s.w) / 2;
      } else {
        s.pad_top = c.pads[0], s.pad_left = c.pads[2];
        s.oh = (s.h + c.pads[0] + c.pads[1] - kh) / s.stride_h + 1;
        s.ow = (s.w + c.pads[2] + c.pads[3] - kw) / s.stride_w + 1;
      }
      const std::vector<int64_t> dst_dims = {s.batch, s.oh, s.ow, s.oc};
      std::vector<Tensor> src = {random_tensor(rng, c.src), random_tensor(rng, c.weights, true)};
      // A bias may also be known only while running.
      if (a.has_bias) src.push_back(random_tensor(rng, {s.oc}, extras != 3));
      if (a.has_residual) src.push_back(random_tensor(rng, dst_dims));
      const float* bias = a.has_bias ? src[2].data.data() : nullptr;
      const float* residual = a.has_residual ? src.back().data.data() : nullptr;
      SCOPED_TRACE(testing::describe(s) + " extras " + std::to_string(extras));
      // Small integers are exact, but for Winograd's transforms.
      const auto check = [&](const KernelEntry& kernel, const float* dst) {
        const bool exact = std::string_view(kernel.name) != "conv_winograd_f32";
        for (int64_t i = 0; i < s.batch * s.oh * s.ow * s.oc; ++i) {
          const int64_t p = i / s.oc;
          const auto want =
              testing::conv_at(s, src[0].data.data(), src[1].data.data(), bias, residual,
                               p / s.ow / s.oh, p / s.ow % s.oh, p % s.ow, i % s.oc);
          const double value = extras & 4 ? std::clamp(want.value, 0.0, 6.0) : want.value;
          ASSERT_NEAR(dst[i], value, exact ? 0 : testing::fp32_bar(want)) << "element " << i;
        }
      };
      const int ran = run_all(conv_kernels(), a, src, dst_dims, check);
      EXPECT_EQ(ran, machine_target().isa >= ir::Isa::kAvx2 || c.src[3] < 32 ? c.kernels : 1);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(ConvSteps, strict_math_leaves_winograd_out) {
  std::mt19937 rng(32);
  const std::vector<Tensor> src = {random_tensor(rng, {1, 4, 4, 32}),
                                   random_tensor(rng, {3, 3, 32, 32}, true)};
  ir::ConvAttrs a;
  a.padding = ir::Padding::kSame;
  std::vector<std::string> names;
  run_all(
      conv_kernels(), a, src, {1, 4, 4, 32},
      [&](const KernelEntry& k, const float*) { names.push_back(k.name); }, true);
  std::erase(names, "conv_igemm_bf16");  // where the machine has it
  EXPECT_EQ(names, std::vector<std::string>{"conv_igemm_f32"});
}

TEST(MatMulSteps, batches_broadcast_and_operands_transpose) {
  std::mt19937 rng(33);
  struct Case {
    std::vector<int64_t> a, b, dst;
    int kernels_if_constant;
  };
  const Case cases[] = {
      {{5, 7}, {7, 9}, {5, 9}, 2},
      {{2, 3, 5, 7}, {7, 9}, {2, 3, 5, 9}, 2},
      {{2, 3, 5, 7}, {1, 1, 7, 9}, {2, 3, 5, 9}, 2},
      {{2, 1, 5, 7}, {3, 7, 9}, {2, 3, 5, 9}, 1},
      {{5, 7}, {4, 7, 9}, {4, 5, 9}, 1},
      {{0, 7}, {7, 9}, {0, 9}, 2},
  };
  for (const Case& c : cases) {
    for (int flags = 0; flags < 32; ++flags) {
      ir::MatMulAttrs attrs;
      attrs.transpose_a = flags & 1;
      attrs.transpose_b = flags & 2;
      attrs.has_bias = flags & 4;
      attrs.has_residual = flags & 8;
      const bool constant = flags & 16;
      auto a_dims = c.a, b_dims = c.b;
      const int64_t m = c.a[c.a.size() - 2], k = c.a.back(), n = c.b.back();
      if (attrs.transpose_a) std::swap(a_dims.back(), a_dims[a_dims.size() - 2]);
      if (attrs.transpose_b) std::swap(b_dims.back(), b_dims[b_dims.size() - 2]);
      std::vector<Tensor> src = {random_tensor(rng, a_dims), random_tensor(rng, b_dims, constant)};
      if (attrs.has_bias) src.push_back(random_tensor(rng, {n}, constant));
      if (attrs.has_residual) src.push_back(random_tensor(rng, c.dst));
      SCOPED_TRACE("flags " + std::to_string(flags));
      const auto matrix = [&](int64_t i, const std::vector<int64_t>& dims) {
        int64_t index = 0, step = 1;
        for (size_t back = 3; back <= c.dst.size(); ++back) {
          const int64_t extent = c.dst[c.dst.size() - back];
          const int64_t own = back <= dims.size() ? dims[dims.size() - back] : 1;
          index += own == 1 ? 0 : i % extent * step;
          step *= own;
          i /= extent;
        }
        return index;
      };
      const auto check = [&](const KernelEntry&, const float* dst) {
        int64_t elems = 1;
        for (const int64_t d : c.dst) elems *= d;
        for (int64_t i = 0; i < elems; ++i) {
          const int64_t column = i % n, row = i / n % m, batch = i / n / m;
          const float* a = src[0].data.data() + matrix(batch, a_dims) * m * k;
          const float* b = src[1].data.data() + matrix(batch, b_dims) * k * n;
          double want = attrs.has_bias ? src[2].data[static_cast<size_t>(column)] : 0;
          if (attrs.has_residual) want += src.back().data[static_cast<size_t>(i)];
          for (int64_t p = 0; p < k; ++p) {
            want += double{attrs.transpose_a ? a[p * m + row] : a[row * k + p]} *
                    double{attrs.transpose_b ? b[column * k + p] : b[p * n + column]};
          }
          ASSERT_EQ(dst[i], want) << "element " << i;
        }
      };
      const int ran = run_all(matmul_kernels(), attrs, src, c.dst, check);
      EXPECT_EQ(ran, constant && !attrs.transpose_a ? c.kernels_if_constant : 1);
      if (HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace graft::cpu
