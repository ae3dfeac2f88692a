#include "engine/write/storage.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "base/fault.h"
#include "base/half.h"

namespace graft::engine {
namespace {

constexpr int64_t kMinNarrowElems = 64;  // below this the bytes saved are not worth the rounding

// Of bfloat16 not those that are summed over few terms, whose roundings hardly average out:
// depthwise convolutions and convolutions of few channels, which have few weights, too.
bool is_weight_use(const ir::Network& network, const ir::Op& op, size_t input, DType narrow) {
  constexpr int64_t kFewChannels = 8;
  switch (op.kind()) {
    case ir::OpKind::kConv:
      return input == 1 && (narrow != DType::kBfloat16 ||
                            network.values[op.inputs[1]].type.dims[2].value() > kFewChannels);
    case ir::OpKind::kRecurrent:
      return input == 1;
    case ir::OpKind::kMatMul:
      return input <= 1;
    case ir::OpKind::kGather:
      return input == 0;
    default:
      return false;
  }
}

uint16_t narrowed(DType stored, float w) {
  return stored == DType::kHalf ? float_to_half(w) : float_to_bfloat16(w);
}

// "" when half or bfloat16 can hold the weights.
std::string why_not(DType stored, std::span<const std::byte> bytes) {
  const std::string name = stored == DType::kHalf ? "half" : "bfloat16";
  const float largest = stored == DType::kHalf ? half_to_float(0x7bff) : bfloat16_to_float(0x7f7f);
  bool any_nonzero = false, any_kept = false;
  for (size_t i = 0; i + sizeof(float) <= bytes.size(); i += sizeof(float)) {
    float w;
    std::memcpy(&w, &bytes[i], sizeof w);
    if (!std::isfinite(w)) return "holds a value that is not finite";
    if (std::fabs(w) > largest)
      return "holds " + std::to_string(w) + ", beyond the largest " + name + " " +
             std::to_string(largest);
    any_nonzero |= w != 0;
    any_kept |= (narrowed(stored, w) & 0x7fff) != 0;
  }
  if (any_nonzero && !any_kept) return "holds only values that become 0 in " + name;
  return "";
}

}  // namespace

Storage choose_storage(const ir::Network& network, Precision precision) {
  Storage storage;
  storage.is_narrow.assign(network.values.size(), false);
  for (const ir::Op& op : network.ops) {
    for (const auto& body : op.bodies) {
      Storage& inner = storage.bodies.emplace_back(choose_storage(*body, precision));
      storage.warnings.insert(storage.warnings.end(), inner.warnings.begin(), inner.warnings.end());
    }
  }
  if (precision != Precision::kFp16 && precision != Precision::kBf16) return storage;
  storage.narrow = precision == Precision::kFp16 ? DType::kHalf : DType::kBfloat16;
  // Layer that uses each value as weights; "" none yet. A use of any other kind keeps the value as
  // it is.
  std::vector<const ir::Op*> layer(network.values.size(), nullptr);
  std::vector<bool> other_use(network.values.size(), false);
  for (const ir::Op& op : network.ops) {
    for (size_t i = 0; i < op.inputs.size(); ++i) {
      if (!is_weight_use(network, op, i, storage.narrow))
        other_use[op.inputs[i]] = true;
      else if (!layer[op.inputs[i]])
        layer[op.inputs[i]] = &op;
    }
  }
  for (ir::ValueId output : network.outputs) other_use[output] = true;
  for (size_t id = 0; id < network.values.size(); ++id) {
    const ir::Value& value = network.values[id];
    if (!value.is_const() || value.type.dtype != DType::kFloat || !layer[id] || other_use[id] ||
        value.constant->splat || ir::const_elems(value.type) < kMinNarrowElems)
      continue;
    const std::string reason = why_not(storage.narrow, value.constant->bytes);
    storage.is_narrow[id] = reason.empty();
    if (!reason.empty())
      storage.warnings.push_back(layer[id]->name + ": weights '" + value.name +
                                 "' stay float32, the tensor " + reason);
  }
  return storage;
}

void narrow_to(DType stored, std::span<const std::byte> src, std::byte* dst) {
  for (size_t i = 0; i < src.size() / sizeof(float); ++i) {
    float w;
    std::memcpy(&w, &src[i * sizeof w], sizeof w);
    if (GRAFT_FAULT(half_truncates))
      w = std::bit_cast<float>(std::bit_cast<uint32_t>(w) & ~uint32_t{0x1fff});
    const uint16_t bits = narrowed(stored, w);
    std::memcpy(dst + i * sizeof bits, &bits, sizeof bits);
  }
}

}  // namespace graft::engine
