// Times convolution and matrix product problems, one a line:
//   conv2d 1x56x56x64 k=3x3x64x64 s=1 same [count=3] [g=1]     (also `valid`)
//   dwconv 1x112x112x32 k=3x3 s=1 same
//   gemm m=128 k=768 n=3072
// and prints ms, GFLOP/s and the share of the multiply-add peak measured in the same process; the
// last line is the sum over the list. Usage: conv_bench <list file> [threads] [isa:
// baseline|avx2|avx512] [slices] [strict|fast] A time (CPU time with one thread, else wall time) is
// the least of `slices` slices of about 2 ms (hot caches); sums weight each line by its count.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "backends/cpu/conv/conv2d.h"
#include "backends/cpu/conv/depthwise2d.h"
#include "backends/cpu/conv/winograd2d.h"
#include "backends/cpu/threads/parallel.h"
#include "kernels/fma_peak.h"

namespace {

using namespace graft::cpu;

// With one thread: its CPU time, which other processes of the machine disturb least. With more:
// wall time.
bool cpu_clock = false;
bool winograd = false;
double now() {
  timespec t;
  clock_gettime(cpu_clock ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

struct Line {
  std::string text;
  ConvShape shape;
  bool depthwise = false;
  int count = 1;
};

std::vector<int64_t> numbers(const std::string& s) {
  std::vector<int64_t> out;
  std::stringstream in(s);
  for (std::string part; std::getline(in, part, 'x');) out.push_back(std::atoll(part.c_str()));
  return out;
}

bool parse(const std::string& text, Line& line) {
  std::stringstream in(text);
  std::string word;
  if (!(in >> word) || word[0] == '#') return false;
  line = {};
  line.text = text;
  ConvShape& s = line.shape;
  bool same = true;
  if (word == "gemm") {
    while (in >> word) {
      const int64_t v = std::atoll(word.c_str() + word.find('=') + 1);
      if (word[0] == 'm') s.h = v;
      if (word[0] == 'k') s.c = v;
      if (word[0] == 'n') s.oc = v;
      if (word.rfind("count=", 0) == 0) line.count = static_cast<int>(v);
    }
    s.batch = s.w = 1;
  } else {
    line.depthwise = word == "dwconv";
    in >> word;
    const auto src = numbers(word);
    s.batch = src[0], s.h = src[1], s.w = src[2], s.c = src[3];
    s.oc = s.c;
    while (in >> word) {
      const std::string value = word.substr(word.find('=') + 1);
      if (word.rfind("k=", 0) == 0) {
        const auto k = numbers(value);
        s.kh = k[0], s.kw = k[1];
        if (k.size() > 3) s.oc = k[3];
      }
      if (word.rfind("s=", 0) == 0) s.stride_h = s.stride_w = std::atoll(value.c_str());
      if (word.rfind("g=", 0) == 0) s.groups = std::atoll(value.c_str());
      if (word.rfind("count=", 0) == 0) line.count = std::atoi(value.c_str());
      if (word == "valid") same = false;
    }
  }
  if (line.depthwise) s.groups = s.c;
  if (same) {
    s.oh = (s.h + s.stride_h - 1) / s.stride_h;
    s.ow = (s.w + s.stride_w - 1) / s.stride_w;
    s.pad_top = std::max<int64_t>(0, (s.oh - 1) * s.stride_h + s.kh - s.h) / 2;
    s.pad_left = std::max<int64_t>(0, (s.ow - 1) * s.stride_w + s.kw - s.w) / 2;
  } else {
    s.oh = (s.h - s.kh) / s.stride_h + 1;
    s.ow = (s.w - s.kw) / s.stride_w + 1;
  }
  s.src_ld = s.c;
  s.dst_ld = s.residual_ld = s.oc;
  return true;
}

template <typename F>
double best_seconds(int slices, F&& f) {
  double t = now();
  f();
  const int reps = std::max(1, static_cast<int>(2e-3 / (now() - t + 1e-9)));
  double best = 1e30;
  for (int i = 0; i < slices; ++i) {
    t = now();
    for (int r = 0; r < reps; ++r) f();
    best = std::min(best, (now() - t) / reps);
  }
  return best;
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
    return best_seconds(slices, [&] {
      run_depthwise(table, plan, packed.value().as<float>(), src.data(), bias.data(), nullptr, e,
                    dst.data());
    });
  }
  if (winograd && winograd_fits(s)) {
    auto packed = WinogradWeights::pack(table, weights.data(), s);
    if (!packed.ok()) std::exit(1);
    const WinogradPlan plan = plan_winograd(packed.value(), s, threads);
    auto scratch = graft::Buffer::allocate(static_cast<size_t>(plan.scratch_bytes()) + 64);
    if (!scratch.ok()) std::exit(1);
    return best_seconds(slices, [&] {
      run_winograd(packed.value(), plan, src.data(), bias.data(), nullptr, e, dst.data(),
                   scratch.value().data());
    });
  }
  auto packed = ConvWeights::pack(table, weights.data(), s);
  if (!packed.ok()) std::exit(1);
  const ConvPlan plan = plan_conv(packed.value(), s, threads);
  auto scratch = graft::Buffer::allocate(static_cast<size_t>(plan.scratch_bytes()) + 64);
  if (!scratch.ok()) std::exit(1);
  return best_seconds(slices, [&] {
    run_conv(packed.value(), plan, src.data(), bias.data(), nullptr, e, dst.data(),
             scratch.value().data());
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2)
    return std::fprintf(stderr,
                        "usage: conv_bench <list> [threads] [isa] [slices] [strict|fast]\n"),
           2;
  const int threads = argc > 2 ? std::atoi(argv[2]) : 1;
  const std::string isa = argc > 3 ? argv[3] : "avx2";
  const int slices = argc > 4 ? std::atoi(argv[4]) : 30;
  const ComputeTable* table = isa == "avx512"     ? isa_avx512::compute_table()
                              : isa == "baseline" ? isa_baseline::compute_table()
                                                  : isa_avx2::compute_table();
  std::ifstream file(argv[1]);
  winograd = argc > 5 && std::string(argv[5]) == "fast";
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
