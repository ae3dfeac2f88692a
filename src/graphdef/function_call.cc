#include "graphdef/function_call.h"

#include <unordered_map>
#include <unordered_set>

#include <protozero/pbf_reader.hpp>
#include "graphdef/pb.h"

namespace graft::graphdef {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;
using protozero::pbf_writer;
using protozero::tag_and_type;

constexpr uint32_t message(uint32_t field) {
  return tag_and_type(field, pbf_wire_type::length_delimited);
}
constexpr uint32_t varint(uint32_t field) { return tag_and_type(field, pbf_wire_type::varint); }

pbf_reader reader_of(Bytes bytes) {
  return pbf_reader{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::string_view text_of(protozero::data_view view) { return {view.data(), view.size()}; }

// First length-delimited value of `field`, "" when absent.
std::string_view find_bytes(pbf_reader reader, uint32_t field) {
  while (reader.next()) {
    if (reader.tag_and_type() == message(field)) return text_of(reader.get_view());
    reader.skip();
  }
  return {};
}

using Names = std::vector<std::string_view>;

void functions_in_attr(pbf_reader attr, int depth, Names& names);

void functions_in_name_attrs(pbf_reader name_attrs, int depth, Names& names) {
  while (name_attrs.next()) {
    switch (name_attrs.tag_and_type()) {
      case message(1):
        names.push_back(text_of(name_attrs.get_view()));
        break;
      case message(2): {  // map<string, AttrValue>
        const std::string_view value = find_bytes(name_attrs.get_message(), 2);
        functions_in_attr(pbf_reader{value.data(), value.size()}, depth - 1, names);
        break;
      }
      default:
        name_attrs.skip();
    }
  }
}

// `depth` bounds the nesting of attributes within attributes (CVE-2021-29615).
void functions_in_attr(pbf_reader attr, int depth, Names& names) {
  if (depth <= 0) throw protozero::exception{};
  while (attr.next()) {
    switch (attr.tag_and_type()) {
      case message(10):
        functions_in_name_attrs(attr.get_message(), depth, names);
        break;
      case message(1): {  // ListValue.func = 9
        pbf_reader list = attr.get_message();
        while (list.next()) {
          if (list.tag_and_type() == message(9))
            functions_in_name_attrs(list.get_message(), depth, names);
          else
            list.skip();
        }
        break;
      }
      default:
        attr.skip();
    }
  }
}

void functions_in_node(pbf_reader node, int depth, Names& names) {
  while (node.next()) {
    switch (node.tag_and_type()) {
      case message(2):
        names.push_back(text_of(node.get_view()));
        break;  // op: may be a function's name
      case message(5): {
        const std::string_view value = find_bytes(node.get_message(), 2);
        functions_in_attr(pbf_reader{value.data(), value.size()}, depth, names);
        break;
      }
      default:
        node.skip();
    }
  }
}

struct Library {
  std::unordered_map<std::string_view, std::string_view> functions;  // name -> FunctionDef
  std::unordered_map<std::string_view, std::string_view> gradients;  // name -> GradientDef
};

Library read_library(Bytes bytes) {
  Library library;
  pbf_reader reader = reader_of(bytes);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case message(1): {
        const std::string_view function = text_of(reader.get_view());
        const std::string_view signature = find_bytes({function.data(), function.size()}, 1);
        library.functions.emplace(find_bytes({signature.data(), signature.size()}, 1), function);
        break;
      }
      case message(2): {
        const std::string_view gradient = text_of(reader.get_view());
        library.gradients.emplace(find_bytes({gradient.data(), gradient.size()}, 1), gradient);
        break;
      }
      default:
        reader.skip();
    }
  }
  return library;
}

std::string closure(const Library& library, std::string_view root, int depth) {
  std::string out;
  pbf_writer writer{out};
  std::unordered_set<std::string_view> seen{root};
  Names pending{root};
  while (!pending.empty()) {
    const std::string_view name = pending.back();
    pending.pop_back();
    const auto it = library.functions.find(name);
    if (it == library.functions.end()) continue;  // an op, not a function
    writer.add_message(1, it->second.data(), it->second.size());
    Names used;
    pbf_reader function{it->second.data(), it->second.size()};
    while (function.next()) {
      if (function.tag_and_type() == message(3))
        functions_in_node(function.get_message(), depth, used);
      else
        function.skip();
    }
    if (const auto gradient = library.gradients.find(name); gradient != library.gradients.end()) {
      writer.add_message(2, gradient->second.data(), gradient->second.size());
      used.push_back(find_bytes({gradient->second.data(), gradient->second.size()}, 2));
    }
    for (const std::string_view next : used)
      if (seen.insert(next).second) pending.push_back(next);
  }
  return out;
}

template <typename Write>
void add_attr(pbf_writer& node, const char* name, Write&& write) {
  pbf_writer entry{node, 5};
  entry.add_string(1, name);
  pbf_writer value{entry, 2};
  write(value);
}

void add_types_attr(pbf_writer& node, const char* name, std::span<const DType> types) {
  add_attr(node, name, [&](pbf_writer& value) {
    pbf_writer list{value, 1};
    for (const DType type : types) list.add_enum(6, static_cast<int32_t>(type));
  });
}

}  // namespace

