"""Functions that stay in the library are converted in their bodies: every node that runs them sees the engines, and the answers,
side effects and names are those of the original graph."""

import graftrt as trt
import mixed
import numpy as np
import pytest
import tensorflow as tf

pytestmark = pytest.mark.filterwarnings("ignore:nothing was converted")
ENGINES = ("TRTEngineOp",)


def rows(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def layer(x, seed=1, size=6):
    return tf.nn.relu(tf.nn.bias_add(tf.matmul(x, tf.constant(rows(size, size, seed=seed))), tf.constant(rows(size, seed=seed + 1))))


def native(x):
    """x itself, by an op with side effects, which no engine takes: a shuffle of one."""
    return tf.random.shuffle(x[tf.newaxis])[0]


@tf.function(autograph=False)
def block(x):
    return layer(native(layer(x)), seed=3)


def graph_of(build, shape=(None, 6)):
    """GraphDef with placeholder x and what build(x) returns as out, out_1, ...; nothing is inlined or lowered."""
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, shape, name="x")
        results = build(x)
        results = results if isinstance(results, (list, tuple)) else [results]
        names = [tf.identity(result, name="out").op.name for result in results]
    graph_def = graph.as_graph_def(add_shapes=True)
    for node in graph_def.node:
        node.attr.pop("_lower_using_switch_merge", None)
    assert graph_def.library.function
    return graph_def, names


def convert(graph_def, names, **options):
    return trt.convert(graph_def, names, profitable_only=False, **{"min_segment_size": 1, **options})


def run(graph_def, names, x):
    with mixed.session_of(graph_def) as session:
        return session.run([name + ":0" for name in names], {"x:0": x})


def check(converted, graph_def, names, *batches, shape=(6,)):
    for batch in batches:
        x = rows(batch, *shape, seed=batch)
        for got, want in zip(run(converted, names, x), run(graph_def, names, x), strict=True):
            assert got.shape == want.shape
            np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5)


def body(graph_def, part):
    (function,) = [f for f in graph_def.library.function if part in f.signature.name]
    return function


def engines_in(graph_def, part):
    return [node for node in body(graph_def, part).node_def if node.op in ENGINES]


def counted(counters):
    return {kind: sum(row[kind] for row in counters().values()) for kind in ("engine", "native")}


def test_a_body_with_a_native_node_holds_engines(counters):
    graph_def, names = graph_of(lambda x: block(x + 1.0) * 2.0)
    conversion = convert(graph_def, names)
    assert len(engines_in(conversion.graph_def, "block")) == 2
    assert not [n for n in body(conversion.graph_def, "block").node_def if n.op in ("MatMul", "Relu")]
    check(conversion.graph_def, graph_def, names, 1, 5)
    trt.reset_counters()
    run(conversion.graph_def, names, rows(3, 6))
    assert counted(counters) == {"engine": 4, "native": 0}
    inside = [engine for engine in conversion.report.engines if engine["function"]]
    assert len(inside) == 2 and "block" in inside[0]["function"] and "in function" in conversion.report.text
    (call,) = [node for node in conversion.report.nodes if node["op"] in ("PartitionedCall", "StatefulPartitionedCall")]
    assert call["engine"] == -1 and "is converted inside" in call["hint"]


def test_the_converted_function_has_a_name_of_its_own():
    graph_def, names = graph_of(lambda x: block(x + 1.0))
    converted = convert(graph_def, names).graph_def
    (old,), (new,) = [[f.signature.name for f in g.library.function] for g in (graph_def, converted)]
    assert new.startswith(old + "_graft_")
    assert [node.attr["f"].func.name for node in converted.node if "f" in node.attr] == [new]


def test_what_still_names_the_old_function_keeps_it():
    graph_def, names = graph_of(lambda x: [block(x), tf.nn.relu(x)])
    caller = graph_def.library.function.add()
    caller.CopyFrom(body(graph_def, "block"))
    caller.signature.name = "unused"
    node = caller.node_def.add(name="again", op="PartitionedCall", input=["x"])
    node.attr["f"].func.name = body(graph_def, "block").signature.name
    for attr in ("Tin", "Tout"):
        node.attr[attr].list.type.append(tf.float32.as_datatype_enum)
    converted = convert(graph_def, names).graph_def
    functions = {f.signature.name: f for f in converted.library.function}
    for function in graph_def.library.function:
        assert functions[function.signature.name] == function
    assert len(functions) == 3
    check(converted, graph_def, names, 3)


