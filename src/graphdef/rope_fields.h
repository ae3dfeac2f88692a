// Fields of protobuf messages that are put together as ropes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "graft/rope.h"

namespace graft::graphdef {

// Key and length of a field of `size_bytes` bytes, which the caller appends.
void append_head(Rope& out, uint32_t number, size_t size_bytes);
void append_text(Rope& out, uint32_t number, std::string_view payload);  // copied
void append_field(Rope& out, uint32_t number, const Rope& payload);

}  // namespace graft::graphdef
