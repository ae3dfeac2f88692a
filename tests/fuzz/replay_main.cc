// X_replay [--rounds N] [--write-seeds FOLDER] [FILE or FOLDER...]: runs the fuzz target on every
// file, then on N random edits of each seed, so that ordinary and sanitizer builds try hostile
// bytes without libFuzzer. --write-seeds starts a corpus.
#include <dirent.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "base/file_io.h"
#include "fuzz_target.h"
#include "seeds.h"

namespace {

int64_t runs = 0;

void run(const std::string& bytes) {
  // A heap copy of the exact size, so that a sanitizer sees one byte past the end.
  std::vector<uint8_t> exact(bytes.begin(), bytes.end());
  exact.shrink_to_fit();
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
  ++runs;
}

bool replay(const std::string& path) {
  if (DIR* folder = opendir(path.c_str())) {
    std::vector<std::string> names;
    while (dirent* entry = readdir(folder)) names.emplace_back(entry->d_name);
    closedir(folder);
    std::sort(names.begin(), names.end());
    for (const std::string& name : names)
      if (name != "." && name != ".." && !replay(path + "/" + name)) return false;
    return true;
  }
  const auto bytes = graft::read_file(path, int64_t{1} << 28);
  if (!bytes.ok()) {
    std::fprintf(stderr, "%s\n", bytes.status().message().c_str());
    return false;
  }
  run({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
  return true;
}

void mutate(const std::string& seed, int64_t rounds, std::mt19937& random) {
  run(seed);
  for (int64_t i = 0; i < rounds; ++i) {
    std::string bytes = seed;
    for (uint32_t edits = 1 + random() % 3; edits > 0 && !bytes.empty(); --edits) {
      const size_t at = random() % bytes.size();
      switch (random() % 4) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
          break;
        case 2:
          bytes.erase(at, 1 + random() % 4);
          break;
        default:
          bytes.insert(at, bytes.substr(at, 1 + random() % 16));
          break;
      }
    }
    run(bytes);
  }
}

}  // namespace

int main(int argc, char** argv) {
  int64_t rounds = 300;
  std::vector<std::string> paths;
  std::string write_to;
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]) == "--rounds" && i + 1 < argc) {
      rounds = std::atoll(argv[++i]);
    } else if (std::string(argv[i]) == "--write-seeds" && i + 1 < argc) {
      write_to = argv[++i];
    } else {
      paths.emplace_back(argv[i]);
    }
  }
  for (const std::string& path : paths)
    if (graft::file_exists(path) && !replay(path)) return 1;
  std::mt19937 random(1);
  const graft::Seeds seeds = graft::seeds();
  if (seeds.empty()) {
    std::fprintf(stderr, "no seeds: the converter made none\n");
    return 1;
  }
  for (const auto& [name, bytes] : seeds) {
    if (!write_to.empty()) {
      const auto status =
          graft::write_file_atomic(write_to + "/" + name, std::as_bytes(std::span(bytes)));
      if (!status.ok()) return 1;
    }
    mutate(bytes, rounds, random);
  }
  std::printf("%lld inputs, no finding\n", static_cast<long long>(runs));
  return 0;
}
