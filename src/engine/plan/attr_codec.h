// Op attributes <-> (name, ints, floats) triples, through the `visit` functions of ir/attrs.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "ir/network.h"

namespace graft::engine {

// Bool, integer, enum, dtype and list fields fill `ints`, float fields `floats`, an Activation
// both.
struct AttrField {
  std::string name;
  std::vector<int64_t> ints;
  std::vector<float> floats;
};

// The fields that differ from default_attrs of the same kind, in the order of `visit`.
std::vector<AttrField> encode_attrs(const ir::Attrs& attrs);

// Sets one field. PlanError for an unknown name, a wrong count, an enum or dtype out of range, or a
// NaN.
Status decode_attr(ir::Attrs& attrs, std::string_view name, std::span<const int64_t> ints,
                   std::span<const float> floats);

}  // namespace graft::engine
