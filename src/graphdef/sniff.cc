#include "graphdef/sniff.h"

#include <algorithm>

namespace graft::graphdef {
namespace {

using std::string_view;

bool is_text(string_view head) {
  return !head.empty() && std::all_of(head.begin(), head.end(), [](char c) {
    return c == '\n' || c == '\r' || c == '\t' || (c >= 0x20 && c < 0x7f);
  });
}

string_view without_leading_space(string_view text) {
  const size_t start = text.find_first_not_of(" \t\r\n");
  return start == string_view::npos ? string_view() : text.substr(start);
}

// ModelProto of ONNX and SavedModel both start with a varint field 1; the fields that follow tell
// them apart.
std::string describe_model_proto(Bytes bytes) {
  FieldReader reader(bytes);
  bool version = false, meta_graph = false, onnx = false;
  for (int fields = 0; fields < 8 && reader.next(); ++fields) {
    if (reader.key() == varint_key(1)) version = true;
    if (reader.key() == bytes_key(2)) {
      // producer_name is a short word; a MetaGraphDef is a message.
      const string_view text = reader.text();
      (text.size() < 64 && is_text(text) ? onnx : meta_graph) = true;
    }
    if (reader.key() == bytes_key(7) || reader.key() == bytes_key(8)) onnx = true;
  }
  if (!version) return "";
  if (onnx) return "it looks like an ONNX model: Graft reads TensorFlow graphs only";
  if (meta_graph)
    return "it looks like a SavedModel's saved_model.pb: give the SavedModel's folder to the "
           "SavedModel converter, or "
           "freeze it first";
  return "";
}

}  // namespace

std::string describe_foreign_format(Bytes bytes) {
  const string_view all = as_text(bytes), head = all.substr(0, 512);
  const auto starts = [&](string_view magic) { return all.substr(0, magic.size()) == magic; };
  if (starts("\x1f\x8b")) return "it looks like gzip data: decompress it first";
  if (starts("PK\x03\x04"))
    return "it looks like a zip archive (a .keras file is one): load it with Keras or unpack it "
           "first";
  if (starts("\x89HDF\r\n\x1a\n"))
    return "it looks like HDF5 (a Keras .h5 file): load it with Keras first";
  if (starts("GRFT")) return "it looks like a Graft plan, not a graph";
  if (all.size() >= 8 && all.substr(4, 4) == "TFL3")
    return "it looks like a TensorFlow Lite model: give the graph that it was made from";
  if (all.size() >= 8 &&
      all.substr(all.size() - 8) == string_view("\x57\xfb\x80\x8b\x24\x75\x47\xdb", 8))
    return "it looks like a TensorFlow checkpoint: freeze the graph with its checkpoint first";
  if (is_text(head)) {
    const string_view text = without_leading_space(head);
    const auto begins = [&](string_view word) { return text.substr(0, word.size()) == word; };
    if (begins("node") || begins("versions") || begins("library") || begins("#"))
      return "it looks like a text GraphDef (.pbtxt): parse it with google.protobuf.text_format "
             "and give "
             "SerializeToString()";
    if (begins("model_checkpoint_path")) return "it looks like a TensorFlow checkpoint state file";
    if (begins("{") || begins("[")) return "it looks like JSON";
    return "it looks like text";
  }
  return describe_model_proto(bytes);
}

}  // namespace graft::graphdef
