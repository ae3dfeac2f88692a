// Canonicalization: target-free rewrites of a Network, listed in pipeline.cc, run by one runner.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/work.h"
#include "ir/network.h"
#include "ir/range_table.h"

namespace graft::passes {

// A layer that stays in floating point although it could be INT8, and why.
struct KeptLayer {
  std::string name, reason;
};

// How `quantize` turns a calibrated network into INT8.
struct QuantizeOptions {
  std::vector<std::string> keep_float;  // op names that stay float
  bool per_tensor_weights = false;      // one scale for all channels: worse, for comparisons
  bool bias_correction = true;          // where the table has the channels' means
};

struct PassOptions {
  std::vector<std::string> disabled;  // pass names; an unknown name is InvalidArgument
  bool verify_each = false;           // release: verified once at the end
  std::string dump_dir;               // "NN_name.txt" after each pass that changed something
  bool strict_math = false;
  int64_t max_folded_bytes = int64_t{64} << 20;
  // Only what an INT8 layer can do is fused, so that every tensor that may be quantized exists: the
  // network that calibration observes, and that `ranges` then quantizes.
  bool int8 = false;
  const ir::RangeTable* ranges = nullptr;
  QuantizeOptions quantize;
  std::vector<KeptLayer>* kept_float = nullptr;  // filled by the quantize pass
  std::vector<std::string>* notes =
      nullptr;  // ranges of the graph that int8 does not hold as given
  std::vector<std::string>* unused_ranges = nullptr;  // ranges of the user without effect, and why
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
// The INT8 passes alone, on a network that was canonicalized with int8 and without ranges.
Status quantize_network(ir::Network& network, const PassOptions& options, WorkContext& work);

}  // namespace graft::passes
