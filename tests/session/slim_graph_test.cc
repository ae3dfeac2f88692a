#include "session/slim_graph.h"

#include <gtest/gtest.h>

#include "graphdef/attr.h"
#include "graphdef/writer.h"

namespace graft::session {
namespace {

using namespace graphdef;

TEST(SlimGraph, drops_plans_and_native_segments_and_nothing_else) {
  GraphWriter writer;
  const std::string plan(10000, 'p'), kept(10000, 'k');
  writer.add({"x", "Placeholder", "", {}, {{"dtype", attr_of_type(DType::kFloat)}}});
  writer.add({"e",
              "TRTEngineOp",
              "/cpu:0",
              {"x"},
              {{"plan_identity", attr_of_string("id")},
               {"segment_func", attr_of_func("e_native_segment")},
               {"serialized_segment", attr_of_string(plan)}}});
  writer.add({"y", "Relu", "", {"e"}, {{"serialized_segment", attr_of_string(kept)}}});
  FunctionSpec function;
  for (const char* name : {"e_native_segment", "other_native_segment"}) {
    function.name = name;
    writer.add_function(function);
  }
  const unsigned char versions[] = {0x22, 0x03, 0x08, 0xbf, 0x08};
  writer.add_rest(std::as_bytes(std::span(versions)));
  const std::vector<std::byte> bytes = writer.finish().value();
  auto whole = parse(bytes);
  ASSERT_TRUE(whole.ok()) << whole.status().message();

  const std::vector<std::byte> slim = slim_graph(bytes, *whole).flatten();
  EXPECT_LT(slim.size(), bytes.size() - plan.size());
  auto graph = parse(slim);
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  ASSERT_EQ(graph->nodes.size(), 3u);
  const Node& engine = graph->nodes[1];
  EXPECT_EQ(engine.find_attr("serialized_segment"), nullptr);
  EXPECT_NE(engine.find_attr("plan_identity"), nullptr);
  EXPECT_NE(engine.find_attr("segment_func"), nullptr);
  EXPECT_EQ(engine.device, "/cpu:0");
  EXPECT_EQ(engine.inputs, whole->nodes[1].inputs);
  for (size_t other : {0, 2})
    EXPECT_EQ(std::vector(graph->nodes[other].raw.begin(), graph->nodes[other].raw.end()),
              std::vector(whole->nodes[other].raw.begin(), whole->nodes[other].raw.end()));
  ASSERT_EQ(graph->functions.size(), 1u);
  EXPECT_EQ(graph->functions[0].name, "other_native_segment");
  EXPECT_EQ(graph->producer, whole->producer);
}

}  // namespace
}  // namespace graft::session
