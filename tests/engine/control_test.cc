// While and branch ops: trip counts, order, memory, stop token, bodies that do not fit.
#include <stop_token>
#include <thread>

#include "control_samples.h"
#include "ir/verify.h"
#include "reference/evaluate.h"

namespace graft::engine {
namespace {

using namespace engine_testing;

Tensor<int32_t> number(int32_t n) { return {{}, {n}}; }

std::shared_ptr<Engine> load(const ir::Network& network, bool reference_only = false) {
  EngineOptions options;
  options.reference_only = reference_only;
  auto engine = Engine::load(must_write(network).bytes, options);
  EXPECT_TRUE(engine.ok()) << engine.status().message();
  return engine.ok() ? *engine : nullptr;
}

float doubled(float x, int n) {
  for (int i = 0; i < n; ++i) x = x * 2 + 0.5f;
  return x;
}

TEST(Control, a_loop_runs_as_often_as_its_condition_says) {
  for (bool reference_only : {false, true}) {
    const auto engine = load(doubling_loop(), reference_only);
    ASSERT_TRUE(engine);
    for (int rows : {1, 3, 2, 0}) {
      for (int n : {0, 1, 2, 7, -3}) {
        const Tensor<float> x = ramp({rows, 4}, -1, 0.25f);
        const Tensor<int32_t> limit = number(n);
        const TensorRef refs[] = {x.ref(), limit.ref()};
        Collect out;
        const Status status = engine->run(refs, out);
        ASSERT_TRUE(status.ok()) << status.message();
        const auto y = out.get<float>(0);
        ASSERT_EQ(y.size(), x.elems.size());
        for (size_t i = 0; i < y.size(); ++i) EXPECT_EQ(y[i], doubled(x.elems[i], std::max(n, 0)));
        EXPECT_EQ(out.get<int32_t>(1)[0], std::max(n, 0));
      }
    }
  }
}

TEST(Control, the_reference_evaluator_agrees) {
  const ir::Network network = doubling_loop({3, 4});
  const Tensor<float> x = ramp({3, 4}, -1, 0.25f);
  const int32_t start = 0, limit = 5;
  const reference::ConstTensor in[] = {{DType::kInt32, {}, &start},
                                       {DType::kFloat, x.dims, x.elems.data()},
                                       {DType::kInt32, {}, &limit}};
  int32_t count = -1;
  std::vector<float> y(12);
  const reference::MutTensor out[] = {{DType::kInt32, {}, &count},
                                      {DType::kFloat, x.dims, y.data()}};
  const Status status = reference::evaluate(network.ops[0], in, out);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(count, 5);
  for (size_t i = 0; i < y.size(); ++i) EXPECT_EQ(y[i], doubled(x.elems[i], 5));
}

TEST(Control, a_stop_token_ends_a_loop_that_does_not_end) {
  const auto engine = load(doubling_loop());
  ASSERT_TRUE(engine);
  const Tensor<float> x = ramp({1, 4});
  const Tensor<int32_t> limit = number(INT32_MAX);
  const TensorRef refs[] = {x.ref(), limit.ref()};
  Collect out;
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    stop.request_stop();
  });
  EXPECT_EQ(engine->run(refs, out, stop.get_token()).code(), Code::kCancelled);
}

