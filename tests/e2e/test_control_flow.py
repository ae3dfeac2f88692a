"""While, If, Case and tensor lists in engines: against stock TensorFlow, with the loop itself inside an engine.

Functions are frozen with lower_control_flow=False; graphs that were lowered to Switch and Merge: test_lowered_control_flow.py.
"""

import graftrt as trt
import mixed
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

LOOPS = ("While", "StatelessWhile", "If", "StatelessIf", "Case", "StatelessCase")


def frozen(function, *specs, lower=False):
    concrete = tf.function(function, autograph=False).get_concrete_function(*specs)
    if not concrete.variables and not lower:  # freezing lowers StatelessCase whatever it is told
        names = [tensor.name.split(":")[0] for tensor in concrete.inputs]
        return concrete.graph.as_graph_def(), names, [tensor.name for tensor in concrete.outputs]
    constants = convert_variables_to_constants_v2(concrete, lower_control_flow=lower)
    names = [tensor.name.split(":")[0] for tensor in constants.inputs]
    return constants.graph.as_graph_def(), names, [tensor.name for tensor in constants.outputs]


def spec(shape, dtype=tf.float32):
    return tf.TensorSpec(shape, dtype)


def convert(graph_def, outputs, **options):
    return trt.convert(graph_def, outputs, profitable_only=False, min_segment_size=1, **options)


def left_native(graph_def):
    return [node.op for node in graph_def.node if node.op in LOOPS or node.op.startswith("TensorList")]


def close(got, want):
    if want.dtype.kind != "f":
        np.testing.assert_array_equal(got, want)
    else:
        np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5)


def check(function, specs, *feeds, native=(), **options):
    """Converts once, runs every feed in TensorFlow (1 and 4 threads) and without it, against the frozen graph."""
    graph_def, names, outputs = frozen(function, *specs)
    conversion = convert(graph_def, outputs, **options)
    assert left_native(conversion.graph_def) == list(native), conversion.report.text
    alone = conversion.session() if not native else None
    for values in feeds:
        fed = {f"{name}:0": value for name, value in zip(names, values, strict=True)}
        with mixed.session_of(graph_def) as session:
            want = session.run(outputs, fed)
        got = []
        for threads in (1, 4):
            with mixed.session_of(conversion.graph_def, threads) as session:
                got.append(session.run(outputs, fed))
        for one, four, expected in zip(*got, want, strict=True):
            assert one.shape == expected.shape and one.dtype == expected.dtype
            assert one.tobytes() == four.tobytes()
            close(one, expected)
        if alone:
            for result, expected in zip(alone.run(outputs, fed), want, strict=True):
                close(result, expected)
    return conversion


