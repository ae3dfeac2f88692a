// Engine::load over any backend.
#pragma once

#include <memory>
#include <span>

#include "backends/backend.h"
#include "graft/engine.h"

namespace graft::engine {

Result<std::shared_ptr<Engine>> load_engine(std::span<const std::byte> plan,
                                            const EngineOptions& options,
                                            const backends::Backend& backend);

}  // namespace graft::engine
