"""convert(measure=...): engines are timed against the nodes they replaced; with profitable_only the losers stay native."""

import dataclasses
import json

import graftrt as trt
import numpy as np
import pytest
import tensorflow as tf
from graftrt import calibration, measurement
from graftrt import conversion as conversion_module


def two_segments(batch=None):
    """x -> [relu, mul, sub] -> apart, which is denied -> [sigmoid, add, tanh] -> y."""
    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(tf.float32, [batch, 32], name="x")
        a = tf.subtract(tf.multiply(tf.nn.relu(x, name="relu"), 3.0, name="mul"), 1.0, name="sub")
        middle = tf.abs(a, name="apart")
        tf.tanh(tf.add(tf.sigmoid(middle, name="sigmoid"), 2.0, name="add"), name="y")
    return graph.as_graph_def()


def reasons(conversion):
    return {n["name"]: n.get("code") for n in conversion.report.nodes if n["engine"] < 0}


def test_every_engine_is_measured_and_reported():
    conversion = trt.convert(two_segments(), ["y"], deny=["apart"], measure=True, max_batch_size=4, profitable_only=False)
    rows = conversion.report.data["measured"]
    assert len(rows) == 2 == len(conversion.report.engines)
    for row in rows:
        assert list(row["shapes"].values()) == [[4, 32]]
        assert row["native_ms"] > 0 and row["engine_ms"] > 0 and row["pairs"] >= 7 and row["low"] <= row["ratio"] <= row["high"]
        assert row["engine"] in conversion.report.text
    assert json.loads(conversion.report.json)["measured"] == json.loads(json.dumps(rows))


def slow_first(monkeypatch):
    """Real measurements, but the first segment's verdict is fixed, since a test must not depend on the clock."""
    real = measurement._measure

    def measure(tf_, original, node, engine, values, threads):
        verdict = 0.5 if any(name == "relu" for name in engine["nodes"]) else 2.0
        return dataclasses.replace(real(tf_, original, node, engine, values, threads), ratio=verdict, low=verdict, high=verdict)

    monkeypatch.setattr(measurement, "_measure", measure)


def test_a_slower_engine_stays_native_and_says_so(monkeypatch):
    slow_first(monkeypatch)
    graph = two_segments()
    conversion = trt.convert(graph, ["y"], deny=["apart"], measure={"x": np.ones([2, 32], np.float32)})
    assert {"relu", "mul", "sub"} <= {name for name, code in reasons(conversion).items() if code == "slower"}
    (engine,) = conversion.report.engines
    assert {"sigmoid", "add", "y"} <= set(engine["nodes"])
    rows = conversion.report.data["measured"]
    assert [row["slower"] for row in rows] == [False, True]
    assert "slower, left native (relu to sub)" in conversion.report.text
    assert rows[0]["engine"] == engine["name"]  # the engines of the last conversion are counted from 0 again
    feeds = {"x": np.random.default_rng(3).standard_normal([5, 32]).astype(np.float32)}
    want = trt.Session(graph).run("y", feeds)
    np.testing.assert_allclose(conversion.session().run("y", feeds), want, rtol=1e-6)


def test_without_profitable_only_the_slower_engine_is_kept(monkeypatch):
    slow_first(monkeypatch)
    conversion = trt.convert(two_segments(), ["y"], deny=["apart"], measure=True, profitable_only=False)
    assert len(conversion.report.engines) == 2
    assert [row["slower"] for row in conversion.report.data["measured"]].count(True) == 1
    assert "slower, kept" in conversion.report.text and "left native" not in conversion.report.text


def test_after_the_last_round_slower_engines_stay_and_are_reported(monkeypatch):
    slow_first(monkeypatch)
    monkeypatch.setattr(conversion_module, "_MEASURE_ROUNDS", 0)
    conversion = trt.convert(two_segments(), ["y"], deny=["apart"], measure=True)
    assert len(conversion.report.engines) == 2 and "slower, kept" in conversion.report.text


def test_a_graph_with_nothing_to_calibrate_is_measured_too(monkeypatch):
    monkeypatch.setattr(calibration, "calibrate", lambda *args, **kwargs: None)
    conversion = trt.convert(two_segments(), ["y"], deny=["apart"], precision="int8", calibration=[{"x": np.ones([2, 32], np.float32)}],
                             measure=True, profitable_only=False)
    assert len(conversion.report.data["measured"]) == len(conversion.report.engines) == 2


def test_a_placeholder_without_a_shape_needs_feeds():
    graph = two_segments()
    other = graph.node.add(name="other", op="Placeholder")
    other.attr["dtype"].type = tf.float32.as_datatype_enum
    with pytest.raises(trt.InvalidArgument, match=r"'other' has shape \?; pass feeds"):
        trt.convert(graph, ["y"], deny=["apart"], measure=True)
    other.attr["shape"].shape.SetInParent()
    other.attr["dtype"].type = tf.string.as_datatype_enum
    with pytest.raises(trt.InvalidArgument, match="'other' is string; pass feeds"):
        trt.convert(graph, ["y"], deny=["apart"], measure=True)
    conversion = trt.convert(graph, ["y"], deny=["apart"], measure={"x": np.ones([2, 32], np.float32)}, profitable_only=False)
    assert list(conversion.report.data["measured"][0]["shapes"].values()) == [[2, 32]]


def test_unknown_extents_need_feeds():
    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(tf.float32, [None, None, 8], name="x")
        tf.tanh(tf.nn.relu(tf.multiply(x, 2.0)), name="y")
    with pytest.raises(trt.InvalidArgument, match=r"'x' has shape \[1, '\?', 8\]; pass feeds"):
        trt.convert(graph.as_graph_def(), ["y"], measure=True)
    conversion = trt.convert(graph.as_graph_def(), ["y"], measure={"x": np.ones([2, 7, 8], np.float32)}, profitable_only=False)
    assert conversion.report.data["measured"][0]["shapes"] == {"x:0": [2, 7, 8]}


@pytest.mark.parametrize("measure, text", [(3, "measure: got 3"), ({"nope": np.ones(3)}, "'nope:0', which is not in the graph"),
                                           ({}, "measure: got {}"), ({"mul:0": np.ones([1, 32], np.float32), "relu": np.ones([1, 32], np.float32)}, "(?s)feeds.*'x'"),
                                           ({"x": np.ones([1, 7], np.float32)}, r"feeds \['x:0'\]")])
def test_bad_values(measure, text):
    with pytest.raises(trt.InvalidArgument, match=text):
        trt.convert(two_segments(), ["y"], deny=["apart"], measure=measure)
