#include <algorithm>

#include "base/log.h"
#include "frontend/import.h"
#include "graphdef/attr.h"
#include "session/engine_nodes.h"
#include "session/executable.h"
#include "session/plain_region.h"

namespace graft::session {

using graphdef::InputRef;

namespace {

bool passes_on(std::string_view op) {
  return op == "Identity" || op == "IdentityN" || op == "StopGradient" || op == "PreventGradient" ||
         op == "Snapshot" || op == "EnsureShape" || op == "PlaceholderWithDefault";
}

Result<HostTensor> decode_const(const graphdef::Node& node) {
  GRAFT_ASSIGN_OR_RETURN(const graphdef::TensorView view, graphdef::attr_tensor(node, "value"));
  HostTensor tensor{view.dtype, view.dims, {}};
  const size_t element = dtype_size(view.dtype);
  if (element == 0) return unsupported("constants of " + dtype_name(view.dtype) + " are not held");
  tensor.bytes.resize(static_cast<size_t>(view.elems()) * element);
  if (!view.splat) {
    std::copy(view.content.begin(), view.content.end(), tensor.bytes.begin());
  } else {
    for (size_t at = 0; at < tensor.bytes.size(); at += element)
      std::copy_n(view.content.begin(), element, tensor.bytes.begin() + static_cast<ptrdiff_t>(at));
  }
  return tensor;
}

}  // namespace

class ExecutableBuilder {
 public:
  ExecutableBuilder(const Cut& cut, const EngineMap& engines, const SessionOptions& options)
      : cut_(cut),
        graph_(cut.graph),
        engines_(engines),
        options_(options),
        result_(std::make_shared<Executable>()) {}

  Result<std::shared_ptr<const Executable>> build() {
    result_->profile_ = options_.profile;
    WorkContext work;
    GRAFT_ASSIGN_OR_RETURN(
        imported_, frontend::import_all(graph_, work, {},
                                        {.quantization_ops = true, .fetched = cut_.fetches}));
    frontend::bond_lists(graph_, cut_.fetches, imported_);
    classify();
    partition::SegmentOptions segment_options;
    segment_options.min_segment_size = 1;
    segmentation_ = partition::segment(graph_, classes_, cut_.fetches, segment_options);
    for (InputRef ref : cut_.feeds) result_->feeds_.push_back(slot(ref));
    for (int32_t index : graphdef::topological_order(graph_))
      GRAFT_RETURN_IF_ERROR(add_node(index));
    for (InputRef ref : cut_.fetches) result_->fetches_.push_back(slot(ref));
    GRAFT_RETURN_IF_ERROR(add_constants());
    GRAFT_RETURN_IF_ERROR(order_units());
    result_->slots_ = static_cast<int32_t>(slots_.size());
    return std::shared_ptr<const Executable>(std::move(result_));
  }

 private:
  using Unit = Executable::Unit;

  void classify() {
    classes_.resize(graph_.nodes.size());
    for (size_t i = cut_.feeds.size(); i < classes_.size(); ++i) {
      partition::NodeClass& c = classes_[i];
      c.supported = imported_.support[i].yes && !cut_.effects_only[i];
      c.free = imported_.support[i].free;
      c.bond = imported_.bond[i];
      c.effective = !c.free && !passes_on(graph_.nodes[i].op);
    }
  }

  int32_t slot(InputRef ref) {
    return slots_.try_emplace({ref.node, ref.port}, static_cast<int32_t>(slots_.size()))
        .first->second;
  }

  Status add_node(int32_t index) {
    const graphdef::Node& node = graph_.nodes[index];
    if (static_cast<size_t>(index) < cut_.feeds.size()) return ok_status();
    const int32_t segment = segmentation_.segment_of[index];
    if (segment >= 0) return add_segment(segment);
    if (node.op == "Const" || node.op == "NoOp") return ok_status();
    if (cut_.effects_only[index]) {
      // Values are not needed, so what has no effect is skipped.
      if (imported_.support[index].yes || passes_on(node.op) || is_engine_op(node.op) ||
          node.op == "Placeholder" || node.op == "PlaceholderV2")
        return ok_status();
      return cannot_run(index, imported_.support[index].reason);
    }
    if (node.op == "Placeholder" || node.op == "PlaceholderV2")
      return invalid_argument("placeholder '" + printable(node.name) + "' must be fed");
    if (is_engine_op(node.op)) return add_engine(index);
    if (is_calib_op(node.op))
      return cannot_run(index,
                        "calibration nodes collect in TensorFlow only; without it, calibrate "
                        "engines that observe themselves");
    if (passes_on(node.op)) return add_pass(index);
    const std::string& dropped = segmentation_.dropped_reason[index];
    return cannot_run(index, imported_.support[index].yes && !dropped.empty()
                                 ? dropped
                                 : imported_.support[index].reason);
  }

