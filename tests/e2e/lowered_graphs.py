"""Graphs of control flow as TensorFlow 1 writes it, and frozen ones that were lowered. TensorFlow's switch between the two forms
holds for a process: this one is run as a script and writes the graphs of the first form, one file each."""

import pathlib
import sys

import numpy as np


def rows(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def while_basic(tf):
    x = tf.compat.v1.placeholder(tf.float32, (None, 4), "x")
    n = tf.compat.v1.placeholder(tf.int32, (), "n")
    i, y = tf.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, tf.tanh(y * 2.0 + x)), [0, x])
    return [i, y]


def while_nested(tf):
    x = tf.compat.v1.placeholder(tf.float32, (None, 4), "x")
    n = tf.compat.v1.placeholder(tf.int32, (), "n")

    def body(i, y):
        inner = tf.while_loop(lambda j, z: j < i + 1, lambda j, z: (j + 1, z * 0.5 + x), [0, y])
        return i + 1, inner[1] - 1.0

    return [tf.while_loop(lambda i, y: i < n, body, [0, x])[1]]


def while_invariant_result(tf):
    x = tf.compat.v1.placeholder(tf.float32, (None, 4), "x")
    n = tf.compat.v1.placeholder(tf.int32, (), "n")
    out = tf.while_loop(lambda i, y, z: i < n, lambda i, y, z: (i + 1, y + z, z), [0, x, x * 3.0])
    return [out[1], out[2]]


def cond_basic(tf):
    x = tf.compat.v1.placeholder(tf.float32, (None, 4), "x")
    n = tf.compat.v1.placeholder(tf.int32, (), "n")
    out = tf.cond(n > 2, lambda: (x + 1.0, x * 3.0), lambda: (x * 2.0, tf.exp(-x)))
    return [out[0] * 0.5, out[1]]


def cond_constant(tf):
    x = tf.compat.v1.placeholder(tf.float32, (None, 4), "x")
    n = tf.compat.v1.placeholder(tf.int32, (), "n")
    return [x * tf.cond(n > 2, lambda: tf.constant(3.0), lambda: tf.constant(-1.0)) + 1.0]


def cond_nested(tf):
    x = tf.compat.v1.placeholder(tf.float32, (None, 4), "x")
    n = tf.compat.v1.placeholder(tf.int32, (), "n")

    def inner():
        return tf.cond(n > 4, lambda: x - 1.0, lambda: tf.nn.relu(x))

    return [tf.cond(n > 2, inner, lambda: x * 2.0)]


def cond_chain(tf):
    """The same predicate twice, one conditional behind the other."""
    x = tf.compat.v1.placeholder(tf.float32, (None, 4), "x")
    n = tf.compat.v1.placeholder(tf.int32, (), "n")
    pred = n > 2
    y = tf.cond(pred, lambda: x + 1.0, lambda: x * 2.0)
    z = tf.cond(n > 3, lambda: y + 1.0, lambda: y * 2.0)
    return [tf.cond(pred, lambda: z - y, lambda: z * y)]


def cond_in_while(tf):
    x = tf.compat.v1.placeholder(tf.float32, (None, 4), "x")
    n = tf.compat.v1.placeholder(tf.int32, (), "n")

    def body(i, y):
        return i + 1, tf.cond(tf.equal(i % 2, 0), lambda: y * 0.5 + x, lambda: y - 1.0)

    return [tf.while_loop(lambda i, y: i < n, body, [0, x])[1]]


def while_in_cond(tf):
    x = tf.compat.v1.placeholder(tf.float32, (None, 4), "x")
    n = tf.compat.v1.placeholder(tf.int32, (), "n")

    def loop():
        return tf.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, y * 0.5 + x), [0, x])[1]

    return [tf.cond(n > 2, loop, lambda: x * 2.0)]


def while_random(tf):
    """Stays native: a node of the body has side effects."""
    x = tf.compat.v1.placeholder(tf.float32, (None, 4), "x")
    n = tf.compat.v1.placeholder(tf.int32, (), "n")

    def body(i, y):
        return i + 1, y + 0.0 * tf.random.uniform((4,), seed=1)

    y = tf.while_loop(lambda i, y: i < n, body, [0, tf.tanh(x * 2.0) + 1.0])[1]
    return [tf.nn.relu(y) * 2.0]


def while_growing(tf):
    """Stays native: the variable's shape changes."""
    x = tf.compat.v1.placeholder(tf.float32, (None, 4), "x")
    n = tf.compat.v1.placeholder(tf.int32, (), "n")
    unknown = tf.TensorShape([None, 4])
    y = tf.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, tf.concat([y, x], 0)), [0, x],
                      shape_invariants=[tf.TensorShape([]), unknown])[1]
    return [y * 2.0]


GRAPHS = [while_basic, while_nested, while_invariant_result, cond_basic, cond_constant, cond_nested, cond_chain, cond_in_while,
          while_in_cond, while_random, while_growing]


def write(folder):
    import tensorflow as tf

    tf.compat.v1.disable_control_flow_v2()
    for make in GRAPHS:
        graph = tf.Graph()
        with graph.as_default():
            for i, output in enumerate(make(tf)):
                tf.identity(output, f"out{i}")
        (folder / f"{make.__name__}.pb").write_bytes(graph.as_graph_def().SerializeToString())


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]))
