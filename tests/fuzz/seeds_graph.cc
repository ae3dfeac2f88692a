#include "seeds.h"

namespace graft {
Seeds seeds() { return graph_seeds(); }
}  // namespace graft
