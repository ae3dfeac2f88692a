// What a conversion to INT8 decides before any segment is built.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "convert/build.h"

namespace graft::convert_detail {

struct Int8Setup {
  Precision precision = Precision::kFp32;  // of the plans
  std::optional<ir::RangeTable> ranges;    // set: quantize by them
  std::string identity, conversion_id;     // set: a calibration graph is made
};

// Options of any precision. INT8 without calibration, table and Q/DQ nodes becomes FP16 with
// TF-TRT's warning. CalibrationError for a table that is malformed or of another graph.
Result<Int8Setup> set_up_int8(const graphdef::Graph& graph, const ConvertOptions& options,
                              Report& report);

// Whether a graph has nodes that quantize and dequantize. InvalidGraph when it can't be read.
Result<bool> has_quantize_nodes(std::span<const std::byte> graph);

// A warning for each name of the table that no engine has, and for each range of the user that an
// engine has no use for.
void warn_unused_ranges(const ir::RangeTable& ranges,
                        const std::vector<std::optional<BuiltEngine>>& engines, Report& report);

}  // namespace graft::convert_detail
