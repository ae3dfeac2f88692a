// Names of nodes and the input strings of the wire format.
#pragma once

#include <cstdint>
#include <string_view>

#include "graphdef/graph.h"

namespace graft::graphdef {

// TensorFlow's rule: a letter, digit, '.' or '_', then those and '-' '/'; pieces of that form
// joined by '>'.
bool is_legal_name(std::string_view name);

struct InputText {
  std::string_view name;
  int32_t port = 0;
  bool control = false;
};
// "a", "a:1", "^a". False for everything else: "", "^", ":0", "a:", "a:-1", "a:b:1", "^a:0", a port
// past int32.
bool parse_input(std::string_view text, InputText& input);

// Resolves the inputs of every node from its raw bytes.
Status resolve_inputs(Graph& graph);

}  // namespace graft::graphdef
