// protozero with its assertions turned into InternalError in every build. Include this, never
// <protozero/...> directly.
#pragma once

#include "base/check.h"

#ifdef protozero_assert
#undef protozero_assert  // a header of protozero came first: its own assert() would abort
#endif

#define protozero_assert(x) \
  ((x) ? static_cast<void>(0) : ::graft::throw_internal_error(__FILE__, __LINE__, "protozero: " #x))
#include <protozero/pbf_writer.hpp>
#include <protozero/varint.hpp>
