// Fused steps: chosen by shape, where nobody else reads what lies between them; the same bits as
// step by step, which is how an observed run goes.
#include <cmath>
#include <functional>
#include <map>

#include "backends/backend.h"
#include "engine/calibrate/state.h"
#include "engine/run/execute.h"
#include "engine_testing.h"

namespace graft::engine {
namespace {

using engine_testing::Builder;
using engine_testing::Collect;
using engine_testing::Dims;
using engine_testing::ramp;

ir::ValueId conv(Builder& b, ir::ValueId src, const Dims& weights, const std::string& name,
                 ir::ValueId residual = ir::kNoValue) {
  ir::ConvAttrs a;
  a.padding = ir::Padding::kSame;
  a.act = {ir::UnaryFn::kRelu6, 0, 0};
  if (weights[2] == 1) a.groups = weights[3];
  a.has_residual = residual != ir::kNoValue;
  std::vector<ir::ValueId> inputs = {src, b.floats(name + "/w", weights, -0.4f, 0.011f)};
  if (a.has_residual) inputs.push_back(residual);
  return b.op(a, std::move(inputs), name);
}

// Two inverted residual blocks behind a stem that makes their src in the arena.
Builder blocks() {
  Builder b;
  ir::ValueId x = conv(b, b.input("x", DType::kFloat, {-1, -1, 40, 3}), {3, 3, 3, 12}, "stem");
  for (const std::string name : {"a", "b"}) {
    const ir::ValueId wide = conv(b, x, {1, 1, 12, 72}, name + "/expand");
    const ir::ValueId dw = conv(b, wide, {3, 3, 1, 72}, name + "/dw");
    x = conv(b, dw, {1, 1, 72, 12}, name, x);
  }
  b.output(b.relu(x, "y"));
  return b;
}

class KeepTaps final : public TapObserver {
 public:
  Status observe(size_t tap, std::span<const float> data, std::span<const int64_t>) override {
    seen[tap].assign(data.begin(), data.end());
    return ok_status();
  }
  std::map<size_t, std::vector<float>> seen;
};

struct Ran {
  std::shared_ptr<const Schedule> schedule;
  std::vector<float> fused, observed;
  size_t taps = 0;
};

Ran run_with(const ir::Network& network, Dims dims, int threads = 2) {
  Ran ran;
  PlanView view;
  view.plan.network = network;
  LowerOptions options;
  options.target = *backends::detect_target("");
  auto program = lower(std::move(view), options, backends::cpu_backend());
  EXPECT_TRUE(program.ok()) << program.status().message();
  const auto x = ramp(std::move(dims), -3, 0.0625f);
  auto schedule = make_schedule(**program, {{x.dims}, {}}, {1}, threads);
  EXPECT_TRUE(schedule.ok()) << schedule.status().message();
  ran.schedule = *schedule;
  Context context;
  context.memory = *Buffer::allocate(ran.schedule->arena_bytes + ran.schedule->scratch_bytes);
  const TensorRef input = x.ref();
  Collect out;
  RunArgs args{**program, *ran.schedule, {&input, 1}, out, {}, threads, false, true};
  for (int again = 0; again < 2; ++again) EXPECT_TRUE(execute(args, context).ok());
  ran.fused = out.get<float>(0);
  KeepTaps keep;
  const Taps taps = find_taps(**program);
  args.taps = &taps;
  args.observer = &keep;
  EXPECT_TRUE(execute(args, context).ok());
  ran.observed = out.get<float>(0);
  ran.taps = keep.seen.size();
  return ran;
}

TEST(FusedSteps, same_bits_as_step_by_step) {
  const ir::Network network = blocks().network;
  for (int64_t batch : {1, 2, 8}) {
    for (int threads : {1, 2, 3}) {
      const Ran ran = run_with(network, {batch, 56, 40, 3}, threads);
      ASSERT_EQ(ran.schedule->fused.size(), 2u) << batch;
      EXPECT_EQ(ran.schedule->fused[0].begin, 1);
      EXPECT_EQ(ran.schedule->fused[0].end, 4);
      EXPECT_EQ(ran.fused, ran.observed) << batch << " images, " << threads << " threads";
      EXPECT_EQ(ran.taps, 9u);  // observers see what lies between, too
    }
  }
}

TEST(FusedSteps, chosen_by_shape) {
  const ir::Network network = blocks().network;
  EXPECT_EQ(run_with(network, {1, 56, 40, 3}).schedule->fused.size(), 2u);
  const Ran small = run_with(network, {1, 4, 40, 3});
  EXPECT_TRUE(small.schedule->fused.empty());
  EXPECT_EQ(small.fused, small.observed);
}

TEST(FusedSteps, not_where_others_read_what_lies_between) {
  const auto fused = [](bool output, bool reader) {
    Builder b = blocks();
    ir::ValueId wide = ir::kNoValue;
    for (const ir::Op& op : b.network.ops) {
      if (op.name == "a/expand") wide = op.outputs[0];
    }
    if (output) b.output(wide);
    if (reader) b.output(b.op(ir::ReduceAttrs{ir::ReduceFn::kMax, {1, 2}, false}, {wide}, "max"));
    const Ran ran = run_with(b.network, {1, 56, 40, 3});
    EXPECT_EQ(ran.fused, ran.observed);
    std::vector<int32_t> sizes;
    for (const FusedSteps& f : ran.schedule->fused) sizes.push_back(f.end - f.begin);
    return sizes;
  };
  EXPECT_EQ(fused(false, false), (std::vector<int32_t>{3, 3}));
  // What is left of the first block: its depthwise convolution and the last one.
  EXPECT_EQ(fused(true, false), (std::vector<int32_t>{2, 3}));
  EXPECT_EQ(fused(false, true), (std::vector<int32_t>{2, 3}));
}

// What an observer is shown whole, as calibration's is row by row.
class CountWhole final : public TapObserver {
 public:
  explicit CountWhole(quantize::ObserverSet& set) : set_(set) {}
  Status observe(size_t tap, std::span<const float> data, std::span<const int64_t> dims) override {
    return set_.observe(tap, data, dims);
  }

