// The generated FlatBuffers accessors, with their asserts turned into InternalError in every build.
#pragma once

#include "base/check.h"

#ifdef FLATBUFFERS_ASSERT
#error "include engine/plan/schema.h before any FlatBuffers header"
#endif
#define FLATBUFFERS_ASSERT(cond) GRAFT_CHECK(cond)
#include "plan_generated.h"
