// What the machine can do at most, as JSON: multiply-adds in float32 and INT8 on cached data
// through the kernels' own register tiles, and reading of the second-level cache and of memory.
// Usage: machine_peaks [threads]. All threads work at once; each number is the best of a few
// rounds.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>
#include <vector>

#include "backends/cpu/cpu_features.h"
#include "backends/cpu/gemm/compute_select.h"
#include "backends/cpu/int8/conv8.h"
#include "backends/cpu/int8/product.h"
#include "kernels/fma_peak.h"

namespace {

using namespace graft::cpu;
using Clock = std::chrono::steady_clock;

constexpr int kRounds = 5;
constexpr double kRoundSeconds = 0.03;
constexpr size_t kL2Bytes = size_t{256} << 10, kMemoryBytes = size_t{96} << 20;

// Units a second of all threads; once() does `units` of them.
double rate(int threads, double units, const std::function<std::function<void()>()>& make) {
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::atomic<int> ready = 0;
    std::vector<double> rates(static_cast<size_t>(threads));
    std::vector<std::thread> workers;
    for (int t = 0; t < threads; ++t) {
      workers.emplace_back([&, t] {
        const std::function<void()> once = make();
        once();
        for (++ready; ready < threads;) {
        }
        int64_t count = 0;
        const auto begin = Clock::now();
        double seconds = 0;
        for (; seconds < kRoundSeconds; ++count) {
          once();
          seconds = std::chrono::duration<double>(Clock::now() - begin).count();
        }
        rates[static_cast<size_t>(t)] = units * static_cast<double>(count) / seconds;
      });
    }
    double sum = 0;
    for (size_t t = 0; t < workers.size(); ++t) {
      workers[t].join();
      sum += rates[t];
    }
    best = std::max(best, sum);
  }
  return best;
}

double float_gflops(int threads) {
  const ComputeTable& table = compute_table_of(machine_target());
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<double> rates(static_cast<size_t>(threads));
    std::vector<std::thread> workers;
    for (int t = 0; t < threads; ++t)
      workers.emplace_back([&, t] {
        for (int i = 0; i < 40; ++i)
          rates[static_cast<size_t>(t)] =
              std::max(rates[static_cast<size_t>(t)], fma_peak_gflops(table));
      });
    double sum = 0;
    for (size_t t = 0; t < workers.size(); ++t) {
      workers[t].join();
      sum += rates[t];
    }
    best = std::max(best, sum);
  }
  return best;
}

// A product whose operands and results stay in the first-level cache.
double int8_gops(int threads, bool has_sign) {
  const Int8Isa isa = int8_isa_of(machine_target());
  ConvShape s;
  s.batch = s.h = s.oh = 1;
  s.w = s.ow = 48;
  s.c = s.src_ld = 256;
  s.oc = s.dst_ld = s.residual_ld = 64;
  std::vector<int8_t> values(static_cast<size_t>(s.c * s.oc));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int8_t>(i * 7919 % 31) - 15;
  const Int8Matrix matrix = int8_conv_matrix(s, values.data());
  auto weights =
      Int8Weights::pack(int8_weights_table(isa, matrix, has_sign), matrix, nullptr, has_sign);
  if (!weights.ok()) std::exit(1);
  Int8Epilogue e;
  e.finish = isa.finish->to_quantized;
  e.quantized = e.within_int32 = true;
  e.m.assign(weights->bias.size(), 1e-3f);
  e.hi = 127;
  const Int8ConvPlan plan = plan_int8_conv(*weights, s, 1);
  const double work = 2e-9 * static_cast<double>(s.ow * s.c * s.oc);
  return rate(threads, work, [&] {
    auto src = std::make_shared<std::vector<uint8_t>>(static_cast<size_t>(s.w * s.c), uint8_t{3});
    auto dst = std::make_shared<std::vector<uint8_t>>(static_cast<size_t>(s.w * s.oc));
    auto scratch =
        std::make_shared<std::vector<char>>(static_cast<size_t>(plan.scratch_bytes() + 64));
    return [=, &weights, &e, &plan] {
      char* aligned = scratch->data() + (64 - reinterpret_cast<uintptr_t>(scratch->data()) % 64);
      run_int8_conv(*weights, plan, e, src->data(), nullptr, dst->data(), aligned);
    };
  });
}

double read_gbytes(int threads, size_t bytes) {
  return rate(threads, static_cast<double>(bytes) * 1e-9, [=] {
    auto data = std::make_shared<std::vector<uint64_t>>(bytes / 8, 1);
    return [data] {
      const uint64_t* p = data->data();
      uint64_t a = 0, b = 0, c = 0, d = 0;
      for (size_t i = 0; i < data->size(); i += 8) {
        a += p[i] ^ p[i + 1];
        b += p[i + 2] ^ p[i + 3];
        c += p[i + 4] ^ p[i + 5];
        d += p[i + 6] ^ p[i + 7];
      }
      static std::atomic<uint64_t> sink;
      sink.store(a + b + c + d, std::memory_order_relaxed);
    };
  });
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::max(1, std::atoi(argv[1])) : 1;
  std::printf(
      "{\"threads\": %d, \"fp32_gflops\": %.1f, \"int8_gops\": %.1f, \"int8_signed_gops\": %.1f, "
      "\"l2_gbytes\": %.1f, \"memory_gbytes\": %.1f}\n",
      threads, float_gflops(threads), int8_gops(threads, false), int8_gops(threads, true),
      read_gbytes(threads, kL2Bytes), read_gbytes(threads, kMemoryBytes));
}
