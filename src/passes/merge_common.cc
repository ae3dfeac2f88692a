// merge_common: two ops of equal kind, attributes and inputs are one op.
//
//   before   a = mean(x); b = mean(x); y = a + b      after   a = mean(x); y = a + a
#include <cstring>
#include <unordered_map>

#include "base/dtype.h"
#include "passes/editor.h"
#include "passes/passes.h"

namespace graft::passes {

namespace {

// Bytes that are equal exactly when the attributes are.
struct KeyWriter {
  std::string& key;
  void raw(const void* p, size_t n) { key.append(static_cast<const char*>(p), n); }
  void operator()(const char*, const ir::Activation& a) {
    raw(&a.fn, sizeof a.fn);
    raw(&a.alpha, sizeof a.alpha);
    raw(&a.beta, sizeof a.beta);
  }
  void operator()(const char*, const std::vector<int64_t>& v) {
    const size_t n = v.size();
    raw(&n, sizeof n);
    raw(v.data(), n * sizeof(int64_t));
  }
  template <typename T>
  void operator()(const char*, const T& v) {
    static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T>);
    raw(&v, sizeof v);
  }
};

std::string key_of(const ir::Op& op) {
  std::string key;
  const int kind = static_cast<int>(op.kind());
  key.append(reinterpret_cast<const char*>(&kind), sizeof kind);
  std::visit(
      [&](const auto& attrs) {
        using A = std::decay_t<decltype(attrs)>;
        if constexpr (!std::is_same_v<A, std::monostate>) A::visit(attrs, KeyWriter{key});
      },
      op.attrs);
  key.append(reinterpret_cast<const char*>(op.inputs.data()),
             op.inputs.size() * sizeof(ir::ValueId));
  const size_t outputs = op.outputs.size();
  key.append(reinterpret_cast<const char*>(&outputs), sizeof outputs);
  return key;
}

constexpr size_t kMaxConstantBytes = 64;

// Small constants of equal type and bytes are one value, so that ops over them can be equal.
void merge_constants(Editor& edit) {
  std::unordered_map<std::string, ir::ValueId> first;
  const size_t count = edit.network().values.size();
  for (size_t i = 0; i < count; ++i) {
    const auto id = static_cast<ir::ValueId>(i);
    const ir::Value& v = edit.value(id);
    if (!v.is_const() || v.constant->bytes.size() > kMaxConstantBytes || edit.is_output(id))
      continue;
    std::string key(reinterpret_cast<const char*>(v.constant->bytes.data()),
                    v.constant->bytes.size());
    key += v.constant->splat ? 's' : 'd';
    key += std::to_string(static_cast<int>(v.type.dtype));
    for (ir::Dim d : v.type.dims) key += ',' + std::to_string(d.value());
    auto [it, fresh] = first.emplace(std::move(key), id);
    if (!fresh && !edit.consumers(id).empty()) edit.replace(id, it->second);
  }
}

}  // namespace

Result<bool> merge_common(ir::Network& network, PassContext&) {
  Editor edit(network);
  merge_constants(edit);
  std::unordered_map<std::string, size_t> first;
  for (size_t i = 0; i < edit.ops(); ++i) {
    if (!edit.op(i).bodies.empty()) continue;  // bodies are not compared
    auto [it, fresh] = first.emplace(key_of(edit.op(i)), i);
    if (fresh) continue;
    const std::vector<ir::ValueId> kept = edit.op(it->second).outputs, gone = edit.op(i).outputs;
    bool named = false;  // both are outputs: each keeps its own name
    for (ir::ValueId id : gone) named = named || edit.is_output(id);
    if (named) continue;
    for (size_t port = 0; port < gone.size(); ++port) edit.replace(gone[port], kept[port]);
    edit.kill(i);
  }
  edit.finish();
  return edit.changed();
}

}  // namespace graft::passes
