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

// Without those that whoever started the process ignores (nohup, a shell's background jobs): a
// blocked signal reaches sigwait even then.
sigset_t find_watched() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction now;
    if (sigaction(number, nullptr, &now) == 0 && now.sa_handler != SIG_IGN)
      sigaddset(&signals, number);
  }
  return signals;
}

const sigset_t& watched() {
  static const sigset_t signals = find_watched();
  return signals;
}

void die(int number) {
  signal(number, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &watched(), nullptr);
  raise(number);
}

void watch() {
  for (int number = 0; sigwait(&watched(), &number) == 0;) {
    if (came.exchange(number) != 0) die(number);
    source().request_stop();
  }
}

}  // namespace

void watch_for_interrupts() {
  pthread_sigmask(SIG_BLOCK, &watched(), nullptr);  // threads inherit it
  source();
  std::thread(watch).detach();
}

std::stop_token interrupt_token() { return source().get_token(); }

void die_if_interrupted() {
  if (const int number = came) die(number);
}

}  // namespace graft::cli
