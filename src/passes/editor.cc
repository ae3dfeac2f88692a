#include "passes/editor.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/check.h"
#include "base/dtype.h"
#include "ir/infer.h"

namespace graft::passes {

Editor::Editor(ir::Network& network) : net_(network) {
  grow();
  for (size_t i = 0; i < net_.ops.size(); ++i) link(i);
  for (ir::ValueId id : net_.outputs) ++output_uses_[static_cast<size_t>(id)];
}

void Editor::grow() {
  producer_.resize(net_.values.size(), -1);
  consumers_.resize(net_.values.size());
  output_uses_.resize(net_.values.size(), 0);
  dead_.resize(net_.ops.size(), false);
}

void Editor::link(size_t op) {
  for (ir::ValueId id : net_.ops[op].inputs)
    consumers_[static_cast<size_t>(id)].push_back(static_cast<int32_t>(op));
  for (ir::ValueId id : net_.ops[op].outputs)
    producer_[static_cast<size_t>(id)] = static_cast<int32_t>(op);
}

void Editor::unlink(size_t op) {
  for (ir::ValueId id : net_.ops[op].inputs) {
    auto& list = consumers_[static_cast<size_t>(id)];
    list.erase(std::find(list.begin(), list.end(), static_cast<int32_t>(op)));
  }
}

ir::Op* Editor::producer_op(ir::ValueId id) {
  const int32_t p = producer(id);
  return p < 0 ? nullptr : &net_.ops[static_cast<size_t>(p)];
}

Result<ir::ValueId> Editor::add(ir::Attrs attrs, std::vector<ir::ValueId> inputs,
                                std::string name) {
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId id,
                         net_.append(std::move(attrs), std::move(inputs), std::move(name)));
  grow();
  link(net_.ops.size() - 1);
  changed_ = true;
  return id;
}

Result<std::vector<ir::ValueId>> Editor::add_multi(ir::Attrs attrs, std::vector<ir::ValueId> inputs,
                                                   size_t outputs, std::string name) {
  GRAFT_ASSIGN_OR_RETURN(
      auto ids, net_.append_multi(std::move(attrs), std::move(inputs), outputs, std::move(name)));
  grow();
  link(net_.ops.size() - 1);
  changed_ = true;
  return ids;
}

ir::ValueId Editor::add_constant(std::string name, ir::TensorType type, ir::Constant constant) {
  const ir::ValueId id = net_.add_constant(std::move(name), std::move(type), std::move(constant));
  grow();
  return id;
}

ir::ValueId Editor::add_floats(std::string name, const std::vector<int64_t>& dims,
                               const std::vector<double>& elems) {
  auto bytes = std::make_shared<std::vector<std::byte>>(elems.size() * sizeof(float));
  for (size_t i = 0; i < elems.size(); ++i) {
    const float f = static_cast<float>(elems[i]);
    std::memcpy(bytes->data() + i * sizeof f, &f, sizeof f);
  }
  ir::Constant constant;
  constant.bytes = std::span<const std::byte>(bytes->data(), bytes->size());
  constant.owner = bytes;
  return add_constant(std::move(name), {DType::kFloat, {dims.begin(), dims.end()}},
                      std::move(constant));
}

void Editor::rewrite(size_t op, ir::Attrs attrs, std::vector<ir::ValueId> inputs) {
  unlink(op);
  net_.ops[op].attrs = std::move(attrs);
  net_.ops[op].inputs = std::move(inputs);
  link(op);
  changed_ = true;
}

void Editor::become(size_t op, ir::Attrs attrs, std::vector<ir::ValueId> inputs) {
  const std::vector<ir::ValueId> old = net_.ops[op].inputs;
  rewrite(op, std::move(attrs), std::move(inputs));
  for (ir::ValueId id : old) {
    if (producer(id) >= 0) kill_if_unused(static_cast<size_t>(producer(id)));
  }
}

void Editor::set_input(size_t op, size_t input, ir::ValueId value) {
  unlink(op);
  net_.ops[op].inputs[input] = value;
  link(op);
  changed_ = true;
}

void Editor::replace(ir::ValueId from, ir::ValueId to) {
  if (from == to) return;
  const auto f = static_cast<size_t>(from), t = static_cast<size_t>(to);
  for (int32_t op : consumers_[f]) {
    for (ir::ValueId& id : net_.ops[static_cast<size_t>(op)].inputs) {
      if (id == from) id = to;
    }
    consumers_[t].push_back(op);
  }
  consumers_[f].clear();
  if (output_uses_[f] > 0) {
    for (ir::ValueId& id : net_.outputs) {
      if (id == from) id = to;
    }
    if (output_uses_[t] == 0 && producer_[t] >= 0) net_.values[t].name = net_.values[f].name;
    output_uses_[t] += output_uses_[f];
    output_uses_[f] = 0;
  }
  changed_ = true;
}

