// The second operand of a product of two quantized tensors: packed while running, in the layout of
// int8/gemm_table.h. A group of a deep kernel has one step, which is exact for any integers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "backends/cpu/common/rounding.h"
#include "backends/cpu/gemm/panels.h"
#include "backends/cpu/int8/gemm_table.h"
#include "backends/cpu/int8/igemm8.h"

namespace graft::cpu {

// [k][n]; element (row, column) is b[row * row_step + column * column_step], one of the steps is 1.
struct Int8Right {
  const int8_t* b;
  int64_t row_step, column_step;
};

// How a right operand of k rows and n columns is packed; k is at most ir::kMaxQuantizedTerms.
class Int8Operand {
 public:
  Int8Operand() = default;
  Int8Operand(Int8Operand&&) = default;  // no copies: slices point into groups
  Int8Operand& operator=(Int8Operand&&) = default;
  Int8Operand(const Int8Table& table, int64_t k, int64_t n, bool left_has_sign);

  const Panels& panels() const { return panels_; }
  // Of a packed operand, a multiple of 64.
  int64_t bytes() const { return sums_at_ + align64(panels_.padded_columns() * 4); }
  // Bytes of a left row that are read: whole steps; of a tile kernel whole tiles.
  int64_t left_bytes() const { return steps_ * kInt8Step; }
  // Left rows can't be read where they lie, but one behind the other as copy_left makes them.
  bool copies_left() const { return table_->kind == Int8Kind::kTiles || k_ != left_bytes(); }
  // Rows that the copies of num_rows rows take room for: tile kernels read whole tiles.
  int64_t copied_rows(int64_t num_rows) const {
    const int64_t multiple = table_->kind == Int8Kind::kTiles ? table_->row_multiple : 1;
    return round_up(num_rows, multiple);
  }
  // left_bytes() from k bytes.
  void copy_left(const uint8_t* row, uint8_t* copy) const;
  int64_t acc_bytes() const { return int8_acc_bytes(*table_); }

  // Sums begin as bias [n], or as 0 without.
  void pack(const Int8Right& right, const int32_t* bias, std::byte* packed) const;

  // acc = left * right by panels and blocks of at most kInt8FinishRows rows, each followed by
  // finish(panel, first row, rows). acc: acc_bytes(). rows[i]: left row i, left_bytes() long.
  template <typename Finish>
  void multiply(const std::byte* packed, const uint8_t* const* rows, int64_t num_rows, int32_t* acc,
                Finish&& finish) const {
    Int8AccArgs args = {};
    args.packed_ld = left_bytes();
    args.num_slices = slices_per_panel_;
    args.acc = acc;
    args.has_sign = left_has_sign_;
    if (table_->begin) table_->begin();
    const int64_t height = kInt8FinishRows / table_->row_multiple * table_->row_multiple;
    for (int64_t p = 0; p < panels_.count; ++p) {
      args.b = reinterpret_cast<const int8_t*>(packed) + panel_offset(p);
      args.slices = slices_.data() + p * slices_per_panel_;
      args.bias = reinterpret_cast<const int32_t*>(packed + sums_at_) + panels_.first_column(p);
      args.vecs = panels_.panel_vecs(p);
      for (int64_t row = 0; row < num_rows; row += height) {
        args.num_rows = std::min(height, num_rows - row);
        args.rows = rows + row;
        args.packed_rows = rows[row];
        table_->accumulate(&args);
        finish(p, row, static_cast<int64_t>(args.num_rows));
      }
    }
    if (table_->end) table_->end();
  }

 private:
  int64_t panel_offset(int64_t p) const { return left_bytes() * panels_.first_column(p); }

  const Int8Table* table_ = nullptr;
  Panels panels_;
  int64_t k_ = 0, terms_ = kInt8Step, steps_ = 0, slices_per_panel_ = 1, sums_at_ = 0;
  bool left_has_sign_ = false;
  std::vector<Int8Group> groups_;
  std::vector<Int8Slice> slices_;  // [panels][slices_per_panel], point into groups_
};

}  // namespace graft::cpu
