// Plan bytes are untrusted: whatever they are, reading them ends in a Plan or a PlanError.
#include <random>

#include "engine/plan/container.h"
#include "op_samples.h"

namespace graft::engine {
namespace {

using namespace engine_testing;
using Bytes = std::vector<std::byte>;

ir::Network tiny() {
  Builder b;
  const auto x = b.input("x", DType::kFloat, {-1, 2});
  const auto y = b.op(ir::MatMulAttrs{}, {x, b.floats("w", {2, 2})}, "y");
  b.output(b.binary(ir::BinaryFn::kAdd, y, b.floats("c", {2}), "z"));
  return std::move(b.network);
}

// Makes header, identity and digests agree with content that was changed.
void repair(Bytes& plan) {
  PlanHeader header;
  std::memcpy(&header.metadata_bytes, &plan[40], 8);
  std::memcpy(&header.weights_bytes, &plan[48], 8);
  std::memcpy(&header.max_workspace_bytes, &plan[56], 8);
  std::memcpy(&header.tuning_batch, &plan[64], 8);
  header.writer = "test";
  auto layout = plan_layout(header, {});
  if (layout.ok() && layout->total == plan.size()) seal_container(plan, header, *layout);
}

void expect_plan_error(std::span<const std::byte> bytes, const std::string& what) {
  auto plan = read_plan(bytes);
  ASSERT_FALSE(plan.ok()) << what;
  EXPECT_EQ(plan.status().code(), Code::kPlanError) << what << ": " << plan.status().message();
}

TEST(ReadPlan, L1_truncated_at_every_byte_or_with_trailing_bytes) {
  const Bytes plan = must_write(tiny()).bytes;
  ASSERT_TRUE(read_plan(plan).ok());
  for (size_t n = 0; n < plan.size(); ++n)
    expect_plan_error(std::span(plan).first(n), "first " + std::to_string(n));
  Bytes longer = plan;
  longer.push_back(std::byte{0});
  expect_plan_error(longer, "one byte more");
}

TEST(ReadPlan, L2_each_byte_flipped_is_found_by_checksum) {
  Bytes plan = must_write(tiny()).bytes;
  for (size_t i = 0; i < plan.size(); ++i) {
    for (int mask : {0x01, 0x80, 0xff}) {
      plan[i] ^= static_cast<std::byte>(mask);
      expect_plan_error(plan, "byte " + std::to_string(i));
      plan[i] ^= static_cast<std::byte>(mask);
    }
  }
  EXPECT_TRUE(read_plan(plan).ok());
}

// With the checksum repaired the content decides: refused, or a plan that is safe to run.
TEST(ReadPlan, L2_L6_each_byte_changed_with_checksum_repaired_is_refused_or_safe) {
  static const ReferenceBackend backend;
  const Bytes plan = must_write(tiny()).bytes;
  size_t refused = 0, accepted = 0;
  for (size_t i = kPlanHeaderBytes; i < plan.size(); ++i) {
    for (int mask : {0x01, 0x80, 0xff}) {
      Bytes changed = plan;
      changed[i] ^= static_cast<std::byte>(mask);
      repair(changed);
      auto read = read_plan(changed);
      if (!read.ok()) {
        EXPECT_EQ(read.status().code(), Code::kPlanError) << i << " " << read.status().message();
        ++refused;
        continue;
      }
      ++accepted;
      auto engine = load_engine(changed, {}, backend);
      if (!engine.ok()) {
        EXPECT_NE(engine.status().code(), Code::kInternal) << i << " " << engine.status().message();
        continue;
      }
      std::vector<Tensor<float>> feeds;
      std::vector<TensorRef> refs;
      for (const TensorSpec& spec : (*engine)->inputs()) {
        Dims dims;
        for (int64_t d : spec.dims) dims.push_back(d < 0 ? 3 : std::min<int64_t>(d, 4));
        feeds.push_back(ramp(dims));
      }
      for (const auto& f : feeds) refs.push_back(f.ref());
      Collect out;
      const Status status = (*engine)->run(refs, out);
      EXPECT_NE(status.code(), Code::kInternal) << i << " " << status.message();
    }
  }
  EXPECT_GT(refused, 100u);
  EXPECT_GT(accepted, 100u);  // weights and names
}

TEST(ReadPlan, L2_random_changes_of_every_op_with_checksum_repaired) {
  std::mt19937 rng(11);
  size_t refused = 0;
  for (int kind = 0; kind < static_cast<int>(ir::OpKind::kCount); ++kind) {
    const Bytes plan = must_write(sample_network(static_cast<ir::OpKind>(kind))).bytes;
    for (int round = 0; round < 150; ++round) {
      Bytes changed = plan;
      for (int n = 0; n <= round % 3; ++n) {
        const size_t at = kPlanHeaderBytes + rng() % (plan.size() - kPlanHeaderBytes);
        changed[at] = static_cast<std::byte>(rng());
      }
      repair(changed);
      auto read = read_plan(changed);
      if (read.ok()) continue;
      ++refused;
      EXPECT_EQ(read.status().code(), Code::kPlanError) << kind << " " << read.status().message();
    }
  }
  EXPECT_GT(refused, 500u);
}

TEST(ReadPlan, L3_wrong_magic_and_other_versions_are_named) {
  Bytes plan = must_write(tiny()).bytes;
  plan[4] = std::byte{7};
  const std::string text = read_plan(plan).status().message();
  EXPECT_NE(text.find("format version 7"), std::string::npos) << text;
  EXPECT_NE(text.find("reads format version 1"), std::string::npos) << text;
  EXPECT_NE(text.find("graft "), std::string::npos) << text;
  plan[0] = std::byte{'X'};
  EXPECT_NE(read_plan(plan).status().message().find("not a Graft plan"), std::string::npos);
  const std::string_view foreign = "ftrt and what follows";
  EXPECT_NE(read_plan(std::as_bytes(std::span(foreign))).status().message().find("rescue"),
            std::string::npos);
}

TEST(ReadPlan, L5_section_sizes_that_overflow_or_leave_holes) {
  const Bytes plan = must_write(tiny()).bytes;
  for (size_t field : {40, 48}) {
    for (uint64_t size : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 31, uint64_t{1} << 62,
                          UINT64_MAX, UINT64_MAX - 255}) {
      Bytes changed = plan;
      std::memcpy(&changed[field], &size, sizeof size);
      expect_plan_error(changed, "size " + std::to_string(size));
    }
  }
  Bytes changed = plan;
  changed[110] = std::byte{1};  // reserved
  repair(changed);
  expect_plan_error(changed, "reserved byte");
}

TEST(ReadPlan, L6_header_numbers_out_of_range) {
  for (size_t field : {56, 64}) {
    Bytes changed = must_write(tiny()).bytes;
    const int64_t number = -5;
    std::memcpy(&changed[field], &number, sizeof number);
    repair(changed);
    expect_plan_error(changed, "field " + std::to_string(field));
  }
}

TEST(ReadPlan, D6_forged_identity_is_refused) {
  Bytes plan = must_write(tiny()).bytes;
  const Bytes other = must_write(sample_network(ir::OpKind::kConv)).bytes;
  std::memcpy(&plan[72], &other[72], 32);
  Sha256 seal;  // a consistent seal over the forged header
  uint64_t metadata_bytes;
  std::memcpy(&metadata_bytes, &plan[40], 8);
  PlanHeader header;
  header.metadata_bytes = metadata_bytes;
  std::memcpy(&header.weights_bytes, &plan[48], 8);
  const auto layout = plan_layout(header, {});
  ASSERT_TRUE(layout.ok());
  seal.update(std::span<const std::byte>(plan).first(224));
  seal.update(std::span<const std::byte>(plan).subspan(256, layout->weights - 256));
  const Digest digest = seal.finish();
  std::memcpy(&plan[224], digest.data(), digest.size());
  const Status status = read_plan(plan).status();
  EXPECT_EQ(status.code(), Code::kPlanError);
  EXPECT_NE(status.message().find("identity"), std::string::npos) << status.message();
}

TEST(LoadEngine, L7_plan_of_another_node_is_refused) {
  static const ReferenceBackend backend;
  const WrittenPlan plan = must_write(tiny());
  EngineOptions options;
  options.expected_identity = plan.identity;
  EXPECT_TRUE(load_engine(plan.bytes, options, backend).ok());
  options.expected_identity = must_write(sample_network(ir::OpKind::kConv)).identity;
  const Status status = load_engine(plan.bytes, options, backend).status();
  EXPECT_EQ(status.code(), Code::kPlanError);
  EXPECT_NE(status.message().find(plan.identity), std::string::npos);
}

TEST(ReadPlan, plan_at_any_address) {
  const Bytes plan = must_write(sample_network(ir::OpKind::kConv)).bytes;
  Bytes room(plan.size() + 64);
  for (size_t shift : {1, 2, 3, 5, 9}) {
    std::memcpy(&room[shift], plan.data(), plan.size());
    EXPECT_TRUE(read_plan(std::span(room).subspan(shift, plan.size())).ok());
  }
}

}  // namespace
}  // namespace graft::engine
