// A run is observed into a set of its own, which is added when the run has succeeded: that is what
// keeps failed and stopped runs out, and threads from waiting for each other while they run. Sets
// are kept for later runs, a few.
#include <mutex>
#include <utility>

#include "base/check.h"
#include "base/fault.h"
#include "engine/calibrate/state.h"
#include "graft/calibrate.h"
#include "quantize/calibration_error.h"

namespace graft {
namespace {

using engine::CalibrationState;
using engine::Sample;
using engine::SampleView;
using quantize::ObserverSet;

// What one run sees.
class RunObserver final : public TapObserver, private TapRows {
 public:
  explicit RunObserver(std::unique_ptr<ObserverSet> set) : set_(std::move(set)) {}
  ObserverSet& set() { return *set_; }
  Status observe(size_t tap, std::span<const float> data, std::span<const int64_t> dims) override {
    scratch_.use(nullptr);
    return set_->observe(tap, data, dims, scratch_);
  }
  Status observe_with(size_t tap, std::span<const float> data, std::span<const int64_t> dims,
                      const RunThreads& threads) override {
    scratch_.use(&threads);
    return set_->observe(tap, data, dims, scratch_);
  }
  Result<TapRows*> begin_rows(std::span<const ShownTensor> tensors, int workers) override {
    rows_taps_.clear();
    for (const ShownTensor& tensor : tensors) {
      if (rows_scratch_.size() <= rows_taps_.size()) rows_scratch_.emplace_back();
      quantize::ObserveScratch& scratch = rows_scratch_[rows_taps_.size()];
      GRAFT_RETURN_IF_ERROR(set_->begin_rows(tensor.tap, tensor.dims, workers, scratch));
      rows_taps_.push_back(tensor.tap);
    }
    return this;
  }
  Status end_rows() override {
    for (size_t i = 0; i < rows_taps_.size(); ++i)
      GRAFT_RETURN_IF_ERROR(set_->end_rows(rows_taps_[i], rows_scratch_[i]));
    return ok_status();
  }

 private:
  void rows(size_t which, int64_t image, int64_t row, int64_t count, const float* data,
            int worker) override {
    quantize::TensorObserver::add_rows(rows_scratch_[which], image, row, count, data, worker);
  }

  std::vector<size_t> rows_taps_;
  std::vector<quantize::ObserveScratch> rows_scratch_;  // of each of rows_taps_ and more
  std::unique_ptr<ObserverSet> set_;
  quantize::ObserveScratch scratch_;
};

struct Candidate {
  Digest digest;
  size_t size_bytes = 0;
  Sample sample;  // filled when it was wanted
};

class Collector final : public CalibrationCollector {
 public:
  Collector(std::shared_ptr<Engine> engine, std::unique_ptr<ObserverSet> observers)
      : engine_(std::move(engine)), names_(observers->names()) {
    state_.observers = std::move(observers);
  }

  Engine& engine() const override { return *engine_; }

  Status run(std::span<const TensorRef> inputs, OutputSink& sink, std::stop_token stop) override {
    return guard([&]() -> Status {
      if (finished()) return finished_error();
      GRAFT_ASSIGN_OR_RETURN(std::unique_ptr<RunObserver> observer, take_observer());
      // Before the run: the sink may put outputs where inputs lie. A view of inputs that do not fit
      // the engine must not be made.
      WithCandidates inputs_checked(*this, inputs, sink);
      const Status ran = engine_->run_observed(inputs, inputs_checked, *observer, std::move(stop));
      const std::lock_guard lock(mutex_);
      const Status added = ran.ok() ? add(*observer, inputs_checked.candidates) : ran;
      if (!added.ok()) observer->set().clear();
      if (idle_.size() < kMaxIdle) idle_.push_back(std::move(observer));
      return added;
    });
  }

  int64_t runs() const override { return static_cast<int64_t>(state_.observers->batches()); }

  std::vector<std::byte> state() const override {
    const std::lock_guard lock(mutex_);
    return engine::serialize_state(state_);
  }

  Status merge(std::span<const std::byte> bytes) override {
    return guard([&]() -> Status {
      GRAFT_ASSIGN_OR_RETURN(const CalibrationState other, engine::parse_state(bytes));
      for (const auto& [digest, sample] : other.samples.samples())
        if (!fits_engine(sample))
          return quantize::calibration_error(
              "the calibration state holds a sample that does not fit the engine's inputs");
      const std::lock_guard lock(mutex_);
      if (finished_) return finished_error();
      if (GRAFT_FAULT(calibration_merge_lost)) return ok_status();
      return state_.merge(other);
    });
  }

