#include "passes/recurrent_cell.h"

#include <algorithm>
#include <map>

#include "passes/editor.h"
#include "passes/recurrent_linear.h"

namespace graft::passes {

namespace {

using ir::ValueId;

constexpr int64_t kMaxWeights = int64_t{1} << 26;  // elements of one matrix

class Matcher {
 public:
  Matcher(const ir::Network& body, const CellPorts& ports) : reader_(body), ports_(ports) {
    cell_.features = reader_.type(ports.x).dims[1].value();
    cell_.units = reader_.type(ports.h).dims[1].value();
  }

  std::optional<RecurrentCell> match() {
    const bool found = ports_.c != ir::kNoValue ? lstm() : gru() || simple();
    if (!found) return std::nullopt;
    return std::move(cell_);
  }

 private:
  // fn(sum), the sum being a LinearForm or, without one, value `of`.
  struct Activated {
    ir::Activation act;
    ValueId of = ir::kNoValue;
    const LinearForm* form = nullptr;
  };

  const ir::Op* binary(ValueId id, ir::BinaryFn fn) const {
    const ir::Op* op = reader_.producer(id);
    const auto* attrs = op ? op->get_if<ir::BinaryAttrs>() : nullptr;
    return attrs && attrs->fn == fn ? op : nullptr;
  }

  // The other operand of a product with `factor`.
  std::optional<ValueId> times(ValueId id, ValueId factor) const {
    const ir::Op* op = binary(id, ir::BinaryFn::kMul);
    if (!op) return std::nullopt;
    if (op->inputs[1] == factor) return op->inputs[0];
    if (op->inputs[0] == factor) return op->inputs[1];
    return std::nullopt;
  }

  Activated activated(ValueId id) {
    const ir::Op* op = reader_.producer(id);
    if (op && op->get_if<ir::UnaryAttrs>())
      return {op->as<ir::UnaryAttrs>().fn, op->inputs[0], reader_.read(op->inputs[0])};
    if (op && op->get_if<ir::MatMulAttrs>() &&
        op->as<ir::MatMulAttrs>().act.fn != ir::UnaryFn::kIdentity)
      return {op->as<ir::MatMulAttrs>().act, ir::kNoValue, reader_.read(id, true)};
    return {{}, id, reader_.read(id)};
  }

  // Only what the kernels take: another activation is faster in the loop than in the reference.
  static bool is_gate(const ir::Activation& act) {
    return act.fn == ir::UnaryFn::kSigmoid || act.fn == ir::UnaryFn::kHardSigmoid;
  }
  static bool is_state(const ir::Activation& act) {
    return act.fn == ir::UnaryFn::kTanh || act.fn == ir::UnaryFn::kRelu ||
           act.fn == ir::UnaryFn::kIdentity;
  }

  // Whether the form is of x and `state` alone, U wide.
  bool fits(const LinearForm* form, ValueId state) const {
    if (!form || form->width != cell_.units) return false;
    return std::all_of(form->terms.begin(), form->terms.end(), [&](const auto& term) {
      return term.first == ports_.x || term.first == state;
    });
  }

  // Puts the gates side by side; `states` are what each gate multiplies with recurrent weights.
  void take(const std::vector<const LinearForm*>& forms, const std::vector<ValueId>& states) {
    const auto n = static_cast<int64_t>(forms.size()), row = n * cell_.units;
    cell_.input.assign(static_cast<size_t>(cell_.features * row), 0.0);
    cell_.recurrent.assign(static_cast<size_t>(cell_.units * row), 0.0);
    cell_.gates.assign(static_cast<size_t>(row), 0.0);
    for (int64_t g = 0; g < n; ++g) {
      const LinearForm& form = *forms[static_cast<size_t>(g)];
      copy(form, ports_.x, cell_.features, g, row, cell_.input);
      copy(form, states[static_cast<size_t>(g)], cell_.units, g, row, cell_.recurrent);
      std::copy(form.bias.begin(), form.bias.end(), cell_.gates.begin() + g * cell_.units);
    }
  }

  // The leaf's weights into gate g of [rows, row].
  void copy(const LinearForm& form, ValueId leaf, int64_t rows, int64_t g, int64_t row,
            std::vector<double>& to) {
    const auto term = form.terms.find(leaf);
    if (term == form.terms.end()) return;
    const WeightsPart& part = term->second;
    const std::vector<double>& from = matrix(part.matrix);
    const int64_t width = reader_.type(part.matrix).dims[1].value();
    for (int64_t k = 0; k < rows; ++k) {
      const auto first = from.begin() + (part.row + k) * width + part.column;
      std::copy(first, first + cell_.units, to.begin() + k * row + g * cell_.units);
    }
  }
  const std::vector<double>& matrix(ValueId id) {
    auto [at, fresh] = matrices_.try_emplace(id);
    if (fresh)
      at->second =
          constant_doubles(reader_.network().values[static_cast<size_t>(id)]).value_or(at->second);
    return at->second;
  }

