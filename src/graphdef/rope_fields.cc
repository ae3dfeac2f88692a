#include "graphdef/rope_fields.h"

#include "graphdef/pb.h"
#include "graphdef/wire.h"

namespace graft::graphdef {

void append_head(Rope& out, uint32_t number, size_t size_bytes) {
  char head[2 * protozero::max_varint_length];
  const int key = protozero::write_varint(head, uint64_t{bytes_key(number)});
  const int length = protozero::write_varint(head + key, uint64_t{size_bytes});
  out.append_copy(as_bytes({head, static_cast<size_t>(key + length)}));
}

void append_text(Rope& out, uint32_t number, std::string_view payload) {
  append_head(out, number, payload.size());
  out.append_copy(as_bytes(payload));
}

void append_field(Rope& out, uint32_t number, const Rope& payload) {
  append_head(out, number, payload.size());
  out.append(payload);
}

}  // namespace graft::graphdef