  void finish() override {
    const std::lock_guard lock(mutex_);
    finished_ = true;
  }
  bool finished() const override {
    const std::lock_guard lock(mutex_);
    return finished_;
  }

 private:
  // Takes samples of the inputs when the engine asks for its first output: then it has checked
  // them, and nothing has been written.
  class WithCandidates final : public OutputSink {
   public:
    WithCandidates(const Collector& collector, std::span<const TensorRef> inputs, OutputSink& sink)
        : collector_(collector), inputs_(inputs), sink_(sink) {}
    void* allocate(int index, DType dtype, std::span<const int64_t> dims,
                   size_t size_bytes) override {
      if (!std::exchange(taken_, true)) candidates = collector_.candidates_of(inputs_);
      return sink_.allocate(index, dtype, dims, size_bytes);
    }
    std::vector<Candidate> candidates;

   private:
    const Collector& collector_;
    std::span<const TensorRef> inputs_;
    OutputSink& sink_;
    bool taken_ = false;
  };

  Result<std::unique_ptr<RunObserver>> take_observer() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        std::unique_ptr<RunObserver> observer = std::move(idle_.back());
        idle_.pop_back();
        return observer;
      }
    }
    GRAFT_ASSIGN_OR_RETURN(auto set, ObserverSet::create(engine_->identity(), names_));
    return std::make_unique<RunObserver>(std::move(set));
  }

  // With mutex_ held.
  Status add(RunObserver& observer, std::vector<Candidate>& candidates) {
    if (finished_) return finished_error();
    observer.set().count_batch();
    GRAFT_RETURN_IF_ERROR(state_.observers->take(observer.set()));
    for (Candidate& c : candidates) state_.samples.add(c.digest, c.size_bytes, std::move(c.sample));
    return ok_status();
  }

  std::vector<Candidate> candidates_of(std::span<const TensorRef> inputs) const {
    std::vector<Candidate> candidates;
    const auto views = engine::split_into_samples(engine_->inputs(), inputs);
    for (const SampleView& view : views)
      candidates.push_back({view.digest(), view.size_bytes(), {}});
    const std::lock_guard lock(mutex_);
    for (size_t i = 0; i < views.size(); ++i) {
      Candidate& c = candidates[i];
      if (state_.samples.wants(c.digest, c.size_bytes)) c.sample = views[i].copy();
    }
    return candidates;
  }

  bool fits_engine(const Sample& sample) const {
    const std::vector<TensorSpec>& specs = engine_->inputs();
    if (sample.inputs.size() != specs.size()) return false;
    for (size_t i = 0; i < specs.size(); ++i) {
      const std::vector<int64_t>& dims = sample.dims[i];
      if (dims.size() != specs[i].dims.size()) return false;
      size_t bytes = dtype_size(specs[i].dtype);
      for (size_t d = 0; d < dims.size(); ++d) {
        if (specs[i].dims[d] >= 0 && specs[i].dims[d] != dims[d]) return false;
        bytes *= static_cast<size_t>(dims[d]);
      }
      if (bytes != sample.inputs[i].size()) return false;
    }
    return true;
  }

  static Status finished_error() {
    return quantize::calibration_error("the calibration is finished: it takes no more data");
  }

  const std::shared_ptr<Engine> engine_;
  const std::vector<std::string> names_;
  mutable std::mutex mutex_;  // of what follows; never held while an engine runs
  CalibrationState state_;
  bool finished_ = false;
  static constexpr size_t kMaxIdle = 2;             // each 32 KiB a tensor and a thread
  std::vector<std::unique_ptr<RunObserver>> idle_;  // their sets are empty
};

}  // namespace

Result<std::shared_ptr<CalibrationCollector>> CalibrationCollector::create(
    std::shared_ptr<Engine> engine) {
  return guard([&]() -> Result<std::shared_ptr<CalibrationCollector>> {
    GRAFT_ASSIGN_OR_RETURN(auto observers,
                           quantize::ObserverSet::create(engine->identity(), engine->taps()));
    return std::shared_ptr<CalibrationCollector>(
        std::make_shared<Collector>(std::move(engine), std::move(observers)));
  });
}

}  // namespace graft
