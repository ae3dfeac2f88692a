// Small networks, a reference-only backend and output collection for the engine tests.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "backends/reference_step.h"
#include "base/dtype.h"
#include "engine/plan/plan.h"
#include "engine/run/load.h"
#include "ir/network.h"

namespace graft::engine_testing {

using Dims = std::vector<int64_t>;

// Every step is the reference evaluator; with `in_place` elementwise steps say that they may run in
// place.
class ReferenceBackend final : public backends::Backend {
 public:
  explicit ReferenceBackend(bool in_place = false) : in_place_(in_place) {}
  std::string_view name() const override { return in_place_ ? "test_in_place" : "test"; }
  Result<std::unique_ptr<backends::Step>> create_step(
      const backends::Problem& problem, std::vector<backends::Refusal>*) const override {
    auto step = backends::create_reference_step(problem);
    const ir::OpKind kind = problem.op->kind();
    const bool elementwise = kind == ir::OpKind::kUnary || kind == ir::OpKind::kBinary;
    if (!step.ok() || !in_place_ || !elementwise) return step;
    return std::unique_ptr<backends::Step>(std::make_unique<InPlaceStep>(std::move(*step)));
  }
  bool has_kernel(const backends::Problem&) const override { return false; }
  void begin_run(int) const override {}
  void end_run() const override {}

 private:
  class InPlaceStep final : public backends::Step {
   public:
    explicit InPlaceStep(std::unique_ptr<backends::Step> inner) : inner_(std::move(inner)) {}
    std::string_view kernel_name() const override { return "in_place"; }
    Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
      return inner_->plan(shapes);
    }
    void run(const backends::StepState* state, const void* const* src, void* const* dst,
             std::byte* scratch) const override {
      inner_->run(state, src, dst, scratch);
    }
    bool may_run_in_place(int) const override { return true; }

   private:
    std::unique_ptr<backends::Step> inner_;
  };
  bool in_place_;
};

// Keeps every output in memory of its own.
class Collect final : public OutputSink {
 public:
  void* allocate(int index, DType dtype, std::span<const int64_t> dims,
                 size_t size_bytes) override {
    if (outputs.size() <= static_cast<size_t>(index)) outputs.resize(index + 1);
    Output& o = outputs[index];
    o.dtype = dtype;
    o.dims.assign(dims.begin(), dims.end());
    o.bytes.resize(size_bytes + 8);
    return o.bytes.data() + misalign;
  }
  template <typename T>
  std::vector<T> get(int index) const {
    const Output& o = outputs.at(index);
    std::vector<T> result((o.bytes.size() - 8) / sizeof(T));
    if (!result.empty())
      std::memcpy(result.data(), o.bytes.data() + misalign, result.size() * sizeof(T));
    return result;
  }
  const Dims& dims(int index) const { return outputs.at(index).dims; }

  struct Output {
    DType dtype;
    Dims dims;
    std::vector<std::byte> bytes;
  };
  std::vector<Output> outputs;
  size_t misalign = 0;
};

// A tensor that a test owns.
template <typename T>
struct Tensor {
  Dims dims;
  std::vector<T> elems;
  TensorRef ref() const { return {dtype_of<T>(), dims, elems.data(), elems.size() * sizeof(T)}; }
};

inline Tensor<float> ramp(Dims dims, float from = 0, float step = 1) {
  int64_t n = 1;
  for (int64_t d : dims) n *= d;
  Tensor<float> t{std::move(dims), {}};
  for (int64_t i = 0; i < n; ++i) t.elems.push_back(from + step * static_cast<float>(i % 97));
  return t;
}

// Builds a network by appending; input dim -1 is a symbol of its own.
class Builder {
 public:
  ir::ValueId input(const std::string& name, DType dtype, const Dims& dims) {
    ir::TensorType type{dtype, {}};
    for (size_t axis = 0; axis < dims.size(); ++axis)
      type.dims.push_back(dims[axis] >= 0
                              ? ir::Dim(dims[axis])
                              : network.dims.input(static_cast<int64_t>(network.inputs.size()),
                                                   static_cast<int64_t>(axis)));
    const ir::ValueId id = network.add_value(name, std::move(type));
    network.inputs.push_back(id);
    return id;
  }
  ir::ValueId floats(const std::string& name, const Dims& dims, float from = 0.5f,
                     float step = 0.25f) {
    const Tensor<float> t = ramp(dims, from, step);
    return network.add_constant_of<float>(name, dims, t.elems);
  }
  ir::ValueId ints(const std::string& name, const std::vector<int32_t>& elems) {
    const Dims dims{static_cast<int64_t>(elems.size())};
    return network.add_constant_of<int32_t>(name, dims, elems);
  }
  template <typename T>
  ir::ValueId scalar(const std::string& name, T value) {
    return network.add_constant_of<T>(name, Dims{}, std::span<const T>(&value, 1));
  }
  ir::ValueId op(ir::Attrs attrs, std::vector<ir::ValueId> inputs, const std::string& name) {
    auto result = network.append(std::move(attrs), std::move(inputs), name);
    EXPECT_TRUE(result.ok()) << result.status().message();
    return result.ok() ? *result : ir::kNoValue;
  }
  ir::ValueId relu(ir::ValueId x, const std::string& name) {
    return op(ir::UnaryAttrs{{ir::UnaryFn::kRelu, 0, 0}}, {x}, name);
  }
  ir::ValueId binary(ir::BinaryFn fn, ir::ValueId a, ir::ValueId b, const std::string& name) {
    return op(ir::BinaryAttrs{fn}, {a, b}, name);
  }
  void output(ir::ValueId id) { network.outputs.push_back(id); }

  ir::Network network;
};

inline engine::WrittenPlan must_write(const ir::Network& network,
                                      const engine::PlanOptions& options = {}) {
  auto plan = engine::write_plan(network, options);
  EXPECT_TRUE(plan.ok()) << plan.status().message();
  return plan.ok() ? *plan : engine::WrittenPlan{};
}

inline std::shared_ptr<Engine> must_load(const ir::Network& network, bool in_place = false,
                                         const EngineOptions& options = {}) {
  static const ReferenceBackend backend, in_place_backend(true);
  auto loaded = engine::load_engine(must_write(network).bytes, options,
                                    in_place ? in_place_backend : backend);
  EXPECT_TRUE(loaded.ok()) << loaded.status().message();
  return loaded.ok() ? *loaded : nullptr;
}

}  // namespace graft::engine_testing
