#include "backends/cpu/gemm/igemm.h"

#include <algorithm>

namespace graft::cpu {
namespace {

// A panel's slice of this many k stays in the first-level cache while all rows of the block pass
// by.
constexpr int64_t kPanelSliceElems = 4096;
// Rows of a block: their slice stays in the second-level cache over all panels.
constexpr int64_t kMaxBlockRows = 192, kMinBlockRows = 24;
// A task below this many multiply-adds costs more to hand out than it saves.
constexpr int64_t kMinTaskMacs = 300'000;

// Rows x columns of dst that stay in the second-level cache from one slice of k to the next.
constexpr int64_t kDstGroupElems = 32 * 1024;

// Rows of dst this far apart are fetched ahead by hand.
constexpr int64_t kWideRowElems = 256;

// A run of taps and of elements within each.
struct KSlice {
  int64_t tap, taps, k, len;
};

void run_slice(const IgemmBlock& b, const KSlice& s, bool first, bool last, int64_t panel) {
  const int64_t width = b.panels.width(panel), column = b.panels.first_column(panel);
  const int vecs = b.panels.panel_vecs(panel);
  TileArgs t;
  t.row_tap_stride = b.row_stride;
  t.row_offset = s.k;
  t.taps = s.taps;
  t.k = s.len;
  t.b = b.packed + (column - b.packed_column) * b.taps * b.tap_k + (s.tap * b.tap_k + s.k) * width;
  t.b_tap_stride = b.tap_k * width;
  t.ldd = b.ldd;
  t.bias = b.bias ? b.bias + column : nullptr;
  t.ldr = b.ldr;
  t.columns = b.full_panels ? width : b.panels.columns(panel);
  t.epilogue = b.epilogue;
  t.first = first;
  t.last = last;
  // Strips of nearly equal height: a short last strip would leave the multiply-add units idle.
  const int64_t tallest = b.table->max_rows[vecs];
  const int64_t strips = (b.num_rows + tallest - 1) / tallest;
  const int64_t height = b.num_rows / strips, taller = b.num_rows % strips;
  // The slice that comes next in memory is most often the next panel's: fetch a part of it with
  // each strip.
  t.next = b.packed + (column - b.packed_column) * b.taps * b.tap_k + b.taps * b.tap_k * width +
           (s.tap * b.tap_k + s.k) * width;
  t.next_step = next_step(width, strips);
  const int64_t part = t.next_step * (s.taps * s.len / 4);
  const bool wide = b.ldd >= kWideRowElems;
  int64_t row = 0;
  for (int64_t strip = 0; strip < strips; ++strip, t.next += part) {
    const int64_t rows = height + (strip < taller);
    // No prefetcher of the machine follows rows that lie pages apart.
    const int64_t next_end = wide ? std::min(row + rows + tallest, b.num_rows) : 0;
    for (int64_t i = row + rows; i < next_end; ++i) {
      __builtin_prefetch(b.dst + i * b.ldd + column, 1, 3);
      if (first && b.residual) __builtin_prefetch(b.residual + i * b.ldr + column, 0, 3);
    }
    t.rows = b.rows + s.tap * b.row_stride + row;
    t.dst = b.dst + row * b.ldd + column;
    t.residual = b.residual ? b.residual + row * b.ldr + column : nullptr;
    b.table->tile[vecs][rows](&t);
    row += rows;
  }
}

// All slices of k for panels [begin, end).
void run_panels(const IgemmBlock& b, int64_t k_max, int64_t begin, int64_t end) {
  const auto all_panels = [&](const KSlice& s, bool first, bool last) {
    for (int64_t p = begin; p < end; ++p) run_slice(b, s, first, last, p);
  };
  if (b.tap_k <= k_max) {
    const int64_t slices = (b.taps * b.tap_k + k_max - 1) / k_max;
    const int64_t taps = (b.taps + slices - 1) / slices;
    for (int64_t tap = 0; tap < b.taps; tap += taps) {
      const int64_t n = std::min(taps, b.taps - tap);
      all_panels({tap, n, 0, b.tap_k}, tap == 0, tap + n == b.taps);
    }
    return;
  }
  const int64_t slices = (b.tap_k + k_max - 1) / k_max;
  const int64_t len = ((b.tap_k + slices - 1) / slices + 7) / 8 * 8;
  for (int64_t tap = 0; tap < b.taps; ++tap) {
    for (int64_t k = 0; k < b.tap_k; k += len) {
      const int64_t n = std::min(len, b.tap_k - k);
      all_panels({tap, 1, k, n}, tap == 0 && k == 0, tap + 1 == b.taps && k + n == b.tap_k);
    }
  }
}

}  // namespace

void run_igemm_block(const IgemmBlock& b, int64_t panel_begin, int64_t panel_end) {
  if (b.num_rows <= 0) return;
  const int64_t panel_width = int64_t{b.table->panel_vecs} * b.table->lanes;
  const int64_t k_max = kPanelSliceElems / panel_width;
  if (b.taps * b.tap_k <= k_max + k_max / 2) {
    for (int64_t p = panel_begin; p < panel_end; ++p)
      run_slice(b, {0, b.taps, 0, b.tap_k}, true, true, p);
    return;
  }
  const int64_t group = std::max<int64_t>(1, kDstGroupElems / (b.num_rows * panel_width));
  for (int64_t p = panel_begin; p < panel_end; p += group) {
    run_panels(b, k_max, p, std::min(p + group, panel_end));
  }
}

IgemmSplit split_igemm(const Panels& panels, int64_t m, int64_t k, int64_t groups, int threads) {
  IgemmSplit s;
  s.m = m;
  s.panels = panels.count;
  s.row_blocks = std::max<int64_t>(1, (m + kMaxBlockRows - 1) / kMaxBlockRows);
  if (threads <= 1) return s;
  const int64_t macs = groups * m * k * panels.padded_columns();
  // As many for each thread: of five tasks one of two threads would do three.
  const auto even = [&](int64_t tasks) {
    return tasks < 2 ? tasks : (tasks + threads - 1) / threads * threads;
  };
  const int64_t most = int64_t{threads} * 4;
  const int64_t wanted = std::min<int64_t>(most, even(macs / kMinTaskMacs));
  int64_t have = s.row_blocks * groups;
  if (groups == 1 && have > 1 && have < most && even(have) <= m / kMinBlockRows)
    have = s.row_blocks = even(have);
  if (have >= wanted) return s;
  // Columns first: then every weight is read by one thread only.
  s.panel_chunks = std::min(panels.count, (wanted + have - 1) / have);
  const int64_t rest = (wanted + have * s.panel_chunks - 1) / (have * s.panel_chunks);
  s.row_blocks = std::max(s.row_blocks,
                          std::min(s.row_blocks * rest, (m + kMinBlockRows - 1) / kMinBlockRows));
  return s;
}

}  // namespace graft::cpu
