// compare: how far the tensors of one graph are from those of another, by TensorFlow name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "graft/status.h"
#include "graft/types.h"

namespace graft {

// One tensor of both graphs, over all feeds. Errors are b - a.
struct TensorComparison {
  std::string name;        // "node" or "node:1"
  bool is_output = false;  // one of the fetched tensors
  int64_t order = 0;       // place in the network, from 0
  int64_t elems = 0;
  // 10 log10(sum a^2 / sum error^2). +infinity: no error at all. NaN, as all other errors then:
  // somewhere NaN or an infinity stands on one side alone, or no pair of elements is finite.
  double sqnr_db = 0;
  double max_abs_error = 0, mean_error = 0, mean_abs_error = 0;
  double cosine = 0;                           // 1 for two tensors of zeros
  double max_abs_a = 0;                        // of finite elements
  int64_t non_finite_a = 0, non_finite_b = 0;  // elements that are NaN or infinite
  double threshold_a = 0, threshold_b = 0;  // 127 * scale of the side that quantizes it; 0: float
  // Finite |elements| in equal bins of [0, histogram_max]; empty when all are 0.
  double histogram_max = 0;
  std::vector<int64_t> histogram_a, histogram_b;
};

struct Comparison {
  std::string name_a, name_b;          // what the reports call the graphs
  std::vector<TensorComparison> rows;  // worst first: NaN, then rising SQNR, then network order
  int64_t runs = 0;
  std::vector<std::string> warnings;

  // Least SQNR of an output; NaN when one is NaN, or when no output could be compared.
  double worst_output_db() const;
  // Whether each output has at least this SQNR. NaN never has.
  bool outputs_reach(double threshold_db) const;

  std::string text() const;
  std::string json() const;  // schema: docs/compare.md
  std::string html() const;  // one page that needs nothing else
};

struct CompareOptions {
  std::vector<std::string> outputs;  // tensors to fetch; empty: the sinks of a that b has too
  std::string name_a = "a", name_b = "b";
  int threads = 0;  // as EngineOptions
  std::string isa;  // as EngineOptions
};

// Compares two frozen graphs, plain or converted, without TensorFlow: the outputs, and each float
// tensor that both make under one name; quantized tensors as the reals that they stand for. Holds
// the tensors of one side for the feeds of one add(), so batches bound the memory. Not thread-safe.
class Comparer {
 public:
  // InvalidArgument: an output is not in a graph, or no output is common. Else as Session::create.
  // The bytes are not needed after return.
  static Result<std::unique_ptr<Comparer>> create(std::span<const std::byte> a,
                                                  std::span<const std::byte> b,
                                                  const CompareOptions& options = {});
  virtual ~Comparer() = default;

  virtual const std::vector<std::string>& inputs() const = 0;   // placeholders of a
  virtual const std::vector<std::string>& outputs() const = 0;  // what is fetched

  // Runs both graphs on the same feeds, by "node" or "node:port". After an error nothing but
  // destruction is of use.
  virtual Status add(std::span<const std::pair<std::string, TensorRef>> feeds,
                     std::stop_token stop = {}) = 0;
  // What add() saw until here. InvalidArgument: nothing was added, or no tensor is common.
  virtual Result<Comparison> finish() const = 0;
};

}  // namespace graft
