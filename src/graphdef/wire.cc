#include "graphdef/wire.h"

#include <array>
#include <limits>

#include "graphdef/pb.h"

namespace graft::graphdef {
namespace {
constexpr size_t kMaxGroupDepth = 100;  // protobuf's own limit of nesting
}

bool decode_varint(const std::byte*& pos, const std::byte* end, uint64_t& value) {
  if (pos != end && (std::to_integer<uint8_t>(*pos) & 0x80) == 0) {
    value = std::to_integer<uint8_t>(*pos++);
    return true;
  }
  const char* p = reinterpret_cast<const char*>(pos);
  try {
    value = protozero::decode_varint(&p, reinterpret_cast<const char*>(end));
  } catch (const protozero::exception&) {
    return false;
  }
  pos = reinterpret_cast<const std::byte*>(p);
  return true;
}

Status bad_varint(const std::byte* where, const std::byte* origin) {
  return invalid_graph("malformed protobuf at byte " + std::to_string(where - origin) +
                       ": a number is longer than ten bytes or cut off");
}

size_t count_varints(Bytes packed) {
  size_t count = 0;
  for (std::byte b : packed) count += (std::to_integer<uint8_t>(b) & 0x80) == 0;
  return count;
}

bool FieldReader::fail(const char* what, const std::byte* where) {
  status_ =
      invalid_graph("malformed protobuf at byte " + std::to_string(where - origin_) + ": " + what);
  pos_ = end_;
  return false;
}

bool FieldReader::read_varint(uint64_t& value) {
  const std::byte* const start = pos_;
  if (decode_varint(pos_, end_, value)) return true;
  status_ = bad_varint(start, origin_);
  pos_ = end_;
  return false;
}

bool FieldReader::read_value(Wire wire) {
  const size_t left = static_cast<size_t>(end_ - pos_);
  switch (wire) {
    case Wire::kVarint:
      return read_varint(value_);
    case Wire::kFixed64:
      if (left < 8) return fail("an 8-byte value is cut off", pos_);
      std::memcpy(&value_, pos_, 8);
      pos_ += 8;
      return true;
    case Wire::kFixed32: {
      if (left < 4) return fail("a 4-byte value is cut off", pos_);
      uint32_t value32;
      std::memcpy(&value32, pos_, 4);
      value_ = value32;
      pos_ += 4;
      return true;
    }
    case Wire::kBytes: {
      const std::byte* const start = pos_;
      uint64_t size;
      if (!read_varint(size)) return false;
      if (size > static_cast<uint64_t>(end_ - pos_)) {
        status_ = invalid_graph("malformed protobuf at byte " + std::to_string(start - origin_) +
                                ": a field of " + std::to_string(size) + " bytes starts where " +
                                std::to_string(end_ - pos_) + " are left");
        pos_ = end_;
        return false;
      }
      payload_ = Bytes(pos_, static_cast<size_t>(size));
      pos_ += size;
      return true;
    }
    default:
      return fail("unknown wire type", pos_);
  }
}

bool FieldReader::next() {
  if (pos_ == end_ || !status_.ok()) return false;
  const std::byte* const start = pos_;
  uint64_t tag;
  if (!read_varint(tag)) return false;
  if (tag > std::numeric_limits<uint32_t>::max() || tag >> 3 == 0)
    return fail("no such field number", start);
  key_ = static_cast<uint32_t>(tag);
  payload_ = {};
  value_ = 0;
  const auto wire = static_cast<Wire>(key_ & 7);
  if (wire == Wire::kEndGroup) return fail("a group ends that did not start", start);
  if (wire == Wire::kStartGroup ? !skip_group(key_ >> 3) : !read_value(wire)) return false;
  raw_ = Bytes(start, static_cast<size_t>(pos_ - start));
  return true;
}

bool FieldReader::skip_group(uint32_t number) {
  std::array<uint32_t, kMaxGroupDepth> open;
  size_t depth = 0;
  open[depth++] = number;
  while (depth > 0) {
    const std::byte* const start = pos_;
    uint64_t tag;
    if (pos_ == end_) return fail("a group is cut off", start);
    if (!read_varint(tag)) return false;
    if (tag > std::numeric_limits<uint32_t>::max() || tag >> 3 == 0)
      return fail("no such field number", start);
    const auto wire = static_cast<Wire>(tag & 7);
    if (wire == Wire::kStartGroup) {
      if (depth == kMaxGroupDepth) return fail("nesting of groups is too deep", start);
      open[depth++] = static_cast<uint32_t>(tag >> 3);
    } else if (wire == Wire::kEndGroup) {
      if (open[--depth] != tag >> 3) return fail("a group ends with another's number", start);
    } else if (!read_value(wire)) {
      return false;
    }
  }
  payload_ = {};
  return true;
}

}  // namespace graft::graphdef
