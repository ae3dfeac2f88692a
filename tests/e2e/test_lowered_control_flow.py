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


def convert(graph_def, outputs=("out0:0",), **options):
    return trt.convert(graph_def, list(outputs), profitable_only=False, **{"min_segment_size": 1, **options})


def unchanged(conversion, graph_def):
    """The frame's nodes are in the graph as they were, and no function was made."""
    after = {node.name: node for node in conversion.graph_def.node}
    assert set(frame_ops(conversion.graph_def)) == set(frame_ops(graph_def))
    assert not conversion.graph_def.library.function
    return all(after[node.name] == node for node in graph_def.node)


def test_a_fetched_inner_node_keeps_the_loop(first_version):
    graph_def = first_version["while_basic"]
    conversion = convert(graph_def, ["out0:0", "out1:0", "while/mul:0"])
    assert unchanged(conversion, graph_def)
    assert any("'while/mul' (Mul) is fetched" in verdict["reason"] for verdict in conversion.report.nodes if verdict["op"] == "Enter")


def test_a_fed_inner_node_keeps_the_conditional(first_version):
    graph_def = first_version["cond_basic"]
    conversion = convert(graph_def, ["out0:0", "out1:0"], inputs=["x", "n", "cond/add"])
    assert "cond/Merge" in frame_ops(conversion.graph_def)


@pytest.mark.parametrize("name", ["while_basic", "cond_in_while"])
def test_what_gets_no_engine_keeps_its_nodes(first_version, name):
    """Not enough memory, too few nodes, a denied node within: the graph is as it was."""
    graph_def = first_version[name]
    outputs = outputs_of(graph_def)
    for options in ({"memory_limit_bytes": 0}, {"min_segment_size": 1000}, {"deny": ["while/Less"]}, {"deny": ["op:NextIteration"]}):
        conversion = convert(graph_def, outputs, **options)
        assert unchanged(conversion, graph_def), options
        assert any("the loop 'while/while_context' stays native" in v.get("reason", "") for v in conversion.report.nodes), options


def test_its_nodes_count_one_by_one(first_version):
    graph_def = first_version["while_basic"]
    effective = sum(node.op not in ("Const", "Identity", "Placeholder") for node in graph_def.node)
    outputs = outputs_of(graph_def)
    assert not frame_ops(convert(graph_def, outputs, min_segment_size=effective).graph_def)
    assert frame_ops(convert(graph_def, outputs, min_segment_size=effective + 1).graph_def)


def test_calibrated(counters):
    tf.keras.utils.set_random_seed(3)
    model = tf.keras.Model(*layers("stacked"))
    graph_def, (name,), outputs = frozen(lambda x: model(x), tf.TensorSpec((None, 7, 3)))
    feeds = [{name: rows(8, 7, 3, seed=i)} for i in range(3)]
    conversion = convert(graph_def, outputs, precision="int8", calibration=feeds)
    assert not frame_ops(conversion.graph_def)
    (got,), (want,) = run(conversion.graph_def, outputs, feeds[0]), run(graph_def, outputs, feeds[0])
    np.testing.assert_allclose(got, want, atol=0.05 * np.abs(want).max())
