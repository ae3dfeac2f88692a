// Times the kernels that are not convolutions or matrix products, one op a line:
//   pointwise_bench [threads] [name filter]
// prints the best and median time of an op, and the bytes of its inputs and outputs over the best
// time.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "backends/backend.h"
#include "base/alloc.h"
#include "base/dtype.h"

namespace {

using graft::DType;
using graft::ir::TensorType;
using Clock = std::chrono::steady_clock;
using Dims = std::vector<int64_t>;

struct BenchOp {
  const char* name;
  graft::ir::Attrs attrs;
  std::vector<Dims> src, dst;
  std::vector<std::vector<int64_t>> host = {};  // of integer inputs
  DType index = DType::kFloat;                  // dtype of inputs from the second on
};

std::vector<BenchOp> bench_ops() {
  using namespace graft::ir;
  const Dims image{8, 56, 56, 128}, row{128}, gate{8, 1, 1, 128}, tokens{8, 128, 768}, wide{768};
  const Dims heads{8, 128, 12, 64}, scores{8, 12, 128, 128};
  return {
      {"add", BinaryAttrs{BinaryFn::kAdd}, {image, image}, {image}},
      {"mul_gate", BinaryAttrs{BinaryFn::kMul}, {image, gate}, {image}},
      {"add_row", BinaryAttrs{BinaryFn::kAdd}, {image, row}, {image}},
      {"sub_rgb", BinaryAttrs{BinaryFn::kSub}, {{8, 224, 224, 3}, {3}}, {{8, 224, 224, 3}}},
      {"relu", UnaryAttrs{{UnaryFn::kRelu}}, {image}, {image}},
      {"swish", UnaryAttrs{{UnaryFn::kSwish}}, {image}, {image}},
      {"gelu", UnaryAttrs{{UnaryFn::kGelu}}, {image}, {image}},
      {"tanh", UnaryAttrs{{UnaryFn::kTanh}}, {image}, {image}},
      {"exp", UnaryAttrs{{UnaryFn::kExp}}, {image}, {image}},
      {"log", UnaryAttrs{{UnaryFn::kLog}}, {image}, {image}},
      {"affine_relu", AffineAttrs{{UnaryFn::kRelu}}, {image, row, row}, {image}},
      {"max_pool",
       PoolAttrs{PoolFn::kMax, {3, 3}, {2, 2}, Padding::kSame},
       {{8, 112, 112, 64}},
       {{8, 56, 56, 64}}},
      {"avg_pool",
       PoolAttrs{PoolFn::kAvg, {3, 3}, {1, 1}, Padding::kSame},
       {{8, 35, 35, 288}},
       {{8, 35, 35, 288}}},
      {"spatial_mean", ReduceAttrs{ReduceFn::kMean, {1, 2}}, {{8, 7, 7, 2048}}, {{8, 2048}}},
      {"spatial_mean_1", ReduceAttrs{ReduceFn::kMean, {1, 2}}, {{1, 112, 112, 32}}, {{1, 32}}},
      {"row_sum", ReduceAttrs{ReduceFn::kSum, {2}}, {tokens}, {{8, 128}}},
      {"softmax", SoftmaxAttrs{}, {scores}, {scores}},
      {"layer_norm", LayerNormAttrs{1e-12f}, {tokens, wide, wide}, {tokens}},
      {"attention", AttentionAttrs{0.125f, true}, {heads, heads, heads, {8, 1, 1, 128}}, {heads}},
      {"attention_1",
       AttentionAttrs{0.125f, true},
       {{1, 128, 12, 64}, {1, 128, 12, 64}, {1, 128, 12, 64}, {1, 1, 1, 128}},
       {{1, 128, 12, 64}}},
      {"concat",
       ConcatAttrs{3},
       {{8, 28, 28, 64}, {8, 28, 28, 96}, {8, 28, 28, 32}},
       {{8, 28, 28, 192}}},
      {"pad",
       PadAttrs{},
       {image, {4, 2}},
       {{8, 58, 58, 128}},
       {{}, {0, 0, 1, 1, 1, 1, 0, 0}},
       DType::kInt32},
      {"transpose_heads", TransposeAttrs{{0, 2, 1, 3}}, {heads}, {{8, 12, 128, 64}}},
      {"transpose_nchw", TransposeAttrs{{0, 3, 1, 2}}, {image}, {{8, 128, 56, 56}}},
      {"gather", GatherAttrs{}, {{30522, 768}, {8, 128}}, {tokens}, {}, DType::kInt32},
  };
}

struct Bound {
  std::vector<TensorType> types;
  std::vector<graft::Buffer> buffers;
  std::vector<void*> data;
  int64_t bytes = 0;
};

// False when memory is short.
bool bind(Bound& b, const std::vector<Dims>& dims, DType rest) {
  for (size_t i = 0; i < dims.size(); ++i) {
    const DType t = i == 0 ? DType::kFloat : rest;
    int64_t n = 1;
    for (int64_t d : dims[i]) n *= d;
    b.types.push_back({t, {dims[i].begin(), dims[i].end()}});
    auto buffer = graft::Buffer::allocate(static_cast<size_t>(n) * 4);
    if (!buffer.ok()) return false;
    b.buffers.push_back(std::move(buffer).value());
    b.data.push_back(b.buffers.back().data());
    for (int64_t k = 0; k < n; ++k) {
      if (t == DType::kFloat) {
        b.buffers.back().as<float>()[k] = static_cast<float>(k * 7919 % 2001) / 500.0f - 2.0f;
      } else {
        b.buffers.back().as<int32_t>()[k] = static_cast<int32_t>(k * 7919 % 30522);
      }
    }
    b.bytes += n * 4;
  }
  return true;
}

int run(const BenchOp& bench, const graft::ir::Target& target, int threads) {
  graft::ir::Op op;
  op.attrs = bench.attrs;
  op.name = bench.name;
  Bound src, dst;
  if (!bind(src, bench.src, bench.index) || !bind(dst, bench.dst, DType::kFloat)) return 1;
  graft::backends::Problem problem;
  problem.op = &op;
  problem.target = target;
  for (const auto& t : src.types) problem.src.push_back(&t);
  for (const auto& t : dst.types) problem.dst.push_back(&t);
  problem.constants.resize(src.types.size());
  graft::backends::StepShapes shapes;
  for (const auto& d : bench.src) shapes.src.push_back(d);
  for (const auto& d : bench.dst) shapes.dst.push_back(d);
  for (size_t i = 0; i < bench.src.size(); ++i) {
    shapes.host.push_back(i < bench.host.size() ? std::span<const int64_t>(bench.host[i])
                                                : std::span<const int64_t>());
  }
  shapes.threads = threads;
  const auto& backend = graft::backends::cpu_backend();
  auto step = backend.create_step(problem, nullptr);
  if (!step.ok())
    return std::fprintf(stderr, "%s: %s\n", bench.name, step.status().message().c_str()), 1;
  auto plan = (*step)->plan(shapes);
  if (!plan.ok())
    return std::fprintf(stderr, "%s: %s\n", bench.name, plan.status().message().c_str()), 1;
  auto scratch = graft::Buffer::allocate(plan->scratch_bytes + 64);
  if (!scratch.ok()) return 1;
  std::vector<double> times;
  backend.begin_run(threads);
  for (const auto start = Clock::now();
       times.size() < 10 ||
       (times.size() < 400 && Clock::now() - start < std::chrono::milliseconds(300));) {
    const auto begin = Clock::now();
    (*step)->run(plan->state.get(), src.data.data(), dst.data.data(), scratch->data());
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
  }
  backend.end_run();
  std::sort(times.begin(), times.end());
  const double best = times.front(), median = times[times.size() / 2];
  const double gather_bytes = std::strcmp(bench.name, "gather") == 0
                                  ? 2.0 * static_cast<double>(dst.bytes)
                                  : static_cast<double>(src.bytes + dst.bytes);
  std::printf("%-16s %-14s %9.1f us %9.1f us %7.2f GB/s\n", bench.name,
              std::string((*step)->kernel_name()).c_str(), best, median, gather_bytes / best / 1e3);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 2;
  const char* filter = argc > 2 ? argv[2] : "";
  const auto target = graft::backends::detect_target("");
  if (!target.ok()) return std::fprintf(stderr, "%s\n", target.status().message().c_str()), 1;
  int failed = 0;
  for (const BenchOp& op : bench_ops()) {
    if (std::strstr(op.name, filter)) failed += run(op, *target, threads);
  }
  return failed != 0;
}
