"""Loops and conditionals of the lowered form (Enter, Merge, Switch, NextIteration, Exit): inside engines, against stock TensorFlow."""

import pathlib
import subprocess
import sys

import graftrt as trt
import lowered_graphs
import mixed
import numpy as np
import pytest
import tensorflow as tf
from lowered_graphs import rows
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

FRAME_OPS = ("Enter", "Merge", "Switch", "LoopCond", "NextIteration", "Exit")
NATIVE = ("while_random", "while_growing")


def parsed(data):
    graph_def = tf.compat.v1.GraphDef()
    graph_def.ParseFromString(data)
    return graph_def


@pytest.fixture(scope="module")
def first_version(tmp_path_factory):
    folder = tmp_path_factory.mktemp("first_version")
    script = pathlib.Path(lowered_graphs.__file__)
    subprocess.run([sys.executable, str(script), str(folder)], check=True, capture_output=True)
    return {file.stem: parsed(file.read_bytes()) for file in folder.glob("*.pb")}


def frame_ops(graph_def):
    return [node.name for node in graph_def.node if node.op in FRAME_OPS]


def run(graph_def, outputs, feeds, threads=2):
    with mixed.session_of(graph_def, threads) as session:
        return session.run(outputs, feeds)


def close(got, want):
    assert got.shape == want.shape and got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5)


def check(graph_def, outputs, feeds, counters, **options):
    """All of it in engines: answers of the plugin (strict, counted), of the native segment and without TensorFlow."""
    conversion = trt.convert(graph_def, outputs, profitable_only=False, min_segment_size=1, **options)
    assert not frame_ops(conversion.graph_def), conversion.report.text
    want = [run(graph_def, outputs, fed) for fed in feeds]
    with trt.options(strict=True):
        trt.reset_counters()
        for fed, expected in zip(feeds, want, strict=True):
            for got, value in zip(run(conversion.graph_def, outputs, fed), expected, strict=True):
                close(got, value)
    ran = [row for row in counters().values() if any(row.values())]
    assert ran and all(row["engine"] == len(feeds) and row["native"] == 0 for row in ran)
    assert not conversion.graph_def.library.function
    fallback = trt.convert(graph_def, outputs, profitable_only=False, min_segment_size=1, native_segments=True)
    with trt.options(fail_engines=["*"]):
        for got, value in zip(run(fallback.graph_def, outputs, feeds[0]), want[0], strict=True):
            close(got, value)
    session = conversion.session()
    for fed, expected in zip(feeds, want, strict=True):
        for got, value in zip(session.run(outputs, fed), expected, strict=True):
            close(got, value)
    # Every node of the loop is listed, with its engine.
    listed = [verdict for verdict in conversion.report.nodes if verdict["op"] in FRAME_OPS]
    assert {verdict["name"] for verdict in listed} <= set(frame_ops(graph_def)) and listed
    assert all(verdict["engine"] >= 0 for verdict in listed)
    return conversion


def outputs_of(graph_def):
    return [node.name + ":0" for node in graph_def.node if node.name.startswith("out")]


@pytest.mark.parametrize("name", [f.__name__ for f in lowered_graphs.GRAPHS if f.__name__ not in NATIVE])
def test_first_version(first_version, counters, name):
    graph_def = first_version[name]
    assert frame_ops(graph_def)
    feeds = [{"x:0": rows(batch, 4, seed=batch), "n:0": np.int32(n)} for batch, n in ((1, 0), (3, 3), (2, 4), (5, 7))]
    check(graph_def, outputs_of(graph_def), feeds, counters)


@pytest.mark.parametrize("name", NATIVE)
def test_stays_native_as_a_whole(first_version, name):
    graph_def = first_version[name]
    outputs = outputs_of(graph_def)
    conversion = trt.convert(graph_def, outputs, profitable_only=False, min_segment_size=1)
    before = {node.name: node.SerializeToString(deterministic=True) for node in graph_def.node}
    after = {node.name: node.SerializeToString(deterministic=True) for node in conversion.graph_def.node}
    loop = [name for name in before if name.startswith("while/") and "Enter" not in name and name != "while/Exit"]
    assert len(loop) > 10 and all(after[name] == before[name] for name in loop)  # while/Exit gives what nobody fetches
    assert not [f for f in conversion.graph_def.library.function if not f.signature.name.endswith("_native_segment")]
    reasons = {verdict["name"]: verdict.get("reason", "") for verdict in conversion.report.nodes}
    what = "RandomUniform" if name == "while_random" else "changes from iteration to iteration"
    assert "the loop 'while/while_context' stays native" in reasons["while/LoopCond"] and what in reasons["while/LoopCond"]
    feeds = {"x:0": rows(3, 4), "n:0": np.int32(3)}
    for got, want in zip(run(conversion.graph_def, outputs, feeds), run(graph_def, outputs, feeds), strict=True):
        close(got, want)


def layers(kind):
    x = tf.keras.Input((7, 3))
    if kind == "lstm":
        return x, tf.keras.layers.LSTM(4)(x)
    if kind == "gru":
        return x, tf.keras.layers.GRU(4, return_sequences=True)(x)
    if kind == "rnn":
        return x, tf.keras.layers.SimpleRNN(4)(x)
    if kind == "bidirectional":
        return x, tf.keras.layers.Bidirectional(tf.keras.layers.LSTM(4, return_sequences=True))(x)
    y = tf.keras.layers.LSTM(4, return_sequences=True)(x)
    return x, tf.keras.layers.Dense(2)(tf.keras.layers.GRU(5)(y))


def frozen(function, *specs):
    concrete = tf.function(function).get_concrete_function(*specs)
    constants = convert_variables_to_constants_v2(concrete)
    return constants.graph.as_graph_def(), [t.name for t in constants.inputs], [t.name for t in constants.outputs]


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn", "bidirectional", "stacked"])
def test_keras_layers_frozen_with_lowering(kind, counters):
    tf.keras.utils.set_random_seed(3)
    model = tf.keras.Model(*layers(kind))
    graph_def, (name,), outputs = frozen(lambda x: model(x), tf.TensorSpec((None, 7, 3)))
    assert frame_ops(graph_def)
    conversion = check(graph_def, outputs, [{name: rows(batch, 7, 3, seed=batch)} for batch in (1, 4)], counters)
    assert len(conversion.report.engines) == 1
