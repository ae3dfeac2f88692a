// A steady Compute makes a fixed number of small allocations, whatever the tensors' size, and keeps
// none.
#include <atomic>
#include <cstdlib>
#include <new>

#include "tf_host/case_fixture.h"

namespace {
std::atomic<int64_t> news{0}, deletes{0};
}  // namespace

// Sanitizers replace these themselves.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
void* operator new(size_t bytes) {
  news.fetch_add(1);
  if (void* p = std::malloc(bytes == 0 ? 1 : bytes)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept {
  if (p != nullptr) deletes.fetch_add(1);
  std::free(p);
}
void operator delete(void* p, size_t) noexcept { operator delete(p); }

namespace tf_host {
namespace {

class AllocationTest : public PluginTest {};

TEST_F(AllocationTest, steady_compute_allocates_the_same_for_any_size_and_leaks_nothing) {
  const Kernel kernel(node("ok"));
  { const Result first = kernel.run({floats({1}, {1})}); }  // loads the plan
  const auto one_run = [&](const std::vector<Tensor>& x) {
    const int64_t before = news, freed_before = deletes;
    { const Result r = kernel.run(x); }
    EXPECT_EQ(news - before, deletes - freed_before);
    return news - before;
  };
  const std::vector<Tensor> small{floats({1}, {1})},
      large{floats({10000}, std::vector<float>(10000))};
  const int64_t steady = one_run(small);
  EXPECT_EQ(one_run(large), steady);
  EXPECT_EQ(one_run(small), steady);
  EXPECT_LE(steady, 60);  // most of them the host's own
}

}  // namespace
}  // namespace tf_host
#endif
