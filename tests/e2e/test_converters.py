"""Converters that a user registers in Python: their nodes run in engines as TensorFlow would have run them, and whatever a
converter does wrong leaves its node native, with the reason in the report."""

import gc
import threading

import custom_graphs
import graftrt as trt
import mixed
import numpy as np
import pytest
import tensorflow as tf


pytestmark = pytest.mark.filterwarnings("ignore:nothing was converted")


@pytest.fixture
def converter():
    """converter(op, function, **options), unregistered behind the test."""
    ops = []

    def register(op, function, **options):
        trt.register_converter(op, function, **options)
        ops.append(op)

    yield register
    for op in set(ops):
        trt.unregister_converter(op)


def mish_plus(node):
    x = node.input(0)
    scaled = node.emit("binary", x, node.constant(node.attr_float("beta", 1.0)), fn="mul")
    gate = node.emit("unary", node.emit("unary", scaled, fn="softplus"), fn="tanh")
    return node.emit("binary", x, gate, fn="mul")


def relu(node):
    return node.emit("unary", node.input(0), fn="relu")


def rows(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def convert(graph_def, **options):
    return trt.convert(graph_def, ["y"], profitable_only=False, min_segment_size=1, **options)


def run(graph_def, x):
    with mixed.session_of(graph_def) as session:
        return session.run("y:0", {"x:0": x})


def verdict(conversion, name="own"):
    (node,) = [node for node in conversion.report.nodes if node["name"] == name]
    return node


def test_a_custom_op_is_part_of_the_one_engine(converter, counters):
    converter("MishPlus", mish_plus)
    layer = lambda y: tf.nn.relu(tf.matmul(y, tf.constant(rows(4, 3, seed=1))))
    conversion = convert(custom_graphs.custom(beta=0.5, after=[layer]))
    mixed.assert_only_engine(conversion.graph_def)
    assert len(conversion.report.engines) == 1 and "own" in conversion.report.engines[0]["nodes"]
    assert verdict(conversion)["converter"] == "mish_plus"
    assert "1  MishPlus by 'mish_plus'" in conversion.report.text
    same = custom_graphs.native(lambda x: custom_graphs.mish(x, 0.5), after=[layer])
    for batch in (1, 7):
        x = rows(batch, 4, seed=batch) * 4
        np.testing.assert_allclose(run(conversion.graph_def, x), run(same, x), rtol=2e-5, atol=2e-5)
        np.testing.assert_allclose(conversion.session().run("y", {"x": x}), run(same, x), rtol=2e-5, atol=2e-5)
    assert sum(row["engine"] for row in counters().values()) >= 2


def test_a_plan_needs_no_converter_any_more():
    trt.register_converter("MishPlus", mish_plus)
    first = convert(custom_graphs.custom())
    again = convert(custom_graphs.custom())
    trt.unregister_converter("MishPlus")
    assert first.report.engines[0]["identity"] == again.report.engines[0]["identity"]
    x = rows(3, 4)
    np.testing.assert_allclose(run(first.graph_def, x), run(custom_graphs.native(custom_graphs.mish), x), rtol=2e-5, atol=2e-5)
    assert "no importer for MishPlus" in convert(custom_graphs.custom()).report.text


def test_a_session_runs_the_plain_graph(converter):
    graph_def = custom_graphs.custom()
    with pytest.raises(trt.Unsupported, match="MishPlus"):
        trt.Session(graph_def).run("y", {"x": rows(2, 4)})
    converter("MishPlus", mish_plus)
    x = rows(2, 4)
    np.testing.assert_allclose(trt.Session(graph_def).run("y", {"x": x}), run(custom_graphs.native(custom_graphs.mish), x), rtol=2e-5, atol=2e-5)


def test_int8_calibrates_through_it(converter):
    converter("MishPlus", mish_plus)
    layer = lambda y: tf.matmul(y, tf.constant(rows(4, 8, seed=1)))
    feeds = [{"x:0": rows(64, 4, seed=i)} for i in range(4)]
    conversion = convert(custom_graphs.custom(after=[layer]), precision="int8", calibration=feeds)
    x = rows(64, 4, seed=9)
    got, want = run(conversion.graph_def, x), run(custom_graphs.native(custom_graphs.mish, after=[layer]), x)
    assert 0 < np.sqrt(np.mean((got - want) ** 2)) < 0.1 * want.std()


@pytest.mark.parametrize("output, outputs", [("output", None), ("y", ["y"])])
def test_inside_a_function(converter, output, outputs):
    converter("MishPlus", mish_plus, outputs=outputs)

    @tf.function
    def call(x):
        return tf.nn.relu(tf.identity(x, name="own"))

    with tf.Graph().as_default() as graph:
        tf.identity(call(tf.compat.v1.placeholder(tf.float32, [None, 4], name="x")), name="y")
    graph_def = graph.as_graph_def()
    for function in graph_def.library.function:
        for node in function.node_def:
            node.input[:] = [name.replace("own:output:0", f"own:{output}:0") for name in node.input]
            if node.name == "own":
                node.op = "MishPlus"
                node.attr.clear()
                node.attr["beta"].f = 2.0
    conversion = convert(graph_def)
    (found,) = [node for node in conversion.report.nodes if node["op"].endswith("PartitionedCall")]
    assert found["engine"] == 0 and found["converter"] == "mish_plus"
    x = rows(3, 4)
    want = np.maximum(run(custom_graphs.native(lambda x: custom_graphs.mish(x, 2.0)), x), 0)
    np.testing.assert_allclose(run(conversion.graph_def, x), want, rtol=2e-5, atol=2e-5)


def test_native_segments_name_the_outputs_of_the_op(converter):
    converter("MishPlus", mish_plus)
    conversion = convert(custom_graphs.custom(after=[tf.nn.relu]), native_segments=True)
    assert not conversion.graph_def.library.function
    assert "names of the outputs of op MishPlus are not known" in conversion.report.text
    converter("MishPlus", mish_plus, outputs=["y"], override=True)
    conversion = convert(custom_graphs.custom(after=[tf.nn.relu]), native_segments=True)
    (segment,) = conversion.graph_def.library.function
    assert "own:y:0" in [name for node in segment.node_def for name in node.input]
    assert "not known" not in conversion.report.text
    for outputs in (["two words"], [""], ["a*"], [7]):
        with pytest.raises(trt.InvalidArgument, match="output"):
            trt.register_converter("OtherPlus", relu, outputs=outputs)


def test_override_and_its_end(converter):
    graph_def = custom_graphs.native(tf.nn.relu6)
    with pytest.raises(trt.InvalidArgument, match="override"):
        trt.register_converter("Relu6", relu)
    converter("Relu6", lambda node: node.ignore("T") or relu(node), override=True, name="not six")
    x = rows(2, 4) * 20
    np.testing.assert_array_equal(run(convert(graph_def).graph_def, x), np.maximum(x, 0))


def test_decorator_and_bad_calls(converter):
    @trt.register_converter("MishPlus", name="mine")
    def mine(node):
        return relu(node)

    try:
        assert callable(mine) and verdict(convert(custom_graphs.custom()))["converter"] == "mine"
        with pytest.raises(trt.InvalidArgument, match="there is one"):
            trt.register_converter("MishPlus", relu)
    finally:
        trt.unregister_converter("MishPlus")
    for op, function in ((None, relu), ("MyOp", 7), ("MyOp", dict), ("", relu), ("Const", relu), ("While", relu)):
        with pytest.raises(trt.InvalidArgument):
            trt.register_converter(op, function)
    for op in ("MyOp", None):
        with pytest.raises(trt.InvalidArgument):
            trt.unregister_converter(op)


def test_attributes_of_every_kind(converter):
    values = dict(i=7, f=0.5, b=True, s=b"text\xff", t=tf.float16, extents=tf.TensorShape([None, 3]), tensor=tf.make_tensor_proto([[1.5, 2.5]]),
                  ints=[1, -2], floats=[0.5, 2.0], strings=[b"a", b"b"], types=[tf.float32, tf.int8])
    seen = {}

    def own(node):
        kinds = dict(i="int", f="float", b="bool", s="string", t="type", extents="shape")
        for name in values:
            seen[name] = getattr(node, "attr_" + kinds.get(name, name))(name)
        seen["absent"] = [getattr(node, "attr_" + kind)("absent", None) for kind in
                          ("int", "float", "bool", "string", "type", "shape", "ints", "floats", "strings", "types")]
        seen["has"] = node.has_attr("i"), node.has_attr("absent")
        seen["node"] = node.name, node.op, len(node.inputs), node.input(0).shape, node.input(0).dtype
        for kind, name in (("int", "f"), ("floats", "ints"), ("float", "absent")):
            with pytest.raises(trt.InvalidGraph, match=f"attribute '{name}'"):
                getattr(node, "attr_" + kind)(name)
        return relu(node)

    converter("MishPlus", own)
    conversion = convert(custom_graphs.custom(**values))
    assert verdict(conversion)["engine"] == 0, verdict(conversion)
    np.testing.assert_array_equal(seen.pop("tensor"), [[1.5, 2.5]])
    assert seen == {"i": 7, "f": 0.5, "b": True, "s": b"text\xff", "t": np.float16, "extents": (None, 3), "ints": [1, -2], "floats": [0.5, 2.0],
                    "strings": [b"a", b"b"], "types": [np.dtype("float32"), np.dtype("int8")], "absent": [None] * 10, "has": (True, False),
                    "node": ("own", "MishPlus", 1, (None, 4), np.float32)}


def test_constants_and_outputs(converter):
    def own(node):
        x = node.input(0)
        table = node.constant([[1, 2, 3, 4]])
        assert table.dtype == np.int64 and table.shape == (1, 4) and node.constant(1.5).dtype == np.float32
        np.testing.assert_array_equal(node.constant_of(table), [[1, 2, 3, 4]])
        with pytest.raises(trt.Unsupported, match="not a constant"):
            node.constant_of(x)
        left, right = node.emit("split", x, axis=1, sizes=[1, 3], outputs=2)
        assert left.shape == (None, 1) and right.shape == (None, 3)
        node.output(node.emit("concat", right, left, axis=1))

    converter("MishPlus", own)
    x = rows(2, 4)
    np.testing.assert_array_equal(run(convert(custom_graphs.custom()).graph_def, x), np.roll(x, -1, axis=1))


keep = []


def _after_the_call(node):
    keep.append(node)
    return keep[0].input(0)  # the node of the first call, from the second on


def _tensor_of_another_call(node):
    keep.append(node.input(0))
    return keep[0]


def _raise(error):
    def function(node):
        raise error
    return function


class Mute(Exception):
    def __str__(self):
        raise ValueError("no text")


@pytest.mark.parametrize("function, reason", [
    (_raise(ValueError("out of ideas")), "ValueError: out of ideas"),
    (_raise(KeyError("beta")), "KeyError: 'beta'"),
    (_raise(SystemExit(3)), "SystemExit: 3"),
    (_raise(Mute()), "Mute"),
    (lambda node: node.refuse("beta is odd", "make it even"), "beta is odd"),
    (lambda node: 1 / 0, "ZeroDivisionError"),
    (lambda node: None, "it set no output"),
    (lambda node: [], "it set no output"),
    (lambda node: 7, "got 7, expected a tensor"),
    (lambda node: [node.input(0), "y"], "got 'y', expected a tensor"),
    (lambda node: node.input(1), "input 1"),
    (lambda node: node.input(-1), "got -1"),
    (lambda node: node.emit("frobnicate", node.input(0)), "no IR op 'frobnicate'"),
    (lambda node: node.emit("unary", node.input(0), fn="frob"), "fn=frob"),
    (lambda node: node.emit("unary", node.input(0), func="relu"), "func=relu"),
    (lambda node: node.emit("unary", node.input(0), fn="relu bias=true"), "attribute fn"),
    (lambda node: node.emit("unary", node.input(0), fn={}), "attribute fn"),
    (lambda node: node.emit("unary", 3, fn="relu"), "got 3, expected a tensor"),
    (lambda node: node.emit("unary", node.input(0), fn="logical_not"), "unary"),
    (lambda node: node.emit("matmul", node.input(0), node.constant(rows(3, 4))), "matmul"),
    (lambda node: node.constant("text"), "no engine has dtype str"),
    (lambda node: (), "it set no output"),
], ids=lambda value: value.replace(" ", "_") if isinstance(value, str) else "")
def test_what_goes_wrong_leaves_the_node_native(converter, function, reason):
    converter("MishPlus", function, name="bad")
    conversion = convert(custom_graphs.custom(after=[tf.nn.relu]))
    found = verdict(conversion)
    assert found["engine"] == -1 and found["code"] == "converter"
    assert found["reason"].startswith("converter 'bad' of MishPlus: ") and reason in found["reason"]
    assert found["hint"] == ("make it even" if reason == "beta is odd" else "docs/converters.md has what a converter may do")
    assert reason.split(":")[0] in conversion.report.text


@pytest.mark.parametrize("function, reason", [(_after_the_call, "after its converter has returned"), (_tensor_of_another_call, "used after|another node")])
def test_nodes_and_tensors_of_earlier_calls(converter, function, reason):
    keep.clear()
    converter("MishPlus", function)
    assert verdict(convert(custom_graphs.custom()))["engine"] == 0
    found = verdict(convert(custom_graphs.custom()))
    assert found["engine"] == -1 and any(part in found["reason"] for part in reason.split("|")), found
    keep.clear()


def test_unread_attributes(converter):
    converter("MishPlus", relu)
    found = verdict(convert(custom_graphs.custom(beta=1.0)))
    assert found["code"] == "unsupported_attr" and "attribute 'beta' was not read" in found["reason"]
    converter("OtherPlus", lambda node: node.ignore("beta", "gamma") or relu(node))
    assert verdict(convert(custom_graphs.custom("OtherPlus", beta=1.0)))["engine"] == 0


def test_a_dtype_that_the_consumer_does_not_take(converter):
    converter("MishPlus", lambda node: node.emit("cast", node.input(0), to="float16"))
    conversion = convert(custom_graphs.custom(after=[tf.nn.relu]))
    assert "the graph can't take what it made here" in verdict(conversion)["reason"]


def test_denied_nodes_are_not_made(converter):
    converter("MishPlus", mish_plus)
    found = verdict(convert(custom_graphs.custom(), deny=["op:MishPlus"]))
    assert found["code"] == "denied" and "converter" not in found


def test_strict_raises(converter):
    converter("MishPlus", _raise(ValueError("out of ideas")))
    with pytest.raises(trt.NotConverted, match="nothing was converted"):
        convert(custom_graphs.custom(), strict=True)


def test_unregistered_while_it_converts(converter):
    def once(node):
        trt.unregister_converter("MishPlus")
        return relu(node)

    trt.register_converter("MishPlus", once)
    once = None
    gc.collect()
    assert verdict(convert(custom_graphs.custom()))["engine"] == 0
    assert verdict(convert(custom_graphs.custom()))["engine"] == -1


def test_threads_that_register_and_convert():
    errors = []

    def work(op):
        try:
            for _ in range(10):
                trt.register_converter(op, mish_plus)
                assert verdict(convert(custom_graphs.custom(op)))["engine"] == 0
                trt.unregister_converter(op)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(f"Op{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
