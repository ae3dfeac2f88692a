// Session: runs a mixed or plain frozen graph without TensorFlow in the process.
#pragma once

#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "graft/calibrate.h"
#include "graft/engine.h"
#include "graft/host_tensor.h"
#include "graft/status.h"
#include "graft/types.h"

namespace graft {

struct SessionOptions {
  EngineOptions engine;
  bool convert_plain = true;  // plain nodes run through engines of their own, built in memory;
                              // false: reference evaluator
  bool strict = false;
  bool profile = false;  // time every step (StepInfo::time_ns)
  // Plain nodes are fused no further than INT8 engines fuse, so that an observed run shows the
  // tensors that those have.
  bool keep_tensors = false;
  bool equalized = false;  // with keep_tensors: scale channels between layers as INT8 engines do
};

// Sees the tensors inside the engines of an observed run, on the thread that runs it.
class TensorObserver {
 public:
  virtual ~TensorObserver() = default;
  // `tensor`: TensorFlow name, "node" or "node:1". scale > 0: quantized; `data` are what its
  // integers stand for. Data and dims as TapObserver's.
  virtual Status observe(const std::string& tensor, double scale, std::span<const float> data,
                         std::span<const int64_t> dims) = 0;
};

class Session {
 public:
  // Unsupported names the first node that neither an engine nor the reference evaluator can run.
  static Result<std::unique_ptr<Session>> create(std::span<const std::byte> graph,
                                                 const SessionOptions& options = {});
  virtual ~Session() = default;
  // Feeds and fetches are "node" or "node:port". Only what the fetches need is run. Thread-safe.
  virtual Result<std::vector<HostTensor>> run(
      std::span<const std::string> fetches,
      std::span<const std::pair<std::string, TensorRef>> feeds, std::stop_token stop = {}) = 0;
  // As run, and shows `observer` each tensor that Engine::run_observed_reals shows; of one that two
  // engines have, the first. Engines that observe themselves collect nothing of it.
  virtual Result<std::vector<HostTensor>> run_observed(
      std::span<const std::string> fetches,
      std::span<const std::pair<std::string, TensorRef>> feeds, TensorObserver& observer,
      std::stop_token stop = {}) = 0;
  // What the runs of engines that observe themselves collect, by their resource_name
  // (graft/finish.h); null when no engine has that name. Sessions don't share it.
  virtual std::shared_ptr<CalibrationCollector> calibration(const std::string& resource) const = 0;
  // Engines of the graph, by node name, for profiles and stats.
  virtual std::vector<std::pair<std::string, std::shared_ptr<Engine>>> engines() const = 0;
};

}  // namespace graft
