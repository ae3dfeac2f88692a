// Tiny inputs for whatever a fuzzed engine asks for.
#pragma once

#include <memory>
#include <vector>

#include "graft/engine.h"

namespace graft {

class FuzzSink : public OutputSink {
 public:
  void* allocate(int, DType, std::span<const int64_t>, size_t size_bytes) override {
    if (size_bytes > (size_t{64} << 20)) return nullptr;
    buffers_.push_back(std::make_unique<std::byte[]>(size_bytes + 1));
    return buffers_.back().get();
  }

 private:
  std::vector<std::unique_ptr<std::byte[]>> buffers_;
};

// Zeros with 2 for every unknown dim; empty when a tensor would be large.
struct FuzzInputs {
  std::vector<std::vector<int64_t>> dims;
  std::vector<std::vector<std::byte>> bytes;
  std::vector<TensorRef> refs;
};

inline FuzzInputs make_inputs(const std::vector<TensorSpec>& specs) {
  constexpr int64_t kMaxElems = 1 << 16;
  FuzzInputs inputs;
  for (const TensorSpec& spec : specs) {
    int64_t elems = 1;
    inputs.dims.push_back(spec.dims);
    for (int64_t& dim : inputs.dims.back()) {
      if (dim < 0) dim = 2;
      elems = dim > kMaxElems || elems > kMaxElems ? kMaxElems + 1 : elems * dim;
    }
    if (elems > kMaxElems) return {};
    inputs.bytes.emplace_back(static_cast<size_t>(elems) * dtype_size(spec.dtype));
  }
  for (size_t i = 0; i < specs.size(); ++i)
    inputs.refs.push_back(
        {specs[i].dtype, inputs.dims[i], inputs.bytes[i].data(), inputs.bytes[i].size()});
  return inputs;
}

inline void run_engine(Engine& engine) {
  const FuzzInputs inputs = make_inputs(engine.inputs());
  FuzzSink sink;
  if (inputs.refs.size() == engine.inputs().size()) (void)engine.run(inputs.refs, sink).ok();
}

}  // namespace graft