def rows(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("stateless", [False, True])
def test_trip_counts_from_an_input(stateless):
    def function(x, n):
        def body(i, y):
            return i + 1, tf.tanh(y * 1.5 + 0.25)

        state = (0, x)
        if stateless:
            return tf.raw_ops.StatelessWhile(
                input=[tf.constant(0), x, n],
                cond=tf.function(lambda i, y, n: i < n).get_concrete_function(spec([], tf.int32), spec([None, 4]), spec([], tf.int32)),
                body=tf.function(lambda i, y, n: (i + 1, tf.tanh(y * 1.5 + 0.25), n)).get_concrete_function(
                    spec([], tf.int32), spec([None, 4]), spec([], tf.int32)))[1]
        return tf.while_loop(lambda i, y: i < n, body, state, shape_invariants=None)[1]

    check(function, [spec([None, 4]), spec([], tf.int32)],
          *[(rows(b, 4, seed=abs(n)), np.int32(n)) for b, n in ((3, 0), (3, 1), (3, 2), (1, 17), (7, 200), (3, -1))])


@pytest.mark.parametrize("dtype", [tf.int32, tf.int64, tf.float32, tf.float64, tf.bool])
def test_dtypes_of_what_is_carried(dtype):
    def function(x):
        def body(i, y):
            return i + 1, tf.logical_not(y) if dtype == tf.bool else y + y

        return tf.while_loop(lambda i, y: i < 5, body, (0, x))[1]

    x = np.arange(12).reshape(3, 4)
    check(function, [spec([3, 4], dtype)], ((x % 3 == 0) if dtype == tf.bool else x.astype(dtype.as_numpy_dtype),))


def test_swapped_and_repeated_loop_variables():
    def function(x, y):
        return tf.while_loop(lambda i, a, b, c: i < 5, lambda i, a, b, c: (i + 1, b, a, a), (0, x, y, x))[1:]

    check(function, [spec([2, 3]), spec([2, 3])], (rows(2, 3), rows(2, 3, seed=1)))


def test_data_dependent_condition_and_captures():
    scale = rows(4, 4)

    def function(x, limit):
        def cond(y):
            return tf.reduce_sum(tf.abs(y)) < limit

        return tf.while_loop(cond, lambda y: (tf.matmul(y, scale) + x,), (x,))[0]

    check(function, [spec([None, 4]), spec([])], (rows(2, 4), np.float32(1000)), (rows(2, 4), np.float32(0)),
          (rows(5, 4, seed=2), np.float32(30)))


def test_nested_loops_and_a_branch_within():
    def function(x, n):
        def inner(i, y):
            return tf.while_loop(lambda j, z: j < i, lambda j, z: (j + 1, z * 0.5 + 1.0), (0, y))[1]

        def body(i, y):
            y = inner(i, y)
            return i + 1, tf.cond(tf.equal(i % 2, 0), lambda: y * 2.0, lambda: tf.nn.relu(y) - 1.0)

        return tf.while_loop(lambda i, y: i < n, body, (0, x))[1]

    check(function, [spec([None, 5]), spec([], tf.int32)], (rows(3, 5), np.int32(6)), (rows(1, 5), np.int32(0)))


@pytest.mark.parametrize("dtype", [tf.bool, tf.int32, tf.float32])
def test_if_takes_any_scalar(dtype):
    def function(x, p):
        yes = tf.function(lambda a: (tf.nn.relu(a) * 2.0, a)).get_concrete_function(spec([None, 3]))
        no = tf.function(lambda a: (tf.exp(a), tf.constant(3.0) * a)).get_concrete_function(spec([None, 3]))
        return tf.raw_ops.StatelessIf(cond=p, input=[x], Tout=[tf.float32] * 2, then_branch=yes, else_branch=no)

    kind = dtype.as_numpy_dtype
    check(function, [spec([None, 3]), spec([], dtype)], (rows(4, 3), kind(1)), (rows(4, 3), kind(0)), (rows(1, 3), kind(1)))


def test_case_out_of_range_takes_the_last():
    branches = [tf.function(f).get_concrete_function(spec([3])) for f in (lambda x: x + 1.0, lambda x: x * 2.0, tf.nn.relu)]

    def function(x, k):
        return tf.raw_ops.StatelessCase(branch_index=k, input=[x], Tout=[tf.float32], branches=branches)[0]

    check(function, [spec([3]), spec([], tf.int32)], *[(rows(3), np.int32(k)) for k in (-1, 0, 1, 2, 3, 100)])


def test_lists_written_in_any_order_read_back_and_stacked():
    def function(x, order):
        def body(i, array):
            return i + 1, array.write(tf.gather(order, i), tf.gather(x, i) * 2.0 + tf.cast(i, tf.float32))

        array = tf.TensorArray(tf.float32, size=4, element_shape=[3])
        array = tf.while_loop(lambda i, a: i < 3, body, (0, array))[1]
        return array.stack(), array.read(2), array.size()

    check(function, [spec([4, 3]), spec([4], tf.int32)], (rows(4, 3), np.array([2, 0, 3, 1], np.int32)),
          (rows(4, 3), np.array([1, 1, 1, 0], np.int32)))


def test_a_list_whose_index_is_out_of_range_fails_as_in_tensorflow():
    def function(x, k):
        array = tf.TensorArray(tf.float32, size=4, element_shape=[3])
        return tf.while_loop(lambda i, a: i < 2, lambda i, a: (i + 1, a.write(k, x)), (0, array))[1].stack()

    graph_def, names, outputs = frozen(function, spec([3]), spec([], tf.int32))
    conversion = convert(graph_def, outputs)
    assert not left_native(conversion.graph_def)
    for graph in (graph_def, conversion.graph_def):
        with mixed.session_of(graph) as session, pytest.raises(tf.errors.InvalidArgumentError):
            session.run(outputs, {f"{names[0]}:0": rows(3), f"{names[1]}:0": np.int32(4)})


def keras(layer, shape):
    inputs = tf.keras.Input(shape[1:], batch_size=shape[0])
    model = tf.keras.Model(inputs, layer(inputs))
    for weight in model.weights:
        weight.assign(rows(*weight.shape, seed=len(weight.shape)) * 0.4)
    return lambda x: model(x, training=False)


LAYERS = {
    "lstm": lambda: tf.keras.layers.LSTM(8),
    "lstm_sequences": lambda: tf.keras.layers.LSTM(8, return_sequences=True),
    "gru": lambda: tf.keras.layers.GRU(8),
    "gru_sequences_v1": lambda: tf.keras.layers.GRU(8, return_sequences=True, reset_after=False),
    "simple": lambda: tf.keras.layers.SimpleRNN(8, go_backwards=True),
    "bidirectional": lambda: tf.keras.layers.Bidirectional(tf.keras.layers.LSTM(8, return_sequences=True)),
    "bidirectional_gru": lambda: tf.keras.layers.Bidirectional(tf.keras.layers.GRU(8)),
}


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("shape", [(1, 6, 4), (None, 6, 4), (None, None, 4)], ids=["fixed", "batch", "batch_and_time"])
@pytest.mark.parametrize("name", list(LAYERS))
def test_keras_recurrent_layers_are_one_engine(name, shape, precision):
    tf.keras.utils.set_random_seed(1)
    feeds = [(rows(b or 3, t or 9, 4),) for b, t in {(shape[0], shape[1]), (shape[0] or 1, shape[1] or 1)}]
    if precision == "fp16":
        graph_def, _, outputs = frozen(keras(LAYERS[name](), shape), spec(shape))
        assert not left_native(convert(graph_def, outputs, precision="fp16").graph_def)
        return
    conversion = check(keras(LAYERS[name](), shape), [spec(shape)], *feeds)
    assert [node.op for node in mixed.compute_nodes(conversion.graph_def)] == ["TRTEngineOp"]


# Layers that become the op recurrent, with how often.
FUSED = {
    "lstm": (lambda k: k.LSTM(8), 1),
    "lstm_19_units": (lambda k: k.LSTM(19, return_sequences=True), 1),
    "lstm_state": (lambda k: k.LSTM(8, return_sequences=True, return_state=True), 1),
    "lstm_backwards": (lambda k: k.LSTM(8, return_sequences=True, go_backwards=True), 1),
    "lstm_hard_sigmoid": (lambda k: k.LSTM(8, recurrent_activation="hard_sigmoid", use_bias=False), 1),
    "lstm_relu": (lambda k: k.LSTM(8, activation="relu", unit_forget_bias=False), 1),
    "gru": (lambda k: k.GRU(8, return_sequences=True), 1),
    "gru_state": (lambda k: k.GRU(8, return_state=True, go_backwards=True), 1),
    "gru_no_bias": (lambda k: k.GRU(8, use_bias=False), 1),
    "gru_reset_before": (lambda k: k.GRU(8, reset_after=False, return_sequences=True), 1),
    "gru_hard_sigmoid": (lambda k: k.GRU(8, recurrent_activation="hard_sigmoid", activation="relu"), 1),
    "simple": (lambda k: k.SimpleRNN(8, return_sequences=True), 1),
    "simple_relu": (lambda k: k.SimpleRNN(8, activation="relu"), 1),
    "lstm_linear": (lambda k: k.LSTM(8, activation="linear"), 1),
    "bidirectional": (lambda k: k.Bidirectional(k.LSTM(8, return_sequences=True)), 2),
    "bidirectional_sum": (lambda k: k.Bidirectional(k.GRU(8), merge_mode="sum"), 2),
    "softsign": (lambda k: k.LSTM(8, activation="softsign"), 0),
    "cells_in_one_loop": (lambda k: k.RNN([k.LSTMCell(8), k.LSTMCell(6)]), 0),
}


def layers_of(conversion):
    return [layer["op"] for engine in conversion.report.engines for layer in engine["layers"]]


@pytest.mark.parametrize("shape", [(1, 6, 4), (None, 6, 4), (None, None, 4)], ids=["fixed", "batch", "batch_and_time"])
@pytest.mark.parametrize("name", list(FUSED))
def test_recurrent_layers_are_one_op(name, shape):
    make, count = FUSED[name]
    tf.keras.utils.set_random_seed(1)
    feeds = [(rows(b or 3, t or 9, 4),) for b, t in {(shape[0], shape[1]), (shape[0] or 1, shape[1] or 1)}]
    conversion = check(keras(make(tf.keras.layers), shape), [spec(shape)], *feeds)
    layers = layers_of(conversion)
    assert layers.count("recurrent") == count and layers.count("while") == (0 if count else 1), layers
    if count:
        engine = conversion.report.engines[0]
        assert engine["flops"] > 0 and engine["reference_flops_share"] == 0


def test_a_recurrent_layer_with_given_states():
    layer = tf.keras.layers.LSTM(8, return_sequences=True, return_state=True)
    layer.build((None, None, 4))
    for weight in layer.weights:
        weight.assign(rows(*weight.shape, seed=len(weight.shape)) * 0.4)
    conversion = check(lambda x, h, c: layer(x, initial_state=[h, c]), [spec((3, None, 4)), spec((3, 8)), spec((3, 8))],
                       *[(rows(3, t, 4), rows(3, 8, seed=1), rows(3, 8, seed=2)) for t in (7, 1, 0)])
    assert "recurrent" in layers_of(conversion)


def test_a_mask_leaves_the_loop():
    layer = tf.keras.layers.LSTM(8, return_sequences=True)
    layer.build((None, 6, 4))
    conversion = check(lambda x, m: layer(x, mask=m), [spec((3, 6, 4)), spec((3, 6), tf.bool)], (rows(3, 6, 4), rows(3, 6, seed=4) > 0))
    assert "recurrent" not in layers_of(conversion) and "while" in layers_of(conversion)


def test_without_the_pass_the_loop_answers_the_same():
    function = keras(LAYERS["lstm"](), (None, 6, 4))
    with trt.options(disabled_passes=["fuse_recurrent"]):
        conversion = check(function, [spec((None, 6, 4))], (rows(2, 6, 4),))
    assert "while" in layers_of(conversion) and "recurrent" not in layers_of(conversion)


def test_layers_in_a_row_are_one_engine():
    class Two(tf.keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.parts = [tf.keras.layers.LSTM(8, return_sequences=True), tf.keras.layers.LSTM(8), tf.keras.layers.Dense(5)]

        def call(self, x):
            for part in self.parts:
                x = part(x)
            return x

    conversion = check(keras(Two(), (None, 6, 4)), [spec((None, 6, 4))], (rows(2, 6, 4),))
    assert [node.op for node in mixed.compute_nodes(conversion.graph_def)] == ["TRTEngineOp"]
    assert layers_of(conversion).count("recurrent") == 2


@pytest.mark.parametrize("batch", [2, None])
def test_convolutional_lstm_is_a_loop_in_one_engine(batch):
    layer = tf.keras.layers.ConvLSTM2D(3, 3, padding="same", return_sequences=True)
    shape = (batch, 5, 8, 7, 2)
    conversion = check(keras(layer, shape), [spec(shape)], *[(rows(b, 5, 8, 7, 2),) for b in {2, batch or 3}])
    assert [node.op for node in mixed.compute_nodes(conversion.graph_def)] == ["TRTEngineOp"]
    assert "while" in layers_of(conversion) and "recurrent" not in layers_of(conversion)


def test_int8_leaves_recurrent_layers_in_floating_point():
    class Net(tf.keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.parts = [tf.keras.layers.LSTM(8), tf.keras.layers.Dense(32, activation="relu"), tf.keras.layers.Dense(4)]

        def call(self, x):
            for part in self.parts:
                x = part(x)
            return x

    function = keras(Net(), (None, 6, 4))
    graph_def, names, outputs = frozen(function, spec((None, 6, 4)))
    data = [{names[0]: rows(4, 6, 4, seed=s)} for s in range(8)]
    conversion = trt.convert(graph_def, outputs, precision="int8", calibration=data, profitable_only=False)
    assert not left_native(conversion.graph_def)
    fed = {f"{names[0]}:0": rows(4, 6, 4, seed=3)}
    with mixed.session_of(graph_def) as session, mixed.session_of(conversion.graph_def) as other:
        want, got = session.run(outputs, fed)[0], other.run(outputs, fed)[0]
    assert np.abs(got - want).max() < 0.05 * np.abs(want).max()
    engine = conversion.report.engines[0]
    recurrent = next(layer for layer in engine["layers"] if layer["op"] == "recurrent")
    assert recurrent["dtype"] == recurrent["weights_dtype"] == "float32"
    assert f"layer '{recurrent['name']}' stays in floating point: recurrent layers have no INT8 form" in engine["warnings"]
    assert 0 < engine["int8_macs_share"] < 1


# What stays native, with its reason.

def reasons(function, *specs, lower=False):
    graph_def, names, outputs = frozen(function, *specs, lower=lower)
    conversion = convert(graph_def, outputs)
    return conversion, outputs, {node["op"].removeprefix("Stateless"): (node["code"], node["reason"]) for node in conversion.report.nodes if node["engine"] < 0}


def test_shapes_that_grow_stay_native():
    def function(x):
        return tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, tf.concat([y, x], 0)), (0, x),
                             shape_invariants=(tf.TensorShape([]), tf.TensorShape([None, 2])))[1]

    conversion, outputs, why = reasons(function, spec([2, 2]))
    assert why["While"][0] == "control_flow" and "changes" in why["While"][1]
    with mixed.session_of(conversion.graph_def) as session:
        assert session.run(outputs, {"x:0": rows(2, 2)})[0].shape == (8, 2)


def test_what_has_side_effects_stays_native():
    def function(x):
        def body(i, y):
            with tf.control_dependencies([tf.raw_ops.Assert(condition=tf.reduce_all(y < 1e9), data=[y])]):
                return i + 1, y + tf.random.uniform([2])

        return tf.while_loop(lambda i, y: i < 3, body, (0, x))[1]

    _, _, why = reasons(function, spec([2]))
    assert why["While"][0] == "stateful"


def test_lists_that_grow_stay_native():
    def function(x):
        array = tf.TensorArray(tf.float32, size=0, dynamic_size=True, element_shape=[2])
        return tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a.write(i, x)), (0, array))[1].stack()

    _, _, why = reasons(function, spec([2]))
    assert "While" in why


