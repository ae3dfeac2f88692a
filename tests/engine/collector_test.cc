// CalibrationCollector: exact totals, nothing of failed runs, states that merge or are refused.
#include <filesystem>
#include <random>
#include <thread>

#include "base/file_io.h"
#include "engine/calibrate/shared_file.h"
#include "engine/calibrate/state.h"
#include "engine_testing.h"

namespace graft::engine {
namespace {

using namespace engine_testing;

ir::Network network(float factor = 2) {
  Builder b;
  const auto x = b.input("x", DType::kFloat, {-1, 3});
  const auto r = b.relu(x, "r");
  b.output(b.binary(ir::BinaryFn::kMul, r, b.scalar<float>("factor", factor), "y"));
  return std::move(b.network);
}

std::shared_ptr<CalibrationCollector> collector(const ir::Network& of = network()) {
  auto made = CalibrationCollector::create(must_load(of));
  EXPECT_TRUE(made.ok()) << made.status().message();
  return *made;
}

Tensor<float> batch(int number) {
  return ramp({1 + number % 3, 3}, static_cast<float>(number) - 5, 0.125f);
}

void feed(CalibrationCollector& c, int number) {
  const Tensor<float> x = batch(number);
  const TensorRef input = x.ref();
  Collect out;
  const Status status = c.run({&input, 1}, out);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(out.get<float>(0).size(), x.elems.size());
}

TEST(Collector, counts_every_value_of_every_tap) {
  const auto c = collector();
  EXPECT_EQ(c->runs(), 0);
  size_t values = 0;
  for (int i = 0; i < 10; ++i) {
    feed(*c, i);
    values += batch(i).elems.size();
  }
  EXPECT_EQ(c->runs(), 10);
  auto state = parse_state(c->state());
  ASSERT_TRUE(state.ok()) << state.status().message();
  EXPECT_EQ(state->observers->identity(), c->engine().identity());
  EXPECT_EQ(state->observers->names(), (std::vector<std::string>{"x", "r", "y"}));
  for (size_t tap = 0; tap < 3; ++tap)
    EXPECT_EQ(state->observers->value(tap).histogram.total, values);
  EXPECT_EQ(state->observers->value(0).histogram.min, -5);
  EXPECT_EQ(state->observers->value(1).histogram.min, 0);
  EXPECT_EQ(state->observers->value(2).histogram.max, 2 * state->observers->value(0).histogram.max);
  EXPECT_FALSE(state->samples.samples().empty());
}

TEST(Collector, Q8_Q11_any_order_split_and_threads_give_the_same_bytes) {
  const auto one = collector();
  for (int i = 0; i < 40; ++i) feed(*one, i);

  const auto threads = collector();
  std::vector<std::thread> pool;
  for (int t = 0; t < 4; ++t)
    pool.emplace_back([&, t] {
      for (int i = 39 - t; i >= 0; i -= 4) feed(*threads, i);
    });
  for (std::thread& t : pool) t.join();
  EXPECT_EQ(threads->runs(), 40);
  EXPECT_EQ(threads->state(), one->state());

  const auto merged = collector();
  for (const int part : {2, 0, 3, 1}) {
    const auto c = collector();
    for (int i = part; i < 40; i += 4) feed(*c, i);
    ASSERT_TRUE(merged->merge(c->state()).ok());
  }
  EXPECT_EQ(merged->state(), one->state());
}

class Stopping final : public OutputSink {
 public:
  void* allocate(int, DType, std::span<const int64_t>, size_t size_bytes) override {
    if (refuse) return nullptr;
    bytes.resize(size_bytes);
    source.request_stop();
    return bytes.data();
  }
  bool refuse = false;
  std::vector<std::byte> bytes;
  std::stop_source source;
};

TEST(Collector, Q10_failed_and_stopped_runs_count_nothing) {
  // Gather with an index out of range fails in the middle, after x and r were shown.
  Builder b;
  const auto x = b.input("x", DType::kFloat, {-1});
  const auto i = b.input("i", DType::kInt32, {-1});
  const auto r = b.relu(x, "r");
  b.output(b.op(ir::GatherAttrs{}, {r, i}, "g"));
  const auto c = collector(b.network);
  const auto run = [&](int32_t index, OutputSink& sink, std::stop_token stop = {}) {
    const Tensor<float> values = ramp({4});
    const Tensor<int32_t> indices{{1}, {index}};
    const TensorRef inputs[] = {values.ref(), indices.ref()};
    return c->run(inputs, sink, std::move(stop));
  };
  Collect out;
  ASSERT_TRUE(run(1, out).ok());
  const auto before = c->state();
  EXPECT_EQ(run(99, out).code(), Code::kInvalidArgument);
  Stopping stopping;
  EXPECT_EQ(run(1, stopping, stopping.source.get_token()).code(), Code::kCancelled);
  stopping.refuse = true;
  EXPECT_EQ(run(1, stopping).code(), Code::kResourceExhausted);
  EXPECT_EQ(c->runs(), 1);
  EXPECT_EQ(c->state(), before);
  ASSERT_TRUE(run(2, out).ok());
  EXPECT_EQ(c->runs(), 2);
}

TEST(Collector, Q3_inputs_that_do_not_fit_are_an_error_and_count_nothing) {
  const auto c = collector();
  const Tensor<float> wide = ramp({2, 4});
  const Tensor<int32_t> ints{{1, 3}, {1, 2, 3}};
  Collect out;
  for (const TensorRef& bad : {wide.ref(), ints.ref()}) {
    const Status status = c->run({&bad, 1}, out);
    EXPECT_EQ(status.code(), Code::kInvalidArgument);
    EXPECT_NE(status.message().find("x"), std::string::npos);
  }
  EXPECT_EQ(c->run({}, out).code(), Code::kInvalidArgument);
  EXPECT_EQ(c->runs(), 0);
}

TEST(Collector, Q2_batches_may_be_of_any_size_also_empty) {
  const auto c = collector();
  for (const int64_t n : {4, 1, 0, 7}) {
    const Tensor<float> x = ramp({n, 3});
    const TensorRef input = x.ref();
    Collect out;
    EXPECT_TRUE(c->run({&input, 1}, out).ok());
  }
  EXPECT_EQ(c->runs(), 4);
  EXPECT_EQ(parse_state(c->state())->observers->value(0).histogram.total, 12u * 3);
}

TEST(Collector, Q11_data_after_finish_are_refused_and_finish_may_be_repeated) {
  const auto c = collector();
  feed(*c, 1);
  const auto other = collector();
  feed(*other, 2);
  c->finish();
  const auto state = c->state();
  c->finish();
  EXPECT_TRUE(c->finished());
  const Tensor<float> x = batch(3);
  const TensorRef input = x.ref();
  Collect out;
  EXPECT_EQ(c->run({&input, 1}, out).code(), Code::kCalibrationError);
  EXPECT_EQ(c->merge(other->state()).code(), Code::kCalibrationError);
  EXPECT_EQ(c->state(), state);
}

TEST(Collector, Q11_a_finish_among_threads_keeps_whole_runs) {
  const auto c = collector();
  std::atomic<int> done{0};
  std::vector<std::thread> pool;
  for (int t = 0; t < 4; ++t)
    pool.emplace_back([&] {
      const Tensor<float> x = ramp({1, 3});
      const TensorRef input = x.ref();
      Collect out;
      while (c->run({&input, 1}, out).ok()) done.fetch_add(1);
    });
  while (c->runs() < 20) std::this_thread::yield();
  c->finish();
  const auto state = c->state();
  for (std::thread& t : pool) t.join();
  EXPECT_EQ(c->runs(), done);
  EXPECT_EQ(c->state(), state);
  EXPECT_EQ(parse_state(state)->observers->value(2).histogram.total,
            3u * static_cast<size_t>(done));
}

TEST(Collector, Q13_states_that_are_corrupt_or_of_another_plan_are_refused_whole) {
  const auto c = collector(), source = collector();
  for (int i = 0; i < 5; ++i) feed(*source, i);
  const auto good = source->state();
  const auto refused = [&](const std::vector<std::byte>& bytes) {
    const Status status = c->merge(bytes);
    return status.code() == Code::kCalibrationError && c->runs() == 0;
  };
  for (size_t size = 0; size < good.size(); size += size < 200 ? 1 : 97)
    EXPECT_TRUE(refused({good.begin(), good.begin() + static_cast<ptrdiff_t>(size)})) << size;
  for (size_t at = 0; at < good.size(); at += at < 200 ? 1 : 97) {
    auto bad = good;
    bad[at] ^= std::byte{4};
    EXPECT_TRUE(refused(bad)) << at;
  }
  auto longer = good;
  longer.push_back(std::byte{0});
  EXPECT_TRUE(refused(longer));
  const auto foreign = collector(network(3));
  feed(*foreign, 1);
  EXPECT_TRUE(refused(foreign->state()));
  EXPECT_NE(c->merge(foreign->state()).message().find("identity"), std::string::npos);
  EXPECT_TRUE(c->merge(good).ok());
  EXPECT_EQ(c->state(), good);
}

TEST(Collector, Q13_a_state_with_another_digest_is_still_checked) {
  // As an attacker would: contents changed, digest made anew.
  const auto c = collector(), source = collector();
  feed(*source, 1);
  const auto good = source->state();
  constexpr size_t kHeader = 4 + 4 + 8 + 32;
  int accepted = 0;
  for (size_t at = kHeader; at < good.size(); at += at < kHeader + 300 ? 1 : 13) {
    auto bad = good;
    bad[at] ^= std::byte{0x81};
    const Digest digest = sha256(std::span(bad).subspan(kHeader));
    std::memcpy(bad.data() + 16, digest.data(), digest.size());
    auto parsed = parse_state(bad);
    if (parsed.ok()) {
      ++accepted;  // a changed sample is as good as any
    } else {
      EXPECT_EQ(parsed.status().code(), Code::kCalibrationError);
    }
    if (const Status merged = c->merge(bad); !merged.ok()) {
      EXPECT_EQ(merged.code(), Code::kCalibrationError);
    }
  }
  EXPECT_LT(accepted, 60);
}

TEST(Collector, Q8_samples_of_merged_states_are_those_of_one) {
  std::mt19937 random(5);
  const auto empty = [] {
    CalibrationState state;
    state.observers = *quantize::ObserverSet::create("id", {"x"});
    state.samples = SampleSet(100, 2000);
    return state;
  };
  for (int round = 0; round < 30; ++round) {
    CalibrationState one = empty(), merged = empty();
    CalibrationState parts[] = {empty(), empty()};
    for (int i = 0; i < 60; ++i) {
      Sample sample;
      sample.inputs.emplace_back(8 + random() % 600, static_cast<std::byte>(random()));
      sample.dims = {{static_cast<int64_t>(sample.inputs[0].size())}};
      const Digest digest = digest_of(sample);
      one.samples.add(digest, sample.size_bytes(), Sample(sample));
      parts[random() % 8 == 0].samples.add(digest, sample.size_bytes(), Sample(sample));
    }
    for (const CalibrationState& part : parts) ASSERT_TRUE(merged.merge(part).ok());
    EXPECT_EQ(serialize_state(merged), serialize_state(one));
  }
}

TEST(Collector, Q15_memory_is_bounded_by_the_number_of_runs_that_is) {
  const auto c = collector();
  const auto bytes_after = [&](int runs) {
    for (int i = 0; i < runs; ++i) {
      const Tensor<float> x = ramp({64, 3}, static_cast<float>(c->runs() % 8));
      const TensorRef input = x.ref();
      Collect out;
      EXPECT_TRUE(c->run({&input, 1}, out).ok());
    }
    return c->state().size();
  };
  const size_t early = bytes_after(20);
  EXPECT_LE(bytes_after(500), early + 4096);
  EXPECT_LE(parse_state(c->state())->samples.samples().size(), CalibrationCollector::kMaxSamples);
}

class CalibrationFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "graft_calib_" + std::to_string(::getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override {
    set_io_fault(0, 0);
    std::filesystem::remove_all(folder_);
  }
  std::string folder_;
};

TEST_F(CalibrationFiles, states_of_several_writers_are_found_by_resource) {
  const auto a = collector(), b = collector(), c = collector();
  feed(*a, 1);
  feed(*b, 2);
  feed(*c, 3);
  CalibrationFile file_a(folder_, "one"), file_b(folder_, "one"), file_c(folder_, "two");
  ASSERT_TRUE(file_a.check().ok());
  EXPECT_NE(file_a.path(), file_b.path());
  EXPECT_TRUE(file_a.path().starts_with(folder_ + "/" + calibration_file_prefix("one")));
  EXPECT_TRUE(file_a.save(*a, false).ok());
  EXPECT_TRUE(file_b.save(*b, false).ok());
  EXPECT_TRUE(file_c.save(*c, false).ok());
  feed(*a, 4);
  EXPECT_TRUE(file_a.save(*a, true).ok());  // replaces
  const auto states = read_calibration_files(folder_, "one");
  ASSERT_TRUE(states.ok()) << states.status().message();
  ASSERT_EQ(states->size(), 2u);
  const auto merged = collector();
  for (const auto& state : *states) EXPECT_TRUE(merged->merge(state).ok());
  EXPECT_EQ(merged->runs(), 3);
  EXPECT_EQ(read_calibration_files(folder_, "three")->size(), 0u);
}

TEST_F(CalibrationFiles, saves_only_what_is_new_and_not_too_often) {
  const auto c = collector();
  CalibrationFile file(folder_, "one");
  EXPECT_TRUE(file.save(*c, true).ok());
  EXPECT_FALSE(file_exists(file.path())) << "nothing was fed";
  feed(*c, 1);
  EXPECT_TRUE(file.save(*c, false).ok());
  const auto first = read_file(file.path(), 1 << 30);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(*first, c->state());
  set_io_fault(0, 0);
  EXPECT_TRUE(file.save(*c, true).ok());
  EXPECT_EQ(io_calls(), 0) << "the file holds this state already";
}

TEST_F(CalibrationFiles, X1_each_failing_system_call_leaves_the_old_file_or_the_new) {
  const auto c = collector();
  feed(*c, 1);
  CalibrationFile file(folder_, "one");
  ASSERT_TRUE(file.save(*c, true).ok());
  feed(*c, 2);
  for (int64_t n = 1; n < 100; ++n) {
    set_io_fault(n, 28 /* ENOSPC */);
    const Status saved = file.save(*c, true);
    set_io_fault(0, 0);
    const auto states = read_calibration_files(folder_, "one");
    ASSERT_TRUE(states.ok());
    ASSERT_EQ(states->size(), 1u);
    EXPECT_TRUE(parse_state((*states)[0]).ok()) << n;
    if (saved.ok()) {
      EXPECT_GT(n, 5);
      return;
    }
    EXPECT_EQ(saved.code(), Code::kFileError);
  }
  FAIL() << "it never worked";
}

TEST_F(CalibrationFiles, a_directory_that_is_none_is_named) {
  const CalibrationFile file(folder_ + "/missing", "one");
  EXPECT_EQ(file.check().code(), Code::kFileError);
  EXPECT_NE(file.check().message().find("missing"), std::string::npos);
  EXPECT_EQ(read_calibration_files(folder_ + "/missing", "one").status().code(), Code::kFileError);
}

}  // namespace
}  // namespace graft::engine