TEST(Control, swapped_tensors_and_one_that_is_handed_on_twice) {
  const Dims dims{-1, 2};
  const auto inputs = [&](Builder& b) {
    return std::vector<ir::ValueId>{
        b.input("i", DType::kInt32, {}), b.input("a", DType::kFloat, dims),
        b.input("b", DType::kFloat, dims), b.input("c", DType::kFloat, dims)};
  };
  Builder cond, body, b;
  const auto p = inputs(cond), q = inputs(body);
  cond.output(cond.binary(ir::BinaryFn::kLess, p[0], cond.scalar<int32_t>("n", 3), "go_on"));
  body.output(body.binary(ir::BinaryFn::kAdd, q[0], body.scalar<int32_t>("one", 1), "next"));
  body.output(q[2]);
  body.output(q[1]);
  body.output(q[1]);
  const auto x = b.input("x", DType::kFloat, dims), y = b.input("y", DType::kFloat, dims);
  const auto out = control(b, ir::WhileAttrs{}, {b.scalar<int32_t>("start", 0), x, y, x}, 4,
                           {body_of(std::move(cond)), body_of(std::move(body))});
  for (int k : {1, 2, 3}) b.output(out[k]);
  const auto engine = load(b.network);
  ASSERT_TRUE(engine);
  const Tensor<float> first = ramp({2, 2}), second = ramp({2, 2}, 50);
  const TensorRef refs[] = {first.ref(), second.ref()};
  Collect result;
  ASSERT_TRUE(engine->run(refs, result).ok());
  EXPECT_EQ(result.get<float>(0), second.elems);
  EXPECT_EQ(result.get<float>(1), first.elems);
  EXPECT_EQ(result.get<float>(2), first.elems);  // what a was before the last swap
}

// A list that is written in place, while an earlier element of it is read.
TEST(Control, a_list_is_written_in_place) {
  const Dims list{6, 2};
  Builder cond, body, b;
  const auto inputs = [&](Builder& to) {
    return std::vector<ir::ValueId>{to.input("i", DType::kInt32, {}),
                                    to.input("list", DType::kFloat, list)};
  };
  const auto p = inputs(cond), q = inputs(body);
  cond.output(cond.binary(ir::BinaryFn::kLess, p[0], cond.scalar<int32_t>("n", 5), "go_on"));
  const auto next = body.binary(ir::BinaryFn::kAdd, q[0], body.scalar<int32_t>("one", 1), "next");
  const auto item = body.op(ir::GatherAttrs{}, {q[1], q[0]}, "item");
  const auto twice = body.binary(ir::BinaryFn::kMul, item, body.scalar<float>("two", 2), "twice");
  const auto row = body.op(ir::ExpandDimsAttrs{0}, {twice}, "row");
  const auto index = body.op(ir::ReshapeAttrs{}, {next, body.ints("one_by_one", {1, 1})}, "index");
  body.output(next);
  body.output(body.op(ir::ScatterNdAttrs{}, {q[1], index, row}, "set"));
  const auto x = b.input("x", DType::kFloat, list);
  b.output(control(b, ir::WhileAttrs{}, {b.scalar<int32_t>("start", 0), x}, 2,
                   {body_of(std::move(cond)), body_of(std::move(body))})[1]);
  const auto engine = load(b.network);
  ASSERT_TRUE(engine);
  const Tensor<float> start = ramp(list, 1);
  const TensorRef refs[] = {start.ref()};
  Collect out;
  ASSERT_TRUE(engine->run(refs, out).ok());
  const auto y = out.get<float>(0);
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(y[2 * i], static_cast<float>(1 << i));
    EXPECT_EQ(y[2 * i + 1], static_cast<float>(2 << i));
  }
}

