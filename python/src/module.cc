// The nanobind module `_graftrt`: argument translation only. The Python package turns codes into
// exception classes.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "arguments.h"
#include "base/counters.h"
#include "base/run_options.h"
#include "graft/convert.h"
#include "graft/session.h"
#include "python_log.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace graft::python {
namespace {

ConvertOptions options_from(const nb::dict& dict, const StopSource* stop) {
  ConvertOptions o;
  std::vector<std::string> seen;
  std::string precision;
  take(dict, "outputs", o.outputs, seen);
  take(dict, "inputs", o.inputs, seen);
  take(dict, "precision", precision, seen);
  take(dict, "max_batch_size", o.max_batch_size, seen);
  take(dict, "max_workspace_bytes", o.max_workspace_bytes, seen);
  take(dict, "min_segment_size", o.min_segment_size, seen);
  take(dict, "max_engines", o.max_engines, seen);
  take(dict, "deny_ops", o.deny_ops, seen);
  take(dict, "allow_ops", o.allow_ops, seen);
  take(dict, "deny_nodes", o.deny_nodes, seen);
  take(dict, "slow_nodes", o.slow_nodes, seen);
  take(dict, "allow_nodes", o.allow_nodes, seen);
  take(dict, "native_segments", o.native_segments, seen);
  take(dict, "strict", o.strict, seen);
  take(dict, "strict_all", o.strict_all, seen);
  take(dict, "node_strict", o.node_strict, seen);
  take(dict, "strict_math", o.strict_math, seen);
  take(dict, "engine_name_format", o.engine_name_format, seen);
  take(dict, "graph_number", o.graph_number, seen);
  take(dict, "op_name", o.op_name, seen);
  take(dict, "disabled_passes", o.disabled_passes, seen);
  take(dict, "verify_each_pass", o.verify_each_pass, seen);
  take(dict, "round_trip_plans", o.round_trip_plans, seen);
  take(dict, "dump_dir", o.dump_dir, seen);
  take(dict, "time_budget_s", o.time_budget_s, seen);
  take(dict, "memory_limit_bytes", o.memory_limit_bytes, seen);
  take(dict, "calibration_table", o.calibration_table, seen);
  take(dict, "keep_float", o.keep_float, seen);
  take(dict, "int8_per_tensor_weights", o.int8_per_tensor_weights, seen);
  take(dict, "conversion_id", o.conversion_id, seen);
  std::string calibration = "none";
  take(dict, "calibration", calibration, seen);
  if (calibration == "calib_ops")
    o.calibration = CalibrationMode::kCalibOps;
  else if (calibration == "engines")
    o.calibration = CalibrationMode::kEngines;
  else if (calibration != "none")
    raise_status(invalid_argument("calibration: got '" + calibration + "'"));
  if (!precision.empty()) {
    Result<Precision> parsed = parse_precision(precision);
    if (!parsed.ok()) raise_status(parsed.status());
    o.precision = *parsed;
  }
  take_progress(dict, o.progress, seen);
  refuse_unknown(dict, seen);
  if (stop != nullptr) o.stop = stop->source.get_token();
  return o;
}

nb::tuple run_convert(nb::bytes graph, nb::dict dict, const StopSource* stop, bool build) {
  ConvertOptions options = options_from(dict, stop);
  const ProgressGuard guard(options.progress);
  const std::span<const std::byte> view = bytes_view(graph);
  if (!build) {
    Result<Report> report = [&] {
      nb::gil_scoped_release release;
      return analyze(view, options);
    }();
    guard.rethrow();
    if (!report.ok()) raise_status(report.status());
    return nb::make_tuple(nb::none(), report_dict(*report));
  }
  Result<Conversion> conversion = [&] {
    nb::gil_scoped_release release;
    return convert(view, options);
  }();
  guard.rethrow();
  if (!conversion.ok()) raise_status(conversion.status());
  std::vector<std::byte> bytes = [&] {
    nb::gil_scoped_release release;
    return conversion->graph.flatten();
  }();
  nb::dict report = report_dict(conversion->report);
  return nb::make_tuple(owned_bytes(std::move(bytes)), report);
}

// Outputs: (dtype number, shape, uint8 array).

class PySession {
 public:
  PySession(nb::bytes graph, bool convert_plain, int threads, const std::string& isa,
            bool reference_only) {
    SessionOptions options;
    options.convert_plain = convert_plain;
    options.engine.threads = threads;
    options.engine.isa = isa;
    options.engine.reference_only = reference_only;
    Result<std::unique_ptr<Session>> session = [&] {
      nb::gil_scoped_release release;
      return Session::create(bytes_view(graph), options);
    }();
    if (!session.ok()) raise_status(session.status());
    session_ = std::move(*session);
  }

