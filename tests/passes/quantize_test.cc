// INT8: which layers become integers, how they are wired, and what that costs in accuracy.
#include "ir/quantized.h"
#include "network_runner.h"
#include "passes/quantize_weights.h"

namespace graft::passes {
namespace {

using ir::BinaryFn;
using ir::UnaryFn;

PassOptions int8_options(const ir::RangeTable* ranges = nullptr) {
  PassOptions options;
  options.int8 = true;
  options.ranges = ranges;
  options.verify_each = true;
  return options;
}

ir::Network calibration_network(const ir::Network& net) {
  ir::Network copy = net;
  WorkContext work;
  const Status s = canonicalize(copy, int8_options(), work);
  EXPECT_TRUE(s.ok()) << s.message();
  return copy;
}

// Largest magnitudes of every value, as a min-max calibration would find them.
ir::RangeTable calibrate(const ir::Network& calibration, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> all;
  run_network(calibration, inputs, &all);
  ir::RangeTable table;
  for (size_t id = 0; id < all.size(); ++id) {
    const ir::Value& v = calibration.values[id];
    if (v.is_const() || v.type.dtype != DType::kFloat) continue;
    ir::TensorRange range;
    range.calibrator = "minmax";
    const std::vector<float> x = all[id].floats();
    for (float f : x) range.threshold = std::max(range.threshold, std::abs(f));
    const size_t channels = static_cast<size_t>(all[id].dims.back());
    std::vector<double> sums(channels, 0);
    for (size_t i = 0; i < x.size(); ++i) sums[i % channels] += x[i];
    for (double sum : sums)
      range.channel_means.push_back(static_cast<float>(
          sum / (static_cast<double>(x.size()) / static_cast<double>(channels))));
    table.ranges[v.name] = range;
  }
  return table;
}

ir::Network quantized(const ir::Network& calibration, const ir::RangeTable& table,
                      PassOptions options) {
  ir::Network copy = calibration;
  options.ranges = &table;
  WorkContext work;
  const Status s = quantize_network(copy, options, work);
  EXPECT_TRUE(s.ok()) << s.message();
  return copy;
}

double sqnr_db(const std::vector<float>& want, const std::vector<float>& got) {
  double signal = 0, noise = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    signal += double(want[i]) * want[i];
    noise += (double(want[i]) - got[i]) * (double(want[i]) - got[i]);
  }
  return 10 * std::log10(signal / noise);
}

const ir::Op& op_named(const ir::Network& net, const std::string& name) {
  for (const ir::Op& op : net.ops) {
    if (op.name == name) return op;
  }
  ADD_FAILURE() << "no op " << name;
  return net.ops[0];
}

const ir::TensorType& type_of(const ir::Network& net, ir::ValueId id) {
  return net.values[static_cast<size_t>(id)].type;
}

ir::ConvAttrs relu_conv() {
  ir::ConvAttrs attrs = Builder::same();
  attrs.act.fn = UnaryFn::kRelu;
  return attrs;
}

// Stem, two branches of which one is pooled, concat, projection with a residual, mean, dense.
struct Net {
  Builder b;
  ir::ValueId x, stem, a, pool, joined, back, sum, mean, logits;
  Net() {
    x = b.input({-1, 8, 8, 3});
    stem = b.conv(x, b.weights({3, 3, 3, 16}, 1), relu_conv());
    a = b.conv(stem, b.weights({1, 1, 16, 8}, 2), relu_conv());
    ir::PoolAttrs max;
    max.ksize = {3, 3};
    max.padding = ir::Padding::kSame;
    pool = b.op(max, {stem});
    joined = b.op(ir::ConcatAttrs{3}, {a, pool});
    back = b.conv(joined, b.weights({1, 1, 24, 16}, 3), {});
    sum = b.add(back, stem);
    mean = b.op(ir::ReduceAttrs{ir::ReduceFn::kMean, {1, 2}, false}, {sum});
    logits = b.op(ir::MatMulAttrs{}, {mean, b.weights({16, 10}, 4)});
    b.output(b.op(ir::SoftmaxAttrs{}, {logits}));
    b.output(logits);
  }
};

TEST(Quantize, network_becomes_int8_and_stays_accurate) {
  Net n;
  const std::vector<Tensor> inputs{random_tensor(DType::kFloat, {4, 8, 8, 3}, 7)};
  const ir::Network calibration = calibration_network(n.b.net);
  const ir::RangeTable table = calibrate(calibration, inputs);
  const ir::Network int8 = quantized(calibration, table, int8_options());
  int layers = 0;
  for (const ir::Op& op : int8.ops) {
    if (op.kind() != ir::OpKind::kConv && op.kind() != ir::OpKind::kMatMul) continue;
    EXPECT_EQ(type_of(int8, op.inputs[1]).dtype, DType::kInt8) << op.name;
    ++layers;
  }
  EXPECT_EQ(layers, 4);
  const auto want = run_network(n.b.net, inputs), got = run_network(int8, inputs);
  EXPECT_GT(sqnr_db(want[1].floats(), got[1].floats()), 25);
  EXPECT_LT(sqnr_db(want[1].floats(), got[1].floats()), 80) << "nothing was quantized";
  EXPECT_EQ(got[1].dtype, DType::kFloat);
}

TEST(Quantize, storage_follows_sign_and_readers) {
  Net n;
  const std::vector<Tensor> inputs{random_tensor(DType::kFloat, {2, 8, 8, 3}, 7)};
  const ir::Network calibration = calibration_network(n.b.net);
  const ir::RangeTable table = calibrate(calibration, inputs);
  const ir::Network int8 = quantized(calibration, table, int8_options());
  const auto name = [&](ir::ValueId id) { return n.b.net.values[static_cast<size_t>(id)].name; };
  // Behind a relu unsigned, else signed; what floating ops read is float.
  EXPECT_EQ(op_named(int8, name(n.stem)).quant.dtype, DType::kUint8);
  EXPECT_EQ(op_named(int8, name(n.sum)).quant.dtype, DType::kInt8);
  EXPECT_FALSE(op_named(int8, name(n.logits)).quant);
  EXPECT_FLOAT_EQ(op_named(int8, name(n.stem)).quant.scale,
                  table.ranges.at(name(n.stem)).threshold / 127);
  // The input is quantized once.
  EXPECT_EQ(histogram(int8)["quantize"], 2) << "the input, and the pooled branch for the concat";
  // The branch with one reader is stored as the concat wants it.
  const ir::Op& joined = op_named(int8, name(n.joined));
  for (ir::ValueId id : joined.inputs)
    EXPECT_EQ(type_of(int8, id).scale, type_of(int8, joined.outputs[0]).scale);
  EXPECT_EQ(op_named(int8, name(n.a)).quant.scale, type_of(int8, joined.outputs[0]).scale);
}

TEST(Quantize, ranges_of_the_user_without_effect_are_named) {
  Net n;
  const std::vector<Tensor> inputs{random_tensor(DType::kFloat, {2, 8, 8, 3}, 7)};
  const ir::Network calibration = calibration_network(n.b.net);
  const auto name = [&](ir::ValueId id) { return n.b.net.values[static_cast<size_t>(id)].name; };
  ir::RangeTable table = calibrate(calibration, inputs);
  const auto unused = [&] {
    std::vector<std::string> texts;
    PassOptions options = int8_options();
    options.unused_ranges = &texts;
    quantized(calibration, table, options);
    return texts;
  };
  EXPECT_EQ(unused(), std::vector<std::string>()) << "calibrated ranges are there for every tensor";
  for (ir::ValueId id : {n.x, n.stem, n.a, n.pool, n.joined, n.sum, n.logits}) {
    ir::TensorRange& range = table.ranges.at(name(id));
    range.threshold *= 2 + 0.1f * static_cast<float>(id);  // no two alike
    range.from_user = true;
  }
  const auto text = [&](ir::ValueId id, const std::string& reason) {
    return "the range given for '" + name(id) + "' is not used: " + reason;
  };
  EXPECT_EQ(
      unused(),
      (std::vector<std::string>{
          text(n.a, "it is stored as the tensor that it is joined into; give the range of '" +
                        name(n.joined) + "'"),
          text(n.pool, "its op stores what it reads; give the range of '" + name(n.stem) + "'"),
          text(n.logits, "no INT8 layer reads the tensor")}));
  table.ranges.at(name(n.pool)).threshold = table.ranges.at(name(n.stem)).threshold;
  table.ranges.at(name(n.a)).threshold = table.ranges.at(name(n.joined)).threshold;
  EXPECT_EQ(unused().size(), 1u) << "these are as asked";
}

// Query, key and value from one tensor, attention, the projection behind it.
struct Attending {
  Builder b;
  ir::ValueId x, value, attended, projected;
  Attending() {
    x = b.input({-1, 6, 16});
    const auto part = [&](unsigned seed) {
      value = b.op(ir::MatMulAttrs{}, {x, b.weights({16, 16}, seed)});
      return b.op(ir::ReshapeAttrs{}, {value, b.ints({4}, {-1, 6, 2, 8})});
    };
    const ir::ValueId q = part(1), k = part(2), v = part(3);
    attended = b.op(ir::AttentionAttrs{0.4f, false}, {q, k, v});
    const ir::ValueId flat = b.op(ir::ReshapeAttrs{}, {attended, b.ints({3}, {-1, 6, 16})});
    projected = b.op(ir::MatMulAttrs{}, {flat, b.weights({16, 10}, 4)});
    b.output(projected);
  }
};

TEST(Quantize, attention_runs_on_integers_between_its_neighbours) {
  Attending n;
  const std::vector<Tensor> inputs{random_tensor(DType::kFloat, {3, 6, 16}, 9)};
  const ir::Network calibration = calibration_network(n.b.net);
  ir::RangeTable table = calibrate(calibration, inputs);
  // Calibration observes no view.
  for (const ir::Op& op : calibration.ops) {
    if (op.kind() == ir::OpKind::kReshape)
      table.ranges.erase(calibration.values[static_cast<size_t>(op.outputs[0])].name);
  }
  const ir::Network int8 = quantized(calibration, table, int8_options());
  EXPECT_EQ(histogram(int8)["quantize"], 1) << "the input alone";
  for (const ir::Op& op : int8.ops) {
    if (op.kind() != ir::OpKind::kAttention) continue;
    for (ir::ValueId id : op.inputs) EXPECT_TRUE(ir::is_quantized(type_of(int8, id)));
    EXPECT_TRUE(ir::is_quantized(type_of(int8, op.outputs[0])));
  }
  const auto want = run_network(n.b.net, inputs), got = run_network(int8, inputs);
  EXPECT_GT(sqnr_db(want[0].floats(), got[0].floats()), 25);

  // Without a range for v it floats, and so when asked.
  ir::RangeTable without = table;
  const auto name = [&](ir::ValueId id) { return n.b.net.values[static_cast<size_t>(id)].name; };
  without.ranges.erase(name(n.value));
  std::vector<KeptLayer> kept;
  PassOptions options = int8_options();
  options.kept_float = &kept;
  const ir::Network floating = quantized(calibration, without, options);
  EXPECT_FALSE(ir::is_quantized(type_of(floating, op_named(floating, name(n.attended)).inputs[0])));
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].name, name(n.attended));
  EXPECT_NE(kept[0].reason.find("no range"), std::string::npos) << kept[0].reason;
  options.quantize.keep_float = {name(n.attended)};
  const ir::Network asked = quantized(calibration, table, options);
  EXPECT_FALSE(ir::is_quantized(type_of(asked, op_named(asked, name(n.attended)).inputs[0])));
}

