#include "graphdef/pb.h"
#include "graphdef/rope_fields.h"
#include "graphdef/wire.h"
#include "graphdef/writer.h"

namespace graft::graphdef {
namespace {

using protozero::pbf_writer;

std::string arg_message(const FunctionSpec::Arg& arg) {
  std::string out;
  pbf_writer writer(out);
  writer.add_string(1, arg.name);
  writer.add_enum(3, static_cast<int32_t>(arg.dtype));
  return out;
}

std::string map_entry(const std::string& key, const std::string& value) {
  std::string out;
  pbf_writer writer(out);
  writer.add_string(1, key);
  writer.add_string(2, value);
  return out;
}

}  // namespace

void GraphWriter::add_function(const FunctionSpec& function) {
  std::string signature;
  Rope out;
  {
    pbf_writer writer(signature);
    writer.add_string(1, function.name);
    for (const auto& arg : function.inputs) writer.add_message(2, arg_message(arg));
    for (const auto& arg : function.outputs) writer.add_message(3, arg_message(arg));
    for (const auto& control : function.control_returns) writer.add_string(20, control.first);
  }
  append_text(out, 1, signature);
  for (const Rope& node : function.nodes) append_field(out, 3, node);
  for (const auto& [arg, value] : function.returns) append_text(out, 4, map_entry(arg, value));
  for (const auto& [name, node] : function.control_returns)
    append_text(out, 6, map_entry(name, node));
  append_field(library_, 1, out);
}

}  // namespace graft::graphdef
