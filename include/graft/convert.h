// convert: bytes of a frozen GraphDef -> bytes of a mixed GraphDef, with a report on every node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "graft/report.h"
#include "graft/rope.h"
#include "graft/status.h"

namespace graft {

enum class Precision { kFp32, kFp16, kBf16, kInt8 };
// "FP32" | "FP16" | "BF16" | "INT8" in any case; InvalidArgument lists the valid ones.
Result<Precision> parse_precision(const std::string& text);
std::string precision_name(Precision precision);

// Called with the stage's name, units done and in total, and the seconds that are estimated to
// remain.
using ProgressFn =
    std::function<void(const std::string& stage, int64_t done, int64_t total, double eta_s)>;

// How a conversion to INT8 comes by the ranges of tensors.
enum class CalibrationMode {
  kNone,      // from `calibration_table`, or from Q/DQ nodes in the graph
  kCalibOps,  // the result is a calibration graph: a TRTCalibOp before each segment
  kEngines,   // ... in which each engine op runs in FP32 and observes itself
};

struct ConvertOptions {
  std::vector<std::string> outputs;  // node names or "node:0"; empty: the graph's sinks
  std::vector<std::string> inputs;   // nodes that are fed; they stay native. Placeholders always do
  // kInt8 without calibration, table and Q/DQ nodes means kFp16, with a warning.
  Precision precision = Precision::kFp32;
  CalibrationMode calibration = CalibrationMode::kNone;
  std::string calibration_table;         // JSON (docs/calibration.md); "": none
  std::vector<std::string> keep_float;   // layers that stay floating in INT8: node names, globs
  bool int8_per_tensor_weights = false;  // one scale for all channels: worse, for comparisons
  // Part of the resource names of a calibration graph; "": random, so that each conversion collects
  // on its own.
  std::string conversion_id;
  int64_t max_batch_size = 1;  // the batch that tuning is for; never a limit
  int64_t max_workspace_bytes = int64_t{1} << 30;
  int64_t min_segment_size = 3;                      // effective nodes; > 0, or -1: convert nothing
  int64_t max_engines = 20;                          // keep the most valuable; <= 0: no cap
  std::vector<std::string> deny_ops, allow_ops;      // op types, globs
  std::vector<std::string> deny_nodes, allow_nodes;  // node names, globs
  std::vector<std::string> slow_nodes;  // measured: faster in TensorFlow than in their engine
  bool native_segments = true;          // keep `<engine>_native_segment` in the function library
  bool strict = false;       // NotConverted when a segment's build fails or nothing is converted
  bool strict_all = false;   // ... or any node stays native
  bool node_strict = false;  // written into the engine nodes: no run-time fallback
  bool strict_math = false;  // fp32_math="strict": no Winograd
  std::string engine_name_format;  // "", or with {graph} and {index}; default TRTEngineOp_%03d_%03d
  int64_t graph_number = 0;        // first number of an engine's name
  std::string op_name = "TRTEngineOp";
  std::vector<std::string> disabled_passes;
  bool verify_each_pass = false;  // test configuration
  bool round_trip_plans = false;  // test configuration: write, load and rewrite every plan
  std::string dump_dir;           // numbered text dumps of every stage; "" = none
  // Cap on the estimated memory of all engines together (EngineReport::memory_bytes): the most
  // valuable that fit are built, the rest stay native. -1: none.
  int64_t memory_limit_bytes = -1;
  double time_budget_s = -1;  // segments not built within it stay native
  ProgressFn progress;
  std::stop_token stop;
};

struct Conversion {
  // Serialized GraphDef; equal to the input when nothing was converted. Views the input's bytes:
  // keep them until it is written (write_file_atomic) or flattened into bytes of its own.
  Rope graph;
  Report report;
  std::string calibration_table;  // JSON, the ranges that an INT8 graph was built with; else ""
};

// Never changes its input. InvalidGraph / InvalidArgument / Unsupported / NotConverted / Cancelled
// / Internal.
Result<Conversion> convert(std::span<const std::byte> graph, const ConvertOptions& options);
// Names of the rewrites that `disabled_passes` may leave out, in the order in which they run.
std::vector<std::string> pass_names();
// The report of `convert` without building plans.
Result<Report> analyze(std::span<const std::byte> graph, const ConvertOptions& options);

}  // namespace graft
