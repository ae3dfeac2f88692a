// Calibration states, format 1. Little endian.
//   header   "GRFS", u32 version, u64 payload bytes, SHA-256 of the payload
//   payload  u64 bytes of the observers' own format, these bytes, 32 bytes bound of the samples,
//            u32 samples, then per sample: u32 inputs, per input: u32 rank, rank x i64 dims,
//            u64 bytes, these bytes
#include "engine/calibrate/state.h"

#include <cstring>
#include <utility>

#include "base/checked.h"
#include "base/limits.h"
#include "quantize/calibration_error.h"

namespace graft::engine {
namespace {

using quantize::calibration_error;

constexpr char kMagic[4] = {'G', 'R', 'F', 'S'};
constexpr uint32_t kVersion = 2;
constexpr size_t kHeaderBytes = sizeof(kMagic) + 4 + 8 + sizeof(Digest);

class Writer {
 public:
  template <typename T>
  void number(T value) {
    for (size_t i = 0; i < sizeof(T); ++i)
      bytes_.push_back(static_cast<std::byte>((value >> (8 * i)) & 0xff));
  }
  void raw(std::span<const std::byte> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

// Reads past the end give zeros and clear ok().
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}
  template <typename T>
  T number() {
    uint64_t value = 0;
    const auto part = raw(sizeof(T));
    for (size_t i = 0; i < part.size(); ++i)
      value |= static_cast<uint64_t>(std::to_integer<uint8_t>(part[i])) << (8 * i);
    return static_cast<T>(value);
  }
  std::span<const std::byte> raw(uint64_t size) {
    if (size > bytes_.size()) {
      ok_ = false;
      bytes_ = {};
      return {};
    }
    const auto part = bytes_.first(static_cast<size_t>(size));
    bytes_ = bytes_.subspan(static_cast<size_t>(size));
    return part;
  }
  Digest digest() {
    Digest digest{};
    const auto part = raw(digest.size());
    if (!part.empty()) std::memcpy(digest.data(), part.data(), digest.size());
    return digest;
  }
  size_t left() const { return bytes_.size(); }
  bool ok() const { return ok_; }

 private:
  std::span<const std::byte> bytes_;
  bool ok_ = true;
};

Status corrupt(const std::string& what) {
  return calibration_error("the calibration state is corrupt: " + what);
}

// nullptr, or what is wrong.
const char* read_sample(Reader& in, Sample& sample) {
  const auto inputs = in.number<uint32_t>();
  if (inputs == 0 || inputs > in.left() / 12) return "a sample with a bad number of inputs";
  for (uint32_t i = 0; i < inputs; ++i) {
    const auto rank = in.number<uint32_t>();
    if (rank > static_cast<uint32_t>(Limits().max_rank)) return "a sample of too high a rank";
    std::vector<int64_t>& dims = sample.dims.emplace_back();
    for (uint32_t d = 0; d < rank; ++d) dims.push_back(in.number<int64_t>());
    const auto elems = checked_product(dims);
    const auto bytes = in.number<uint64_t>();
    const auto data = in.raw(bytes);
    if (!in.ok()) return "fewer bytes than its samples need";
    if (!elems ||
        (*elems == 0 ? bytes != 0 : bytes == 0 || bytes % static_cast<uint64_t>(*elems) != 0))
      return "a sample whose bytes do not fit its shape";
    sample.inputs.emplace_back(data.begin(), data.end());
  }
  return nullptr;
}

}  // namespace

Status CalibrationState::merge(const CalibrationState& other) {
  GRAFT_RETURN_IF_ERROR(observers->merge(*other.observers));
  samples.lower_bound_to(other.samples.bound());
  for (const auto& [digest, sample] : other.samples.samples())
    samples.add(digest, sample.size_bytes(), Sample(sample));
  return ok_status();
}

std::vector<std::byte> serialize_state(const CalibrationState& state) {
  Writer payload;
  const std::vector<std::byte> observers = state.observers->serialize();
  payload.number(static_cast<uint64_t>(observers.size()));
  payload.raw(observers);
  payload.raw(std::as_bytes(std::span(state.samples.bound())));
  payload.number(static_cast<uint32_t>(state.samples.samples().size()));
  for (const auto& [digest, sample] : state.samples.samples()) {
    payload.number(static_cast<uint32_t>(sample.inputs.size()));
    for (size_t i = 0; i < sample.inputs.size(); ++i) {
      payload.number(static_cast<uint32_t>(sample.dims[i].size()));
      for (const int64_t d : sample.dims[i]) payload.number(static_cast<uint64_t>(d));
      payload.number(static_cast<uint64_t>(sample.inputs[i].size()));
      payload.raw(sample.inputs[i]);
    }
  }
  const std::vector<std::byte> bytes = payload.take();
  Writer file;
  file.raw(std::as_bytes(std::span(kMagic)));
  file.number(kVersion);
  file.number(static_cast<uint64_t>(bytes.size()));
  const Digest digest = sha256(bytes);
  file.raw(std::as_bytes(std::span(digest)));
  file.raw(bytes);
  return file.take();
}

Result<CalibrationState> parse_state(std::span<const std::byte> bytes) {
  if (bytes.size() < kHeaderBytes || std::memcmp(bytes.data(), kMagic, sizeof(kMagic)) != 0)
    return calibration_error("not a calibration state (" + std::to_string(bytes.size()) +
                             " bytes)");
  Reader header(bytes.subspan(sizeof(kMagic), kHeaderBytes - sizeof(kMagic)));
  if (const auto version = header.number<uint32_t>(); version != kVersion)
    return calibration_error("the calibration state has format version " + std::to_string(version) +
                             "; this Graft reads " + std::to_string(kVersion));
  const auto size = header.number<uint64_t>();
  const auto payload = bytes.subspan(kHeaderBytes);
  if (size != payload.size())
    return corrupt(std::to_string(payload.size()) + " bytes, expected " + std::to_string(size));
  if (header.digest() != sha256(payload)) return corrupt("the digest does not match");

  Reader in(payload);
  CalibrationState state;
  const auto observers = in.raw(in.number<uint64_t>());
  if (!in.ok()) return corrupt("fewer bytes than its observers need");
  GRAFT_ASSIGN_OR_RETURN(state.observers, quantize::ObserverSet::parse(observers));
  const Digest bound = in.digest();
  const auto samples = in.number<uint32_t>();
  if (samples > CalibrationCollector::kMaxSamples) return corrupt("too many samples");
  for (uint32_t i = 0; i < samples; ++i) {
    Sample sample;
    if (const char* problem = read_sample(in, sample)) return corrupt(problem);
    const Digest digest = digest_of(sample);
    const size_t sample_bytes = sample.size_bytes();
    state.samples.add(digest, sample_bytes, std::move(sample));
  }
  if (!in.ok() || in.left() != 0) return corrupt("its size does not fit its contents");
  state.samples.lower_bound_to(bound);
  if (state.samples.samples().size() != samples) return corrupt("samples that no collector keeps");
  return state;
}

}  // namespace graft::engine
