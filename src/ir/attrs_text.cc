#include "ir/attrs_text.h"

#include <charconv>
#include <cstdio>
#include <vector>

namespace graft::ir {

namespace {

std::string number(float v) {
  char buf[32];
  std::snprintf(buf, sizeof buf, "%.9g", static_cast<double>(v));
  return buf;
}

std::string text_of(bool v) { return v ? "true" : "false"; }
std::string text_of(int64_t v) { return std::to_string(v); }
std::string text_of(float v) { return number(v); }
std::string text_of(DType v) { return dtype_name(v); }
template <typename E>
requires std::is_enum_v<E> std::string text_of(E v) { return name_of(v); }
std::string text_of(const Activation& v) {
  std::string s = name_of(v.fn);
  if (v.alpha != 0 || v.beta != 0) s += "(" + number(v.alpha) + "," + number(v.beta) + ")";
  return s;
}
std::string text_of(const std::vector<int64_t>& v) {
  std::string s = "[";
  for (size_t i = 0; i < v.size(); ++i) s += (i ? "," : "") + std::to_string(v[i]);
  return s + "]";
}

// Splits at commas; empty text has no parts.
std::vector<std::string_view> parts(std::string_view text) {
  std::vector<std::string_view> r;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    r.push_back(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return r;
}

template <typename N>
bool read_number(std::string_view text, N& v) {
  const auto r = std::from_chars(text.data(), text.data() + text.size(), v);
  return r.ec == std::errc() && r.ptr == text.data() + text.size();
}

bool read(std::string_view text, bool& v) {
  v = text == "true";
  return v || text == "false";
}
bool read(std::string_view text, int64_t& v) { return read_number(text, v); }
bool read(std::string_view text, float& v) { return read_number(text, v); }
bool read(std::string_view text, DType& v) {
  v = dtype_from_name(text);
  return v != DType::kInvalid;
}
template <typename E>
requires std::is_enum_v<E>
bool read(std::string_view text, E& v) {
  for (int i = 0; i < static_cast<int>(E::kCount); ++i) {
    v = static_cast<E>(i);
    if (text == name_of(v)) return true;
  }
  return false;
}
bool read(std::string_view text, Activation& v) {
  const size_t open = text.find('(');
  if (!read(text.substr(0, open), v.fn)) return false;
  if (open == std::string_view::npos) return true;
  if (text.back() != ')') return false;
  const auto args = parts(text.substr(open + 1, text.size() - open - 2));
  return args.size() == 2 && read(args[0], v.alpha) && read(args[1], v.beta);
}
bool read(std::string_view text, std::vector<int64_t>& v) {
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') return false;
  v.clear();
  for (std::string_view part : parts(text.substr(1, text.size() - 2))) {
    int64_t e;
    if (!read(part, e)) return false;
    v.push_back(e);
  }
  return true;
}

}  // namespace

std::string print_attrs(const Attrs& attrs) {
  return std::visit(
      []<typename A>(const A& a) -> std::string {
        std::string s;
        if constexpr (!std::is_same_v<A, std::monostate>) {
          std::vector<std::string> defaults;
          const A fresh{};
          A::visit(fresh,
                   [&](const char*, const auto& field) { defaults.push_back(text_of(field)); });
          size_t i = 0;
          A::visit(a, [&](const char* name, const auto& field) {
            const std::string t = text_of(field);
            if (t != defaults[i++]) s += (s.empty() ? "" : " ") + std::string(name) + "=" + t;
          });
        }
        return s;
      },
      attrs);
}

Result<Attrs> parse_attrs(OpKind kind, std::string_view text) {
  Attrs attrs = default_attrs(kind);
  while (!text.empty()) {
    const size_t end = text.find(' ');
    const std::string_view item = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (item.empty()) continue;
    const size_t eq = item.find('=');
    const std::string_view name = item.substr(0, eq);
    bool found = false;
    if (eq != std::string_view::npos) {
      std::visit(
          [&]<typename A>(A& a) {
            if constexpr (!std::is_same_v<A, std::monostate>)
              A::visit(a, [&](const char* field, auto& value) {
                if (name == field) found = read(item.substr(eq + 1), value);
              });
          },
          attrs);
    }
    if (!found) {
      return invalid_argument(std::string(op_info(kind).text_name) + " does not take attribute \"" +
                              std::string(item) + "\"");
    }
  }
  return attrs;
}

}  // namespace graft::ir
