// ExtractImagePatches: the taps of a window side by side in the channels, as strided slices; a
// transpose where the windows do not overlap.
#include "frontend/compose.h"
#include "frontend/window_attrs.h"
#include "ir/infer.h"

namespace graft::frontend {

namespace {

constexpr int64_t kMaxTaps = 256;

// Windows that lie side by side: their rows and columns as axes of their own, in another order.
Status finish_tiles(NodeImport& n, ir::ValueId x, const std::vector<int64_t>& k,
                    const int64_t (&rows)[2]) {
  const int64_t h = rows[0] * k[0], w = rows[1] * k[1];
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId whole, slice_by(n, x, {{}, {0, h}, {0, w}, {}}));
  const auto number = Extent::number;
  GRAFT_ASSIGN_OR_RETURN(ir::ValueId y, reshape_by(n, whole, whole,
                                                   {Extent::of(0), number(rows[0]), number(k[0]),
                                                    number(rows[1]), number(k[1]), Extent::of(3)}));
  GRAFT_ASSIGN_OR_RETURN(y, n.transpose(y, {0, 1, 3, 2, 4, 5}));
  GRAFT_ASSIGN_OR_RETURN(
      y, reshape_by(n, y, whole,
                    {Extent::of(0), number(rows[0]), number(rows[1]), Extent::of(3, k[0] * k[1])}));
  n.output(y);
  return ok_status();
}

Status import_patches(NodeImport& n) {
  GRAFT_RETURN_IF_ERROR(n.check_type("T", {0}));
  GRAFT_ASSIGN_OR_RETURN(const std::vector<int64_t> ksize, read_hw(n, "ksizes", false, true));
  GRAFT_ASSIGN_OR_RETURN(const std::vector<int64_t> strides, read_hw(n, "strides", false, true));
  GRAFT_ASSIGN_OR_RETURN(const std::vector<int64_t> rates, read_hw(n, "rates", false, true));
  ir::Padding padding = ir::Padding::kValid;
  std::vector<int64_t> pads;
  GRAFT_RETURN_IF_ERROR(read_padding(n, false, padding, pads));
  if (padding == ir::Padding::kExplicit)
    return n.invalid("attribute 'padding' is EXPLICIT, expected SAME or VALID");
  if (n.rank(0) != 4)
    return n.invalid("input 0 has rank " + std::to_string(n.rank(0)) + ", expected 4");
  if (ksize[0] > kMaxTaps || ksize[1] > kMaxTaps || ksize[0] * ksize[1] > kMaxTaps)
    return n.refuse("unsupported_attr", "attribute 'ksizes' makes windows of more than " +
                                            std::to_string(kMaxTaps) + " elements");
  std::vector<std::pair<int64_t, int64_t>> border(4);
  int64_t rows[2];
  for (size_t i = 0; i < 2; ++i) {
    const ir::Dim d = n.type(0).dims[i + 1];
    if (!d.is_const()) return n.refuse("shape", "the height and width of input 0 are not known");
    auto window = ir::window(d, ksize[i], strides[i], rates[i], padding, 0, 0, n.network().dims);
    if (!window.ok()) return n.invalid(window.status().message());
    border[i + 1] = {window->pad_before.value(), window->pad_after.value()};
    rows[i] = window->out.value();
  }
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId x, pad_by(n, n.in(0), border));
  const bool tiles = strides == ksize && rates == std::vector<int64_t>{1, 1};
  if (tiles && rows[0] > 0 && rows[1] > 0) return finish_tiles(n, x, ksize, rows);
  const auto tap = [&](size_t i, int64_t t) {
    const int64_t begin = t * rates[i];
    return AxisRange{begin, rows[i] > 0 ? begin + (rows[i] - 1) * strides[i] + 1 : begin,
                     strides[i]};
  };
  std::vector<ir::ValueId> taps;
  for (int64_t h = 0; h < ksize[0]; ++h) {
    for (int64_t w = 0; w < ksize[1]; ++w) {
      GRAFT_ASSIGN_OR_RETURN(const ir::ValueId part,
                             slice_by(n, x, {{}, tap(0, h), tap(1, w), {}}));
      taps.push_back(part);
    }
  }
  if (taps.size() == 1) {
    n.output(taps[0]);
    return ok_status();
  }
  return n.finish(ir::ConcatAttrs{3}, std::move(taps));
}

constexpr OpEntry kRows[] = {{"ExtractImagePatches", import_patches, 1, 1}};

}  // namespace

std::span<const OpEntry> patch_ops() { return kRows; }

}  // namespace graft::frontend
