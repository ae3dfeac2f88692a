// LSTMBlockCell and GRUBlockCell, one step each, as products and elementwise ops; BlockLSTM and
// BlockLSTMV2, all steps, as recurrent.
//
// recurrent makes h and the cells of every step. What else BlockLSTM gives (the gates) follows from
// them for all steps at once, and is dropped where nobody reads it.
#include <array>
#include <cmath>
#include <optional>

#include "base/dtype.h"
#include "frontend/compose.h"

namespace graft::frontend {

namespace {

using ir::ValueId;
using Gates = std::array<ValueId, 4>;  // i, f, g (the candidate), o

enum Layout { kIcfo, kIfco };  // of the columns of w and b

Status check_ranks(NodeImport& n, size_t first, std::initializer_list<int> ranks) {
  for (int rank : ranks) {
    if (n.rank(first) != rank)
      return n.invalid("input " + std::to_string(first) + " has rank " +
                       std::to_string(n.rank(first)) + ", expected " + std::to_string(rank));
    ++first;
  }
  return ok_status();
}

// Extent `axis` of input i, which must be `want`.
Status want_extent(NodeImport& n, size_t i, size_t axis, int64_t want) {
  const ir::Dim d = n.type(i).dims[axis];
  if (d.is_const() && d.value() != want)
    return n.invalid("extent " + std::to_string(axis) + " of input " + std::to_string(i) + " is " +
                     std::to_string(d.value()) + ", expected " + std::to_string(want));
  return ok_status();
}

Result<int64_t> known_extent(NodeImport& n, size_t i, size_t axis) {
  const ir::Dim d = n.type(i).dims[axis];
  if (!d.is_const())
    return n.refuse("shape", "extent " + std::to_string(axis) + " of input " + std::to_string(i) +
                                 " is not known");
  if (d.value() < 1)
    return n.refuse("shape", "extent " + std::to_string(axis) + " of input " + std::to_string(i) +
                                 " is " + std::to_string(d.value()));
  return d.value();
}

Result<ValueId> binary(NodeImport& n, ir::BinaryFn fn, ValueId a, ValueId b) {
  return n.emit(ir::BinaryAttrs{fn}, {a, b});
}
Result<ValueId> add(NodeImport& n, ValueId a, ValueId b) {
  return binary(n, ir::BinaryFn::kAdd, a, b);
}
Result<ValueId> mul(NodeImport& n, ValueId a, ValueId b) {
  return binary(n, ir::BinaryFn::kMul, a, b);
}
Result<ValueId> unary(NodeImport& n, ir::UnaryFn fn, ValueId x) {
  return n.emit(ir::UnaryAttrs{{fn}}, {x});
}
// a * b + c
Result<ValueId> scaled_sum(NodeImport& n, ValueId a, ValueId b, ValueId c) {
  GRAFT_ASSIGN_OR_RETURN(const ValueId product, mul(n, a, b));
  return add(n, product, c);
}

// The four gates' columns, in the order of Gates.
Result<Gates> split_gates(NodeImport& n, ValueId all, Layout layout) {
  const int64_t axis = n.at(all).type.rank() - 1;
  GRAFT_ASSIGN_OR_RETURN(const auto parts, n.emit_many(ir::SplitAttrs{axis, {}}, {all}, 4));
  if (layout == kIcfo) return Gates{parts[0], parts[2], parts[1], parts[3]};
  return Gates{parts[0], parts[1], parts[2], parts[3]};
}

struct LstmOptions {
  Layout layout = kIcfo;
  float forget_bias = 0, cell_clip = 0;
  bool peephole = false;
};

// What the cells share, with its inputs from `first` on: cs_prev, h_prev, w, wci, wcf, wco, b; the
// input x before them.
struct Lstm {
  NodeImport& n;
  LstmOptions options;
  size_t first;
  int64_t features = 0, units = 0;

  ValueId cs_prev() const { return n.in(first); }
  ValueId h_prev() const { return n.in(first + 1); }
  ValueId hole(size_t i) const { return n.in(first + 3 + i); }  // of i, f, o

  Status check() {
    const size_t x = first - 1, w = first + 2, b = first + 6;
    GRAFT_RETURN_IF_ERROR(check_ranks(n, first, {2, 2, 2, 1, 1, 1, 1}));
    GRAFT_ASSIGN_OR_RETURN(features, known_extent(n, x, static_cast<size_t>(n.rank(x) - 1)));
    GRAFT_ASSIGN_OR_RETURN(units, known_extent(n, first, 1));
    if (units > n.limits().max_tensor_elems / 4 || features > n.limits().max_tensor_elems)
      return n.refuse("shape", "its layer has too many units");
    GRAFT_RETURN_IF_ERROR(want_extent(n, first + 1, 1, units));
    GRAFT_RETURN_IF_ERROR(want_extent(n, w, 0, features + units));
    GRAFT_RETURN_IF_ERROR(want_extent(n, w, 1, 4 * units));
    for (size_t i = 0; i < 3; ++i) GRAFT_RETURN_IF_ERROR(want_extent(n, first + 3 + i, 0, units));
    return want_extent(n, b, 0, 4 * units);
  }

