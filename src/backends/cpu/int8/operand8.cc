#include "backends/cpu/int8/operand8.h"

#include <cstring>

namespace graft::cpu {
namespace {

// Four neighbouring terms of a column as the kernels read them.
uint32_t four(int8_t a, int8_t b, int8_t c, int8_t d) {
  return uint32_t{static_cast<uint8_t>(a)} | uint32_t{static_cast<uint8_t>(b)} << 8 |
         uint32_t{static_cast<uint8_t>(c)} << 16 | uint32_t{static_cast<uint8_t>(d)} << 24;
}

void put(int8_t* dst, int64_t column, uint32_t terms) {
  std::memcpy(dst + column * kInt8Step, &terms, sizeof terms);
}

// One step whose first `terms` rows exist.
void pack_rows(const int8_t* row, int64_t row_step, int64_t terms, int64_t columns, int8_t* dst) {
  if (terms >= kInt8Step) {
    const int8_t *b = row + row_step, *c = b + row_step, *d = c + row_step;
    for (int64_t j = 0; j < columns; ++j) put(dst, j, four(row[j], b[j], c[j], d[j]));
    return;
  }
  for (int64_t t = 0; t < terms; ++t) {
    for (int64_t j = 0; j < columns; ++j) dst[j * kInt8Step + t] = row[t * row_step + j];
  }
}

void pack_column(const int8_t* column, int64_t k, int64_t line, int8_t* dst) {
  const int64_t whole = k / kInt8Step, rest = k % kInt8Step;
  for (int64_t s = 0; s < whole; ++s)
    std::memcpy(dst + s * line, column + s * kInt8Step, kInt8Step);
  if (rest > 0)
    std::memcpy(dst + whole * line, column + whole * kInt8Step, static_cast<size_t>(rest));
}

// The same of int16 pairs.
void pack_word_rows(const int8_t* row, int64_t row_step, int64_t terms, int64_t columns,
                    int16_t* dst) {
  for (int64_t t = 0; t < terms; ++t) {
    for (int64_t j = 0; j < columns; ++j) dst[2 * j + t] = row[t * row_step + j];
  }
}

void pack_word_column(const int8_t* column, int64_t k, int64_t line, int8_t* dst) {
  const int64_t whole = k / 2;
  for (int64_t s = 0; s < whole; ++s) {
    const uint32_t low = static_cast<uint16_t>(column[2 * s]),
                   high = static_cast<uint16_t>(column[2 * s + 1]), pair = low | high << 16;
    std::memcpy(dst + s * line, &pair, sizeof pair);
  }
  if (k % 2 == 0) return;
  const int16_t last = column[k - 1];
  std::memcpy(dst + whole * line, &last, sizeof last);
}

int32_t column_sum(const Int8Right& right, int64_t column, int64_t k) {
  const int8_t* b = right.b + column * right.column_step;
  int32_t sum = 0;
  for (int64_t i = 0; i < k; ++i) sum += b[i * right.row_step];
  return sum;
}

}  // namespace

Int8Operand::Int8Operand(const Int8Table& table, int64_t k, int64_t n, bool left_has_sign)
    : table_(&table),
      panels_(table.lanes, table.panel_vecs, n),
      k_(k),
      terms_(int8_step_terms(table.kind)),
      steps_(ceil_div(k, terms_)),
      left_has_sign_(left_has_sign) {
  if (table.kind == Int8Kind::kTiles) steps_ = round_up(steps_, kInt8TileSteps);
  sums_at_ = align64(left_bytes() * panels_.padded_columns());
  const int64_t panel_bytes = left_bytes() * table.panel_vecs * table.lanes;
  if (table.slice_bytes > 0)
    slices_per_panel_ = std::max<int64_t>(1, (panel_bytes - 1) / table.slice_bytes + 1);
  const auto step_of = [&](int64_t slice) { return steps_ * slice / slices_per_panel_; };
  const bool deep = table.kind == Int8Kind::kDeep;
  for (int64_t s = 0; s < slices_per_panel_; ++s) {
    const int64_t begin = step_of(s), end = step_of(s + 1), length = deep ? 1 : end - begin;
    for (int64_t i = begin; i < end; i += length)
      groups_.push_back({0, static_cast<uint16_t>(i), static_cast<uint16_t>(length)});
  }
  for (int64_t p = 0; p < panels_.count; ++p) {
    for (int64_t s = 0; s < slices_per_panel_; ++s) {
      Int8Slice slice = {};
      slice.b = step_of(s) * kInt8Step * panels_.width(p);
      slice.steps = step_of(s + 1) - step_of(s);
      slice.groups = groups_.data() + (deep ? step_of(s) : s);
      slice.counts[kInt8DepthClasses - 1] =
          static_cast<uint32_t>(deep ? slice.steps : slice.steps > 0);
      slices_.push_back(slice);
    }
  }
}

void Int8Operand::copy_left(const uint8_t* row, uint8_t* copy) const {
  int64_t bytes = k_;
  if (table_->kind == Int8Kind::kWords) {
    table_->widen(row, k_, reinterpret_cast<int16_t*>(copy));
    bytes *= int64_t{sizeof(int16_t)};
  } else if (k_ > 0) {
    std::memcpy(copy, row, static_cast<size_t>(k_));
  }
  std::memset(copy + bytes, 0, static_cast<size_t>(left_bytes() - bytes));
}

void Int8Operand::pack(const Int8Right& right, const int32_t* bias, std::byte* packed) const {
  const bool by_columns = right.row_step == 1;
  for (int64_t p = 0; p < panels_.count; ++p) {
    const int64_t line = panels_.width(p) * kInt8Step, columns = panels_.columns(p);
    auto* dst = reinterpret_cast<int8_t*>(packed) + panel_offset(p);
    const int8_t* b = right.b + panels_.first_column(p) * right.column_step;
    const bool whole = columns == panels_.width(p) && k_ == steps_ * terms_;
    if (!whole) std::memset(dst, 0, static_cast<size_t>(steps_ * line));
    const bool words = table_->kind == Int8Kind::kWords;
    for (int64_t j = 0; by_columns && j < columns; ++j) {
      (words ? pack_word_column : pack_column)(b + j * right.column_step, k_, line,
                                               dst + j * kInt8Step);
    }
    for (int64_t k = 0; !by_columns && k < k_; k += terms_, dst += line) {
      const int8_t* row = b + k * right.row_step;
      const int64_t terms = std::min(terms_, k_ - k);
      if (words) {
        pack_word_rows(row, right.row_step, terms, columns, reinterpret_cast<int16_t*>(dst));
      } else {
        pack_rows(row, right.row_step, terms, columns, dst);
      }
    }
  }
  auto* sums = reinterpret_cast<int32_t*>(packed + sums_at_);
  // A dot kernel adds 128 to a signed left operand: taken off here. Sums wrap.
  const bool shifted = table_->kind == Int8Kind::kDot && left_has_sign_;
  for (int64_t j = 0; j < panels_.padded_columns(); ++j) {
    const bool real = j < panels_.n;
    const int64_t start = (bias && real ? bias[j] : 0) -
                          (shifted && real ? int64_t{128} * column_sum(right, j, k_) : 0);
    sums[j] = static_cast<int32_t>(start);
  }
}

}  // namespace graft::cpu
