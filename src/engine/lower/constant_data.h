// Elements of a plan's constants, aligned and in the dtype of their type.
#pragma once

#include <vector>

#include "base/alloc.h"
#include "engine/plan/plan_view.h"

namespace graft::engine {

class ConstantData {
 public:
  // Keeps a reference to the view.
  explicit ConstantData(const PlanView& view);

  size_t size_bytes(ir::ValueId id) const;  // expanded and widened
  // Writes size_bytes(id) bytes.
  void write(ir::ValueId id, std::byte* dst) const;
  // The elements, aligned to 64 bytes: in place where the plan's bytes already are, else a copy in
  // `holder`.
  Result<const void*> aligned(ir::ValueId id, Buffer& holder) const;
  // Two constants with equal keys have the same elements.
  struct Key {
    const std::byte* data;
    size_t size_bytes;
    bool splat;
    DType stored;  // kInvalid: as its type says
    auto operator<=>(const Key&) const = default;
  };
  Key key(ir::ValueId id) const;

 private:
  const PlanView& view_;
  std::vector<NarrowConstant> narrow_;  // per value; without bytes: stored as its type says
};

}  // namespace graft::engine
