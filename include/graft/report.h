// Report: what became of every node, engine by engine, as a value; text and JSON are written from
// it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "graft/types.h"

namespace graft {

struct NodeVerdict {
  std::string name, op;
  int engine = -1;          // index into Report::engines; -1: native
  std::string reason_code;  // "unsupported_op", "unsupported_attr", "dtype", "rank",
                            // "segment_too_small", "denied", "memory_limit", ...
  std::string reason;       // names the exact attribute, dtype or rule
  std::string hint;         // what the user may do; may be empty
  // In an engine by converters that a user registered: their names (graft/converter.h).
  std::string converter = "";
  // Producers as indices into Report::nodes, each once.
  std::vector<int32_t> inputs = {}, control_inputs = {};
};

struct LayerReport {
  std::string name;   // TensorFlow node name
  std::string op;     // IR op after canonicalization
  std::string dtype;  // of the arithmetic
  std::string weights_dtype;
  double flops = 0;  // at max_batch_size, unknown dims as 1
  bool winograd_allowed = false;
};

struct EngineReport {
  std::string name;
  std::string function;  // whose body the engine is in, by its name before; "": the graph itself
  std::vector<std::string> nodes;
  std::vector<TensorSpec> inputs, outputs;
  std::vector<LayerReport> layers;
  int64_t plan_bytes = 0, weights_bytes = 0;
  int64_t boundary_bytes = 0;  // inputs + outputs at max_batch_size, unknown dims as 1
  // Estimates at max_batch_size, unknown dims as 1: weights as they lie in memory, activations
  // alive at one time, scratch of the kernels; and their sum.
  int64_t weights_memory_bytes = 0, activations_bytes = 0, scratch_bytes = 0, memory_bytes = 0;
  double flops = 0, reference_flops_share = 0;
  double int8_macs_share = 0;  // of the multiply-adds of conv, matmul and attention
  double build_s = 0;
  std::string identity;             // of the plan
  std::vector<std::string> passes;  // "name: changed" lines of the pass runner
  std::vector<std::string> warnings;
};

struct Report {
  std::vector<EngineReport> engines;
  std::vector<NodeVerdict> nodes;  // in graph order
  std::vector<std::string> warnings;
  std::vector<std::string> outputs;  // as used
  int64_t graph_bytes_in = 0, graph_bytes_out = 0;
  int64_t nodes_total = 0, nodes_in_engines = 0;
  int64_t max_workspace_bytes = 0;  // cap on the scratch of one engine
  int64_t memory_limit_bytes = -1;  // cap on the engines' memory_bytes together; -1: none
  int64_t memory_bytes = 0;         // of all engines
  double total_s = 0;
  // minimum_segment_size -> (engines, nodes covered)
  struct SizeRow {
    int64_t min_segment_size, engines, nodes;
  };
  std::vector<SizeRow> by_min_segment_size;

  std::string summary() const;  // one line
  std::string text() const;
  std::string json() const;  // schema: docs/report.md
  std::string html() const;  // one page that needs nothing else
};

// The page of a report that is JSON already, as Report::json() gives it or with fields added.
std::string report_page(std::string_view json);

}  // namespace graft