Result<std::string> function_name_of(Bytes name_attr_list) {
  try {
    return std::string(find_bytes(reader_of(name_attr_list), 1));
  } catch (const protozero::exception& e) {
    return invalid_graph(std::string("malformed function attribute: ") + e.what());
  }
}

Result<std::string> library_closure(Bytes library, std::string_view root, const Limits& limits) {
  try {
    const Library functions = read_library(library);
    if (root.empty() || !functions.functions.contains(root))
      return unsupported("function \"" + std::string(root) + "\" is not in the function library (" +
                         std::to_string(functions.functions.size()) + " functions)");
    return closure(functions, root, limits.max_proto_depth);
  } catch (const protozero::exception& e) {
    return invalid_graph(std::string("malformed function library: ") + e.what());
  }
}

CallNames call_names(size_t inputs, size_t outputs) {
  CallNames names;
  for (size_t i = 0; i < inputs; ++i)
    names.inputs.push_back("TensorRTInputPH_" + std::to_string(i));
  for (size_t i = 0; i < outputs; ++i)
    names.outputs.push_back("TensorRTOutputPH_" + std::to_string(i));
  return names;
}

std::string call_graph(Bytes name_attr_list, std::span<const DType> inputs,
                       std::span<const DType> outputs, std::string_view library, int32_t producer) {
  const CallNames names = call_names(inputs.size(), outputs.size());
  std::string out;
  pbf_writer graph{out};
  for (size_t i = 0; i < inputs.size(); ++i) {
    pbf_writer node{graph, 1};
    node.add_string(1, names.inputs[i]);
    node.add_string(2, "Placeholder");
    add_attr(node, "dtype", [&](pbf_writer& v) { v.add_enum(6, static_cast<int32_t>(inputs[i])); });
  }
  {
    pbf_writer node{graph, 1};
    node.add_string(1, "native_segment_call");
    node.add_string(2, "PartitionedCall");
    for (const std::string& input : names.inputs) node.add_string(3, input);
    add_types_attr(node, "Tin", inputs);
    add_types_attr(node, "Tout", outputs);
    add_attr(node, "f", [&](pbf_writer& v) {
      v.add_message(10, reinterpret_cast<const char*>(name_attr_list.data()),
                    name_attr_list.size());
    });
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    pbf_writer node{graph, 1};
    node.add_string(1, names.outputs[i]);
    node.add_string(2, "Identity");
    node.add_string(3, "native_segment_call:" + std::to_string(i));
    add_attr(node, "T", [&](pbf_writer& v) { v.add_enum(6, static_cast<int32_t>(outputs[i])); });
  }
  graph.add_message(2, library.data(), library.size());
  pbf_writer versions{graph, 4};
  versions.add_int32(1, producer);
  return out;
}

std::string nested_session_config(Bytes outer) {
  std::string out;
  pbf_writer config{out};
  try {
    pbf_reader reader = reader_of(outer);
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case varint(2):
          config.add_int32(2, reader.get_int32());
          break;
        case message(6):     // gpu_options
        case message(10): {  // graph_options
          const uint32_t field = reader.tag();
          const auto view = reader.get_view();
          config.add_message(field, view.data(), view.size());
          break;
        }
        default:
          reader.skip();
      }
    }
  } catch (const protozero::exception&) {
    out.clear();
  }
  config.add_int32(5, -1);   // inter_op_parallelism_threads: run in the calling thread
  config.add_bool(7, true);  // allow_soft_placement
  return out;
}

int32_t intra_op_threads(Bytes config) {
  int32_t threads = 0;
  try {
    pbf_reader reader = reader_of(config);
    while (reader.next()) {
      if (reader.tag_and_type() == varint(2))
        threads = reader.get_int32();
      else
        reader.skip();
    }
  } catch (const protozero::exception&) {
    return 0;
  }
  return threads;
}

}  // namespace graft::graphdef