def test_every_caller_sees_it(counters):
    graph_def, names = graph_of(lambda x: [block(block(x)), block(x[1:])])
    conversion = convert(graph_def, names)
    check(conversion.graph_def, graph_def, names, 2, 5)
    trt.reset_counters()
    run(conversion.graph_def, names, rows(3, 6))
    assert counted(counters)["engine"] >= 6


def test_extents_that_callers_disagree_on_are_open():
    graph_def, names = graph_of(lambda x: [block(x), block(tf.ones([4, 6]))])
    conversion = convert(graph_def, names)
    (first, *_) = [e for e in conversion.report.engines if e["function"] and e["inputs"][0]["shape"][-1] == 6]
    assert first["inputs"][0]["shape"] == [-1, 6]
    check(conversion.graph_def, graph_def, names, 1, 7)


def test_callers_of_two_ranks_leave_it_native():
    @tf.function(autograph=False, input_signature=[tf.TensorSpec(None, tf.float32)])
    def open_rank(x):
        return tf.nn.relu(native(tf.abs(x))) * 2.0

    graph_def, names = graph_of(lambda x: [open_rank(x), open_rank(tf.reshape(x, [-1]))])
    conversion = convert(graph_def, names)
    assert not engines_in(conversion.graph_def, "open_rank")
    check(conversion.graph_def, graph_def, names, 3)


def test_functions_that_call_functions():
    @tf.function(autograph=False)
    def outer(x):
        return layer(block(layer(x, seed=5)), seed=7)

    graph_def, names = graph_of(outer)
    conversion = convert(graph_def, names)
    assert len(engines_in(conversion.graph_def, "outer")) == 2 and len(engines_in(conversion.graph_def, "block")) == 2
    check(conversion.graph_def, graph_def, names, 1, 4)


def test_arguments_constants_and_several_ports_are_returned():
    @tf.function(autograph=False)
    def many(x):
        a, b = tf.split(native(x) * 2.0, 2, axis=1)
        return b, x, tf.constant([1.0, 2.0]), a, tf.nn.relu(a + 1.0)

    graph_def, names = graph_of(lambda x: many(x))
    conversion = convert(graph_def, names)
    assert engines_in(conversion.graph_def, "many")
    check(conversion.graph_def, graph_def, names, 2, 3)


def test_side_effects_stay_in_order():
    log = []

    def note(text):
        def add(value):
            log.append((text, float(value)))
            return value
        return add

    @tf.function(autograph=False)
    def noisy(x):
        y = layer(x)
        a = tf.numpy_function(note("first"), [tf.reduce_sum(y)], tf.float32)
        y = layer(y, seed=3)
        tf.numpy_function(note("unread"), [tf.reduce_sum(y)], tf.float32)
        y = layer(y, seed=5)
        b = tf.numpy_function(note("last"), [tf.reduce_sum(y)], tf.float32)
        return y * (tf.reshape(a, []) + tf.reshape(b, []))

    graph_def, names = graph_of(lambda x: noisy(noisy(x) * 0.01))
    conversion = convert(graph_def, names)
    assert engines_in(conversion.graph_def, "noisy")
    x = rows(3, 6)
    (want,) = run(graph_def, names, x)
    expected, log[:] = list(log), []
    (got,) = run(conversion.graph_def, names, x)
    np.testing.assert_allclose(got, want, rtol=1e-4)
    assert [text for text, _ in log] == [text for text, _ in expected] == ["first", "unread", "last"] * 2
    np.testing.assert_allclose([value for _, value in log], [value for _, value in expected], rtol=1e-4)
    control = body(conversion.graph_def, "noisy").control_ret
    assert dict(control) == dict(body(graph_def, "noisy").control_ret) and len(control) == 3


@pytest.mark.parametrize("build", [
    lambda x: tf.compat.v1.cond(tf.reduce_sum(x) > 0, lambda: layer(native(layer(x))), lambda: layer(x, seed=5)),
    lambda x: tf.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, layer(native(layer(y)), seed=3) * 0.1), [0, x],
                            shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, 6])])[1],
    lambda x: tf.switch_case(tf.cast(tf.shape(x)[0] % 2, tf.int32), [lambda: layer(native(x)), lambda: layer(native(layer(x)))]),
], ids=["If", "While", "Case"])
def test_bodies_of_native_control_flow(build, counters):
    tf.compat.v1.enable_control_flow_v2()
    graph_def, names = graph_of(build)
    conversion = convert(graph_def, names)
    assert any(node.op in ENGINES for f in conversion.graph_def.library.function for node in f.node_def)
    check(conversion.graph_def, graph_def, names, 1, 2, 5)
    assert counted(counters)["native"] == 0


