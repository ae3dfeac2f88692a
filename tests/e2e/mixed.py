"""What the end-to-end tests ask of a mixed graph, by looking at the graph itself rather than at Graft's reports."""

import numpy as np


def compute_nodes(graph_def):
    """Nodes that compute something: everything but placeholders, constants, identities and shape assertions."""
    passive = ("Placeholder", "Const", "Identity", "EnsureShape", "NoOp")
    return [node for node in graph_def.node if node.op not in passive]


def assert_only_engine(graph_def):
    """One engine and nothing else that could have computed the answer: no other op, no function TensorFlow could call.

    Functions of loops that went into the engine may be left in the library, where no node names them.
    """
    nodes = compute_nodes(graph_def)
    assert [node.op for node in nodes] == ["TRTEngineOp"], sorted({node.op for node in nodes})
    assert not [key for node in graph_def.node for key, attr in node.attr.items() if attr.func.name]
    assert not [function.signature.name for function in graph_def.library.function if "native_segment" in function.signature.name]


def session_of(graph_def, threads=2):
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        tf.graph_util.import_graph_def(graph_def, name="")
    config = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=1)
    return tf.compat.v1.Session(graph=graph, config=config)


def function_of(graph_def, inputs, outputs):
    """The graph as a ConcreteFunction, as TF 2 users get it: wrap_function and prune."""
    import tensorflow as tf

    wrapped = tf.compat.v1.wrap_function(lambda: tf.graph_util.import_graph_def(graph_def, name=""), [])
    return wrapped.prune([wrapped.graph.get_tensor_by_name(n) for n in inputs],
                         [wrapped.graph.get_tensor_by_name(n) for n in outputs])


def images(count, shape, seed=0):
    return np.random.default_rng(seed).standard_normal((count, *shape)).astype(np.float32)
