// Bindings of the finish of a calibration, and of the files around it.
#include <nanobind/stl/map.h>
#include <nanobind/stl/pair.h>

#include <map>

#include "arguments.h"
#include "base/log.h"
#include "graft/calibrate.h"
#include "graft/files.h"
#include "graft/finish.h"
#include "graft/rescue.h"

namespace graft::python {
namespace {

using namespace nb::literals;

nb::bytes to_bytes(std::span<const std::byte> bytes) {
  return nb::bytes(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// {resource: [bytes, ...]} -> copies, so that the work needs no interpreter.
CalibrationStates states_from(const nb::dict& dict) {
  std::map<std::string, std::vector<std::vector<std::byte>>> states;
  for (auto [resource, list] : dict) {
    auto& row = states[nb::cast<std::string>(resource)];
    for (nb::handle item : nb::cast<nb::list>(list)) {
      const auto view = bytes_view(nb::cast<nb::bytes>(item));
      row.emplace_back(view.begin(), view.end());
    }
  }
  return [states = std::move(states)](
             const std::string& resource) -> Result<std::vector<std::vector<std::byte>>> {
    const auto it = states.find(resource);
    return it == states.end() ? std::vector<std::vector<std::byte>>() : it->second;
  };
}

FinishOptions finish_options(const nb::dict& dict, const StopSource* stop) {
  FinishOptions o;
  std::vector<std::string> seen;
  take(dict, "calibrator", o.calibrator, seen);
  take(dict, "percentile", o.percentile, seen);
  take(dict, "ignore_non_finite", o.ignore_non_finite, seen);
  take(dict, "ranges", o.ranges, seen);
  take_progress(dict, o.progress, seen);
  refuse_unknown(dict, seen);
  if (stop != nullptr) o.stop = stop->source.get_token();
  return o;
}

// -> (graph or None, report or None, table as JSON)
nb::tuple run_finish(nb::bytes graph, nb::dict state_dict, nb::dict dict, const StopSource* stop,
                     bool build) {
  FinishOptions options = finish_options(dict, stop);
  const CalibrationStates states = states_from(state_dict);
  const ProgressGuard guard(options.progress);
  const std::span<const std::byte> view = bytes_view(graph);
  if (!build) {
    Result<CalibrationTable> table = [&] {
      nb::gil_scoped_release release;
      return calibration_table(view, states, options);
    }();
    guard.rethrow();
    if (!table.ok()) raise_status(table.status());
    for (const std::string& warning : table->warnings) log(LogLevel::kWarning, warning);
    return nb::make_tuple(nb::none(), nb::none(), table->json);
  }
  std::vector<std::byte> bytes;
  Result<Conversion> conversion = [&] {
    nb::gil_scoped_release release;
    Result<Conversion> result = finish_calibration(view, states, options);
    if (result.ok()) bytes = result->graph.flatten();
    return result;
  }();
  guard.rethrow();
  if (!conversion.ok()) raise_status(conversion.status());
  return nb::make_tuple(owned_bytes(std::move(bytes)), report_dict(conversion->report),
                        conversion->calibration_table);
}

nb::list resources(nb::bytes graph) {
  auto found = calibration_resources(bytes_view(graph));
  if (!found.ok()) raise_status(found.status());
  nb::list list;
  for (const CalibrationResource& r : *found) list.append(nb::make_tuple(r.resource, r.engine));
  return list;
}

nb::list calibration_files(const std::string& directory, const std::string& resource) {
  auto files = read_calibration_files(directory, resource);
  if (!files.ok()) raise_status(files.status());
  nb::list list;
  for (const std::vector<std::byte>& state : *files) list.append(to_bytes(state));
  return list;
}

nb::tuple run_rescue(nb::bytes graph) {
  auto rescued = [&] {
    nb::gil_scoped_release release;
    return rescue(bytes_view(graph));
  }();
  if (!rescued.ok()) raise_status(rescued.status());
  nb::list engines;
  for (const std::string& name : rescued->engines) engines.append(name);
  return nb::make_tuple(to_bytes(rescued->graph), engines);
}

}  // namespace

void bind_finish(nb::module_& m) {
  m.def("rescue", &run_rescue, "graph"_a);
  m.def("calibration_resources", &resources, "graph"_a);
  m.def("finish_calibration", &run_finish, "graph"_a, "states"_a, "options"_a, "stop"_a.none(),
        "build"_a);
  m.def("read_calibration_files", &calibration_files, "directory"_a, "resource"_a);
  m.def(
      "write_file_atomic",
      [](const std::string& path, nb::bytes bytes) {
        if (Status s = write_file_atomic(path, bytes_view(bytes)); !s.ok()) raise_status(s);
      },
      "path"_a, "bytes"_a);
}

}  // namespace graft::python
