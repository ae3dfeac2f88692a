// Allocation: none in run after the first of a shape; every one may fail and the next try works.
#include <atomic>
#include <cstdlib>
#include <new>

#include "base/alloc.h"
#include "op_samples.h"

namespace {
std::atomic<bool> g_counting{false};
std::atomic<int64_t> g_news{0};
}  // namespace

// Counts what the process allocates by new while g_counting.
void* operator new(size_t size) {
  if (g_counting.load(std::memory_order_relaxed)) g_news.fetch_add(1, std::memory_order_relaxed);
  if (void* p = std::malloc(size ? size : 1)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }

namespace graft::engine {
namespace {

using namespace engine_testing;

ir::Network two_branches() {
  Builder b;
  const auto x = b.input("x", DType::kFloat, {-1, 16});
  const auto w = b.floats("w", {16, 16}, -0.5f, 0.01f);
  const auto m = b.op(ir::MatMulAttrs{}, {x, w}, "m");
  const auto r = b.relu(m, "r");
  const auto s = b.op(ir::SoftmaxAttrs{}, {m}, "s");
  b.output(b.binary(ir::BinaryFn::kAdd, r, s, "y"));
  b.output(m);
  return std::move(b.network);
}

class FixedSink final : public OutputSink {
 public:
  void* allocate(int index, DType, std::span<const int64_t>, size_t size_bytes) override {
    return size_bytes <= sizeof memory_[0] ? memory_[index] : nullptr;
  }

 private:
  alignas(64) std::byte memory_[2][1 << 16];
};

TEST(EngineMemory, run_allocates_nothing_after_the_first_of_a_shape) {
  auto engine = Engine::load(must_write(two_branches()).bytes);
  ASSERT_TRUE(engine.ok()) << engine.status().message();
  const Tensor<float> a = ramp({3, 16}), b = ramp({40, 16});
  const TensorRef refs[] = {a.ref(), b.ref()};
  FixedSink sink;
  for (const TensorRef& ref : refs) ASSERT_TRUE((*engine)->run({&ref, 1}, sink).ok());
  const int64_t buffers = alloc_stats().allocations;
  g_news = 0;
  g_counting = true;
  bool ok = true;
  for (int i = 0; i < 50; ++i) ok = ok && (*engine)->run({&refs[i % 2], 1}, sink).ok();
  g_counting = false;
  EXPECT_TRUE(ok);
  EXPECT_EQ(g_news, 0);
  EXPECT_EQ(alloc_stats().allocations, buffers);
}

// What load prepares: the memory of a run of the batch that the plan is for.
TEST(EngineMemory, the_first_run_finds_its_memory) {
  const auto allocations_of_first_run = [](int64_t rows) {
    auto engine = must_load(two_branches());
    const Tensor<float> x = ramp({rows, 16});
    const TensorRef ref = x.ref();
    FixedSink sink;
    const int64_t before = alloc_stats().allocations;
    EXPECT_TRUE(engine->run({&ref, 1}, sink).ok());
    return alloc_stats().allocations - before;
  };
  EXPECT_EQ(allocations_of_first_run(1), 0);
  EXPECT_GT(allocations_of_first_run(200), 0);
}

TEST(EngineMemory, X1_every_allocation_of_load_may_fail_and_a_retry_works) {
  const auto plan = must_write(two_branches()).bytes;
  int64_t n = 1;
  for (;; ++n) {
    ASSERT_LT(n, 1000);
    const int64_t live = alloc_stats().live_bytes;
    set_alloc_fault(n);
    auto engine = Engine::load(plan);
    set_alloc_fault(0);
    if (engine.ok()) break;
    EXPECT_EQ(engine.status().code(), Code::kResourceExhausted)
        << n << ": " << engine.status().message();
    EXPECT_EQ(alloc_stats().live_bytes, live) << n;
    EXPECT_TRUE(Engine::load(plan).ok()) << n;
  }
  EXPECT_GT(n, 2);
}

TEST(EngineMemory, X1_every_allocation_of_run_may_fail_and_a_retry_works) {
  const Tensor<float> x = ramp({3, 16});
  // A misaligned feed needs one more buffer.
  std::vector<std::byte> room(x.elems.size() * 4 + 1);
  std::memcpy(&room[1], x.elems.data(), x.elems.size() * 4);
  const TensorRef ref{DType::kFloat, x.dims, &room[1], x.elems.size() * 4};
  int64_t n = 1;
  for (;; ++n) {
    ASSERT_LT(n, 1000);
    auto engine = must_load(two_branches());
    FixedSink sink;
    set_alloc_fault(n);
    const Status status = engine->run({&ref, 1}, sink);
    set_alloc_fault(0);
    if (status.ok()) break;
    EXPECT_EQ(status.code(), Code::kResourceExhausted) << status.message();
    EXPECT_TRUE(engine->run({&ref, 1}, sink).ok());
  }
  EXPECT_GT(n, 2);
}

TEST(EngineMemory, X1_sink_without_memory_is_an_error_naming_the_output) {
  auto engine = must_load(two_branches());
  const Tensor<float> x = ramp({4000, 16});
  const TensorRef ref = x.ref();
  FixedSink sink;
  const Status status = engine->run({&ref, 1}, sink);
  EXPECT_EQ(status.code(), Code::kResourceExhausted);
  EXPECT_NE(status.message().find("'y'"), std::string::npos) << status.message();
}

TEST(EngineMemory, L9_I5_sizes_that_cannot_be_are_refused_before_allocating) {
  Builder b;  // [n] -> [n, 2^38] elements
  const auto x = b.input("x", DType::kFloat, {-1, 1});
  b.output(b.op(ir::TileAttrs{}, {x, b.ints("m", {1, 1 << 30})}, "big"));
  auto engine = must_load(b.network);
  const Tensor<float> x1 = ramp({5000, 1});
  const TensorRef ref = x1.ref();
  Collect out;
  const int64_t peak = alloc_stats().peak_bytes;
  const Status status = engine->run({&ref, 1}, out);
  EXPECT_TRUE(status.code() == Code::kResourceExhausted || status.code() == Code::kInvalidArgument)
      << status.message();
  EXPECT_EQ(alloc_stats().peak_bytes, peak);
}

TEST(EngineMemory, plan_bytes_are_not_needed_after_load) {
  auto plan = must_write(two_branches()).bytes;
  auto engine = Engine::load(plan);
  ASSERT_TRUE(engine.ok());
  const Tensor<float> x = ramp({2, 16});
  const TensorRef ref = x.ref();
  Collect before, after;
  ASSERT_TRUE((*engine)->run({&ref, 1}, before).ok());
  std::fill(plan.begin(), plan.end(), std::byte{0xee});
  plan = {};
  ASSERT_TRUE((*engine)->run({&ref, 1}, after).ok());
  EXPECT_EQ(before.get<float>(0), after.get<float>(0));
}

}  // namespace
}  // namespace graft::engine
