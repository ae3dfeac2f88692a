// GRAFT_CHECK: an invariant of ours. A failure is our bug: it throws InternalError, which the
// borders (convert, engine, session, Python, TF op) turn into Status kInternal by `guard`. It never
// aborts the host process.
#pragma once

#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "graft/status.h"

namespace graft {

class InternalError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

[[noreturn]] void throw_internal_error(const char* file, int line, const std::string& what);

// Turns the exception in flight into a Status: InternalError -> kInternal, std::bad_alloc ->
// kResourceExhausted, anything else -> kInternal with its what().
Status status_from_current_exception() noexcept;

// Runs fn at a border; fn returns Status or Result<T>.
template <typename Fn>
auto guard(Fn&& fn) noexcept -> decltype(fn()) {
  try {
    return fn();
  } catch (...) {
    return status_from_current_exception();
  }
}

}  // namespace graft

#define GRAFT_CHECK(cond, ...)                                                                 \
  do {                                                                                         \
    if (!(cond))                                                                               \
      ::graft::throw_internal_error(                                                           \
          __FILE__, __LINE__, std::string(#cond) + " " __VA_OPT__(+std::string(__VA_ARGS__))); \
  } while (0)
