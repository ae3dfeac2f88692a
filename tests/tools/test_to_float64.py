"""The double oracle: nothing of float32 is left, and it computes what the graph computes, only more exactly."""

import networks
import network_check
import numpy as np
import pytest
import tensorflow as tf
import to_float64


@pytest.mark.parametrize("name", networks.SMALL)
def test_network_in_double(name):
    network = networks.get(name)
    graph, feeds = network.graph_def(), network.feeds(2, seed=9)
    before = graph.SerializeToString(deterministic=True)
    wide = to_float64.rewrite(graph)
    assert graph.SerializeToString(deterministic=True) == before
    for node in wide.node:
        for key, attr in node.attr.items():
            assert attr.type != to_float64.FLOAT and attr.tensor.dtype != to_float64.FLOAT, (node.name, key)
    plain = network_check.run(graph, [network.logits], feeds)[0]
    exact = network_check.run(wide, [network.logits], to_float64.widen(feeds))[0]
    assert exact.dtype == np.float64
    np.testing.assert_allclose(plain, exact, rtol=1e-4, atol=1e-4)
    assert np.abs(plain - exact).max() > 0


def test_cast_and_function_bodies():
    @tf.function
    def body(x):
        return tf.cast(tf.cast(x * 0.1, tf.int32), tf.float32) + x

    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None], "x")
        tf.identity(body(x), "y")
    wide = to_float64.rewrite(graph.as_graph_def())
    got = network_check.run(wide, ["y:0"], {"x": np.array([31.0, -5.0])})[0]
    assert got.dtype == np.float64
    np.testing.assert_array_equal(got, [34.0, -5.0])


def test_an_op_without_double_kernel_is_named():
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, 4], "x")
        tf.quantization.fake_quant_with_min_max_args(x, name="quantized")
    with pytest.raises(to_float64.NoDoubleKernel, match="node quantized.*FakeQuantWithMinMaxArgs"):
        to_float64.rewrite(graph.as_graph_def())


@pytest.mark.parametrize("dtype", [tf.float32, tf.uint8])
@pytest.mark.parametrize("flags", [(False, False), (True, False), (False, True)])
def test_resize_bilinear_is_written_out(flags, dtype):
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(dtype, [None, 4, 7, 3], "x")
        y = tf.raw_ops.ResizeBilinear(images=x, size=[9, 5], align_corners=flags[0], half_pixel_centers=flags[1])
        tf.identity(y * 3.0, "y")
    x = np.random.default_rng(0).uniform(0, 255, (2, 4, 7, 3)).astype(dtype.as_numpy_dtype)
    plain = network_check.run(graph.as_graph_def(), ["y:0"], {"x": x})[0]
    exact = network_check.run(to_float64.rewrite(graph.as_graph_def()), ["y:0"], to_float64.widen({"x": x}))[0]
    assert exact.dtype == np.float64
    np.testing.assert_allclose(plain, exact, rtol=1e-5)


def test_resize_bilinear_of_unknown_extents_is_named():
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, None, 7, 3], "x")
        tf.image.resize(x, [9, 5], name="larger")
    with pytest.raises(to_float64.NoDoubleKernel, match="larger.*not known"):
        to_float64.rewrite(graph.as_graph_def())