// A list is handed on as a view of itself beside its update, which must not overwrite it.
TEST(Control, a_view_of_a_list_is_handed_on_beside_its_update) {
  const Dims list{4, 1}, flat{4};
  Builder cond, body, b;
  const auto inputs = [&](Builder& to) {
    return std::vector<ir::ValueId>{to.input("i", DType::kInt32, {}),
                                    to.input("list", DType::kFloat, list),
                                    to.input("before", DType::kFloat, flat)};
  };
  const auto p = inputs(cond), q = inputs(body);
  cond.output(cond.binary(ir::BinaryFn::kLess, p[0], cond.scalar<int32_t>("n", 3), "go_on"));
  const auto view = body.op(ir::ReshapeAttrs{}, {q[1], body.ints("four", {4})}, "view");
  const auto next = body.binary(ir::BinaryFn::kAdd, q[0], body.scalar<int32_t>("one", 1), "next");
  const auto item = body.op(ir::GatherAttrs{}, {q[1], q[0]}, "item");
  const auto twice = body.binary(ir::BinaryFn::kMul, item, body.scalar<float>("two", 2), "twice");
  const auto row = body.op(ir::ExpandDimsAttrs{0}, {twice}, "row");
  const auto index = body.op(ir::ReshapeAttrs{}, {next, body.ints("one_by_one", {1, 1})}, "index");
  body.output(next);
  body.output(body.op(ir::ScatterNdAttrs{}, {q[1], index, row}, "set"));
  body.output(view);
  const auto x = b.input("x", DType::kFloat, list);
  const auto before = b.input("before", DType::kFloat, flat);
  const auto out = control(b, ir::WhileAttrs{}, {b.scalar<int32_t>("start", 0), x, before}, 3,
                           {body_of(std::move(cond)), body_of(std::move(body))});
  b.output(out[1]);
  b.output(out[2]);
  const auto engine = load(b.network);
  ASSERT_TRUE(engine);
  const Tensor<float> start = ramp(list, 1), none = ramp(flat, 100);
  const TensorRef refs[] = {start.ref(), none.ref()};
  Collect result;
  ASSERT_TRUE(engine->run(refs, result).ok());
  EXPECT_EQ(result.get<float>(0), (std::vector<float>{1, 2, 4, 8}));
  EXPECT_EQ(result.get<float>(1), (std::vector<float>{1, 2, 4, start.elems[3]}));
}

TEST(Control, an_index_out_of_range_runs_the_last_branch) {
  const auto engine = load(three_branches());
  ASSERT_TRUE(engine);
  const Tensor<float> x = ramp({2, 4}, -3);
  for (int32_t index : {-1, 0, 1, 2, 3, INT32_MAX, INT32_MIN}) {
    const Tensor<int32_t> which = number(index);
    const TensorRef refs[] = {x.ref(), which.ref()};
    Collect out;
    ASSERT_TRUE(engine->run(refs, out).ok());
    const auto y = out.get<float>(0);
    for (size_t i = 0; i < y.size(); ++i) {
      const float v = x.elems[i];
      EXPECT_EQ(y[i], index == 0 ? std::max(v, 0.0f) : index == 1 ? v * 2 : v + 1) << index;
    }
  }
}

TEST(Control, bodies_that_do_not_fit_are_refused) {
  const auto x = [](Builder& b) { return b.input("x", DType::kFloat, {2, 4}); };
  const auto append = [&](std::vector<std::shared_ptr<const ir::Network>> bodies) {
    Builder b;
    const auto id = x(b);
    return b.network
        .append_multi(ir::WhileAttrs{}, {b.scalar<int32_t>("i", 0), id, b.scalar<int32_t>("n", 3)},
                      2, "loop", -1, {}, std::move(bodies))
        .status()
        .code();
  };
  const Dims dims{2, 4}, other{2, 5};
  EXPECT_EQ(append({below_limit(dims), doubling(dims)}), Code::kOk);
  EXPECT_EQ(append({below_limit(dims)}), Code::kInvalidGraph);
  EXPECT_EQ(append({below_limit(dims), nullptr}), Code::kInvalidGraph);
  EXPECT_EQ(append({below_limit(dims), doubling(other)}), Code::kInvalidGraph);
  EXPECT_EQ(append({doubling(dims), doubling(dims)}), Code::kInvalidGraph);
  EXPECT_EQ(append({below_limit(dims), below_limit(dims)}), Code::kInvalidGraph);
}

TEST(Control, bodies_nest_to_a_limit) {
  ir::Network network = three_branches({2, 4});
  for (int depth = 1; depth <= ir::kMaxBodyDepth + 1; ++depth) {
    const Status status = ir::verify(network);
    EXPECT_EQ(status.ok(), depth <= ir::kMaxBodyDepth) << depth << " " << status.message();
    Builder b;
    const auto x = b.input("x", DType::kFloat, {2, 4});
    const auto index = b.input("index", DType::kInt32, {});
    auto inner = std::make_shared<const ir::Network>(std::move(network));
    b.output(control(b, ir::BranchAttrs{}, {index, x, index}, 1, {inner, inner})[0]);
    network = std::move(b.network);
  }
}

}  // namespace
}  // namespace graft::engine
