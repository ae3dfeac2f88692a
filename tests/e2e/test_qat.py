"""Networks trained for quantization, converted to INT8 by their own grids: TensorFlow's answer in double, to one step."""

import logging

import graftrt as trt
import mixed
import numpy as np
import pytest
import tensorflow as tf
import to_float64

STEP = 12 / 127  # of the output
raw = tf.raw_ops


def fake_quant(x, bound, channel_axis=None):
    """bound: one, or one a channel of the last axis."""
    if np.ndim(bound):
        return raw.FakeQuantWithMinMaxVarsPerChannel(inputs=x, min=-bound, max=bound, narrow_range=True)
    if channel_axis is None and bound < 3:
        return raw.FakeQuantWithMinMaxArgs(inputs=x, min=-bound, max=bound, narrow_range=True)
    return raw.FakeQuantWithMinMaxVars(inputs=x, min=np.float32(-bound), max=np.float32(bound), narrow_range=True)


def v2(x, bound, channel_axis=None):
    return raw.QuantizeAndDequantizeV2(input=x, input_min=-np.float32(np.max(bound)), input_max=np.float32(np.max(bound)),
                                       range_given=True, narrow_range=True, round_mode="HALF_TO_EVEN")


def v3(x, bound, channel_axis=None):
    axis = channel_axis if np.ndim(bound) else None
    return raw.QuantizeAndDequantizeV3(input=x, input_min=-np.float32(bound), input_max=np.float32(bound), num_bits=8, range_given=True,
                                       narrow_range=True, axis=-1 if axis is None else axis)


def v4(x, bound, channel_axis=None):
    return raw.QuantizeAndDequantizeV4(input=x, input_min=-np.float32(np.max(bound)), input_max=np.float32(np.max(bound)),
                                       range_given=True, narrow_range=True, round_mode="HALF_UP")


def network(quant, last_axis_only=False):
    """Convolution, depthwise and 1x1 convolution, residual, mean, dense: each tensor that a layer reads is on a grid."""
    rng = np.random.default_rng(11)

    def weights(shape, channel_axis):
        values = (rng.standard_normal(shape) / np.sqrt(np.prod(shape[:-1]))).astype(np.float32)
        rest = tuple(axis for axis in range(len(shape)) if axis != channel_axis)
        bound = np.abs(values).max(rest)
        if last_axis_only and channel_axis != len(shape) - 1:
            bound = np.float32(bound.max())
        return quant(tf.constant(values), bound, channel_axis)

    def bias(x, count):
        return tf.nn.bias_add(x, tf.constant(rng.uniform(-0.2, 0.2, count).astype(np.float32)))

    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, 12, 12, 3], name="x")
        h = tf.nn.conv2d(quant(x, 2.5), weights((3, 3, 3, 16), 3), strides=2, padding="SAME")
        h = quant(tf.nn.relu(bias(h, 16)), 4.0)
        d = tf.nn.depthwise_conv2d(h, weights((3, 3, 16, 1), 2), strides=[1, 1, 1, 1], padding="SAME")
        d = quant(tf.nn.relu6(bias(d, 16)), 2.0)
        p = bias(tf.nn.conv2d(d, weights((1, 1, 16, 16), 3), strides=1, padding="VALID"), 16)
        s = quant(p + h, 5.0)
        m = quant(tf.reduce_mean(s, [1, 2]), 2.0)
        logits = tf.matmul(m, weights((16, 7), 1)) * 4.0
        tf.identity(quant(bias(logits, 7), 127 * STEP), name="y")
    return graph.as_graph_def()


@pytest.mark.parametrize("quant", [fake_quant, v2, v3, v4])
def test_answers_are_those_of_the_graph_in_double_to_one_step(quant, counters):
    # FakeQuant knows the last axis only and has no kernel in double; on these grids V3 is the same function.
    source = network(quant, last_axis_only=quant is fake_quant)
    double = to_float64.rewrite(network(v3, last_axis_only=True) if quant is fake_quant else network(quant))
    result = trt.convert(source, ["y"], precision="int8")
    assert result.report.data["engines"][0]["int8_macs_share"] == 1
    mixed.assert_only_engine(result.graph_def)
    rng = np.random.default_rng(4)
    with mixed.session_of(result.graph_def) as engine, mixed.session_of(double) as oracle, mixed.session_of(source) as native:
        trt.reset_counters()
        for batch in (1, 3, 64):
            x = rng.standard_normal((batch, 12, 12, 3)).astype(np.float32)
            want = oracle.run("y:0", {"x:0": x.astype(np.float64)})
            got = engine.run("y:0", {"x:0": x})
            assert np.abs(native.run("y:0", {"x:0": x}) - want).max() <= 1.001 * STEP  # the model is the graph's
            assert np.abs(got - want).max() <= 1.001 * STEP
            if batch == 64:
                assert np.mean(np.abs(got - want) > STEP / 2) < 0.1  # most are the very same level
            assert np.abs(want).max() > 10 * STEP, "answers of no size show nothing"
    assert [row["engine"] for row in counters().values() if any(row.values())] == [3]  # engines of other tests may still be there


def test_the_documented_flow_has_nothing_to_calibrate_and_says_so_once(caplog):
    source = network(v3)
    with caplog.at_level(logging.WARNING, logger="graftrt"):
        final = trt.create_inference_graph(source, ["y"], precision_mode="INT8")
    assert sum("nothing to calibrate" in record.message and "every range" in record.message for record in caplog.records) == 1
    (engine,) = mixed.compute_nodes(final)
    assert engine.op == "TRTEngineOp" and engine.attr["precision_mode"].s == b"INT8"
    assert trt.calib_graph_to_infer_graph(final) == final
    x = np.random.default_rng(4).standard_normal((2, 12, 12, 3)).astype(np.float32)
    with mixed.session_of(final) as session, mixed.session_of(source) as native:
        got, want = (s.run("y:0", {"x:0": x}) for s in (session, native))
    assert np.abs(got - want).max() <= 2.001 * STEP