  // Biases in the order of Gates, the forget bias among them.
  Result<Gates> biases() {
    GRAFT_ASSIGN_OR_RETURN(Gates b, split_gates(n, n.in(first + 6), options.layout));
    if (options.forget_bias != 0) {
      const ValueId one = n.constant_scalar(options.forget_bias, n.dtype(first));
      GRAFT_ASSIGN_OR_RETURN(b[1], add(n, b[1], one));
    }
    return b;
  }

  // Rows [begin, end) of w with its columns in the order of Gates.
  Result<ValueId> weights(int64_t begin, int64_t end) {
    GRAFT_ASSIGN_OR_RETURN(const ValueId rows,
                           slice_by(n, n.in(first + 2), {AxisRange{begin, end}, AxisRange{}}));
    if (options.layout == kIfco) return rows;
    GRAFT_ASSIGN_OR_RETURN(const Gates parts, split_gates(n, rows, options.layout));
    return n.emit(ir::ConcatAttrs{1}, {parts.begin(), parts.end()});
  }

  // From the gates before their activation and the cells before the step: those after it. With
  // `made` they are known.
  struct Made {
    ValueId i, cs, f, o, ci, co, h;
  };
  Result<Made> step(const Gates& p, ValueId cs_before, std::optional<ValueId> made = {}) {
    Made m{};
    Gates gates = p;
    if (options.peephole) {
      GRAFT_ASSIGN_OR_RETURN(gates[0], scaled_sum(n, cs_before, hole(0), p[0]));
      GRAFT_ASSIGN_OR_RETURN(gates[1], scaled_sum(n, cs_before, hole(1), p[1]));
    }
    GRAFT_ASSIGN_OR_RETURN(m.i, unary(n, ir::UnaryFn::kSigmoid, gates[0]));
    GRAFT_ASSIGN_OR_RETURN(m.f, unary(n, ir::UnaryFn::kSigmoid, gates[1]));
    GRAFT_ASSIGN_OR_RETURN(m.ci, unary(n, ir::UnaryFn::kTanh, gates[2]));
    if (made) {
      m.cs = *made;
    } else {
      GRAFT_ASSIGN_OR_RETURN(const ValueId kept, mul(n, m.f, cs_before));
      GRAFT_ASSIGN_OR_RETURN(m.cs, scaled_sum(n, m.ci, m.i, kept));
      if (options.cell_clip > 0) {
        const ir::Activation clip{ir::UnaryFn::kClip, -options.cell_clip, options.cell_clip};
        GRAFT_ASSIGN_OR_RETURN(m.cs, n.emit(ir::UnaryAttrs{clip}, {m.cs}));
      }
    }
    if (options.peephole) {
      GRAFT_ASSIGN_OR_RETURN(gates[3], scaled_sum(n, m.cs, hole(2), p[3]));
    }
    GRAFT_ASSIGN_OR_RETURN(m.o, unary(n, ir::UnaryFn::kSigmoid, gates[3]));
    GRAFT_ASSIGN_OR_RETURN(m.co, unary(n, ir::UnaryFn::kTanh, m.cs));
    GRAFT_ASSIGN_OR_RETURN(m.h, mul(n, m.co, m.o));
    return m;
  }

