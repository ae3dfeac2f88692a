// The page that lists the passes, with the reason for each one's place, and the runner.
#include "passes/pipeline.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <span>

#include "base/file_io.h"
#include "ir/verify.h"
#include "passes/passes.h"

namespace graft::passes {

namespace {

struct Pass {
  const char* name;
  PassFn fn;
};

constexpr Pass kPasses[] = {
    // First, so that every later pattern sees constants where weights are computed from weights
    // (Keras BatchNorm).
    {"fold_constants", fold_constants},
    // Shape arithmetic that is known becomes constant operands; after folding, which knows more of
    // them.
    {"fold_shapes", fold_shapes},
    // Networks within ops, each with this pipeline of its own.
    {"canonicalize_bodies", canonicalize_bodies},
    // Views and casts that do nothing hide patterns; shape operands are constants by now.
    {"simplify", simplify},
    // Equal subexpressions (mean computed twice) must be one value before patterns compare leaves.
    {"merge_common", merge_common},
    // Fewer operands that only look like tensors; needs shape operands as values, so after the
    // shapes.
    {"drop_broadcasts", drop_broadcasts},
    // Loops whose bodies are canonical; before the patterns of products, of which it puts one in
    // front of them.
    {"fuse_recurrent", fuse_recurrent},
    // Patterns over elementwise ops, before scalar factors are taken into affine ops.
    {"fuse_layer_norm", fuse_layer_norm},
    {"fuse_gelu", fuse_gelu},
    {"fuse_swish", fuse_swish},
    // Its clips and relus are activations of the layers before them.
    {"bound_fake_quant", bound_fake_quant},
    {"fuse_clip", fuse_clip},
    {"fuse_softmax", fuse_softmax},
    // Needs softmax as one op; writes transposes that meet those of the heads and cancel in the
    // next pass.
    {"fuse_attention", fuse_attention},
    // Before transposes are moved out of its pattern and borders into the convolutions.
    {"fuse_dilation", fuse_dilation},
    // NCHW networks become NHWC before weights are looked at.
    {"remove_transposes", remove_transposes},
    {"fold_pad", fold_pad},
    // Views between a convolution and what the next passes make part of it.
    {"sink_views", sink_views},
    // What is left of per-channel arithmetic becomes affine ops, and then part of the weights
    // before it.
    {"merge_affine", merge_affine},
    {"fold_affine", fold_affine},
    // After the weights have their bias: activation and residual belong behind them.
    {"fuse_epilogue", fuse_epilogue},
    // Views that the fusions have left without a purpose.
    {"flatten_matmul", flatten_matmul},
    // For INT8, once weights are final: calibration must see the channels as they will be.
    {"equalize", equalize},
    // With calibrated ranges: INT8, once every pattern is one op and every weight is final.
    {"quantize", quantize},
    {"fuse_float_activation", fuse_float_activation},
};
constexpr size_t kInt8Passes = 2;  // the last ones

Status check_names(const PassOptions& options) {
  const std::vector<std::string> names = pass_names();
  for (const std::string& name : options.disabled) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    std::string list;
    for (const std::string& n : names) list += (list.empty() ? "" : ", ") + n;
    return invalid_argument("there is no pass '" + name + "'; passes are " + list);
  }
  return ok_status();
}

Status dump(const ir::Network& network, const PassOptions& options, size_t number,
            const char* name) {
  char prefix[16];
  std::snprintf(prefix, sizeof prefix, "%02zu_", number);
  const std::string text = ir::print(network);
  return write_file_atomic(options.dump_dir + "/" + prefix + name + ".txt",
                           std::as_bytes(std::span<const char>(text.data(), text.size())));
}

Status run_passes(ir::Network& network, size_t first, const PassOptions& options, WorkContext& work,
                  std::vector<PassRecord>* records) {
  GRAFT_RETURN_IF_ERROR(check_names(options));
  PassContext context{options, work};
  size_t number = first;
  for (const Pass& pass : std::span(kPasses).subspan(first)) {
    ++number;
    PassRecord record{pass.name, false, false, 0, static_cast<int64_t>(network.ops.size()), 0};
    record.disabled = std::find(options.disabled.begin(), options.disabled.end(), pass.name) !=
                      options.disabled.end();
    if (!record.disabled) {
      GRAFT_RETURN_IF_ERROR(work.spend(static_cast<int64_t>(network.ops.size()) + 1, pass.name));
      const auto start = std::chrono::steady_clock::now();
      auto changed = pass.fn(network, context);
      if (!changed.ok()) return changed.status().with_context(std::string("pass ") + pass.name);
      record.changed = *changed;
      record.time_ms =
          std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
              .count();
      if (options.verify_each) {
        if (Status s = ir::verify(network); !s.ok())
          return internal_error(std::string("after pass ") + pass.name + ": " + s.message());
      }
      if (record.changed && !options.dump_dir.empty())
        GRAFT_RETURN_IF_ERROR(dump(network, options, number, pass.name));
    }
    record.ops_after = static_cast<int64_t>(network.ops.size());
    if (records) records->push_back(std::move(record));
  }
  ir::compact(network);
  if (Status s = ir::verify(network); !s.ok())
    return internal_error("after the passes: " + s.message());
  return ok_status();
}

}  // namespace

Status canonicalize(ir::Network& network, const PassOptions& options, WorkContext& work,
                    std::vector<PassRecord>* records) {
  return run_passes(network, 0, options, work, records);
}

Status quantize_network(ir::Network& network, const PassOptions& options, WorkContext& work) {
  return run_passes(network, std::size(kPasses) - kInt8Passes, options, work, nullptr);
}

std::vector<std::string> pass_names() {
  std::vector<std::string> names;
  for (const Pass& pass : kPasses) names.emplace_back(pass.name);
  return names;
}

}  // namespace graft::passes