  Status cannot_run(int32_t index, const std::string& reason) const {
    const graphdef::Node& node = graph_.nodes[index];
    return unsupported("node '" + printable(node.name) + "' (" + printable(node.op) +
                       ") cannot run without TensorFlow: " + reason);
  }

  Status add_segment(int32_t index) {
    if (std::find(built_.begin(), built_.end(), index) != built_.end()) return ok_status();
    built_.push_back(index);
    const partition::Segment& segment = segmentation_.segments[index];
    const std::string name(graph_.nodes[segment.nodes.front()].name);
    auto engine = build_region(graph_, imported_, segment, options_);
    if (!engine.ok())
      return engine.status().with_context("nodes from '" + printable(name) + "' on");
    Unit unit;
    unit.name = name;
    unit.engine = *engine;
    for (InputRef ref : segment.inputs) unit.inputs.push_back(slot(ref));
    for (InputRef ref : segment.outputs) unit.outputs.push_back(slot(ref));
    result_->plain_.emplace_back(name, *engine);
    result_->units_.push_back(std::move(unit));
    return ok_status();
  }

  Status add_engine(int32_t index) {
    const graphdef::Node& node = graph_.nodes[index];
    const auto found = engines_.find(node.name);
    if (found == engines_.end()) return cannot_run(index, "its engine was not loaded");
    Unit unit;
    unit.name = node.name;
    unit.engine = found->second.engine;
    unit.collector = found->second.collector;
    unit.counter = engine_counter(engine_name_of(node.name));
    for (InputRef ref : node.inputs) unit.inputs.push_back(slot(ref));
    for (size_t port = 0; port < unit.engine->outputs().size(); ++port)
      unit.outputs.push_back(slot({index, static_cast<int32_t>(port)}));
    result_->units_.push_back(std::move(unit));
    return ok_status();
  }

  Status add_pass(int32_t index) {
    const graphdef::Node& node = graph_.nodes[index];
    Unit unit;
    unit.name = node.name;
    if (node.op == "EnsureShape") {
      GRAFT_ASSIGN_OR_RETURN(const graphdef::ShapeView shape, graphdef::attr_shape(node, "shape"));
      unit.ensures = !shape.unknown_rank;
      unit.ensured_dims = shape.dims;
    }
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      unit.inputs.push_back(slot(node.inputs[i]));
      unit.outputs.push_back(slot({index, static_cast<int32_t>(i)}));
    }
    result_->units_.push_back(std::move(unit));
    return ok_status();
  }

  Status add_constants() {
    for (const auto& [ref, index] : slots_) {
      const graphdef::Node& node = graph_.nodes[ref.first];
      if (node.op != "Const") continue;
      GRAFT_ASSIGN_OR_RETURN(HostTensor tensor, decode_const(node));
      result_->constants_.emplace_back(index,
                                       std::make_shared<const HostTensor>(std::move(tensor)));
    }
    return ok_status();
  }

  // Units in an order in which every slot is written before it is read.
  Status order_units() {
    std::vector<bool> ready(slots_.size(), false);
    for (int32_t s : result_->feeds_) ready[s] = true;
    for (const auto& constant : result_->constants_) ready[constant.first] = true;
    const auto all_ready = [&](const std::vector<int32_t>& slots) {
      return std::all_of(slots.begin(), slots.end(), [&](int32_t s) { return ready[s]; });
    };
    std::vector<Unit> ordered, waiting = std::move(result_->units_);
    while (!waiting.empty()) {
      std::vector<Unit> later;
      for (Unit& unit : waiting) {
        if (!all_ready(unit.inputs)) {
          later.push_back(std::move(unit));
          continue;
        }
        for (int32_t s : unit.outputs) ready[s] = true;
        ordered.push_back(std::move(unit));
      }
      if (later.size() == waiting.size())
        return unsupported("node '" + printable(later.front().name) +
                           "' needs a tensor that nothing makes");
      waiting = std::move(later);
    }
    result_->units_ = std::move(ordered);
    if (!all_ready(result_->fetches_)) return invalid_argument("a fetched tensor has no value");
    return ok_status();
  }

  const Cut& cut_;
  const graphdef::Graph& graph_;
  const EngineMap& engines_;
  const SessionOptions& options_;
  std::shared_ptr<Executable> result_;
  frontend::Imported imported_;
  std::vector<partition::NodeClass> classes_;
  partition::Segmentation segmentation_;
  std::map<std::pair<int32_t, int32_t>, int32_t> slots_;
  std::vector<int32_t> built_;
};

Result<std::shared_ptr<const Executable>> Executable::build(const graphdef::Graph& whole,
                                                            std::span<const InputRef> fetches,
                                                            std::span<const Fed> feeds,
                                                            const EngineMap& engines,
                                                            const SessionOptions& options) {
  const Cut cut = cut_graph(whole, fetches, feeds);
  return ExecutableBuilder(cut, engines, options).build();
}

}  // namespace graft::session
