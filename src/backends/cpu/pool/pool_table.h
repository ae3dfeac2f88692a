// Pooling of one row of output pixels, as plain C types.
#pragma once

#include <stddef.h>

namespace graft::cpu {

// dst[x, c] = max or mean over taps (ky, kx) inside the image of src[ky, x * stride + kx - pad, c].
struct PoolArgs {
  const float* src;      // image row of the first tap row that lies inside, channel 0 of this call
  float* dst;            // output row, channel 0 of this call
  ptrdiff_t row_step;    // elements between image rows
  ptrdiff_t pixel_step;  // elements between pixels, of image and output
  ptrdiff_t taps_h;      // tap rows inside the image
  ptrdiff_t kernel_w, stride_w, pad_left;
  ptrdiff_t src_w, dst_w;
  ptrdiff_t channels;  // of this call
};

// As PoolArgs, and in arg[x, c] which element of the image dst[x, c] is, `base` being that of src.
struct ArgmaxArgs {
  PoolArgs window;
  void* arg;     // int32_t or int64_t
  int64_t base;  // of channel 0 of the image row
  ptrdiff_t first_channel;
};

// dst[x, c] = max(dst[x, c], src[x * src_step + c] + filter[c]), x < pixels; pixels of dst lie side
// by side. Where those of src do, too, the filter is given `repeats` times in a row.
struct DilateArgs {
  const float *src, *filter;
  float* dst;
  ptrdiff_t pixels, channels, src_step, repeats;
};

struct PoolTable {
  void (*max)(const PoolArgs*);
  void (*avg)(const PoolArgs*);
  void (*argmax32)(const ArgmaxArgs*);
  void (*argmax64)(const ArgmaxArgs*);
  void (*dilate)(const DilateArgs*);
};

inline namespace isa_baseline {
const PoolTable* pool_table();
}
inline namespace isa_avx2 {
const PoolTable* pool_table();
}
inline namespace isa_avx512 {
const PoolTable* pool_table();
}

}  // namespace graft::cpu
