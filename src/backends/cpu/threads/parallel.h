// parallel_for: how kernels use the process-wide pool. Inside a run (Backend::begin_run) the calling thread has a team; outside
// one, everything runs on the caller. No allocation.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

namespace graft::cpu {

// Number of threads of the calling thread's team, the caller included; 1 outside a run.
int team_size();

// Calls task(context, i) for every i in [0, tasks), spread over the team; returns when all are done. The first exception of a
// task is rethrown here. Task i runs on worker i % team_size() when tasks <= team_size().
void parallel_tasks(int64_t tasks, void (*task)(void* context, int64_t i), void* context);

template <typename Fn>
void parallel_for(int64_t tasks, Fn&& fn) {
  using F = std::remove_reference_t<Fn>;
  parallel_tasks(
      tasks, [](void* context, int64_t i) { (*static_cast<F*>(context))(i); },
      const_cast<void*>(static_cast<const void*>(std::addressof(fn))));
}

// Joins the pool / leaves it; used by the CPU backend's begin_run and end_run.
void begin_team(int threads);
void end_team();

// Cores this process may use: affinity mask and cgroup quota, at least 1.
int usable_cores();

}  // namespace graft::cpu
