#define GRAFT_ISA_BASELINE

#include "backends/cpu/isa/isa_table.h"
#include "backends/cpu/recurrent/recurrent_vec.h"

GRAFT_ISA_TABLE(RecurrentTable, recurrent_table)
