// The passes: one free function each, in the file of its name. A pass returns whether it changed
// the network. It is exact in real arithmetic and target-free; its file's head shows before and
// after.
#pragma once

#include "base/work.h"
#include "ir/network.h"
#include "passes/pipeline.h"

namespace graft::passes {

struct PassContext {
  const PassOptions& options;
  WorkContext& work;
};

using PassFn = Result<bool> (*)(ir::Network& network, PassContext& context);

Result<bool> fold_constants(ir::Network& network, PassContext& context);
Result<bool> fold_shapes(ir::Network& network, PassContext& context);
Result<bool> canonicalize_bodies(ir::Network& network, PassContext& context);
Result<bool> simplify(ir::Network& network, PassContext& context);
Result<bool> merge_common(ir::Network& network, PassContext& context);
Result<bool> drop_broadcasts(ir::Network& network, PassContext& context);
Result<bool> fuse_recurrent(ir::Network& network, PassContext& context);
Result<bool> fuse_layer_norm(ir::Network& network, PassContext& context);
Result<bool> fuse_gelu(ir::Network& network, PassContext& context);
Result<bool> fuse_swish(ir::Network& network, PassContext& context);
Result<bool> bound_fake_quant(ir::Network& network, PassContext& context);
Result<bool> fuse_clip(ir::Network& network, PassContext& context);
Result<bool> fuse_softmax(ir::Network& network, PassContext& context);
Result<bool> fuse_attention(ir::Network& network, PassContext& context);
Result<bool> fuse_dilation(ir::Network& network, PassContext& context);
Result<bool> remove_transposes(ir::Network& network, PassContext& context);
Result<bool> sink_views(ir::Network& network, PassContext& context);
Result<bool> merge_affine(ir::Network& network, PassContext& context);
Result<bool> fold_pad(ir::Network& network, PassContext& context);
Result<bool> fold_affine(ir::Network& network, PassContext& context);
Result<bool> fuse_epilogue(ir::Network& network, PassContext& context);
Result<bool> flatten_matmul(ir::Network& network, PassContext& context);
Result<bool> equalize(ir::Network& network, PassContext& context);
Result<bool> quantize(ir::Network& network, PassContext& context);
Result<bool> fuse_float_activation(ir::Network& network, PassContext& context);

}  // namespace graft::passes
