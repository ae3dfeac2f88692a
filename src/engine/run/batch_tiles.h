// Batch tiles: a stretch of steps whose activations leave the cache at the whole batch runs a few
// images at a time, so that what one step writes is still there when the next reads it.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/lower/program.h"

namespace graft::engine {

// Steps [begin, end) run for `images` images after another, until `batch` are done.
struct BatchTile {
  int32_t begin = 0, end = 0;
  int64_t batch = 0, images = 0;
  int64_t rest() const { return batch % images; }  // images of the last tile; 0: a whole one
};

// One step, as far as tiling is concerned.
struct TileStep {
  int32_t op = 0;
  int64_t activation_bytes = 0;  // of src and dst at the whole batch
  int64_t weights_bytes = 0;
  bool fused = false;  // with its neighbours, which keeps it in the cache already
};

// Per value: its axis 0 is the batch, the open dim that every image input shares.
std::vector<bool> batched_values(const ir::Network& network);
// The op makes each image of dst from the same image of its inputs alone.
bool works_by_image(const ir::Network& network, const ir::Op& op, const std::vector<bool>& batched);

// Disjoint, in order. Empty for batch 1, and where tiling moves more weights than it saves
// activations.
std::vector<BatchTile> choose_batch_tiles(const ir::Network& network,
                                          const std::vector<TileStep>& steps, int64_t batch,
                                          int64_t l3_bytes);

}  // namespace graft::engine
