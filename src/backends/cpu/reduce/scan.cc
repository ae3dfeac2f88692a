// Running sums and products along an axis, each in the order of the elements. Inside the axis the
// loop runs over neighbours, which the compiler vectorizes; along the last axis over eight rows at
// once, so that their chains overlap.
#include "backends/cpu/common/shape_util.h"
#include "backends/cpu/common/split.h"
#include "backends/cpu/common/step_util.h"

namespace graft::cpu {
namespace {

constexpr int64_t kRowsAtOnce = 8;

struct ScanPlan {
  int64_t outer = 1, n = 1, inner = 1;
};

template <bool kProd, typename T>
T combine(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return kProd ? a * b : a + b;
  } else {
    using U = std::make_unsigned_t<T>;
    const U x = static_cast<U>(a), y = static_cast<U>(b);
    return static_cast<T>(kProd ? x * y : x + y);
  }
}

// Columns [begin, end) of one [n, inner]: row by row.
template <bool kProd, typename T>
void scan_columns(const ScanPlan& p, const ir::ScanAttrs& a, const T* src, T* dst, int64_t begin,
                  int64_t end) {
  const int64_t step = a.reverse ? -p.inner : p.inner;
  const T* x = src + (a.reverse ? (p.n - 1) * p.inner : 0);
  T* y = dst + (x - src);
  for (int64_t j = begin; j < end; ++j) y[j] = a.exclusive ? T(kProd) : x[j];
  for (int64_t i = 1; i < p.n; ++i, x += step, y += step) {
    const T* term = a.exclusive ? x : x + step;
    T* next = y + step;
    for (int64_t j = begin; j < end; ++j) next[j] = combine<kProd>(y[j], term[j]);
  }
}

// Rows [begin, end) of [outer, n].
template <bool kProd, typename T>
void scan_rows(const ScanPlan& p, const ir::ScanAttrs& a, const T* src, T* dst, int64_t begin,
               int64_t end) {
  for (int64_t r = begin; r < end; r += kRowsAtOnce) {
    const int64_t rows = std::min(kRowsAtOnce, end - r);
    T sum[kRowsAtOnce];
    for (T& s : sum) s = T(kProd);
    for (int64_t i = 0; i < p.n; ++i) {
      const int64_t at = r * p.n + (a.reverse ? p.n - 1 - i : i);
      for (int64_t j = 0; j < rows; ++j) {
        const T next = combine<kProd>(sum[j], src[at + j * p.n]);
        dst[at + j * p.n] = a.exclusive ? sum[j] : next;
        sum[j] = next;
      }
    }
  }
}

template <bool kProd, typename T>
void scan(const ScanPlan& p, const ir::ScanAttrs& a, const void* src, void* dst) {
  const auto* x = static_cast<const T*>(src);
  auto* y = static_cast<T*>(dst);
  if (p.outer * p.n * p.inner == 0) return;
  if (p.inner == 1) {
    parallel_ranges(p.outer, kGrainElems / p.n,
                    [&](int64_t begin, int64_t end) { scan_rows<kProd>(p, a, x, y, begin, end); });
    return;
  }
  // Ranges of columns of all outer blocks; one may end in another block than it begins in.
  parallel_ranges(p.outer * p.inner, kGrainElems / p.n, [&](int64_t begin, int64_t end) {
    for (int64_t u = begin; u < end;) {
      const int64_t block = u / p.inner, first = u % p.inner;
      const int64_t last = std::min(p.inner, first + end - u);
      const int64_t offset = block * p.n * p.inner;
      scan_columns<kProd>(p, a, x + offset, y + offset, first, last);
      u += last - first;
    }
  });
}

using ScanFn = void (*)(const ScanPlan&, const ir::ScanAttrs&, const void* src, void* dst);

template <typename T>
ScanFn scan_of(ir::ReduceFn fn) {
  return fn == ir::ReduceFn::kProd ? scan<true, T> : scan<false, T>;
}

ScanFn scan_of(const Problem& problem) {
  const auto fn = problem.op->as<ir::ScanAttrs>().fn;
  switch (problem.src[0]->dtype) {
    case DType::kFloat:
      return scan_of<float>(fn);
    case DType::kDouble:
      return scan_of<double>(fn);
    case DType::kInt32:
      return scan_of<int32_t>(fn);
    case DType::kInt64:
      return scan_of<int64_t>(fn);
    default:
      return nullptr;
  }
}

class ScanStep final : public Step {
 public:
  explicit ScanStep(const Problem& problem)
      : attrs_(problem.op->as<ir::ScanAttrs>()), scan_(scan_of(problem)) {}
  std::string_view kernel_name() const override { return "scan"; }

  Result<backends::StepPlan> plan(const backends::StepShapes& shapes) const override {
    const auto dims = shapes.src[0];
    const auto axis = static_cast<size_t>(attrs_.axis);
    return plan_of(
        ScanPlan{elems_of(dims.first(axis)), dims[axis], elems_of(dims.subspan(axis + 1))});
  }

  void run(const backends::StepState* state, const void* const* src, void* const* dst,
           std::byte*) const override {
    scan_(state_as<ScanPlan>(state), attrs_, src[0], dst[0]);
  }

 private:
  const ir::ScanAttrs attrs_;
  ScanFn scan_;
};

std::string supports_scan(const Problem& problem) {
  if (scan_of(problem)) return "";
  return "scan of " + dtype_name(problem.src[0]->dtype) + " is left to the reference";
}

constexpr KernelEntry kScan[] = {{"scan", supports_scan, make_step<ScanStep>}};

}  // namespace

std::span<const KernelEntry> scan_kernels() { return kScan; }

}  // namespace graft::cpu