  nb::list run(const std::vector<std::string>& fetches, nb::list feed_list,
               const StopSource* stop) {
    const FeedArguments feeds(feed_list);
    std::stop_token token = stop != nullptr ? stop->source.get_token() : std::stop_token();
    Result<std::vector<HostTensor>> out = [&] {
      nb::gil_scoped_release release;
      return session_->run(fetches, feeds.refs(), token);
    }();
    if (!out.ok()) raise_status(out.status());
    nb::list result;
    for (HostTensor& tensor : *out)
      result.append(nb::make_tuple(static_cast<int>(tensor.dtype), tensor.dims,
                                   owned_bytes(std::move(tensor.bytes))));
    return result;
  }

  // The state of a resource of a calibration graph, as a list of at most one; nothing more is
  // taken.
  nb::list calibration_states(const std::string& resource) const {
    nb::list list;
    if (auto collector = session_->calibration(resource)) {
      collector->finish();
      const std::vector<std::byte> state = [&] {
        nb::gil_scoped_release release;
        return collector->state();
      }();
      list.append(nb::bytes(reinterpret_cast<const char*>(state.data()), state.size()));
    }
    return list;
  }

  nb::list engines() const {
    nb::list list;
    for (const auto& [name, engine] : session_->engines()) {
      const EngineStats stats = engine->stats();
      nb::list steps;
      for (const StepInfo& s : engine->steps()) {
        nb::dict step;
        step["name"] = s.name;
        step["op"] = s.op;
        step["kernel"] = s.kernel;
        step["flops"] = s.flops;
        step["time_ns"] = s.time_ns;
        step["refused"] = s.refused;
        steps.append(step);
      }
      nb::dict d;
      d["name"] = name;
      d["identity"] = engine->identity();
      d["weights_bytes"] = stats.weights_bytes;
      d["arena_bytes"] = stats.arena_bytes;
      d["scratch_bytes"] = stats.scratch_bytes;
      d["reference_flops_share"] = stats.reference_flops_share;
      d["steps"] = steps;
      list.append(d);
    }
    return list;
  }

 private:
  std::unique_ptr<Session> session_;
};

}  // namespace

NB_MODULE(_graftrt, m) {
  nb::class_<StopSource>(m, "StopSource").def(nb::init<>()).def("request_stop", [](StopSource& s) {
    s.source.request_stop();
  });
  m.def("convert", &run_convert, "graph"_a, "options"_a, "stop"_a.none(), "build"_a);
  nb::class_<PySession>(m, "Session")
      .def(nb::init<nb::bytes, bool, int, const std::string&, bool>(), "graph"_a, "convert_plain"_a,
           "threads"_a, "isa"_a, "reference_only"_a)
      .def("run", &PySession::run, "fetches"_a, "feeds"_a, "stop"_a.none())
      .def("engines", &PySession::engines)
      .def("calibration_states", &PySession::calibration_states, "resource"_a);
  bind_finish(m);
  bind_compare(m);
  bind_converters(m);
  m.def("install_log_sink", &install_log_sink, "sink"_a);
  m.def(
      "report_page", [](const std::string& json) { return report_page(json); }, "json"_a);
  m.def("pass_names", &pass_names);
  m.def("counters_json", &counters_json);
  m.def("reset_counters", &reset_counters);
  m.def("set_run_option", [](const std::string& name, const std::string& value) {
    if (Status s = set_run_option(name, value); !s.ok()) raise_status(s);
  });
  m.attr("version") = GRAFT_VERSION;
}

}  // namespace graft::python
