#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/check.h"
#include "base/log.h"
#include "compare/sides.h"
#include "compare/to_floats.h"
#include "convert/outputs.h"
#include "graft/compare.h"
#include "graphdef/attr.h"
#include "graphdef/graph.h"

namespace graft {

using namespace compare_detail;

namespace {

constexpr double kLevels = 127;  // of a quantized tensor: threshold = 127 * scale

std::vector<std::string> placeholders(const graphdef::Graph& graph) {
  std::vector<std::string> names;
  for (const graphdef::Node& node : graph.nodes)
    if (node.op == "Placeholder" || node.op == "PlaceholderV2") names.emplace_back(node.name);
  return names;
}

struct Engines {
  bool int8 = false, other = false;
};

Result<Engines> engines_of(const graphdef::Graph& graph) {
  Engines found;
  for (const graphdef::Node& node : graph.nodes) {
    if (node.op != "TRTEngineOp" && node.op != "GraftEngineOp") continue;
    GRAFT_ASSIGN_OR_RETURN(const std::string_view precision,
                           graphdef::attr_string_or(node, "precision_mode", ""));
    (precision == "INT8" ? found.int8 : found.other) = true;
  }
  return found;
}

// Canonical names of what is fetched: those asked for, else the sinks of a that b has.
Result<std::vector<std::string>> choose_outputs(const graphdef::Graph& a, const graphdef::Graph& b,
                                                const CompareOptions& options,
                                                std::vector<std::string>& warnings) {
  ConvertOptions wanted;
  wanted.outputs = options.outputs;
  GRAFT_ASSIGN_OR_RETURN(const auto refs, convert_detail::resolve_outputs(a, wanted));
  std::vector<std::string> names, missing;
  for (graphdef::InputRef ref : refs) {
    const std::string name = graphdef::tensor_name(a, ref);
    const auto in_b = graphdef::find_tensor(b, name);
    if (in_b.ok())
      names.push_back(name);
    else if (!options.outputs.empty())
      return in_b.status().with_context("outputs: graph " + options.name_b);
    else
      missing.push_back(name);
  }
  for (const std::string& name : missing)
    if (!names.empty())
      warnings.push_back("output '" + printable(name) + "' of " + options.name_a + " is not in " +
                         options.name_b);
  if (names.empty())
    return invalid_argument("the graphs have no output in common: " + options.name_b +
                            " has no node '" + printable(missing[0]) + "', which is a sink of " +
                            options.name_a + "; name the outputs to compare");
  return names;
}

class ComparerImpl final : public Comparer {
 public:
  ComparerImpl(std::unique_ptr<Session> a, std::unique_ptr<Session> b, CompareOptions options,
               std::vector<std::string> inputs, std::vector<std::string> outputs,
               std::vector<std::string> warnings)
      : a_(std::move(a)),
        b_(std::move(b)),
        options_(std::move(options)),
        inputs_(std::move(inputs)),
        outputs_(std::move(outputs)),
        warnings_(std::move(warnings)) {}

  const std::vector<std::string>& inputs() const override { return inputs_; }
  const std::vector<std::string>& outputs() const override { return outputs_; }

  Status add(std::span<const std::pair<std::string, TensorRef>> feeds,
             std::stop_token stop) override {
    return guard([&] { return add_checked(feeds, stop); });
  }

  Result<Comparison> finish() const override {
    return guard([&] { return finish_checked(); });
  }

 private:
  using Feeds = std::span<const std::pair<std::string, TensorRef>>;

  Status add_checked(Feeds feeds, const std::stop_token& stop) {
    KeepA keep(pairs_);
    auto fetched = a_->run_observed(outputs_, feeds, keep, stop);
    if (!fetched.ok()) return fetched.status().with_context(options_.name_a);
    for (size_t i = 0; i < outputs_.size(); ++i) {
      const HostTensor& tensor = (*fetched)[i];
      if (auto elems = to_floats(tensor))
        keep.add_output(outputs_[i], std::move(*elems), tensor.dims);
      else
        skip(outputs_[i], tensor.dtype);
    }
    PairB pair(pairs_, keep);
    fetched = b_->run_observed(outputs_, feeds, pair, stop);
    if (!fetched.ok()) return fetched.status().with_context(options_.name_b);
    for (size_t i = 0; i < outputs_.size(); ++i) {
      const HostTensor& tensor = (*fetched)[i];
      if (const auto elems = to_floats(tensor))
        pair.add_output(outputs_[i], *elems, tensor.dims);
      else
        pair.lose_output(outputs_[i], "b is " + dtype_name(tensor.dtype) + ", a is floating");
    }
    pair.finish();
    ++runs_;
    return ok_status();
  }

  void skip(const std::string& output, DType dtype) {
    if (skipped_.insert(output).second)
      warnings_.push_back("output '" + printable(output) + "' is " + dtype_name(dtype) +
                          ", not compared");
  }

