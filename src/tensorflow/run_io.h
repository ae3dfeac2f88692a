// The tensors of one Compute: inputs wrapped without a copy, outputs that TensorFlow sees only when
// the run succeeded.
#pragma once

#include <span>
#include <vector>

#include "graft/engine.h"
#include "tensorflow/tf_handles.h"

namespace graft::tensorflow {

// Owns the kernel's input tensors for the time of one Compute.
class Inputs {
 public:
  Inputs() = default;
  ~Inputs();
  Inputs(const Inputs&) = delete;
  Inputs& operator=(const Inputs&) = delete;
  Status get(TF_OpKernelContext* ctx, size_t expected);
  std::span<TF_Tensor* const> tensors() const { return tensors_; }

 private:
  std::vector<TF_Tensor*> tensors_;
};

// TensorRefs of tensors, which must outlive this.
class InputRefs {
 public:
  explicit InputRefs(std::span<TF_Tensor* const> tensors);
  std::span<const TensorRef> refs() const { return refs_; }

 private:
  std::vector<int64_t> dims_;
  std::vector<TensorRef> refs_;
};

// Allocates outputs as temporaries of TensorFlow; commit makes them the kernel's outputs. A run
// that fails half-way thus leaves nothing behind that the native segment's outputs would have to
// replace.
class OutputTensors final : public OutputSink {
 public:
  OutputTensors(TF_OpKernelContext* ctx, size_t count)
      : ctx_(ctx), status_(new_status()), tensors_(count) {}
  void* allocate(int index, DType dtype, std::span<const int64_t> dims, size_t size_bytes) override;
  Status commit();

 private:
  TF_OpKernelContext* ctx_;
  TfStatus status_;
  std::vector<TfTensor> tensors_;
};

}  // namespace graft::tensorflow
