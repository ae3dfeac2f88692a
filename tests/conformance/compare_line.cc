#include "conformance/compare_line.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>

#include "conformance/problem.h"
#include "engine/plan/plan.h"
#include "graft/engine.h"

namespace graft::conformance {
namespace {

struct Outputs final : OutputSink {
  void* allocate(int index, DType dtype, std::span<const int64_t>, size_t size_bytes) override {
    if (bytes.size() <= static_cast<size_t>(index)) {
      bytes.resize(static_cast<size_t>(index) + 1);
      dtypes.resize(bytes.size());
    }
    dtypes[static_cast<size_t>(index)] = dtype;
    bytes[static_cast<size_t>(index)].resize(size_bytes);
    return bytes[static_cast<size_t>(index)].data();
  }
  std::vector<std::vector<std::byte>> bytes;
  std::vector<DType> dtypes;
};

template <typename T>
void append(const std::vector<std::byte>& bytes, std::vector<double>& all) {
  for (size_t at = 0; at + sizeof(T) <= bytes.size(); at += sizeof(T)) {
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    all.push_back(static_cast<double>(value));
  }
}

std::vector<double> numbers(const Outputs& outputs) {
  std::vector<double> all;
  for (size_t i = 0; i < outputs.bytes.size(); ++i) switch (outputs.dtypes[i]) {
      case DType::kFloat:
        append<float>(outputs.bytes[i], all);
        break;
      case DType::kDouble:
        append<double>(outputs.bytes[i], all);
        break;
      case DType::kInt32:
        append<int32_t>(outputs.bytes[i], all);
        break;
      case DType::kInt64:
        append<int64_t>(outputs.bytes[i], all);
        break;
      default:
        append<uint8_t>(outputs.bytes[i], all);
        break;
    }
  return all;
}

double error_of(const std::vector<double>& got, const std::vector<double>& want) {
  double worst = 0, scale = 0;
  for (double w : want)
    if (std::isfinite(w)) scale = std::max(scale, std::abs(w));
  for (size_t i = 0; i < want.size(); ++i) {
    if (got[i] == want[i] || (std::isnan(got[i]) && std::isnan(want[i]))) continue;
    const double difference = std::abs(got[i] - want[i]) / (scale > 0 ? scale : 1);
    worst = std::isfinite(difference) ? std::max(worst, difference)
                                      : std::numeric_limits<double>::infinity();
  }
  return worst;
}

}  // namespace

std::string LineVerdict::text() const {
  char numbers[96];
  std::snprintf(numbers, sizeof numbers, "error %.3g, allowed %.3g", error, allowed);
  return (passed() ? "passed " : "FAILED ") + (kernel.empty() ? std::string("no kernel") : kernel) +
         " " + numbers + (constant ? ", the answer is one number" : "");
}

Result<LineVerdict> compare_line(const std::string& line, const std::string& isa, int threads,
                                 int runs) {
  GRAFT_ASSIGN_OR_RETURN(Problem problem, parse_problem(line));
  fill(problem);
  GRAFT_ASSIGN_OR_RETURN(const ir::Network network, network_of(problem));
  engine::PlanOptions plan_options;
  plan_options.strict_math = problem.rtol == 0;
  GRAFT_ASSIGN_OR_RETURN(const engine::WrittenPlan plan, engine::write_plan(network, plan_options));
  EngineOptions options, reference_options;
  options.isa = isa;
  options.threads = reference_options.threads = threads;
  reference_options.reference_only = true;
  GRAFT_ASSIGN_OR_RETURN(const auto kernels, Engine::load(plan.bytes, options));
  GRAFT_ASSIGN_OR_RETURN(const auto reference, Engine::load(plan.bytes, reference_options));

  std::vector<TensorRef> feeds;
  for (const ProblemTensor& t : problem.inputs)
    if (!t.constant) feeds.push_back({t.dtype, t.dims, t.bytes.data(), t.bytes.size()});
  Outputs got, want;
  GRAFT_RETURN_IF_ERROR(kernels->run(feeds, got));
  GRAFT_RETURN_IF_ERROR(reference->run(feeds, want));

  LineVerdict verdict;
  verdict.allowed = problem.rtol;
  for (const StepInfo& step : kernels->steps()) verdict.kernel = step.kernel;
  const std::vector<double> a = numbers(got), b = numbers(want);
  if (a.size() != b.size()) return internal_error("outputs of different sizes");
  verdict.error = error_of(a, b);
  verdict.constant = b.size() > 1 && std::ranges::all_of(b, [&](double v) { return v == b[0]; });
  for (int i = 0; i < runs; ++i) {
    const auto start = std::chrono::steady_clock::now();
    GRAFT_RETURN_IF_ERROR(kernels->run(feeds, got));
    const double s =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    verdict.seconds = i == 0 ? s : std::min(verdict.seconds, s);
  }
  return verdict;
}

}  // namespace graft::conformance
