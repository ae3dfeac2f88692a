// The runner: names, records, disabling, dumps, outputs.
#include <unistd.h>

#include <filesystem>

#include "network_runner.h"

namespace graft::passes {
namespace {

ir::Network sample() {
  Builder b;
  const auto x = b.input({-1, 6, 6, 3});
  auto y = b.conv(x, b.weights({3, 3, 3, 4}, 1));
  y = b.unary(ir::UnaryFn::kRelu, b.add(b.mul(y, b.weights({4}, 2)), b.weights({4}, 3)));
  b.output(y);
  return b.net;
}

TEST(Pipeline, unknown_pass_lists_the_valid_ones) {
  ir::Network net = sample();
  PassOptions options;
  options.disabled = {"fold_wieghts"};
  WorkContext work;
  const Status status = canonicalize(net, options, work);
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_NE(status.message().find("fold_wieghts"), std::string::npos);
  EXPECT_NE(status.message().find("fold_affine"), std::string::npos);
}

TEST(Pipeline, records_every_pass) {
  ir::Network net = sample();
  PassOptions options;
  options.disabled = {"fuse_epilogue"};
  WorkContext work;
  std::vector<PassRecord> records;
  ASSERT_TRUE(canonicalize(net, options, work, &records).ok());
  ASSERT_EQ(records.size(), pass_names().size());
  for (size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(records[i].name, pass_names()[i]);
    EXPECT_EQ(records[i].disabled, records[i].name == "fuse_epilogue");
    if (records[i].name == "fold_affine") {
      EXPECT_TRUE(records[i].changed);
    }
  }
  EXPECT_EQ(histogram(net), (Counts{{"conv", 1}, {"unary", 1}}));
}

TEST(Pipeline, every_pass_can_be_disabled) {
  for (const std::string& name : pass_names()) canonical(sample(), name);
}

TEST(Pipeline, second_run_changes_nothing) {
  ir::Network once = canonical(sample());
  std::vector<PassRecord> records;
  WorkContext work;
  ASSERT_TRUE(canonicalize(once, {}, work, &records).ok());
  for (const PassRecord& r : records) EXPECT_FALSE(r.changed) << r.name;
}

TEST(Pipeline, outputs_keep_their_order_and_names) {
  Builder b;
  const auto x = b.input({2, 3});
  const auto y = b.op(ir::UnaryAttrs{{ir::UnaryFn::kTanh}}, {x});
  const auto z = b.mul(y, b.scalar(1));  // vanishes: y takes its name
  b.output(z);
  b.output(x);
  const std::string name = b.net.values[static_cast<size_t>(z)].name;
  const ir::Network after = canonical(b.net);
  ASSERT_EQ(after.outputs.size(), 2u);
  EXPECT_EQ(after.values[static_cast<size_t>(after.outputs[0])].name, name);
  EXPECT_EQ(after.outputs[1], after.inputs[0]);
}

TEST(Pipeline, dumps_what_changed) {
  const std::filesystem::path dir =
      std::filesystem::temp_directory_path() / ("graft_dump_" + std::to_string(::getpid()));
  std::filesystem::create_directory(dir);
  ir::Network net = sample();
  PassOptions options;
  options.dump_dir = dir.string();
  WorkContext work;
  std::vector<PassRecord> records;
  ASSERT_TRUE(canonicalize(net, options, work, &records).ok());
  size_t changed = 0, files = 0;
  for (const PassRecord& r : records) changed += r.changed;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(dir)) ++files;
  EXPECT_EQ(files, changed);
  EXPECT_GT(files, 0u);
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace graft::passes
