// Builders for IR tests.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "ir/infer.h"
#include "ir/network.h"
#include "ir/verify.h"

namespace graft::ir {

// One inference call: inputs are added in order, then type() / error() run it.
class InferCase {
 public:
  explicit InferCase(Attrs attrs) { op_.attrs = std::move(attrs), op_.name = "x"; }
  InferCase& in(std::vector<Dim> dims, DType dtype = DType::kFloat) {
    types_.push_back({dtype, std::move(dims)});
    hosts_.emplace_back();
    return *this;
  }
  // A rank-1 operand with known elements.
  InferCase& host(std::vector<Dim> elems, DType dtype = DType::kInt32) {
    types_.push_back({dtype, {Dim(static_cast<int64_t>(elems.size()))}});
    hosts_.push_back(std::move(elems));
    return *this;
  }
  InferCase& scalar(Dim elem, DType dtype = DType::kInt32) {
    types_.push_back({dtype, {}});
    hosts_.push_back(std::vector<Dim>{elem});
    return *this;
  }
  InferCase& host_of(std::vector<Dim> dims, std::vector<Dim> elems, DType dtype = DType::kInt32) {
    types_.push_back({dtype, std::move(dims)});
    hosts_.push_back(std::move(elems));
    return *this;
  }
  InferCase& outputs(size_t n) {
    outputs_ = n;
    return *this;
  }
  Result<std::vector<InferOutput>> run(DimTable& dims) {
    std::vector<InferInput> in;
    for (size_t i = 0; i < types_.size(); ++i)
      in.push_back({&types_[i], hosts_[i] ? &*hosts_[i] : nullptr});
    return infer(op_, in, outputs_, dims);
  }
  Result<std::vector<InferOutput>> run() { return run(own_); }
  // "float32 [1,2]" plus " host=[..]", or "code: message".
  std::string text(DimTable& dims) {
    auto r = run(dims);
    if (!r.ok()) return std::string(code_name(r.status().code())) + ": " + r.status().message();
    std::string s;
    for (const InferOutput& o : *r) {
      if (!s.empty()) s += "; ";
      s += dtype_name(o.type.dtype) + " " + list(o.type.dims, dims);
      if (o.host) s += " host=" + list(*o.host, dims);
    }
    return s;
  }
  std::string text() { return text(own_); }

 private:
  static std::string list(const std::vector<Dim>& v, const DimTable& dims) {
    std::string s = "[";
    for (size_t i = 0; i < v.size(); ++i) s += (i ? "," : "") + dims.text(v[i]);
    return s + "]";
  }
  Op op_;
  std::vector<TensorType> types_;
  std::vector<std::optional<std::vector<Dim>>> hosts_;
  size_t outputs_ = 1;
  DimTable own_;
};

}  // namespace graft::ir
