#define GRAFT_ISA_AVX2

#include "backends/cpu/isa/isa_table.h"
#include "backends/cpu/spectral/complex_vec.h"

GRAFT_ISA_TABLE(SpectralTable, spectral_table)
