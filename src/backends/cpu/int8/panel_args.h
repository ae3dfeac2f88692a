// The arguments that a table's functions take for the panels of a block.
#pragma once

#include "backends/cpu/int8/igemm8.h"

namespace graft::cpu {

struct Int8PanelArgs {
  Int8AccArgs acc;
  Int8FinishArgs to_dst;

  explicit Int8PanelArgs(const Int8Block& block) : b(block) {
    const Int8Weights& w = *b.weights;
    const Int8Epilogue& e = *b.epilogue;
    acc.num_slices = w.slices_per_panel;
    acc.acc = b.acc;
    acc.has_sign = w.src_has_sign;
    acc.packed_bytes = w.steps * kInt8Step;
    to_dst.ldr = b.ldr;
    to_dst.ldd = b.ldd;
    to_dst.residual_has_sign = e.residual_has_sign;
    to_dst.residual_scale = e.residual_scale;
    to_dst.lo = e.lo;
    to_dst.hi = e.hi;
    to_dst.epilogue = &e.act;
  }

  void select(int64_t panel) {
    const Int8Weights& w = *b.weights;
    column = w.panels.first_column(panel);
    const int64_t padded = b.group * w.panels.padded_columns() + column;
    acc.b = w.packed.as<int8_t>() + w.panel_offset(b.group, panel);
    acc.slices = w.panel_slices(b.group, panel);
    acc.bias = w.bias.data() + padded;
    acc.vecs = w.panels.panel_vecs(panel);
    to_dst.acc_ld = w.panels.width(panel);
    to_dst.columns = w.panels.columns(panel);
    to_dst.m = b.epilogue->m.data() + padded;
  }
  int64_t width() const { return to_dst.acc_ld; }

  // dst of the block's rows from `row` on.
  void rows_of_dst(int64_t row, int64_t rows) {
    const Int8Epilogue& e = *b.epilogue;
    to_dst.rows = rows;
    to_dst.residual =
        b.residual ? b.residual + (row * b.ldr + column) * e.residual_elem_bytes : nullptr;
    to_dst.dst = b.dst + (row * b.ldd + column) * e.dst_elem_bytes;
  }
  void finish(const int32_t* sums, int64_t row, int64_t rows) {
    rows_of_dst(row, rows);
    to_dst.acc = sums;
    b.epilogue->finish(&to_dst);
  }

 private:
  const Int8Block& b;
  int64_t column = 0;
};

}  // namespace graft::cpu
