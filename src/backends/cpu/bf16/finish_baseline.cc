#define GRAFT_ISA_BASELINE

#include "backends/cpu/bf16/finish_vec.h"
#include "backends/cpu/isa/isa_table.h"

GRAFT_ISA_TABLE(Bf16Finish, bf16_finish)
