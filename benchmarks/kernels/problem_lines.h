// Convolution and matrix product problems, one a line:
//   conv2d 1x56x56x64 k=3x3x64x64 s=1 same [count=3] [g=1]     (also `valid`)
//   dwconv 1x112x112x32 k=3x3 s=1 same
//   gemm m=128 k=768 n=3072
// and how one is timed.
#pragma once

#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "backends/cpu/conv/conv2d.h"

namespace graft::cpu {

// With one thread: its CPU time, which other processes of the machine disturb least. With more:
// wall time.
inline bool cpu_clock = false;
inline double now() {
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

inline std::vector<int64_t> numbers(const std::string& s) {
  std::vector<int64_t> out;
  std::stringstream in(s);
  for (std::string part; std::getline(in, part, 'x');) out.push_back(std::atoll(part.c_str()));
  return out;
}

inline bool parse(const std::string& text, Line& line) {
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

// Seconds of a call in each of `slices` slices of about 2 ms, ascending.
template <typename F>
std::vector<double> slice_seconds(int slices, F&& f) {
  double t = now();
  f();
  const int reps = std::max(1, static_cast<int>(2e-3 / (now() - t + 1e-9)));
  std::vector<double> seconds;
  for (int i = 0; i < slices; ++i) {
    t = now();
    for (int r = 0; r < reps; ++r) f();
    seconds.push_back((now() - t) / reps);
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds;
}

template <typename F>
double best_seconds(int slices, F&& f) {
  return slice_seconds(slices, f).front();
}

template <typename F>
double median_seconds(int slices, F&& f) {
  return slice_seconds(slices, f)[static_cast<size_t>(slices / 2)];
}

}  // namespace graft::cpu
