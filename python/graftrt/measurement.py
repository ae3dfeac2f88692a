"""convert(measure=...): each engine against the TensorFlow nodes it replaced, timed in TensorFlow, copies at the border included."""

import contextlib
import dataclasses
import statistics
import time

import numpy as np

from . import graphs, plugin
from .errors import InvalidArgument

_WARM_UP = 3
_MIN_PAIRS = 7
_MAX_PAIRS = 31
_BUDGET_S = 2.0  # per engine, after which _MIN_PAIRS suffice


@dataclasses.dataclass(frozen=True)
class Measured:
    """Medians of alternating runs of one engine and of its native nodes on the same inputs."""

    engine: str
    native_ms: float
    engine_ms: float
    ratio: float  # median over pairs of native / engine; above 1 the engine is faster
    low: float    # quartiles of that ratio
    high: float
    pairs: int
    shapes: dict  # input name -> extents that it was measured at
    nodes: tuple

    @property
    def slower(self):
        """Three of four pairs say so: a tie stays in its engine."""
        return self.high < 1.0

    def text(self, left_native=False):
        verdict = f"slower, left native ({self.nodes[0]} to {self.nodes[-1]})" if left_native else "slower, kept" if self.slower else "kept"
        return (f"{self.engine}: engine {self.engine_ms:.3f} ms, TensorFlow {self.native_ms:.3f} ms, ratio {self.ratio:.2f} "
                f"[{self.low:.2f}, {self.high:.2f}], {self.pairs} pairs: {verdict}")


def check(measure):
    """measure: False, True, or feeds {tensor or node name: array}; InvalidArgument otherwise."""
    if not isinstance(measure, (bool, dict)) or measure == {}:
        raise InvalidArgument(f"measure: got {measure!r}, expected True, False or feeds {{input name: array}}")


def run(original, conversion, feeds, batch, threads, skip=()):
    """Measures the engines of `conversion` whose nodes are not in `skip` (sets of node names).

    original: the bytes that were converted. feeds: True for random ones at batch `batch`, or {name: array}. -> [Measured]
    InvalidArgument where TensorFlow can't run the graph on the feeds.
    """
    engines = [e for e in conversion.report.engines if not e["function"] and frozenset(e["nodes"]) not in skip]
    if not engines:
        return []
    import tensorflow as tf

    plugin.load_plugin()
    native = tf.Graph()
    original = graphs.from_bytes(original)
    with native.as_default():
        tf.compat.v1.import_graph_def(original, name="")
    feeds = _random_feeds(original, batch) if feeds is True else {_tensor(k): np.asarray(v) for k, v in feeds.items()}
    border = sorted({_tensor(t["name"]) for e in engines for t in e["inputs"]})
    with tf.compat.v1.Session(graph=native, config=_config(tf, threads)) as session:
        inside = {name: session.graph.get_tensor_by_name(name) for name in border}
        try:
            values = session.run(inside, {name: value for name, value in feeds.items() if _reached(native, name)})
        except (tf.errors.OpError, TypeError, ValueError) as error:
            text = getattr(error, "message", None) or str(error)
            raise InvalidArgument(f"measure: TensorFlow can't run the graph on the feeds {sorted(feeds)}: {text}") from error
    nodes = {node.name: node for node in conversion.graph_def.node}
    return [_measure(tf, original, nodes[engine["name"]], engine, values, threads) for engine in engines]


def annotate(report, kept, dropped):
    """Puts the figures into a Report: data["measured"] and a paragraph of its text.

    kept: of engines, by their nodes; those that the report has not are left out. dropped: of segments left native.
    """
    names = {frozenset(e["nodes"]): e["name"] for e in report.engines}  # each conversion counts its engines from 0
    kept = [dataclasses.replace(m, engine=names[frozenset(m.nodes)]) for m in kept if frozenset(m.nodes) in names]
    rows = [{**dataclasses.asdict(m), "nodes": len(m.nodes), "slower": m.slower} for m in kept + dropped]
    lines = [m.text() for m in kept] + [m.text(left_native=True) for m in dropped]
    report.extend({"measured": rows}, "".join(f"  {line}\n" for line in lines), "measured against TensorFlow")


