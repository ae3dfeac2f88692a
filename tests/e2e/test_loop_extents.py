"""Extents that a loop or a branch takes from outside as numbers: tf.shape(x)[0] captured by its body."""

import graftrt as trt
import mixed
import numpy as np
import pytest
import tensorflow as tf
from test_control_flow import check, frozen, reasons, rows, spec


def test_a_batch_captured_by_a_loop():
    def function(x):
        batch = tf.shape(x)[0]

        def body(i, y):
            places = tf.stack([tf.range(batch), tf.fill([batch], i)], 1)
            return i + 1, tf.tensor_scatter_nd_update(y, places, tf.reduce_sum(x + y, 1))

        return tf.while_loop(lambda i, y: i < 4, body, (0, tf.zeros([batch, 4])))[1]

    check(function, [spec([None, 4])], *[(rows(b, 4, seed=b),) for b in (1, 3, 7)])


@pytest.mark.parametrize("dtype", [tf.int32, tf.int64])
def test_a_shape_captured_whole_and_in_parts(dtype):
    def function(x, n):
        shape = tf.shape(x, out_type=dtype)
        rest = shape[1:]

        def body(i, y):
            y = tf.reshape(y + tf.ones(shape), tf.concat([rest, shape[:1]], 0))
            return i + 1, tf.reshape(tf.tanh(y), shape) + tf.cast(shape[1], tf.float32)

        return tf.while_loop(lambda i, y: i < n, body, (0, x))[1]

    check(function, [spec([None, None, 3]), spec([], tf.int32)], (rows(2, 5, 3), np.int32(3)), (rows(4, 1, 3), np.int32(2)),
          (rows(2, 5, 3), np.int32(0)))


def test_the_condition_counts_to_an_extent():
    def function(x):
        steps = tf.shape(x)[1]
        return tf.while_loop(lambda i, y: i < steps, lambda i, y: (i + 1, y * 0.5 + x[:, i]), (0, tf.zeros_like(x[:, 0])))[1]

    check(function, [spec([None, None])], (rows(3, 5),), (rows(1, 1),), (rows(2, 40),))


def test_an_extent_captured_by_a_branch():
    def function(x, p):
        batch = tf.shape(x)[0]
        return tf.cond(p, lambda: x + tf.cast(tf.range(batch), tf.float32)[:, tf.newaxis], lambda: x * tf.ones([batch, 1]))

    check(function, [spec([None, 3]), spec([], tf.bool)], (rows(4, 3), True), (rows(4, 3), False), (rows(1, 3), True))


def test_loops_within_loops_hand_extents_on():
    def function(x):
        batch = tf.shape(x)[0]

        def inner(y):
            return tf.while_loop(lambda j, z: j < batch, lambda j, z: (j + 1, z + x[j] * tf.ones([batch, 1])), (0, y))[1]

        return tf.while_loop(lambda i, y: i < 2, lambda i, y: (i + 1, tf.tanh(inner(y))), (0, x))[1]

    check(function, [spec([None, 3])], (rows(3, 3),), (rows(1, 3),))


def test_a_number_that_the_loop_changes_is_no_extent():
    """It is the batch before the first iteration only."""
    def function(x):
        return tf.while_loop(lambda n, y: n > 1, lambda n, y: (n - 1, y + tf.reduce_sum(tf.ones([n]))), (tf.shape(x)[0], x))[1]

    conversion, outputs, why = reasons(function, spec([None, 2]))
    assert why["While"][0] == "shape" and "depends on data" in why["While"][1]
    with mixed.session_of(conversion.graph_def) as session:
        (got,) = session.run(outputs, {"x:0": np.zeros((4, 2), np.float32)})
    assert (got == 4 + 3 + 2).all()


def test_a_number_that_only_looks_like_an_extent_is_none():
    def function(x, n):
        return tf.while_loop(lambda i, y: i < 2, lambda i, y: (i + 1, y + tf.reduce_sum(tf.ones([n]))), (0, x))[1]

    graph_def, names, outputs = frozen(function, spec([None, 2]), spec([], tf.int32))
    conversion = trt.convert(graph_def, outputs, profitable_only=False, min_segment_size=1)
    feeds = {f"{names[0]}:0": np.zeros((4, 2), np.float32), f"{names[1]}:0": np.int32(7)}
    with mixed.session_of(conversion.graph_def) as session:
        assert (session.run(outputs, feeds)[0] == 14).all()
