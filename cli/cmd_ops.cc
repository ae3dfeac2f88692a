// graft ops: the TensorFlow ops that an engine may take, and those that never are.
#include <algorithm>
#include <cstdio>
#include <memory>

#include "command.h"
#include "graft/inspect.h"

namespace graft::cli {
namespace {

constexpr size_t kLineChars = 100;

// Op names are letters, digits and '_': nothing to escape.
std::string json_list(const std::vector<std::string>& names) {
  std::string text = "[";
  for (const std::string& name : names) text += (text.size() > 1 ? ", \"" : "\"") + name + "\"";
  return text + "]";
}

std::string json(const KnownOps& ops) {
  std::string text = "{\"accepted\": " + json_list(ops.accepted) + ",\n \"native\": {";
  const char* separator = "\n  \"";
  for (const auto& [code, names] : ops.native) {
    text += separator + code + "\": " + json_list(names);
    separator = ",\n  \"";
  }
  return text + "}}\n";
}

void print_wrapped(const std::string& title, const std::vector<std::string>& names) {
  std::printf("%s (%zu)\n", title.c_str(), names.size());
  std::string line;
  for (const std::string& name : names) {
    if (line.size() + name.size() + 1 > kLineChars) {
      std::printf(" %s\n", line.c_str());
      line.clear();
    }
    line += " " + name;
  }
  std::printf(" %s\n", line.c_str());
}

}  // namespace

void add_ops(CLI::App& app, int& exit_code) {
  auto as_json = std::make_shared<bool>(false);
  CLI::App* cmd = app.add_subcommand(
      "ops", "TensorFlow ops that engines take (attributes and dtypes decide), and known others");
  cmd->add_flag("--json", *as_json, "Print JSON");
  cmd->callback([as_json, &exit_code] {
    const KnownOps ops = known_ops();
    exit_code = kDone;
    if (*as_json) {
      std::fputs(json(ops).c_str(), stdout);
      return;
    }
    print_wrapped("accepted", ops.accepted);
    for (const auto& [code, names] : ops.native) print_wrapped("native: " + code, names);
  });
}

}  // namespace graft::cli
