// FieldReader: walks the fields of one protobuf message without copying. Unlike protozero's reader
// it skips groups (unknown fields may hold them) and knows byte offsets and the raw bytes of a
// field.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

namespace graft::graphdef {

using Bytes = std::span<const std::byte>;

enum class Wire : uint32_t {
  kVarint = 0,
  kFixed64 = 1,
  kBytes = 2,
  kStartGroup = 3,
  kEndGroup = 4,
  kFixed32 = 5
};

// Field number and wire type as one number, to switch over: a known number with a wrong wire type
// is an unknown field.
constexpr uint32_t field_key(uint32_t number, Wire wire) {
  return number << 3 | static_cast<uint32_t>(wire);
}
constexpr uint32_t bytes_key(uint32_t number) { return field_key(number, Wire::kBytes); }
constexpr uint32_t varint_key(uint32_t number) { return field_key(number, Wire::kVarint); }
constexpr uint32_t fixed32_key(uint32_t number) { return field_key(number, Wire::kFixed32); }
constexpr uint32_t fixed64_key(uint32_t number) { return field_key(number, Wire::kFixed64); }

inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// while (reader.next()) switch (reader.key()) {...}
// GRAFT_RETURN_IF_ERROR(reader.status());
class FieldReader {
 public:
  // `origin`: where byte offset 0 of error texts is; nullptr: the message's first byte.
  explicit FieldReader(Bytes message, const std::byte* origin = nullptr)
      : pos_(message.data()),
        end_(message.data() + message.size()),
        origin_(origin ? origin : message.data()) {}

  // Reads one field; false at the end and at malformed bytes (then status() is not ok).
  bool next();
  Status status() const { return status_; }

  uint32_t key() const { return key_; }
  uint64_t varint() const { return value_; }  // of kVarint, kFixed64 and kFixed32 fields
  int32_t int32() const { return static_cast<int32_t>(value_); }
  float float32() const { return std::bit_cast<float>(static_cast<uint32_t>(value_)); }
  Bytes bytes() const { return payload_; }  // of kBytes fields
  std::string_view text() const { return as_text(payload_); }
  Bytes raw() const { return raw_; }  // key, length and payload
  const std::byte* origin() const { return origin_; }

 private:
  bool fail(const char* what, const std::byte* where);
  bool read_varint(uint64_t& value);
  bool read_value(Wire wire);
  bool skip_group(uint32_t number);

  const std::byte* pos_;
  const std::byte* end_;
  const std::byte* origin_;
  uint32_t key_ = 0;
  uint64_t value_ = 0;
  Bytes payload_, raw_;
  Status status_;
};

// Calls fn(uint64_t) for each varint of a packed field.
template <typename Fn>
Status for_each_varint(Bytes packed, const std::byte* origin, Fn&& fn);

// Reads one varint at *pos; false when it is longer than ten bytes or runs past the end.
bool decode_varint(const std::byte*& pos, const std::byte* end, uint64_t& value);
Status bad_varint(const std::byte* where, const std::byte* origin);
// Number of varints in a packed field: bytes without a continuation bit.
size_t count_varints(Bytes packed);

template <typename Fn>
Status for_each_varint(Bytes packed, const std::byte* origin, Fn&& fn) {
  const std::byte* pos = packed.data();
  const std::byte* const end = pos + packed.size();
  while (pos != end) {
    uint64_t value;
    const std::byte* const start = pos;
    if (!decode_varint(pos, end, value)) return bad_varint(start, origin);
    fn(value);
  }
  return ok_status();
}

}  // namespace graft::graphdef
