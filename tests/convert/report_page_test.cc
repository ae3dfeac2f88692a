// The report's page: one file whose data are the report's JSON, whatever bytes the names hold.
#include <nlohmann/json.hpp>

#include "convert/convert_testing.h"

namespace graft {
namespace {

using convert_testing::to;
using convert_testing::two_islands;

std::string between(const std::string& text, const std::string& open, const std::string& close) {
  const size_t at = text.find(open);
  if (at == std::string::npos) return "";
  const size_t start = at + open.size();
  return text.substr(start, text.find(close, start) - start);
}

std::string data_of(const std::string& page) {
  return between(page, "<script type=\"application/json\" id=\"data\">", "</script>");
}

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(ReportPage, data_are_the_json) {
  const auto conversion = convert(two_islands().bytes(), to({"end"}));
  ASSERT_TRUE(conversion.ok()) << conversion.status().message();
  const std::string page = conversion->report.html();
  EXPECT_EQ(nlohmann::json::parse(data_of(page)), nlohmann::json::parse(conversion->report.json()));
  EXPECT_TRUE(page.starts_with("<!DOCTYPE html>"));
  EXPECT_TRUE(page.ends_with("</html>\n"));
}

TEST(ReportPage, has_every_part_and_loads_nothing) {
  const std::string page = Report{}.html();
  for (const char* mark : {"@POLICY@", "@STYLE@", "@DATA@", "@SCRIPT@", "http:", "https:", "src=",
                           "href=", "@import", "url(", "fetch(", "innerHTML"})
    EXPECT_EQ(page.find(mark), std::string::npos) << mark;
  EXPECT_EQ(count(page, "default-src 'none'"), 1u);
  EXPECT_EQ(count(page, "'sha256-"), 2u);
  EXPECT_EQ(count(page, "</script>"), 2u);
}

TEST(ReportPage, hostile_names_are_data_W11) {
  const std::string names[] = {"</script><script>alert(1)</script>",
                               "<!--<script>",
                               "@SCRIPT@",
                               "a\n  b\"\\'&lt;",
                               "\xff\xfe",
                               std::string("\0\x1b[2J", 5)};
  Report report;
  for (const std::string& name : names)
    report.nodes.push_back(
        {name, name, -1, "unsupported_op", "there is no importer for " + name, name});
  const std::string page = report.html();
  EXPECT_EQ(count(page, "</script>"), 2u);
  EXPECT_EQ(count(page, "<script>"), 1u);
  EXPECT_EQ(page.find("<!--"), std::string::npos);
  const auto root = nlohmann::json::parse(data_of(page));
  EXPECT_EQ(root, nlohmann::json::parse(report.json()));
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(root["nodes"][i]["name"], names[i]);
}

TEST(ReportPage, keeps_fields_that_were_added) {
  const std::string page = report_page("{\"schema\": 1, \"measured\": [{\"engine\": \"a < b\"}]}");
  EXPECT_EQ(nlohmann::json::parse(data_of(page))["measured"][0]["engine"], "a < b");
}

TEST(ReportEdges, inputs_are_indices_each_once) {
  frontend::GraphBuilder b = two_islands();
  b.add("AddV2", "twice", {"end", "end", "^x", "^x"}, convert_testing::float_t());
  const auto report = analyze(b.bytes(), to({"twice"}));
  ASSERT_TRUE(report.ok()) << report.status().message();
  const auto index = [&](const std::string& name) {
    for (size_t i = 0; i < report->nodes.size(); ++i)
      if (report->nodes[i].name == name) return static_cast<int32_t>(i);
    return -1;
  };
  const auto& twice = convert_testing::verdict(*report, "twice");
  EXPECT_EQ(twice.inputs, std::vector<int32_t>{index("end")});
  EXPECT_EQ(twice.control_inputs, std::vector<int32_t>{index("x")});
  const auto root = nlohmann::json::parse(report->json());
  EXPECT_EQ(root["nodes"][index("twice")]["inputs"], twice.inputs);
  EXPECT_EQ(root["nodes"][index("twice")]["control_inputs"], twice.control_inputs);
  EXPECT_FALSE(root["nodes"][index("x")].contains("inputs"));
}

// A conditional of Switch and Merge becomes one op for the conversion; the report is of the graph
// that was given.
TEST(ReportEdges, of_lowered_control_flow_are_those_of_the_source) {
  frontend::GraphBuilder b;
  b.placeholder("x", DType::kFloat, {-1, 4});
  b.placeholder("p", DType::kBool, {});
  b.add("Switch", "s0", {"x", "p"}, convert_testing::float_t());
  b.add("Switch", "s1", {"x", "p"}, convert_testing::float_t());
  b.add("Neg", "no", {"s0"}, convert_testing::float_t());
  b.add("Abs", "yes", {"s1:1"}, convert_testing::float_t());
  b.add("Merge", "out", {"no", "yes"},
        {{"T", frontend::type_attr(DType::kFloat)}, {"N", graphdef::attr_of_int(2)}});
  b.add("Relu", "end", {"out"}, convert_testing::float_t());
  ConvertOptions options = to({"end"});
  options.min_segment_size = 1;
  const auto report = analyze(b.bytes(), options);
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_EQ(convert_testing::verdict(*report, "out").engine, 0);
  const auto names = [&](const std::string& name) {
    std::vector<std::string> inputs;
    for (int32_t i : convert_testing::verdict(*report, name).inputs)
      inputs.push_back(report->nodes.at(static_cast<size_t>(i)).name);
    return inputs;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(names("s1"), (Names{"x", "p"}));
  EXPECT_EQ(names("out"), (Names{"no", "yes"}));
  EXPECT_EQ(names("end"), Names{"out"});
}

}  // namespace
}  // namespace graft
