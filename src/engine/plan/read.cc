#include <cstring>

#include "base/alloc.h"
#include "base/check.h"
#include "base/half.h"
#include "engine/plan/plan_view.h"

namespace graft::engine {

void widen(DType stored, std::span<const std::byte> src, float* dst) {
  for (size_t i = 0; i < src.size() / 2; ++i) {
    uint16_t bits;
    std::memcpy(&bits, &src[2 * i], sizeof bits);
    dst[i] = stored == DType::kHalf ? half_to_float(bits) : bfloat16_to_float(bits);
  }
}

Result<Plan> read_plan(std::span<const std::byte> bytes, const Limits& limits) {
  return guard([&]() -> Result<Plan> {
    GRAFT_ASSIGN_OR_RETURN(OpenPlan container, open_container(bytes, limits));
    GRAFT_ASSIGN_OR_RETURN(Buffer copy, Buffer::allocate(container.weights.size()));
    if (copy.size() != 0) std::memcpy(copy.data(), container.weights.data(), copy.size());
    auto owner = std::make_shared<const Buffer>(std::move(copy));
    container.weights = owner->span();
    GRAFT_ASSIGN_OR_RETURN(PlanView view, parse_plan(container, owner, limits));
    for (const NarrowConstant& narrow : view.narrow) {
      GRAFT_ASSIGN_OR_RETURN(Buffer wide, Buffer::allocate(narrow.bytes.size() * 2));
      widen(narrow.stored, narrow.bytes, wide.as<float>());
      auto wide_owner = std::make_shared<const Buffer>(std::move(wide));
      view.plan.network.values[narrow.value].constant =
          ir::Constant{wide_owner->span(), false, wide_owner};
    }
    return std::move(view.plan);
  });
}

}  // namespace graft::engine
