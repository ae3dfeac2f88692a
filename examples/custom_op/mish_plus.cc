// MishPlus: y = x * tanh(softplus(beta * x)), a custom op of TensorFlow on its C API, with a plain
// CPU kernel. custom_op.py compiles it and registers a converter for it; nothing here knows of
// Graft.
#include <cmath>
#include <cstdint>
#include <string>

#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_tensor.h"

namespace {

struct Kernel {
  float beta;
};

void* create(TF_OpKernelConstruction* construction) {
  auto* kernel = new Kernel;
  TF_Status* status = TF_NewStatus();
  TF_OpKernelConstruction_GetAttrFloat(construction, "beta", &kernel->beta, status);
  if (TF_GetCode(status) != TF_OK) TF_OpKernelConstruction_Failure(construction, status);
  TF_DeleteStatus(status);
  return kernel;
}

void compute(void* state, TF_OpKernelContext* context) {
  const double beta = static_cast<Kernel*>(state)->beta;
  TF_Status* status = TF_NewStatus();
  TF_Tensor* src = nullptr;
  TF_GetInput(context, 0, &src, status);
  if (TF_GetCode(status) == TF_OK) {
    int64_t dims[16];
    const int rank = TF_NumDims(src);
    for (int i = 0; i < rank && i < 16; ++i) dims[i] = TF_Dim(src, i);
    TF_Tensor* dst =
        TF_AllocateOutput(context, 0, TF_FLOAT, dims, rank, TF_TensorByteSize(src), status);
    if (TF_GetCode(status) == TF_OK) {
      const auto* x = static_cast<const float*>(TF_TensorData(src));
      auto* y = static_cast<float*>(TF_TensorData(dst));
      for (int64_t i = 0; i < TF_TensorElementCount(src); ++i) {
        const double z = beta * x[i];
        const double softplus = std::fmax(z, 0.0) + std::log1p(std::exp(-std::fabs(z)));
        y[i] = static_cast<float>(x[i] * std::tanh(softplus));
      }
      TF_DeleteTensor(dst);
    }
    TF_DeleteTensor(src);
  }
  if (TF_GetCode(status) != TF_OK) TF_OpKernelContext_Failure(context, status);
  TF_DeleteStatus(status);
}

void destroy(void* state) { delete static_cast<Kernel*>(state); }

void same_shape(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeHandle* shape = TF_NewShapeHandle();
  TF_ShapeInferenceContextGetInput(context, 0, shape, status);
  TF_ShapeInferenceContextSetOutput(context, 0, shape, status);
  TF_DeleteShapeHandle(shape);
}

bool register_op() {
  TF_OpDefinitionBuilder* op = TF_NewOpDefinitionBuilder("MishPlus");
  TF_OpDefinitionBuilderAddInput(op, "x: float");
  TF_OpDefinitionBuilderAddOutput(op, "y: float");
  TF_OpDefinitionBuilderAddAttr(op, "beta: float = 1.0");
  TF_OpDefinitionBuilderSetShapeInferenceFunction(op, &same_shape);
  TF_Status* status = TF_NewStatus();
  TF_RegisterOpDefinition(op, status);
  if (TF_GetCode(status) == TF_OK)
    TF_RegisterKernelBuilder(
        "MishPlusCpu", TF_NewKernelBuilder("MishPlus", "CPU", &create, &compute, &destroy), status);
  const bool ok = TF_GetCode(status) == TF_OK;
  TF_DeleteStatus(status);
  return ok;
}

const bool registered = register_op();

}  // namespace
