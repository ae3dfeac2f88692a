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

// A small residual network (convolutions, pooling, mean, dense) at two batches, 1 and 3 threads.
TEST(EngineMalloc, run_allocates_nothing_after_the_first_of_a_shape) {
  auto plan = read_file(std::string(GRAFT_TEST_DATA) + "/golden/plans/v1_toy_resnet.grft", 1 << 24);
  ASSERT_TRUE(plan.ok()) << plan.status().message();
  for (int threads : {1, 3}) {
    EngineOptions options;
    options.threads = threads;
    auto engine = Engine::load(*plan, options);
    ASSERT_TRUE(engine.ok()) << engine.status().message();
    FixedSink sink;
    std::vector<float> image(4 * 32 * 32 * 3, 0.25f);
    const int64_t small[] = {1, 32, 32, 3}, large[] = {4, 32, 32, 3};
    const TensorRef feeds[] = {{DType::kFloat, small, image.data(), image.size()},
                               {DType::kFloat, large, image.data(), image.size() * 4}};
    for (const TensorRef& feed : feeds) ASSERT_TRUE((*engine)->run({&feed, 1}, sink).ok());
    g_calls = 0;
    g_counting = true;
    bool ok = true;
    for (int i = 0; i < 20; ++i) ok = ok && (*engine)->run({&feeds[i % 2], 1}, sink).ok();
    g_counting = false;
    EXPECT_TRUE(ok);
    EXPECT_EQ(g_calls.load(), 0) << threads << " threads";
  }
}

}  // namespace
}  // namespace graft
