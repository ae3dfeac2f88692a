#include "engine/write/canonical.h"

#include <cstring>
#include <string_view>
#include <unordered_map>

#include "base/check.h"
#include "base/dtype.h"
#include "engine/plan/container.h"

namespace graft::engine {
namespace {

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Finds an earlier constant of the same stored bytes, or makes a blob.
class BlobTable {
 public:
  explicit BlobTable(Canonical& out) : out_(out) {}

  uint32_t add(const ir::Value& value, DType stored) {
    std::span<const std::byte> bytes = value.constant->bytes;
    std::shared_ptr<const void> owner = value.constant->owner;
    if (stored != value.type.dtype) {
      auto narrow = std::make_shared<std::vector<std::byte>>(bytes.size() / 2);
      narrow_to(stored, bytes, narrow->data());
      bytes = *narrow;
      owner = std::move(narrow);
    }
    const auto [it, is_new] =
        seen_.try_emplace(as_text(bytes), static_cast<uint32_t>(out_.blobs.size()));
    if (is_new) {
      static constexpr std::byte kZeros[kPlanAlignment] = {};
      const uint64_t start = blob_start(out_.weights.size());
      out_.weights.append_copy(std::span(kZeros).first(start - out_.weights.size()));
      out_.blobs.push_back({start, bytes.size()});
      out_.weights.append_view(bytes, owner);
      owners_.push_back(std::move(owner));
    }
    return it->second;
  }

 private:
  Canonical& out_;
  std::unordered_map<std::string_view, uint32_t> seen_;
  std::vector<std::shared_ptr<const void>> owners_;  // of what `seen_` views
};

Status number_network(const ir::Network& network, const Storage& storage, BlobTable& blobs,
                      CanonicalNetwork& c) {
  c.number.assign(network.values.size(), -1);
  int32_t next = 0;
  for (ir::ValueId id : network.inputs) c.number[id] = next++;
  const auto use = [&](ir::ValueId id) -> Status {
    const ir::Value& value = network.values[id];
    if (!value.is_const() || c.number[id] >= 0) return ok_status();
    if (!is_plan_dtype(value.type.dtype))
      return unsupported("constant '" + value.name + "' is " + dtype_name(value.type.dtype));
    if (Status s = check_constant_bytes(value.type.dtype, ir::const_elems(value.type),
                                        value.constant->splat, value.constant->bytes);
        !s.ok())
      return invalid_graph("constant '" + value.name + "' " + s.message());
    const DType stored = storage.is_narrow[id] ? storage.narrow : value.type.dtype;
    const uint32_t blob = blobs.add(value, stored);
    c.number[id] = next++;
    c.constants.push_back({id, stored, blob});
    return ok_status();
  };
  for (const ir::Op& op : network.ops) {
    for (ir::ValueId id : op.inputs) GRAFT_RETURN_IF_ERROR(use(id));
  }
  for (ir::ValueId id : network.outputs) GRAFT_RETURN_IF_ERROR(use(id));
  for (const ir::Op& op : network.ops) {
    for (ir::ValueId id : op.outputs) c.number[id] = next++;
  }
  for (const ir::Op& op : network.ops) {
    for (const auto& body : op.bodies) {
      CanonicalNetwork inner;
      GRAFT_RETURN_IF_ERROR(number_network(*body, storage.bodies[c.bodies.size()], blobs, inner));
      c.bodies.push_back(std::move(inner));
    }
  }
  return ok_status();
}

}  // namespace

Result<Canonical> canonical_numbering(const ir::Network& network, const Storage& storage) {
  Canonical c;
  BlobTable blobs(c);
  GRAFT_RETURN_IF_ERROR(number_network(network, storage, blobs, c));
  return c;
}

}  // namespace graft::engine
