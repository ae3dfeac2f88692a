"""ResizeBilinear in double: TensorFlow's takes double but computes and returns float.

The interpolation is linear in rows and in columns, so it is two products with constant matrices. Places and weights are computed in
float, as TensorFlow computes them: they are what the op means, not its rounding.
"""

import numpy as np
from tensorflow.core.framework import node_def_pb2, types_pb2
from tensorflow.python.framework import tensor_util


def interpolation(extent, size, align_corners, half_pixel_centers):
    """[size, extent]: row i holds the weights of output i."""
    if align_corners and size > 1:
        scale = np.float32(extent - 1) / np.float32(size - 1)
    else:
        scale = np.float32(extent) / np.float32(size)
    places = np.arange(size, dtype=np.float32)
    places = (places + np.float32(0.5)) * scale - np.float32(0.5) if half_pixel_centers else places * scale
    below = np.floor(places)
    fraction = (places - below).astype(np.float64)
    low, high = (np.clip(below + step, 0, extent - 1).astype(int) for step in (0, 1))
    matrix = np.zeros((size, extent))
    np.add.at(matrix, (np.arange(size), low), 1.0 - fraction)
    np.add.at(matrix, (np.arange(size), high), fraction)
    return matrix


def static_sizes(graph):
    """{name of a ResizeBilinear: ((height, width) of what it reads, of what it makes)}, None where TensorFlow does not know them."""
    if not any(node.op == "ResizeBilinear" for node in graph.node):
        return {}
    import tensorflow as tf

    with tf.Graph().as_default() as scratch:
        tf.graph_util.import_graph_def(graph, name="")
    operations = (op for op in scratch.get_operations() if op.type == "ResizeBilinear")
    return {op.name: tuple(tuple(t.shape[1:3]) if t.shape.rank == 4 else (None, None) for t in (op.inputs[0], op.outputs[0]))
            for op in operations}


def as_products(node, sizes):
    """The nodes that compute `node`, a ResizeBilinear between the static `sizes`, in double."""
    nodes, source = [], node.input[0]
    if node.attr["T"].type != types_pb2.DT_DOUBLE:  # integers
        cast = node_def_pb2.NodeDef(op="Cast", name=f"{node.name}/float64_cast", input=[source])
        cast.attr["SrcT"].type, cast.attr["DstT"].type = node.attr["T"].type, types_pb2.DT_DOUBLE
        nodes.append(cast)
        source = cast.name
    flags = node.attr["align_corners"].b, node.attr["half_pixel_centers"].b
    for axis, equation, before, after in zip("hw", ("hi,bijc->bhjc", "wj,bhjc->bhwc"), *sizes):
        matrix = node_def_pb2.NodeDef(op="Const", name=f"{node.name}/float64_{axis}")
        matrix.attr["dtype"].type = types_pb2.DT_DOUBLE
        matrix.attr["value"].tensor.CopyFrom(tensor_util.make_tensor_proto(interpolation(before, after, *flags)))
        product = node_def_pb2.NodeDef(op="Einsum", name=node.name if axis == "w" else f"{node.name}/float64_rows", input=[matrix.name, source])
        product.attr["T"].type = types_pb2.DT_DOUBLE
        product.attr["N"].i = 2
        product.attr["equation"].s = equation.encode()
        nodes += [matrix, product]
        source = product.name
    return nodes
