// flatten_matmul: views around a matrix product with one matrix disappear, since the product takes
// any leading dims.
//
//   before   y = reshape(matmul(reshape(x [b,s,k], {-1,k}), w [k,n]), {b,s,n})      after   y =
//   matmul(x, w)
#include <algorithm>

#include "passes/editor.h"
#include "passes/passes.h"

namespace graft::passes {

namespace {

bool is_view(const ir::Op& op) {
  return op.get_if<ir::ReshapeAttrs>() || op.get_if<ir::ExpandDimsAttrs>() ||
         op.get_if<ir::SqueezeAttrs>();
}

void match(Editor& edit, size_t i) {
  if (!is_view(edit.op(i))) return;
  const ir::ValueId product = edit.op(i).inputs[0];
  const ir::Op* matmul = edit.producer_of<ir::MatMulAttrs>(product);
  if (!matmul || !edit.single_use(product)) return;
  const auto& attrs = matmul->as<ir::MatMulAttrs>();
  if (attrs.transpose_a || attrs.has_residual || edit.type(matmul->inputs[1]).rank() != 2) return;
  const ir::Op* view = edit.producer_op(matmul->inputs[0]);
  if (!view || !is_view(*view)) return;
  const std::vector<ir::Dim>&src = edit.type(view->inputs[0]).dims,
        &flat = edit.type(matmul->inputs[0]).dims, &dst = edit.type(edit.op(i).outputs[0]).dims,
        &made = edit.type(product).dims;
  if (src.size() < 2 || src.size() != dst.size() || src.back() != flat.back() ||
      dst.back() != made.back())
    return;
  if (!std::equal(src.begin(), src.end() - 1, dst.begin())) return;
  std::vector<ir::ValueId> inputs = matmul->inputs;
  inputs[0] = view->inputs[0];
  const auto old = static_cast<size_t>(edit.producer(product));
  edit.rewrite(i, attrs, std::move(inputs));
  edit.kill_if_unused(old);
}

}  // namespace

Result<bool> flatten_matmul(ir::Network& network, PassContext&) {
  Editor edit(network);
  for (size_t i = 0; i < edit.ops(); ++i) {
    if (edit.alive(i)) match(edit, i);
  }
  edit.finish();
  return edit.changed();
}

}  // namespace graft::passes
