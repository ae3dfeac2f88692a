// Einsum of one or two operands. Labels of one operand that are not in the result are summed over
// first. Then labels fall into batch (in both and the result), contracted (in both only) and free
// ones; the operands become [batch..., M..., K] and [batch..., K, N] of one MatMul by transposes
// and reshapes, or factors of a product where nothing is contracted.
#include "frontend/einsum_equation.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "base/dtype.h"
#include "base/log.h"
#include "frontend/compose.h"
#include "frontend/node_import.h"

namespace graft::frontend {

namespace {

// Axis `index` of tensor `of`.
struct Axis {
  ir::ValueId of;
  size_t index;
};
using Group = std::vector<Axis>;  // the axes that one extent is the product of; none: 1

class EinsumImport {
 public:
  EinsumImport(NodeImport& n, EinsumEquation e) : n_(n), e_(std::move(e)), labels_(classify(e_)) {}

  Status run() {
    for (size_t i = 0; i < e_.operands.size(); ++i) {
      GRAFT_ASSIGN_OR_RETURN(const ir::ValueId v, summed(n_.in(i), i));
      values_.push_back(v);
    }
    GRAFT_RETURN_IF_ERROR(same_extents());
    ir::ValueId y = values_[0];
    std::string order = e_.operands[0];
    if (values_.size() > 1) {
      order = labels_.batch + labels_.rows + labels_.cols;
      if (labels_.contracted.empty()) {
        GRAFT_ASSIGN_OR_RETURN(y, product());
      } else {
        GRAFT_ASSIGN_OR_RETURN(y, contraction());
      }
    }
    GRAFT_ASSIGN_OR_RETURN(y, permute(y, order, e_.out));
    n_.output(y);
    return ok_status();
  }

 private:
  // Operand i without the labels that only it has.
  Result<ir::ValueId> summed(ir::ValueId src, size_t i) {
    if (labels_.sums[i].empty()) return src;
    std::string& labels = e_.operands[i];
    std::vector<int64_t> axes;
    std::string left;
    for (size_t k = 0; k < labels.size(); ++k) {
      if (labels_.sums[i].find(labels[k]) == std::string::npos)
        left += labels[k];
      else
        axes.push_back(static_cast<int64_t>(k));
    }
    labels = left;
    return n_.emit(ir::ReduceAttrs{ir::ReduceFn::kSum, axes, false}, {src});
  }

  // Labels broadcast only in an ellipsis. Where one of two extents is not known it is checked.
  Status same_extents() {
    for (const char c : labels_.batch + labels_.contracted) {
      if (is_ellipsis_label(c)) continue;
      for (size_t i = 0; i < 2; ++i) {
        const Axis here = axis(c, i);
        const ir::Dim d = dim(here), other = dim(axis(c, 1 - i));
        if (d == other || !other.is_const()) continue;
        if (d.is_const())
          return n_.invalid("a label of the equation stands for " + std::to_string(d.value()) +
                            " and " + std::to_string(other.value()) + " elements");
        GRAFT_ASSIGN_OR_RETURN(
            values_[i], n_.emit(ir::SplitAttrs{static_cast<int64_t>(here.index), {other.value()}},
                                {values_[i]}));
      }
    }
    return ok_status();
  }

  Result<ir::ValueId> product() {
    std::array<ir::ValueId, 2> factors;
    for (size_t i = 0; i < 2; ++i) {
      const std::string& own = i == 0 ? labels_.rows : labels_.cols;
      const std::string order = labels_.batch + own;
      GRAFT_ASSIGN_OR_RETURN(const ir::ValueId v, permute(values_[i], e_.operands[i], order));
      // Ones for the axes of the other, where leading ones would not come by broadcasting.
      std::vector<Group> groups(labels_.batch.size());
      for (size_t k = 0; k < groups.size(); ++k) groups[k] = {{v, k}};
      if (i == 1) groups.resize(groups.size() + labels_.rows.size());
      for (size_t k = 0; k < own.size(); ++k) groups.push_back({{v, labels_.batch.size() + k}});
      if (i == 0) groups.resize(groups.size() + labels_.cols.size());
      const bool leading = labels_.batch.empty() && i == 1;
      if (groups.size() == order.size() || leading) {
        factors[i] = v;
      } else {
        GRAFT_ASSIGN_OR_RETURN(factors[i], reshape_to(v, groups));
      }
    }
    return n_.emit(ir::BinaryAttrs{ir::BinaryFn::kMul}, {factors[0], factors[1]});
  }

  Result<ir::ValueId> contraction() {
    const auto& [batch, contracted, rows, cols, sums] = labels_;
    GRAFT_ASSIGN_OR_RETURN(ir::ValueId a,
                           permute(values_[0], e_.operands[0], batch + rows + contracted));
    GRAFT_ASSIGN_OR_RETURN(ir::ValueId b,
                           permute(values_[1], e_.operands[1], batch + contracted + cols));
    // Rows of a stay apart where b has no batch: MatMul takes any number of leading dims.
    const bool keep_rows = batch.empty() && !rows.empty();
    const size_t lead = keep_rows ? rows.size() : batch.size();
    GRAFT_ASSIGN_OR_RETURN(a,
                           merge(a, lead,
                                 keep_rows ? std::vector<size_t>{contracted.size()}
                                           : std::vector<size_t>{rows.size(), contracted.size()}));
    GRAFT_ASSIGN_OR_RETURN(b, merge(b, batch.size(), {contracted.size(), cols.size()}));
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId y, n_.emit(ir::MatMulAttrs{}, {a, b}));
    if ((keep_rows || rows.size() == 1) && cols.size() == 1) return y;
    std::vector<Group> groups;
    for (size_t i = 0; i < lead; ++i) groups.push_back({{y, i}});
    for (const char c : keep_rows ? std::string() : rows) groups.push_back({axis(c, 0)});
    for (const char c : cols) groups.push_back({axis(c, 1)});
    return reshape_to(y, groups);
  }

