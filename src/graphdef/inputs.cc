#include "graphdef/inputs.h"

#include <charconv>

#include "base/log.h"
#include "graphdef/wire.h"

namespace graft::graphdef {
namespace {

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string where(const Node& node, size_t input) {
  return "node \"" + printable(node.name) + "\" input " + std::to_string(input);
}

}  // namespace

bool is_legal_name(std::string_view name) {
  bool piece_start = true;
  for (char c : name) {
    if (piece_start) {
      if (!is_letter_or_digit(c) && c != '.' && c != '_') return false;
      piece_start = false;
    } else if (c == '>') {
      piece_start = true;
    } else if (!is_letter_or_digit(c) && c != '.' && c != '_' && c != '-' && c != '/') {
      return false;
    }
  }
  return !piece_start;
}

bool parse_input(std::string_view text, InputText& input) {
  input = InputText();
  if (text.starts_with('^')) {
    input.control = true;
    input.name = text.substr(1);
    return is_legal_name(input.name);
  }
  const size_t colon = text.rfind(':');
  input.name = text.substr(0, colon);
  if (colon != std::string_view::npos) {
    const std::string_view digits = text.substr(colon + 1);
    // from_chars takes a minus sign; a port has none.
    if (digits.empty() || digits[0] < '0' || digits[0] > '9') return false;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), input.port);
    if (error != std::errc() || end != digits.data() + digits.size()) return false;
  }
  return is_legal_name(input.name);
}

Status resolve_inputs(Graph& graph) {
  for (Node& node : graph.nodes) {
    size_t data = 0, control = 0;
    for (FieldReader reader(node.raw); reader.next();)
      if (reader.key() == bytes_key(3)) ++(reader.text().starts_with('^') ? control : data);
    node.inputs.reserve(data);
    node.control_inputs.reserve(control);
    size_t position = 0;
    for (FieldReader reader(node.raw); reader.next();) {
      if (reader.key() != bytes_key(3)) continue;
      InputText input;
      if (!parse_input(reader.text(), input))
        return invalid_graph(where(node, position) + " is \"" + printable(reader.text()) +
                             "\"; expected \"node\", \"node:port\" or \"^node\"");
      const int32_t source = graph.find(input.name);
      if (source < 0)
        return invalid_graph(where(node, position) + " refers to \"" + printable(input.name) +
                             "\", which is no node of the graph");
      if (input.control) {
        node.control_inputs.push_back(source);
      } else {
        if (!node.control_inputs.empty())
          return invalid_graph(where(node, position) + " \"" + printable(reader.text()) +
                               "\" is a data input after a control input");
        node.inputs.push_back({source, input.port});
      }
      ++position;
    }
  }
  return ok_status();
}

}  // namespace graft::graphdef
