#include "convert/choose_ranges.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>

#include "engine/plan/plan.h"
#include "graft/engine.h"
#include "passes/pipeline.h"

namespace graft::convert_detail {

namespace {

using quantize::CalibratorKind;

constexpr size_t kMaxSamples = 16;
// Before the others, so that a tie goes to it.
constexpr CalibratorKind kCandidates[] = {CalibratorKind::kMinMax, CalibratorKind::kPercentile,
                                          CalibratorKind::kMse, CalibratorKind::kEntropy,
                                          CalibratorKind::kAuto};
static_assert(kChooseSteps == 1 + std::size(kCandidates));  // FP32 answers, then each

class KeepOutputs final : public OutputSink {
 public:
  void* allocate(int index, DType dtype, std::span<const int64_t>, size_t size_bytes) override {
    const auto i = static_cast<size_t>(index);
    if (outputs.size() <= i) outputs.resize(i + 1);
    outputs[i].clear();
    is_float.resize(std::max(is_float.size(), i + 1), false);
    is_float[i] = dtype == DType::kFloat;
    outputs[i].resize(std::max<size_t>(size_bytes, 1));
    return outputs[i].data();
  }
  std::vector<std::vector<std::byte>> outputs;
  std::vector<bool> is_float;
};

Status run_sample(Engine& engine, const engine::Sample& sample, KeepOutputs& sink,
                  const std::stop_token& stop) {
  std::vector<TensorRef> inputs;
  for (size_t i = 0; i < sample.inputs.size(); ++i)
    inputs.push_back({engine.inputs()[i].dtype, sample.dims[i], sample.inputs[i].data(),
                      sample.inputs[i].size()});
  return engine.run(inputs, sink, stop);
}

struct Energy {
  double signal = 0, noise = 0;
};

void add_energy(const std::vector<std::byte>& want, const std::vector<std::byte>& got,
                Energy& energy) {
  for (size_t at = 0; at + sizeof(float) <= want.size(); at += sizeof(float)) {
    float w, g;
    std::memcpy(&w, &want[at], sizeof w);
    std::memcpy(&g, &got[at], sizeof g);
    if (!std::isfinite(w)) continue;
    const double error = static_cast<double>(w) - (std::isfinite(g) ? g : 0.0f);
    energy.signal += static_cast<double>(w) * w;
    energy.noise += error * error;
  }
}

// What is left out of one table is left out of the other, with its warnings.
void leave_float(const quantize::Finished& from, quantize::Finished& table) {
  for (const std::string& name : from.left_float) {
    table.table.ranges.erase(name);
    const std::string where = "tensor '" + name + "': ";
    std::erase_if(table.warnings, [&](const std::string& w) { return w.starts_with(where); });
    for (const std::string& warning : from.warnings)
      if (warning.starts_with(where)) table.warnings.push_back(warning);
  }
  table.left_float = from.left_float;
}

class Search {
 public:
  Search(std::span<const std::byte> plan, const engine::CalibrationState& state,
         const std::stop_token& stop)
      : plan_(plan), stop_(stop) {
    for (const auto& [digest, sample] : state.samples.samples()) {
      if (samples_.size() < kMaxSamples) samples_.push_back(&sample);
    }
  }

  bool has_samples() const { return !samples_.empty(); }

  // Runs the samples through the plan as it is.
  Status begin() {
    GRAFT_ASSIGN_OR_RETURN(const std::shared_ptr<Engine> engine, Engine::load(plan_));
    for (const engine::Sample* sample : samples_)
      GRAFT_RETURN_IF_ERROR(run_sample(*engine, *sample, wanted_.emplace_back(), stop_));
    return ok_status();
  }

  // Mean over the float outputs, in dB.
  Result<double> sqnr_db(const ir::RangeTable& table) {
    GRAFT_ASSIGN_OR_RETURN(engine::Plan plan, engine::read_plan(plan_));
    passes::PassOptions options;
    options.int8 = true;
    options.ranges = &table;
    WorkContext work(stop_);
    GRAFT_RETURN_IF_ERROR(passes::quantize_network(plan.network, options, work));
    engine::PlanOptions plan_options = plan.options;
    plan_options.precision = Precision::kInt8;
    GRAFT_ASSIGN_OR_RETURN(const engine::WrittenPlan written,
                           engine::write_plan(plan.network, plan_options));
    GRAFT_ASSIGN_OR_RETURN(const std::shared_ptr<Engine> engine, Engine::load(written.bytes));
    std::vector<Energy> energies;
    KeepOutputs got;
    for (size_t s = 0; s < samples_.size(); ++s) {
      GRAFT_RETURN_IF_ERROR(run_sample(*engine, *samples_[s], got, stop_));
      energies.resize(got.outputs.size());
      for (size_t k = 0; k < got.outputs.size(); ++k) {
        if (got.is_float[k] && got.outputs[k].size() == wanted_[s].outputs[k].size())
          add_energy(wanted_[s].outputs[k], got.outputs[k], energies[k]);
      }
    }
    double sum = 0;
    int outputs = 0;
    for (const Energy& e : energies) {
      if (e.signal <= 0) continue;
      sum += 10 * std::log10(e.signal / std::max(e.noise, e.signal * 1e-20));
      ++outputs;
    }
    return outputs > 0 ? sum / outputs : 0.0;
  }

 private:
  const std::span<const std::byte> plan_;
  const std::stop_token stop_;
  std::vector<const engine::Sample*> samples_;
  std::vector<KeepOutputs> wanted_;
};

}  // namespace

Result<quantize::Finished> choose_ranges(std::span<const std::byte> calibration_plan,
                                         const engine::CalibrationState& state,
                                         std::string_view engine,
                                         const quantize::FinishOptions& options,
                                         const std::function<void(int)>& progress,
                                         const std::stop_token& stop) {
  quantize::FinishOptions guarded = options;
  guarded.least_sqnr_db = quantize::kLeastSqnrDb;  // only of kAuto: a named calibrator is obeyed
  GRAFT_ASSIGN_OR_RETURN(quantize::Finished alone,
                         quantize::finish(*state.observers, engine, guarded));
  Search search(calibration_plan, state, stop);
  if (options.calibrator != CalibratorKind::kAuto || !search.has_samples()) return alone;
  GRAFT_RETURN_IF_ERROR(search.begin());
  std::vector<quantize::Finished> tables;
  size_t best = 0;
  double best_db = 0;
  for (CalibratorKind kind : kCandidates) {
    progress(1 + static_cast<int>(tables.size()));
    quantize::FinishOptions one = options;
    one.calibrator = kind;
    quantize::Finished table = alone;
    if (kind != CalibratorKind::kAuto) {
      GRAFT_ASSIGN_OR_RETURN(table, quantize::finish(*state.observers, engine, one));
      leave_float(alone, table);
    }
    GRAFT_ASSIGN_OR_RETURN(const double db, search.sqnr_db(table.table));
    if (tables.empty() || db > best_db) {
      best = tables.size();
      best_db = db;
    }
    tables.push_back(std::move(table));
  }
  return std::move(tables[best]);
}

}  // namespace graft::convert_detail
