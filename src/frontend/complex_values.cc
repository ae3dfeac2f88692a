#include "frontend/complex_values.h"

#include "base/dtype.h"

namespace graft::frontend {

DType part_of(DType complex) {
  if (complex == DType::kComplex64) return DType::kFloat;
  return complex == DType::kComplex128 ? DType::kDouble : DType::kInvalid;
}

DType complex_of(DType part) {
  if (part == DType::kFloat) return DType::kComplex64;
  return part == DType::kDouble ? DType::kComplex128 : DType::kInvalid;
}

int complex_rank(const NodeImport& n, ir::ValueId id) { return n.at(id).type.rank() - 1; }

Status check_complex(NodeImport& n, std::string_view name, size_t input) {
  GRAFT_ASSIGN_OR_RETURN(const DType declared, n.attr_type(name, DType::kComplex64));
  const DType foreign = n.foreign(n.in(input));
  const DType got = foreign == DType::kInvalid ? n.dtype(input) : foreign;
  if (got == declared && part_of(got) != DType::kInvalid) return ok_status();
  return n.invalid("attribute '" + std::string(name) + "' is " + dtype_name(declared) + ", input " +
                   std::to_string(input) + " is " + dtype_name(got));
}

void output_complex(NodeImport& n, ir::ValueId id, DType complex) {
  n.mark_foreign(id, complex);
  n.output(id);
}

Result<ir::ValueId> complex_from_real(NodeImport& n, ir::ValueId src) {
  return n.emit(ir::ComplexAttrs{ir::ComplexFn::kMake},
                {src, n.constant_scalar(0, n.at(src).type.dtype)});
}

}  // namespace graft::frontend
