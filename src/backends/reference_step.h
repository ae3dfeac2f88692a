// The reference evaluator as a Step: last kernel of every list, and the only one of
// EngineOptions::reference_only.
#pragma once

#include <memory>

#include "backends/backend.h"

namespace graft::backends {

// Takes every op. Consumes no constants. The data of its inputs must be aligned to their elements.
// Runs with denormals kept, whatever the state of the calling thread. Throws StepFailure with the
// evaluator's status.
Result<std::unique_ptr<Step>> create_reference_step(const Problem& problem);

}  // namespace graft::backends
