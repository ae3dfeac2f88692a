#include "backends/cpu/int8/weights.h"

#include <algorithm>
#include <cstring>

#include "backends/cpu/common/rounding.h"
#include "backends/cpu/int8/depth_plan.h"
#include "backends/cpu/threads/parallel.h"

namespace graft::cpu {
namespace {

// Steps of one tap in their order, zeros past tap_k and past the group's columns.
void gather_steps(Int8Kind kind, const Int8Matrix& m, const Panels& panels, int64_t group,
                  int64_t panel, int64_t tap, int64_t first_step, int64_t steps, int8_t* dst) {
  const int64_t width = panels.width(panel), columns = panels.columns(panel);
  const int8_t* b =
      m.b + tap * m.tap_k * m.row_step + (group * m.n + panels.first_column(panel)) * m.column_step;
  std::memset(dst, 0, static_cast<size_t>(steps * width * kInt8Step));
  const int64_t step_terms = int8_step_terms(kind);
  for (int64_t step = 0; step < steps; ++step, dst += width * kInt8Step) {
    const int64_t k0 = (first_step + step) * step_terms;
    const int64_t terms = std::min(step_terms, m.tap_k - k0);
    for (int64_t k = 0; k < terms; ++k) {
      const int8_t* row = b + (k0 + k) * m.row_step;
      if (kind == Int8Kind::kWords) {
        auto* words = reinterpret_cast<int16_t*>(dst) + k;
        for (int64_t j = 0; j < columns; ++j) words[j * step_terms] = row[j * m.column_step];
      } else {
        for (int64_t j = 0; j < columns; ++j) dst[j * kInt8Step + k] = row[j * m.column_step];
      }
    }
  }
}

// Packs one panel; its groups and slices.
class PanelPacker {
 public:
  PanelPacker(const Int8Weights& weights, const Int8Matrix& matrix, int64_t group, int64_t panel)
      : w_(weights),
        m_(matrix),
        group_(group),
        panel_(panel),
        step_bytes_(weights.panels.width(panel) * kInt8Step) {}

  std::vector<Int8Group> groups;
  std::vector<Int8Slice> slices;  // without their groups' address

  void pack(int8_t* dst) {
    const int64_t all = w_.taps * w_.tap_steps, n = w_.slices_per_panel;
    std::memset(dst + all * step_bytes_, 0, static_cast<size_t>((w_.steps - all) * step_bytes_));
    for (int64_t s = 0; s < n; ++s) {
      const int64_t begin = all * s / n, end = all * (s + 1) / n;
      gather(begin, end);
      Int8Slice slice = {};
      slice.b = begin * step_bytes_;
      slice.steps = end - begin;
      int8_t* to = dst + slice.b;
      // By falling depth: a kernel has one loop for each.
      for (int c = 0; c < kInt8DepthClasses; ++c) {
        for (const Piece& piece : pieces_) {
          if (piece.depth_class != c) continue;
          const size_t bytes = piece.group.steps * static_cast<size_t>(step_bytes_);
          std::memcpy(to, piece.weights, bytes);
          to += bytes;
          groups.push_back(piece.group);
          ++slice.counts[c];
        }
      }
      slices.push_back(slice);
    }
  }

 private:
  struct Piece {
    Int8Group group;
    int depth_class;
    const int8_t* weights;
  };

  // The pieces of steps [begin, end).
  void gather(int64_t begin, int64_t end) {
    buffer_.resize(static_cast<size_t>((end - begin) * step_bytes_));
    pieces_.clear();
    int8_t* to = buffer_.data();
    while (begin < end) {
      const int64_t tap = begin / w_.tap_steps, step = begin % w_.tap_steps;
      const int64_t steps = std::min(end - begin, w_.tap_steps - step);
      gather_steps(w_.table->kind, m_, w_.panels, group_, panel_, tap, step, steps, to);
      add_tap(tap, step, steps, to);
      to += steps * step_bytes_;
      begin += steps;
    }
  }

  void add_tap(int64_t tap, int64_t step, int64_t steps, const int8_t* weights) {
    depths_.clear();
    const auto add = [&](int64_t length, int depth_class) {
      pieces_.push_back(
          {{static_cast<uint16_t>(tap), static_cast<uint16_t>(step), static_cast<uint16_t>(length)},
           depth_class,
           weights});
      step += length;
      weights += length * step_bytes_;
    };
    if (w_.table->kind != Int8Kind::kDeep) return add(steps, kInt8DepthClasses - 1);
    plan_depths(weights, steps, w_.panels.width(panel_), w_.src_has_sign, depths_);
    for (const uint8_t depth : depths_) {
      add(depth, static_cast<int>(std::find(std::begin(kInt8Depths), std::end(kInt8Depths), depth) -
                                  std::begin(kInt8Depths)));
    }
  }

