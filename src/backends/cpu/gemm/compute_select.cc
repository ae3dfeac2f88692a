#include "backends/cpu/gemm/compute_select.h"

namespace graft::cpu {

const ComputeTable& compute_table_of(const ir::Target& target) {
  if (target.isa >= ir::Isa::kAvx512) return *isa_avx512::compute_table();
  if (target.isa >= ir::Isa::kAvx2) return *isa_avx2::compute_table();
  return *isa_baseline::compute_table();
}

bool to_epilogue(const ir::Activation& act, Epilogue* e) {
  using ir::UnaryFn;
  *e = {};
  e->alpha = act.alpha;
  const auto set = [&](Act kind) {
    e->act = kind;
    return true;
  };
  switch (act.fn) {
    case UnaryFn::kIdentity:
      return true;
    case UnaryFn::kRelu:
      e->lo = 0.0f;
      return true;
    case UnaryFn::kRelu6:
      e->lo = 0.0f;
      e->hi = 6.0f;
      return true;
    case UnaryFn::kClip:
      e->lo = act.alpha;
      e->hi = act.beta;
      return true;
    case UnaryFn::kLeakyRelu:
      return set(Act::kLeakyRelu);
    case UnaryFn::kSigmoid:
      return set(Act::kSigmoid);
    case UnaryFn::kSwish:
      return set(Act::kSwish);
    case UnaryFn::kTanh:
      return set(Act::kTanh);
    case UnaryFn::kGelu:
      return set(Act::kGeluErf);
    case UnaryFn::kGeluTanh:
      return set(Act::kGeluTanh);
    case UnaryFn::kHardSwish:
      return set(Act::kHardSwish);
    case UnaryFn::kHardSigmoid:
      return set(Act::kHardSigmoid);
    case UnaryFn::kElu:
      return set(Act::kElu);
    case UnaryFn::kSelu:
      return set(Act::kSelu);
    case UnaryFn::kSoftplus:
      return set(Act::kSoftplus);
    default:
      return false;
  }
}

}  // namespace graft::cpu
