#include <cstring>

#include "base/check.h"
#include "base/dtype.h"
#include "engine/plan/attr_codec.h"
#include "engine/plan/container.h"
#include "engine/plan/plan.h"
#include "engine/plan/schema.h"
#include "engine/write/canonical.h"

namespace graft::engine {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

// Codes of dims: symbols are numbered by their first occurrence in the inputs.
class SymbolTable {
 public:
  int64_t code(ir::Dim dim, int input, int axis) {
    if (dim.is_const()) return dim.value();
    size_t k = 0;
    while (k < seen_.size() && seen_[k] != dim) ++k;
    if (k == seen_.size()) {
      seen_.push_back(dim);
      symbols_.emplace_back(input, axis);
    }
    return -1 - static_cast<int64_t>(k);
  }
  const std::vector<fb::Symbol>& symbols() const { return symbols_; }

 private:
  std::vector<ir::Dim> seen_;
  std::vector<fb::Symbol> symbols_;
};

// Offsets of the parts of one network.
struct NetworkParts {
  Offset<flatbuffers::Vector<Offset<fb::Input>>> inputs;
  Offset<flatbuffers::Vector<const fb::Symbol*>> symbols;
  Offset<flatbuffers::Vector<Offset<fb::Constant>>> constants;
  Offset<flatbuffers::Vector<Offset<fb::Op>>> ops;
  Offset<flatbuffers::Vector<int32_t>> outputs;
};

class NetworkWriter {
 public:
  NetworkWriter(FlatBufferBuilder& builder, const ir::Network& network,
                const CanonicalNetwork& canonical)
      : builder_(builder), network_(network), canonical_(canonical) {}

  template <typename AfterSymbols>
  NetworkParts write(AfterSymbols after_symbols) {
    NetworkParts p;
    p.inputs = builder_.CreateVector(make_inputs());
    p.symbols = builder_.CreateVectorOfStructs(symbols_.symbols());
    after_symbols();
    p.constants = builder_.CreateVector(make_constants());
    p.ops = builder_.CreateVector(make_ops());
    p.outputs = builder_.CreateVector(numbers(network_.outputs));
    return p;
  }

 private:
  std::vector<int32_t> numbers(const std::vector<ir::ValueId>& values) const {
    std::vector<int32_t> result;
    for (ir::ValueId id : values) {
      GRAFT_CHECK(canonical_.number[id] >= 0, network_.values[id].name);
      result.push_back(canonical_.number[id]);
    }
    return result;
  }

  std::vector<Offset<fb::Input>> make_inputs() {
    std::vector<Offset<fb::Input>> result;
    for (size_t i = 0; i < network_.inputs.size(); ++i) {
      const ir::Value& value = network_.values[network_.inputs[i]];
      std::vector<int64_t> dims;
      for (size_t axis = 0; axis < value.type.dims.size(); ++axis)
        dims.push_back(
            symbols_.code(value.type.dims[axis], static_cast<int>(i), static_cast<int>(axis)));
      const auto name = builder_.CreateSharedString(value.name);
      result.push_back(fb::CreateInput(builder_, name, static_cast<int>(value.type.dtype),
                                       builder_.CreateVector(dims)));
    }
    return result;
  }

  std::vector<Offset<fb::Constant>> make_constants() {
    std::vector<Offset<fb::Constant>> result;
    for (const CanonicalConstant& c : canonical_.constants) {
      const ir::Value& value = network_.values[c.value];
      std::vector<int64_t> dims;
      for (ir::Dim d : value.type.dims) dims.push_back(d.value());
      const auto name = builder_.CreateSharedString(value.name);
      result.push_back(fb::CreateConstant(builder_, name, static_cast<int>(value.type.dtype),
                                          builder_.CreateVector(dims), static_cast<int>(c.stored),
                                          value.constant->splat, c.blob));
    }
    return result;
  }

  std::vector<Offset<fb::Op>> make_ops() {
    std::vector<Offset<fb::Op>> result;
    size_t next_body = 0;
    for (const ir::Op& op : network_.ops) {
      std::vector<Offset<fb::Body>> bodies;
      for (const auto& body : op.bodies) {
        NetworkWriter inner(builder_, *body, canonical_.bodies[next_body++]);
        const NetworkParts p = inner.write([] {});
        bodies.push_back(
            fb::CreateBody(builder_, p.symbols, p.inputs, p.constants, p.ops, p.outputs));
      }
      std::vector<Offset<fb::Attr>> attrs;
      for (const AttrField& field : encode_attrs(op.attrs)) {
        const auto name = builder_.CreateSharedString(field.name);
        const auto ints = builder_.CreateVector(field.ints);
        const auto floats = builder_.CreateVector(field.floats);
        attrs.push_back(fb::CreateAttr(builder_, name, ints, floats));
      }
      std::vector<Offset<flatbuffers::String>> outputs;
      for (ir::ValueId id : op.outputs)
        outputs.push_back(builder_.CreateSharedString(network_.values[id].name));
      const auto name = builder_.CreateSharedString(op.name);
      const auto inputs = builder_.CreateVector(numbers(op.inputs));
      const auto output_names = builder_.CreateVector(outputs);
      const auto attr_list = builder_.CreateVector(attrs);
      const auto body_list = bodies.empty() ? Offset<flatbuffers::Vector<Offset<fb::Body>>>()
                                            : builder_.CreateVector(bodies);
      result.push_back(fb::CreateOp(builder_, static_cast<uint16_t>(op.kind()), name, inputs,
                                    output_names, attr_list, static_cast<int>(op.quant.dtype),
                                    op.quant.scale, body_list));
    }
    return result;
  }

