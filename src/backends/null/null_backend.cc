// A backend that refuses everything: the template for new backends.
#include "backends/backend.h"

namespace graft::backends {
namespace {

class NullBackend final : public Backend {
 public:
  std::string_view name() const override { return "null"; }
  Result<std::unique_ptr<Step>> create_step(const Problem& problem,
                                            std::vector<Refusal>*) const override {
    return unsupported("null backend: " + problem.op->name + ": runs no op");
  }
  bool has_kernel(const Problem&) const override { return false; }
  void begin_run(int) const override {}
  void end_run() const override {}
};

}  // namespace

const Backend& null_backend() {
  static const NullBackend backend;
  return backend;
}

}  // namespace graft::backends
