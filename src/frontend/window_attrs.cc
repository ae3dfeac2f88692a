#include "frontend/window_attrs.h"

#include "base/log.h"

namespace graft::frontend {

namespace {
constexpr int64_t kMaxWindow = int64_t{1} << 31;
}

Result<bool> read_is_nchw(NodeImport& n) {
  GRAFT_ASSIGN_OR_RETURN(const std::string_view format, n.attr_string("data_format", "NHWC"));
  if (format == "NHWC") return false;
  if (format == "NCHW") return true;
  if (format == "NDHWC" || format == "NCDHW" || format == "NCHW_VECT_C" ||
      format == "NHWC_VECT_W" || format == "HWNC" || format == "HWCN")
    return n.refuse("unsupported_attr", "attribute 'data_format' is " + std::string(format) +
                                            ", expected NHWC or NCHW");
  return n.invalid("attribute 'data_format' is '" + printable(format) + "', expected NHWC or NCHW");
}

Result<std::vector<int64_t>> check_hw(NodeImport& n, std::string_view what,
                                      const std::vector<int64_t>& list, bool nchw) {
  const std::string name(what);
  if (list.size() != 4)
    return n.invalid("attribute '" + name + "' has " + std::to_string(list.size()) +
                     " elements, expected 4");
  for (int64_t v : list) {
    if (v <= 0 || v >= kMaxWindow)
      return n.invalid("attribute '" + name + "' has element " + std::to_string(v) +
                       ", expected 1 to 2147483647");
  }
  const size_t h = nchw ? 2 : 1, channel = nchw ? 1 : 3;
  if (list[0] != 1 || list[channel] != 1)
    return n.refuse("unsupported_attr",
                    "attribute '" + name + "' is not 1 in the batch or channel dimension");
  return std::vector<int64_t>{list[h], list[h + 1]};
}

Result<std::vector<int64_t>> read_hw(NodeImport& n, std::string_view attr, bool nchw,
                                     bool required) {
  std::optional<std::vector<int64_t>> fallback;
  if (!required) fallback = std::vector<int64_t>{1, 1, 1, 1};
  GRAFT_ASSIGN_OR_RETURN(const std::vector<int64_t> list, n.attr_ints(attr, fallback));
  return check_hw(n, attr, list, nchw);
}

Status read_padding(NodeImport& n, bool nchw, ir::Padding& padding, std::vector<int64_t>& pads) {
  GRAFT_ASSIGN_OR_RETURN(const std::string_view text, n.attr_string("padding", ""));
  GRAFT_ASSIGN_OR_RETURN(const std::vector<int64_t> list,
                         n.attr_ints("explicit_paddings", std::vector<int64_t>{}));
  pads = {0, 0, 0, 0};
  if (text != "EXPLICIT" && !list.empty())
    return n.invalid("attribute 'explicit_paddings' is given, but 'padding' is '" +
                     printable(text) + "'");
  if (text == "VALID") {
    padding = ir::Padding::kValid;
  } else if (text == "SAME") {
    padding = ir::Padding::kSame;
  } else if (text == "EXPLICIT") {
    padding = ir::Padding::kExplicit;
    if (list.size() != 8)
      return n.invalid("attribute 'explicit_paddings' has " + std::to_string(list.size()) +
                       " elements, expected 8");
    const size_t h = nchw ? 4 : 2;
    for (size_t i = 0; i < 8; ++i) {
      const bool spatial = i >= h && i < h + 4;
      if (list[i] < 0 || list[i] >= kMaxWindow || (!spatial && list[i] != 0))
        return n.invalid("attribute 'explicit_paddings' has element " + std::to_string(list[i]) +
                         " at " + std::to_string(i) +
                         (spatial ? ", expected 0 to 2147483647" : ", expected 0"));
      if (spatial) pads[i - h] = list[i];
    }
  } else {
    return n.invalid("attribute 'padding' is '" + printable(text) +
                     "', expected SAME, VALID or EXPLICIT");
  }
  return ok_status();
}

Result<ir::ValueId> to_nhwc(NodeImport& n, ir::ValueId src, bool nchw) {
  if (!nchw) return src;
  return n.transpose(src, {0, 2, 3, 1});
}

Status output_from_nhwc(NodeImport& n, ir::ValueId value, bool nchw) {
  if (nchw) {
    GRAFT_ASSIGN_OR_RETURN(value, n.transpose(value, {0, 3, 1, 2}));
  }
  n.output(value);
  return ok_status();
}

}  // namespace graft::frontend
