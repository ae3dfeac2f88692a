#define GRAFT_ISA_BASELINE

#include "backends/cpu/int8/attention8_vec.h"
#include "backends/cpu/isa/isa_table.h"

GRAFT_ISA_TABLE(Int8AttentionTable, int8_attention_table)
