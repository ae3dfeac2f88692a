// Recognition of recurrent layers in loops, and of loops that differ from one in a single detail.
#include <memory>
#include <string>

#include "network_runner.h"

namespace graft::passes {
namespace {

using ir::BinaryFn;
using ir::UnaryFn;
using ir::ValueId;

constexpr int64_t kSteps = 6, kBatch = 2, kFeatures = 3, kUnits = 4;

struct Layer {
  std::string cell = "lstm";  // gru, gru_reset_after, simple
  std::string change;         // the detail
  bool sequence = true;       // the list has an element a step
  bool open_steps = false;    // their number is an input's extent
  UnaryFn gate = UnaryFn::kSigmoid, act = UnaryFn::kTanh;
  bool has_cell() const { return cell == "lstm"; }
  int64_t input_rows() const { return change == "one_row" ? 1 : kBatch; }
};

std::vector<ValueId> many(Builder& b, ir::Attrs attrs, std::vector<ValueId> inputs, size_t outputs,
                          std::vector<std::shared_ptr<const ir::Network>> bodies = {}) {
  auto made = b.net.append_multi(std::move(attrs), std::move(inputs), outputs, "many", -1, {},
                                 std::move(bodies));
  EXPECT_TRUE(made.ok()) << made.status().message();
  return *made;
}

// The loop's inputs within a body: i, list, h, c, x, steps.
struct Ports {
  ValueId i, list, h, c = ir::kNoValue, x, steps;
};
Ports ports(Builder& b, const Layer& layer) {
  Ports p;
  const int64_t t = layer.open_steps ? -1 : kSteps;
  p.i = b.input({}, DType::kInt32);
  p.list = b.input({layer.sequence ? t : 1, kBatch, kUnits});
  p.h = b.input({kBatch, kUnits});
  if (layer.has_cell()) p.c = b.input({kBatch, kUnits});
  p.x = b.input({t, layer.input_rows(), kFeatures});
  p.steps = b.input({}, DType::kInt32);
  return p;
}

std::shared_ptr<const ir::Network> condition(const Layer& layer) {
  Builder b;
  const Ports p = ports(b, layer);
  ValueId go = b.binary(BinaryFn::kLess, p.i, p.steps);
  if (layer.change == "greater") go = b.binary(BinaryFn::kGreater, p.steps, p.i);
  if (layer.change == "less_equal")
    go = b.binary(BinaryFn::kLessEqual, b.add(p.i, b.ints({}, {1})), p.steps);
  if (layer.change == "two_bounds")
    go = b.binary(BinaryFn::kLogicalAnd, go, b.binary(BinaryFn::kLess, p.i, b.ints({}, {100})));
  if (layer.change == "lower_bound")
    go = b.binary(BinaryFn::kLogicalAnd, go, b.binary(BinaryFn::kLess, p.i, b.ints({}, {4})));
  b.output(go);
  return std::make_shared<const ir::Network>(std::move(b.net));
}

struct Next {
  ValueId h, c = ir::kNoValue;
};

Next cell(Builder& b, const Layer& layer, ValueId x, ValueId h, ValueId c) {
  const int64_t gates = layer.cell == "lstm" ? 4 : layer.cell == "simple" ? 1 : 3;
  const ValueId w = b.weights({kFeatures, gates * kUnits}, 1);
  const ValueId bias = b.weights({gates * kUnits}, 3);
  const auto product = [&](ValueId a, int64_t columns, unsigned seed) {
    return b.op(ir::MatMulAttrs{}, {a, b.weights({kUnits, columns}, seed)});
  };
  const auto input = b.add(b.op(ir::MatMulAttrs{}, {x, w}), bias);
  const auto parts = [&](ValueId all, size_t n) {
    return many(b, ir::SplitAttrs{1, {}}, {all}, n);
  };
  const auto gate = [&](ValueId v) { return b.unary(layer.gate, v); };
  const auto act = [&](ValueId v) { return b.unary(layer.act, v); };
  if (layer.cell == "simple") return {act(b.add(input, product(h, kUnits, 2)))};
  if (layer.cell == "lstm") {
    const auto p = parts(b.add(input, product(h, 4 * kUnits, 2)), 4);
    const ValueId f = layer.change == "tanh_gate" ? act(p[1]) : gate(p[1]);
    ValueId kept = b.mul(f, c);
    if (layer.change == "forgets_h") kept = b.mul(f, h);
    const ValueId next = layer.change == "minus" ? b.sub(kept, b.mul(gate(p[0]), act(p[2])))
                                                 : b.add(kept, b.mul(gate(p[0]), act(p[2])));
    const ValueId shown = layer.change == "shows_old_cell" ? c : next;
    ValueId out = b.mul(gate(p[3]), act(shown));
    if (layer.change == "doubled") out = b.add(out, out);
    return {out, next};
  }
  const auto in = parts(input, 3);
  const auto blend = [&](ValueId z, ValueId g) {
    const ValueId one = b.scalar(layer.change == "blend" ? 0.5f : 1.0f);
    return b.add(b.mul(z, h), b.mul(b.sub(one, z), g));
  };
  if (layer.cell == "gru_reset_after") {
    const auto own = parts(b.add(product(h, 3 * kUnits, 2), b.weights({3 * kUnits}, 4)), 3);
    const ValueId z = gate(b.add(in[0], own[0])), r = gate(b.add(in[1], own[1]));
    return {blend(z, act(b.add(in[2], b.mul(r, own[2]))))};
  }
  const auto own = parts(product(h, 2 * kUnits, 2), 2);
  const ValueId z = gate(b.add(in[0], own[0])), r = gate(b.add(in[1], own[1]));
  return {blend(z, act(b.add(in[2], product(b.mul(r, h), kUnits, 4))))};
}

std::shared_ptr<const ir::Network> body(const Layer& layer) {
  Builder b;
  const Ports p = ports(b, layer);
  ValueId at = p.i;
  if (layer.change == "backwards") at = b.sub(b.sub(p.steps, b.ints({}, {1})), p.i);
  ValueId x = b.op(ir::GatherAttrs{}, {p.x, at});
  if (layer.change == "two_steps") x = b.add(x, b.op(ir::GatherAttrs{}, {p.x, b.ints({}, {0})}));
  const Next next = cell(b, layer, x, p.h, p.c);
  const ValueId item = layer.change == "lists_the_cell" ? next.c : next.h;
  const ValueId row =
      b.op(ir::ReshapeAttrs{}, {layer.sequence ? p.i : b.ints({}, {0}), b.ints({2}, {1, 1})});
  b.output(b.add(p.i, b.ints({}, {layer.change == "by_two" ? 2 : 1})));
  b.output(b.op(ir::ScatterNdAttrs{}, {p.list, row, b.op(ir::ExpandDimsAttrs{0}, {item})}));
  b.output(
      layer.change == "masked"
          ? b.op(ir::SelectAttrs{}, {b.binary(BinaryFn::kGreater, p.h, b.scalar(0)), p.h, next.h})
          : next.h);
  if (layer.has_cell()) b.output(next.c);
  return std::make_shared<const ir::Network>(std::move(b.net));
}

ir::Network network(const Layer& layer) {
  Builder b;
  const ValueId x = b.input({layer.open_steps ? -1 : kSteps, layer.input_rows(), kFeatures});
  const ValueId h = b.input({kBatch, kUnits}), c = b.input({kBatch, kUnits});
  const auto vector = [&](std::vector<int32_t> v) { return b.ints({1}, std::move(v)); };
  ir::StridedSliceAttrs first;
  first.shrink_axis_mask = 1;
  const ValueId shape = b.op(ir::ShapeAttrs{}, {x});
  const ValueId steps = b.op(first, {shape, vector({0}), vector({1}), vector({1})});
  const ValueId length = layer.sequence ? steps : b.ints({}, {1});
  const ValueId extents =
      b.op(ir::PackAttrs{}, {length, b.ints({}, {kBatch}), b.ints({}, {kUnits})});
  const ValueId list =
      b.op(ir::FillAttrs{}, {extents, b.scalar(layer.change == "ones" ? 1.0f : 0.0f)});
  std::vector<ValueId> inputs{b.ints({}, {layer.change == "from_one" ? 1 : 0}), list, h};
  if (layer.has_cell()) inputs.push_back(c);
  const size_t carried = inputs.size();
  inputs.insert(inputs.end(), {x, steps});
  const auto out = many(b, ir::WhileAttrs{}, inputs, carried, {condition(layer), body(layer)});
  for (size_t i = layer.change == "reads_the_counter" ? 0 : 1; i < carried; ++i) b.output(out[i]);
  if (!layer.has_cell()) b.output(b.add(c, c));
  return std::move(b.net);
}

Counts recognised(const Layer& layer) { return histogram(canonical(network(layer), "", 1e-4)); }

TEST(FuseRecurrent, cells) {
  for (const char* cell : {"lstm", "gru", "gru_reset_after", "simple"}) {
    for (bool sequence : {true, false}) {
      for (bool open_steps : {false, true}) {
        SCOPED_TRACE(std::string(cell) + (sequence ? " sequence" : " last"));
        const Counts counts = recognised({cell, "", sequence, open_steps});
        EXPECT_TRUE(counts.count("recurrent") == 1 && counts.at("recurrent") == 1);
        EXPECT_EQ(counts.count("while"), 0u);
        EXPECT_EQ(counts.at("matmul"), 1);
      }
    }
  }
}

TEST(FuseRecurrent, other_forms) {
  for (const char* change : {"greater", "two_bounds"}) {
    SCOPED_TRACE(change);
    EXPECT_EQ(recognised({"lstm", change}).count("recurrent"), 1u);
  }
  for (const char* cell : {"lstm", "gru", "gru_reset_after"})
    EXPECT_EQ(recognised({cell, "", true, false, UnaryFn::kHardSigmoid, UnaryFn::kRelu})
                  .count("recurrent"),
              1u);
  EXPECT_EQ(recognised({"lstm", "ones", false, false}).count("recurrent"), 1u);  // overwritten
  EXPECT_EQ(histogram(canonical(network({}), "fuse_recurrent")).count("recurrent"), 0u);
}

class OneDetail : public ::testing::TestWithParam<Layer> {};

TEST_P(OneDetail, leaves_the_loop) {
  const Counts counts = recognised(GetParam());
  EXPECT_EQ(counts.count("recurrent"), 0u) << GetParam().change;
  EXPECT_EQ(counts.count("while"), 1u);
}

INSTANTIATE_TEST_SUITE_P(
    FuseRecurrent, OneDetail,
    ::testing::Values(Layer{"lstm", "less_equal"}, Layer{"lstm", "lower_bound"},
                      Layer{"lstm", "from_one"}, Layer{"lstm", "by_two"},
                      Layer{"lstm", "backwards"}, Layer{"lstm", "two_steps"},
                      Layer{"lstm", "one_row"}, Layer{"lstm", "masked"},
                      Layer{"lstm", "lists_the_cell"}, Layer{"lstm", "reads_the_counter"},
                      Layer{"lstm", "tanh_gate"}, Layer{"lstm", "forgets_h"},
                      Layer{"lstm", "minus"}, Layer{"lstm", "shows_old_cell"},
                      Layer{"lstm", "doubled"}, Layer{"lstm", "ones", false, true},
                      Layer{"gru", "blend"}, Layer{"gru_reset_after", "blend"},
                      Layer{"gru", "masked"}, Layer{"lstm", "", true, false, UnaryFn::kSoftsign},
                      Layer{"lstm", "", true, false, UnaryFn::kSigmoid, UnaryFn::kSoftsign},
                      Layer{"simple", "", true, false, UnaryFn::kSigmoid, UnaryFn::kSin}),
    [](const auto& info) { return "case" + std::to_string(info.index); });

}  // namespace
}  // namespace graft::passes