TEST(Quantize, product_of_two_tensors_runs_on_integers) {
  Builder b;
  const ir::ValueId x = b.input({2, 5, 16});
  const ir::ValueId p = b.op(ir::MatMulAttrs{}, {x, b.weights({16, 12}, 1)});
  const ir::ValueId q = b.op(ir::MatMulAttrs{}, {x, b.weights({16, 12}, 2)});
  ir::MatMulAttrs turned;
  turned.transpose_b = true;
  const ir::ValueId scores = b.op(turned, {p, q});
  b.output(b.op(ir::MatMulAttrs{}, {scores, q}));
  const std::vector<Tensor> inputs{random_tensor(DType::kFloat, {2, 5, 16}, 11)};
  const ir::Network calibration = calibration_network(b.net);
  const ir::Network int8 = quantized(calibration, calibrate(calibration, inputs), int8_options());
  int products = 0;
  for (const ir::Op& op : int8.ops) {
    if (op.kind() != ir::OpKind::kMatMul) continue;
    EXPECT_TRUE(ir::is_quantized(type_of(int8, op.inputs[0]))) << op.name;
    products += ir::is_quantized(type_of(int8, op.inputs[1]));
  }
  EXPECT_EQ(products, 2);
  const auto want = run_network(b.net, inputs), got = run_network(int8, inputs);
  EXPECT_GT(sqnr_db(want[0].floats(), got[0].floats()), 25);
}

