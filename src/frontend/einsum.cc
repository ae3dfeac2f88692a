// Einsum of two operands: labels fall into batch (in both and the result), contracted (in both
// only) and free ones; the operands become [batch..., M..., K] and [batch..., K, N] of one MatMul
// by transposes and reshapes.
#include <algorithm>
#include <optional>
#include <string>

#include "base/dtype.h"
#include "base/log.h"
#include "frontend/node_import.h"

namespace graft::frontend {

namespace {

struct Equation {
  std::string a, b, out;
};

std::optional<Equation> parse(std::string_view text) {
  std::string s;
  for (char c : text) {
    if (c != ' ') s += c;
  }
  const size_t comma = s.find(','), arrow = s.find("->");
  if (comma == std::string::npos || arrow == std::string::npos || comma > arrow)
    return std::nullopt;
  Equation e{s.substr(0, comma), s.substr(comma + 1, arrow - comma - 1), s.substr(arrow + 2)};
  for (const std::string* labels : {&e.a, &e.b, &e.out}) {
    for (size_t i = 0; i < labels->size(); ++i) {
      const char c = (*labels)[i];
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (!letter || labels->find(c, i + 1) != std::string::npos) return std::nullopt;
    }
  }
  return e;
}

bool in(const std::string& labels, char c) { return labels.find(c) != std::string::npos; }

class EinsumImport {
 public:
  EinsumImport(NodeImport& n, Equation e) : n_(n), e_(std::move(e)) {}

  Status run() {
    if (e_.a.size() != static_cast<size_t>(n_.rank(0)) ||
        e_.b.size() != static_cast<size_t>(n_.rank(1)))
      return n_.invalid("the equation has " + std::to_string(e_.a.size()) + " and " +
                        std::to_string(e_.b.size()) + " labels, the inputs have ranks " +
                        std::to_string(n_.rank(0)) + " and " + std::to_string(n_.rank(1)));
    if (!classify())
      return n_.refuse("unsupported_value",
                       "attribute 'equation' sums a label over one operand only");
    if (contracted_.empty())
      return n_.refuse("unsupported_value", "attribute 'equation' contracts no label");
    GRAFT_ASSIGN_OR_RETURN(ir::ValueId a, permute(n_.in(0), e_.a, batch_ + rows_ + contracted_));
    GRAFT_ASSIGN_OR_RETURN(ir::ValueId b, permute(n_.in(1), e_.b, batch_ + contracted_ + cols_));
    // Rows of a stay apart where b has no batch: MatMul takes any number of leading dims.
    const bool keep_rows = batch_.empty() && !rows_.empty();
    const std::string rows = keep_rows ? "" : rows_;
    const std::string lead = keep_rows ? rows_ : batch_;
    GRAFT_ASSIGN_OR_RETURN(a, merge(a, 0, batch_ + rows_ + contracted_, lead,
                                    keep_rows ? std::vector<std::string>{contracted_}
                                              : std::vector<std::string>{rows, contracted_}));
    GRAFT_ASSIGN_OR_RETURN(b,
                           merge(b, 1, batch_ + contracted_ + cols_, batch_, {contracted_, cols_}));
    GRAFT_ASSIGN_OR_RETURN(ir::ValueId y, n_.emit(ir::MatMulAttrs{}, {a, b}));
    GRAFT_ASSIGN_OR_RETURN(y, split(y, batch_ + rows_ + cols_, keep_rows));
    GRAFT_ASSIGN_OR_RETURN(y, permute(y, batch_ + rows_ + cols_, e_.out));
    n_.output(y);
    return ok_status();
  }

 private:
  bool classify() {
    for (char c : e_.a) {
      if (in(e_.b, c))
        (in(e_.out, c) ? batch_ : contracted_) += c;
      else if (in(e_.out, c))
        rows_ += c;
      else
        return false;
    }
    for (char c : e_.b) {
      if (in(e_.a, c)) continue;
      if (!in(e_.out, c)) return false;
      cols_ += c;
    }
    return e_.out.size() == batch_.size() + rows_.size() + cols_.size();
  }

  ir::Dim dim(char label) const {
    const size_t a = e_.a.find(label);
    return a != std::string::npos ? n_.type(0).dims[a] : n_.type(1).dims[e_.b.find(label)];
  }

  Result<ir::ValueId> permute(ir::ValueId src, const std::string& from, const std::string& to) {
    if (from == to) return src;
    std::vector<int64_t> perm;
    for (char c : to) perm.push_back(static_cast<int64_t>(from.find(c)));
    return n_.transpose(src, perm);
  }

  // Product of the labels' extents; -1: not known.
  int64_t extent(const std::string& labels) const {
    int64_t product = 1;
    for (char c : labels) {
      const ir::Dim d = dim(c);
      if (!d.is_const() || __builtin_mul_overflow(product, d.value(), &product)) return -1;
    }
    return product;
  }

  Result<ir::ValueId> reshape_to(ir::ValueId src, const std::vector<int64_t>& dims) {
    if (std::count(dims.begin(), dims.end(), -1) > 1)
      return n_.refuse("shape", "more than one extent of the inputs is not known");
    if (std::count(dims.begin(), dims.end(), 0) > 0)
      return n_.refuse("shape", "an extent of the inputs is 0");
    return n_.reshape(src, dims);
  }

  Result<ir::ValueId> merge(ir::ValueId src, size_t, const std::string& labels,
                            const std::string& lead, const std::vector<std::string>& groups) {
    bool same = lead.size() + groups.size() == labels.size();
    for (const std::string& g : groups) same = same && g.size() == 1;
    if (same) return src;
    std::vector<int64_t> dims;
    for (char c : lead) dims.push_back(extent(std::string(1, c)));
    for (const std::string& g : groups) dims.push_back(extent(g));
    return reshape_to(src, dims);
  }

  Result<ir::ValueId> split(ir::ValueId y, const std::string& labels, bool keep_rows) {
    if ((keep_rows || rows_.size() == 1) && cols_.size() == 1) return y;
    std::vector<int64_t> dims;
    for (char c : labels) dims.push_back(extent(std::string(1, c)));
    return reshape_to(y, dims);
  }

  NodeImport& n_;
  Equation e_;
  std::string batch_, rows_, cols_, contracted_;
};

Status import_einsum(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_types("T", 0, n.inputs()));
  GRAFT_ASSIGN_OR_RETURN(const int64_t count, n.attr_int("N"));
  if (count != static_cast<int64_t>(n.inputs()))
    return n.invalid("attribute 'N' is " + std::to_string(count) + ", the node has " +
                     std::to_string(n.inputs()) + " inputs");
  GRAFT_ASSIGN_OR_RETURN(const std::string_view text, n.attr_string("equation", ""));
  GRAFT_RETURN_IF_ERROR(n.require_floating(0));
  auto equation = parse(text);
  if (!equation || n.inputs() != 2)
    return n.refuse("unsupported_attr", "attribute 'equation' is '" + printable(text) +
                                            "', expected two operands of distinct letters");
  return EinsumImport(n, std::move(*equation)).run();
}

constexpr OpEntry kRows[] = {{"Einsum", import_einsum, 1, -1}};

}  // namespace

std::span<const OpEntry> einsum_ops() { return kRows; }

}  // namespace graft::frontend
