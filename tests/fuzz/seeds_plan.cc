// Plans of the seed graphs, whole and as the bytes that plan_fuzz seals itself.
#include "engine/plan/container.h"
#include "graft/convert.h"
#include "graphdef/attr.h"
#include "seeds.h"

namespace graft {
namespace {

std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

Seeds seeds() {
  Seeds out;
  for (const auto& [name, bytes] : graph_seeds()) {
    ConvertOptions options;
    options.min_segment_size = 1;
    auto converted = convert(std::as_bytes(std::span(bytes.data(), bytes.size())), options);
    if (!converted.ok()) continue;
    const std::vector<std::byte> mixed = converted->graph.flatten();
    auto graph = graphdef::parse(mixed);
    if (!graph.ok()) continue;
    for (const auto& node : graph->nodes) {
      auto plan = graphdef::attr_string_or(node, "serialized_segment", "");
      if (!plan.ok() || plan->empty()) continue;
      out.emplace_back(name, std::string(*plan));
      const auto plan_bytes = std::as_bytes(std::span(plan->data(), plan->size()));
      auto open = engine::open_container(plan_bytes, Limits());
      if (!open.ok() || open->metadata.size() > 0xffff) continue;
      std::string inner{static_cast<char>(open->metadata.size() & 255),
                        static_cast<char>(open->metadata.size() >> 8)};
      out.emplace_back(name + "_inner", inner + text(open->metadata) + text(open->weights));
    }
  }
  return out;
}

}  // namespace graft
