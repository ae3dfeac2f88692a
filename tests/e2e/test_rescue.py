"""graftrt.rescue and `graft rescue`: graphs of TF-TRT, which hold plans of TensorRT, become native again."""

import os
import pathlib
import subprocess

import graftrt as trt
import mixed
import numpy as np
import pytest
import tensorflow as tf

ROOT = pathlib.Path(__file__).resolve().parents[2]
OURS = ("plan_identity", "plan_file", "resource_name", "strict", "native_segment", "graft_version")


def rows(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def source():
    """Two engines with a node between them that no engine takes; several outputs; a control edge into and out of an engine."""
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, 6], name="x")
        tf.no_op(name="before")
        a = tf.nn.relu(tf.matmul(x, tf.constant(rows(6, 6, seed=1), name="w0"), name="first/MatMul"), name="first/Relu")
        b = tf.tanh(a + 1.0, name="first/Tanh")
        native = tf.math.rint(b * 100.0, name="native")
        with tf.control_dependencies([a]):
            tf.no_op(name="after")
        c = tf.nn.relu(tf.matmul(native, tf.constant(rows(6, 6, seed=2), name="w1"), name="second/MatMul"), name="second/Relu")
        tf.identity(tf.sigmoid(c * 2.0, name="second/Sigmoid"), name="out")
        tf.identity(a * 3.0, name="side")
    graph_def = graph.as_graph_def()
    next(node for node in graph_def.node if node.name == "first/MatMul").input.append("^before")
    return graph_def


def convert(graph_def):
    with trt.options(deny_ops=["Rint"]):
        return trt.create_inference_graph(graph_def, ["out", "side", "after"], minimum_segment_size=2)


def of_tf_trt(graph_def):
    """The graph as TF-TRT would have written it: a plan of TensorRT, and its attributes alone."""
    for node in graph_def.node:
        if node.op == "TRTEngineOp":
            node.attr["serialized_segment"].s = b"ptrt\0\0\0\1 a plan of TensorRT"
            for name in OURS:
                node.attr.pop(name, None)
    return graph_def


@pytest.fixture
def converted():
    mixed_graph = convert(source())
    assert sum(node.op == "TRTEngineOp" for node in mixed_graph.node) == 2
    return of_tf_trt(mixed_graph)


def run(graph_def, x):
    with mixed.session_of(graph_def) as session:
        return session.run(["out:0", "side:0", "after"], {"x:0": x})[:2]


def edges(graph_def):
    """Node -> op and inputs, but for names of constants."""
    return {node.name: (node.op, sorted(node.input)) for node in graph_def.node if node.op != "Const"}


def test_the_graph_before_the_conversion_comes_back(converted):
    native = trt.rescue(converted)
    assert not any(node.op == "TRTEngineOp" for node in native.node)
    assert not native.library.function
    want = edges(source())
    assert want["after"] == ("NoOp", ["^first/Relu"]) and "^before" in want["first/MatMul"][1]
    want["after"] = ("NoOp", ["^mul", "^side"])  # all of the engine, as in the converted graph
    assert edges(native) == want
    for batch in (1, 5):
        for one, other in zip(run(native, rows(batch, 6)), run(source(), rows(batch, 6)), strict=True):
            np.testing.assert_array_equal(one, other)


def test_it_converts_again(converted, counters):
    again = convert(trt.rescue(converted))
    with trt.options(strict=True):
        trt.reset_counters()
        for one, other in zip(run(again, rows(4, 6)), run(source(), rows(4, 6)), strict=True):
            np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-5)
    assert sum(row["engine"] for row in counters().values()) == 2


@pytest.mark.parametrize("form", ["segment_funcdef_name", "by the name of the engine"])
def test_older_attributes_name_the_segment_too(converted, form):
    for node in converted.node:
        if node.op == "TRTEngineOp":
            function = node.attr["segment_func"].func.name
            del node.attr["segment_func"]
            if form == "segment_funcdef_name":
                node.attr[form].s = function.encode()
            else:
                assert function == node.name + "_native_segment"
    assert edges(trt.rescue(converted)) == edges(trt.rescue(of_tf_trt(convert(source()))))