 private:
  quantize::ObserverSet& set_;
};

// Calibration sees rows as fused steps make them: the same statistics, to the bit.
TEST(FusedSteps, Q8_Q11_rows_shown_while_fused_count_as_whole_tensors) {
  const auto one_infinity = [](std::vector<float>& x) { x[x.size() / 2] = INFINITY; };
  const auto loud = [](std::vector<float>& x) { x[7] = 1e7f; };
  const auto as_drawn = [](std::vector<float>&) {};
  for (const std::function<void(std::vector<float>&)>& change :
       {std::function<void(std::vector<float>&)>(as_drawn), {one_infinity}, {loud}}) {
    for (int64_t batch : {1, 3, 8}) {
      auto loaded = load_engine(engine_testing::must_write(blocks().network).bytes, {},
                                backends::cpu_backend());
      ASSERT_TRUE(loaded.ok());
      const std::shared_ptr<Engine> engine = *loaded;
      auto collector = CalibrationCollector::create(engine);
      ASSERT_TRUE(collector.ok());
      auto whole = quantize::ObserverSet::create(engine->identity(), engine->taps());
      ASSERT_TRUE(whole.ok());
      CountWhole observer(**whole);
      for (int run = 0; run < 3; ++run) {
        auto x = ramp({batch, 56, 40, 3}, -3, 0.0625f / static_cast<float>(run + 1));
        change(x.elems);
        const TensorRef input = x.ref();
        Collect out;
        ASSERT_TRUE((*collector)->run({&input, 1}, out).ok());
        ASSERT_TRUE(engine->run_observed({&input, 1}, out, observer, {}).ok());
        (*whole)->count_batch();
      }
      const auto state = parse_state((*collector)->state());
      ASSERT_TRUE(state.ok());
      EXPECT_EQ(state->observers->serialize(), (*whole)->serialize()) << batch << " images";
    }
  }
}

// dst may not take over src: rows of src are read while rows of dst are written.
TEST(FusedSteps, dst_is_not_src) {
  const Ran ran = run_with(blocks().network, {1, 56, 40, 3});
  const Schedule& s = *ran.schedule;
  std::vector<int64_t> at;
  for (size_t id = 0; id < s.slots.size(); ++id) {
    if (s.slots[id].place == Place::kArena && s.dims[id].back() == 12)
      at.push_back(s.slots[id].index);
  }
  ASSERT_GE(at.size(), 2u);
  EXPECT_NE(at[0], at[1]);
}

}  // namespace
}  // namespace graft::engine
