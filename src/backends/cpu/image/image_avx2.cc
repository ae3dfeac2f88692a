#define GRAFT_ISA_AVX2

#include "backends/cpu/image/image_vec.h"
#include "backends/cpu/isa/isa_table.h"

GRAFT_ISA_TABLE(ImageTable, image_table)
