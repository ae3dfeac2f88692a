// Status inside the library: the public Status plus the macros that pass it on.
#pragma once

#include "graft/status.h"

#define GRAFT_CONCAT_INNER(a, b) a##b
#define GRAFT_CONCAT(a, b) GRAFT_CONCAT_INNER(a, b)

#define GRAFT_RETURN_IF_ERROR(expr)                                                        \
  do {                                                                                     \
    if (::graft::Status graft_status_ = (expr); !graft_status_.ok()) return graft_status_; \
  } while (0)

// GRAFT_ASSIGN_OR_RETURN(auto graph, parse(bytes));
#define GRAFT_ASSIGN_OR_RETURN(lhs, expr) \
  GRAFT_ASSIGN_OR_RETURN_IMPL(GRAFT_CONCAT(graft_result_, __LINE__), lhs, expr)
#define GRAFT_ASSIGN_OR_RETURN_IMPL(tmp, lhs, expr) \
  auto tmp = (expr);                                \
  if (!tmp.ok()) return tmp.status();               \
  lhs = std::move(tmp).value()
