"""Runs a graph of one TensorFlow op in an engine and in stock TensorFlow, and says what became of it."""
import dataclasses
import os
import pathlib
import sys
import warnings

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(pathlib.Path(os.environ.get("GRAFT_BUILD_DIR", ROOT / "build" / "release")) / "python"))
import tensorflow as tf  # noqa: E402
from tensorflow.python.framework import op_def_registry  # noqa: E402

import graftrt  # noqa: E402

# What TensorFlow says where no kernel takes the dtype or layout on the CPU: nothing to compare with.
NO_KERNEL = (tf.errors.UnimplementedError, tf.errors.NotFoundError)
NO_KERNEL_TEXTS = ("No OpKernel was registered", "only supports", "only support NHWC", "is not supported", "not implemented",
                   "not yet supported", "Unsupported type", "currently only supports", "doesn't support", "NHWC", "input_min must be a scalar")


@dataclasses.dataclass(frozen=True)
class Outcome:
    """kind: "equal", "refused", "error" (of both), "no_kernel" (TensorFlow has none), "rejected" (TensorFlow takes no such graph)."""

    kind: str
    code: str = ""  # of the refusal
    reason: str = ""
    reference: bool = False  # a step ran in the reference evaluator
    text: str = ""  # of TensorFlow's error


def convert(graph_def, fetched, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return graftrt.convert(graph_def, fetched, min_segment_size=1, profitable_only=False, **options)


def close(got, want, rtol, what):
    """Equal within rtol of the value and of the largest value; NaN and Inf in the same places."""
    assert got.dtype == want.dtype and got.shape == want.shape, \
        f"{what}: {got.dtype}{got.shape}, TensorFlow {want.dtype}{want.shape}"
    if rtol == 0:
        np.testing.assert_array_equal(got, want, err_msg=what)
        return
    got, want = got.astype(np.float64), want.astype(np.float64)
    scale = np.max(np.abs(want[np.isfinite(want)]), initial=0)
    np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol * scale, err_msg=what)


def strip_defaults(graph_def):
    """The graph as a SavedModel with strip_default_attrs holds it."""
    for node in graph_def.node:
        for attr in op_def_registry.get(node.op).attr:
            if attr.HasField("default_value") and attr.name in node.attr and node.attr[attr.name] == attr.default_value:
                del node.attr[attr.name]
    return graph_def


def is_no_kernel(error):
    return isinstance(error, NO_KERNEL) or any(text in error.message for text in NO_KERNEL_TEXTS)


def tf_answer(graph, results, feeds):
    """TensorFlow's arrays, or its error."""
    with tf.compat.v1.Session(graph=graph) as session:
        try:
            return [np.asarray(a) for a in session.run(results, feeds)]
        except tf.errors.OpError as error:
            return error


def _ran_in_reference(session):
    """Did a step of the op, "y", run in the reference evaluator?"""
    steps = [step for engine in session.engines() for step in engine["steps"] if step["name"].split("/")[0] == "y"]
    return any(step["kernel"] == "reference" for step in steps)


def outcome(probe, want=None):
    """The probe's graph in an engine against TensorFlow's answer; AssertionError where they differ."""
    try:
        graph, feeds, results = probe.graph()
    except (ValueError, TypeError) as error:
        return Outcome("rejected", text=str(error))
    graph_def = graph.as_graph_def()
    if probe.stripped:
        graph_def = strip_defaults(graph_def)
    try:
        conversion = convert(graph_def, sorted({name.split(":")[0] for name in results}), precision=probe.base.precision)
    except graftrt.InvalidGraph as invalid:
        want = want or probe.want()
        assert isinstance(want, tf.errors.OpError), f"{probe.name}: TensorFlow takes it: {invalid}"
        return Outcome("error", text=want.message)
    verdict = next(node for node in conversion.report.data["nodes"] if node["name"] == "y")
    if verdict.get("code"):
        return Outcome("refused", verdict["code"], verdict["reason"])
    want = want or probe.want()
    if isinstance(want, tf.errors.OpError) and is_no_kernel(want):
        return Outcome("no_kernel", text=want.message)
    session = conversion.session()
    if isinstance(want, tf.errors.OpError):
        try:
            session.run(results, feeds)
        except graftrt.Error:
            return Outcome("error", text=want.message)
        raise AssertionError(f"{probe.name}: the engine answers, TensorFlow: {want.message}")
    for name, got, w in zip(results, session.run(results, feeds), want):
        close(np.asarray(got), w, probe.rtol, f"{probe.name} {name}")
    return Outcome("equal", reference=_ran_in_reference(session))
