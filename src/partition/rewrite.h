// Rewriting of single NodeDefs: other inputs, and colocation ("_class") without nodes that are
// gone.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "graft/rope.h"
#include "graphdef/graph.h"

namespace graft::partition {

using NodeExists = std::function<bool(std::string_view name)>;

// True when a "loc:@name" of the node's "_class" attribute names a node that does not exist:
// TensorFlow refuses to import such a node.
bool has_dangling_colocation(const graphdef::Node& node, const NodeExists& exists);

// NodeDef bytes with `inputs`, which view the long fields of node.raw; dangling colocations are
// left out, all else is kept byte for byte.
Rope rewrite_node(const graphdef::Node& node, const std::vector<std::string>& inputs,
                  const NodeExists& exists);

}  // namespace graft::partition
