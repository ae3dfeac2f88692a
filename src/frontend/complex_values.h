// Complex tensors, which no border of an engine has: one is held as its real and imaginary parts
// along a last axis of 2.
#pragma once

#include "frontend/node_import.h"

namespace graft::frontend {

// The dtype of the parts of complex64 or complex128; kInvalid: it is neither.
DType part_of(DType complex);
// The complex dtype whose parts have the dtype.
DType complex_of(DType part);

// Rank of the complex tensor that `id` holds.
int complex_rank(const NodeImport& n, ir::ValueId id);
// Attribute `name`, complex64 where it is missing, must be the dtype of the input.
Status check_complex(NodeImport& n, std::string_view name, size_t input);
// The node's output, of the given complex dtype.
void output_complex(NodeImport& n, ir::ValueId id, DType complex);

// src, of real numbers, as complex ones without imaginary part.
Result<ir::ValueId> complex_from_real(NodeImport& n, ir::ValueId src);

// Importers of ops over complex inputs, for which other rows stand in the families' tables.
std::span<const OpEntry> complex_rows();

}  // namespace graft::frontend
