// No allocation in Engine::run after the first of a shape, seen from malloc itself: this binary
// interposes the whole family, so that no allocator of the library, of the C++ run time or of a
// worker thread goes unseen.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <vector>

#include "graft/engine.h"
#include "graft/files.h"

namespace {
std::atomic<bool> g_counting{false};
std::atomic<int64_t> g_calls{0};

void count() {
  if (g_counting.load(std::memory_order_relaxed)) g_calls.fetch_add(1, std::memory_order_relaxed);
}
}  // namespace

extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);

void* malloc(size_t size) {
  count();
  return __libc_malloc(size);
}
void* calloc(size_t n, size_t size) {
  count();
  return __libc_calloc(n, size);
}
void* realloc(void* p, size_t size) {
  count();
  return __libc_realloc(p, size);
}
void* memalign(size_t alignment, size_t size) {
  count();
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
  count();
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** out, size_t alignment, size_t size) {
  count();
  *out = __libc_memalign(alignment, size);
  return *out == nullptr ? ENOMEM : 0;
}
void free(void* p) {
  if (p != nullptr) count();
  __libc_free(p);
}
}

namespace graft {
namespace {

class FixedSink final : public OutputSink {
 public:
  void* allocate(int, DType, std::span<const int64_t>, size_t size_bytes) override {
    return size_bytes <= sizeof memory_ ? memory_ : nullptr;
  }

 private:
  alignas(64) std::byte memory_[1 << 16];
};

TEST(EngineMalloc, the_counter_sees_malloc) {
  g_calls = 0;
  g_counting = true;
  std::vector<int>* volatile v = new std::vector<int>(1000);
  g_counting = false;
  delete v;
  EXPECT_GE(g_calls.load(), 2);
}

// Calls of the family in twenty runs at two batches, after a first run of each. Inputs are zeros.
int64_t calls_in_runs(Engine& engine) {
  FixedSink sink;
  constexpr int64_t kBatches[] = {1, 4};
  std::vector<std::vector<std::byte>> memory;
  std::vector<std::vector<int64_t>> dims;
  std::vector<TensorRef> feeds[2];
  const size_t inputs = engine.inputs().size();
  memory.reserve(2 * inputs);
  dims.reserve(2 * inputs);
  for (int b : {0, 1})
    for (const TensorSpec& spec : engine.inputs()) {
      dims.push_back(spec.dims);
      size_t size_bytes = dtype_size(spec.dtype);
      for (int64_t& d : dims.back()) size_bytes *= static_cast<size_t>(d = d < 0 ? kBatches[b] : d);
      memory.emplace_back(size_bytes);
      feeds[b].push_back({spec.dtype, dims.back(), memory.back().data(), size_bytes});
    }
  for (const auto& feed : feeds) EXPECT_TRUE(engine.run(feed, sink).ok());
  g_calls = 0;
  g_counting = true;
  bool ok = true;
  for (int i = 0; i < 20; ++i) ok = ok && engine.run(feeds[i % 2], sink).ok();
  g_counting = false;
  EXPECT_TRUE(ok);
  return g_calls.load();
}

// The plan of a small residual network (convolutions, pooling, mean, dense), or that which
// GRAFT_MALLOC_PLAN names (benchmarks/footprint.py: large networks); 1 and 3 threads.
TEST(EngineMalloc, run_allocates_nothing_after_the_first_of_a_shape) {
  const char* named = std::getenv("GRAFT_MALLOC_PLAN");
  auto plan = read_file(
      named != nullptr ? std::string(named) : GRAFT_TEST_DATA "/golden/plans/v1_toy_resnet.grft",
      int64_t{1} << 31);
  ASSERT_TRUE(plan.ok()) << plan.status().message();
  for (int threads : {1, 3}) {
    EngineOptions options;
    options.threads = threads;
    auto engine = Engine::load(*plan, options);
    ASSERT_TRUE(engine.ok()) << engine.status().message();
    EXPECT_EQ(calls_in_runs(**engine), 0) << threads << " threads";
  }
}

}  // namespace
}  // namespace graft
