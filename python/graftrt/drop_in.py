"""Drop-in for `tensorflow.contrib.tensorrt` (TF 1.7 to 1.15)."""

import hashlib
import itertools
import warnings

from . import _job, _options, calibration, graphs, plugin
from ._native import logger, native
from .errors import CalibrationError, InvalidArgument, Unsupported

_PRECISIONS = ("FP32", "FP16", "INT8")
_nothing_to_calibrate = set()  # digests of final graphs that INT8 conversions returned
_graph_numbers = itertools.count()  # the first number of an engine's name; equal names would collide in TensorFlow


def next_graph_number():
    return next(_graph_numbers)


def check_int(name, value, least, exception_text=""):
    if isinstance(value, bool) or not isinstance(value, int) and not hasattr(value, "__index__"):
        raise InvalidArgument(f"{name}: got {value!r}, expected an integer{exception_text}")
    value = int(value)
    if value < least:
        raise InvalidArgument(f"{name}: got {value}, expected at least {least}{exception_text}")
    if value > 2**63 - 1:
        raise InvalidArgument(f"{name}: got {value}, expected at most 2**63 - 1")
    return value


def check_precision(precision_mode):
    """-> upper-case name; InvalidArgument with TF-TRT's message otherwise."""
    if isinstance(precision_mode, bytes):
        precision_mode = precision_mode.decode("utf-8", "replace")
    text = str(precision_mode).upper()
    if text not in _PRECISIONS + ("BF16",):
        raise InvalidArgument(f"precision mode '{precision_mode}' is not supported. It should be one of {list(_PRECISIONS)}")
    return text


def create_inference_graph(input_graph_def, outputs, max_batch_size=1, max_workspace_size_bytes=1 << 30, precision_mode="FP32",
                           minimum_segment_size=3, is_dynamic_op=False, maximum_cached_engines=1, cached_engine_batches=None,
                           input_saved_model_dir=None, input_saved_model_tags=None, input_saved_model_signature_key=None,
                           output_saved_model_dir=None, session_config=None, use_calibration=True):
    """Replaces every subgraph that Graft can run by one `TRTEngineOp` and returns the mixed GraphDef.

    input_graph_def: frozen GraphDef (or its bytes, a tf.Graph, the path of a .pb); it is never changed.
    outputs: node names or tensors that will be fetched; a plain string means a list of one. They keep their names.
    max_batch_size: the batch that tuning is for. Any batch runs, smaller or larger, at full speed.
    max_workspace_size_bytes: cap on the scratch memory of one engine's kernels.
    precision_mode: "FP32", "FP16" (weights stored in half), "INT8", in any case; and "BF16" (see graftrt.convert). INT8 returns a calibration graph: run it on
        representative data in sessions, then call calib_graph_to_infer_graph. Where there is nothing to calibrate it returns
        the final graph and says so.
    use_calibration: False with INT8 and no quantization nodes in the graph means FP16, with a warning.
    minimum_segment_size: segments with fewer effective nodes stay as they are; -1 converts nothing.
    is_dynamic_op, maximum_cached_engines, cached_engine_batches: hints of TF-TRT without a meaning here; checked, then unused.

    Returns the input graph, with one warning, when nothing can be converted. Raises graftrt.Error and its kin.
    """
    if input_saved_model_dir or output_saved_model_dir or input_saved_model_tags or input_saved_model_signature_key:
        raise Unsupported("create_inference_graph: SavedModel directories are not in this version; freeze the model first or use graftrt.convert(dir)")
    if input_graph_def is None:
        raise InvalidArgument("input_graph_def: got None, expected a frozen GraphDef")
    names = graphs.names(outputs)
    if not names:
        raise InvalidArgument("outputs: got an empty list, expected the names of the nodes that will be fetched")
    precision = check_precision(precision_mode)
    calibrates = precision == "INT8" and bool(use_calibration)
    if cached_engine_batches is not None and not isinstance(cached_engine_batches, (list, tuple)):
        raise InvalidArgument(f"cached_engine_batches: got {cached_engine_batches!r}, expected a list of integers")
    check_int("maximum_cached_engines", maximum_cached_engines, 1)
    minimum = check_int("minimum_segment_size", minimum_segment_size, -1, " (a positive number, or -1)")
    options = _options.conversion_defaults()
    options.update(
        outputs=names, precision=precision, max_batch_size=check_int("max_batch_size", max_batch_size, 1),
        max_workspace_bytes=check_int("max_workspace_size_bytes", max_workspace_size_bytes, 0), min_segment_size=minimum,
        graph_number=next_graph_number(), op_name=plugin.engine_op_name(), node_strict=bool(_options.current().get("strict", False)))
    options.setdefault("native_segments", True)
    if calibrates:
        options["calibration"] = "calib_ops"
    data = graphs.to_bytes(input_graph_def)
    graph, report = _job.run(data, options, progress="auto", model=input_graph_def)
    if not report.engines:
        if minimum != -1:
            warn_nothing_converted(report)
        final = input_graph_def if graphs.is_graph_def(input_graph_def) else graphs.from_bytes(data)
        if calibrates:
            _nothing_to_calibrate.add(_digest(final))
            logger.warning("there is nothing to calibrate: the graph is final as it is")
        return final
    plugin.ensure_loaded_if_tensorflow()
    final = graphs.from_bytes(graph)
    if calibrates and not calibration.is_calibration_graph(graph):
        _nothing_to_calibrate.add(_digest(final))
        logger.warning("there is nothing to calibrate: the graph's quantization nodes give every range")
    return final


