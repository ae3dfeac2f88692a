// LSTMBlockCell, GRUBlockCell and BlockLSTM: which extents and attributes are refused or invalid.
#include <cmath>

#include "graph_builder.h"

namespace graft::frontend {
namespace {

using graphdef::attr_of_bool;
using graphdef::attr_of_float;
using graphdef::attr_of_string;

constexpr DType kF = DType::kFloat;
constexpr int64_t kFeatures = 3, kUnits = 2;

struct Lstm {
  AttrList attrs;
  std::vector<int64_t> x{-1, kFeatures}, state{-1, kUnits}, w{kFeatures + kUnits, 4 * kUnits};
  std::vector<int64_t> hole{kUnits}, b{4 * kUnits};
  int64_t steps = 5;  // seq_len_max
};

GraphBuilder tensors(const Lstm& l) {
  GraphBuilder g;
  g.placeholder("x", kF, l.x).placeholder("c", kF, l.state).placeholder("h", kF, l.state);
  g.placeholder("w", kF, l.w).placeholder("p", kF, l.hole).placeholder("b", kF, l.b);
  return g;
}

AttrList floats_with(AttrList attrs) {
  attrs.emplace_back("T", type_attr(kF));
  return attrs;
}

GraphBuilder cell(const Lstm& l) {
  return tensors(l).add("LSTMBlockCell", "n", {"x", "c", "h", "w", "p", "p", "p", "b"},
                        floats_with(l.attrs));
}

GraphBuilder block(Lstm l, const char* op = "BlockLSTM") {
  l.x.insert(l.x.begin(), 5);
  return tensors(l)
      .constant<int64_t>("steps", DType::kInt64, {}, {l.steps})
      .add(op, "n", {"steps", "x", "c", "h", "w", "p", "p", "p", "b"}, floats_with(l.attrs));
}

GraphBuilder gru(int64_t features, int64_t units, int64_t columns) {
  GraphBuilder g;
  g.placeholder("x", kF, {-1, features}).placeholder("h", kF, {-1, units});
  g.placeholder("ru", kF, {5, 4}).placeholder("wc", kF, {5, columns});
  g.placeholder("bru", kF, {4}).placeholder("bc", kF, {2});
  return g.add("GRUBlockCell", "n", {"x", "h", "ru", "wc", "bru", "bc"}, floats_with({}));
}

TEST(Recurrent, taken) {
  expect_supported(cell({}));
  expect_supported(block({}));
  expect_supported(block({}, "BlockLSTMV2"));
  expect_supported(gru(3, 2, 2));
}

TEST(Recurrent, extents) {
  for (int64_t units : {-1, 0}) {
    Lstm l;
    l.state[1] = units;
    expect_refused(cell(l), "shape", {"extent 1 of input 1"});
    expect_refused(block(l), "shape", {"extent 1 of input 2"});
    expect_refused(gru(3, units, 2), "shape", {"extent 1 of input 1"});
    l = {};
    l.x[1] = units;
    expect_refused(cell(l), "shape", {"extent 1 of input 0"});
    expect_refused(gru(units, 2, 2), "shape", {"extent 1 of input 0"});
  }
  Lstm l;
  l.w[0] = 9;
  expect_invalid(cell(l), {"extent 0 of input 3 is 9, expected 5"});
  l = {};
  l.hole = {2, 1};
  expect_invalid(cell(l), {"input 4 has rank 2, expected 1"});
  l = {};
  l.b = {7};
  expect_invalid(block(l), {"extent 0 of input 8 is 7, expected 8"});
  expect_invalid(gru(3, 2, 3), {"extent 1 of input 3 is 3, expected 2"});
  l = {};
  l.state = {-1, int64_t{1} << 39};
  expect_refused(cell(l), "shape", {"too many units"});
}

TEST(Recurrent, attributes) {
  for (const char* name : {"forget_bias", "cell_clip"}) {
    Lstm l;
    l.attrs = {{name, attr_of_float(NAN)}};
    expect_refused(cell(l), "unsupported_attr", {name});
    expect_refused(block(l), "unsupported_attr", {name});
    l.attrs = {{name, attr_of_string("1")}};
    expect_invalid(cell(l), {name});
  }
  Lstm l;
  l.attrs = {{"use_peephole", attr_of_float(1)}};
  expect_invalid(block(l), {"use_peephole"});
}

// TensorFlow aborts the process when there are fewer steps.
TEST(Recurrent, seq_len_max) {
  for (int64_t steps : {int64_t{-1}, int64_t{6}, INT64_MIN, INT64_MAX}) {
    Lstm l;
    l.steps = steps;
    expect_refused(block(l), "shape", {"seq_len_max"});
  }
}

}  // namespace
}  // namespace graft::frontend
