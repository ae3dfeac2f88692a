#include "interrupt.h"

#include <signal.h>

#include <atomic>
#include <thread>

namespace graft::cli {
namespace {

std::atomic<int> came = 0;

// Never destroyed: the watcher outlives main's end.
std::stop_source& source() {
  static auto* const stop = new std::stop_source;
  return *stop;
}

sigset_t watched() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, number);
  return signals;
}

void die(int number) {
  signal(number, SIG_DFL);
  const sigset_t signals = watched();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  raise(number);
}

void watch() {
  const sigset_t signals = watched();
  for (int number = 0; sigwait(&signals, &number) == 0;) {
    if (came.exchange(number) != 0) die(number);
    source().request_stop();
  }
}

}  // namespace

void watch_for_interrupts() {
  const sigset_t signals = watched();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // threads inherit it
  source();
  std::thread(watch).detach();
}

std::stop_token interrupt_token() { return source().get_token(); }

void die_if_interrupted() {
  if (const int number = came) die(number);
}

}  // namespace graft::cli
