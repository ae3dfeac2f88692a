"""Graphs with a node of an op that TensorFlow does not know, and the same graphs in ops that it knows."""

import tensorflow as tf


def custom(op="MishPlus", shape=(None, 4), dtype=tf.float32, after=(), **attributes):
    """x -> own (the op) -> the ops of `after` -> y, an Identity."""
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(dtype, shape, name="x")
        y = tf.identity(x, name="own")  # becomes the custom op
        for number, function in enumerate(after):
            with tf.name_scope(f"after_{number}"):
                y = function(y)
        tf.identity(y, name="y")
    graph_def = graph.as_graph_def()
    (node,) = [node for node in graph_def.node if node.name == "own"]
    node.op = op
    node.attr.clear()
    for name, value in attributes.items():
        _set(node.attr[name], value)
    return graph_def


def _set(attr, value):
    if isinstance(value, bool):
        attr.b = value
    elif isinstance(value, int):
        attr.i = value
    elif isinstance(value, float):
        attr.f = value
    elif isinstance(value, bytes):
        attr.s = value
    elif isinstance(value, tf.DType):
        attr.type = value.as_datatype_enum
    elif isinstance(value, tf.TensorShape):
        attr.shape.CopyFrom(value.as_proto())
    elif isinstance(value, tf.make_tensor_proto(0).__class__):
        attr.tensor.CopyFrom(value)
    elif value and isinstance(value[0], bool):
        attr.list.b.extend(value)
    elif value and isinstance(value[0], int):
        attr.list.i.extend(value)
    elif value and isinstance(value[0], float):
        attr.list.f.extend(value)
    elif value and isinstance(value[0], bytes):
        attr.list.s.extend(value)
    else:
        attr.list.type.extend(t.as_datatype_enum for t in value)


def mish(x, beta=1.0):
    return x * tf.tanh(tf.math.softplus(beta * x))


def native(function, shape=(None, 4), dtype=tf.float32, after=()):
    """The graph that `custom` stands for, with function(x) in the place of the op."""
    with tf.Graph().as_default() as graph:
        y = function(tf.compat.v1.placeholder(dtype, shape, name="x"))
        for op in after:
            y = op(y)
        tf.identity(y, name="y")
    return graph.as_graph_def()
