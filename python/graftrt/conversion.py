"""graftrt.convert: Graft's own interface."""

import os
import statistics
import time

from . import _job, _options, accuracy, calibration as _calibration, graphs, measurement, plugin
from ._native import native
from .drop_in import check_int, next_graph_number, warn_nothing_converted
from .errors import InvalidArgument, Unsupported

_PRECISIONS = {"fp32": "FP32", "fp16": "FP16", "bf16": "BF16", "int8": "INT8"}
_MEASURE_ROUNDS = 3  # leaving engines native can change their neighbours, which are then measured again; after that slower ones stay


class Conversion:
    """Result of `graftrt.convert`: the mixed graph in every form, and the report on each node."""

    def __init__(self, serialized, report, source=None, threads=None, table=None):
        self.serialized = serialized  # the mixed GraphDef, as bytes
        self.report = report
        self.calibration_table = table  # CalibrationTable of an INT8 conversion, else None
        self.accuracy = None          # AccuracyControl of convert(evaluate=...), else None
        self._source = source         # graftrt.freeze.Frozen for models of TF 2, None for GraphDefs
        self._function = None
        self._threads = threads

    @property
    def graph_def(self):
        """The mixed graph as TensorFlow's GraphDef."""
        return graphs.from_bytes(self.serialized)

    @property
    def function(self):
        """A ConcreteFunction with the signature of the source; only for SavedModel, Keras and ConcreteFunction sources."""
        if self._source is None:
            raise InvalidArgument("function: the source was a GraphDef, which has no signature; import .graph_def instead")
        if self._function is None:
            plugin.load_plugin()
            self._function = self._source.rebuild(self.serialized)
        return self._function

    def session(self, **kwargs):
        """A graftrt.Session over the mixed graph, without TensorFlow."""
        from .session import Session
        return Session(self.serialized, **{"threads": self._threads, **kwargs})

    def save(self, path):
        """Writes a SavedModel directory for TF 2 sources (same signature), a .pb file for GraphDefs."""
        path = os.fspath(path)
        if self._source is not None:
            self._source.save(path, self.function)
            return
        native.write_file_atomic(path, self.serialized)


def _refuse_later(name, value, default):
    if value != default:
        raise Unsupported(f"{name}={value!r} is not in this version of graftrt.convert; leave it at {default!r}")


