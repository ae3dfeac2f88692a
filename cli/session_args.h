// Arguments of the subcommands that run a graph in Graft's own session.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "command.h"
#include "feeds.h"
#include "graft/session.h"

namespace graft::cli {

struct SessionArgs {
  std::string graph;
  std::vector<std::string> feeds, fetches;
  SessionOptions options;
};

inline void add_session_options(CLI::App& cmd, SessionArgs& args) {
  cmd.add_option("graph", args.graph, "Frozen or mixed GraphDef (.pb)")->required();
  cmd.add_option("--feed", args.feeds, "NAME=FILE.npy, repeated");
  cmd.add_option("--fetch", args.fetches, "Tensors to compute")->required()->delimiter(',');
  cmd.add_option("--threads", args.options.engine.threads, "Threads of one run");
  cmd.add_option("--isa", args.options.engine.isa,
                 "Cap for the kernels: baseline | avx2 | avx512 | ...");
}

inline Result<std::unique_ptr<Session>> open_session(const SessionArgs& args) {
  Result<std::vector<std::byte>> bytes = read_file(args.graph, kMaxGraphBytes);
  if (!bytes.ok()) return bytes.status();
  Result<std::unique_ptr<Session>> session = Session::create(*bytes, args.options);
  if (!session.ok()) return session.status().with_context(args.graph);
  return session;
}

}  // namespace graft::cli