TEST(Quantize, Q9_layer_without_range_stays_float_and_is_named) {
  Net n;
  const std::vector<Tensor> inputs{random_tensor(DType::kFloat, {2, 8, 8, 3}, 7)};
  const ir::Network calibration = calibration_network(n.b.net);
  ir::RangeTable table = calibrate(calibration, inputs);
  const std::string joined = n.b.net.values[static_cast<size_t>(n.joined)].name;
  table.ranges.erase(joined);
  std::vector<KeptLayer> kept;
  PassOptions options = int8_options();
  options.kept_float = &kept;
  const ir::Network int8 = quantized(calibration, table, options);
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_NE(kept[0].reason.find(joined), std::string::npos) << kept[0].reason;
  EXPECT_GT(
      sqnr_db(run_network(n.b.net, inputs)[1].floats(), run_network(int8, inputs)[1].floats()), 25);
}

TEST(Quantize, asked_layers_stay_float) {
  Net n;
  const std::vector<Tensor> inputs{random_tensor(DType::kFloat, {2, 8, 8, 3}, 7)};
  const ir::Network calibration = calibration_network(n.b.net);
  const ir::RangeTable table = calibrate(calibration, inputs);
  PassOptions options = int8_options();
  for (const ir::Op& op : calibration.ops) options.quantize.keep_float.push_back(op.name);
  const ir::Network same = quantized(calibration, table, options);
  for (const ir::Op& op : same.ops) EXPECT_FALSE(op.quant) << op.name;
  const auto want = run_network(n.b.net, inputs), got = run_network(same, inputs);
  expect_close(got, want);
}

