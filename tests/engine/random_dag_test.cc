// Random networks: the planned arena, steps in place, views and borders give the bits that separate
// buffers give.
#include <random>

#include "op_samples.h"
#include "reference/evaluate.h"

namespace graft::engine {
namespace {

using namespace engine_testing;

constexpr int64_t kRows = 6;

class RandomDag {
 public:
  explicit RandomDag(uint32_t seed) : rng_(seed) {
    values_.push_back(b_.input("x", DType::kFloat, {-1, 8}));
    values_.push_back(b_.input("z", DType::kFloat, {kRows, 8}));
    for (int i = 0; i < 4 + static_cast<int>(rng_() % 30); ++i) add("v" + std::to_string(i));
    for (int i = 0; i < 1 + static_cast<int>(rng_() % 4); ++i) b_.output(any());
    b_.output(values_.back());
  }
  const ir::Network& network() const { return b_.network; }

 private:
  ir::ValueId any() {  // mostly late ones, so that chains are long
    const size_t n = values_.size();
    return values_[rng_() % 3 ? n - 1 - rng_() % std::min<size_t>(n, 4) : rng_() % n];
  }

  void add(const std::string& name) {
    switch (rng_() % 6) {
      case 0:
        values_.push_back(b_.op(ir::UnaryAttrs{{ir::UnaryFn::kAbs, 0, 0}}, {any()}, name));
        break;
      case 1:
        values_.push_back(b_.binary(ir::BinaryFn::kSub, any(), any(), name));
        break;
      case 2:
        values_.push_back(
            b_.binary(ir::BinaryFn::kMul, any(), b_.floats(name + "c", {8}, -0.5f, 0.2f), name));
        break;
      case 3: {  // there and back through a view
        const auto e = b_.op(ir::ExpandDimsAttrs{1}, {any()}, name + "e");
        const auto n = b_.op(ir::UnaryAttrs{{ir::UnaryFn::kNeg, 0, 0}}, {e}, name + "n");
        values_.push_back(b_.op(ir::SqueezeAttrs{{1}}, {n}, name));
        break;
      }
      case 4: {
        const auto both = b_.op(ir::ConcatAttrs{1}, {any(), any()}, name + "b");
        auto halves = b_.network.append_multi(ir::SplitAttrs{1, {}}, {both}, 2, name);
        ASSERT_TRUE(halves.ok()) << halves.status().message();
        values_.insert(values_.end(), halves->begin(), halves->end());
        break;
      }
      default: {
        const auto m = b_.op(ir::ReduceAttrs{ir::ReduceFn::kMax, {1}, true}, {any()}, name + "m");
        values_.push_back(b_.binary(ir::BinaryFn::kAdd, any(), m, name));
      }
    }
  }

  std::mt19937 rng_;
  Builder b_;
  std::vector<ir::ValueId> values_;
};

// Every value in a buffer of its own. All values have the same number of rows here.
std::vector<std::vector<float>> evaluate_apart(const ir::Network& network,
                                               const std::vector<Tensor<float>>& feeds) {
  std::vector<std::vector<float>> data(network.values.size());
  std::vector<Dims> dims(network.values.size());
  for (size_t id = 0; id < network.values.size(); ++id) {
    for (ir::Dim d : network.values[id].type.dims)
      dims[id].push_back(d.is_const() ? d.value() : kRows);
    size_t n = 1;
    for (int64_t d : dims[id]) n *= static_cast<size_t>(d);
    data[id].resize(n);
    if (network.values[id].is_const())
      std::memcpy(data[id].data(), network.values[id].constant->bytes.data(), n * sizeof(float));
  }
  for (size_t i = 0; i < feeds.size(); ++i) data[network.inputs[i]] = feeds[i].elems;
  for (const ir::Op& op : network.ops) {
    std::vector<reference::ConstTensor> src;
    std::vector<reference::MutTensor> dst;
    for (ir::ValueId id : op.inputs) src.push_back({DType::kFloat, dims[id], data[id].data()});
    for (ir::ValueId id : op.outputs) dst.push_back({DType::kFloat, dims[id], data[id].data()});
    EXPECT_TRUE(reference::evaluate(op, src, dst).ok()) << op.name;
  }
  return data;
}

TEST(RandomDag, planned_memory_gives_the_bits_of_separate_buffers) {
  const std::vector<Tensor<float>> feeds{ramp({kRows, 8}, -7, 0.37f), ramp({kRows, 8}, 3, -0.21f)};
  const std::vector<TensorRef> refs{feeds[0].ref(), feeds[1].ref()};
  for (uint32_t seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const RandomDag dag(seed);
    const auto expected = evaluate_apart(dag.network(), feeds);
    for (bool in_place : {false, true}) {
      auto engine = must_load(dag.network(), in_place);
      ASSERT_NE(engine, nullptr);
      for (int repeat = 0; repeat < 2; ++repeat) {
        Collect out;
        const Status status = engine->run(refs, out);
        ASSERT_TRUE(status.ok()) << status.message();
        for (size_t k = 0; k < dag.network().outputs.size(); ++k)
          ASSERT_EQ(out.get<float>(static_cast<int>(k)), expected[dag.network().outputs[k]])
              << "output " << k;
      }
    }
  }
}

}  // namespace
}  // namespace graft::engine
