"""Checks a Case of random_graphs: TensorFlow is the oracle; four partitions of the graph must answer what it answers.

A partition is a dict of options of graftrt.convert. Where the whole graph is engines it runs in graftrt.Session, else in
TensorFlow with the plugin; an engine has no native segment, or a run of it is a finding. Integers, bools and strings are equal,
floats within RTOL (of the narrowest dtype of the graph) of the largest element, and where they do not, the graph is run
in double: the engine's error is then at most ERRORS times TensorFlow's plus what inputs wrong in their last bit do.
"""

import dataclasses
import warnings

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import graph_pb2

import to_float64

RTOL = {"float32": 1e-5, "float64": 1e-13, "float16": 2e-3, "bfloat16": 1.6e-2}
EPSILON = {"float32": 2.0**-23, "float64": 2.0**-52, "float16": 2.0**-10, "bfloat16": 2.0**-7}
ERRORS, SENSITIVITY, ULPS, PERTURBATIONS = 4, 16, 8, 3
ENGINE = "TRTEngineOp"
PASSIVE = {"Placeholder", "Const", "Identity", "IdentityN", "EnsureShape", "NoOp", ENGINE}
MISSING = ("No OpKernel", "not registered", "Could not find device for node", "does not support", "not supported")
CONFIG = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
CONFIG.graph_options.rewrite_options.disable_meta_optimizer = True  # the graph as it stands is the oracle


class InvalidCase(Exception):
    """The generator made what TensorFlow does not take."""


@dataclasses.dataclass
class Outcome:
    """What happened to one case; `finding` is "" or what is wrong."""

    finding: str = ""
    options: dict = dataclasses.field(default_factory=dict)  # of the partition that is wrong
    raised: bool = False  # TensorFlow's run failed
    engines: int = 0
    alone: int = 0  # partitions run without TensorFlow
    judged: int = 0  # outputs that needed the graph in double
    ops: frozenset = frozenset()  # op types that engines took


def run_tf(graph, fetches, feeds):
    """Arrays, or the tf.errors.OpError of the run."""
    with tf.Graph().as_default() as g:
        try:
            tf.graph_util.import_graph_def(graph, name="")
        except ValueError as error:
            raise InvalidCase(str(error)) from error
        with tf.compat.v1.Session(graph=g, config=CONFIG) as session:
            try:
                return session.run(fetches, feeds)
            except tf.errors.OpError as error:
                return error


def partitions(graph, rng):
    """Four ways to divide a graph."""
    ops = sorted({n.op for n in graph.node} - {"Placeholder", "Const"})
    names = sorted(n.name for n in graph.node if n.op not in ("Placeholder", "Const"))
    some = lambda values, share: [v for v in values if rng.random() < share]
    return [{"min_segment_size": 1},
            {"min_segment_size": 3, "native_segments": True},
            {"min_segment_size": 1, "deny": ["op:" + op for op in some(ops, 0.2)] + some(names, 0.1)},
            {"min_segment_size": int(rng.integers(1, 3)), "deny": some(names, 0.3), "max_engines": int(rng.integers(1, 4))}]


def in_double(case):
    """(exact answers, what a last-bit change of the inputs does to each), or None where TensorFlow has no double kernels."""
    narrow = {attr.type for n in case.graph.node for attr in n.attr.values()} & {1, 14, 19}
    try:
        wide = to_float64.rewrite(case.graph, tuple(narrow))
    except to_float64.NoDoubleKernel:
        return None
    names = {n.name + ":0": n for n in wide.node}
    feeds = {}
    for name, value in case.feeds.items():
        is_float = tf.as_dtype(value.dtype).is_floating
        feeds[name] = value.astype(np.float64) if is_float and name in names else value
    exact = run_tf(wide, case.fetches, feeds)
    if isinstance(exact, Exception):
        return None
    epsilon = max([EPSILON[tf.as_dtype(t).name] for t in narrow], default=EPSILON["float64"])
    rng, changes = np.random.default_rng(0), [0.0] * len(exact)
    for _ in range(PERTURBATIONS):
        moved = {k: v * (1 + epsilon * rng.uniform(-1, 1, np.shape(v))) if v.dtype == np.float64 else v for k, v in feeds.items()}
        other = run_tf(wide, case.fetches, moved)
        if isinstance(other, Exception):
            return None
        changes = [max(c, _largest(a, e)) for c, a, e in zip(changes, other, exact)]
    return exact, changes


def _largest(a, e):
    """Largest finite difference; infinite where the shapes, or the places of NaN and Inf, differ."""
    if np.shape(a) != np.shape(e) or np.asarray(a).dtype.kind not in "fV":
        return 0.0 if np.array_equal(a, e) else np.inf
    a, e = np.asarray(a, np.float64), np.asarray(e, np.float64)
    finite = np.isfinite(e)
    if not np.array_equal(a[~finite], e[~finite], equal_nan=True) or not np.isfinite(a[finite]).all():
        return np.inf
    return float(np.max(np.abs(a[finite] - e[finite]), initial=0))


