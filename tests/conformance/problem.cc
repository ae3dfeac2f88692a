#include "conformance/problem.h"

#include <cstring>
#include <functional>
#include <random>

#include "ir/attrs_text.h"

namespace graft::conformance {
namespace {

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts(1);
  for (char c : text) {
    if (c == at)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  std::erase(parts, "");
  return parts;
}

template <typename T>
void put(ProblemTensor& tensor, size_t at, T value) {
  std::memcpy(tensor.bytes.data() + at * sizeof value, &value, sizeof value);
}

Result<ProblemTensor> parse_tensor(const std::string& text) {
  ProblemTensor t;
  t.constant = text.starts_with('*');
  const size_t equals = text.find('=');
  const std::string type = text.substr(t.constant, equals - t.constant);
  const size_t open = type.find('[');
  t.dtype = dtype_from_name(type.substr(0, open));
  if (open == std::string::npos || type.back() != ']' || t.dtype == DType::kInvalid)
    return invalid_argument("tensor \"" + text + "\"");
  for (const std::string& d : split(type.substr(open + 1, type.size() - open - 2), ','))
    t.dims.push_back(std::stoll(d));
  t.bytes.resize(t.elems() * dtype_size(t.dtype));
  if (equals == std::string::npos) return t;
  const std::vector<std::string> values = split(text.substr(equals + 1), ',');
  const bool wide = t.dtype == DType::kInt64;
  if (values.size() != t.elems() || (t.dtype != DType::kInt32 && !wide))
    return invalid_argument("elements of \"" + text + "\"");
  for (size_t i = 0; i < values.size(); ++i) {
    const int64_t value = std::stoll(values[i]);
    wide ? put(t, i, value) : put(t, i, static_cast<int32_t>(value));
  }
  t.given = true;
  return t;
}

}  // namespace

size_t ProblemTensor::elems() const {
  size_t n = 1;
  for (int64_t d : dims) n *= static_cast<size_t>(d);
  return n;
}

Result<Problem> parse_problem(const std::string& line) {
  Problem p;
  p.text = line;
  const size_t colon = line.find(" : "), arrow = line.find(" -> ");
  if (colon == std::string::npos || arrow == std::string::npos)
    return invalid_argument("line \"" + line + "\"");
  const std::string head = line.substr(0, colon);
  p.op.name = head.substr(0, head.find(' '));
  const auto kind = ir::op_kind_from_text(p.op.name);
  if (!kind) return invalid_argument("op \"" + p.op.name + "\"");
  GRAFT_ASSIGN_OR_RETURN(
      p.op.attrs, ir::parse_attrs(*kind, head.size() > p.op.name.size()
                                             ? std::string_view(head).substr(p.op.name.size() + 1)
                                             : std::string_view()));
  for (const std::string& t : split(line.substr(colon + 3, arrow - colon - 3), ' ')) {
    GRAFT_ASSIGN_OR_RETURN(p.inputs.emplace_back(), parse_tensor(t));
  }
  const std::vector<std::string> tail = split(line.substr(arrow + 4), ' ');
  if (tail.empty()) return invalid_argument("number of outputs in \"" + line + "\"");
  p.outputs = std::stoul(tail[0]);
  for (size_t i = 1; i < tail.size(); ++i) {
    if (!tail[i].starts_with("rtol=")) return invalid_argument("\"" + tail[i] + "\"");
    p.rtol = std::stod(tail[i].substr(5));
  }
  return p;
}

void fill(Problem& problem) {
  uint64_t seed = 1469598103934665603u;  // FNV-1a, the same everywhere
  for (unsigned char c : problem.text) seed = (seed ^ c) * 1099511628211u;
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  for (ProblemTensor& t : problem.inputs) {
    if (t.given) continue;
    for (size_t i = 0; i < t.elems(); ++i) {
      const int64_t whole = static_cast<int64_t>(random() % 9) - 4;
      const double real = problem.rtol > 0 ? normal(random) : static_cast<double>(whole);
      switch (t.dtype) {
        case DType::kFloat:
          put(t, i, static_cast<float>(real));
          break;
        case DType::kDouble:
          put(t, i, real);
          break;
        case DType::kInt32:
          put(t, i, static_cast<int32_t>((whole + 4) % 3));
          break;
        case DType::kInt64:
          put(t, i, (whole + 4) % 3);
          break;
        case DType::kBool:
          put(t, i, static_cast<uint8_t>(whole > 0));
          break;
        default:
          break;
      }
    }
  }
}

Result<ir::Network> network_of(const Problem& problem) {
  ir::Network network;
  std::vector<ir::ValueId> inputs;
  for (size_t i = 0; i < problem.inputs.size(); ++i) {
    const ProblemTensor& t = problem.inputs[i];
    const std::string name = "in" + std::to_string(i);
    if (t.constant) {
      inputs.push_back(network.add_constant_bytes(name, t.dtype, t.dims, t.bytes));
    } else {
      inputs.push_back(network.add_value(name, {t.dtype, {t.dims.begin(), t.dims.end()}}));
      network.inputs.push_back(inputs.back());
    }
  }
  GRAFT_ASSIGN_OR_RETURN(network.outputs, network.append_multi(problem.op.attrs, inputs,
                                                               problem.outputs, problem.op.name));
  return network;
}

}  // namespace graft::conformance
