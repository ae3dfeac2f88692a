// FlatBuffers metadata -> Network. Types of op outputs are not stored: they follow from inference.
#include <cstring>
#include <string_view>

#include "base/alloc.h"
#include "base/checked.h"
#include "base/dtype.h"
#include "base/log.h"
#include "engine/plan/attr_codec.h"
#include "engine/plan/constants.h"
#include "engine/plan/plan_view.h"
#include "engine/plan/schema.h"
#include "ir/infer.h"
#include "ir/verify.h"

namespace graft::engine {
namespace {

std::string text_of(const flatbuffers::String* s) { return s ? s->str() : std::string(); }

template <typename V>
size_t size_of(const V* vector) {
  return vector ? vector->size() : 0;
}

// What the networks of one plan share.
struct Shared {
  std::span<const std::byte> weights;
  std::shared_ptr<const void> owner;
  const Limits& limits;
  std::vector<BlobRange> blobs;
  size_t next_blob = 0;
};

// Builds the network of a table: the plan's metadata, or a body of an op.
template <typename Table>
class Parser {
 public:
  // `narrow` lists the constants in half and bfloat16; null: they are widened here.
  Parser(const Table& table, Shared& shared, ir::Network& network,
         std::vector<NarrowConstant>* narrow, int depth)
      : table_(table),
        shared_(shared),
        limits_(shared.limits),
        network_(network),
        narrow_(narrow),
        depth_(depth) {}

  Status run() {
    for (size_t i = 0; i < size_of(table_.inputs()); ++i)
      GRAFT_RETURN_IF_ERROR(input(static_cast<int>(i)));
    if (next_symbol_ != size_of(table_.symbols()))
      return plan_error("plan has symbols that no input uses");
    for (size_t i = 0; i < size_of(table_.constants()); ++i)
      GRAFT_RETURN_IF_ERROR(constant(static_cast<int>(i)));
    for (size_t i = 0; i < size_of(table_.ops()); ++i) {
      if (Status s = op(static_cast<int>(i)); !s.ok())
        return plan_error("plan op " + std::to_string(i) + " '" +
                          printable(text_of(table_.ops()->Get(i)->name())) + "': " + s.message());
    }
    return outputs();
  }

 private:
  // Dtype, rank and extents of an input or constant; `elems` is the product of the constant dims.
  template <typename T>
  Status type_of(const T& entry, const std::string& where, int input_index, ir::TensorType& type,
                 int64_t& elems) {
    type.dtype = static_cast<DType>(entry.dtype());
    if (entry.dtype() < 0 || entry.dtype() > 1000 || !is_plan_dtype(type.dtype))
      return plan_error(where + " has dtype number " + std::to_string(entry.dtype()));
    if (size_of(entry.dims()) > static_cast<size_t>(limits_.max_rank))
      return plan_error(where + " has rank " + std::to_string(size_of(entry.dims())) + ", limit " +
                        std::to_string(limits_.max_rank));
    std::vector<int64_t> fixed;
    for (size_t axis = 0; axis < size_of(entry.dims()); ++axis) {
      const int64_t d = entry.dims()->Get(axis);
      if (d >= 0) {
        fixed.push_back(d);
        type.dims.push_back(d);
      } else {
        if (input_index < 0) return plan_error(where + " has dim " + std::to_string(d));
        GRAFT_RETURN_IF_ERROR(symbol(d, where, input_index, static_cast<int>(axis), type));
      }
    }
    const auto product = checked_product(fixed);
    if (!product || *product > limits_.max_tensor_elems)
      return plan_error(where + " has more elements than " +
                        std::to_string(limits_.max_tensor_elems));
    elems = *product;
    return ok_status();
  }

  Status symbol(int64_t code, const std::string& where, int input, int axis, ir::TensorType& type) {
    const size_t k = static_cast<size_t>(-(code + 1));
    const size_t count = size_of(table_.symbols());
    if (k >= count || k > next_symbol_)
      return plan_error(where + " uses symbol " + std::to_string(k) + " out of order");
    const fb::Symbol* s = table_.symbols()->Get(k);
    if (k == next_symbol_) {
      if (s->input() != input || s->axis() != axis)
        return plan_error("plan symbol " + std::to_string(k) + " is not named by its first use");
      ++next_symbol_;
    }
    type.dims.push_back(network_.dims.input(s->input(), s->axis()));
    return ok_status();
  }

  Status input(int index) {
    const fb::Input* entry = table_.inputs()->Get(index);
    ir::TensorType type;
    int64_t elems = 0;
    const std::string where = "plan input " + std::to_string(index);
    GRAFT_RETURN_IF_ERROR(type_of(*entry, where, index, type, elems));
    ir::Network& network = network_;
    network.inputs.push_back(network.add_value(text_of(entry->name()), std::move(type)));
    return ok_status();
  }

