#include "engine/run/shapes.h"

#include "base/check.h"
#include "base/checked.h"
#include "ir/infer.h"

namespace graft::engine {
namespace {

// Elements as numbers; nullopt when any is not constant.
std::optional<std::vector<int64_t>> constant_elems(const std::vector<ir::Dim>& dims) {
  std::vector<int64_t> elems;
  elems.reserve(dims.size());
  for (ir::Dim d : dims) {
    if (!d.is_const()) return std::nullopt;
    elems.push_back(d.value());
  }
  return elems;
}

class ShapeRun {
 public:
  ShapeRun(const Program& program, const ScheduleInputs& inputs, const Limits& limits)
      : network_(program.network), program_(program), inputs_(inputs), limits_(limits) {}

  Result<ConcreteShapes> run() {
    const size_t n = network_.values.size();
    types_.resize(n);
    host_.resize(n);
    result_.dims.resize(n);
    result_.size_bytes.resize(n);
    result_.host.resize(n);
    for (size_t id = 0; id < n; ++id) {
      const ir::Value& value = network_.values[id];
      if (value.is_const())
        GRAFT_RETURN_IF_ERROR(set(static_cast<ir::ValueId>(id), value.type, value.host));
    }
    GRAFT_RETURN_IF_ERROR(set_inputs());
    ir::DimTable unused;
    std::vector<ir::InferInput> known;
    for (const ir::Op& op : network_.ops) {
      known.clear();
      for (ir::ValueId id : op.inputs)
        known.push_back({&types_[id], host_[id] ? &*host_[id] : nullptr});
      auto made = ir::infer(op, known, op.outputs.size(), unused);
      if (!made.ok())
        return invalid_argument("the input shapes do not fit " + op.name + ": " +
                                made.status().message());
      for (size_t i = 0; i < op.outputs.size(); ++i)
        GRAFT_RETURN_IF_ERROR(
            set(op.outputs[i], std::move((*made)[i].type), std::move((*made)[i].host)));
    }
    return std::move(result_);
  }

 private:
  Status set_inputs() {
    for (size_t i = 0; i < network_.inputs.size(); ++i) {
      const ir::ValueId id = network_.inputs[i];
      ir::TensorType type;
      type.dtype = network_.values[id].type.dtype;
      type.dims.assign(inputs_.dims[i].begin(), inputs_.dims[i].end());
      std::optional<std::vector<ir::Dim>> host;
      for (size_t h = 0; h < program_.host_inputs.size(); ++h) {
        if (program_.host_inputs[h] == static_cast<int32_t>(i) &&
            static_cast<int64_t>(inputs_.host[h].size()) ==
                checked_product(inputs_.dims[i]).value_or(-1))
          host.emplace(inputs_.host[h].begin(), inputs_.host[h].end());
      }
      GRAFT_RETURN_IF_ERROR(set(id, std::move(type), std::move(host)));
    }
    return ok_status();
  }

  Status set(ir::ValueId id, ir::TensorType type, std::optional<std::vector<ir::Dim>> host) {
    const std::string& name = network_.values[id].name;
    auto dims = constant_elems(type.dims);
    if (!dims)
      return invalid_argument("the shape of " + name +
                              " depends on data that are not known before running");
    const auto elems = checked_product(*dims);
    const auto bytes =
        elems ? checked_mul(*elems, static_cast<int64_t>(dtype_size(type.dtype))) : std::nullopt;
    if (!bytes || *elems > limits_.max_tensor_elems)
      return resource_exhausted(name + " would have more than " +
                                std::to_string(limits_.max_tensor_elems) + " elements");
    result_.dims[id] = std::move(*dims);
    result_.size_bytes[id] = static_cast<size_t>(*bytes);
    if (host) result_.host[id] = constant_elems(*host);
    types_[id] = std::move(type);
    if (result_.host[id]) host_[id] = std::move(host);
    return ok_status();
  }

  const ir::Network& network_;
  const Program& program_;
  const ScheduleInputs& inputs_;
  const Limits& limits_;
  std::vector<ir::TensorType> types_;
  std::vector<std::optional<std::vector<ir::Dim>>> host_;
  ConcreteShapes result_;
};

}  // namespace

Result<ConcreteShapes> infer_shapes(const Program& program, const ScheduleInputs& inputs,
                                    const Limits& limits) {
  return ShapeRun(program, inputs, limits).run();
}

}  // namespace graft::engine
