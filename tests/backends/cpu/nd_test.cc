// Ops by index vectors, running sums and the largest elements against the reference evaluator, on
// one and on several threads.
#include <gtest/gtest-spi.h>

#include "step_testing.h"

namespace graft::cpu::testing {
namespace {

Tensor zero_ints(std::vector<int64_t> dims) {
  size_t elems = 1;
  for (const int64_t d : dims) elems *= static_cast<size_t>(d);
  return ints(std::move(dims), std::vector<int32_t>(elems));
}

// What run_kernel or run_reference complain about.
std::string complaints(std::vector<Tensor> (*run)(const Case&), const Case& c) {
  using ::testing::ScopedFakeTestPartResultReporter;
  ::testing::TestPartResultArray found;
  {
    const ScopedFakeTestPartResultReporter reporter(
        ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &found);
    run(c);
  }
  std::string text;
  for (int i = 0; i < found.size(); ++i) text += found.GetTestPartResult(i).message();
  return text;
}

void expect_shapes_refused(const Case& c, const std::string& text) {
  const std::string kernel = complaints([](const Case& x) { return run_kernel(x, {}); }, c);
  EXPECT_NE(kernel.find(text), std::string::npos) << "kernel: " << kernel;
  const std::string reference = complaints(run_reference, c);
  EXPECT_NE(reference.find(text), std::string::npos) << "reference: " << reference;
}

const DType kDtypes[] = {DType::kFloat, DType::kInt64, DType::kHalf, DType::kBool};

TEST(NdGather, rows_and_elements) {
  std::mt19937 rng(1);
  for (DType t : kDtypes) {
    check({ir::GatherNdAttrs{}, {draw(rng, t, {4, 5, 6}), ints({3, 1}, {3, 0, 1})}});
    check({ir::GatherNdAttrs{}, {draw(rng, t, {4, 5, 6}), ints({2, 2}, {3, 4, 0, 0})}});
    check({ir::GatherNdAttrs{}, {draw(rng, t, {4, 5, 6}), ints({2, 3}, {3, 4, 5, 0, 0, 0})}});
    check({ir::GatherNdAttrs{}, {draw(rng, t, {4, 5}), ints({2, 0}, {})}});
    check({ir::GatherNdAttrs{}, {draw(rng, t, {4, 5}), ints({0, 1}, {})}});
  }
  std::vector<int32_t> many(20000);
  for (size_t i = 0; i < many.size(); ++i) many[i] = static_cast<int32_t>(i * 7 % 300);
  check({ir::GatherNdAttrs{}, {draw(rng, DType::kFloat, {300, 300}), ints({10000, 2}, many)}});
}

TEST(NdScatter, functions_duplicates_and_threads) {
  std::mt19937 rng(2);
  using ir::ScatterFn;
  for (ScatterFn fn :
       {ScatterFn::kReplace, ScatterFn::kAdd, ScatterFn::kSub, ScatterFn::kMax, ScatterFn::kMin}) {
    SCOPED_TRACE(ir::name_of(fn));
    const DType t = DType::kInt64;  // no rounding: the order of the updates is what may differ
    check({ir::ScatterNdAttrs{fn},
           {draw(rng, t, {4, 5}), ints({3, 1}, {1, 3, 1}), draw(rng, t, {3, 5})}});
    check({ir::ScatterNdAttrs{fn},
           {draw(rng, t, {4, 5}), ints({3, 2}, {1, 2, 3, 4, 1, 2}), draw(rng, t, {3})}});
    check({ir::ScatterNdAttrs{fn},
           {draw(rng, t, {2, 80000}), ints({3, 1}, {1, 0, 1}), draw(rng, t, {3, 80000})}});
    std::vector<int32_t> rows(900);
    for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<int32_t>(i * 13 % 400);
    check({ir::ScatterNdAttrs{fn},
           {draw(rng, t, {400, 200}), ints({900, 1}, rows), draw(rng, t, {900, 200})}});
  }
  for (DType t : kDtypes) {
    check(
        {ir::ScatterNdAttrs{}, {draw(rng, t, {4, 5}), ints({2, 1}, {1, 3}), draw(rng, t, {2, 5})}});
  }
}

TEST(NdScatter, single_elements_by_blocks) {
  std::mt19937 rng(3);
  using ir::ScatterFn;
  for (const int64_t count : {5, 20000, 150000}) {
    for (const int64_t rows : {1, 70, 60000}) {
      std::vector<int32_t> at(static_cast<size_t>(count));
      for (int32_t& v : at) v = static_cast<int32_t>(rng() % static_cast<uint64_t>(rows));
      for (ScatterFn fn : {ScatterFn::kReplace, ScatterFn::kAdd, ScatterFn::kSub, ScatterFn::kMax,
                           ScatterFn::kMin}) {
        SCOPED_TRACE(std::string(ir::name_of(fn)) + " of " + std::to_string(count));
        for (DType t : {DType::kInt32, DType::kInt64})
          check({ir::ScatterNdAttrs{fn},
                 {draw(rng, t, {rows}), ints({count, 1}, at), draw(rng, t, {count})}});
      }
      // Sums of many floats differ by their order.
      check({ir::ScatterNdAttrs{ScatterFn::kAdd},
             {draw(rng, DType::kFloat, {rows}), ints({count, 1}, at),
              draw(rng, DType::kFloat, {count})}},
            {1e-2, 1e-4});
    }
  }
  const Case kept{ir::ScatterNdAttrs{ScatterFn::kAdd},
                  {floats({2}, {-0.0f, -0.0f}), zero_ints({40000, 1}),
                   floats({40000}, std::vector<float>(40000, -0.0f))}};
  for (const Tensor& y : run_kernel(kept, {}))
    for (int64_t i : {0, 1}) EXPECT_TRUE(std::signbit(y.at<float>(i))) << i;
}

TEST(NdGather, I5_index_out_of_range_is_an_error_with_its_place) {
  std::mt19937 rng(7);
  std::vector<int32_t> many(2 * 40000, 1);
  many[2 * 30000 + 1] = 5;
  many[2 * 39999] = -1;
  const Case gather{ir::GatherNdAttrs{},
                    {draw(rng, DType::kFloat, {4, 5}), ints({40, 1000, 2}, many)}};
  const Case scatter{ir::ScatterNdAttrs{},
                     {gather.inputs[0], gather.inputs[1], draw(rng, DType::kFloat, {40, 1000})}};
  for (const Case& c : {gather, scatter}) {
    try {
      run_kernel(c, {.threads = 4});
      FAIL() << "no error";
    } catch (const backends::StepFailure& e) {
      EXPECT_EQ(e.status().code(), Code::kInvalidArgument);
      EXPECT_NE(e.status().message().find("indices[30,0,1] = 5 is not in [0, 5)"),
                std::string::npos)
          << e.status().message();
    }
  }
}

// As TensorFlow 2.21 has it, whichever operand is empty.
TEST(NdEmpty, index_vectors_of_nothing_are_refused) {
  std::mt19937 rng(8);
  const auto of = [&](std::vector<int64_t> dims) {
    return draw(rng, DType::kFloat, std::move(dims));
  };
  const ir::GatherNdAttrs gather;
  const ir::ScatterNdAttrs scatter;
  expect_shapes_refused({gather, {of({0, 3}), zero_ints({2, 1})}},
                        "params have no elements, indices name 2");
  expect_shapes_refused({gather, {of({3, 0}), zero_ints({2, 0})}},
                        "params have no elements, indices name 2");
  check({gather, {of({0, 3}), zero_ints({0, 1})}});
  check({gather, {of({2, 0}), zero_ints({0, 0})}});
  check({gather, {of({3, 4}), zero_ints({2, 0})}});
  expect_shapes_refused({scatter, {of({0, 3}), zero_ints({2, 1}), of({2, 3})}},
                        "src has 0 elements, indices 2");
  expect_shapes_refused({scatter, {of({3, 0}), zero_ints({2, 1}), of({2, 0})}},
                        "src has 0 elements, indices 2");
  expect_shapes_refused({scatter, {of({3, 4}), zero_ints({2, 0}), of({2, 3, 4})}},
                        "indices 0, updates 24");
  check({scatter, {of({0, 3}), zero_ints({0, 1}), of({0, 3})}});
  check({scatter, {of({0, 3}), zero_ints({2, 0}), of({2, 0, 3})}});
}

TEST(Scan, directions_and_shapes) {
  std::mt19937 rng(3);
  const std::vector<std::vector<int64_t>> shapes = {
      {7}, {3, 5, 4}, {1, 6, 1}, {37, 211, 1}, {2, 30, 9000}, {3, 0, 2}, {0, 3, 2}};
  for (const auto& dims : shapes) {
    const int64_t axis = dims.size() > 1 ? 1 : 0;
    for (bool exclusive : {false, true}) {
      for (bool reverse : {false, true}) {
        SCOPED_TRACE(::testing::PrintToString(dims) + (exclusive ? "e" : "") +
                     (reverse ? "r" : ""));
        for (ir::ReduceFn fn : {ir::ReduceFn::kSum, ir::ReduceFn::kProd})
          check({ir::ScanAttrs{fn, axis, exclusive, reverse}, {draw(rng, DType::kInt64, dims)}});
      }
    }
  }
}

TEST(TopK, rows) {
  std::mt19937 rng(4);
  for (DType t : {DType::kFloat, DType::kInt64}) {
    for (int32_t k : {0, 1, 5, 60}) {
      check({ir::TopKAttrs{}, {draw(rng, t, {3, 60}), ints({}, {k})}, 2});
      check({ir::TopKAttrs{DType::kInt64}, {draw(rng, t, {400, 80}), ints({}, {k})}, 2});
    }
  }
}

}  // namespace
}  // namespace graft::cpu::testing
