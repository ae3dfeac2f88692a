#include <atomic>
#include <chrono>
#include <cmath>
#include <thread>

#include "backends/backend.h"
#include "engine/lower/registry.h"
#include "op_samples.h"

namespace graft::engine {
namespace {

using namespace engine_testing;

// A few layers with a symbolic batch: conv, pool, matmul, softmax.
ir::Network small_cnn() {
  Builder b;
  const auto x = b.input("x", DType::kFloat, {-1, 9, 9, 8});
  ir::ConvAttrs conv;
  conv.padding = ir::Padding::kSame;
  conv.has_bias = true;
  conv.act = {ir::UnaryFn::kRelu, 0, 0};
  const auto c =
      b.op(conv, {x, b.floats("w", {3, 3, 8, 16}, -1, 0.02f), b.floats("bias", {16}, -1)}, "conv");
  ir::PoolAttrs pool;
  pool.ksize = pool.strides = {2, 2};
  const auto p = b.op(pool, {c}, "pool");
  const auto f = b.op(ir::ReshapeAttrs{}, {p, b.ints("shape", {-1, 4 * 4 * 16})}, "flat");
  const auto m = b.op(ir::MatMulAttrs{}, {f, b.floats("w2", {256, 10}, -0.5f, 0.01f)}, "dense");
  b.output(b.op(ir::SoftmaxAttrs{}, {m}, "probs"));
  b.output(m);
  return std::move(b.network);
}

Tensor<float> image(int64_t batch, int seed) {
  Tensor<float> t = ramp({batch, 9, 9, 8}, 0, 0.01f);
  for (size_t i = 0; i < t.elems.size(); ++i)
    t.elems[i] += static_cast<float>((i * 7 + seed * 13) % 31) * 0.02f;
  return t;
}

std::vector<float> logits(Engine& engine, const Tensor<float>& x) {
  Collect out;
  const TensorRef ref = x.ref();
  const Status status = engine.run({&ref, 1}, out);
  EXPECT_TRUE(status.ok()) << status.message();
  return status.ok() ? out.get<float>(1) : std::vector<float>{};
}

std::shared_ptr<Engine> load_cpu(int threads) {
  EngineOptions options;
  options.threads = threads;
  auto engine = Engine::load(must_write(small_cnn()).bytes, options);
  EXPECT_TRUE(engine.ok()) << engine.status().message();
  return engine.ok() ? *engine : nullptr;
}

TEST(EngineThreads, same_bits_for_one_to_four_threads) {
  const Tensor<float> x = image(5, 1);
  const auto one = logits(*load_cpu(1), x);
  ASSERT_EQ(one.size(), 50u);
  for (int threads : {2, 3, 4})
    EXPECT_EQ(logits(*load_cpu(threads), x), one) << threads << " threads";
}

TEST(EngineThreads, agrees_with_the_reference_evaluator) {
  const Tensor<float> x = image(3, 2);
  EngineOptions options;
  options.reference_only = true;
  auto reference = Engine::load(must_write(small_cnn()).bytes, options);
  ASSERT_TRUE(reference.ok()) << reference.status().message();
  const auto expected = logits(**reference, x), got = logits(*load_cpu(2), x);
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i)
    EXPECT_NEAR(got[i], expected[i], 1e-5f * (1 + std::abs(expected[i]))) << i;
}

TEST(EngineThreads, M1_sixteen_threads_with_mixed_shapes_give_the_serial_bits) {
  auto engine = load_cpu(2);
  std::vector<Tensor<float>> feeds;
  std::vector<std::vector<float>> expected;
  for (int i = 0; i < 5; ++i) {
    feeds.push_back(image(1 + i % 3, i));
    expected.push_back(logits(*engine, feeds.back()));
  }
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 16; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 20; ++i) {
          const size_t k = static_cast<size_t>(t + i) % feeds.size();
          if (logits(*engine, feeds[k]) != expected[k]) ++wrong;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
}

// Counts how many steps are made.
class CountingBackend final : public backends::Backend {
 public:
  std::string_view name() const override { return "counting"; }
  Result<std::unique_ptr<backends::Step>> create_step(
      const backends::Problem& problem, std::vector<backends::Refusal>*) const override {
    ++created;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return backends::create_reference_step(problem);
  }
  bool has_kernel(const backends::Problem&) const override { return false; }
  void begin_run(int) const override {}
  void end_run() const override {}
  mutable std::atomic<int> created{0};
};

TEST(EngineThreads, M2_concurrent_first_loads_build_once_and_share) {
  static const CountingBackend backend;
  const auto plan = must_write(small_cnn()).bytes;
  std::vector<std::shared_ptr<Engine>> engines(16);
  {
    std::vector<std::jthread> threads;
    for (auto& engine : engines) {
      threads.emplace_back([&] {
        auto loaded = load_engine(plan, {}, backend);
        if (loaded.ok()) engine = *loaded;
      });
    }
  }
  for (const auto& engine : engines) ASSERT_NE(engine, nullptr);
  EXPECT_EQ(backend.created, 4);  // conv, pool, dense, softmax
  engines.clear();
  EXPECT_TRUE(load_engine(plan, {}, backend).ok());
  EXPECT_EQ(backend.created, 8);  // nobody held it any more
}

TEST(EngineThreads, M3_two_models_of_equal_names_and_other_weights_are_apart) {
  Builder a, b;
  for (Builder* builder : {&a, &b}) {
    const auto x = builder->input("x", DType::kFloat, {1, 4});
    builder->output(builder->binary(ir::BinaryFn::kMul, x,
                                    builder->floats("w", {4}, builder == &a ? 1 : 2), "y"));
  }
  auto first = must_load(a.network), second = must_load(b.network);
  EXPECT_NE(first->identity(), second->identity());
  const Tensor<float> x = ramp({1, 4}, 1);
  Collect ya, yb;
  const TensorRef ref = x.ref();
  ASSERT_TRUE(first->run({&ref, 1}, ya).ok() && second->run({&ref, 1}, yb).ok());
  EXPECT_NE(ya.get<float>(0), yb.get<float>(0));
}

}  // namespace
}  // namespace graft::engine