def coarsest(graph):
    """RTOL of the narrowest floating dtype that the graph computes in."""
    nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
    names = {tf.as_dtype(attr.type).name for n in nodes for attr in n.attr.values() if attr.WhichOneof("value") == "type"}
    return max((RTOL[name] for name in names if name in RTOL), default=0.0)


def difference(got, want, name, rtol, double):
    """("" or what is wrong with an answer, whether the graph in double had to judge); `double()` gives in_double of it."""
    got, want = np.asarray(got), np.asarray(want)
    if got.shape != want.shape or got.dtype != want.dtype:
        return f"{name}: {got.dtype}{list(got.shape)}, TensorFlow {want.dtype}{list(want.shape)}", False
    dtype = "object" if want.dtype == object else tf.as_dtype(want.dtype).name
    if dtype not in RTOL:
        equal = np.array_equal(got, want)
        return ("" if equal else f"{name}: {got.ravel()[:8]}, TensorFlow {want.ravel()[:8]}"), False
    error, finite = _largest(got, want), np.asarray(want, np.float64)
    scale = float(np.max(np.abs(finite[np.isfinite(finite)]), initial=0))
    if error <= rtol * scale:
        return "", False
    exact = double() if np.isfinite(error) else None
    text = f"{name}: error {error:.3g} of {scale:.3g}: {got.ravel()[:8]}, TensorFlow {want.ravel()[:8]}"
    if exact is None:
        return text, True
    exact, change = exact
    allowed = ERRORS * _largest(want, exact) + SENSITIVITY * change + ULPS * EPSILON[dtype] * scale
    ours = _largest(got, exact)
    return ("" if ours <= allowed else f"{text}; in double: error {ours:.3g}, allowed {allowed:.3g}"), True


def convert(case, options):
    import graftrt

    fetches = list(dict.fromkeys(f.removesuffix(":0") for f in case.fetches))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return graftrt.convert(case.graph, fetches, inputs=case.inputs or None, profitable_only=False, threads=1, progress=False, **options)


def run_converted(conversion, case):
    """(arrays or the error, whether it ran without TensorFlow)."""
    import graftrt

    if {n.op for n in conversion.graph_def.node} <= PASSIVE and not case.inputs:
        try:
            return conversion.session().run(case.fetches, case.feeds), True
        except graftrt.Error as error:
            return error, True
    return run_tf(conversion.graph_def, case.fetches, case.feeds), False


def check(case, options=None, rng=None):
    """The Outcome of a case in the given partitions, by default four random ones."""
    import graftrt

    outcome = Outcome()
    want = run_tf(case.graph, case.fetches, case.feeds)
    outcome.raised = isinstance(want, Exception)
    if outcome.raised and any(text in str(want) for text in MISSING):
        raise InvalidCase(str(want))
    doubles, rtol = [], coarsest(case.graph)

    def double(index):
        def answer():
            if not doubles:
                doubles.append(in_double(case))
            return doubles[0] and (doubles[0][0][index], doubles[0][1][index])
        return answer

    taken = set()
    for partition in options or partitions(case.graph, rng or np.random.default_rng(0)):
        outcome.options = partition
        graftrt.reset_counters()
        try:
            conversion = convert(case, partition)
        except graftrt.InvalidGraph as error:
            if outcome.raised:
                continue  # said before it is run
            outcome.finding = f"convert: {error}"
            return outcome
        except Exception as error:  # every class: the graph is valid
            outcome.finding = f"convert: {type(error).__name__}: {error}"
            return outcome
        engines = {node["name"]: node["op"] for node in conversion.report.nodes if node["engine"] >= 0}
        taken |= set(engines.values())
        outcome.engines += len(conversion.report.engines)
        try:
            got, alone = run_converted(conversion, case)
        except InvalidCase as error:
            outcome.finding = f"the mixed graph does not import: {error}"
            return outcome
        outcome.alone += alone
        if isinstance(got, Exception) or outcome.raised:
            if not (isinstance(got, Exception) and outcome.raised):
                outcome.finding = f"the engine: {got}; TensorFlow: {want}"
                return outcome
            continue
        native = sum(count["native"] for count in graftrt.counters().values())
        if native:
            outcome.finding = f"{native} runs of native segments"
            return outcome
        for index, (name, a, w) in enumerate(zip(case.fetches, got, want, strict=True)):
            outcome.finding, judged = difference(a, w, name, rtol, double(index))
            outcome.judged += judged
            if outcome.finding:
                return outcome
    outcome.ops, outcome.options = frozenset(taken), {}
    return outcome
