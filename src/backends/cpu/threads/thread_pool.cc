#include "backends/cpu/threads/thread_pool.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

#include "backends/cpu/threads/thread_count.h"
#include "base/fault.h"

namespace graft::cpu {
namespace {

constexpr int kMaxThreads = 512;
constexpr int64_t kSpinNs = 2'000'000;  // a sleeping helper costs about 50 us to wake

thread_local bool inside_task = false;

int64_t now_ns() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * int64_t{1'000'000'000} + t.tv_nsec;
}

// Neighbouring tasks, claimed one by one.
struct alignas(64) Range {
  std::atomic<int64_t> next{0};
  int64_t end = 0;
};
constexpr int kMaxRanges = 16;

// One call of `parallel`, on the caller's stack. Each thread begins with the range of its own place
// in the pool, so that from layer to layer it finds in its cache what it wrote, and then takes what
// the others have left.
struct Job {
  ThreadPool::TaskFn fn;
  void* context;
  int num_ranges;
  Range ranges[kMaxRanges];
  std::atomic<int> worker_ids{1};
  std::atomic<int> finished{0};
  std::atomic<bool> failed{false};
  std::exception_ptr error{};  // written by the one that set `failed`, read after all finished

  Job(ThreadPool::TaskFn task_fn, void* task_context, int64_t num_tasks, int64_t threads)
      : fn(task_fn), context(task_context) {
    num_ranges = static_cast<int>(threads < kMaxRanges ? threads : kMaxRanges);
    int64_t begin = 0;
    for (int i = 0; i < num_ranges; ++i) {
      ranges[i].next.store(begin, std::memory_order_relaxed);
      begin += num_tasks / num_ranges + (i < num_tasks % num_ranges);
      ranges[i].end = begin;
    }
  }

  // place: of the thread in the pool, 0 for the caller.
  void work(int worker, int place) {
    for (int i = 0; i < num_ranges; ++i) {
      Range& range = ranges[(place + i) % num_ranges];
      for (;;) {
        if (failed.load(std::memory_order_relaxed)) return;
        const int64_t task = range.next.fetch_add(1, std::memory_order_relaxed);
        if (task >= range.end) break;
        try {
          fn(context, task, worker);
        } catch (...) {
          if (!failed.exchange(true)) error = std::current_exception();
          return;
        }
      }
    }
  }
};

// A helper thread's mailbox. idle: null; offered: a job; taken: kBusy until the helper is done.
struct alignas(64) Helper {
  std::atomic<Job*> slot{nullptr};
  std::atomic<bool> sleeping{false};
  std::mutex mutex;
  std::condition_variable wake;
  std::thread thread;

  void notify() {
    if (!sleeping.load(std::memory_order_seq_cst)) return;
    std::lock_guard<std::mutex> lock(mutex);
    wake.notify_one();
  }
};
Job* const kBusy = reinterpret_cast<Job*>(1);

}  // namespace

struct ThreadPool::Impl {
  std::atomic<int> active_runs{0};
  std::atomic<int> helpers{0};
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> wake_epoch{0};
  std::mutex grow_mutex;
  std::unique_ptr<Helper> helper[kMaxThreads];

  int size() const { return helpers.load(std::memory_order_acquire) + 1; }

  void grow(int threads) {
    std::lock_guard<std::mutex> lock(grow_mutex);
    int n = helpers.load(std::memory_order_relaxed);
    for (; n + 1 < threads && n < kMaxThreads; ++n) {
      try {
        helper[n] = std::make_unique<Helper>();
        Helper* h = helper[n].get();
        h->thread = std::thread([this, h, place = n + 1] { loop(*h, place); });
      } catch (const std::system_error&) {
        break;
      } catch (const std::bad_alloc&) {
        break;
      }
      helpers.store(n + 1, std::memory_order_release);
    }
  }

  // Until work is offered, the pool stops or a first run begins after `epoch` was read.
  void sleep(Helper& h, uint64_t epoch) {
    std::unique_lock<std::mutex> lock(h.mutex);
    h.sleeping.store(true, std::memory_order_seq_cst);
    h.wake.wait(lock, [&] {
      return h.slot.load(std::memory_order_seq_cst) != nullptr ||
             stop.load(std::memory_order_seq_cst) ||
             wake_epoch.load(std::memory_order_seq_cst) != epoch;
    });
    h.sleeping.store(false, std::memory_order_relaxed);
  }

  void loop(Helper& h, int place) {
    _mm_setcsr(kComputeMxcsr);
    inside_task = true;
    int64_t idle_since = now_ns();
    for (int spins = 1; !stop.load(std::memory_order_relaxed); ++spins) {
      Job* job = h.slot.load(std::memory_order_acquire);
      if (job != nullptr && h.slot.compare_exchange_strong(job, kBusy)) {
        job->work(job->worker_ids.fetch_add(1, std::memory_order_relaxed), place);
        h.slot.store(nullptr, std::memory_order_release);
        job->finished.fetch_add(1, std::memory_order_release);  // the job may be gone after this
        spins = 0;
        idle_since = now_ns();
        continue;
      }
      _mm_pause();
      if (spins % 64 != 0) continue;
      const uint64_t epoch = wake_epoch.load(std::memory_order_seq_cst);
      if (active_runs.load(std::memory_order_seq_cst) == 0 || now_ns() - idle_since > kSpinNs) {
        sleep(h, epoch);
        idle_since = now_ns();
      }
    }
  }

