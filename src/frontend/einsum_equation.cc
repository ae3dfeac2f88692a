#include "frontend/einsum_equation.h"

#include <algorithm>

namespace graft::frontend {

namespace {

constexpr std::string_view kEllipsis = "...";

bool in(const std::string& labels, char c) { return labels.find(c) != std::string::npos; }

bool letters_once(const std::string& labels) {
  for (size_t i = 0; i < labels.size(); ++i) {
    const char c = labels[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if ((!letter && !is_ellipsis_label(c)) || labels.find(c, i + 1) != std::string::npos)
      return false;
  }
  return true;
}

// The ellipsis as labels of `axes` axes.
std::string expand(const std::string& labels, size_t axes) {
  const size_t at = labels.find(kEllipsis);
  if (at == std::string::npos) return labels;
  std::string result = labels.substr(0, at);
  for (size_t i = axes; i > 0; --i) result += static_cast<char>(i);
  return result + labels.substr(at + kEllipsis.size());
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

}  // namespace

std::optional<EinsumEquation> parse_einsum(std::string_view text, const std::vector<int>& ranks,
                                           EinsumProblem& problem) {
  const std::string s(text);
  if (std::any_of(s.begin(), s.end(), is_ellipsis_label)) return std::nullopt;
  const size_t arrow = s.find("->");
  if (arrow == std::string::npos || ranks.empty() || ranks.size() > 2) return std::nullopt;
  EinsumEquation e{split(s.substr(0, arrow), ','), s.substr(arrow + 2)};
  if (e.operands.size() != ranks.size()) return std::nullopt;
  size_t widest = 0;
  for (size_t i = 0; i < ranks.size(); ++i) {
    const size_t rank = static_cast<size_t>(ranks[i]);
    const bool open = e.operands[i].find(kEllipsis) != std::string::npos;
    const size_t named = e.operands[i].size() - (open ? kEllipsis.size() : 0);
    if (named > rank || (!open && named < rank)) {
      problem = {true, "the equation has " + std::to_string(named) + " labels for input " +
                           std::to_string(i) + ", which has rank " + std::to_string(rank)};
      return std::nullopt;
    }
    e.operands[i] = expand(e.operands[i], rank - named);
    if (open) widest = std::max(widest, rank - named);
  }
  e.out = expand(e.out, widest);
  if (!letters_once(e.out)) return std::nullopt;
  for (const std::string& labels : e.operands) {
    if (!letters_once(labels)) return std::nullopt;
    for (const char c : labels) {  // an ellipsis is never summed over
      if (is_ellipsis_label(c) && !in(e.out, c)) return std::nullopt;
    }
  }
  for (const char c : e.out) {
    if (!in(e.operands.front(), c) && !in(e.operands.back(), c)) return std::nullopt;
  }
  return e;
}

EinsumLabels classify(const EinsumEquation& e) {
  EinsumLabels r;
  const std::string& a = e.operands[0];
  const std::string b = e.operands.size() > 1 ? e.operands[1] : "";
  for (const char c : a) {
    if (in(b, c))
      (in(e.out, c) ? r.batch : r.contracted) += c;
    else
      (in(e.out, c) ? r.rows : r.sums[0]) += c;
  }
  for (const char c : b) {
    if (!in(a, c)) (in(e.out, c) ? r.cols : r.sums[1]) += c;
  }
  return r;
}

}  // namespace graft::frontend
