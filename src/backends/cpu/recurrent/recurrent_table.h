// One step of a recurrent cell for one block of units, as plain C types.
#pragma once

#include <stddef.h>

#include "backends/cpu/gemm/epilogue.h"

namespace graft::cpu {

// A block is one vector of units. Its weights are [k][gates][lanes], columns past `units` zero.
struct RecurrentArgs {
  const float* weights;
  const float* state;   // [rows, k]: what the weights multiply, h or (second half of kGru) r h
  const float* gates;   // of the step, this block's column of the first gate; row 0
  ptrdiff_t gates_ld;   // between rows
  ptrdiff_t gate_step;  // between gates of a row; units of the layer
  const float* h;       // of the block, rows gate_step apart; so are those below
  float* h_next;        // may be null in the first half of kGru
  const float* c;
  float* c_next;             // may be c
  float* z;                  // kGru: what its first half leaves to the second
  float* scaled;             // kGru: r h
  const float* bias;         // kGruResetAfter, or null
  const float* peephole;     // kLstm, gate_step apart, or null
  float cell_clip;           // 0: none
  ptrdiff_t rows, k, units;  // units <= lanes
};

// By gate activation (sigmoid, hard sigmoid) and activation (tanh, relu, none).
constexpr int kGateActs = 2, kStateActs = 3;
using RecurrentBlockFn = void (*)(const RecurrentArgs*);

struct RecurrentTable {
  int lanes;
  RecurrentBlockFn lstm[kGateActs][kStateActs];
  RecurrentBlockFn gru_gates[kGateActs];   // kGru: z and r h
  RecurrentBlockFn gru_state[kStateActs];  // kGru: h from them
  RecurrentBlockFn gru_reset_after[kGateActs][kStateActs];
  RecurrentBlockFn simple[kStateActs];
};

inline namespace isa_baseline {
const RecurrentTable* recurrent_table();
}
inline namespace isa_avx2 {
const RecurrentTable* recurrent_table();
}
inline namespace isa_avx512 {
const RecurrentTable* recurrent_table();
}

}  // namespace graft::cpu
