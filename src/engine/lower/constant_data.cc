#include "engine/lower/constant_data.h"

#include <cstring>

#include "base/check.h"

namespace graft::engine {
namespace {

// A splat may stand for any number of elements; beyond this, expanding it is refused instead of
// trying the machine.
constexpr int64_t kMaxSplatBytes = int64_t{8} << 30;

void fill(std::span<const std::byte> element, size_t size_bytes, std::byte* dst) {
  if (size_bytes == 0) return;
  std::memcpy(dst, element.data(), element.size());
  for (size_t done = element.size(); done < size_bytes;) {
    const size_t n = std::min(done, size_bytes - done);
    std::memcpy(dst + done, dst, n);
    done += n;
  }
}

}  // namespace

ConstantData::ConstantData(const PlanView& view) : view_(view) {
  narrow_.resize(view.plan.network.values.size());
  for (const NarrowConstant& c : view.narrow) narrow_[c.value] = c;
}

size_t ConstantData::size_bytes(ir::ValueId id) const {
  const ir::TensorType& type = view_.plan.network.values[id].type;
  return static_cast<size_t>(ir::const_elems(type)) * dtype_size(type.dtype);
}

ConstantData::Key ConstantData::key(ir::ValueId id) const {
  const ir::Constant& c = *view_.plan.network.values[id].constant;
  const NarrowConstant& narrow = narrow_[id];
  if (!narrow.bytes.empty()) return {narrow.bytes.data(), size_bytes(id), false, narrow.stored};
  return {c.bytes.data(), size_bytes(id), c.splat, DType::kInvalid};
}

void ConstantData::write(ir::ValueId id, std::byte* dst) const {
  const ir::Constant& c = *view_.plan.network.values[id].constant;
  if (!narrow_[id].bytes.empty())
    widen(narrow_[id].stored, narrow_[id].bytes, reinterpret_cast<float*>(dst));
  else if (c.splat)
    fill(c.bytes, size_bytes(id), dst);
  else if (!c.bytes.empty())
    std::memcpy(dst, c.bytes.data(), c.bytes.size());
}

Result<const void*> ConstantData::aligned(ir::ValueId id, Buffer& holder) const {
  const ir::Value& value = view_.plan.network.values[id];
  const ir::Constant& c = *value.constant;
  const bool in_place = narrow_[id].bytes.empty() && !c.splat && !c.bytes.empty() &&
                        reinterpret_cast<uintptr_t>(c.bytes.data()) % 64 == 0;
  if (in_place) return static_cast<const void*>(c.bytes.data());
  if (c.splat && size_bytes(id) > static_cast<size_t>(kMaxSplatBytes))
    return resource_exhausted("constant '" + value.name + "' takes " +
                              std::to_string(size_bytes(id)) + " bytes when expanded");
  // At least one byte, so that an empty constant is told from one that is not constant.
  GRAFT_ASSIGN_OR_RETURN(holder, Buffer::allocate(std::max<size_t>(size_bytes(id), 1)));
  write(id, holder.data());
  return static_cast<const void*>(holder.data());
}

}  // namespace graft::engine
