// FFT, IFFT, RFFT, IRFFT, over the last one, two or three axes: one transform an axis.
#include <algorithm>

#include "base/dtype.h"
#include "frontend/complex_values.h"

namespace graft::frontend {

namespace {

using ir::FftFn;

// OpEntry::arg: axes * 2, + 1 if inverse.
struct Form {
  int axes;
  bool inverse;
};
Form form_of(const NodeImport& n) { return {n.arg() / 2, n.arg() % 2 != 0}; }

// One CPU kernel could hold no plan of a longer one.
constexpr int64_t kMaxLength = int64_t{1} << 24;

Status check_length(NodeImport& n, ir::Dim length) {
  if (!length.is_const()) return ok_status();
  if (length.value() < 0)
    return n.invalid("a length is " + std::to_string(length.value()) + ", expected 0 or more");
  if (length.value() == 0) return n.refuse("shape", "a length is 0");
  if (length.value() > kMaxLength)
    return n.refuse("shape", "a length is " + std::to_string(length.value()) + ", at most " +
                                 std::to_string(kMaxLength) + " is supported");
  return ok_status();
}

Status check_rank(NodeImport& n, int rank, int axes) {
  if (rank >= axes) return ok_status();
  return n.invalid("input 0 has rank " + std::to_string(rank) + ", expected " +
                   std::to_string(axes) + " or more");
}

Result<ir::ValueId> transform(NodeImport& n, ir::ValueId src, FftFn fn, int axis) {
  return n.emit(ir::FftAttrs{fn, axis}, {src});
}

Status import_fft(NodeImport& n) {
  const auto [axes, inverse] = form_of(n);
  GRAFT_RETURN_IF_ERROR(check_complex(n, "Tcomplex", 0));
  const int rank = complex_rank(n, n.in(0));
  GRAFT_RETURN_IF_ERROR(check_rank(n, rank, axes));
  ir::ValueId y = n.in(0);
  for (int axis = rank - 1; axis >= rank - axes; --axis) {
    const ir::Dim extent = n.type(0).dims[static_cast<size_t>(axis)];
    if (extent.is_const() && extent.value() > kMaxLength)
      GRAFT_RETURN_IF_ERROR(check_length(n, extent));
    GRAFT_ASSIGN_OR_RETURN(y, transform(n, y, inverse ? FftFn::kInverse : FftFn::kForward, axis));
  }
  output_complex(n, y, n.foreign(n.in(0)));
  return ok_status();
}

// Input 1: one length an axis, as host scalars.
Result<std::vector<ir::ValueId>> read_lengths(NodeImport& n, int axes) {
  if (n.dtype(1) != DType::kInt32)
    return n.invalid("fft_length (input 1) is " + dtype_name(n.dtype(1)) + ", expected int32");
  if (n.rank(1) != 1 || (n.type(1).dims[0].is_const() && n.type(1).dims[0] != ir::Dim(axes)))
    return n.invalid("fft_length (input 1) is no vector of " + std::to_string(axes) + " elements");
  if (!n.value(1).host || n.value(1).host->size() != static_cast<size_t>(axes))
    return n.refuse("shape", "input 1 (fft_length) depends on data",
                    "freeze the graph so that this input becomes a Const");
  std::vector<ir::ValueId> lengths;
  for (int64_t i = 0; i < axes; ++i) {
    const ir::Dim length = (*n.value(1).host)[static_cast<size_t>(i)];
    GRAFT_RETURN_IF_ERROR(check_length(n, length));
    if (length.is_const()) {
      lengths.push_back(n.constant_int(length.value(), DType::kInt32));
      continue;
    }
    ir::StridedSliceAttrs one;
    one.shrink_axis_mask = 1;
    const auto number = [&](int64_t v) { return n.constant_ints({v}, DType::kInt64); };
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId id,
                           n.emit(one, {n.in(1), number(i), number(i + 1), number(1)}));
    lengths.push_back(id);
  }
  return lengths;
}

// The first `length` elements along the axis; fewer are an error, as in TensorFlow.
Result<ir::ValueId> crop(NodeImport& n, ir::ValueId src, int axis, ir::ValueId length) {
  const ir::TensorType type = n.at(src).type;
  const auto& host = n.at(length).host;
  if (host && host->size() == 1 && (*host)[0] == type.dims[static_cast<size_t>(axis)]) return src;
  const auto rank = static_cast<size_t>(type.rank());
  std::vector<ir::ValueId> sizes;
  for (size_t i = 0; i < rank; ++i) {
    if (static_cast<int>(i) != axis) {
      sizes.push_back(n.constant_ints({-1}, DType::kInt32));
      continue;
    }
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId one, n.reshape(length, {1}));
    sizes.push_back(one);
  }
  const ir::ValueId begin = n.constant_ints(std::vector<int64_t>(rank, 0), DType::kInt32);
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId size, n.emit(ir::ConcatAttrs{0}, std::move(sizes)));
  return n.emit(ir::SliceAttrs{}, {src, begin, size});
}

