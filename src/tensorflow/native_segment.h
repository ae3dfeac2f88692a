// NativeSegment: the original nodes of an engine, run by a TensorFlow session inside the kernel
// when the engine can't answer. The session is made on first use and kept; every run is safe from
// many threads.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "base/status.h"
#include "tensorflow/node_attrs.h"
#include "tensorflow/session_api.h"
#include "tensorflow/tf_handles.h"

namespace graft::tensorflow {

class NativeSegment {
 public:
  // `attrs` must outlive this.
  explicit NativeSegment(const NodeAttrs& attrs) : attrs_(attrs) {}
  ~NativeSegment();
  NativeSegment(const NativeSegment&) = delete;
  NativeSegment& operator=(const NativeSegment&) = delete;

  // Runs the segment on the inputs and sets every output of `ctx`. Unsupported when the graph holds
  // no native segment: neither its function in the kernel's library nor a `native_segment`
  // attribute. Failing to make the session is remembered; failing to run is not.
  Status run(TF_OpKernelContext* ctx, std::span<TF_Tensor* const> inputs);

 private:
  Status open(TF_OpKernelContext* ctx);
  Result<std::string> graph_def(TF_OpKernelContext* ctx) const;
  Status resolve(const std::vector<std::string>& names, std::vector<TF_Output>& tensors) const;

  const NodeAttrs& attrs_;
  std::mutex mutex_;
  std::optional<Status> opened_;
  const SessionApi* api_ = nullptr;
  TF_Graph* graph_ = nullptr;
  TF_Session* session_ = nullptr;
  std::vector<TF_Output> feeds_, fetches_;
};

}  // namespace graft::tensorflow