def test_names_that_are_taken_get_the_engine_in_front(converted):
    taken = converted.node.add(name="first/Relu", op="Placeholder")
    taken.attr["dtype"].type = tf.float32.as_datatype_enum
    native = trt.rescue(converted)
    engine = next(node.name for node in converted.node if node.op == "TRTEngineOp" and node.input[0] == "x")
    assert edges(native)["add"] == ("AddV2", [f"{engine}/first/Relu", "add/y"])
    for one, other in zip(run(native, rows(3, 6)), run(source(), rows(3, 6)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_engine_that_passes_an_input_on(converted):
    (function,) = [f for f in converted.library.function if "first/MatMul" in [n.name for n in f.node_def]]
    function.ret["TensorRTOutputPH_0"] = function.signature.input_arg[0].name
    engine = next(node.name for node in converted.node if node.op == "TRTEngineOp" and node.input[0] == "x")
    next(node for node in converted.node if node.op == "Rint").input[0] = engine
    native = trt.rescue(converted)
    assert [node.input[0] for node in native.node if node.op == "Rint"] == ["x"]


def test_bytes_give_bytes_and_a_graph_without_engines_is_returned(converted):
    assert edges(tf.compat.v1.GraphDef.FromString(trt.rescue(converted.SerializeToString()))) == edges(trt.rescue(converted))
    with pytest.warns(UserWarning, match="holds no engine"):
        assert edges(trt.rescue(source())) == edges(source())


def without_library(graph_def):
    graph_def.library.Clear()


def with_one_input_less(graph_def):
    node = next(node for node in graph_def.node if node.op == "TRTEngineOp")
    del node.input[0]


def with_other_dtypes(graph_def):
    node = next(node for node in graph_def.node if node.op == "TRTEngineOp")
    node.attr["OutT"].list.type[0] = tf.int32.as_datatype_enum


def inside_a_function(graph_def):
    node = next(node for node in graph_def.node if node.op == "TRTEngineOp")
    function = graph_def.library.function.add()
    function.signature.name = "serving"
    inner = function.node_def.add()
    inner.CopyFrom(node)
    del inner.input[:]


@pytest.mark.parametrize("change, error, text", [
    (without_library, trt.Unsupported, "engine node 'TRTEngineOp_.*has no function 'TRTEngineOp_.*_native_segment'"),
    (with_one_input_less, trt.InvalidGraph, "inputs, its native segment"),
    (with_other_dtypes, trt.InvalidGraph, "'OutT'"),
    (inside_a_function, trt.InvalidGraph, "function 'serving': .*inputs, its native segment"),
], ids=lambda value: getattr(value, "__name__", ""))
def test_what_can_not_be_turned_back_is_said(converted, change, error, text):
    change(converted)
    with pytest.raises(error, match=text):
        trt.rescue(converted)


def test_the_command(converted, tmp_path):
    build = pathlib.Path(os.environ.get("GRAFT_BUILD_DIR", ROOT / "build" / "release"))
    command = [build / "python" / "graftrt" / "bin" / "graft", "rescue", tmp_path / "in.pb", "-o", tmp_path / "out.pb"]
    (tmp_path / "in.pb").write_bytes(converted.SerializeToString())
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("2 engines turned back")
    assert edges(tf.compat.v1.GraphDef.FromString((tmp_path / "out.pb").read_bytes())) == edges(trt.rescue(converted))
    (tmp_path / "in.pb").write_bytes(source().SerializeToString())
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == 3
    without_library(converted)
    (tmp_path / "in.pb").write_bytes(converted.SerializeToString())
    (tmp_path / "out.pb").unlink()
    failed = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert failed.returncode == 1 and "has no function" in failed.stderr and not (tmp_path / "out.pb").exists()
