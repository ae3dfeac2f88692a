// Limits: every cap that bounds what untrusted bytes may cost, in one place.
#pragma once

#include <cstdint>

namespace graft {

struct Limits {
  int64_t max_graph_bytes = (int64_t{1} << 31) - 1;  // protobuf's own limit
  int64_t max_nodes = 20'000'000;
  int64_t max_name_bytes = 1 << 16;
  int max_rank = 8;  // of a tensor in an engine
  int max_proto_depth = 100;
  int64_t max_attr_list = 1'000'000;  // elements of a list attribute
  int64_t max_tensor_elems = int64_t{1} << 40;
  int64_t max_folded_bytes = int64_t{64} << 20;  // per value made by constant folding
  int64_t max_plan_bytes = int64_t{1} << 40;
  int64_t max_arena_bytes = int64_t{1} << 40;
  int64_t max_functions_inlined = 100'000;  // nodes added by inlining calls
};

}  // namespace graft