void Editor::kill(size_t op) {
  if (dead_[op]) return;
  unlink(op);
  dead_[op] = true;
  changed_ = true;
}

void Editor::kill_if_unused(size_t op) {
  std::vector<size_t> pending{op};
  while (!pending.empty()) {
    const size_t next = pending.back();
    pending.pop_back();
    if (dead_[next]) continue;
    bool used = false;
    for (ir::ValueId id : net_.ops[next].outputs)
      used = used || !consumers(id).empty() || is_output(id);
    if (used) continue;
    kill(next);
    for (ir::ValueId id : net_.ops[next].inputs) {
      if (producer(id) >= 0) pending.push_back(static_cast<size_t>(producer(id)));
    }
  }
}

void Editor::finish() {
  if (!changed_) return;
  // Depth-first in the present order, without recursion: producers come before their readers, all
  // else stays put.
  std::vector<char> state(net_.ops.size(), 0);  // 1: on the stack, 2: placed
  std::vector<size_t> order;
  std::vector<std::pair<size_t, size_t>> stack;
  for (size_t root = 0; root < net_.ops.size(); ++root) {
    if (dead_[root] || state[root] != 0) continue;
    stack.push_back({root, 0});
    state[root] = 1;
    while (!stack.empty()) {
      auto& [op, next] = stack.back();
      if (next == net_.ops[op].inputs.size()) {
        state[op] = 2;
        order.push_back(op);
        stack.pop_back();
        continue;
      }
      const int32_t p = producer(net_.ops[op].inputs[next++]);
      if (p < 0 || state[static_cast<size_t>(p)] == 2) continue;
      GRAFT_CHECK(state[static_cast<size_t>(p)] == 0 && !dead_[static_cast<size_t>(p)],
                  "cycle or dead producer at " + net_.ops[op].name);
      state[static_cast<size_t>(p)] = 1;
      stack.push_back({static_cast<size_t>(p), 0});
    }
  }
  std::vector<ir::Op> ops;
  ops.reserve(order.size());
  for (size_t op : order) ops.push_back(std::move(net_.ops[op]));
  net_.ops = std::move(ops);
  ir::compact(net_);
}

namespace {

double load_as_double(DType t, const std::byte* p) {
  return visit_dtype(t, [&]<typename T>() -> double {
    T v;
    std::memcpy(&v, p, sizeof v);
    if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, Bfloat16>)
      return double(float(v));
    else
      return static_cast<double>(v);
  });
}

}  // namespace

std::optional<double> scalar_constant(const ir::Value& value) {
  if (!value.is_const() || value.type.dtype == DType::kBool || !is_plan_dtype(value.type.dtype))
    return std::nullopt;
  const size_t size = dtype_size(value.type.dtype);
  if (value.constant->bytes.size() < size) return std::nullopt;
  if (!value.constant->splat && value.constant->bytes.size() != size) return std::nullopt;
  if (ir::const_elems(value.type) == 0) return std::nullopt;
  return load_as_double(value.type.dtype, value.constant->bytes.data());
}

std::optional<std::vector<double>> constant_doubles(const ir::Value& value, int64_t max_elems) {
  if (!value.is_const() || !is_floating(value.type.dtype)) return std::nullopt;
  const int64_t elems = ir::const_elems(value.type);
  if (elems > max_elems) return std::nullopt;
  const size_t step = value.constant->splat ? 0 : dtype_size(value.type.dtype);
  std::vector<double> out(static_cast<size_t>(elems));
  if (value.type.dtype == DType::kFloat) {
    for (size_t i = 0; i < out.size(); ++i) {
      float f;
      std::memcpy(&f, value.constant->bytes.data() + i * step, sizeof f);
      out[i] = f;
    }
    return out;
  }
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = load_as_double(value.type.dtype, value.constant->bytes.data() + i * step);
  return out;
}

std::optional<std::vector<double>> per_channel_constant(const ir::Value& value, int rank,
                                                        int64_t channels) {
  if (!value.is_const() || !is_floating(value.type.dtype) || value.type.rank() > rank ||
      channels < 1)
    return std::nullopt;
  const int64_t elems = ir::const_elems(value.type);
  if (elems == 1)
    return std::vector<double>(static_cast<size_t>(channels), (*constant_doubles(value))[0]);
  if (elems != channels || value.type.rank() < 1 || value.type.dims.back() != ir::Dim(channels))
    return std::nullopt;
  return constant_doubles(value);
}

}  // namespace graft::passes
