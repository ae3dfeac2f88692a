// What a GEMM-like kernel does to an accumulator before it stores it:
//   dst = act(accumulator + bias[column] + residual).
// Plain data shared by every ISA level: no functions here.
#pragma once

namespace graft::cpu {

enum class Act : int {
  kClamp,      // min(max(x, lo), hi); no activation is lo = -inf, hi = inf
  kLeakyRelu,  // x < 0 ? alpha * x : x
  kSigmoid,
  kSwish,  // x * sigmoid(x)
  kTanh,
  kGeluErf,      // x / 2 * (1 + erf(x / sqrt(2)))
  kGeluTanh,     // x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))
  kHardSwish,    // x * min(max(x + 3, 0), 6) / 6
  kHardSigmoid,  // min(max(x / 6 + 1 / 2, 0), 1)
  kElu,          // x < 0 ? alpha * (exp(x) - 1) : x
  kSelu,         // scale * elu with the constants of the paper
  kSoftplus,     // log(1 + exp(x))
};

// NaN in the accumulator stays NaN for every activation.
struct Epilogue {
  Act act = Act::kClamp;
  float lo = -__builtin_inff();
  float hi = __builtin_inff();
  float alpha = 0.0f;
};

}  // namespace graft::cpu