  Status constant(int index) {
    const fb::Constant* entry = table_.constants()->Get(index);
    const std::string where =
        "plan constant " + std::to_string(index) + " '" + printable(text_of(entry->name())) + "'";
    ir::TensorType type;
    int64_t elems = 0;
    GRAFT_RETURN_IF_ERROR(type_of(*entry, where, -1, type, elems));
    if (entry->blob() > shared_.next_blob || entry->blob() >= shared_.blobs.size())
      return plan_error(where + " uses constant data " + std::to_string(entry->blob()) +
                        " out of order");
    if (entry->blob() == shared_.next_blob) ++shared_.next_blob;
    const BlobRange& blob = shared_.blobs[entry->blob()];
    const auto bytes = shared_.weights.subspan(blob.offset, blob.bytes);
    const auto stored = static_cast<DType>(entry->stored());
    const bool narrow =
        (stored == DType::kHalf || stored == DType::kBfloat16) && type.dtype == DType::kFloat;
    if ((stored != type.dtype && !narrow) || (narrow && entry->splat()))
      return plan_error(where + " of " + dtype_name(type.dtype) + " is stored as " +
                        dtype_name(stored));
    if (Status s = check_constant_bytes(stored, elems, entry->splat(), bytes); !s.ok())
      return plan_error(where + " " + s.message());
    ir::Network& network = network_;
    static constexpr float kZero = 0;
    ir::Constant c = narrow ? ir::Constant{std::as_bytes(std::span(&kZero, 1)), true, nullptr}
                            : ir::Constant{bytes, entry->splat(), shared_.owner};
    if (narrow && !narrow_) {
      GRAFT_ASSIGN_OR_RETURN(Buffer wide, Buffer::allocate(bytes.size() * 2));
      widen(stored, bytes, wide.as<float>());
      auto owner = std::make_shared<const Buffer>(std::move(wide));
      c = ir::Constant{owner->span(), false, owner};
    }
    const ir::ValueId id =
        network.add_constant(text_of(entry->name()), std::move(type), std::move(c));
    if (narrow && narrow_) narrow_->push_back({id, stored, bytes});
    return ok_status();
  }

  Status op(int index) {
    const fb::Op* entry = table_.ops()->Get(index);
    ir::Network& network = network_;
    if (entry->kind() >= static_cast<int>(ir::OpKind::kCount))
      return plan_error("unknown op number " + std::to_string(entry->kind()));
    const auto kind = static_cast<ir::OpKind>(entry->kind());
    ir::Op op;
    op.attrs = ir::default_attrs(kind);
    op.name = text_of(entry->name());
    op.quant = {static_cast<DType>(entry->quant_dtype()), entry->quant_scale()};
    if (op.quant.dtype == DType::kInvalid && op.quant.scale != 0)
      return plan_error("has a quantized scale without a dtype");
    for (size_t i = 0; i < size_of(entry->attrs()); ++i) {
      const fb::Attr* attr = entry->attrs()->Get(i);
      const auto* ints = attr->ints();
      const auto* floats = attr->floats();
      GRAFT_RETURN_IF_ERROR(decode_attr(op.attrs, text_of(attr->name()),
                                        {ints ? ints->data() : nullptr, size_of(ints)},
                                        {floats ? floats->data() : nullptr, size_of(floats)}));
    }
    GRAFT_RETURN_IF_ERROR(bodies(*entry, op));
    const ir::OpInfo& info = ir::op_info(kind);
    const size_t n_inputs = size_of(entry->inputs()), n_outputs = size_of(entry->outputs());
    if (n_inputs < static_cast<size_t>(info.min_inputs) ||
        (info.max_inputs >= 0 && n_inputs > static_cast<size_t>(info.max_inputs)))
      return plan_error(std::string(info.text_name) + " has " + std::to_string(n_inputs) +
                        " inputs");
    if (n_outputs == 0 || !ir::may_have_outputs(kind, n_outputs))
      return plan_error(std::string(info.text_name) + " has " + std::to_string(n_outputs) +
                        " outputs");
    std::vector<ir::InferInput> known;
    for (size_t i = 0; i < n_inputs; ++i) {
      const int32_t id = entry->inputs()->Get(i);
      if (id < 0 || static_cast<size_t>(id) >= network.values.size())
        return plan_error("input " + std::to_string(i) + " is value " + std::to_string(id) +
                          " of " + std::to_string(network.values.size()) + " before it");
      const ir::Value& value = network.values[id];
      known.push_back({&value.type, value.host ? &*value.host : nullptr});
      op.inputs.push_back(id);
    }
    GRAFT_ASSIGN_OR_RETURN(std::vector<ir::InferOutput> made,
                           ir::infer(op, known, n_outputs, network.dims));
    if (made.size() != n_outputs) return plan_error("output count does not follow from its inputs");
    for (size_t i = 0; i < n_outputs; ++i) {
      if (made[i].type.rank() > limits_.max_rank)
        return plan_error("output has rank " + std::to_string(made[i].type.rank()));
      const ir::ValueId id =
          network.add_value(text_of(entry->outputs()->Get(i)), std::move(made[i].type));
      network.values[id].host = std::move(made[i].host);
      op.outputs.push_back(id);
    }
    network.ops.push_back(std::move(op));
    return ok_status();
  }

