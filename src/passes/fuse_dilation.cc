// fuse_dilation: a convolution between SpaceToBatchND and BatchToSpaceND, as TensorFlow 1 wrote a
// dilated one, becomes one dilated convolution.
//
//   before   s = reshape(transpose(reshape(x)))                       [N b b', H/b, W/b', C]
//            y = reshape(transpose(reshape(conv(s, w, VALID))))
//   after    y = conv(x, w, VALID, dilations {b, b'})
//
// Phase (i, j) of s holds the rows i, i + b, ... and columns j, j + b', ... of x, so a window of
// neighbours there is a window with gaps in x. Only where H and W are numbers: a height that b does
// not divide must stay an error.
#include "passes/editor.h"
#include "passes/passes.h"

namespace graft::passes {

namespace {

// reshape, transpose by perm and reshape that end in `id`; each is read by the next one only.
struct Views {
  ir::ValueId src = ir::kNoValue;
  std::vector<ir::Dim> split;  // dims between the first two
};

std::optional<Views> read_views(Editor& edit, ir::ValueId id, const std::vector<int64_t>& perm) {
  const ir::Op* last = edit.producer_of<ir::ReshapeAttrs>(id);
  if (!last || !edit.single_use(last->inputs[0])) return std::nullopt;
  const ir::Op* moved = edit.producer_of<ir::TransposeAttrs>(last->inputs[0]);
  if (!moved || moved->as<ir::TransposeAttrs>().perm != perm || !edit.single_use(moved->inputs[0]))
    return std::nullopt;
  const ir::Op* first = edit.producer_of<ir::ReshapeAttrs>(moved->inputs[0]);
  if (!first) return std::nullopt;
  return Views{first->inputs[0], edit.type(moved->inputs[0]).dims};
}

bool is_plain(const ir::ConvAttrs& conv) {
  const std::vector<int64_t> ones{1, 1};
  return conv.strides == ones && conv.dilations == ones && !conv.has_residual &&
         (conv.padding == ir::Padding::kValid || (conv.padding == ir::Padding::kExplicit &&
                                                  conv.pads == std::vector<int64_t>{0, 0, 0, 0}));
}

// dims of [N, H, W, C] whose H and W are numbers that b and bw divide.
bool divides(const std::vector<ir::Dim>& dims, int64_t b, int64_t bw) {
  return dims.size() == 4 && dims[1].is_const() && dims[2].is_const() && dims[1].value() % b == 0 &&
         dims[2].value() % bw == 0;
}

void fuse(Editor& edit, size_t i) {
  const ir::Op& joined = edit.op(i);
  if (!joined.get_if<ir::ReshapeAttrs>()) return;
  const ir::ValueId dst = joined.outputs[0];
  const auto after = read_views(edit, dst, {2, 3, 0, 4, 1, 5});
  if (!after || !edit.single_use(after->src)) return;
  const ir::Op* conv = edit.producer_of<ir::ConvAttrs>(after->src);
  if (!conv || !is_plain(conv->as<ir::ConvAttrs>()) || !edit.single_use(conv->inputs[0])) return;
  const auto before = read_views(edit, conv->inputs[0], {2, 4, 0, 1, 3, 5});
  if (!before) return;
  const std::vector<ir::Dim> x = edit.type(before->src).dims, s = edit.type(conv->inputs[0]).dims,
                             y = edit.type(after->src).dims, d = edit.type(dst).dims;
  const ir::Dim b = before->split[2], bw = before->split[4];
  if (!b.is_const() || !bw.is_const() || b.value() < 1 || bw.value() < 1 || x.size() != 4 ||
      !divides(x, b.value(), bw.value()))
    return;
  // The first split is [N, H/b, b, W/b', b', C], joined to [N b b', H/b, W/b', C].
  const ir::Dim h(x[1].value() / b.value()), w(x[2].value() / bw.value());
  if (before->split != std::vector<ir::Dim>{x[0], h, b, w, bw, x[3]}) return;
  ir::DimTable& table = edit.network().dims;
  const ir::Dim images = table.mul(x[0], table.mul(b, bw));
  if (s != std::vector<ir::Dim>{images, h, w, x[3]} || y[0] != images) return;
  // The second is [b, b', N, H', W', C'], joined to [N, H' b, W' b', C'].
  if (after->split != std::vector<ir::Dim>{b, bw, x[0], y[1], y[2], y[3]}) return;
  if (d != std::vector<ir::Dim>{x[0], table.mul(y[1], b), table.mul(y[2], bw), y[3]}) return;
  ir::ConvAttrs attrs = conv->as<ir::ConvAttrs>();
  attrs.dilations = {b.value(), bw.value()};
  std::vector<ir::ValueId> inputs = conv->inputs;
  inputs[0] = before->src;
  edit.become(i, std::move(attrs), std::move(inputs));
}

}  // namespace

Result<bool> fuse_dilation(ir::Network& network, PassContext&) {
  return match_each_op(network, fuse);
}

}  // namespace graft::passes
