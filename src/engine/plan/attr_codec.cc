#include "engine/plan/attr_codec.h"

#include <cmath>
#include <cstring>
#include <type_traits>

#include "base/dtype.h"

namespace graft::engine {
namespace {

template <typename T>
void encode_field(const T& value, AttrField& field) {
  if constexpr (std::is_same_v<T, std::vector<int64_t>>) {
    field.ints = value;
  } else if constexpr (std::is_same_v<T, ir::Activation>) {
    field.ints = {static_cast<int64_t>(value.fn)};
    field.floats = {value.alpha, value.beta};
  } else if constexpr (std::is_same_v<T, float>) {
    field.floats = {value};
  } else {
    static_assert(std::is_integral_v<T> || std::is_enum_v<T>);
    field.ints = {static_cast<int64_t>(value)};
  }
}

std::vector<AttrField> all_fields(const ir::Attrs& attrs) {
  std::vector<AttrField> fields;
  std::visit(
      [&]<typename A>(const A& a) {
        if constexpr (!std::is_same_v<A, std::monostate>) {
          A::visit(a, [&](const char* name, const auto& value) {
            encode_field(value, fields.emplace_back(AttrField{name, {}, {}}));
          });
        }
      },
      attrs);
  return fields;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

// Decoding of one field: false when the numbers do not fit the field's type.
struct Source {
  std::span<const int64_t> ints;
  std::span<const float> floats;
  bool counts(size_t n_ints, size_t n_floats) const {
    return ints.size() == n_ints && floats.size() == n_floats;
  }
};

template <typename E>
bool decode_enum(int64_t number, E& out) {
  if constexpr (std::is_same_v<E, DType>) {
    if (number < 0 || number > 1000 || !is_plan_dtype(static_cast<DType>(number))) return false;
  } else {
    if (number < 0 || number >= static_cast<int64_t>(E::kCount)) return false;
  }
  out = static_cast<E>(number);
  return true;
}

template <typename T>
bool decode_field(const Source& src, T& out) {
  for (float f : src.floats) {
    if (std::isnan(f)) return false;
  }
  if constexpr (std::is_same_v<T, std::vector<int64_t>>) {
    if (!src.floats.empty()) return false;
    out.assign(src.ints.begin(), src.ints.end());
    return true;
  } else if constexpr (std::is_same_v<T, ir::Activation>) {
    if (!src.counts(1, 2)) return false;
    out.alpha = src.floats[0];
    out.beta = src.floats[1];
    return decode_enum(src.ints[0], out.fn);
  } else if constexpr (std::is_same_v<T, float>) {
    if (!src.counts(0, 1)) return false;
    out = src.floats[0];
    return true;
  } else if constexpr (std::is_enum_v<T>) {
    return src.counts(1, 0) && decode_enum(src.ints[0], out);
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!src.counts(1, 0) || src.ints[0] < 0 || src.ints[0] > 1) return false;
    out = src.ints[0] == 1;
    return true;
  } else {
    static_assert(std::is_same_v<T, int64_t>);
    if (!src.counts(1, 0)) return false;
    out = src.ints[0];
    return true;
  }
}

}  // namespace

std::vector<AttrField> encode_attrs(const ir::Attrs& attrs) {
  std::vector<AttrField> fields = all_fields(attrs);
  const std::vector<AttrField> defaults =
      all_fields(ir::default_attrs(static_cast<ir::OpKind>(attrs.index())));
  GRAFT_CHECK(fields.size() == defaults.size());
  std::vector<AttrField> result;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].ints != defaults[i].ints || !same_bits(fields[i].floats, defaults[i].floats))
      result.push_back(std::move(fields[i]));
  }
  return result;
}

Status decode_attr(ir::Attrs& attrs, std::string_view name, std::span<const int64_t> ints,
                   std::span<const float> floats) {
  bool found = false, fits = false;
  std::visit(
      [&]<typename A>(A& a) {
        if constexpr (!std::is_same_v<A, std::monostate>) {
          A::visit(a, [&](const char* field_name, auto& value) {
            if (name != field_name) return;
            found = true;
            fits = decode_field(Source{ints, floats}, value);
          });
        }
      },
      attrs);
  if (!found) return plan_error("unknown attribute '" + std::string(name) + "'");
  if (!fits) return plan_error("attribute '" + std::string(name) + "' has a value out of range");
  return ok_status();
}

}  // namespace graft::engine
