// Ops by index vectors, running sums and the largest elements against the reference evaluator, on
// one and on several threads.
#include "step_testing.h"

namespace graft::cpu::testing {
namespace {

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
