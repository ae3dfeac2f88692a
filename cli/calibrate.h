// Calibration from the command line: data in files -> table.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

#include "graft/finish.h"

namespace graft::cli {

struct CalibrateArgs {
  std::vector<std::string> feeds;  // FILE.npz, or NAME=FILE.npy each; all images in each array
  FinishOptions finish;            // what of it the command line sets
  int64_t batch = 32;              // images a run
  int threads = 0;
  bool quiet = false;
};

// How ranges are found.
void add_finish_options(CLI::App& cmd, FinishOptions& options);
void add_calibrator(CLI::App& cmd, CalibrateArgs& args);

// The table as JSON; "" when nothing would become an engine, so that nothing can be calibrated.
Result<std::string> make_table(std::span<const std::byte> graph, ConvertOptions options,
                               const CalibrateArgs& args);

}  // namespace graft::cli