  void output(const Made& m) {
    for (ValueId id : {m.i, m.cs, m.f, m.o, m.ci, m.co, m.h}) n.output(id);
  }
};

Result<LstmOptions> lstm_options(NodeImport& n, Layout layout, float forget_bias, float clip) {
  LstmOptions o;
  o.layout = layout;
  if (layout == kIcfo) {
    GRAFT_ASSIGN_OR_RETURN(o.forget_bias, n.attr_float("forget_bias", forget_bias));
  }
  GRAFT_ASSIGN_OR_RETURN(o.cell_clip, n.attr_float("cell_clip", clip));
  GRAFT_ASSIGN_OR_RETURN(o.peephole, n.attr_bool("use_peephole", false));
  if (!(std::abs(o.forget_bias) <= 3.4e38f) || o.cell_clip != o.cell_clip)
    return n.refuse("unsupported_attr", "attribute 'forget_bias' or 'cell_clip' is no number");
  return o;
}

Status import_lstm_cell(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_types("T", 0, 8));
  GRAFT_RETURN_IF_ERROR(n.require_floating(0));
  GRAFT_ASSIGN_OR_RETURN(const LstmOptions options, lstm_options(n, kIcfo, 1, 3));
  GRAFT_RETURN_IF_ERROR(check_ranks(n, 0, {2}));
  Lstm lstm{n, options, 1};
  GRAFT_RETURN_IF_ERROR(lstm.check());
  GRAFT_ASSIGN_OR_RETURN(const ValueId xh, n.emit(ir::ConcatAttrs{1}, {n.in(0), lstm.h_prev()}));
  GRAFT_ASSIGN_OR_RETURN(const ValueId w, lstm.weights(0, lstm.features + lstm.units));
  GRAFT_ASSIGN_OR_RETURN(const Gates biases, lstm.biases());
  GRAFT_ASSIGN_OR_RETURN(const ValueId b,
                         n.emit(ir::ConcatAttrs{0}, {biases.begin(), biases.end()}));
  GRAFT_ASSIGN_OR_RETURN(const ValueId product, n.emit(ir::MatMulAttrs{}, {xh, w}));
  GRAFT_ASSIGN_OR_RETURN(const ValueId all, add(n, product, b));
  GRAFT_ASSIGN_OR_RETURN(const Gates gates, split_gates(n, all, kIfco));
  GRAFT_ASSIGN_OR_RETURN(const Lstm::Made made, lstm.step(gates, lstm.cs_prev()));
  lstm.output(made);
  return ok_status();
}

Status import_gru_cell(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_types("T", 0, 6));
  GRAFT_RETURN_IF_ERROR(n.require_floating(0));
  GRAFT_RETURN_IF_ERROR(check_ranks(n, 0, {2, 2, 2, 2, 1, 1}));
  GRAFT_ASSIGN_OR_RETURN(const int64_t units, known_extent(n, 1, 1));
  GRAFT_ASSIGN_OR_RETURN(const int64_t features, known_extent(n, 0, 1));
  if (units > n.limits().max_tensor_elems / 4 || features > n.limits().max_tensor_elems)
    return n.refuse("shape", "its layer has too many units");
  for (size_t w : {2u, 3u}) {
    const int64_t columns = w == 2 ? 2 * units : units;
    GRAFT_RETURN_IF_ERROR(want_extent(n, w, 0, features + units));
    GRAFT_RETURN_IF_ERROR(want_extent(n, w, 1, columns));
    GRAFT_RETURN_IF_ERROR(want_extent(n, w + 2, 0, columns));
  }
  const ValueId x = n.in(0), h = n.in(1);
  const auto gate = [&](ValueId state, size_t w, ir::UnaryFn fn) -> Result<ValueId> {
    GRAFT_ASSIGN_OR_RETURN(const ValueId xh, n.emit(ir::ConcatAttrs{1}, {x, state}));
    GRAFT_ASSIGN_OR_RETURN(const ValueId product, n.emit(ir::MatMulAttrs{}, {xh, n.in(w)}));
    GRAFT_ASSIGN_OR_RETURN(const ValueId sum, add(n, product, n.in(w + 2)));
    return unary(n, fn, sum);
  };
  GRAFT_ASSIGN_OR_RETURN(const ValueId ru, gate(h, 2, ir::UnaryFn::kSigmoid));
  GRAFT_ASSIGN_OR_RETURN(const auto gates, n.emit_many(ir::SplitAttrs{1, {}}, {ru}, 2));
  const ValueId r = gates[0], u = gates[1];
  GRAFT_ASSIGN_OR_RETURN(const ValueId reset, mul(n, h, r));
  GRAFT_ASSIGN_OR_RETURN(const ValueId c, gate(reset, 3, ir::UnaryFn::kTanh));
  GRAFT_ASSIGN_OR_RETURN(const ValueId rest,
                         binary(n, ir::BinaryFn::kSub, n.constant_scalar(1, n.dtype(0)), u));
  GRAFT_ASSIGN_OR_RETURN(const ValueId kept, mul(n, u, h));
  GRAFT_ASSIGN_OR_RETURN(const ValueId next, scaled_sum(n, c, rest, kept));
  for (ValueId id : {r, u, c, next}) n.output(id);
  return ok_status();
}

// The rows of [T,...] before each step: `first`, then all of `rows` but the last.
Result<ValueId> before(NodeImport& n, ValueId first, ValueId rows) {
  GRAFT_ASSIGN_OR_RETURN(const ValueId row, n.emit(ir::ExpandDimsAttrs{0}, {first}));
  GRAFT_ASSIGN_OR_RETURN(const ValueId all, n.emit(ir::ConcatAttrs{0}, {row, rows}));
  return slice_by(n, all, {AxisRange{{}, -1}, AxisRange{}, AxisRange{}});
}

