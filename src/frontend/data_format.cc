// DataFormatVecPermute and DataFormatDimMap, which TensorFlow's layout optimizer writes: vectors of
// one element an axis, and axes, from one data format to another.
#include <algorithm>

#include "base/log.h"
#include "frontend/node_import.h"

namespace graft::frontend {

namespace {

struct Formats {
  std::string src, dst;
};

Status read_formats(NodeImport& n, Formats& f) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  GRAFT_ASSIGN_OR_RETURN(const std::string_view src, n.attr_string("src_format", "NHWC"));
  GRAFT_ASSIGN_OR_RETURN(const std::string_view dst, n.attr_string("dst_format", "NCHW"));
  f = {std::string(src), std::string(dst)};
  std::string a = f.src, b = f.dst;
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  if (a == b && std::adjacent_find(a.begin(), a.end()) == a.end() &&
      (a.size() == 4 || a.size() == 5))
    return ok_status();
  return n.refuse("unsupported_attr", "attributes 'src_format' and 'dst_format' are '" +
                                          printable(src) + "' and '" + printable(dst) +
                                          "', expected 4 or 5 letters and their permutation");
}

// Where each letter of `from` stands in `to`.
ir::ValueId places(NodeImport& n, const std::string& from, const std::string& to) {
  std::vector<int64_t> elems;
  for (char c : from) elems.push_back(static_cast<int64_t>(to.find(c)));
  return n.constant_ints(elems, n.dtype(0));
}

void drop(std::string& format, char c) { std::erase(format, c); }

// [4] or [5], or without the batch and the channels, each perhaps with a second axis of 2.
Status import_vec_permute(NodeImport& n) {
  Formats f;
  GRAFT_RETURN_IF_ERROR(read_formats(n, f));
  if (n.rank(0) != 1 && n.rank(0) != 2)
    return n.invalid("input 0 has rank " + std::to_string(n.rank(0)) + ", expected 1 or 2");
  const ir::Dim rows = n.type(0).dims[0];
  if (!rows.is_const()) return n.refuse("shape", "the extent of input 0 is not known");
  if (rows.value() == static_cast<int64_t>(f.src.size()) - 2) {
    for (char c : {'N', 'C'}) {
      drop(f.src, c);
      drop(f.dst, c);
    }
  }
  if (rows.value() != static_cast<int64_t>(f.src.size()))
    return n.refuse("unsupported_value", "input 0 has " + std::to_string(rows.value()) +
                                             " elements for the format '" + printable(f.src) + "'");
  return n.finish(ir::GatherAttrs{}, {n.in(0), places(n, f.dst, f.src)});
}

Status import_dim_map(NodeImport& n) {
  Formats f;
  GRAFT_RETURN_IF_ERROR(read_formats(n, f));
  const DType t = n.dtype(0);
  const auto rank = static_cast<int64_t>(f.src.size());
  using ir::BinaryFn;
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId negative,
                         n.emit(ir::BinaryAttrs{BinaryFn::kLess}, {n.in(0), n.constant_int(0, t)}));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId from_end, n.emit(ir::BinaryAttrs{BinaryFn::kAdd},
                                                            {n.in(0), n.constant_int(rank, t)}));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId axis,
                         n.emit(ir::SelectAttrs{}, {negative, from_end, n.in(0)}));
  return n.finish(ir::GatherAttrs{}, {places(n, f.src, f.dst), axis});
}

constexpr OpEntry kRows[] = {
    {"DataFormatVecPermute", import_vec_permute, 1, 1},
    {"DataFormatDimMap", import_dim_map, 1, 1},
};

}  // namespace

std::span<const OpEntry> data_format_ops() { return kRows; }

}  // namespace graft::frontend
