// Bodies for the tests of while and branch ops.
#pragma once

#include <utility>

#include "engine_testing.h"

namespace graft::engine_testing {

inline std::shared_ptr<const ir::Network> body_of(Builder b) {
  return std::make_shared<const ir::Network>(std::move(b.network));
}

// Appends a while or branch op to b; its outputs.
inline std::vector<ir::ValueId> control(Builder& b, ir::Attrs attrs,
                                        std::vector<ir::ValueId> inputs, size_t outputs,
                                        std::vector<std::shared_ptr<const ir::Network>> bodies) {
  auto made = b.network.append_multi(std::move(attrs), std::move(inputs), outputs, "control", -1,
                                     {}, std::move(bodies));
  EXPECT_TRUE(made.ok()) << made.status().message();
  return made.ok() ? *made : std::vector<ir::ValueId>(outputs, ir::kNoValue);
}

// i < limit, over inputs (i, x of `dims`, limit).
inline std::shared_ptr<const ir::Network> below_limit(const Dims& dims) {
  Builder b;
  const auto i = b.input("i", DType::kInt32, {});
  b.input("x", DType::kFloat, dims);
  const auto limit = b.input("limit", DType::kInt32, {});
  b.output(b.binary(ir::BinaryFn::kLess, i, limit, "go_on"));
  return body_of(std::move(b));
}

// (i + 1, x * 2 + 0.5), over the same inputs.
inline std::shared_ptr<const ir::Network> doubling(const Dims& dims) {
  Builder b;
  const auto i = b.input("i", DType::kInt32, {});
  const auto x = b.input("x", DType::kFloat, dims);
  b.input("limit", DType::kInt32, {});
  b.output(b.binary(ir::BinaryFn::kAdd, i, b.scalar<int32_t>("one", 1), "next"));
  const auto twice = b.binary(ir::BinaryFn::kMul, x, b.scalar<float>("two", 2), "twice");
  b.output(b.binary(ir::BinaryFn::kAdd, twice, b.scalar<float>("half", 0.5f), "sum"));
  return body_of(std::move(b));
}

// x and limit in; x doubled `limit` times.
inline ir::Network doubling_loop(const Dims& dims = {-1, 4}) {
  Builder b;
  const auto x = b.input("x", DType::kFloat, dims);
  const auto limit = b.input("limit", DType::kInt32, {});
  const auto out = control(b, ir::WhileAttrs{}, {b.scalar<int32_t>("start", 0), x, limit}, 2,
                           {below_limit(dims), doubling(dims)});
  b.output(out[1]);
  b.output(out[0]);
  return std::move(b.network);
}

// index and x in; relu(x), x * 2 or x + 1.
inline ir::Network three_branches(const Dims& dims = {-1, 4}) {
  const auto body = [&](int which) {
    Builder b;
    const auto x = b.input("x", DType::kFloat, dims);
    if (which == 0) b.output(b.relu(x, "y"));
    if (which == 1) b.output(b.binary(ir::BinaryFn::kMul, x, b.scalar<float>("c", 2), "y"));
    if (which == 2) b.output(b.binary(ir::BinaryFn::kAdd, x, b.scalar<float>("c", 1), "y"));
    return body_of(std::move(b));
  };
  Builder b;
  const auto x = b.input("x", DType::kFloat, dims);
  const auto index = b.input("index", DType::kInt32, {});
  b.output(control(b, ir::BranchAttrs{}, {index, x}, 1, {body(0), body(1), body(2)})[0]);
  return std::move(b.network);
}

}  // namespace graft::engine_testing