  Result<Comparison> finish_checked() const {
    if (runs_ == 0) return invalid_argument("compare: no feeds given");
    Comparison result;
    result.name_a = options_.name_a;
    result.name_b = options_.name_b;
    result.runs = runs_;
    result.warnings = warnings_;
    for (const auto& [name, why] : pairs_.unequal) {
      const bool is_output = std::find(outputs_.begin(), outputs_.end(), name) != outputs_.end();
      result.warnings.push_back("tensor '" + printable(name) + "' can't be compared: " + why);
      if (is_output) result.rows.push_back(spoiled_output(name));
    }
    for (const auto& [name, pair] : pairs_.by_name) {
      TensorComparison& row = result.rows.emplace_back();
      row.name = name;
      row.is_output = pair.is_output;
      row.order = pair.order;
      row.threshold_a = kLevels * pair.scale_a;
      row.threshold_b = kLevels * pair.scale_b;
      pair.statistics.fill(row);
    }
    if (result.rows.empty())
      return invalid_argument("compare: " + options_.name_a + " and " + options_.name_b +
                              " have no float tensor in common" +
                              (result.warnings.empty() ? "" : ": " + result.warnings[0]));
    number_rows(result.rows);
    return result;
  }

  TensorComparison spoiled_output(const std::string& name) const {
    constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
    TensorComparison row;
    row.name = name;
    row.is_output = true;
    row.order = pairs_.seen_a;  // last
    row.sqnr_db = row.max_abs_error = row.mean_error = row.mean_abs_error = row.cosine = kNaN;
    return row;
  }

  // Places without gaps, then worst first.
  static void number_rows(std::vector<TensorComparison>& rows) {
    std::sort(rows.begin(), rows.end(),
              [](const auto& x, const auto& y) { return x.order < y.order; });
    for (size_t i = 0; i < rows.size(); ++i) rows[i].order = static_cast<int64_t>(i);
    std::stable_sort(rows.begin(), rows.end(), [](const auto& x, const auto& y) {
      if (std::isnan(x.sqnr_db) || std::isnan(y.sqnr_db))
        return std::isnan(x.sqnr_db) && !std::isnan(y.sqnr_db);
      return x.sqnr_db < y.sqnr_db;
    });
  }

  const std::unique_ptr<Session> a_, b_;
  const CompareOptions options_;
  const std::vector<std::string> inputs_, outputs_;
  std::vector<std::string> warnings_;
  std::set<std::string> skipped_;
  Pairs pairs_;
  int64_t runs_ = 0;
};

Result<std::unique_ptr<Comparer>> create_checked(std::span<const std::byte> a,
                                                 std::span<const std::byte> b,
                                                 const CompareOptions& options) {
  const auto parse = [](std::span<const std::byte> bytes, const std::string& name) {
    auto graph = graphdef::parse(bytes);
    return graph.ok() ? std::move(graph)
                      : Result<graphdef::Graph>(graph.status().with_context(name));
  };
  GRAFT_ASSIGN_OR_RETURN(const graphdef::Graph graph_a, parse(a, options.name_a));
  GRAFT_ASSIGN_OR_RETURN(const graphdef::Graph graph_b, parse(b, options.name_b));
  std::vector<std::string> warnings;
  GRAFT_ASSIGN_OR_RETURN(std::vector<std::string> outputs,
                         choose_outputs(graph_a, graph_b, options, warnings));
  SessionOptions session_options;
  session_options.engine.threads = options.threads;
  session_options.engine.isa = options.isa;
  session_options.keep_tensors = true;
  GRAFT_ASSIGN_OR_RETURN(const Engines engines_a, engines_of(graph_a));
  GRAFT_ASSIGN_OR_RETURN(const Engines engines_b, engines_of(graph_b));
  session_options.equalized = engines_a.int8 || engines_b.int8;
  if (session_options.equalized && (engines_a.other || engines_b.other))
    warnings.emplace_back(
        "INT8 engines may scale channels between layers by powers of two, other engines do not: "
        "tensors between two convolutions may differ by that; compare with the frozen graph");
  auto session_a = Session::create(a, session_options);
  if (!session_a.ok()) return session_a.status().with_context(options.name_a);
  auto session_b = Session::create(b, session_options);
  if (!session_b.ok()) return session_b.status().with_context(options.name_b);
  return std::unique_ptr<Comparer>(std::make_unique<ComparerImpl>(
      std::move(*session_a), std::move(*session_b), options, placeholders(graph_a),
      std::move(outputs), std::move(warnings)));
}

}  // namespace

Result<std::unique_ptr<Comparer>> Comparer::create(std::span<const std::byte> a,
                                                   std::span<const std::byte> b,
                                                   const CompareOptions& options) {
  return guard([&] { return create_checked(a, b, options); });
}

double Comparison::worst_output_db() const {
  double worst = std::numeric_limits<double>::quiet_NaN();
  for (const TensorComparison& row : rows) {
    if (!row.is_output) continue;
    if (std::isnan(row.sqnr_db)) return row.sqnr_db;
    worst = std::fmin(worst, row.sqnr_db);
  }
  return worst;
}

bool Comparison::outputs_reach(double threshold_db) const {
  return worst_output_db() >= threshold_db;
}

}  // namespace graft
