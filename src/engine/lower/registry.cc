#include "engine/lower/registry.h"

#include "base/fault.h"

namespace graft::engine {

std::string program_key(const std::string& identity, int64_t plan_workspace_bytes,
                        const LowerOptions& options, const backends::Backend& backend) {
  const ir::Target& t = options.target;
  std::string key = GRAFT_FAULT(registry_ignores_identity) ? std::string() : identity;
  for (int64_t part :
       {static_cast<int64_t>(t.isa), static_cast<int64_t>(t.avx512_bf16),
        static_cast<int64_t>(t.fast_bf16_dot), static_cast<int64_t>(t.avx_vnni), t.l1d_bytes,
        t.l2_bytes, t.l3_bytes,
        options.max_workspace_bytes >= 0 ? options.max_workspace_bytes : plan_workspace_bytes,
        static_cast<int64_t>(options.reference_only)})
    key += '|' + std::to_string(part);
  return key + '|' + std::string(backend.name());
}

ProgramRegistry& ProgramRegistry::instance() {
  static auto* registry = new ProgramRegistry;  // leaked: engines may outlive static destruction
  return *registry;
}

std::shared_ptr<ProgramRegistry::Slot> ProgramRegistry::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  std::erase_if(slots_, [&](const auto& entry) {
    // A slot that is in nobody's hands is not being built.
    return entry.first != key && entry.second.use_count() == 1 && entry.second->program.expired();
  });
  std::shared_ptr<Slot>& slot = slots_[key];
  if (!slot) slot = std::make_shared<Slot>();
  return slot;
}

}  // namespace graft::engine