TEST(Quantize, smooth_activations_become_tables_or_are_fused_where_floating) {
  Builder b;
  const auto x = b.input({-1, 6, 6, 4});
  const auto c1 = b.conv(x, b.weights({1, 1, 4, 8}, 1), {});
  const auto swish = b.mul(c1, b.unary(UnaryFn::kSigmoid, c1));
  const auto c2 = b.conv(swish, b.weights({1, 1, 8, 8}, 2), {});
  b.output(b.unary(UnaryFn::kTanh, c2));
  const std::vector<Tensor> inputs{random_tensor(DType::kFloat, {2, 6, 6, 4}, 3)};
  const ir::Network calibration = calibration_network(b.net);
  EXPECT_EQ(histogram(calibration), (std::map<std::string, int>{{"conv", 2}, {"unary", 2}}));
  const ir::Network int8 = quantized(calibration, calibrate(calibration, inputs), int8_options());
  // swish reads and writes integers; tanh went into the floating store of its convolution.
  EXPECT_EQ(histogram(int8),
            (std::map<std::string, int>{{"conv", 2}, {"quantize", 1}, {"unary", 1}}));
  EXPECT_GT(sqnr_db(run_network(b.net, inputs)[0].floats(), run_network(int8, inputs)[0].floats()),
            25);
}

