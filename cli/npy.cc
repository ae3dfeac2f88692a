#include "npy.h"

#include <cstring>
#include <string_view>

namespace graft::cli {
namespace {

struct Descr {
  const char* text;
  DType dtype;
};
constexpr Descr kDescrs[] = {
    {"<f4", DType::kFloat},    {"<f8", DType::kDouble}, {"<f2", DType::kHalf},
    {"<i4", DType::kInt32},    {"<i8", DType::kInt64},  {"<i2", DType::kInt16},
    {"|i1", DType::kInt8},     {"|u1", DType::kUint8},  {"<u2", DType::kUint16},
    {"<u4", DType::kUint32},   {"<u8", DType::kUint64}, {"|b1", DType::kBool},
    {"<V2", DType::kBfloat16},  // how NumPy spells the bfloat16 of ml_dtypes
};

// The text after "'key':" up to the end of its value.
std::string_view field(std::string_view header, std::string_view key) {
  const std::string quoted = "'" + std::string(key) + "':";
  size_t at = header.find(quoted);
  if (at == std::string_view::npos) return {};
  at += quoted.size();
  while (at < header.size() && header[at] == ' ') ++at;
  const size_t end = header.find(header[at] == '(' ? ')' : ',', at);
  return header.substr(at, end == std::string_view::npos ? end : end - at);
}

}  // namespace

Result<HostTensor> parse_npy(std::span<const std::byte> bytes, const std::string& what) {
  const auto bad = [&](const std::string& why) { return invalid_argument(what + ": " + why); };
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (all.size() < 12 || all.substr(0, 6) != std::string_view("\x93NUMPY", 6))
    return bad("not a .npy file");
  const int major = static_cast<uint8_t>(all[6]);
  uint32_t header_bytes = static_cast<uint8_t>(all[8]) | static_cast<uint8_t>(all[9]) << 8;
  size_t offset = 10;
  if (major >= 2) {
    std::memcpy(&header_bytes, all.data() + 8, 4);
    offset = 12;
  }
  if (header_bytes > all.size() - offset) return bad("the header is cut off");
  const std::string_view header = all.substr(offset, header_bytes);
  HostTensor tensor;
  const std::string_view descr = field(header, "descr");
  for (const Descr& d : kDescrs)
    if (descr.find(d.text) != std::string_view::npos) tensor.dtype = d.dtype;
  if (tensor.dtype == DType::kInvalid) return bad("dtype " + std::string(descr) + " cannot be fed");
  if (field(header, "fortran_order") != "False")
    return bad("Fortran order; save it with order='C'");
  const std::string_view shape = field(header, "shape");
  if (shape.empty()) return bad("no shape in the header");
  uint64_t size_bytes = dtype_size(tensor.dtype);
  for (size_t i = 0; i < shape.size();) {
    if (shape[i] < '0' || shape[i] > '9') {
      ++i;
      continue;
    }
    int64_t dim = 0;
    for (; i < shape.size() && shape[i] >= '0' && shape[i] <= '9'; ++i)
      if (__builtin_mul_overflow(dim, int64_t{10}, &dim) ||
          __builtin_add_overflow(dim, shape[i] - '0', &dim))
        return bad("the shape overflows");
    tensor.dims.push_back(dim);
    if (__builtin_mul_overflow(size_bytes, static_cast<uint64_t>(dim), &size_bytes))
      return bad("the shape overflows");
  }
  const std::string_view data = all.substr(offset + header_bytes);
  if (data.size() != size_bytes)
    return bad("holds " + std::to_string(data.size()) + " bytes, its shape needs " +
               std::to_string(size_bytes));
  tensor.bytes.resize(data.size());
  std::memcpy(tensor.bytes.data(), data.data(), data.size());
  return tensor;
}

std::vector<std::byte> to_npy(const HostTensor& tensor) {
  std::string descr = "|u1";
  for (const Descr& d : kDescrs)
    if (d.dtype == tensor.dtype) descr = d.text;
  std::string header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (";
  for (int64_t d : tensor.dims) header += std::to_string(d) + ",";
  header += "), }";
  while ((10 + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::string out("\x93NUMPY\x01\x00", 8);
  out += static_cast<char>(header.size() & 0xff);
  out += static_cast<char>(header.size() >> 8);
  out += header;
  std::vector<std::byte> bytes(out.size() + tensor.bytes.size());
  std::memcpy(bytes.data(), out.data(), out.size());
  if (!tensor.bytes.empty())
    std::memcpy(bytes.data() + out.size(), tensor.bytes.data(), tensor.bytes.size());
  return bytes;
}

}  // namespace graft::cli
