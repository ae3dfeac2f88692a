// Users' converters (graft/converter.h): the registry, and the importer that runs one.
#pragma once

#include <memory>
#include <string>

#include "frontend/node_import.h"
#include "graft/converter.h"

namespace graft::frontend {

struct UserConverter {
  std::string op, name;
  ConverterFn function;
  // The start of every reason: which converter of which op.
  std::string title() const;
};

// All that are registered now, which never changes; nullptr: none.
std::shared_ptr<const ConverterMap> registered_converters();

// The importer of a node whose op has a converter. What the converter could not do is a refusal.
Status run_converter(NodeImport& n, const UserConverter& converter);

}  // namespace graft::frontend
