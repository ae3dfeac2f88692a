// TensorFlow's quantized dtypes (qint8, quint8, qint16, quint16, qint32), which no border of an
// engine has.
#pragma once

#include "frontend/node_import.h"

namespace graft::frontend {

// The integers that hold such a dtype; kInvalid: it is none.
DType held_as(DType quantized);

}  // namespace graft::frontend
