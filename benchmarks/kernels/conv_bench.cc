// Times the problems of a list (problem_lines.h) and prints ms, GFLOP/s and the share of the
// multiply-add peak measured in the same process; the last line is the sum over the list. Usage:
// conv_bench <list file> [threads] [isa: baseline|avx2|avx512] [slices] [strict|fast] [hot|cold]
// [median]. A time (CPU time with one thread, else wall time) is the least, or the median, of
// `slices` slices of about 2 ms; sums weight each line by its count. cold: every call reads another
// copy of the weights, as in a network whose weights exceed the caches.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "backends/cpu/conv/conv2d.h"
#include "backends/cpu/conv/depthwise2d.h"
#include "backends/cpu/conv/winograd2d.h"
#include "backends/cpu/threads/parallel.h"
#include "kernels/fma_peak.h"
#include "kernels/problem_lines.h"

namespace {

using namespace graft::cpu;

bool winograd = false, cold = false, median = false;

// Weights of which no copy is in a cache any more when its turn comes again.
constexpr size_t kColdBytes = size_t{160} << 20;

graft::Buffer copy_of(const graft::Buffer& b) {
  auto copy = graft::Buffer::allocate_weights(b.size());
  if (!copy.ok()) std::exit(1);
  std::memcpy(copy.value().data(), b.data(), b.size());
  return std::move(copy).value();
}
WinogradWeights copy_of(const WinogradWeights& w) {
  return {w.table, w.form, w.transposed, w.panels, w.position_elems, copy_of(w.packed)};
}
ConvWeights copy_of(const ConvWeights& w) {
  ConvWeights c;
  c.table = w.table;
  c.panels = w.panels;
  c.group_elems = w.group_elems;
  c.packed = copy_of(w.packed);
  c.zeros = c.packed.as<float>() + (w.zeros - w.packed.as<float>());
  return c;
}

// The next copy of the weights at every call.
template <typename W>
class Rotation {
 public:
  explicit Rotation(W w) {
    const size_t copies = cold ? kColdBytes / w.packed.size() : 0;
    all_.push_back(std::move(w));
    while (all_.size() < copies) all_.push_back(copy_of(all_[0]));
  }
  const W& next() { return all_[turn_++ % all_.size()]; }

 private:
  std::vector<W> all_;
  size_t turn_ = 0;
};

template <typename F>
double seconds_of(int slices, F&& f) {
  return median ? median_seconds(slices, f) : best_seconds(slices, f);
}

double time_line(const ComputeTable& table, const Line& line, int threads, int slices) {
  const ConvShape& s = line.shape;
  const int64_t cg = s.c / s.groups;
  std::vector<float> src(static_cast<size_t>(s.batch * s.h * s.w * s.c)),
      bias(static_cast<size_t>(s.oc));
  std::vector<float> weights(static_cast<size_t>(s.kh * s.kw * cg * s.oc));
  std::vector<float> dst(static_cast<size_t>(s.batch * s.oh * s.ow * s.oc));
  for (size_t i = 0; i < src.size(); ++i)
    src[i] = static_cast<float>(i * 7919 % 1013) / 1013 - 0.5f;
  for (size_t i = 0; i < weights.size(); ++i)
    weights[i] = static_cast<float>(i * 104729 % 997) / 997 - 0.5f;
  Epilogue e;
  e.lo = 0;
  if (line.depthwise) {
    const DepthwisePlan plan = plan_depthwise(s, threads);
    auto packed = pack_depthwise(table, weights.data(), s);
    if (!packed.ok()) std::exit(1);
    return seconds_of(slices, [&] {
      run_depthwise(table, plan, packed.value().as<float>(), src.data(), bias.data(), nullptr, e,
                    dst.data());
    });
  }
  if (winograd && winograd_form(s) >= 0) {
    auto packed = WinogradWeights::pack(table, weights.data(), s, winograd_form(s));
    if (!packed.ok()) std::exit(1);
    Rotation<WinogradWeights> rotation(std::move(packed).value());
    const WinogradPlan plan = plan_winograd(rotation.next(), s, threads);
    auto scratch = graft::Buffer::allocate(static_cast<size_t>(plan.scratch_bytes()) + 64);
    if (!scratch.ok()) std::exit(1);
    return seconds_of(slices, [&] {
      run_winograd(rotation.next(), plan, src.data(), bias.data(), nullptr, e, dst.data(),
                   scratch.value().data());
    });
  }
  auto packed = ConvWeights::pack(table, weights.data(), s);
  if (!packed.ok()) std::exit(1);
  Rotation<ConvWeights> rotation(std::move(packed).value());
  const ConvPlan plan = plan_conv(rotation.next(), s, threads);
  auto scratch = graft::Buffer::allocate(static_cast<size_t>(plan.scratch_bytes()) + 64);
  if (!scratch.ok()) std::exit(1);
  return seconds_of(slices, [&] {
    run_conv(rotation.next(), plan, src.data(), bias.data(), nullptr, e, dst.data(),
             scratch.value().data());
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2)
    return std::fprintf(stderr,
                        "usage: conv_bench <list> [threads] [isa] [slices] [strict|fast] "
                        "[hot|cold] [best|median]\n"),
           2;
  const int threads = argc > 2 ? std::atoi(argv[2]) : 1;
  const std::string isa = argc > 3 ? argv[3] : "avx2";
  const int slices = argc > 4 ? std::atoi(argv[4]) : 30;
  const ComputeTable* table = isa == "avx512"     ? isa_avx512::compute_table()
                              : isa == "baseline" ? isa_baseline::compute_table()
                                                  : isa_avx2::compute_table();
  std::ifstream file(argv[1]);
  winograd = argc > 5 && std::string(argv[5]) == "fast";
  cold = argc > 6 && std::string(argv[6]) == "cold";
  median = argc > 7 && std::string(argv[7]) == "median";
  cpu_clock = threads == 1;
  double total = 0, flops = 0, peak = 0;
  begin_run(threads);
  for (int i = 0; i < 50; ++i) peak = std::max(peak, fma_peak_gflops(*table) * threads);
  std::printf("# %s, %d threads, multiply-add peak %.1f GFLOP/s\n", table->name, threads, peak);
  for (std::string text; std::getline(file, text);) {
    Line line;
    if (!parse(text, line)) continue;
    const ConvShape& s = line.shape;
    const double seconds = time_line(*table, line, threads, slices);
    const double work =
        2.0 * static_cast<double>(s.batch * s.oh * s.ow * s.oc * s.kh * s.kw * (s.c / s.groups));
    std::printf("%8.3f ms %7.1f GFLOP/s %5.1f %%  x%d  %s\n", seconds * 1e3, work / seconds * 1e-9,
                work / seconds * 1e-7 / peak, line.count, line.text.c_str());
    std::fflush(stdout);
    total += seconds * line.count;
    flops += work * line.count;
  }
  end_run();
  std::printf("%8.3f ms %7.1f GFLOP/s %5.1f %%  sum\n", total * 1e3, flops / total * 1e-9,
              flops / total * 1e-7 / peak);
}
