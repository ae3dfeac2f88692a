// Text form of a Network: one value or op a line; for dumps, tests and eyes.
//   input %0 "x" float32 [d0_0,224,224,3]
//   const %1 "w" float32 [3,3,3,32] 3456 bytes fnv1a=9c0a...
//   %3 = conv(%0, %1, %2) "conv1" strides=[2,2] padding=same act=relu : float32 [d0_0,112,112,32]
//   output %3
// A body of an op stands indented below it, with values of its own.
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "ir/attrs_text.h"
#include "ir/verify.h"

namespace graft::ir {

namespace {

std::string number(double v) {
  char buf[32];
  std::snprintf(buf, sizeof buf, "%.9g", v);
  return buf;
}

std::string quoted(const std::string& s) {
  std::string r = "\"";
  for (char ch : s) {
    const auto u = static_cast<unsigned char>(ch);
    if (ch == '"' || ch == '\\') r += '\\';
    if (u >= 0x20 && u != 0x7f) {
      r += ch;
    } else {
      char buf[8];
      std::snprintf(buf, sizeof buf, "\\x%02x", u);
      r += buf;
    }
  }
  return r + "\"";
}

double element(DType t, const std::byte* p) {
  const auto load = [p]<typename T>() {
    T v;
    std::memcpy(&v, p, sizeof v);
    if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, Bfloat16>)
      return static_cast<double>(static_cast<float>(v));
    else
      return static_cast<double>(v);
  };
  if (t == DType::kBool) return static_cast<unsigned char>(*p) != 0;
  return visit_dtype(t, load);
}

std::string constant_text(const Value& v) {
  const Constant& c = *v.constant;
  const size_t size = dtype_size(v.type.dtype);
  std::string s = c.splat ? " splat" : "";
  if (size != 0 && c.bytes.size() % size == 0 && c.bytes.size() / size <= 16) {
    s += " {";
    for (size_t at = 0; at < c.bytes.size(); at += size)
      s += (at ? "," : "") + number(element(v.type.dtype, c.bytes.data() + at));
    return s + "}";
  }
  uint64_t hash = 0xcbf29ce484222325u;
  for (std::byte b : c.bytes) hash = (hash ^ static_cast<uint8_t>(b)) * 0x100000001b3u;
  char buf[64];
  std::snprintf(buf, sizeof buf, " %zu bytes fnv1a=%016" PRIx64, c.bytes.size(), hash);
  return s + buf;
}

std::string type_text(const Network& n, const TensorType& t) {
  std::string s = dtype_name(t.dtype) + " [";
  for (size_t i = 0; i < t.dims.size(); ++i) s += (i ? "," : "") + n.dims.text(t.dims[i]);
  return s + "]" + (t.scale != 0 ? " scale=" + number(t.scale) : "");
}

std::string ref(ValueId v) { return "%" + std::to_string(v); }

std::string typed(const Network& n, ValueId v) {
  if (v < 0 || static_cast<size_t>(v) >= n.values.size()) return "out of range";
  const Value& value = n.values[static_cast<size_t>(v)];
  std::string s = type_text(n, value.type);
  if (value.host && !value.is_const()) {
    s += " host=[";
    for (size_t i = 0; i < value.host->size(); ++i)
      s += (i ? "," : "") + n.dims.text((*value.host)[i]);
    s += "]";
  }
  return s;
}

std::string list(const std::vector<ValueId>& ids) {
  std::string s;
  for (size_t i = 0; i < ids.size(); ++i) s += (i ? ", " : "") + ref(ids[i]);
  return s;
}

void print_network(const Network& n, const std::string& indent, int depth, std::string& s) {
  for (ValueId v : n.inputs) {
    s += indent + "input " + ref(v);
    if (v >= 0 && static_cast<size_t>(v) < n.values.size())
      s += " " + quoted(n.values[static_cast<size_t>(v)].name);
    s += " " + typed(n, v) + "\n";
  }
  for (size_t i = 0; i < n.values.size(); ++i) {
    const Value& v = n.values[i];
    if (v.is_const())
      s += indent + "const " + ref(static_cast<ValueId>(i)) + " " + quoted(v.name) + " " +
           type_text(n, v.type) + constant_text(v) + "\n";
  }
  for (const Op& op : n.ops) {
    const bool valid = op.kind() < OpKind::kCount;
    const std::string attrs = print_attrs(op.attrs);
    s += indent + list(op.outputs) + " = " + (valid ? op_info(op.kind()).text_name : "invalid") +
         "(" + list(op.inputs) + ") " + quoted(op.name) + (attrs.empty() ? "" : " " + attrs) + " :";
    for (size_t i = 0; i < op.outputs.size(); ++i) s += (i ? ", " : " ") + typed(n, op.outputs[i]);
    s += "\n";
    for (size_t i = 0; i < op.bodies.size() && depth < kMaxBodyDepth; ++i) {
      s += indent + "  body " + std::to_string(i) + "\n";
      if (op.bodies[i]) print_network(*op.bodies[i], indent + "    ", depth + 1, s);
    }
  }
  for (ValueId v : n.outputs) s += indent + "output " + ref(v) + "\n";
}

}  // namespace

std::string print(const Network& n) {
  std::string s;
  print_network(n, "", 0, s);
  return s;
}

}  // namespace graft::ir