  const Int8Weights& w_;
  const Int8Matrix& m_;
  int64_t group_, panel_, step_bytes_;
  std::vector<int8_t> buffer_;
  std::vector<Piece> pieces_;
  std::vector<uint8_t> depths_;
};

// What the accumulators start from. A dot kernel adds 128 to signed src: taken off here. Sums wrap.
std::vector<int32_t> initial_sums(const Int8Weights& w, const Int8Matrix& m, const int32_t* bias) {
  const int64_t padded = w.panels.padded_columns();
  std::vector<int32_t> sums(static_cast<size_t>(m.groups * padded));
  const bool shifted = w.table->kind == Int8Kind::kDot && w.src_has_sign;
  parallel_for(m.groups, ThreadPool::kNoLimit, [&](int64_t g, int) {
    std::vector<int64_t> column_sums(static_cast<size_t>(m.n));
    for (int64_t k = 0; shifted && k < m.taps * m.tap_k; ++k) {
      const int8_t* row = m.b + k * m.row_step + g * m.n * m.column_step;
      for (int64_t j = 0; j < m.n; ++j)
        column_sums[static_cast<size_t>(j)] += row[j * m.column_step];
    }
    for (int64_t j = 0; j < m.n; ++j) {
      const int64_t start =
          (bias ? bias[g * m.n + j] : 0) - 128 * column_sums[static_cast<size_t>(j)];
      sums[static_cast<size_t>(g * padded + j)] = static_cast<int32_t>(start);
    }
  });
  return sums;
}

}  // namespace

Result<Int8Weights> Int8Weights::pack(const Int8Table& table, const Int8Matrix& m,
                                      const int32_t* bias, bool src_has_sign) {
  Int8Weights w;
  w.table = &table;
  w.panels = Panels(table.lanes, table.panel_vecs, m.n);
  w.taps = m.taps;
  w.tap_k = m.tap_k;
  const int64_t terms = int8_step_terms(table.kind);
  w.tap_steps = (m.tap_k + terms - 1) / terms;
  w.src_has_sign = src_has_sign;
  w.taps_fill_tiles = m.taps_fill_tiles && table.kind == Int8Kind::kTiles;
  if (w.taps_fill_tiles) w.tap_steps = round_up(w.tap_steps, kInt8TileSteps);
  w.steps = w.taps * w.tap_steps;
  if (table.kind == Int8Kind::kTiles) w.steps = round_up(w.steps, kInt8TileSteps);
  const int64_t panel_bytes = w.steps * kInt8Step * table.panel_vecs * table.lanes;
  if (table.slice_bytes > 0) w.slices_per_panel = (panel_bytes - 1) / table.slice_bytes;
  ++w.slices_per_panel;
  const int64_t zeros = w.tap_steps * kInt8Step;
  const int64_t weight_bytes = w.panel_offset(m.groups, 0);
  GRAFT_ASSIGN_OR_RETURN(w.packed,
                         Buffer::allocate_weights(static_cast<size_t>(weight_bytes + zeros)));
  auto* dst = w.packed.as<int8_t>();
  std::memset(dst + weight_bytes, 0, static_cast<size_t>(zeros));
  w.zeros = reinterpret_cast<const uint8_t*>(dst + weight_bytes);
  std::vector<PanelPacker> packers;
  for (int64_t g = 0; g < m.groups; ++g) {
    for (int64_t p = 0; p < w.panels.count; ++p) packers.emplace_back(w, m, g, p);
  }
  parallel_for(static_cast<int64_t>(packers.size()), ThreadPool::kNoLimit, [&](int64_t i, int) {
    const int64_t g = i / w.panels.count, p = i % w.panels.count;
    packers[static_cast<size_t>(i)].pack(dst + w.panel_offset(g, p));
  });
  size_t total = 0;
  for (const PanelPacker& p : packers) total += p.groups.size();
  w.groups.reserve(total);  // slices point into it
  for (const PanelPacker& p : packers) {
    const Int8Group* next = w.groups.data() + w.groups.size();
    w.groups.insert(w.groups.end(), p.groups.begin(), p.groups.end());
    for (Int8Slice slice : p.slices) {
      slice.groups = next;
      for (const uint32_t count : slice.counts) next += count;
      w.slices.push_back(slice);
    }
  }
  w.bias = initial_sums(w, m, bias);
  return w;
}

size_t Int8Weights::bytes() const {
  return packed.size() + groups.size() * sizeof(Int8Group) + slices.size() * sizeof(Int8Slice) +
         bias.size() * sizeof(int32_t);
}

}  // namespace graft::cpu
