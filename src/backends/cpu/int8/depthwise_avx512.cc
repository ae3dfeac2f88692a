#define GRAFT_ISA_AVX512

#include "backends/cpu/int8/depthwise_3x3_vec.h"
#include "backends/cpu/isa/isa_table.h"

GRAFT_ISA_TABLE(Int8DepthwiseTable, int8_depthwise_table)
