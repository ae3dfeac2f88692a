"""Calls of library functions: their nodes go into engines as if they stood where they are called."""

import graftrt as trt
import mixed
import numpy as np
import pytest
import tensorflow as tf

CALLS = ("PartitionedCall", "StatefulPartitionedCall")


def rows(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@tf.function
def dense(x):
    return tf.nn.relu(tf.nn.bias_add(tf.matmul(x, tf.constant(rows(6, 6, seed=1))), tf.constant(rows(6, seed=2))))


@tf.function
def tower(x, scale):
    size = tf.shape(x)[0]
    return dense(dense(x)) * scale, tf.reshape(x, [size, 2, 3])


@tf.function
def parsed(x):
    return tf.strings.to_number(tf.strings.as_string(x)) + 1.0


def graph_of(build):
    """GraphDef with placeholder x [?, 6] and what build(x) returns as out, out_1, ...; calls are not inlined."""
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, 6], name="x")
        results = build(x)
        names = [tf.identity(result, name="out").op.name for result in (results if isinstance(results, (list, tuple)) else [results])]
    graph_def = graph.as_graph_def()
    assert any(node.op in CALLS for node in graph_def.node)
    return graph_def, names


def run(graph_def, names, x):
    with mixed.session_of(graph_def) as session:
        return session.run([name + ":0" for name in names], {"x:0": x})


def check(converted, graph_def, names, *batches):
    for batch in batches:
        x = rows(batch, 6, seed=batch)
        for got, want in zip(run(converted, names, x), run(graph_def, names, x), strict=True):
            assert got.shape == want.shape
            np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5)


def left_calls(graph_def):
    return [node.name for node in graph_def.node if node.op in CALLS]


def test_C5_nested_calls_are_one_engine(counters):
    graph_def, names = graph_of(lambda x: tower(x + 1.0, tf.constant(0.5)))
    converted = trt.create_inference_graph(graph_def, names, minimum_segment_size=3)
    assert not left_calls(converted)
    with trt.options(strict=True):
        trt.reset_counters()
        check(converted, graph_def, names, 1, 5)
    (counts,) = [row for row in counters().values() if row["engine"]]
    assert counts["engine"] == 2 and counts["native"] == 0


def test_the_native_segment_calls_them_too(counters):
    graph_def, names = graph_of(lambda x: tower(x, tf.constant(2.0)))
    converted = trt.create_inference_graph(graph_def, names, minimum_segment_size=3)
    with trt.options(fail_engines=["*"]):
        trt.reset_counters()
        check(converted, graph_def, names, 4)
    assert [row["native"] for row in counters().values() if any(row.values())] == [1]


def test_without_tensorflow():
    graph_def, names = graph_of(lambda x: tower(x, tf.constant(2.0))[0])
    conversion = trt.convert(graph_def, names, profitable_only=False)
    x = rows(3, 6)
    (got,) = conversion.session().run([names[0] + ":0"], {"x:0": x})
    np.testing.assert_allclose(got, run(graph_def, names, x)[0], rtol=2e-5, atol=2e-5)


def test_a_call_counts_as_many_nodes_as_its_function_has():
    graph_def, names = graph_of(dense)
    assert left_calls(trt.create_inference_graph(graph_def, names, minimum_segment_size=4))
    assert not left_calls(trt.create_inference_graph(graph_def, names, minimum_segment_size=3))


def test_one_function_called_twice_is_calibrated_at_each_place():
    graph_def, names = graph_of(lambda x: dense(dense(x) * 30.0))
    feeds = [{"x:0": rows(64, 6, seed=i)} for i in range(4)]
    conversion = trt.convert(graph_def, names, precision="int8", calibration=feeds, profitable_only=False)
    calls = [node.name for node in graph_def.node if node.op in CALLS]
    sums = [conversion.calibration_table["tensors"][f"{call}/Relu"] for call in calls]
    assert sums[0] != sums[1]
    x = rows(64, 6, seed=9)
    (got,), (want,) = run(conversion.graph_def, names, x), run(graph_def, names, x)
    assert 0 < np.sqrt(np.mean((got - want) ** 2)) < 0.1 * want.std()


def test_what_can_not_run_in_an_engine_is_named_with_its_place():
    graph_def, names = graph_of(lambda x: tf.nn.relu(parsed(dense(x))))
    conversion = trt.convert(graph_def, names, profitable_only=False, min_segment_size=1)
    (left,) = left_calls(conversion.graph_def)
    assert f"'{left}/AsString' (AsString) of a function that it runs" in conversion.report.text
    check(conversion.graph_def, graph_def, names, 3)


@pytest.mark.parametrize("denied", ["op:MatMul", "*/MatMul"])
def test_what_is_denied_is_denied_inside_too(denied):
    graph_def, names = graph_of(dense)
    conversion = trt.convert(graph_def, names, profitable_only=False, min_segment_size=1, deny=[denied])
    assert left_calls(conversion.graph_def)
    assert "(MatMul) of the function that it calls is denied" in conversion.report.text
    assert "matches nothing" not in conversion.report.text


def test_functions_that_call_each_other_without_end_stay_native():
    graph_def, names = graph_of(dense)
    (function,) = [f for f in graph_def.library.function if "dense" in f.signature.name]
    inner = function.node_def.add(name="again", op="PartitionedCall", input=["x"])
    inner.attr["f"].func.name = function.signature.name
    for attr in ("Tin", "Tout"):
        inner.attr[attr].list.type.append(tf.float32.as_datatype_enum)
    function.ret[function.signature.output_arg[0].name] = "again:output:0"
    conversion = trt.convert(graph_def, names, profitable_only=False, min_segment_size=1)
    assert left_calls(conversion.graph_def) and "deep" in conversion.report.text
