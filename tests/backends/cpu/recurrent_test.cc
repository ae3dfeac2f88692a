// Recurrent layers against the reference evaluator, on one and on several threads: every cell and
// activation, units that fill no vector, more steps and rows than one strip, and none.
#include "step_testing.h"

namespace graft::cpu::testing {
namespace {

struct Extents {
  int64_t steps, batch, units;
};

// Weights small enough that no cell saturates at once.
Case problem(const ir::RecurrentAttrs& a, const Extents& e, unsigned seed, bool packed = true) {
  std::mt19937 rng(seed);
  const int64_t columns = ir::gates_of(a.fn) * e.units;
  const bool lstm = a.fn == ir::RecurrentFn::kLstm;
  const DType t = DType::kFloat;
  Case c;
  c.attrs = a;
  c.inputs = {draw(rng, t, {e.steps, e.batch, columns}),
              draw(rng, t, {e.units, columns}, 1 / std::sqrt(static_cast<float>(e.units))),
              draw(rng, t, {e.batch, e.units})};
  if (lstm) c.inputs.push_back(draw(rng, t, {e.batch, e.units}));
  if (a.has_bias) c.inputs.push_back(draw(rng, t, {e.units}));
  if (a.has_peephole) c.inputs.push_back(draw(rng, t, {3 * e.units}));
  c.outputs = lstm ? 3 : 2;
  if (packed) c.constants = {1};
  return c;
}

constexpr Tolerance kTolerance{2e-5, 2e-5};

constexpr ir::RecurrentFn kCells[] = {ir::RecurrentFn::kLstm, ir::RecurrentFn::kGru,
                                      ir::RecurrentFn::kGruResetAfter, ir::RecurrentFn::kSimple};

TEST(Recurrent, cells_and_extents) {
  unsigned seed = 1;
  for (ir::RecurrentFn fn : kCells) {
    for (bool sequence : {true, false}) {
      for (const Extents& e :
           {Extents{5, 1, 8}, Extents{6, 3, 19}, Extents{2, 17, 33}, Extents{1, 2, 1},
            Extents{3, 9, 140}, Extents{0, 2, 5}, Extents{4, 0, 5}}) {
        SCOPED_TRACE(std::string(ir::name_of(fn)) + " " + std::to_string(e.units));
        ir::RecurrentAttrs a;
        a.fn = fn;
        a.sequence = sequence;
        a.has_bias = fn == ir::RecurrentFn::kGruResetAfter && e.batch % 2 == 1;
        check(problem(a, e, ++seed), kTolerance);
        check(problem(a, e, ++seed, false), kTolerance);  // weights that are no constant
      }
    }
  }
}

TEST(Recurrent, activations) {
  for (ir::RecurrentFn fn : kCells) {
    for (ir::UnaryFn gate : {ir::UnaryFn::kSigmoid, ir::UnaryFn::kHardSigmoid}) {
      for (ir::UnaryFn act : {ir::UnaryFn::kTanh, ir::UnaryFn::kRelu, ir::UnaryFn::kIdentity}) {
        ir::RecurrentAttrs a;
        a.fn = fn;
        a.gate = {gate};
        a.act = {act};
        check(problem(a, {3, 4, 21}, 7), {1e-4, 1e-4});
      }
    }
  }
  ir::RecurrentAttrs other;
  other.act = {ir::UnaryFn::kSoftsign};
  Case c = problem(other, {3, 4, 21}, 7);
  c.expect_kernel = false;
  check(c, kTolerance);
}

TEST(Recurrent, lstm_options) {
  for (bool peephole : {false, true}) {
    for (float clip : {0.0f, 0.4f}) {
      for (bool cells : {false, true}) {
        ir::RecurrentAttrs a;
        a.has_peephole = peephole;
        a.cell_clip = clip;
        a.cells = cells;
        check(problem(a, {4, 3, 37}, 9), kTolerance);
      }
    }
  }
}

TEST(Recurrent, many_steps_on_more_threads_than_blocks) {
  check(problem({}, {300, 8, 64}, 11), kTolerance);
}

TEST(Recurrent, a_nan_stays_in_its_row) {
  ir::RecurrentAttrs a;
  Case c = problem(a, {3, 4, 16}, 13);
  const float nan = NAN;
  std::memcpy(c.inputs[2].bytes.data() + 16 * sizeof(float), &nan, sizeof nan);  // h of row 1
  check(c, kTolerance);
}

}  // namespace
}  // namespace graft::cpu::testing