def loop_graph():
    def function(x, n):
        return tf.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, tf.tanh(y) + x), (0, x))[1]

    graph_def, names, outputs = frozen(function, spec([2, 3]), spec([], tf.int32))
    (loop,) = [node for node in graph_def.node if node.op in ("While", "StatelessWhile")]
    body, cond = (next(f for f in graph_def.library.function if f.signature.name == loop.attr[key].func.name)
                  for key in ("body", "cond"))
    return graph_def, outputs, loop, body, cond


def missing(graph_def, loop, body, cond):
    graph_def.library.function.remove(body)


def no_library(graph_def, loop, body, cond):
    graph_def.ClearField("library")


def twice(graph_def, loop, body, cond):
    graph_def.library.function.append(body)


def swapped(graph_def, loop, body, cond):
    loop.attr["body"].func.name = cond.signature.name


def fewer_arguments(graph_def, loop, body, cond):
    del body.signature.input_arg[-1]


def another_dtype(graph_def, loop, body, cond):
    body.signature.input_arg[1].type = tf.int64.as_datatype_enum


def no_return(graph_def, loop, body, cond):
    body.ret.clear()


def return_of_nothing(graph_def, loop, body, cond):
    for key in body.ret:
        body.ret[key] = "nowhere:output:0"


def port_of_nothing(graph_def, loop, body, cond):
    for node in body.node_def:
        for i, name in enumerate(node.input):
            node.input[i] = name.replace(":0", ":99")


