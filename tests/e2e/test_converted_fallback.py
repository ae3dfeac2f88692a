"""The run-time fallback of graphs that Graft converted: a segment of two outputs between control edges, sixteen threads at once."""

import collections
import concurrent.futures
import logging

import graftrt as trt
import mixed
import numpy as np
import pytest
import tensorflow as tf

THREADS, RUNS = 16, 10
FETCHES = ["total:0", "product:0", "after:0"]


class Source:
    """x -> before -> (control) segment -> total, product; after waits for the segment. `order` notes who ran for which feed."""

    def __init__(self):
        self.order = []
        self.graph = tf.Graph()  # keeps the Python functions alive
        with self.graph.as_default():
            x = tf.compat.v1.placeholder(tf.float32, [None, 4], name="x")
            before = tf.numpy_function(self._note("before"), [x], tf.float32, name="before")
            with tf.control_dependencies([before]):
                activated = tf.nn.relu(x, name="activated")
            squashed = tf.tanh(activated, name="squashed")
            tf.add(activated, squashed, name="total")
            product = tf.multiply(activated, squashed, name="product")
            with tf.control_dependencies([product]):
                tf.numpy_function(self._note("after"), [x], tf.float32, name="after")

    def _note(self, who):
        def note(value):
            self.order.append((who, float(value[0, 0])))
            return value
        return note

    def graph_def(self):
        return self.graph.as_graph_def()

    def assert_in_order(self, runs):
        at = collections.defaultdict(list)
        for place, event in enumerate(self.order):
            at[event].append(place)
        feeds = {feed for _, feed in at}
        assert len(feeds) == len(self.order) // 2 == runs
        assert all(at["before", feed] < at["after", feed] for feed in feeds)


def feed(number):
    data = np.random.default_rng(number).standard_normal((1 + number % 5, 4)).astype(np.float32)
    data[0, 0] = number
    return data


def expected(data):
    activated = np.maximum(data, 0)
    return activated + np.tanh(activated), activated * np.tanh(activated)


@pytest.fixture
def source():
    return Source()


@pytest.fixture(params=["session", "tf_function"])
def runner(request):
    """runner(graph) -> callable(data) -> arrays of FETCHES."""
    sessions = []

    def make(graph_def):
        if request.param == "session":
            sessions.append(mixed.session_of(graph_def, threads=1))
            return lambda data: sessions[-1].run(FETCHES, {"x:0": data})
        pruned = mixed.function_of(graph_def, ["x:0"], FETCHES)
        function = tf.function(lambda x: pruned(x), input_signature=[tf.TensorSpec([None, 4])])
        function.get_concrete_function()  # traced once, not by every thread
        return lambda data: [tensor.numpy() for tensor in function(tf.constant(data))]

    yield make
    for session in sessions:
        session.close()


def convert(source):
    """(mixed graph, name of its one engine), with both control edges at the engine."""
    graph_def = trt.create_inference_graph(source.graph_def(), ["total", "product", "after"], minimum_segment_size=2)
    (engine,) = (node for node in graph_def.node if node.op == "TRTEngineOp")
    assert "^before" in engine.input and len(engine.attr["OutT"].list.type) == 2
    (after,) = (node for node in graph_def.node if node.name == "after")
    assert f"^{engine.name}" in after.input
    return graph_def, engine.name


def from_sixteen_threads(run):
    """Runs every feed once; the values of `run`, by feed."""
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS * RUNS)))


def check(run, number):
    data = feed(number)
    got = run(data)
    for value, want in zip(got, [*expected(data), data]):
        np.testing.assert_allclose(value, want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("failing", [None, "fail_engines", "fail_engine_runs"])
def test_M1_sixteen_threads(source, runner, failing, counters, caplog):
    graph_def, engine = convert(source)
    run = runner(graph_def)
    with caplog.at_level(logging.WARNING, logger="graftrt"), trt.options(**{failing: [engine]} if failing else {}):
        caplog.clear()
        from_sixteen_threads(lambda number: check(run, number))
    runs = THREADS * RUNS
    assert counters()[engine] == {"engine": 0 if failing else runs, "native": runs if failing else 0, "calibration": 0}
    warned = [record.getMessage() for record in caplog.records if record.name == "graftrt"]
    assert len(warned) == (5 if failing else 0), warned
    assert all(engine in text and failing in text for text in warned)
    source.assert_in_order(runs)


@pytest.mark.parametrize("how", ["strict", "TF_TRT_ALLOW_ENGINE_NATIVE_SEGMENT_EXECUTION"])
def test_I10_every_thread_gets_aborted(source, runner, how, counters, monkeypatch):
    graph_def, engine = convert(source)
    if how != "strict":
        monkeypatch.setenv(how, "0")
    run = runner(graph_def)

    def aborts(number):
        with pytest.raises(tf.errors.AbortedError, match="User disallowed engine native segment execution"):
            run(feed(number))

    with trt.options(fail_engines=[engine], strict=how == "strict"):
        from_sixteen_threads(aborts)
    assert counters().get(engine, {}).get("native", 0) == 0
    assert not [who for who, _ in source.order if who == "after"]


def test_without_native_segments_the_error_is_typed_in_every_thread(source, runner):
    with trt.options(native_segments=False):
        graph_def, engine = convert(source)
    assert not graph_def.library.function
    run = runner(graph_def)

    def fails(number):
        with pytest.raises(tf.errors.OpError, match="native_segments=True"):
            run(feed(number))

    with trt.options(fail_engines=[engine]):
        from_sixteen_threads(fails)
    check(run, 3)