  bool lstm() {
    const ir::Op* out = binary(ports_.h_next, ir::BinaryFn::kMul);
    const ir::Op* add = binary(ports_.c_next, ir::BinaryFn::kAdd);
    if (!out || !add) return false;
    for (size_t s = 0; s < 2; ++s) {
      const Activated o = activated(out->inputs[s]), t = activated(out->inputs[1 - s]);
      if (t.of != ports_.c_next || !is_gate(o.act) || !is_state(t.act)) continue;
      for (size_t k = 0; k < 2; ++k) {
        const auto forget = times(add->inputs[k], ports_.c);
        const ir::Op* in = binary(add->inputs[1 - k], ir::BinaryFn::kMul);
        if (!forget || !in) continue;
        const Activated f = activated(*forget);
        for (size_t j = 0; j < 2; ++j) {
          const Activated i = activated(in->inputs[j]), g = activated(in->inputs[1 - j]);
          if (!(f.act == o.act && i.act == o.act && g.act == t.act)) continue;
          const std::vector<const LinearForm*> forms{i.form, f.form, g.form, o.form};
          if (!std::all_of(forms.begin(), forms.end(),
                           [&](const LinearForm* form) { return fits(form, ports_.h); }))
            continue;
          cell_.attrs.fn = ir::RecurrentFn::kLstm;
          cell_.attrs.gate = o.act;
          cell_.attrs.act = t.act;
          take(forms, std::vector<ValueId>(4, ports_.h));
          return true;
        }
      }
    }
    return false;
  }

  // h_next = z h + (1 - z) candidate
  bool gru() {
    const ir::Op* add = binary(ports_.h_next, ir::BinaryFn::kAdd);
    if (!add) return false;
    for (size_t k = 0; k < 2; ++k) {
      const auto keep = times(add->inputs[k], ports_.h);
      const ir::Op* renew = binary(add->inputs[1 - k], ir::BinaryFn::kMul);
      if (!keep || !renew) continue;
      const Activated z = activated(*keep);
      if (!is_gate(z.act) || !fits(z.form, ports_.h)) continue;
      for (size_t j = 0; j < 2; ++j) {
        const ir::Op* rest = binary(renew->inputs[j], ir::BinaryFn::kSub);
        if (!rest || rest->inputs[1] != *keep ||
            scalar_constant(reader_.network().values[static_cast<size_t>(rest->inputs[0])]) != 1.0)
          continue;
        const Activated g = activated(renew->inputs[1 - j]);
        if (is_state(g.act) && (reset_before(z, g) || reset_after(z, g))) return true;
      }
    }
    return false;
  }

  // candidate = act(x W + (r h) U)
  bool reset_before(const Activated& z, const Activated& g) {
    if (!g.form) return false;
    for (const auto& [leaf, weights] : g.form->terms) {
      const auto reset = times(leaf, ports_.h);
      if (leaf == ports_.x || leaf == ports_.h || !reset || !fits(g.form, leaf)) continue;
      const Activated r = activated(*reset);
      if (!(r.act == z.act) || !fits(r.form, ports_.h)) continue;
      found_gru(ir::RecurrentFn::kGru, z, g);
      take({z.form, r.form, g.form}, {ports_.h, ports_.h, leaf});
      return true;
    }
    return false;
  }

  // candidate = act(x W + r (h U + bias))
  bool reset_after(const Activated& z, const Activated& g) {
    const ir::Op* add = g.of == ir::kNoValue ? nullptr : binary(g.of, ir::BinaryFn::kAdd);
    if (!add) return false;
    for (size_t k = 0; k < 2; ++k) {
      const LinearForm* input = reader_.read(add->inputs[k]);
      const ir::Op* mul = binary(add->inputs[1 - k], ir::BinaryFn::kMul);
      if (!fits(input, ports_.x) || !mul) continue;
      for (size_t j = 0; j < 2; ++j) {
        const Activated r = activated(mul->inputs[j]);
        const LinearForm* inner = reader_.read(mul->inputs[1 - j]);
        if (!(r.act == z.act) || !fits(r.form, ports_.h) || !fits(inner, ports_.h) ||
            inner->terms.contains(ports_.x))
          continue;
        found_gru(ir::RecurrentFn::kGruResetAfter, z, g);
        LinearForm both = *input;
        both.terms.insert(inner->terms.begin(), inner->terms.end());
        take({z.form, r.form, &both}, std::vector<ValueId>(3, ports_.h));
        cell_.bias = inner->bias;
        cell_.attrs.has_bias =
            std::any_of(cell_.bias.begin(), cell_.bias.end(), [](double b) { return b != 0; });
        return true;
      }
    }
    return false;
  }

  void found_gru(ir::RecurrentFn fn, const Activated& z, const Activated& g) {
    cell_.attrs.fn = fn;
    cell_.attrs.gate = z.act;
    cell_.attrs.act = g.act;
  }

  bool simple() {
    const Activated g = activated(ports_.h_next);
    if (!is_state(g.act) || !fits(g.form, ports_.h)) return false;
    cell_.attrs.fn = ir::RecurrentFn::kSimple;
    cell_.attrs.act = g.act;
    take({g.form}, {ports_.h});
    return true;
  }

  LinearReader reader_;
  const CellPorts& ports_;
  std::map<ValueId, std::vector<double>> matrices_;
  RecurrentCell cell_;
};

}  // namespace

std::optional<RecurrentCell> match_cell(const ir::Network& body, const CellPorts& ports) {
  for (ValueId id : {ports.x, ports.h}) {
    const ir::TensorType& type = body.values[static_cast<size_t>(id)].type;
    if (type.dtype != DType::kFloat || type.rank() != 2 || !type.dims[1].is_const() ||
        type.dims[1].value() < 1)
      return std::nullopt;
  }
  const auto width = [&](ValueId id) {
    return body.values[static_cast<size_t>(id)].type.dims[1].value();
  };
  const int64_t most = kMaxWeights / 4 / width(ports.h);
  if (width(ports.x) > most || width(ports.h) > most) return std::nullopt;
  return Matcher(body, ports).match();
}

}  // namespace graft::passes