def convert(model, outputs=None, *, inputs=None, precision="fp32", calibration=None, calibrator="auto", device="auto",
            min_segment_size=3, max_engines=None, profitable_only=True, allow=None, deny=None, overrides=None, strict=False,
            evaluate=None, max_drop=None, measure=False, tune="fast", deterministic=False, fp32_math="fast",
            memory_limit_bytes=None, time_budget_s=None, native_segments=False, external_weights=False, threads=None,
            progress="auto", max_batch_size=1):
    """Converts a model and returns a Conversion.

    model: GraphDef, its bytes, path of a frozen .pb/.pbtxt, SavedModel directory, Keras model or `.keras` file, ConcreteFunction.
    outputs: names of the tensors that will be fetched; None takes the model's outputs, or the graph's sinks.
    precision: "fp32", "fp16" (weights stored in half), "bf16" (weights stored in bfloat16, and products of bfloat16 summed in
        float32 where the CPU has them: AVX-512 BF16, AMX) or "int8".
    inputs: names of nodes that are fed, besides placeholders; they stay native.
    calibration: for "int8"; None where the graph's own quantization nodes (QAT) give the ranges. Data: an iterable of feeds, each
        {input name: array}, or an array (a list of arrays) for the inputs in order. Or a table: CalibrationTable, its path, JSON
        text or data.
    evaluate, max_drop: accuracy control for "int8". evaluate(session) -> metric, higher is better; layers go back to floating
        point, those that cost most first, until the metric is at most max_drop (default 0) below that of FP32. The result's
        `.accuracy` says which layers, and what that costs in time. NotConverted when it can't be met.
    calibrator: how data become ranges: "auto", "entropy", "percentile", "minmax" or "mse".
    allow, deny: op types ("op:Conv2D") or node names, globs.
    strict: True raises for a segment whose build fails, for nothing converted, and forbids any run-time fallback; "all" also for
        any node that stays native.
    native_segments: keep the native form of every engine in the function library, for run-time fallback.
    min_segment_size: segments with fewer nodes stay native; -1 converts nothing. max_engines: the most valuable ones are kept.
    fp32_math: "strict" leaves out Winograd convolutions, which round more than the sums that they stand for.
    max_batch_size: the batch that memory is estimated and `measure` is done for; any batch runs.
    time_budget_s: seconds for building; segments that are not built by then stay native, and the report says so.
    memory_limit_bytes: cap on the estimated memory of all engines (weights, activations at max_batch_size, scratch); the most
        valuable engines that fit are kept, the report says what was left native and how much all would need.
    threads: threads of `Conversion.session()`; TensorFlow's own setting rules inside TensorFlow.
    measure: True, or feeds {name: array}: each engine is timed in TensorFlow against the nodes that it replaced, copies at the
        border included, and the report says both. True feeds random numbers at max_batch_size.
    profitable_only: with `measure`, engines that are slower than their nodes stay native; without it a hint.
    tune: a hint in this version: nothing is tuned by timing.

    Parameters of later versions raise Unsupported unless left at their defaults.
    """
    options = _options.conversion_defaults()
    name = str(precision).lower()
    if name not in _PRECISIONS:
        raise InvalidArgument(f"precision: got {precision!r}, expected one of {sorted(_PRECISIONS)}")
    if evaluate is not None and max_drop is None:
        max_drop = 0
    accuracy.check(evaluate, max_drop)
    if evaluate is not None and name != "int8":
        raise InvalidArgument(f"evaluate: accuracy control is for precision 'int8', got {precision!r}")
    if evaluate is not None and calibration is None:
        raise InvalidArgument("evaluate: accuracy control ranks layers on calibration data, got calibration=None")
    measurement.check(measure)
    for parameter, value, default in (("overrides", overrides, None), ("deterministic", deterministic, False), ("external_weights", external_weights, False)):
        _refuse_later(parameter, value, default)
    _calibration.check_calibrator(calibrator)
    if name != "int8" and calibration is not None:
        raise InvalidArgument(f"calibration: precision is {precision!r}, only 'int8' is calibrated")
    if device not in ("auto", "cpu"):
        raise Unsupported(f"device={device!r} is not in this version; use 'auto' or 'cpu'")
    if tune not in ("off", "fast", "full"):
        raise InvalidArgument(f"tune: got {tune!r}, expected 'off', 'fast' or 'full'")
    if fp32_math not in ("fast", "strict"):
        raise InvalidArgument(f"fp32_math: got {fp32_math!r}, expected 'fast' or 'strict'")
    if strict not in (False, True, "all"):
        raise InvalidArgument(f"strict: got {strict!r}, expected False, True or 'all'")
    if threads is not None:
        check_int("threads", threads, 1)
    _split_patterns(options, "allow", allow)
    _split_patterns(options, "deny", deny)
    options.update(precision=_PRECISIONS[name], min_segment_size=check_int("min_segment_size", min_segment_size, -1),
                   max_batch_size=check_int("max_batch_size", max_batch_size, 1), graph_number=next_graph_number(),
                   op_name=plugin.engine_op_name())
    # Defaults leave room for graftrt.options(...) around the call.
    options["native_segments"] = bool(native_segments) or options.get("native_segments", False)
    options["strict_math"] = fp32_math == "strict" or options["strict_math"]
    if max_engines is not None:
        options["max_engines"] = check_int("max_engines", max_engines, -1)
    elif "max_engines" not in _options.current():
        options["max_engines"] = 0
    if strict:
        options.update(strict=True, node_strict=True, strict_all=strict == "all")
    if time_budget_s is not None:
        if isinstance(time_budget_s, bool) or not isinstance(time_budget_s, (int, float)) or not time_budget_s >= 0:
            raise InvalidArgument(f"time_budget_s: got {time_budget_s!r}, expected a number of at least 0")
        options["time_budget_s"] = float(time_budget_s)
    if memory_limit_bytes is not None:
        options["memory_limit_bytes"] = check_int("memory_limit_bytes", memory_limit_bytes, 0)
    if inputs is not None:
        options["inputs"] = graphs.names(inputs, "inputs")

    source, data, names = _open(model, graphs.names(outputs))
    if names is not None:
        options["outputs"] = names
    table = None
    if name == "int8" and calibration is not None:
        table = _calibration.as_table(calibration)
        if table is not None and evaluate is not None:
            raise InvalidArgument("evaluate: accuracy control ranks layers on calibration data; give data, not a table")
        first_feeds = []
        if table is None:
            table = _calibration.calibrate(data, options, calibration, calibrator, progress, threads, keep=first_feeds)
        if table is not None:  # else there is nothing to calibrate
            options["calibration_table"] = table.json()

    def build(changes, with_table=table):
        graph, report = _job.run(data, {**options, **changes}, progress=progress, model=model)
        return Conversion(bytes(graph), report, source, threads, with_table)

    def measured(result, changes):
        if not measure:
            return result
        kept, dropped, slow = [], [], []
        for rounds_left in reversed(range(_MEASURE_ROUNDS + 1)):
            new = measurement.run(data, result, measure, max_batch_size, threads, {frozenset(m.nodes) for m in kept})
            losers = [m for m in new if m.slower and profitable_only and rounds_left]
            kept += [m for m in new if m not in losers]
            if not losers:
                break
            dropped += losers
            slow += [name for m in losers for name in m.nodes]
            result = build({**changes, "slow_nodes": slow}, result.calibration_table)
        measurement.annotate(result.report, kept, dropped)
        return result

    if evaluate is not None and table is not None:
        kept = list(options.get("keep_float", []))
        reference = build({"precision": "FP32", "calibration_table": ""}, None)
        result, control = accuracy.control(reference, lambda names: build({"keep_float": kept + names}), evaluate, max_drop,
                                           reference.report.data["outputs"], first_feeds)
        result = measured(result, {"keep_float": kept + control.kept})
        result.accuracy = control
        control.annotate(result.report)
        return result
    changes, result = {}, build({})
    if name == "int8" and table is None and any("missing QDQ" in text for text in result.report.data["warnings"]):
        if calibration is None:
            raise InvalidArgument("calibration: precision 'int8' needs calibration data or a calibration table; the graph has no quantization nodes")
        changes = {"precision": "FP32"}  # there was nothing to calibrate
        result = build(changes)
    if evaluate is not None and accuracy.int8_layers(result.report):
        raise Unsupported("evaluate: the graph's quantization nodes give the ranges; accuracy control works on calibrated ones")
    result = measured(result, changes)
    if not result.report.engines and min_segment_size != -1:
        warn_nothing_converted(result.report)
    return result


