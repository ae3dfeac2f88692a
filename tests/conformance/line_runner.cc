// One problem line or a file of them: kernels against the reference evaluator, and what a run
// takes.
//   line_runner 'conv padding=same : float32[1,56,56,64] *float32[3,3,64,64] -> 1 rtol=1e-5' [isa]
//   [threads] [runs] line_runner tests/conformance/lines.txt avx2 2 20
// Exits 1 when a line fails.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "conformance/compare_line.h"

int main(int argc, char** argv) {
  if (argc < 2)
    return std::fprintf(stderr, "usage: line_runner <line or file> [isa] [threads] [runs]\n"), 2;
  const std::string first = argv[1], isa = argc > 2 ? argv[2] : "";
  const int threads = argc > 3 ? std::atoi(argv[3]) : 1, runs = argc > 4 ? std::atoi(argv[4]) : 10;
  bool failed = false;
  const auto run = [&](const std::string& line) {
    const auto verdict = graft::conformance::compare_line(line, isa, threads, runs);
    failed |= !verdict.ok() || !verdict->passed();
    if (verdict.ok())
      std::printf("%10.3f us  %s  %s\n", verdict->seconds * 1e6, verdict->text().c_str(),
                  line.c_str());
    else
      std::printf("FAILED %s  %s\n", verdict.status().message().c_str(), line.c_str());
  };
  if (first.find(" : ") != std::string::npos) {
    run(first);
  } else {
    std::ifstream file(first);
    if (!file) return std::fprintf(stderr, "cannot read %s\n", first.c_str()), 2;
    for (std::string line; std::getline(file, line);)
      if (!line.empty() && line[0] != '#') run(line);
  }
  return failed ? 1 : 0;
}
