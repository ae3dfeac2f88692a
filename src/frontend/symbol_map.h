// Extents of a function's network in terms of the caller's.
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "frontend/function_import.h"

namespace graft::frontend {

class SymbolMap {
 public:
  // Makes the inputs of the function's network; extents that are equal outside share a symbol.
  SymbolMap(NodeImport& n, const std::vector<FunctionArg>& args, ir::Network& network);
  // nullopt: it is computed from data.
  std::optional<ir::Dim> outward(const ir::Network& network, ir::Dim dim);

 private:
  NodeImport& n_;
  std::vector<ir::ValueId> outer_;  // per input
};

}  // namespace graft::frontend
