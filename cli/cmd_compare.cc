// graft compare: error per tensor of two graphs on the same data.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include "batches.h"
#include "command.h"
#include "graft/compare.h"
#include "interrupt.h"

namespace graft::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWhat = "feeds";

struct Args {
  std::string a, b, json, html;
  std::vector<std::string> feeds;
  std::optional<double> threshold_db;
  int64_t batch = 8;
  bool quiet = false;
  CompareOptions options;
};

// Each set is loaded, run and dropped before the next: the .npz files of a directory one by one,
// its .npy files, each named for its input, together.
Result<std::vector<std::vector<std::string>>> feed_sets(const std::vector<std::string>& feeds) {
  std::error_code error;
  if (feeds.size() != 1 || !fs::is_directory(feeds[0], error))
    return std::vector<std::vector<std::string>>{feeds};
  std::vector<std::string> files;
  for (fs::directory_iterator it(feeds[0], error), end; !error && it != end; it.increment(error))
    files.push_back(it->path().string());
  if (error) return Status(Code::kFileError, feeds[0] + ": " + error.message());
  std::sort(files.begin(), files.end());
  std::vector<std::vector<std::string>> sets;
  std::vector<std::string> arrays;
  for (const std::string& file : files) {
    if (file.ends_with(".npz")) sets.push_back({file});
    if (file.ends_with(".npy")) arrays.push_back(fs::path(file).stem().string() + "=" + file);
  }
  if (!arrays.empty()) sets.push_back(std::move(arrays));
  if (sets.empty()) return invalid_argument(feeds[0] + ": no .npz and no .npy file in it");
  return sets;
}

Status feed_all(Comparer& comparer, const Args& args) {
  Result<std::vector<std::vector<std::string>>> sets = feed_sets(args.feeds);
  if (!sets.ok()) return sets.status();
  for (const std::vector<std::string>& files : *sets) {
    Result<NamedTensors> data = load_data(files, kWhat);
    if (!data.ok()) return data.status();
    name_single_input(comparer.inputs(), *data);
    Result<int64_t> count = image_count(*data, kWhat);
    if (!count.ok()) return count.status();
    const auto run = [&](int64_t, const FeedRefs& feeds) {
      return comparer.add(feeds, interrupt_token());
    };
    if (Status s = for_each_batch(*data, *count, args.batch, run); !s.ok()) return s;
  }
  return ok_status();
}

Result<Comparison> compare(const Args& args) {
  Result<std::vector<std::byte>> a = read_file(args.a, kMaxGraphBytes);
  if (!a.ok()) return a.status();
  Result<std::vector<std::byte>> b = read_file(args.b, kMaxGraphBytes);
  if (!b.ok()) return b.status();
  Result<std::unique_ptr<Comparer>> comparer = Comparer::create(*a, *b, args.options);
  if (!comparer.ok()) return comparer.status();
  if (Status s = feed_all(**comparer, args); !s.ok()) return s;
  return (*comparer)->finish();
}

int run(Args& args) {
  for (const std::string* path : {&args.json, &args.html})
    if (!path->empty())
      if (Status s = check_writable(*path); !s.ok()) return fail(s);
  args.options.name_a = args.a;
  args.options.name_b = args.b;
  Result<Comparison> comparison = compare(args);
  if (!comparison.ok()) return fail(comparison.status());
  if (!args.json.empty())
    if (Status s = write_text(args.json, comparison->json() + "\n"); !s.ok()) return fail(s);
  if (!args.html.empty())
    if (Status s = write_text(args.html, comparison->html()); !s.ok()) return fail(s);
  if (!args.quiet) std::fputs(comparison->text().c_str(), stdout);
  if (!args.threshold_db || comparison->outputs_reach(*args.threshold_db)) return kDone;
  std::fprintf(stderr,
               "graft: comparison failed: the worst output has %.2f dB, less than %.2f dB\n",
               comparison->worst_output_db(), *args.threshold_db);
  return kComparisonFailed;
}

}  // namespace

void add_compare(CLI::App& app, int& exit_code) {
  auto args = std::make_shared<Args>();
  CLI::App* cmd = app.add_subcommand("compare", "Error per tensor of two graphs, worst first");
  cmd->add_option("a", args->a, "Reference: frozen or converted GraphDef (.pb)")->required();
  cmd->add_option("b", args->b, "Frozen or converted GraphDef (.pb)")->required();
  cmd->add_option(
         "--feeds", args->feeds,
         "FILE.npz with an array an input, a directory of them, or NAME=FILE.npy, repeated")
      ->required();
  cmd->add_option("--outputs", args->options.outputs,
                  "Tensors to fetch (default: the sinks of a that b has)")
      ->delimiter(',');
  cmd->add_option("--batch", args->batch,
                  "Images a run; the tensors of one graph for so many are kept")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 31));
  cmd->add_option("--threshold-db", args->threshold_db,
                  "Exit with 4 when an output has a lower SQNR");
  cmd->add_option("--json", args->json, "Also write the comparison as JSON");
  cmd->add_option("--html", args->html, "Also write it as one page with pictures");
  cmd->add_option("--threads", args->options.threads, "Threads of one run");
  cmd->add_option("--isa", args->options.isa,
                  "Cap for the kernels: baseline | avx2 | avx512 | ...");
  cmd->add_flag("--quiet", args->quiet, "Print nothing but errors");
  cmd->callback([args, &exit_code] { exit_code = run(*args); });
}

}  // namespace graft::cli