  FlatBufferBuilder& builder_;
  const ir::Network& network_;
  const CanonicalNetwork& canonical_;
  SymbolTable symbols_;
};

void write_metadata(FlatBufferBuilder& builder, const ir::Network& network,
                    const PlanOptions& options, const Canonical& canonical) {
  NetworkWriter writer(builder, network, canonical);
  Offset<flatbuffers::Vector<const fb::Blob*>> blobs;
  const NetworkParts p = writer.write([&] {
    std::vector<fb::Blob> list;
    for (const BlobRange& b : canonical.blobs) list.emplace_back(b.offset, b.bytes);
    blobs = builder.CreateVectorOfStructs(list);
  });
  builder.Finish(fb::CreateMetadata(builder, static_cast<uint8_t>(options.precision),
                                    options.strict_math, p.symbols, blobs, p.inputs, p.constants,
                                    p.ops, p.outputs));
}

void list_narrow(const ir::Network& network, const CanonicalNetwork& canonical,
                 std::vector<std::string>& names) {
  for (const CanonicalConstant& c : canonical.constants) {
    if (c.stored != network.values[c.value].type.dtype)
      names.push_back(network.values[c.value].name);
  }
  size_t next_body = 0;
  for (const ir::Op& op : network.ops) {
    for (const auto& body : op.bodies) list_narrow(*body, canonical.bodies[next_body++], names);
  }
}

Result<PlanPieces> write_checked(const ir::Network& network, const PlanOptions& options) {
  Storage storage = choose_storage(network, options.precision);
  GRAFT_ASSIGN_OR_RETURN(const Canonical canonical, canonical_numbering(network, storage));
  FlatBufferBuilder builder;
  write_metadata(builder, network, options, canonical);
  const auto metadata = std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
  PlanHeader header;
  header.writer = "graft " GRAFT_VERSION;
  header.metadata_bytes = metadata.size();
  header.weights_bytes = canonical.weights.size();
  header.max_workspace_bytes = options.max_workspace_bytes;
  header.tuning_batch = options.tuning_batch;
  GRAFT_ASSIGN_OR_RETURN(const PlanLayout layout, plan_layout(header, Limits{}));
  PlanPieces plan;
  auto head = std::make_shared<std::vector<std::byte>>(layout.weights);
  std::memcpy(&(*head)[layout.metadata], metadata.data(), metadata.size());
  seal_container(*head, canonical.weights, header, layout);
  const std::span<const std::byte> head_bytes = *head;
  plan.bytes.append_view(head_bytes, std::move(head));
  plan.bytes.append(canonical.weights);
  plan.identity = to_hex(header.identity);
  plan.weights_bytes = static_cast<int64_t>(canonical.weights.size());
  plan.narrow_dtype = storage.narrow;
  plan.warnings = std::move(storage.warnings);
  list_narrow(network, canonical, plan.narrow_values);
  return plan;
}

}  // namespace

Result<PlanPieces> write_plan_pieces(const ir::Network& network, const PlanOptions& options) {
  return guard([&]() -> Result<PlanPieces> {
    if (options.max_workspace_bytes < 0)
      return invalid_argument("max_workspace_bytes is " +
                              std::to_string(options.max_workspace_bytes) +
                              ", expected at least 0");
    if (options.tuning_batch < 1)
      return invalid_argument("tuning_batch is " + std::to_string(options.tuning_batch) +
                              ", expected at least 1");
    if (network.outputs.empty()) return invalid_argument("the network has no outputs");
    for (ir::ValueId id : network.inputs) {
      if (!is_plan_dtype(network.values[id].type.dtype))
        return unsupported("input '" + network.values[id].name + "' is " +
                           dtype_name(network.values[id].type.dtype));
    }
    return write_checked(network, options);
  });
}

Result<WrittenPlan> write_plan(const ir::Network& network, const PlanOptions& options) {
  return guard([&]() -> Result<WrittenPlan> {
    GRAFT_ASSIGN_OR_RETURN(PlanPieces pieces, write_plan_pieces(network, options));
    std::vector<std::byte> bytes = pieces.bytes.flatten();
    return WrittenPlan{std::move(pieces), std::move(bytes)};
  });
}

}  // namespace graft::engine
