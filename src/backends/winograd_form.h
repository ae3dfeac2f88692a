// The forms of Winograd's algorithm that have kernels, as plain data for every ISA level.
//
// A form computes a patch of tile_h x tile_w outputs of a kernel_h x kernel_w, stride 1 convolution
// from n_h() x n_w() products a channel pair, by polynomials evaluated at 0, at pairs +a, -a and at
// infinity. The values a are binary fractions: every coefficient of the transforms of src and dst
// is exact. They are chosen for small errors: measured over normal data, 3/4 and 3/2 halve that of
// the usual 1 and 2.
#pragma once

namespace graft::cpu {

struct WinogradForm {
  int kernel_h, kernel_w;  // 1-D forms: kernel_h = 1; they serve the transposed kernel too
  int tile_h, tile_w;      // outputs
  double error_constant;   // of its bar; the direct form has 1
  const char* kernel_name;
  constexpr int n_h() const { return tile_h + kernel_h - 1; }
  constexpr int n_w() const { return tile_w + kernel_w - 1; }
  constexpr int positions() const { return n_h() * n_w(); }
};

// Error constants as measured: 0.2, 1.1, 0.2 and 0.6. They are largest at borders, where few
// taps of a pixel lie inside but the whole tile shares its roundings.
inline constexpr int kWinogradForms = 4;
inline constexpr WinogradForm kWinogradForm[kWinogradForms] = {
    {3, 3, 2, 2, 1, "conv_winograd_2x2_f32"},
    {3, 3, 4, 4, 1, "conv_winograd_4x4_f32"},
    {5, 5, 2, 2, 1, "conv_winograd_2x2_k5_f32"},
    {1, 3, 1, 4, 1, "conv_winograd_1x4_k3_f32"},
};
inline constexpr int kMaxWinogradPoints = 6;

// The a > 0 of n points: (n - 2) / 2 of them.
struct WinogradPairs {
  double a[2];
};
constexpr int winograd_pairs(int n) { return (n - 2) / 2; }
inline constexpr WinogradPairs kWinogradPairs[3] = {{}, {{1}}, {{0.75, 1.5}}};

}  // namespace graft::cpu
