// Evaluates ops by the reference evaluator: requests on stdin, answers on stdout, until end of
// file.
//   request: u32 length, "conv strides=[2,2] padding=same : float32[1,8,8,3] float32[3,3,3,4] ->
//   1", then the bytes of
//            each input. The number behind the arrow is the number of outputs.
//   answer:  u32 length, "" or the error; then (when ok) each output: u32 length,
//   "float32[1,4,4,4]", its bytes.
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "conformance/problem.h"
#include "ir/infer.h"
#include "reference/evaluate.h"

namespace graft {
namespace {

using conformance::Problem;
using Tensor = conformance::ProblemTensor;

std::optional<std::vector<ir::Dim>> host_of(const Tensor& t) {
  ir::Value v;
  v.type = {t.dtype, {t.dims.begin(), t.dims.end()}};
  v.constant = ir::Constant{t.bytes, false, nullptr};
  const auto ints = ir::constant_ints(v, 64);
  if (!ints || (t.dtype != DType::kInt32 && t.dtype != DType::kInt64)) return std::nullopt;
  return std::vector<ir::Dim>(ints->begin(), ints->end());
}

Result<std::vector<Tensor>> run(const Problem& p) {
  std::vector<ir::TensorType> types;
  std::vector<std::optional<std::vector<ir::Dim>>> hosts;
  for (const Tensor& t : p.inputs) {
    types.push_back({t.dtype, {t.dims.begin(), t.dims.end()}});
    hosts.push_back(host_of(t));
  }
  std::vector<ir::InferInput> in;
  std::vector<reference::ConstTensor> src;
  for (size_t i = 0; i < types.size(); ++i) {
    in.push_back({&types[i], hosts[i] ? &*hosts[i] : nullptr});
    src.push_back({p.inputs[i].dtype, p.inputs[i].dims, p.inputs[i].bytes.data()});
  }
  ir::DimTable dims;
  GRAFT_ASSIGN_OR_RETURN(auto inferred, ir::infer(p.op, in, p.outputs, dims));
  std::vector<Tensor> out;
  for (const ir::InferOutput& o : inferred) {
    Tensor t;
    t.dtype = o.type.dtype;
    for (ir::Dim d : o.type.dims) t.dims.push_back(d.value());
    t.bytes.resize(t.elems() * dtype_size(t.dtype));
    out.push_back(std::move(t));
  }
  std::vector<reference::MutTensor> dst;
  for (Tensor& t : out) dst.push_back({t.dtype, t.dims, t.bytes.data()});
  GRAFT_RETURN_IF_ERROR(reference::evaluate(p.op, src, dst));
  return out;
}

bool read_bytes(void* p, size_t n) { return n == 0 || std::fread(p, 1, n, stdin) == n; }

void write_text(const std::string& s) {
  const auto n = static_cast<uint32_t>(s.size());
  std::fwrite(&n, 4, 1, stdout);
  std::fwrite(s.data(), 1, s.size(), stdout);
}

int serve() {
  uint32_t length;
  while (std::fread(&length, 4, 1, stdin) == 1) {
    std::string line(length, '\0');
    if (!read_bytes(line.data(), length)) return 1;
    auto problem = conformance::parse_problem(line);
    if (!problem.ok()) {  // the inputs' sizes are unknown: no way on
      write_text(problem.status().message());
      return 1;
    }
    for (Tensor& t : problem->inputs)
      if (!read_bytes(t.bytes.data(), t.bytes.size())) return 1;
    auto out = run(*problem);
    write_text(out.ok()
                   ? ""
                   : std::string(code_name(out.status().code())) + ": " + out.status().message());
    if (!out.ok()) continue;
    for (const Tensor& t : *out) {
      std::string type = dtype_name(t.dtype) + "[";
      for (size_t i = 0; i < t.dims.size(); ++i) type += (i ? "," : "") + std::to_string(t.dims[i]);
      write_text(type + "]");
      std::fwrite(t.bytes.data(), 1, t.bytes.size(), stdout);
    }
  }
  return 0;
}

}  // namespace
}  // namespace graft

int main() { return graft::serve(); }
