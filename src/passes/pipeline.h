// Canonicalization: target-free rewrites of a Network, listed in pipeline.cc, run by one runner.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/work.h"
#include "ir/network.h"

namespace graft::passes {

struct PassOptions {
  std::vector<std::string> disabled;  // pass names; an unknown name is InvalidArgument
  bool verify_each = false;           // release: verified once at the end
  std::string dump_dir;               // "NN_name.txt" after each pass that changed something
  bool strict_math = false;
  int64_t max_folded_bytes = int64_t{64} << 20;
};

struct PassRecord {
  std::string name;
  bool changed = false, disabled = false;
  double time_ms = 0;
  int64_t ops_before = 0, ops_after = 0;
};

// Runs every pass of the pipeline in order; the network is verified at the end.
Status canonicalize(ir::Network& network, const PassOptions& options, WorkContext& work,
                    std::vector<PassRecord>* records = nullptr);
std::vector<std::string> pass_names();

}  // namespace graft::passes
