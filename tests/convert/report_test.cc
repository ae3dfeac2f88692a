// The report as text and JSON, and the table of segment sizes.
#include <nlohmann/json.hpp>

#include "convert/convert_testing.h"

namespace graft {
namespace {

using convert_testing::mlp;
using convert_testing::to;
using convert_testing::two_islands;
using convert_testing::verdict;

Report islands(int64_t min_segment_size) {
  ConvertOptions options = to({"end"});
  options.min_segment_size = min_segment_size;
  auto conversion = convert(two_islands().bytes(), options);
  EXPECT_TRUE(conversion.ok()) << conversion.status().message();
  return conversion.ok() ? std::move(conversion->report) : Report{};
}

TEST(Report, json_follows_its_schema) {
  const Report report = islands(3);
  const auto root = nlohmann::json::parse(report.json());
  EXPECT_EQ(root["schema"], 1);
  EXPECT_EQ(root["summary"], report.summary());
  EXPECT_EQ(root["outputs"], std::vector<std::string>{"end"});
  EXPECT_EQ(root["totals"]["engines"], 1);
  EXPECT_EQ(root["totals"]["nodes"], report.nodes.size());
  EXPECT_EQ(root["totals"]["graph_bytes_in"], two_islands().bytes().size());
  EXPECT_GT(root["totals"]["graph_bytes_out"], 0);
  const auto& engine = root["engines"][0];
  for (const char* field : {"name", "identity", "nodes", "inputs", "outputs", "plan_bytes",
                            "weights_bytes", "boundary_bytes", "flops", "reference_flops_share",
                            "build_s", "passes", "warnings", "layers"})
    EXPECT_TRUE(engine.contains(field)) << field;
  EXPECT_EQ(engine["reference_flops_share"], 0);
  EXPECT_EQ(engine["inputs"][0]["shape"], (std::vector<int>{-1, 4}));
  EXPECT_EQ(engine["inputs"][0]["dtype"], "float32");
  EXPECT_EQ(engine["layers"][0]["op"], "matmul");
  EXPECT_EQ(root["nodes"].size(), report.nodes.size());
  for (const auto& node : root["nodes"]) {
    const bool native = node["engine"] == -1;
    EXPECT_EQ(node.contains("code"), native) << node;
    if (native) {
      EXPECT_FALSE(node["code"].get<std::string>().empty()) << node;
    }
  }
}

TEST(Report, every_native_node_has_a_reason) {
  for (int64_t least : {-1, 1, 2, 3, 4}) {
    for (const NodeVerdict& v : islands(least).nodes)
      EXPECT_EQ(v.reason_code.empty() && v.hint.empty(), v.engine >= 0)
          << v.name << " at " << least;
  }
  const Report report = islands(3);
  EXPECT_EQ(verdict(report, "strange").reason_code, "unsupported_op");
  EXPECT_EQ(verdict(report, "second/a").engine, -1);
  EXPECT_NE(verdict(report, "second/a").reason.find("2"), std::string::npos)
      << verdict(report, "second/a").reason;
}

TEST(Report, hints_of_segments_name_the_option) {
  EXPECT_NE(verdict(islands(3), "second/a").hint.find("min_segment_size"), std::string::npos);
  ConvertOptions options = to({"end"});
  options.min_segment_size = 1;
  options.max_engines = 1;
  const auto conversion = convert(two_islands().bytes(), options);
  ASSERT_TRUE(conversion.ok()) << conversion.status().message();
  EXPECT_NE(verdict(conversion->report, "second/a").hint.find("max_engines"), std::string::npos);
  EXPECT_NE(conversion->report.text().find("; hint: a higher max_engines"), std::string::npos);
}

TEST(Report, text_names_engines_layers_and_reasons) {
  const std::string text = islands(3).text();
  for (const char* part : {"engine TRTEngineOp_000_000: 4 nodes", "native nodes by reason",
                           "Lgamma", "minimum_segment_size -> engines, nodes", "in  x float32[?,4]",
                           "0.00 % of FLOPs in reference kernels"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
}

TEST(Report, table_of_segment_sizes) {
  const Report report = islands(100);
  EXPECT_TRUE(report.engines.empty());
  ASSERT_EQ(report.by_min_segment_size.size(), 2u);
  EXPECT_EQ(report.by_min_segment_size[0].min_segment_size, 2);
  EXPECT_EQ(report.by_min_segment_size[0].engines, 2);
  EXPECT_EQ(report.by_min_segment_size[1].min_segment_size, 3);
  EXPECT_EQ(report.by_min_segment_size[1].engines, 1);
  for (const auto& row : report.by_min_segment_size)
    EXPECT_EQ(static_cast<int64_t>(islands(row.min_segment_size).engines.size()), row.engines);
}

TEST(Report, W11_names_of_any_bytes_stay_valid_json) {
  Report report;
  report.nodes.push_back({"a\xff\"\n", "Op\x01", -1, "code", "reason \xc3", ""});
  report.warnings.push_back("\x80");
  EXPECT_FALSE(nlohmann::json::parse(report.json(), nullptr, false).is_discarded());
}

}  // namespace
}  // namespace graft
