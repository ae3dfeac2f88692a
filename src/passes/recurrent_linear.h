// Sums of products with constant weights, read out of a network: through joined, split and sliced
// products, biases and residuals.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "ir/network.h"

namespace graft::passes {

// A part of a constant matrix, from this element on: as many rows as the leaf is wide, as many
// columns as the form.
struct WeightsPart {
  ir::ValueId matrix = ir::kNoValue;
  int64_t row = 0, column = 0;
};

// sum over leaves of leaf * weights, + bias, for a matrix [B, width].
struct LinearForm {
  int64_t width = 0;
  std::map<ir::ValueId, WeightsPart> terms;
  std::vector<double> bias;  // [width]
};

class LinearReader {
 public:
  explicit LinearReader(const ir::Network& network);

  const ir::Network& network() const { return net_; }
  // nullptr for inputs and constants.
  const ir::Op* producer(ir::ValueId id) const;
  const ir::TensorType& type(ir::ValueId id) const {
    return net_.values[static_cast<size_t>(id)].type;
  }
  // The value as such a sum; nullptr when it is none. before_act: what a matmul's activation is
  // applied to.
  const LinearForm* read(ir::ValueId id, bool before_act = false);

 private:
  ir::ValueId matrix_of_row(ir::ValueId id) const;
  std::optional<LinearForm> compute(ir::ValueId id, bool before_act);
  std::optional<LinearForm> product(const ir::Op& op);
  std::optional<LinearForm> sum(const LinearForm& a, const LinearForm& b) const;
  std::optional<LinearForm> sum(const LinearForm& a, const ir::Value& constant) const;
  std::optional<LinearForm> columns_of_split(const ir::Op& op, ir::ValueId id);
  std::optional<LinearForm> columns_of_slice(const ir::Op& op);

  const ir::Network& net_;
  ir::Uses uses_;
  std::map<std::pair<ir::ValueId, bool>, std::optional<LinearForm>> known_;
  int depth_ = 0;
};

}  // namespace graft::passes
