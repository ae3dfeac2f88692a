// What the subcommands share: exit codes, errors, output of results.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

#include "graft/files.h"
#include "graft/status.h"

namespace graft::cli {

constexpr int kDone = 0, kError = 1, kUsage = 2, kNothingConverted = 3, kComparisonFailed = 4;
constexpr int64_t kMaxGraphBytes = (int64_t{1} << 31) - 1;

// Prints "graft: InvalidGraph: ..." to stderr and returns kError.
int fail(const Status& status);
Status write_text(const std::string& path, const std::string& text);

// Each adds its subcommand and sets `exit_code` when it runs.
void add_convert(CLI::App& app, int& exit_code);
void add_analyze(CLI::App& app, int& exit_code);
void add_calibrate(CLI::App& app, int& exit_code);
void add_finalize(CLI::App& app, int& exit_code);
void add_inspect(CLI::App& app, int& exit_code);
void add_run(CLI::App& app, int& exit_code);
void add_bench(CLI::App& app, int& exit_code);
void add_compare(CLI::App& app, int& exit_code);
void add_rescue(CLI::App& app, int& exit_code);
void add_ops(CLI::App& app, int& exit_code);
void add_doctor(CLI::App& app, int& exit_code);

}  // namespace graft::cli
