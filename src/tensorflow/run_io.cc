#include "tensorflow/run_io.h"

#include "base/check.h"

namespace graft::tensorflow {

Inputs::~Inputs() {
  for (TF_Tensor* t : tensors_) TF_DeleteTensor(t);
}

Status Inputs::get(TF_OpKernelContext* ctx, size_t expected) {
  const auto count = static_cast<size_t>(TF_NumInputs(ctx));
  if (count != expected)
    return internal_error("kernel has " + std::to_string(count) + " inputs, attribute InT has " +
                          std::to_string(expected));
  const TfStatus status = new_status();
  tensors_.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    TF_Tensor* tensor = nullptr;
    TF_GetInput(ctx, static_cast<int>(i), &tensor, status.get());
    if (tensor != nullptr) tensors_.push_back(tensor);
    GRAFT_RETURN_IF_ERROR(from_tf(status.get()).with_context("input " + std::to_string(i)));
    if (tensor == nullptr) return internal_error("input " + std::to_string(i) + " is missing");
  }
  return ok_status();
}

InputRefs::InputRefs(std::span<TF_Tensor* const> tensors) {
  size_t total_rank = 0;
  for (const TF_Tensor* t : tensors) total_rank += static_cast<size_t>(TF_NumDims(t));
  dims_.reserve(total_rank);
  refs_.reserve(tensors.size());
  for (const TF_Tensor* t : tensors) {
    const auto rank = static_cast<size_t>(TF_NumDims(t));
    const int64_t* first = dims_.data() + dims_.size();
    for (size_t d = 0; d < rank; ++d) dims_.push_back(TF_Dim(t, static_cast<int>(d)));
    refs_.push_back({static_cast<DType>(static_cast<int>(TF_TensorType(t))),
                     {first, rank},
                     TF_TensorData(t),
                     TF_TensorByteSize(t)});
  }
}

void* OutputTensors::allocate(int index, DType dtype, std::span<const int64_t> dims,
                              size_t size_bytes) {
  // Where an empty tensor has no data, the sink still must not answer nullptr.
  static std::byte empty;
  const auto i = static_cast<size_t>(index);
  if (index < 0 || i >= tensors_.size()) return nullptr;
  const auto type = static_cast<TF_DataType>(static_cast<int>(dtype));
  TF_AllocatorAttributes attributes{};
  attributes.struct_size = offsetof(TF_AllocatorAttributes, on_host) + sizeof(attributes.on_host);
  attributes.on_host = 1;
  tensors_[i].reset(TF_AllocateTemp(ctx_, type, dims.data(), static_cast<int>(dims.size()),
                                    &attributes, status_.get()));
  TF_Tensor* tensor = tensors_[i].get();
  if (TF_GetCode(status_.get()) != TF_OK || tensor == nullptr) return nullptr;
  if (TF_TensorByteSize(tensor) < size_bytes) return nullptr;
  return size_bytes == 0 ? &empty : TF_TensorData(tensor);
}

Status OutputTensors::commit() {
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const int index = static_cast<int>(i);
    TF_Tensor* tensor = tensors_[i].get();
    if (tensor == nullptr)
      return internal_error("the engine did not write output " + std::to_string(i));
    if (TF_TensorType(tensor) != TF_ExpectedOutputDataType(ctx_, index))
      return internal_error("the engine wrote output " + std::to_string(i) +
                            " in another dtype than its plan's");
    TF_SetOutput(ctx_, index, tensor, status_.get());
    GRAFT_RETURN_IF_ERROR(from_tf(status_.get()).with_context("output " + std::to_string(i)));
  }
  return ok_status();
}

}  // namespace graft::tensorflow