TEST(Quantize, bias_correction_removes_the_mean_error) {
  Builder b;
  const auto x = b.input({-1, 4, 4, 64});
  b.output(b.conv(x, b.weights({1, 1, 64, 4}, 5), {}));
  Tensor input = random_tensor(DType::kFloat, {8, 4, 4, 64}, 9);
  // Inputs with a mean, and weights on a coarse grid: the error of the weights shows in the mean.
  std::vector<float> v = input.floats();
  for (float& f : v) f = f * 0.1f + 1.5f;
  std::memcpy(input.bytes.data(), v.data(), input.bytes.size());
  const ir::Network calibration = calibration_network(b.net);
  const ir::RangeTable table = calibrate(calibration, {input});
  const auto mean_error = [&](bool correct) {
    PassOptions options = int8_options();
    options.quantize.bias_correction = correct;
    const auto want = run_network(b.net, {input})[0].floats();
    const auto got = run_network(quantized(calibration, table, options), {input})[0].floats();
    std::vector<double> error(4, 0);
    for (size_t i = 0; i < want.size(); ++i) error[i % 4] += double(got[i]) - want[i];
    double worst = 0;
    for (double e : error) worst = std::max(worst, std::abs(e) / (double(want.size()) / 4));
    return worst;
  };
  const double without = mean_error(false), with = mean_error(true);
  EXPECT_LT(with, without / 4) << without << " without";
}

// Channels between the layers of ranges 2^-6 to 2^6, the inverse behind them.
struct Uneven {
  Builder b;
  explicit Uneven(UnaryFn act = UnaryFn::kRelu) {
    const auto x = b.input({-1, 5, 5, 4});
    std::vector<float> w1 = random_tensor(DType::kFloat, {1, 1, 4, 8}, 11).floats();
    std::vector<float> w2 = random_tensor(DType::kFloat, {3, 3, 1, 8}, 12).floats();
    for (size_t i = 0; i < w1.size(); ++i) w1[i] *= std::exp2(float(i % 8) * 1.7f - 6);
    for (size_t i = 0; i < w2.size(); ++i) w2[i] *= std::exp2(6 - float(i % 8) * 1.7f);
    ir::ConvAttrs first;
    first.act.fn = act;
    const auto between = b.conv(x, b.floats({1, 1, 4, 8}, w1), first);
    ir::ConvAttrs depthwise = Builder::same();
    depthwise.groups = 8;
    b.output(b.conv(between, b.floats({3, 3, 1, 8}, w2), depthwise));
  }
};

TEST(Equalize, keeps_the_bits_and_helps_int8) {
  const Uneven n;
  const std::vector<Tensor> inputs{random_tensor(DType::kFloat, {3, 5, 5, 4}, 13)};
  const auto want = run_network(n.b.net, inputs)[0].floats();
  const auto sqnr = [&](bool equalized) {
    ir::Network calibration = n.b.net;
    PassOptions options = int8_options();
    if (!equalized) options.disabled = {"equalize"};
    WorkContext work;
    EXPECT_TRUE(canonicalize(calibration, options, work).ok());
    EXPECT_EQ(run_network(calibration, inputs)[0].floats(), want);
    const ir::RangeTable table = calibrate(calibration, inputs);
    return sqnr_db(want, run_network(quantized(calibration, table, options), inputs)[0].floats());
  };
  const double without = sqnr(false), with = sqnr(true);
  EXPECT_GT(with, without + 10) << without << " dB without";
}