  Status bodies(const fb::Op& entry, ir::Op& op) {
    if (size_of(entry.bodies()) > 0 && depth_ >= ir::kMaxBodyDepth)
      return plan_error("bodies lie deeper than " + std::to_string(ir::kMaxBodyDepth));
    for (size_t i = 0; i < size_of(entry.bodies()); ++i) {
      auto body = std::make_shared<ir::Network>();
      Parser<fb::Body> parser(*entry.bodies()->Get(i), shared_, *body, nullptr, depth_ + 1);
      GRAFT_RETURN_IF_ERROR(parser.run());
      op.bodies.push_back(std::move(body));
    }
    return ok_status();
  }

  Status outputs() {
    ir::Network& network = network_;
    if (size_of(table_.outputs()) == 0) return plan_error("plan has no outputs");
    for (int32_t id : *table_.outputs()) {
      if (id < 0 || static_cast<size_t>(id) >= network.values.size())
        return plan_error("plan output is value " + std::to_string(id) + " of " +
                          std::to_string(network.values.size()));
      network.outputs.push_back(id);
    }
    return ok_status();
  }

  const Table& table_;
  Shared& shared_;
  const Limits& limits_;
  ir::Network& network_;
  std::vector<NarrowConstant>* const narrow_;
  const int depth_;
  size_t next_symbol_ = 0;
};

Status read_options(const fb::Metadata& metadata, PlanOptions& o) {
  if (metadata.precision() != static_cast<int>(Precision::kFp32) &&
      metadata.precision() != static_cast<int>(Precision::kFp16) &&
      metadata.precision() != static_cast<int>(Precision::kBf16) &&
      metadata.precision() != static_cast<int>(Precision::kInt8))
    return plan_error("plan has precision number " + std::to_string(metadata.precision()));
  o.precision = static_cast<Precision>(metadata.precision());
  o.strict_math = metadata.strict_math();
  return ok_status();
}

Status read_network(const fb::Metadata& metadata, std::span<const std::byte> weights,
                    std::shared_ptr<const void> owner, const Limits& limits, PlanView& view) {
  GRAFT_RETURN_IF_ERROR(read_options(metadata, view.plan.options));
  Shared shared{weights, std::move(owner), limits, {}, 0};
  for (size_t i = 0; i < size_of(metadata.blobs()); ++i) {
    const fb::Blob* blob = metadata.blobs()->Get(i);
    shared.blobs.push_back({blob->offset(), blob->bytes()});
  }
  GRAFT_RETURN_IF_ERROR(check_blobs(shared.blobs, weights));
  Parser<fb::Metadata> parser(metadata, shared, view.plan.network, &view.narrow, 0);
  GRAFT_RETURN_IF_ERROR(parser.run());
  if (shared.next_blob != shared.blobs.size())
    return plan_error("plan has constant data that nothing uses");
  return ok_status();
}

}  // namespace

Result<PlanView> parse_plan(const OpenPlan& container, std::shared_ptr<const void> owner,
                            const Limits& limits) {
  // The plan may lie at any address (an attribute's bytes); FlatBuffers needs alignment.
  GRAFT_ASSIGN_OR_RETURN(Buffer aligned, Buffer::allocate(container.metadata.size()));
  if (aligned.size() != 0) std::memcpy(aligned.data(), container.metadata.data(), aligned.size());
  const auto* data = reinterpret_cast<const uint8_t*>(aligned.data());
  // A table takes at least 8 bytes, so this never refuses what was written.
  const auto max_tables = static_cast<flatbuffers::uoffset_t>(aligned.size() / 8 + 1);
  flatbuffers::Verifier verifier(data, aligned.size(), 64, max_tables);
  if (!verifier.VerifyBuffer<fb::Metadata>(nullptr))
    return plan_error("plan metadata is malformed");
  PlanView view;
  view.plan.identity = to_hex(container.header.identity);
  view.plan.format_version = container.header.format_version;
  view.plan.writer = container.header.writer;
  view.plan.options.max_workspace_bytes = container.header.max_workspace_bytes;
  view.plan.options.tuning_batch = container.header.tuning_batch;
  GRAFT_RETURN_IF_ERROR(read_network(*flatbuffers::GetRoot<fb::Metadata>(data), container.weights,
                                     std::move(owner), limits, view));
  if (Status s = ir::verify(view.plan.network); !s.ok())
    return plan_error("plan network: " + s.message());
  return view;
}

}  // namespace graft::engine
