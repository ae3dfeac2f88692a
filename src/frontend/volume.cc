#include "frontend/volume.h"

#include "base/checked.h"
#include "base/log.h"
#include "frontend/compose.h"

namespace graft::frontend {

Result<bool> read_is_ncdhw(NodeImport& n) {
  GRAFT_ASSIGN_OR_RETURN(const std::string_view format, n.attr_string("data_format", "NDHWC"));
  if (format == "NDHWC") return false;
  if (format == "NCDHW") return true;
  return n.invalid("attribute 'data_format' is '" + printable(format) +
                   "', expected NDHWC or NCDHW");
}

Result<std::array<int64_t, 3>> read_dhw(NodeImport& n, std::string_view attr, bool ncdhw,
                                        bool required) {
  const std::string name(attr);
  std::optional<std::vector<int64_t>> fallback;
  if (!required) fallback = std::vector<int64_t>(5, 1);
  GRAFT_ASSIGN_OR_RETURN(const std::vector<int64_t> list, n.attr_ints(attr, fallback));
  if (list.size() != 5)
    return n.invalid("attribute '" + name + "' has " + std::to_string(list.size()) +
                     " elements, expected 5");
  for (int64_t v : list) {
    if (v <= 0 || v > INT32_MAX)
      return n.invalid("attribute '" + name + "' has element " + std::to_string(v) +
                       ", expected 1 to 2147483647");
  }
  const size_t d = ncdhw ? 2 : 1, channel = ncdhw ? 1 : 4;
  if (list[0] != 1 || list[channel] != 1)
    return n.refuse("unsupported_attr",
                    "attribute '" + name + "' is not 1 in the batch or channel dimension");
  return std::array<int64_t, 3>{list[d], list[d + 1], list[d + 2]};
}

Result<ir::Padding> read_volume_padding(NodeImport& n) {
  GRAFT_ASSIGN_OR_RETURN(const std::string_view text, n.attr_string("padding", ""));
  if (text == "SAME") return ir::Padding::kSame;
  if (text == "VALID") return ir::Padding::kValid;
  return n.invalid("attribute 'padding' is '" + printable(text) + "', expected SAME or VALID");
}

Result<ir::ValueId> to_ndhwc(NodeImport& n, ir::ValueId src, bool ncdhw) {
  if (!ncdhw) return src;
  return n.transpose(src, {0, 2, 3, 4, 1});
}

Status output_from_ndhwc(NodeImport& n, ir::ValueId value, bool ncdhw) {
  if (ncdhw) {
    GRAFT_ASSIGN_OR_RETURN(value, n.transpose(value, {0, 4, 1, 2, 3}));
  }
  n.output(value);
  return ok_status();
}

Result<ir::ValueId> extents_of(NodeImport& n, ir::ValueId src, int first, int last, bool product) {
  const std::vector<ir::Dim> dims = n.at(src).type.dims;
  std::vector<int64_t> known;
  int64_t all = 1;
  for (int i = first; i < last; ++i) {
    const ir::Dim d = dims[static_cast<size_t>(i)];
    if (!d.is_const()) break;
    known.push_back(d.value());
    const auto next = checked_mul(all, d.value());
    if (!next)
      return n.refuse("shape", "the extents of input 0 multiply to more than 64 bits hold");
    all = *next;
  }
  if (static_cast<int>(known.size()) == last - first)
    return n.constant_ints(product ? std::vector<int64_t>{all} : known, DType::kInt64);
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId shape, n.emit(ir::ShapeAttrs{DType::kInt64}, {src}));
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId part, slice_by(n, shape, {{first, last}}));
  if (!product || last - first == 1) return part;
  return n.emit(ir::ReduceAttrs{ir::ReduceFn::kProd, {0}, true}, {part});
}

Result<ir::ValueId> reshape_to(NodeImport& n, ir::ValueId src,
                               const std::vector<ir::ValueId>& parts) {
  std::vector<int64_t> known;
  bool all = true;
  for (ir::ValueId part : parts) {
    for (ir::Dim d : *n.at(part).host) {
      all = all && d.is_const();
      if (all) known.push_back(d.value());
    }
  }
  if (all) return n.emit(ir::ReshapeAttrs{}, {src, n.constant_ints(known, DType::kInt64)});
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId shape, n.emit(ir::ConcatAttrs{0}, parts));
  return n.emit(ir::ReshapeAttrs{}, {src, shape});
}

Result<ir::ValueId> join_axes(NodeImport& n, ir::ValueId src, int first) {
  const int rank = n.at(src).type.rank();
  std::vector<ir::ValueId> parts;
  if (first > 0) {
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId front, extents_of(n, src, 0, first));
    parts.push_back(front);
  }
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId joined, extents_of(n, src, first, first + 2, true));
  parts.push_back(joined);
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId back, extents_of(n, src, first + 2, rank));
  parts.push_back(back);
  return reshape_to(n, src, parts);
}

Result<ir::ValueId> split_axis(NodeImport& n, ir::ValueId src, int axis, ir::ValueId like,
                               int from) {
  const int rank = n.at(src).type.rank();
  std::vector<ir::ValueId> parts;
  if (axis > 0) {
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId front, extents_of(n, src, 0, axis));
    parts.push_back(front);
  }
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId two, extents_of(n, like, from, from + 2));
  parts.push_back(two);
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId back, extents_of(n, src, axis + 1, rank));
  parts.push_back(back);
  return reshape_to(n, src, parts);
}

Status check_depth_taps(NodeImport& n, int64_t taps) {
  if (taps <= kMaxDepthTaps) return ok_status();
  return n.refuse("unsupported_value", "the window (attribute 'ksize', or the filter) is " +
                                           std::to_string(taps) + " deep, at most " +
                                           std::to_string(kMaxDepthTaps) + " is supported");
}

Result<ir::ValueId> depth_taps(NodeImport& n, ir::ValueId src, int64_t taps, int64_t stride,
                               int64_t dilation) {
  if (taps == 1 && stride == 1) return src;
  // Tap t ends as far before the end as it begins after the last tap's beginning, so that all have
  // (D - reach) / stride positions, rounded up, for any D.
  const int64_t reach = (taps - 1) * dilation;
  std::vector<ir::ValueId> parts;
  for (int64_t t = 0; t < taps; ++t) {
    AxisRange range{t * dilation, t * dilation - reach, stride};
    if (t == 0) range.begin.reset();
    if (t == taps - 1) range.end.reset();
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId part, slice_by(n, src, {{}, range, {}, {}, {}}));
    parts.push_back(part);
  }
  if (taps == 1) return parts[0];
  return n.emit(ir::ConcatAttrs{4}, std::move(parts));
}

}  // namespace graft::frontend
