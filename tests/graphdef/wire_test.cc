#include "graphdef_testing.h"

namespace graft::graphdef {
namespace {

using testing::Test;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Wire, W1_empty_file_has_no_nodes) { EXPECT_TRUE(contains(refusal(""), "no nodes")); }

TEST(Wire, W2_truncated_at_each_byte) {
  const std::string whole = small_graph_bytes();
  ASSERT_EQ(refusal(whole), "");
  std::vector<size_t>
      borders;  // cuts between top-level fields leave a shorter, well-formed message
  size_t accepted = 0;
  for (FieldReader reader(as_bytes(whole)); reader.next();)
    borders.push_back(
        static_cast<size_t>(reader.raw().data() + reader.raw().size() - as_bytes(whole).data()));
  for (size_t cut = 1; cut < whole.size(); ++cut) {
    const std::string what = refusal(whole.substr(0, cut));
    if (std::find(borders.begin(), borders.end(), cut) != borders.end()) {
      ++accepted;
    } else {
      EXPECT_TRUE(contains(what, "byte ")) << cut << ": " << what;
    }
  }
  EXPECT_EQ(accepted, borders.size() - 1);
}

TEST(Wire, W2_every_byte_changed_never_crashes) {
  const std::string whole = small_graph_bytes();
  for (size_t i = 0; i < whole.size(); ++i)
    for (int change : {0x01, 0x80, 0xff, 0x07}) {
      std::string bytes = whole;
      bytes[i] = static_cast<char>(bytes[i] ^ change);
      auto graph = parse_text(bytes);
      if (!graph.ok()) continue;
      for (const Node& node : graph->nodes)
        for (const AttrView& attr : node.attrs) {
          auto value = decode_attr(attr.value);
          if (value.ok() && !value->tensor.empty()) (void)decode_tensor(value->tensor).ok();
        }
    }
}

TEST(Wire, W3_foreign_formats_are_named) {
  const std::string onnx =
      field(1, 8) + field(2, std::string("pytorch")) + field(7, std::string("graph"));
  const std::string saved_model = field(1, 1) + field(2, field(1, field(1, std::string("v1"))) +
                                                             field(2, field(1, std::string())));
  const std::pair<std::string, std::string> cases[] = {
      {"node {\n  name: \"x\"\n  op: \"Placeholder\"\n}\n", "pbtxt"},
      {std::string("\x1f\x8b\x08\0\0\0\0\0", 8), "gzip"},
      {std::string("PK\x03\x04\x14\0\0\0", 8), "zip"},
      {"\x89HDF\r\n\x1a\n........", "HDF5"},
      {std::string("\x1c\0\0\0TFL3\x14\0 ...", 15), "Lite"},
      {std::string("\0\0\0\0\0\0\0\0\x57\xfb\x80\x8b\x24\x75\x47\xdb", 16), "checkpoint"},
      {"model_checkpoint_path: \"model.ckpt\"", "checkpoint"},
      {"GRFT\1\0\0\0", "plan"},
      {"{\"format\": 1}", "JSON"},
      {onnx, "ONNX"},
      {saved_model, "SavedModel"},
  };
  for (const auto& [bytes, word] : cases)
    EXPECT_TRUE(contains(refusal(bytes), word)) << word << ": " << refusal(bytes);
}

TEST(Wire, W4_graphs_past_the_limit_are_refused_before_parsing) {
  Limits limits;
  limits.max_graph_bytes = 10;
  const std::string bytes = small_graph_bytes();
  const auto graph = parse(as_bytes(bytes), nullptr, limits);
  EXPECT_TRUE(contains(graph.status().message(), std::to_string(bytes.size()) + " bytes"))
      << graph.status().message();
}

TEST(Wire, W5_bad_varints_and_lengths) {
  EXPECT_TRUE(contains(refusal("\x0a" + std::string(10, '\xff') + "\x01"), "byte 1"));
  EXPECT_TRUE(contains(refusal("\x0a\x7fxyz"), "127 bytes"));
  EXPECT_TRUE(contains(refusal("\x0a" + varint(UINT64_MAX) + "xyz"), "byte 1"));
  EXPECT_TRUE(contains(refusal("\x0a" + varint(UINT64_MAX - 8) + "xyz"), "byte 1"));
  EXPECT_TRUE(contains(refusal(std::string("\x02\x00", 2)), "field number"));
  EXPECT_TRUE(contains(refusal("\x0f"), "wire type"));
}

TEST(Wire, W6_wrong_wire_type_is_an_unknown_field) {
  EXPECT_TRUE(contains(refusal(field(1, field(1, 7) + field(2, std::string("Relu")))), "no name"));
  EXPECT_TRUE(contains(refusal(field(1, field(1, std::string("a")) + field(2, 7000))), "no op"));
}

std::string nested_func(int levels) {
  std::string value = attr_of_int(1);
  for (int i = 0; i < levels; ++i) {
    const std::string func =
        field(1, std::string("f")) + field(2, field(1, std::string("k")) + field(2, value));
    value = i % 2 ? field(10, func) : field(1, field(9, func));
  }
  return value;
}

TEST(Wire, W7_nesting_is_limited) {
  const auto graph_of = [](const std::string& value) {
    return field(1, node_body("a", "Op") + attr_field("f", value));
  };
  EXPECT_EQ(refusal(graph_of(nested_func(20))), "");
  EXPECT_TRUE(contains(refusal(graph_of(nested_func(60))), "nesting"));
  EXPECT_TRUE(contains(refusal(graph_of(nested_func(20'000))), "nesting"));
  std::string tensor = field(1, 21);
  for (int i = 0; i < 5'000; ++i) tensor = field(15, field(3, tensor));
  EXPECT_TRUE(contains(refusal(graph_of(field(8, tensor))), "nesting"));
  const std::string groups = std::string(200, '\x33') + std::string(200, '\x34');  // field 6: group
  EXPECT_TRUE(contains(refusal(small_graph_bytes() + groups), "nesting"));
}

TEST(Wire, W8_unknown_fields_and_groups_survive) {
  const std::string group = "\x93\x3e" + field(1, 5) + "\x94\x3e";  // field 1002 as a group
  const std::string unknown = field(1001, std::string("future")) + group;
  const std::string node = field(1, node_body("x", "Placeholder") + unknown);
  auto graph = parse_text(node + unknown + field(1, node_body("y", "Relu", {"x"}) + unknown));
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  EXPECT_EQ(as_text(graph->rest), unknown);
  EXPECT_EQ(as_text(graph->nodes[0].raw), node_body("x", "Placeholder") + unknown);
  EXPECT_EQ(as_text(serialize_node_with_inputs(graph->nodes[1], {"z", "^q"}).flatten()),
            node_body("y", "Relu", {"z", "^q"}) + unknown);
  EXPECT_TRUE(contains(refusal(small_graph_bytes() + "\x93\x3e\x9c\x3e"), "group"));
  EXPECT_TRUE(contains(refusal(small_graph_bytes() + "\x94\x3e"), "group"));
}

TEST(Wire, W9_repeated_sections_merge) {
  const auto library = [](const std::string& name) {
    return field(2, field(1, field(1, field(1, name))) + field(2, field(1, "grad_" + name)));
  };
  auto graph = parse_text(
      library("f") + field(1, field(1, std::string("old")) + node_body("x", "Placeholder")) +
      field(4, field(1, 5) + field(2, 3)) + library("g") + field(4, field(1, 9)));
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  EXPECT_EQ(graph->nodes[0].name, "x") << "the last of a repeated singular field";
  ASSERT_EQ(graph->functions.size(), 2u);
  EXPECT_EQ(graph->functions[1].name, "g");
  EXPECT_EQ(as_text(graph->library_rest),
            field(2, field(1, std::string("grad_f"))) + field(2, field(1, std::string("grad_g"))));
  EXPECT_EQ(graph->producer, 9);
  EXPECT_EQ(graph->min_consumer, 3);
}

TEST(Wire, W10_last_of_equal_attr_keys_wins) {
  auto graph = parse_text(field(
      1, node_body("x", "Op") + attr_field("N", attr_of_int(1)) + attr_field("N", attr_of_int(2))));
  ASSERT_TRUE(graph.ok());
  EXPECT_EQ(attr_int(graph->nodes[0], "N").value(), 2);
}

TEST(Wire, W11_hostile_names_are_escaped_and_cut) {
  for (const std::string& name :
       {std::string("a\nb"), std::string("a\0b", 3), std::string("\xff\xfe"),
        std::string("a\x1b[31m"), std::string(1 << 20, 'x')}) {
    const std::string what = refusal(node_field(name, "Op"));
    ASSERT_NE(what, "");
    EXPECT_LT(what.size(), 600u);
    for (char c : what) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << static_cast<int>(c);
  }
}

TEST(Wire, W12_memory_is_a_multiple_of_the_file) {
  std::string attrs = node_body("x", "Op");
  for (int i = 0; i < 200'000; ++i) attrs += std::string("\x2a\x00", 2);
  auto graph = parse_text(field(1, attrs));
  ASSERT_TRUE(graph.ok());
  EXPECT_LE(graph->nodes[0].attrs.capacity() * sizeof(AttrView), 20 * attrs.size());
  // Nodes too short to be any are refused before memory is booked for them.
  std::string empty_nodes;
  for (int i = 0; i < 200'000; ++i) empty_nodes += std::string("\x0a\x00", 2);
  EXPECT_TRUE(contains(refusal(empty_nodes), "node 0"));
}

TEST(Wire, W13_order_and_packing_do_not_matter) {
  const std::string packed = field(1, field(3, varint(1) + varint(300) + varint(7)));
  const std::string unpacked = field(1, field(3, 1) + field(3, 300) + field(3, 7));
  const std::string mixed = field(1, field(3, varint(1) + varint(300)) + field(3, 7));
  const std::string merged = field(1, field(3, 1)) + field(1, field(3, varint(300) + varint(7)));
  for (const std::string& value : {packed, unpacked, mixed, merged}) {
    auto graph = parse_text(field(1, attr_field("strides", value) + field(3, std::string("b")) +
                                         field(2, std::string("Op")) + field(1, std::string("a"))) +
                            node_field("b", "Op"));
    ASSERT_TRUE(graph.ok()) << graph.status().message();
    EXPECT_EQ(attr_int_list(graph->nodes[0], "strides").value(), (std::vector<int64_t>{1, 300, 7}));
    EXPECT_EQ(graph->nodes[0].inputs, (std::vector<InputRef>{{1, 0}}));
  }
}

TEST(Wire, W14_versions) {
  const std::string node = node_field("x", "Op");
  EXPECT_EQ(refusal(node + field(4, field(1, 999'999))), "") << "a newer producer is fine";
  EXPECT_EQ(refusal(node + field(4, field(2, 2474))), "");
  EXPECT_TRUE(contains(refusal(node + field(4, field(2, 2475))), "2475"));
  EXPECT_TRUE(contains(refusal(node + field(4, field(3, 2474))), "bad_consumers"));
  EXPECT_TRUE(
      contains(refusal(node + field(4, field(3, varint(5) + varint(2474)))), "bad_consumers"));
  EXPECT_EQ(refusal(node + field(4, field(3, varint(5)))), "");
}

}  // namespace
}  // namespace graft::graphdef
