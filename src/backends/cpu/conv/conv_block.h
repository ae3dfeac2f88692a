// Convolutions that run as one, so that the tensors between them are never whole in memory:
// 1x1 -> depthwise -> 1x1 (an inverted residual block), or two neighbours of the three.
//
// A task is a run of output rows of one image. The rows that the first 1x1 makes lie in a ring of
// the thread just large enough for the depthwise convolution's window, whose rows in turn feed the
// last 1x1; all of it stays in the second-level cache. Elements are computed as by the steps one
// after another, to the bit; rows that two threads need are computed twice.
#pragma once

#include <memory>
#include <span>

#include "backends/backend.h"

namespace graft::cpu {

// Null when the steps are not such convolutions. The step has the inputs of all of `steps` in
// order, and writes the last one's dst alone; what lies between them is not touched. Its plan has
// no state where the steps run better one after another: small tensors, or short images on many
// threads. Refers to `steps`.
std::unique_ptr<backends::Step> fuse_conv_block(std::span<const backends::Step* const> steps);

}  // namespace graft::cpu
