#define GRAFT_ISA_AVX512

#include "backends/cpu/fake_quant/fake_quant_vec.h"
#include "backends/cpu/isa/isa_table.h"

GRAFT_ISA_TABLE(FakeQuantTable, fake_quant_table)