Status import_block_lstm(NodeImport& n) {
  const auto layout = static_cast<Layout>(n.arg());
  GRAFT_RETURN_IF_ERROR(n.check_types("T", 1, 9));
  GRAFT_RETURN_IF_ERROR(n.require_floating(1));
  GRAFT_ASSIGN_OR_RETURN(const LstmOptions options,
                         lstm_options(n, layout, 1, layout == kIcfo ? 3.0f : 0.0f));
  if (n.dtype(0) != DType::kInt64) return n.invalid("seq_len_max is " + dtype_name(n.dtype(0)));
  GRAFT_RETURN_IF_ERROR(check_ranks(n, 0, {0, 3}));
  Lstm lstm{n, options, 2};
  GRAFT_RETURN_IF_ERROR(lstm.check());
  const ir::Dim steps = n.type(1).dims[0];
  const auto& host = n.value(0).host;
  if (!host || host->size() != 1) return n.refuse("shape", "seq_len_max depends on data");
  const ir::Dim used = (*host)[0];
  const bool fewer =
      used.is_const() && steps.is_const() && used.value() >= 0 && used.value() < steps.value();
  if (used != steps && !fewer)
    return n.refuse("shape", "seq_len_max is not known to be at most the number of steps");

  ValueId x = n.in(1);
  if (fewer) {
    GRAFT_ASSIGN_OR_RETURN(x,
                           slice_by(n, x, {AxisRange{0, used.value()}, AxisRange{}, AxisRange{}}));
  }
  GRAFT_ASSIGN_OR_RETURN(const ValueId w, lstm.weights(0, lstm.features));
  GRAFT_ASSIGN_OR_RETURN(const ValueId u, lstm.weights(lstm.features, lstm.features + lstm.units));
  GRAFT_ASSIGN_OR_RETURN(const Gates biases, lstm.biases());
  GRAFT_ASSIGN_OR_RETURN(const ValueId b,
                         n.emit(ir::ConcatAttrs{0}, {biases.begin(), biases.end()}));
  GRAFT_ASSIGN_OR_RETURN(const ValueId product, n.emit(ir::MatMulAttrs{}, {x, w}));
  GRAFT_ASSIGN_OR_RETURN(const ValueId gates, add(n, product, b));
  ir::RecurrentAttrs attrs;
  attrs.cell_clip = options.cell_clip > 0 ? options.cell_clip : 0;
  attrs.has_peephole = options.peephole;
  attrs.cells = true;
  std::vector<ValueId> inputs{gates, u, lstm.h_prev(), lstm.cs_prev()};
  if (options.peephole) {
    GRAFT_ASSIGN_OR_RETURN(const ValueId holes,
                           n.emit(ir::ConcatAttrs{0}, {lstm.hole(0), lstm.hole(1), lstm.hole(2)}));
    inputs.push_back(holes);
  }
  GRAFT_ASSIGN_OR_RETURN(const auto run, n.emit_many(attrs, inputs, 3));
  GRAFT_ASSIGN_OR_RETURN(const ValueId h_before, before(n, lstm.h_prev(), run[0]));
  GRAFT_ASSIGN_OR_RETURN(const ValueId cs_before, before(n, lstm.cs_prev(), run[2]));
  GRAFT_ASSIGN_OR_RETURN(const ValueId own, n.emit(ir::MatMulAttrs{}, {h_before, u}));
  GRAFT_ASSIGN_OR_RETURN(const ValueId all, add(n, gates, own));
  GRAFT_ASSIGN_OR_RETURN(const Gates parts, split_gates(n, all, kIfco));
  GRAFT_ASSIGN_OR_RETURN(Lstm::Made made, lstm.step(parts, cs_before, run[2]));
  made.h = run[0];
  if (fewer) {
    const int64_t rest = steps.value() - used.value();
    for (ValueId* id : {&made.i, &made.cs, &made.f, &made.o, &made.ci, &made.co, &made.h}) {
      GRAFT_ASSIGN_OR_RETURN(*id, pad_by(n, *id, {{0, rest}, {0, 0}, {0, 0}}));
    }
  }
  lstm.output(made);
  return ok_status();
}

constexpr OpEntry kRows[] = {
    {"LSTMBlockCell", import_lstm_cell, 8, 8},
    {"GRUBlockCell", import_gru_cell, 6, 6},
    {"BlockLSTM", import_block_lstm, 9, 9, kIcfo},
    {"BlockLSTMV2", import_block_lstm, 9, 9, kIfco},
};

}  // namespace

std::span<const OpEntry> recurrent_ops() { return kRows; }

}  // namespace graft::frontend
