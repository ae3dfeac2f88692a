// Data movement kernels against the reference evaluator, for elements of 1, 2, 4 and 8 bytes.
#include "step_testing.h"

namespace graft::cpu::testing {
namespace {

const DType kDtypes[] = {DType::kFloat, DType::kInt64, DType::kHalf, DType::kBool};

TEST(MovementTranspose, permutations) {
  std::mt19937 rng(1);
  const std::vector<std::pair<std::vector<int64_t>, std::vector<int64_t>>> cases = {
      {{}, {}},
      {{7}, {0}},
      {{5, 9}, {1, 0}},
      {{3, 1, 4}, {2, 1, 0}},
      {{2, 33, 5, 17}, {0, 3, 1, 2}},
      {{2, 3, 37, 41}, {0, 2, 3, 1}},
      {{2, 12, 9, 64}, {0, 2, 1, 3}},
      {{0, 3}, {1, 0}},
      {{4, 5, 6, 7}, {3, 2, 1, 0}},
      {{2, 3, 4, 5, 6}, {4, 0, 3, 1, 2}},
      {{300, 301}, {1, 0}},
  };
  for (DType t : kDtypes) {
    for (const auto& [dims, perm] : cases) {
      SCOPED_TRACE(dtype_name(t) + ::testing::PrintToString(perm));
      check({ir::TransposeAttrs{perm}, {draw(rng, t, dims)}});
    }
  }
}

TEST(MovementConcat, axes_and_empty_parts) {
  std::mt19937 rng(2);
  for (DType t : kDtypes) {
    check({ir::ConcatAttrs{1}, {draw(rng, t, {3, 2}), draw(rng, t, {3, 0}), draw(rng, t, {3, 5})}});
    check({ir::ConcatAttrs{0}, {draw(rng, t, {2, 3}), draw(rng, t, {1, 3})}});
    check({ir::ConcatAttrs{3},
           {draw(rng, t, {2, 9, 9, 16}), draw(rng, t, {2, 9, 9, 1}), draw(rng, t, {2, 9, 9, 33})}});
    check({ir::ConcatAttrs{0}, {draw(rng, t, {70000}), draw(rng, t, {1}), draw(rng, t, {99999})}});
    check({ir::PackAttrs{0}, {draw(rng, t, {3, 4}), draw(rng, t, {3, 4})}});
    check({ir::PackAttrs{2}, {draw(rng, t, {3, 4}), draw(rng, t, {3, 4}), draw(rng, t, {3, 4})}});
    check({ir::PackAttrs{0}, {draw(rng, t, {}), draw(rng, t, {})}});
  }
}

TEST(MovementSplit, parts) {
  std::mt19937 rng(3);
  for (DType t : kDtypes) {
    check({ir::SplitAttrs{1, {}}, {draw(rng, t, {4, 9, 2})}, 3});
    check({ir::SplitAttrs{0, {1, -1, 0}}, {draw(rng, t, {7, 3})}, 3});
    check({ir::SplitAttrs{1, {100, 156}}, {draw(rng, t, {500, 256})}, 2});
    check({ir::UnpackAttrs{1}, {draw(rng, t, {4, 3, 2})}, 3});
  }
}

TEST(MovementSlice, ranges_strides_and_masks) {
  std::mt19937 rng(4);
  for (DType t : kDtypes) {
    check(
        {ir::SliceAttrs{}, {draw(rng, t, {5, 6, 7}), ints({3}, {1, 0, 2}), ints({3}, {3, -1, 4})}});
    check({ir::SliceAttrs{}, {draw(rng, t, {200, 333}), ints({2}, {0, 3}), ints({2}, {200, 300})}});
    check({ir::SliceAttrs{}, {draw(rng, t, {4}), ints({1}, {4}), ints({1}, {0})}});
    check({ir::StridedSliceAttrs{},
           {draw(rng, t, {9, 8}), ints({2}, {8, 0}), ints({2}, {-10, 8}), ints({2}, {-2, 3})}});
    check({ir::StridedSliceAttrs{0, 0, 0, 0, 1},
           {draw(rng, t, {4, 5, 6}), ints({1}, {2}), ints({1}, {3}), ints({1}, {1})}});
    check(
        {ir::StridedSliceAttrs{0, 0, 1, 2, 0},
         {draw(rng, t, {4, 5}), ints({3}, {0, 0, 1}), ints({3}, {0, 0, 4}), ints({3}, {1, 1, 2})}});
    check({ir::StridedSliceAttrs{1, 1, 0, 0, 2},
           {draw(rng, t, {4, 128, 64}), ints({2}, {0, 0}), ints({2}, {0, 1}), ints({2}, {1, 1})}});
  }
}

TEST(MovementPad, modes) {
  std::mt19937 rng(5);
  for (DType t : kDtypes) {
    SCOPED_TRACE(dtype_name(t));
    check({ir::PadAttrs{}, {draw(rng, t, {2, 5, 7, 3}), ints({4, 2}, {0, 0, 3, 2, 1, 0, 0, 0})}});
    check({ir::PadAttrs{}, {draw(rng, t, {3, 4}), ints({2, 2}, {1, 2, 3, 4}), draw(rng, t, {})}});
    check({ir::PadAttrs{}, {draw(rng, t, {3, 4}), ints({2, 2}, {0, 0, 0, 0})}});
    check({ir::PadAttrs{}, {draw(rng, t, {0, 4}), ints({2, 2}, {1, 1, 0, 2})}});
    check({ir::PadAttrs{},
           {draw(rng, t, {1, 120, 120, 32}), ints({4, 2}, {0, 0, 1, 1, 1, 1, 0, 0})}});
    check(
        {ir::PadAttrs{ir::PadMode::kReflect}, {draw(rng, t, {4, 5}), ints({2, 2}, {3, 2, 4, 1})}});
    check({ir::PadAttrs{ir::PadMode::kSymmetric},
           {draw(rng, t, {2, 4, 5}), ints({3, 2}, {2, 0, 3, 4, 0, 0})}});
  }
}

TEST(MovementGather, axes_batch_dims_and_index_types) {
  std::mt19937 rng(6);
  const Tensor i32 = ints({2, 3}, {3, 0, 1, 2, 2, 3});
  const Tensor i64 = tensor_of<int64_t>(DType::kInt64, {2, 3}, {3, 0, 1, 2, 2, 3});
  for (DType t : kDtypes) {
    for (const Tensor& index : {i32, i64}) {
      check({ir::GatherAttrs{0, 0}, {draw(rng, t, {4, 5}), index}});
      check({ir::GatherAttrs{1, 0}, {draw(rng, t, {3, 4, 2}), index}});
      check({ir::GatherAttrs{1, 1}, {draw(rng, t, {2, 4, 7}), index}});
      check({ir::GatherAttrs{2, 1}, {draw(rng, t, {2, 5, 4}), index}});
    }
    check({ir::GatherAttrs{0, 0}, {draw(rng, t, {4, 20000}), i32}});
    check({ir::GatherAttrs{0, 0}, {draw(rng, t, {4, 2}), ints({}, {2})}});
  }
}

TEST(MovementGather, I5_index_out_of_range_is_an_error_with_its_place) {
  for (int bad : {-1, 4, INT32_MAX, INT32_MIN}) {
    std::mt19937 rng(7);
    const Case c{ir::GatherAttrs{},
                 {draw(rng, DType::kFloat, {4, 2}), ints({2, 2}, {0, 1, bad, 2})}};
    try {
      run_kernel(c, {});
      FAIL() << "no error for " << bad;
    } catch (const backends::StepFailure& e) {
      EXPECT_EQ(e.status().code(), Code::kInvalidArgument);
      EXPECT_NE(
          e.status().message().find("indices[1,0] = " + std::to_string(bad) + " is not in [0, 4)"),
          std::string::npos)
          << e.status().message();
    }
  }
}

TEST(MovementTile, repeats_broadcasts_fills_ranges) {
  std::mt19937 rng(8);
  for (DType t : kDtypes) {
    check({ir::TileAttrs{}, {draw(rng, t, {2, 3}), ints({2}, {3, 2})}});
    check({ir::TileAttrs{}, {draw(rng, t, {1, 7, 1}), ints({3}, {4, 1, 9})}});
    check({ir::TileAttrs{}, {draw(rng, t, {2}), ints({1}, {0})}});
    check({ir::BroadcastToAttrs{}, {draw(rng, t, {3, 1}), ints({3}, {2, 3, 50})}});
    check({ir::BroadcastToAttrs{}, {draw(rng, t, {1, 300}), ints({2}, {300, 300})}});
    check({ir::FillAttrs{}, {ints({2}, {300, 301}), draw(rng, t, {})}});
  }
  check({ir::RangeAttrs{}, {ints({}, {3}), ints({}, {20}), ints({}, {4})}});
  check({ir::RangeAttrs{}, {ints({}, {5}), ints({}, {-5}), ints({}, {-3})}});
}

TEST(MovementOneHot, out_of_range_indices_set_nothing) {
  std::mt19937 rng(9);
  for (DType t : kDtypes) {
    for (int64_t axis : {0, 1, 2}) {
      check(
          {ir::OneHotAttrs{axis},
           {ints({2, 3}, {0, 4, -1, 2, 7, 1}), ints({}, {5}), draw(rng, t, {}), draw(rng, t, {})}});
    }
  }
}

TEST(MovementResize, nearest_and_bilinear) {
  std::mt19937 rng(10);
  for (int mode = 0; mode < 3; ++mode) {
    const bool corners = mode == 1, half = mode == 2;
    for (const std::vector<int32_t>& size :
         {std::vector<int32_t>{5, 7}, {11, 3}, {1, 1}, {40, 50}}) {
      for (DType t : kDtypes) {
        if (t == DType::kBool) continue;
        check(
            {ir::ResizeAttrs{false, corners, half}, {draw(rng, t, {2, 6, 5, 3}), ints({2}, size)}});
      }
      check({ir::ResizeAttrs{true, corners, half},
             {draw(rng, DType::kFloat, {2, 6, 5, 3}), ints({2}, size)}},
            {1e-6, 1e-6});
    }
  }
}

TEST(MovementDepthToSpace, both_ways) {
  std::mt19937 rng(11);
  for (DType t : kDtypes) {
    check({ir::DepthToSpaceAttrs{2, false}, {draw(rng, t, {2, 3, 5, 12})}});
    check({ir::DepthToSpaceAttrs{3, true}, {draw(rng, t, {2, 6, 9, 5})}});
  }
}

}  // namespace
}  // namespace graft::cpu::testing
