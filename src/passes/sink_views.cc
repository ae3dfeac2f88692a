// sink_views: a reshape behind a convolution goes behind the elementwise ops that follow, where the
// later passes make them part of the convolution. Convolutions of volumes end in such a reshape.
//
//   before   y = relu(reshape(conv(x), s) + b)        after   y = reshape(relu(conv(x) + b), s)
//            y = reshape(reshape(x, s), t)                    y = x, of the same shape
//
// The last extent stays the last, so that vectors along it fit before and after.
#include <algorithm>

#include "passes/editor.h"
#include "passes/passes.h"

namespace graft::passes {

namespace {

class Sinker {
 public:
  explicit Sinker(Editor& edit) : edit_(edit) {}

  Status visit(size_t i) {
    const ir::Op& op = edit_.op(i);
    if (op.get_if<ir::ReshapeAttrs>()) {
      undo(i);
      return ok_status();
    }
    if (!op.get_if<ir::UnaryAttrs>() && !op.get_if<ir::BinaryAttrs>() &&
        !op.get_if<ir::AffineAttrs>())
      return ok_status();
    const ir::Op* view = nullptr;
    bool behind_layer = false;
    std::vector<ir::ValueId> inputs;
    for (ir::ValueId id : op.inputs) {
      const ir::Op* reshape = view_of(id, op);
      if (reshape) {
        if (view && edit_.type(reshape->inputs[0]) != edit_.type(view->inputs[0]))
          return ok_status();
        view = reshape;
        behind_layer = behind_layer || is_layer(id);
      } else if (edit_.type(id).rank() > 1) {
        return ok_status();
      }
      inputs.push_back(reshape ? reshape->inputs[0] : id);
    }
    if (!view || !behind_layer) return ok_status();
    const ir::ValueId shape = view->inputs[1];
    const ir::Attrs attrs = op.attrs;
    const std::string name = op.name;
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId y, edit_.add(attrs, std::move(inputs), name));
    edit_.become(i, ir::ReshapeAttrs{}, {y, shape});
    sunk_.push_back(y);
    return ok_status();
  }

 private:
  // A reshape of what was sunk back to what it was.
  void undo(size_t i) {
    const ir::Op& op = edit_.op(i);
    const ir::Op* inner = edit_.producer_of<ir::ReshapeAttrs>(op.inputs[0]);
    if (!inner || !is_sunk(inner->inputs[0]) ||
        edit_.type(inner->inputs[0]) != edit_.type(op.outputs[0]))
      return;
    edit_.replace(op.outputs[0], inner->inputs[0]);
    edit_.kill_if_unused(i);
  }

  // The reshape that makes `id`, if it keeps the last extent and op has its result's shape.
  const ir::Op* view_of(ir::ValueId id, const ir::Op& op) {
    const ir::Op* reshape = edit_.producer_of<ir::ReshapeAttrs>(id);
    if (!reshape || edit_.type(id).dims != edit_.type(op.outputs[0]).dims) return nullptr;
    const auto& before = edit_.type(reshape->inputs[0]).dims;
    const auto& after = edit_.type(id).dims;
    if (before.empty() || after.empty() || before.back() != after.back()) return nullptr;
    return reshape;
  }

  // A reshape, with no other reader, of a convolution or of what was sunk behind one.
  bool is_layer(ir::ValueId id) {
    const ir::ValueId src = edit_.producer_op(id)->inputs[0];
    if (!edit_.single_use(id) || !edit_.single_use(src)) return false;
    return edit_.producer_of<ir::ConvAttrs>(src) || is_sunk(src);
  }

  bool is_sunk(ir::ValueId id) const {
    return std::find(sunk_.begin(), sunk_.end(), id) != sunk_.end();
  }

  Editor& edit_;
  std::vector<ir::ValueId> sunk_;
};

}  // namespace

Result<bool> sink_views(ir::Network& network, PassContext&) {
  Editor edit(network);
  Sinker sinker(edit);
  const size_t count = edit.ops();
  for (size_t i = 0; i < count; ++i) {
    if (edit.alive(i)) GRAFT_RETURN_IF_ERROR(sinker.visit(i));
  }
  edit.finish();
  return edit.changed();
}

}  // namespace graft::passes