def warn_nothing_converted(report):
    """One warning with the most frequent reasons."""
    counts = {}
    for node in report.nodes:
        if node["op"] not in ("Const", "Placeholder"):
            key = f"{node['op']}: {node.get('reason') or node.get('code')}"
            counts[key] = counts.get(key, 0) + 1
    top = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:5]
    text = "nothing was converted; top reasons: " + ("; ".join(f"{reason} ({count} nodes)" for reason, count in top) or "the graph has constants and inputs only")
    logger.warning("%s", text)
    warnings.warn(text, stacklevel=3)


def _digest(graph_def):
    """Of what a graph computes, whatever the order in which it was serialized."""
    nodes = sorted(node.SerializeToString(deterministic=True) for node in graph_def.node)
    return hashlib.sha256(b"".join(hashlib.sha256(node).digest() for node in nodes)).hexdigest()


def calib_graph_to_infer_graph(calibration_graph_def, is_dynamic_op=False):
    """Finishes INT8 calibration: the calibration graph and what its runs collected -> the mixed GraphDef.

    Calibration may have run in this process, or in any that had the same GRAFT_CALIBRATION_DIR. Finishing again gives the
    same; feeding more data to the calibration graph after that raises. `with graftrt.options(calibrator="entropy")` chooses
    how ranges are found ("auto", "entropy", "percentile", "minmax", "mse").

    Raises CalibrationError when an engine saw no data, or the graph has no calibration nodes.
    """
    data = graphs.to_bytes(calibration_graph_def, "calibration_graph_def")
    try:
        graph, _, _ = calibration.finish(data, _options.current().get("calibrator", "auto"), "auto")
    except CalibrationError:
        final = calibration_graph_def if graphs.is_graph_def(calibration_graph_def) else graphs.from_bytes(data)
        if _digest(final) in _nothing_to_calibrate:
            return final
        raise
    plugin.ensure_loaded_if_tensorflow()
    return graphs.from_bytes(graph)


def rescue(graph):
    """Turns the `TRTEngineOp`s of a graph of TF-TRT (or of Graft) back into native nodes: those of their native segments.

    graph: GraphDef (or its bytes, a tf.Graph, the path of a .pb) with its function library; it is never changed.
    The nodes get the names that they had before the conversion. Neither TensorRT nor a GPU is needed, and the result can be
    converted again. Returns a GraphDef, or bytes for bytes; the graph itself, with a warning, when it holds no engine.

    Raises Unsupported for an engine without a native segment (TF-TRT before 1.10 kept none) or inside a function, InvalidGraph
    for a segment that does not fit its engine.
    """
    serialized, engines = native.rescue(graphs.to_bytes(graph, "graph"))
    if engines:
        logger.info("rescue: %d engines turned back into native nodes: %s", len(engines), ", ".join(engines))
    else:
        warnings.warn("graftrt.rescue: the graph holds no engine; it is returned as it is", stacklevel=2)
    return serialized if isinstance(graph, (bytes, bytearray, memoryview)) else graphs.from_bytes(serialized)
