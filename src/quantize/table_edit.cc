#include "quantize/table_edit.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/fault.h"
#include "quantize/calibration_error.h"

namespace graft::quantize {

Status merge_user_ranges(const UserRanges& overrides, ir::RangeTable& table) {
  ir::RangeTable result = table;
  for (const auto& [name, given] : overrides) {
    if (GRAFT_FAULT(user_range_ignored)) continue;
    ir::TensorRange range;
    range.threshold = std::max(std::fabs(given.min), std::fabs(given.max));
    range.min = given.min;
    range.max = given.max;
    range.calibrator = ir::kUserCalibrator;
    range.from_user = true;
    if (Status s = ir::check_range(name, range); !s.ok())
      return s.with_context("range given by the user");
    const auto [at, added] = result.ranges.try_emplace(name, range);
    if (added) continue;
    ir::TensorRange& seen = at->second;
    if (std::max(seen.min, given.min) <= std::min(seen.max, given.max)) {
      range.min = std::max(seen.min, given.min);
      range.max = std::min(seen.max, given.max);
    }
    range.channel_means = std::move(seen.channel_means);
    seen = std::move(range);
  }
  table = std::move(result);
  return ok_status();
}

Status check_identity(const ir::RangeTable& table, std::string_view identity) {
  if (table.identity.empty() || table.identity == identity || GRAFT_FAULT(table_identity_ignored))
    return ok_status();
  return calibration_error("the calibration table belongs to another graph: its identity is " +
                           table.identity + ", this graph's is " + std::string(identity));
}

std::vector<std::string> compare_names(const ir::RangeTable& table,
                                       std::span<const std::string> tensors) {
  const std::set<std::string_view> known(tensors.begin(), tensors.end());
  std::vector<std::string> warnings;
  for (const auto& [name, range] : table.ranges)
    if (!known.contains(name))
      warnings.push_back("tensor '" + name + "' of the calibration table is not in the network");
  for (const std::string_view name : known)
    if (!table.ranges.contains(name))
      warnings.push_back("tensor '" + std::string(name) + "' is not in the calibration table");
  return warnings;
}

}  // namespace graft::quantize