def analyze(model, outputs=None, *, min_segment_size=3, precision="fp32"):
    """The report of `convert` without converting: which nodes would be in which engine, and why the others would not."""
    options = _options.conversion_defaults()
    options.update(precision=str(precision).upper(), min_segment_size=min_segment_size)
    if options["precision"] == "INT8":
        options["calibration"] = "engines"  # what can be known before there are ranges
    check_int("min_segment_size", min_segment_size, -1)
    _, data, names = _open(model, graphs.names(outputs))
    if names is not None:
        options["outputs"] = names
    return _job.run(data, options, build=False, model=model)[1]


def benchmark(model, feeds, fetches=None, *, runs=30, warmup=5, threads=None):
    """Latency of a graph in graftrt.Session: dict with p50_ms, p90_ms, min_ms and runs."""
    from .session import Session
    check_int("runs", runs, 1)
    check_int("warmup", warmup, 0)
    session = Session(model.serialized if isinstance(model, Conversion) else model, threads=threads)
    fetches = fetches or (model.report.data["outputs"] if isinstance(model, Conversion) else None)
    if not fetches:
        raise InvalidArgument("fetches: name the tensors to run")
    times = []
    for i in range(warmup + runs):
        start = time.perf_counter()
        session.run(fetches, feeds)
        if i >= warmup:
            times.append((time.perf_counter() - start) * 1e3)
    times.sort()
    return {"p50_ms": statistics.median(times), "p90_ms": times[int(len(times) * 0.9)], "min_ms": times[0], "runs": runs}


def _split_patterns(options, kind, patterns):
    for pattern in graphs.names(patterns, kind) or []:
        key, value = (f"{kind}_ops", pattern[3:]) if pattern.startswith("op:") else (f"{kind}_nodes", pattern)
        options[key] = list(options.get(key, [])) + [value]


def _open(model, outputs):
    """-> (Frozen or None, serialized GraphDef, output names or None)."""
    is_path = isinstance(model, (str, os.PathLike))
    if not (is_path and os.path.isfile(model) and not str(model).endswith(".keras")) and (is_path or not _is_graph(model)):
        from . import freeze
        source = freeze.freeze(model)
        return source, source.graph_def.SerializeToString(), outputs or source.output_names
    return None, graphs.to_bytes(model, "model"), outputs


def _is_graph(model):
    return isinstance(model, (bytes, bytearray, memoryview)) or graphs.is_graph_def(model) or (
        hasattr(model, "as_graph_def") and not hasattr(model, "structured_input_signature"))
