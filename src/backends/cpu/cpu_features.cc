#include "backends/cpu/cpu_features.h"

#include <cpuid.h>
#include <unistd.h>

#include <cstdint>

namespace graft::cpu {
namespace {

// Register state that the operating system saves: without it the instructions fault.
uint64_t os_saved_state() {
  uint32_t lo = 0, hi = 0;
  __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
  return (uint64_t{hi} << 32) | lo;
}

bool is_amd() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(0, &a, &b, &c, &d) && b == signature_AMD_ebx && c == signature_AMD_ecx &&
         d == signature_AMD_edx;
}

bool bit(unsigned reg, int i) { return (reg >> i) & 1u; }

void detect_isa(ir::Target& target) {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return;
  const bool fma = bit(c, 12), osxsave = bit(c, 27), avx = bit(c, 28), f16c = bit(c, 29);
  if (!osxsave || !avx) return;
  const uint64_t saved = os_saved_state();
  constexpr uint64_t kYmm = 0x6, kZmm = 0xe6, kTiles = 0x60000;
  unsigned a7 = 0, b7 = 0, c7 = 0, d7 = 0;
  if (!__get_cpuid_count(7, 0, &a7, &b7, &c7, &d7)) return;
  if ((saved & kYmm) != kYmm || !bit(b7, 5) || !fma || !f16c) return;
  target.isa = ir::Isa::kAvx2;
  unsigned a71 = 0;
  if (a7 >= 1 && __get_cpuid_count(7, 1, &a71, &b, &c, &d)) target.avx_vnni = bit(a71, 4);
  const bool f = bit(b7, 16), dq = bit(b7, 17), bw = bit(b7, 30), vl = bit(b7, 31);
  if ((saved & kZmm) != kZmm || !f || !dq || !bw || !vl) return;
  target.isa = ir::Isa::kAvx512;
  target.avx512_bf16 = bit(a71, 5);
  // Intel's take as long as two multiply-adds of float32 (measured on Sapphire Rapids: twice as
  // long as float32 for the same product).
  target.fast_bf16_dot = target.avx512_bf16 && is_amd();
  if (!bit(c7, 11)) return;
  target.isa = ir::Isa::kAvx512Vnni;
  const bool amx_bf16 = bit(d7, 22), amx_tile = bit(d7, 24), amx_int8 = bit(d7, 25);
  if ((saved & kTiles) != kTiles || !amx_tile || !amx_bf16 || !amx_int8) return;
  target.isa = ir::Isa::kAmx;
}

void detect_cache(int name, int64_t& size_bytes) {
  if (const long n = sysconf(name); n > 0) size_bytes = n;
}

}  // namespace

const ir::Target& machine_target() {
  static const ir::Target target = [] {
    ir::Target t;
    detect_isa(t);
    detect_cache(_SC_LEVEL1_DCACHE_SIZE, t.l1d_bytes);
    detect_cache(_SC_LEVEL2_CACHE_SIZE, t.l2_bytes);
    detect_cache(_SC_LEVEL3_CACHE_SIZE, t.l3_bytes);
    return t;
  }();
  return target;
}

}  // namespace graft::cpu