def test_native_segments_within_functions(counters):
    graph_def, names = graph_of(block)
    conversion = convert(graph_def, names, native_segments=True)
    assert len(engines_in(conversion.graph_def, "block")) == 2
    with trt.options(fail_engines=["*"]):
        trt.reset_counters()
        check(conversion.graph_def, graph_def, names, 4)
    assert counted(counters) == {"engine": 0, "native": 2}


def signature_of(function):
    return [(node.name, node.op, sorted(node.input)) for node in sorted(function.node_def, key=lambda node: node.name)]


def test_rescue_turns_bodies_back():
    graph_def, names = graph_of(lambda x: block(layer(x, seed=9)))
    converted = convert(graph_def, names, native_segments=True).graph_def
    rescued = trt.rescue(converted)
    assert not [node for f in rescued.library.function for node in f.node_def if node.op in ENGINES]
    assert {f.signature.name for f in rescued.library.function} == {f.signature.name for f in graph_def.library.function}
    assert signature_of(body(rescued, "block")) == signature_of(body(graph_def, "block"))
    for got, want in zip(run(rescued, names, rows(3, 6)), run(graph_def, names, rows(3, 6)), strict=True):
        np.testing.assert_array_equal(got, want)


def test_converting_again_changes_nothing():
    graph_def, names = graph_of(block)
    once = convert(graph_def, names, min_segment_size=3)
    twice = convert(once.graph_def, names, min_segment_size=3)
    assert body(twice.graph_def, "block") == body(once.graph_def, "block")


def test_int8_leaves_bodies_native_and_says_so():
    graph_def, names = graph_of(lambda x: block(layer(x, seed=9)))
    feeds = [{"x:0": rows(16, 6, seed=i)} for i in range(2)]
    conversion = convert(graph_def, names, precision="int8", calibration=feeds)
    assert not engines_in(conversion.graph_def, "block")
    assert any("not converted inside for INT8" in warning for warning in conversion.report.warnings)


def test_limits_count_for_all_engines():
    graph_def, names = graph_of(lambda x: block(layer(x, seed=9)))
    conversion = convert(graph_def, names, max_engines=2)
    assert len(conversion.report.engines) == 2
    assert not engines_in(convert(graph_def, names, min_segment_size=100).graph_def, "block")
    assert not engines_in(convert(graph_def, names, min_segment_size=-1).graph_def, "block")


def test_denied_ops_stay_native_inside():
    graph_def, names = graph_of(block)
    conversion = convert(graph_def, names, deny=["op:MatMul"])
    assert [n.op for n in body(conversion.graph_def, "block").node_def].count("MatMul") == 2
    check(conversion.graph_def, graph_def, names, 3)


def test_functions_of_other_ops_are_left():
    graph_def, names = graph_of(block)
    function = body(graph_def, "block")
    other = graph_def.node.add(name="reader", op="MapDefun")
    other.attr["f"].func.name = function.signature.name
    other.attr["output_types"].list.type.append(tf.float32.as_datatype_enum)
    conversion = convert(graph_def, [*names, "reader"])
    assert body(conversion.graph_def, "block") == function


def test_marked_for_xla_is_left():
    graph_def, names = graph_of(block)
    body(graph_def, "block").attr["_XlaMustCompile"].b = True
    conversion = convert(graph_def, names)
    assert not engines_in(conversion.graph_def, "block") and "_XlaMustCompile" in conversion.report.text


def test_measuring_leaves_engines_of_functions_out():
    graph_def, names = graph_of(lambda x: block(layer(x, seed=9)))
    conversion = convert(graph_def, names, measure=True)
    assert len(engines_in(conversion.graph_def, "block")) == 2


def test_drop_in_and_function_call_of_tf2(counters):
    graph_def, names = graph_of(lambda x: block(x + 1.0))
    converted = trt.create_inference_graph(graph_def, names, minimum_segment_size=1)
    assert len(engines_in(converted, "block")) == 2
    call = mixed.function_of(converted, ["x:0"], [names[0] + ":0"])
    want = run(graph_def, names, rows(3, 6))[0]
    np.testing.assert_allclose(call(tf.constant(rows(3, 6)))[0], want, rtol=2e-5, atol=2e-5)
    assert counted(counters)["native"] == 0