TEST(Equalize, leaves_what_it_would_change) {
  // relu6 does not scale; an FP32 network is none of its business.
  const Uneven relu6(UnaryFn::kRelu6);
  ir::Network net = relu6.b.net;
  WorkContext work;
  std::vector<PassRecord> records;
  ASSERT_TRUE(canonicalize(net, int8_options(), work, &records).ok());
  for (const PassRecord& r : records) EXPECT_FALSE(r.name == "equalize" && r.changed);
  net = Uneven().b.net;
  records.clear();
  ASSERT_TRUE(canonicalize(net, {}, work, &records).ok());
  for (const PassRecord& r : records) EXPECT_FALSE(r.name == "equalize" && r.changed);
}

TEST(QuantizeWeights, per_channel_scales_and_transposed_layouts) {
  Builder b;
  const auto id = b.floats({2, 3}, {1.013f, -2.0371f, 4, 0.5123f, 1.0307f, -1.0711f});
  const ir::Value& w = b.net.values[static_cast<size_t>(id)];
  const auto columns = quantize_weights(w, {3, 1}, false);
  ASSERT_TRUE(columns.ok());
  EXPECT_EQ(columns->q, (std::vector<int8_t>{127, -127, 127, 64, 64, -34}));
  EXPECT_FLOAT_EQ(columns->scales[2], 4.0f / 127);
  const auto rows = quantize_weights(w, {2, 3}, false);
  EXPECT_EQ(rows->q, (std::vector<int8_t>{32, -65, 127, 61, 122, -127}));
  const auto whole = quantize_weights(w, {3, 1}, true);
  EXPECT_FLOAT_EQ(whole->scales[0], 4.0f / 127);
  EXPECT_EQ(whole->q[5], -34);
}

TEST(QuantizeWeights, trained_grids_are_kept) {
  Builder b;
  // Multiples of 0.1, the same times a batch norm's 0.7, one magnitude, and one on no grid.
  std::vector<float> w;
  for (float q : {3.0f, -60.0f, 2.0f, 5.0f}) {
    w.push_back(q * 0.1f);
    w.push_back(q * 0.1f * 0.7f);
    w.push_back(q > 0 ? 0.25f : -0.25f);
    w.push_back(std::sqrt(std::abs(q)));
  }
  const auto id = b.floats({4, 4}, w);
  const auto q = quantize_weights(b.net.values[static_cast<size_t>(id)], {4, 1}, false);
  ASSERT_TRUE(q.ok());
  EXPECT_EQ(q->q, (std::vector<int8_t>{3, 3, 127, 28, -60, -60, -127, 127, 2, 2, 127, 23, 5, 5, 127,
                                       37}));
  EXPECT_FLOAT_EQ(q->scales[0], 0.1f);
  EXPECT_FLOAT_EQ(q->scales[1], 0.07f);
}

TEST(QuantizeWeights, bias_beyond_the_accumulator_raises_the_scale) {
  Builder b;
  const auto id = b.floats({1, 2}, {1e-6f, 0});
  const ir::Value& w = b.net.values[static_cast<size_t>(id)];
  const ChannelLayout layout{2, 1};
  auto q = quantize_weights(w, layout, false);
  ASSERT_TRUE(q.ok());
  const auto bias = quantize_bias({1e3, 5}, 0.01f, w, layout, *q);
  for (size_t c = 0; c < 2; ++c) {
    EXPECT_LE(std::abs(int64_t{bias[c]}), int64_t{1} << 30);
    EXPECT_NEAR(double(bias[c]) * 0.01f * q->scales[c], c == 0 ? 1e3 : 5, c == 0 ? 1e-3 : 1e-5);
  }
}

TEST(QuantizeWeights, values_that_are_not_finite_are_refused) {
  Builder b;
  const auto id = b.floats({1, 2}, {NAN, 0});
  EXPECT_FALSE(quantize_weights(b.net.values[static_cast<size_t>(id)], {2, 1}, false).ok());
}

}  // namespace
}  // namespace graft::passes
