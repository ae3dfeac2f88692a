// The sample of inputs: bounded, and a function of the set of inputs alone.
#include <algorithm>
#include <random>
#include <set>

#include "engine/calibrate/samples.h"
#include "engine_testing.h"

namespace graft::engine {
namespace {

using namespace engine_testing;

Sample sample_of(int seed, size_t bytes) {
  Sample s;
  s.dims = {{static_cast<int64_t>(bytes)}};
  s.inputs.emplace_back(bytes, static_cast<std::byte>(seed));
  if (bytes >= sizeof seed) std::memcpy(s.inputs[0].data(), &seed, sizeof seed);
  return s;
}

void add(SampleSet& set, const Sample& s) { set.add(digest_of(s), s.size_bytes(), Sample(s)); }

std::vector<Digest> keys(const SampleSet& set) {
  std::vector<Digest> result;
  for (const auto& [key, sample] : set.samples()) result.push_back(key);
  return result;
}

TEST(CalibrationSamples, Q8_same_choice_in_any_order_and_split) {
  std::mt19937 random(7);
  std::vector<Sample> all;
  for (int i = 0; i < 60; ++i) all.push_back(sample_of(i, 8 + random() % 400));
  for (const auto& [count, bytes] : {std::pair<size_t, size_t>{64, 2000}, {5, 100000}, {7, 1500}}) {
    SampleSet first(count, bytes);
    for (const Sample& s : all) add(first, s);
    ASSERT_FALSE(first.samples().empty());
    EXPECT_LE(first.samples().size(), count);
    size_t total = 0;
    for (const auto& [key, s] : first.samples()) total += s.size_bytes();
    EXPECT_LE(total, bytes);
    for (int round = 0; round < 50; ++round) {
      std::shuffle(all.begin(), all.end(), random);
      SampleSet a(count, bytes), b(count, bytes);
      const size_t cut = random() % all.size();
      for (size_t i = 0; i < all.size(); ++i) add(i < cut ? a : b, all[i]);
      add(a, all[0]);  // fed twice: counts once
      a.lower_bound_to(b.bound());
      for (const auto& [key, s] : b.samples()) a.add(key, s.size_bytes(), Sample(s));
      EXPECT_EQ(keys(a), keys(first));
      EXPECT_EQ(a.bound(), first.bound());
    }
  }
}

TEST(CalibrationSamples, what_is_not_wanted_never_will_be_and_one_too_large_takes_no_room) {
  SampleSet set(2, 100);
  add(set, sample_of(1, 101));
  EXPECT_TRUE(set.samples().empty());
  std::vector<Sample> all;
  for (int i = 0; i < 20; ++i) all.push_back(sample_of(i, 16));
  for (const Sample& s : all) {
    const bool wanted = set.wants(digest_of(s), s.size_bytes());
    add(set, s);
    EXPECT_EQ(set.samples().contains(digest_of(s)), wanted);
  }
  EXPECT_EQ(set.samples().size(), 2u);
  for (const Sample& s : all) EXPECT_FALSE(set.wants(digest_of(s), s.size_bytes()));
}

TEST(CalibrationSamples, contents_and_shapes_tell_samples_apart) {
  std::mt19937 random(3);
  std::set<Digest> digests;
  size_t samples = 0;
  const auto add = [&](const Sample& s) { digests.insert(digest_of(s)), ++samples; };
  for (const size_t bytes : {size_t{0}, size_t{1}, size_t{63}, size_t{64}, size_t{200}}) {
    Sample s = sample_of(0, bytes);
    for (std::byte& b : s.inputs[0]) b = static_cast<std::byte>(random());
    add(s);
    for (size_t bit = 0; bit < 8 * bytes; ++bit) {
      s.inputs[0][bit / 8] ^= std::byte{1} << bit % 8;
      add(s);
      s.inputs[0][bit / 8] ^= std::byte{1} << bit % 8;
    }
    for (size_t at = 0; at + 16 <= bytes; at += 8) {  // neighbouring words change places
      std::swap_ranges(&s.inputs[0][at], &s.inputs[0][at] + 8, &s.inputs[0][at] + 8);
      add(s);
      std::swap_ranges(&s.inputs[0][at], &s.inputs[0][at] + 8, &s.inputs[0][at] + 8);
    }
    s.dims = {{1, static_cast<int64_t>(bytes)}};
    add(s);
  }
  EXPECT_EQ(digests.size(), samples);
}

TEST(CalibrationSamples, images_where_all_inputs_have_the_batch_else_the_whole) {
  const std::vector<TensorSpec> specs{{"a", DType::kFloat, {-1, 2}}, {"b", DType::kInt32, {-1}}};
  const Tensor<float> a = ramp({3, 2});
  const Tensor<int32_t> b{{3}, {10, 11, 12}}, other{{2}, {10, 11}};
  const TensorRef refs[] = {a.ref(), b.ref()};
  const auto views = split_into_samples(specs, refs);
  ASSERT_EQ(views.size(), 3u);
  const Sample s = views[1].copy();
  EXPECT_EQ(s.dims, (std::vector<Dims>{{1, 2}, {1}}));
  EXPECT_EQ(std::memcmp(s.inputs[0].data(), &a.elems[2], 8), 0);
  EXPECT_EQ(std::memcmp(s.inputs[1].data(), &b.elems[1], 4), 0);
  EXPECT_EQ(digest_of(s), views[1].digest());
  EXPECT_EQ(s.size_bytes(), views[1].size_bytes());

  const TensorRef unequal[] = {a.ref(), other.ref()};
  EXPECT_EQ(split_into_samples(specs, unequal).size(), 1u);
  const std::vector<TensorSpec> fixed{{"a", DType::kFloat, {3, 2}}, {"b", DType::kInt32, {-1}}};
  const auto whole = split_into_samples(fixed, refs);
  ASSERT_EQ(whole.size(), 1u);
  EXPECT_EQ(whole[0].copy().dims, (std::vector<Dims>{{3, 2}, {3}}));
  const Tensor<float> empty{{0, 2}, {}};
  const TensorRef none[] = {empty.ref()};
  EXPECT_TRUE(split_into_samples({specs.data(), 1}, none).empty());
}

}  // namespace
}  // namespace graft::engine
