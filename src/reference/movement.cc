// Ops that only move elements: by element size, whatever the dtype.
#include <cstring>

#include "reference/values.h"

namespace graft::reference {

namespace {

Status copy_all(const Call& c) {
  const auto n = static_cast<size_t>(elems(c.in[0].dims)) * dtype_size(c.in[0].dtype);
  if (n != 0) std::memcpy(c.out[0].data, c.in[0].data, n);
  return ok_status();
}

// Copies `rows` runs of run_elems elements between two tensors.
void copy_runs(void* dst, int64_t dst_start, int64_t dst_step, const void* src, int64_t src_start,
               int64_t src_step, int64_t rows, int64_t run_elems, size_t elem_bytes) {
  if (run_elems == 0) return;
  const auto e = static_cast<int64_t>(elem_bytes);
  for (int64_t i = 0; i < rows; ++i) {
    std::memcpy(static_cast<std::byte*>(dst) + (dst_start + i * dst_step) * e,
                static_cast<const std::byte*>(src) + (src_start + i * src_step) * e,
                static_cast<size_t>(run_elems * e));
  }
}

}  // namespace

Status evaluate_reshape(const Call& c) { return copy_all(c); }
Status evaluate_bitcast(const Call& c) { return copy_all(c); }
Status evaluate_expand_dims(const Call& c) { return copy_all(c); }
Status evaluate_squeeze(const Call& c) { return copy_all(c); }

Status evaluate_transpose(const Call& c) {
  const auto& perm = c.op.as<ir::TransposeAttrs>().perm;
  const Dims in = strides_of(c.in[0].dims);
  Dims strides{};
  for (size_t i = 0; i < perm.size(); ++i) strides[i] = in[static_cast<size_t>(perm[i])];
  walk(c.out[0].dims, strides, 0,
       [&](int64_t i, int64_t o) { copy_element(c.out[0], i, c.in[0], o); });
  return ok_status();
}

Status evaluate_concat(const Call& c) {
  const auto axis = static_cast<size_t>(c.op.as<ir::ConcatAttrs>().axis);
  const int64_t rows = elems(c.out[0].dims.first(axis)),
                out_run = elems(c.out[0].dims.subspan(axis));
  int64_t at = 0;
  for (const ConstTensor& in : c.in) {
    const int64_t run = elems(in.dims.subspan(axis));
    copy_runs(c.out[0].data, at, out_run, in.data, 0, run, rows, run, dtype_size(in.dtype));
    at += run;
  }
  return ok_status();
}

Status evaluate_pack(const Call& c) {
  const auto axis = static_cast<size_t>(c.op.as<ir::PackAttrs>().axis);
  const int64_t rows = elems(c.in[0].dims.first(axis)), run = elems(c.in[0].dims.subspan(axis));
  for (size_t k = 0; k < c.in.size(); ++k) {
    copy_runs(c.out[0].data, static_cast<int64_t>(k) * run, static_cast<int64_t>(c.in.size()) * run,
              c.in[k].data, 0, run, rows, run, dtype_size(c.in[k].dtype));
  }
  return ok_status();
}

Status evaluate_split(const Call& c) {
  const auto axis = static_cast<size_t>(c.op.as<ir::SplitAttrs>().axis);
  const int64_t rows = elems(c.in[0].dims.first(axis)), in_run = elems(c.in[0].dims.subspan(axis));
  int64_t at = 0;
  for (const MutTensor& out : c.out) {
    const int64_t run = elems(out.dims.subspan(axis));
    copy_runs(out.data, 0, run, c.in[0].data, at, in_run, rows, run, dtype_size(out.dtype));
    at += run;
  }
  return ok_status();
}

Status evaluate_unpack(const Call& c) {
  const auto axis = static_cast<size_t>(c.op.as<ir::UnpackAttrs>().axis);
  const int64_t rows = elems(c.in[0].dims.first(axis)), run = elems(c.in[0].dims.subspan(axis + 1));
  for (size_t k = 0; k < c.out.size(); ++k) {
    copy_runs(c.out[k].data, 0, run, c.in[0].data, static_cast<int64_t>(k) * run,
              static_cast<int64_t>(c.out.size()) * run, rows, run, dtype_size(c.out[k].dtype));
  }
  return ok_status();
}

Status evaluate_tile(const Call& c) {
  const std::span<const int64_t> in = c.in[0].dims, out = c.out[0].dims;
  const Dims strides = strides_of(in), rows = strides_of(out);
  for (int64_t i = 0; i < elems(out); ++i) {
    int64_t o = 0;
    for (size_t d = 0; d < in.size(); ++d) o += i / rows[d] % out[d] % in[d] * strides[d];
    copy_element(c.out[0], i, c.in[0], o);
  }
  return ok_status();
}

Status evaluate_broadcast_to(const Call& c) {
  walk(c.out[0].dims, broadcast_strides(c.in[0].dims, c.out[0].dims), 0,
       [&](int64_t i, int64_t o) { copy_element(c.out[0], i, c.in[0], o); });
  return ok_status();
}

Status evaluate_fill(const Call& c) {
  for (int64_t i = 0; i < elems(c.out[0].dims); ++i) copy_element(c.out[0], i, c.in[1], 0);
  return ok_status();
}

Status evaluate_shape(const Call& c) {
  store(c.out[0], std::vector<int64_t>(c.in[0].dims.begin(), c.in[0].dims.end()));
  return ok_status();
}

Status evaluate_depth_to_space(const Call& c) {
  const auto& a = c.op.as<ir::DepthToSpaceAttrs>();
  // The tensor with the larger image; the block's row and column are the slow part of the other's
  // channels.
  const std::span<const int64_t> wide = a.inverse ? c.in[0].dims : c.out[0].dims;
  const int64_t b = a.block, h = wide[1], w = wide[2], ch = wide[3];
  for (int64_t i = 0; i < elems(wide); ++i) {
    const int64_t k = i % ch, x = i / ch % w, y = i / ch / w % h, n = i / ch / w / h;
    const int64_t deep =
        (((n * (h / b) + y / b) * (w / b) + x / b) * b * b + y % b * b + x % b) * ch + k;
    copy_element(c.out[0], a.inverse ? deep : i, c.in[0], a.inverse ? i : deep);
  }
  return ok_status();
}

}  // namespace graft::reference