  // Helpers that slept are woken ahead of the first layer.
  void begin() {
    const int before = active_runs.fetch_add(1, std::memory_order_seq_cst);
    if (before != 0) return;
    const int n = helpers.load(std::memory_order_acquire);
    wake_epoch.fetch_add(1, std::memory_order_seq_cst);
    for (int i = 0; i < n; ++i) helper[i]->notify();
  }
  void end() { active_runs.fetch_sub(1, std::memory_order_seq_cst); }

  void parallel(int max_threads, int64_t num_tasks, TaskFn fn, void* context);
};

void ThreadPool::Impl::parallel(int max_threads, int64_t num_tasks, TaskFn fn, void* context) {
  const int n = helpers.load(std::memory_order_acquire);
  const int runs = active_runs.load(std::memory_order_relaxed);
  int64_t share = (n + 1) / (runs < 1 ? 1 : runs);
  if (share > max_threads) share = max_threads;
  if (share > num_tasks) share = num_tasks;
  if (share <= 1 || inside_task) {
    for (int64_t task = 0; task < num_tasks; ++task) fn(context, task, 0);
    return;
  }
  Job job(fn, context, num_tasks, share);
  int offered = 0;
  int last = 0;  // helpers [0, last) may hold the job
  for (; last < n && offered < share - 1; ++last) {
    Job* idle = nullptr;
    if (helper[last]->slot.load(std::memory_order_relaxed) != nullptr) continue;
    if (helper[last]->slot.compare_exchange_strong(idle, &job, std::memory_order_seq_cst)) {
      ++offered;
      helper[last]->notify();
    }
  }
  inside_task = true;
  job.work(0, 0);
  inside_task = false;
  // Offers not taken up (a helper that is still waking) are withdrawn, so that nobody waits for
  // them.
  int taken = offered;
  for (int i = 0; i < last; ++i) {
    Job* mine = &job;
    if (helper[i]->slot.load(std::memory_order_relaxed) == &job &&
        helper[i]->slot.compare_exchange_strong(mine, nullptr)) {
      --taken;
    }
  }
  for (int spins = 1; job.finished.load(std::memory_order_acquire) != taken; ++spins) {
    if (spins < 20000) {
      _mm_pause();
    } else {
      sched_yield();
    }
  }
  if (job.failed.load(std::memory_order_acquire) && !GRAFT_FAULT(task_exception_lost))
    std::rethrow_exception(job.error);
}

namespace {

// A forked child has no helpers: it gets a fresh pool on first use, and the old one is left behind.
alignas(std::mutex) unsigned char pool_mutex_bytes[sizeof(std::mutex)];
std::mutex& pool_mutex() { return *reinterpret_cast<std::mutex*>(pool_mutex_bytes); }
std::atomic<ThreadPool*> process_pool_ptr{nullptr};

void before_fork() { pool_mutex().lock(); }
void after_fork_parent() { pool_mutex().unlock(); }
void after_fork_child() {
  new (pool_mutex_bytes) std::mutex;
  process_pool_ptr.store(nullptr, std::memory_order_release);
  inside_task = false;
}

}  // namespace

ThreadPool& ThreadPool::process_pool() {
  if (ThreadPool* pool = process_pool_ptr.load(std::memory_order_acquire)) return *pool;
  static const bool ready = [] {
    new (pool_mutex_bytes) std::mutex;
    pthread_atfork(before_fork, after_fork_parent, after_fork_child);
    return true;
  }();
  (void)ready;
  std::lock_guard<std::mutex> lock(pool_mutex());
  ThreadPool* pool = process_pool_ptr.load(std::memory_order_acquire);
  if (pool == nullptr) {
    pool = new ThreadPool(default_thread_count());
    process_pool_ptr.store(pool, std::memory_order_release);
  }
  return *pool;
}

ThreadPool::ThreadPool(int threads) : impl_(new Impl) { impl_->grow(threads); }

ThreadPool::~ThreadPool() {
  impl_->stop.store(true, std::memory_order_seq_cst);
  for (int i = 0; i < impl_->helpers.load(); ++i) {
    {
      std::lock_guard<std::mutex> lock(impl_->helper[i]->mutex);
      impl_->helper[i]->wake.notify_one();
    }
    impl_->helper[i]->thread.join();
  }
  delete impl_;
}

int ThreadPool::size() const { return impl_->size(); }
void ThreadPool::grow(int threads) { impl_->grow(threads); }

ThreadPool::Run::Run(ThreadPool& pool, int max_threads)
    : pool_(pool), max_threads_(max_threads < 1 ? 1 : max_threads) {
  const int size = pool.size();
  if (max_threads_ > size) max_threads_ = size;
  if (max_threads_ > 1)
    pool_.impl_->begin();
  else
    pool_.impl_->active_runs.fetch_add(1, std::memory_order_seq_cst);
}
ThreadPool::Run::~Run() { pool_.impl_->end(); }

void ThreadPool::Run::parallel(int64_t num_tasks, int max_workers, TaskFn fn, void* context) {
  pool_.impl_->parallel(max_workers < max_threads_ ? max_workers : max_threads_, num_tasks, fn,
                        context);
}

}  // namespace graft::cpu
