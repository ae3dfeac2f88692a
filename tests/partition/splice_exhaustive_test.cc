// Every graph of up to five nodes with every support mask, spliced: all its tensors are fetched.
#include <random>

#include "splice_testing.h"

namespace graft::partition {
namespace {

constexpr const char* kNames[] = {"a", "b", "c", "d", "e", "f"};

// As in segment_exhaustive_test.cc; every other node that is not native has three outputs.
TestGraph small_graph(int n, uint32_t edges, uint32_t control, uint32_t mask) {
  std::vector<NodeSpec> nodes = {node("x", "Placeholder"), node("k", "Const")};
  int bit = 0;
  for (int b = 0; b < n; ++b) {
    const bool split = b % 2 == 1 && (mask >> b & 1);
    std::vector<std::string> inputs, controls;
    for (int a = 0; a < b; ++a, ++bit) {
      if (!(edges >> bit & 1)) continue;
      if (control >> bit & 1)
        controls.push_back(std::string("^") + kNames[a]);
      else
        inputs.push_back(std::string(kNames[a]) + (nodes[static_cast<size_t>(a) + 2].op == "Split"
                                                       ? ":" + std::to_string(b % 3)
                                                       : ""));
    }
    if (split) inputs = {"k", inputs.empty() ? "x" : inputs.back()};
    if (inputs.empty() && controls.empty()) inputs.push_back("x");
    inputs.insert(inputs.end(), controls.begin(), controls.end());
    NodeSpec spec = node(kNames[b], split ? "Split" : mask >> b & 1 ? "Relu" : "NativeOp", inputs);
    if (split) spec.attrs.emplace_back("num_split", attr_of_int(3));
    nodes.push_back(std::move(spec));
  }
  return make_graph(nodes);
}

TEST(SpliceExhaustive, S13_all_graphs_of_up_to_five_nodes_compute_the_same) {
  std::mt19937 random(1);
  int64_t engines = 0;
  for (int n = 1; n <= 5; ++n)
    for (uint32_t edges = 0; edges < 1u << (n * (n - 1) / 2); ++edges)
      for (uint32_t mask = 0; mask < 1u << n; ++mask)
        for (const uint32_t control :
             n < 5 ? std::vector<uint32_t>{0, static_cast<uint32_t>(random())}
                   : std::vector<uint32_t>{static_cast<uint32_t>(random())}) {
          const TestGraph g = small_graph(n, edges, control, mask);
          std::vector<InputRef> fetched;
          for (int v = 0; v < n; ++v) {
            const int32_t at = g.at(kNames[v]);
            fetched.push_back({at, 0});
            if (g.graph.nodes[static_cast<size_t>(at)].op == "Split") fetched.push_back({at, 2});
          }
          const Segmentation s = segment_all(g, fetched);
          engines += static_cast<int64_t>(s.segments.size());
          const std::string what = "n=" + std::to_string(n) + " edges=" + std::to_string(edges) +
                                   " control=" + std::to_string(control) +
                                   " mask=" + std::to_string(mask);
          ASSERT_NO_FATAL_FAILURE(
              expect_same_program(g, s, splice_all(g, fetched, mask % 2), fetched, what));
        }
  EXPECT_GT(engines, 30'000);
}

}  // namespace
}  // namespace graft::partition