def input_of_nothing(graph_def, loop, body, cond):
    body.node_def[-1].input[0] = "a:b:c:d"


def cycle(graph_def, loop, body, cond):
    nodes = [node for node in body.node_def if node.op == "Tanh"]
    nodes[0].input[0] = next(f"{node.name}:z:0" for node in body.node_def if node.op == "AddV2" and any("Tanh" in i for i in node.input))


def recursion(graph_def, loop, body, cond):
    inner = body.node_def.add()
    inner.CopyFrom(loop)
    inner.name = "again"
    del inner.input[:]
    inner.input.extend(arg.name for arg in body.signature.input_arg)
    for i, arg in enumerate(body.signature.output_arg):
        body.ret[arg.name] = f"again:output:{i}"


def attribute_of_the_caller(graph_def, loop, body, cond):
    body.signature.input_arg[1].type = 0
    body.signature.input_arg[1].type_attr = "T"


@pytest.mark.parametrize("break_it", [missing, no_library, twice, swapped, fewer_arguments, another_dtype, no_return,
                                      return_of_nothing, port_of_nothing, input_of_nothing, cycle, recursion,
                                      attribute_of_the_caller], ids=lambda f: f.__name__)
def test_a_malformed_function_library_is_a_reason_or_a_typed_error(break_it):
    graph_def, outputs, loop, body, cond = loop_graph()
    break_it(graph_def, loop, body, cond)
    try:
        conversion = convert(graph_def, outputs)
    except (trt.InvalidGraph, trt.NotConverted):
        return
    assert left_native(conversion.graph_def)
    (why,) = [node for node in conversion.report.nodes if node["op"] in ("While", "StatelessWhile")]
    assert why["code"] == "function" and why["reason"], why


def test_a_loop_that_never_ends_is_converted_at_once():
    def function(x):
        return tf.while_loop(lambda i, y: i >= 0, lambda i, y: (i * 1, y), (tf.constant(1), tf.constant([1.0, 2.0])))[1] + x

    graph_def, _, outputs = frozen(function, spec([2]))
    convert(graph_def, outputs)  # folding a constant loop would run it
