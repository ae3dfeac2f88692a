#include "graphdef/function_call.h"

#include <gtest/gtest.h>

namespace graft::graphdef {
namespace {

Bytes bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

// One length-delimited field; the tests' messages stay below 128 bytes or use two length bytes.
std::string field(int number, const std::string& value) {
  std::string out(1, static_cast<char>(number << 3 | 2));
  if (value.size() >= 128) {
    out += static_cast<char>((value.size() & 0x7f) | 0x80);
    out += static_cast<char>(value.size() >> 7);
  } else {
    out += static_cast<char>(value.size());
  }
  return out + value;
}
std::string func_value(const std::string& name) { return field(10, field(1, name)); }
std::string node(const std::string& op, const std::string& attr_value = "") {
  std::string n = field(1, "n") + field(2, op);
  if (!attr_value.empty()) n += field(5, field(1, "f") + field(2, attr_value));
  return n;
}
std::string function(const std::string& name, const std::string& nodes = "") {
  return field(1, field(1, field(1, name)) + nodes);
}

TEST(FunctionCall, closure_follows_op_names_function_attrs_lists_and_gradients) {
  const std::string in_list = field(1, field(9, field(1, "by_list")));
  const std::string library =
      function("root", field(3, node("by_op")) + field(3, node("While", func_value("by_attr")))) +
      function("by_op", field(3, node("Case", in_list))) + function("by_attr") +
      function("by_list") + function("by_gradient") + function("unused") +
      field(2, field(1, "by_attr") + field(2, "by_gradient"));
  const auto closure = library_closure(bytes_of(library), "root");
  ASSERT_TRUE(closure.ok()) << closure.status().message();
  for (const char* name : {"root", "by_op", "by_attr", "by_list", "by_gradient"})
    EXPECT_NE(closure->find(function(name).substr(2)), std::string::npos) << name;
  EXPECT_EQ(closure->find("unused"), std::string::npos);
}

TEST(FunctionCall, CVE_2022_23591_recursive_functions_end) {
  const std::string library =
      function("a", field(3, node("b"))) + function("b", field(3, node("a")));
  const auto closure = library_closure(bytes_of(library), "a");
  ASSERT_TRUE(closure.ok());
  EXPECT_EQ(closure->size(), library.size());
}

TEST(FunctionCall, A15_missing_root_is_named) {
  const auto closure = library_closure(bytes_of(function("a")), "b");
  EXPECT_EQ(closure.status().code(), Code::kUnsupported);
  EXPECT_NE(closure.status().message().find("\"b\""), std::string::npos);
  EXPECT_FALSE(library_closure({}, "").ok());
}

TEST(FunctionCall, CVE_2021_29615_nested_attributes_are_bounded) {
  std::string value = func_value("deep");
  for (int i = 0; i < 60; ++i) value = field(10, field(2, field(1, "f") + field(2, value)));
  const std::string library = function("root", field(3, node("op", value)));
  EXPECT_TRUE(library_closure(bytes_of(library), "root").ok());
  Limits limits;
  limits.max_proto_depth = 50;
  EXPECT_EQ(library_closure(bytes_of(library), "root", limits).status().code(),
            Code::kInvalidGraph);
}

TEST(FunctionCall, W2_truncated_library_is_an_error_or_a_smaller_library) {
  const std::string library =
      function("root", field(3, node("leaf", func_value("leaf")))) + function("leaf");
  for (size_t size = 0; size < library.size(); ++size) {
    const auto closure = library_closure(bytes_of(library.substr(0, size)), "root");
    if (closure.ok())
      EXPECT_LE(closure->size(), size);
    else
      EXPECT_FALSE(closure.status().message().empty());
  }
}

TEST(FunctionCall, wrong_wire_types_are_skipped) {
  const std::string varint_name = "\x08\x05";  // field 1 as a varint
  EXPECT_EQ(*function_name_of(bytes_of(varint_name)), "");
  EXPECT_EQ(*function_name_of(bytes_of(field(1, "f"))), "f");
  EXPECT_FALSE(function_name_of(bytes_of("\x0a\x05x")).ok());
}

TEST(FunctionCall, nested_config_keeps_intra_op_and_graph_options_only) {
  const std::string outer =
      std::string("\x10\x03\x28\x07") + field(10, "g") + field(12, "pool") + field(6, "gpu");
  const std::string config = nested_session_config(bytes_of(outer));
  EXPECT_EQ(intra_op_threads(bytes_of(config)), 3);
  EXPECT_NE(config.find(field(10, "g")), std::string::npos);
  EXPECT_NE(config.find(field(6, "gpu")), std::string::npos);
  EXPECT_EQ(config.find("pool"), std::string::npos);
  EXPECT_EQ(config.find("\x28\x07"), std::string::npos);
  EXPECT_EQ(nested_session_config(bytes_of("\x10")), nested_session_config({}));
  EXPECT_EQ(intra_op_threads(bytes_of("\x10")), 0);
}

}  // namespace
}  // namespace graft::graphdef
