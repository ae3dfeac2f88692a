// The thread pool: every task once, from many callers at once, with exceptions, forks and failing
// helpers.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xmmintrin.h>

#include <atomic>
#include <chrono>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "backends/cpu/threads/parallel.h"
#include "backends/cpu/threads/thread_count.h"

namespace graft::cpu {
namespace {

TEST(ThreadPool, runs_every_task_exactly_once) {
  ThreadPool pool(4);
  EXPECT_EQ(pool.size(), 4);
  ThreadPool::Run run(pool);
  for (const int64_t tasks : {0, 1, 2, 3, 7, 100, 1000}) {
    std::vector<std::atomic<int>> hits(static_cast<size_t>(tasks));
    auto f = [&](int64_t task, int worker) {
      EXPECT_GE(worker, 0);
      EXPECT_LT(worker, run.max_threads());
      hits[static_cast<size_t>(task)].fetch_add(1);
    };
    run.parallel(tasks, ThreadPool::kNoLimit, f);
    for (const auto& h : hits) EXPECT_EQ(h.load(), 1);
  }
}

// More threads than a call has ranges of tasks, and ranges of none, one and several tasks.
TEST(ThreadPool, runs_every_task_exactly_once_on_many_threads) {
  ThreadPool pool(20);
  ThreadPool::Run run(pool);
  for (int64_t tasks = 0; tasks < 70; ++tasks) {
    std::vector<std::atomic<int>> hits(static_cast<size_t>(tasks));
    auto f = [&](int64_t task, int) { hits[static_cast<size_t>(task)].fetch_add(1); };
    run.parallel(tasks, ThreadPool::kNoLimit, f);
    for (const auto& h : hits) ASSERT_EQ(h.load(), 1) << tasks << " tasks";
  }
}

TEST(ThreadPool, workers_of_a_call_have_distinct_indices) {
  ThreadPool pool(4);
  ThreadPool::Run run(pool);
  for (int repeat = 0; repeat < 200; ++repeat) {
    std::atomic<int> inside[4] = {};
    auto f = [&](int64_t, int worker) {
      EXPECT_EQ(inside[worker].fetch_add(1), 0) << "two threads share a worker index";
      for (int i = 0; i < 100; ++i) _mm_pause();
      inside[worker].fetch_sub(1);
    };
    run.parallel(64, ThreadPool::kNoLimit, f);
  }
}

TEST(ThreadPool, uses_helpers) {
  ThreadPool pool(3);
  ThreadPool::Run run(pool);
  // Each task waits for another thread to arrive: with one thread this could not end.
  std::atomic<int> arrived{0};
  auto f = [&](int64_t, int) {
    arrived.fetch_add(1);
    while (arrived.load() < 2) std::this_thread::yield();
  };
  // A helper that is asleep may miss a call; it must not miss all of them.
  std::atomic<bool> helped{false};
  auto probe = [&](int64_t, int worker) {
    if (worker != 0) helped = true;
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  };
  for (int i = 0; i < 1000 && !helped; ++i) run.parallel(4, ThreadPool::kNoLimit, probe);
  ASSERT_TRUE(helped);
  run.parallel(2, ThreadPool::kNoLimit, f);
  EXPECT_GE(arrived.load(), 2);
}

TEST(ThreadPool, max_workers_caps_the_indices) {
  ThreadPool pool(4);
  ThreadPool::Run run(pool, 3);
  EXPECT_EQ(run.max_threads(), 3);
  auto f = [&](int64_t, int worker) { EXPECT_LT(worker, 2); };
  for (int i = 0; i < 100; ++i) run.parallel(50, 2, f);
}

TEST(ThreadPool, M8_an_exception_of_a_task_reaches_the_caller) {
  ThreadPool pool(4);
  ThreadPool::Run run(pool);
  for (int bad = 0; bad < 20; ++bad) {
    auto f = [&](int64_t task, int) {
      if (task == bad) throw std::runtime_error("task " + std::to_string(bad));
      std::this_thread::yield();
    };
    try {
      run.parallel(20, ThreadPool::kNoLimit, f);
      ADD_FAILURE() << "no exception";
    } catch (const std::runtime_error& e) {
      EXPECT_EQ(std::string(e.what()), "task " + std::to_string(bad));
    }
  }
  std::atomic<int> done{0};
  auto count = [&](int64_t, int) { done.fetch_add(1); };
  run.parallel(50, ThreadPool::kNoLimit, count);
  EXPECT_EQ(done.load(), 50);
}

TEST(ThreadPool, M1_sixteen_callers_at_once) {
  ThreadPool pool(4);
  std::vector<std::thread> callers;
  std::atomic<int64_t> sum{0};
  for (int c = 0; c < 16; ++c) {
    callers.emplace_back([&] {
      for (int repeat = 0; repeat < 20; ++repeat) {
        ThreadPool::Run run(pool);
        int64_t own[16] = {};  // by worker: a clash would lose counts (and is a race for TSan)
        auto f = [&](int64_t task, int worker) { own[worker] += task; };
        for (int layer = 0; layer < 10; ++layer) run.parallel(30, 4, f);
        for (const int64_t v : own) sum += v;
      }
    });
  }
  for (auto& t : callers) t.join();
  EXPECT_EQ(sum.load(), 16 * 20 * 10 * (29 * 30 / 2));
}

TEST(ThreadPool, a_call_inside_a_task_is_serial) {
  ThreadPool pool(3);
  ThreadPool::Run run(pool);
  std::atomic<int> inner{0};
  auto outer = [&](int64_t, int) {
    const auto id = std::this_thread::get_id();
    auto f = [&](int64_t, int worker) {
      EXPECT_EQ(worker, 0);
      EXPECT_EQ(std::this_thread::get_id(), id);
      inner.fetch_add(1);
    };
    run.parallel(5, ThreadPool::kNoLimit, f);
  };
  run.parallel(8, ThreadPool::kNoLimit, outer);
  EXPECT_EQ(inner.load(), 40);
}

TEST(ThreadPool, every_computing_thread_flushes_denormals_and_the_caller_is_restored) {
  _mm_setcsr(kExactMxcsr);
  {
    ThreadPool pool(3);
    ThreadPool::Run run(pool);
    auto f = [&](int64_t, int) { EXPECT_EQ(_mm_getcsr() & ~0x3fu, kComputeMxcsr); };
    for (int i = 0; i < 50; ++i) run.parallel(16, ThreadPool::kNoLimit, f);
  }
  EXPECT_EQ(_mm_getcsr() & ~0x3fu, kExactMxcsr);
}

TEST(ThreadPool, helpers_that_slept_come_back) {
  ThreadPool pool(2);
  for (int i = 0; i < 5; ++i) {
    ThreadPool::Run run(pool);
    std::atomic<bool> helped{false};
    auto f = [&](int64_t, int worker) {
      if (worker == 1) helped = true;
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    };
    for (int r = 0; r < 1000 && !helped; ++r) run.parallel(4, 2, f);
    EXPECT_TRUE(helped);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

TEST(ThreadPool, grows_and_never_shrinks) {
  ThreadPool pool(1);
  EXPECT_EQ(pool.size(), 1);
  pool.grow(3);
  EXPECT_EQ(pool.size(), 3);
  pool.grow(2);
  EXPECT_EQ(pool.size(), 3);
}

TEST(ParallelFor, nests_and_is_serial_outside_a_run) {
  EXPECT_EQ(current_run(), nullptr);
  int64_t sum = 0;
  parallel_for(10, 4, [&](int64_t task, int worker) {
    EXPECT_EQ(worker, 0);
    sum += task;
  });
  EXPECT_EQ(sum, 45);
  begin_run(2);
  begin_run(1);
  end_run();
  EXPECT_NE(current_run(), nullptr);
  std::atomic<int64_t> total{0};
  parallel_for(100, 2, [&](int64_t task, int) { total += task; });
  EXPECT_EQ(total.load(), 4950);
  end_run();
  EXPECT_EQ(current_run(), nullptr);
}

TEST(ParallelFor, M7_works_in_a_forked_child) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer ends a forked child that starts threads";
#endif
  begin_run(2);
  parallel_for(10, 2, [](int64_t, int) {});
  end_run();
  const pid_t child = fork();
  if (child == 0) {
    std::atomic<int64_t> total{0};
    begin_run(2);
    for (int i = 0; i < 20; ++i) parallel_for(100, 2, [&](int64_t task, int) { total += task; });
    end_run();
    _exit(total.load() == 20 * 4950 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(ThreadCount, variable_wins_and_bad_values_are_left_out) {
  const int cores = usable_cores();
  EXPECT_GE(cores, 1);
  const char* old = getenv("GRAFT_THREADS");
  const std::string saved = old ? old : "";
  setenv("GRAFT_THREADS", "3", 1);
  EXPECT_EQ(default_thread_count(), 3);
  for (const char* bad : {"", "0", "-1", "two", "2x", "99999999999"}) {
    setenv("GRAFT_THREADS", bad, 1);
    EXPECT_EQ(default_thread_count(), cores) << bad;
  }
  if (old) {
    setenv("GRAFT_THREADS", saved.c_str(), 1);
  } else {
    unsetenv("GRAFT_THREADS");
  }
}

}  // namespace
}  // namespace graft::cpu
