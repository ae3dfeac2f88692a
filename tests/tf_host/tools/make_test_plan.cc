// make_test_plan OUT [misfit]: writes the plan of x [n] float -> (x + 1, 2 x), with `misfit` of x
// -> x + 1 only, and prints its identity. For tests of the plugin that must not depend on the
// converter.
#include <cstdio>
#include <cstring>

#include "base/file_io.h"
#include "engine/plan/plan.h"
#include "ir/network.h"

namespace graft {
namespace {

Result<std::string> make(const char* path, bool misfit) {
  ir::Network network;
  const ir::Dim n = network.dims.input(0, 0);
  const ir::ValueId x = network.add_value("x", {DType::kFloat, {n}});
  network.inputs = {x};
  const float one = 1, two = 2;
  const auto scalar = [&](const char* name, const float& value) {
    return network.add_constant_of<float>(name, {}, std::span<const float>(&value, 1));
  };
  GRAFT_ASSIGN_OR_RETURN(const ir::ValueId y, network.append(ir::BinaryAttrs{ir::BinaryFn::kAdd},
                                                             {x, scalar("one", one)}, "y"));
  network.outputs = {y};
  if (!misfit) {
    GRAFT_ASSIGN_OR_RETURN(const ir::ValueId z, network.append(ir::BinaryAttrs{ir::BinaryFn::kMul},
                                                               {x, scalar("two", two)}, "z"));
    network.outputs.push_back(z);
  }
  GRAFT_ASSIGN_OR_RETURN(const engine::WrittenPlan plan, engine::write_plan(network, {}));
  GRAFT_RETURN_IF_ERROR(write_file_atomic(path, plan.bytes));
  return plan.identity;
}

}  // namespace
}  // namespace graft

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const auto identity = graft::make(argv[1], argc > 2 && std::strcmp(argv[2], "misfit") == 0);
  if (!identity.ok()) {
    std::fprintf(stderr, "%s\n", identity.status().message().c_str());
    return 1;
  }
  std::puts(identity->c_str());
  return 0;
}
