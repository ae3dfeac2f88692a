#include "engine/calibrate/samples.h"

#include <cstring>
#include <utility>

namespace graft::engine {
namespace {

struct Part {
  std::vector<int64_t> dims;
  std::span<const std::byte> bytes;
};

Part part_of(const TensorRef& input, int64_t image) {
  Part part{{input.dims.begin(), input.dims.end()},
            {static_cast<const std::byte*>(input.data), input.size_bytes}};
  if (image < 0) return part;
  const size_t image_bytes = input.size_bytes / static_cast<size_t>(input.dims[0]);
  part.dims[0] = 1;
  part.bytes = part.bytes.subspan(static_cast<size_t>(image) * image_bytes, image_bytes);
  return part;
}

// Tells contents apart at the speed of memory, where SHA-256 would take longer than some networks.
// Eight sums side by side; a step is a bijection of its sum, so that one word that differs always
// shows. Chosen contents may collide: then one of them is no sample.
class ContentSums {
 public:
  explicit ContentSums(std::span<const std::byte> bytes) {
    for (size_t i = 0; i < kSums; ++i) sums_[i] = kOdd * (2 * i + 1);
    size_t at = 0;
    for (; at + kBlockBytes <= bytes.size(); at += kBlockBytes) add(bytes.data() + at);
    if (at == bytes.size()) return;
    std::byte last[kBlockBytes] = {};
    std::memcpy(last, bytes.data() + at, bytes.size() - at);
    add(last);
  }
  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(sums_)); }

 private:
  static constexpr size_t kSums = 8, kBlockBytes = kSums * sizeof(uint64_t);
  static constexpr uint64_t kOdd = 0x9e3779b97f4a7c15;  // 2^64 / the golden ratio

  void add(const std::byte* block) {
    for (size_t i = 0; i < kSums; ++i) {
      uint64_t word;
      std::memcpy(&word, block + i * sizeof word, sizeof word);
      const uint64_t product = (sums_[i] ^ word) * kOdd;
      sums_[i] = product ^ (product >> 32);
    }
  }

  uint64_t sums_[kSums];
};

void add_part(Sha256& hash, std::span<const int64_t> dims, std::span<const std::byte> bytes) {
  hash.update_u64(dims.size());
  for (const int64_t d : dims) hash.update_u64(static_cast<uint64_t>(d));
  hash.update_u64(bytes.size());
  hash.update(ContentSums(bytes).bytes());
}

bool has_batch(std::span<const TensorSpec> specs, std::span<const TensorRef> inputs) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].dims.empty() || specs[i].dims.empty() || specs[i].dims[0] != -1 ||
        inputs[i].dims[0] != inputs[0].dims[0])
      return false;
  }
  return !inputs.empty();
}

}  // namespace

size_t Sample::size_bytes() const {
  size_t bytes = 0;
  for (const auto& input : inputs) bytes += input.size();
  return bytes;
}

Digest digest_of(const Sample& sample) {
  Sha256 hash;
  for (size_t i = 0; i < sample.inputs.size(); ++i)
    add_part(hash, sample.dims[i], sample.inputs[i]);
  return hash.finish();
}

size_t SampleView::size_bytes() const {
  size_t bytes = 0;
  for (const TensorRef& input : inputs) bytes += part_of(input, image).bytes.size();
  return bytes;
}

Digest SampleView::digest() const {
  Sha256 hash;
  for (const TensorRef& input : inputs) {
    const Part part = part_of(input, image);
    add_part(hash, part.dims, part.bytes);
  }
  return hash.finish();
}

Sample SampleView::copy() const {
  Sample sample;
  for (const TensorRef& input : inputs) {
    Part part = part_of(input, image);
    sample.inputs.emplace_back(part.bytes.begin(), part.bytes.end());
    sample.dims.push_back(std::move(part.dims));
  }
  return sample;
}

std::vector<SampleView> split_into_samples(std::span<const TensorSpec> specs,
                                           std::span<const TensorRef> inputs) {
  if (!has_batch(specs, inputs)) {
    if (inputs.empty()) return {};
    return {SampleView{inputs, -1}};
  }
  std::vector<SampleView> samples;
  for (int64_t i = 0; i < inputs[0].dims[0]; ++i) samples.push_back({inputs, i});
  return samples;
}

bool SampleSet::fits(const Digest& digest, size_t size_bytes) const {
  size_t count = 1, bytes = size_bytes;
  for (auto it = samples_.begin(); it != samples_.end() && it->first < digest; ++it) {
    ++count;
    bytes += it->second.size_bytes();
  }
  return count <= max_samples_ && bytes <= max_bytes_;
}

bool SampleSet::wants(const Digest& digest, size_t size_bytes) const {
  return size_bytes <= max_bytes_ && digest < bound_ && !samples_.contains(digest) &&
         fits(digest, size_bytes);
}

void SampleSet::add(const Digest& digest, size_t size_bytes, Sample&& sample) {
  if (size_bytes > max_bytes_ || digest >= bound_ || samples_.contains(digest)) return;
  if (!fits(digest, size_bytes)) return lower_bound_to(digest);
  samples_.emplace(digest, std::move(sample));
  size_t count = 0, bytes = 0;
  for (const auto& [key, kept] : samples_) {
    bytes += kept.size_bytes();
    if (++count <= max_samples_ && bytes <= max_bytes_) continue;
    return lower_bound_to(Digest(key));  // a copy: the key goes
  }
}

void SampleSet::lower_bound_to(const Digest& bound) {
  if (bound >= bound_) return;
  bound_ = bound;
  samples_.erase(samples_.lower_bound(bound_), samples_.end());
}

}  // namespace graft::engine