  // src with its `lead` axes first and the others in groups of the given sizes.
  Result<ir::ValueId> merge(ir::ValueId src, size_t lead, const std::vector<size_t>& sizes) {
    if (std::all_of(sizes.begin(), sizes.end(), [](size_t size) { return size == 1; })) return src;
    std::vector<Group> groups;
    size_t next = 0;
    for (; next < lead; ++next) groups.push_back({{src, next}});
    for (const size_t size : sizes) {
      groups.emplace_back();
      for (size_t i = 0; i < size; ++i) groups.back().push_back({src, next++});
    }
    return reshape_to(src, groups);
  }

  Axis axis(char label, size_t operand) const {
    return {values_[operand], e_.operands[operand].find(label)};
  }
  ir::Dim dim(const Axis& a) const { return n_.at(a.of).type.dims[a.index]; }

  Result<ir::ValueId> permute(ir::ValueId src, const std::string& from, const std::string& to) {
    if (from == to) return src;
    std::vector<int64_t> perm;
    for (const char c : to) perm.push_back(static_cast<int64_t>(from.find(c)));
    return n_.transpose(src, perm);
  }

  // The extent of a group; absent: not known.
  std::optional<int64_t> extent(const Group& group) const {
    int64_t result = 1;
    for (const Axis& a : group) {
      const ir::Dim d = dim(a);
      if (!d.is_const() || __builtin_mul_overflow(result, d.value(), &result)) return std::nullopt;
    }
    return result;
  }

  // One extent that is not known is -1, unless there are no elements to tell it by.
  Result<ir::ValueId> reshape_to(ir::ValueId src, const std::vector<Group>& groups) {
    std::vector<int64_t> dims;
    for (const Group& group : groups) dims.push_back(extent(group).value_or(-1));
    const auto open = std::count(dims.begin(), dims.end(), -1);
    if (open == 0 || (open == 1 && std::count(dims.begin(), dims.end(), 0) == 0))
      return n_.reshape(src, dims);
    std::vector<ir::ValueId> parts;
    for (size_t i = 0; i < groups.size(); ++i) {
      if (dims[i] >= 0) {
        parts.push_back(n_.constant_ints({dims[i]}, DType::kInt64));
        continue;
      }
      GRAFT_ASSIGN_OR_RETURN(const ir::ValueId part, extent_operand(groups[i]));
      parts.push_back(part);
    }
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId shape, n_.emit(ir::ConcatAttrs{0}, std::move(parts)));
    return n_.emit(ir::ReshapeAttrs{}, {src, shape});
  }

  // The extent of a group as int64 [1].
  Result<ir::ValueId> extent_operand(const Group& group) {
    ir::ValueId result = ir::kNoValue;
    for (const Axis& a : group) {
      GRAFT_ASSIGN_OR_RETURN(const ir::ValueId shape,
                             n_.emit(ir::ShapeAttrs{DType::kInt64}, {a.of}));
      const auto at = static_cast<int64_t>(a.index);
      GRAFT_ASSIGN_OR_RETURN(const ir::ValueId part, slice_by(n_, shape, {{at, at + 1}}));
      if (result == ir::kNoValue) {
        result = part;
        continue;
      }
      GRAFT_ASSIGN_OR_RETURN(result, n_.emit(ir::BinaryAttrs{ir::BinaryFn::kMul}, {result, part}));
    }
    return result;
  }

  NodeImport& n_;
  EinsumEquation e_;
  EinsumLabels labels_;
  std::vector<ir::ValueId> values_;
};

Status import_einsum(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_types("T", 0, n.inputs()));
  GRAFT_ASSIGN_OR_RETURN(const int64_t count, n.attr_int("N"));
  if (count != static_cast<int64_t>(n.inputs()))
    return n.invalid("attribute 'N' is " + std::to_string(count) + ", the node has " +
                     std::to_string(n.inputs()) + " inputs");
  GRAFT_ASSIGN_OR_RETURN(const std::string_view text, n.attr_string("equation", ""));
  GRAFT_RETURN_IF_ERROR(n.require_floating(0));
  std::vector<int> ranks;
  for (size_t i = 0; i < n.inputs(); ++i) ranks.push_back(n.rank(i));
  EinsumProblem problem;
  auto equation = parse_einsum(text, ranks, problem);
  if (problem.invalid) return n.invalid(problem.text);
  if (!equation)
    return n.refuse("unsupported_attr",
                    "attribute 'equation' is '" + printable(text) +
                        "', expected one or two operands of distinct letters, all of the "
                        "result's among them");
  return EinsumImport(n, std::move(*equation)).run();
}

constexpr OpEntry kRows[] = {{"Einsum", import_einsum, 1, -1}};

}  // namespace

std::span<const OpEntry> einsum_ops() { return kRows; }

}  // namespace graft::frontend