def _measure(tf, original, node, engine, values, threads):
    inputs = [_tensor(t["name"]) for t in engine["inputs"]]
    outputs = [_tensor(t["name"]) for t in engine["outputs"]]

    def callable_of(build, stack):
        graph = tf.Graph()
        with graph.as_default():
            placeholders = [tf.compat.v1.placeholder(values[name].dtype, values[name].shape) for name in inputs]
            fetches = build(placeholders)
        session = tf.compat.v1.Session(graph=graph, config=_config(tf, threads))
        stack.callback(session.close)
        return session.make_callable(fetches, placeholders)

    def native(placeholders):
        return tf.compat.v1.import_graph_def(original, input_map=dict(zip(inputs, placeholders)), return_elements=outputs, name="n")

    def as_engine(placeholders):
        alone = tf.compat.v1.GraphDef()
        copy = alone.node.add()
        copy.CopyFrom(node)
        del copy.input[:]
        for i, placeholder in enumerate(placeholders):
            fed = alone.node.add(name=f"in{i}", op="Placeholder")
            fed.attr["dtype"].type = placeholder.dtype.as_datatype_enum
            copy.input.append(fed.name)
        if "segment_func" in copy.attr:  # its function is not in this graph, and a failure here should be seen
            copy.attr["segment_func"].func.name = ""
        return tf.compat.v1.import_graph_def(
            alone, input_map={f"in{i}:0": p for i, p in enumerate(placeholders)},
            return_elements=[f"{node.name}:{i}" for i in range(len(outputs))], name="e")

    arrays = [values[name] for name in inputs]
    with contextlib.ExitStack() as stack:
        sides = [callable_of(native, stack), callable_of(as_engine, stack)]
        for call in sides:
            for _ in range(_WARM_UP):
                call(*arrays)
        pairs, start = [], time.perf_counter()
        while len(pairs) < _MAX_PAIRS and (time.perf_counter() - start < _BUDGET_S or len(pairs) < _MIN_PAIRS):
            order = (0, 1) if len(pairs) % 2 == 0 else (1, 0)
            took = [0.0, 0.0]
            for side in order:
                begin = time.perf_counter()
                sides[side](*arrays)
                took[side] = time.perf_counter() - begin
            pairs.append(took)
    low, ratio, high = statistics.quantiles([a / b for a, b in pairs], n=4)
    return Measured(engine["name"], statistics.median(a for a, _ in pairs) * 1e3, statistics.median(b for _, b in pairs) * 1e3,
                    ratio, low, high, len(pairs), {n: list(values[n].shape) for n in inputs}, tuple(engine["nodes"]))


def _random_feeds(graph_def, batch):
    rng, feeds = np.random.default_rng(0), {}
    from tensorflow.python.framework import dtypes
    for node in graph_def.node:
        if node.op not in ("Placeholder", "PlaceholderV2"):
            continue
        # Reading an attribute that a node has not would give it one: a scalar's shape.
        shape = node.attr["shape"].shape if "shape" in node.attr else None
        extents = [d.size for d in shape.dim] if shape is not None else []
        if extents and extents[0] < 0:
            extents[0] = batch
        if shape is None or shape.unknown_rank or any(d < 0 for d in extents):
            raise InvalidArgument(f"measure: input {node.name!r} has shape {['?' if d < 0 else d for d in extents] or '?'}; "
                                  "pass feeds: measure={name: array}")
        dtype = dtypes.as_dtype(node.attr["dtype"].type)
        if dtype.is_floating:
            feeds[f"{node.name}:0"] = rng.standard_normal(extents).astype(dtype.as_numpy_dtype)
        elif dtype.is_integer or dtype.is_bool:  # an index or a flag: 0 is valid everywhere
            feeds[f"{node.name}:0"] = np.zeros(extents, dtype.as_numpy_dtype)
        else:
            raise InvalidArgument(f"measure: input {node.name!r} is {dtype.name}; pass feeds: measure={{name: array}}")
    return feeds


def _reached(graph, name):
    try:
        graph.get_tensor_by_name(name)
    except KeyError:
        raise InvalidArgument(f"measure: feeds name {name!r}, which is not in the graph") from None
    return True


def _config(tf, threads):
    return tf.compat.v1.ConfigProto(intra_op_parallelism_threads=threads or 0)


def _tensor(name):
    return name if ":" in name else f"{name}:0"
