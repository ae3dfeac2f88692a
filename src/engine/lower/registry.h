// Process-wide registry of Programs: engines of one plan, target and options share one packed copy.
// Weak: a Program lives as long as an engine uses it. Concurrent first requests of one key build
// once; the others wait.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "engine/lower/program.h"

namespace graft::engine {

// Everything that a Program depends on.
std::string program_key(const std::string& identity, int64_t plan_workspace_bytes,
                        const LowerOptions& options, const backends::Backend& backend);

class ProgramRegistry {
 public:
  static ProgramRegistry& instance();

  // Returns the live Program of `key`, else the result of build(), which must return
  // Result<std::shared_ptr<const Program>>. A failed build is not remembered.
  template <typename Build>
  Result<std::shared_ptr<const Program>> get(const std::string& key, Build&& build) {
    const std::shared_ptr<Slot> slot = find(key);
    const std::lock_guard lock(slot->mutex);
    if (std::shared_ptr<const Program> program = slot->program.lock()) return program;
    GRAFT_ASSIGN_OR_RETURN(std::shared_ptr<const Program> program, build());
    slot->program = program;
    return program;
  }

 private:
  struct Slot {
    std::mutex mutex;  // held while building
    std::weak_ptr<const Program> program;
  };
  // The slot of `key`, made when absent; drops slots that nobody uses.
  std::shared_ptr<Slot> find(const std::string& key);

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Slot>> slots_;
};

}  // namespace graft::engine
