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
  // A small integer value of the caller as the function's network can compute it: its elements are
  // extents of the network's inputs, or numbers. kNoValue: they are not.
  Result<ir::ValueId> from_extents(const ir::Value& outer, ir::Network& network) const;

 private:
  struct Place {
    int64_t input;
    int axis;
  };
  NodeImport& n_;
  std::unordered_map<int32_t, Place> places_;  // of the caller's symbols
  std::vector<ir::ValueId> outer_;             // per input
};

}  // namespace graft::frontend