Status check_dtypes(NodeImport& n, DType real, DType complex) {
  if (complex_of(real) == complex) return ok_status();
  return n.refuse("dtype", "attributes 'Treal' and 'Tcomplex' are " + dtype_name(real) + " and " +
                               dtype_name(complex) + ", expected one precision");
}

Status import_rfft(NodeImport& n) {
  const int axes = form_of(n).axes;
  GRAFT_RETURN_IF_ERROR(n.check_type("Treal", {0}, DType::kFloat));
  GRAFT_ASSIGN_OR_RETURN(const DType complex, n.attr_type("Tcomplex", DType::kComplex64));
  GRAFT_RETURN_IF_ERROR(check_dtypes(n, n.dtype(0), complex));
  const int rank = n.rank(0);
  GRAFT_RETURN_IF_ERROR(check_rank(n, rank, axes));
  GRAFT_ASSIGN_OR_RETURN(const std::vector<ir::ValueId> lengths, read_lengths(n, axes));
  ir::ValueId y = n.in(0);
  for (int i = 0; i + 1 < axes; ++i) {
    GRAFT_ASSIGN_OR_RETURN(y, crop(n, y, rank - axes + i, lengths[static_cast<size_t>(i)]));
  }
  GRAFT_ASSIGN_OR_RETURN(y, n.emit(ir::FftAttrs{FftFn::kReal, rank - 1}, {y, lengths.back()}));
  for (int axis = rank - 2; axis >= rank - axes; --axis) {
    GRAFT_ASSIGN_OR_RETURN(y, transform(n, y, FftFn::kForward, axis));
  }
  output_complex(n, y, complex);
  return ok_status();
}

Status import_irfft(NodeImport& n) {
  const int axes = form_of(n).axes;
  GRAFT_RETURN_IF_ERROR(check_complex(n, "Tcomplex", 0));
  GRAFT_ASSIGN_OR_RETURN(const DType real, n.attr_type("Treal", DType::kFloat));
  GRAFT_RETURN_IF_ERROR(check_dtypes(n, real, n.foreign(n.in(0))));
  const int rank = complex_rank(n, n.in(0));
  GRAFT_RETURN_IF_ERROR(check_rank(n, rank, axes));
  GRAFT_ASSIGN_OR_RETURN(const std::vector<ir::ValueId> lengths, read_lengths(n, axes));
  ir::ValueId y = n.in(0);
  for (int i = 0; i + 1 < axes; ++i) {
    const int axis = rank - axes + i;
    GRAFT_ASSIGN_OR_RETURN(y, crop(n, y, axis, lengths[static_cast<size_t>(i)]));
    GRAFT_ASSIGN_OR_RETURN(y, transform(n, y, FftFn::kInverse, axis));
  }
  return n.finish(ir::FftAttrs{FftFn::kInverseReal, rank - 1}, {y, lengths.back()});
}

constexpr OpEntry fft(std::string_view op, int axes, bool inverse = false) {
  return {.op = op,
          .fn = import_fft,
          .min_inputs = 1,
          .max_inputs = 1,
          .arg = axes * 2 + inverse,
          .complex_inputs = true};
}
constexpr OpEntry irfft(std::string_view op, int axes) {
  return {.op = op,
          .fn = import_irfft,
          .min_inputs = 2,
          .max_inputs = 2,
          .arg = axes * 2 + 1,
          .complex_inputs = true};
}

constexpr OpEntry kRows[] = {
    fft("FFT", 1),
    fft("FFT2D", 2),
    fft("FFT3D", 3),
    fft("IFFT", 1, true),
    fft("IFFT2D", 2, true),
    fft("IFFT3D", 3, true),
    {"RFFT", import_rfft, 2, 2, 2},
    {"RFFT2D", import_rfft, 2, 2, 4},
    {"RFFT3D", import_rfft, 2, 2, 6},
    irfft("IRFFT", 1),
    irfft("IRFFT2D", 2),
    irfft("IRFFT3D", 3),
};

}  // namespace

std::span<const OpEntry> spectral_ops() { return kRows; }

}  // namespace graft::frontend
