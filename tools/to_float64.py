#!/usr/bin/env python3
"""Rewrites a GraphDef from float to double: the oracle that network errors are measured against.

    tools/to_float64.py in.pb out.pb

Every DT_FLOAT attr, Const value and Placeholder becomes DT_DOUBLE, in the functions of the library too. Integers,
strings and half stay. TensorFlow (CPU, 2.21) lacks double kernels for the ops in NO_DOUBLE; `FusedBatchNorm*` in
inference form and ResizeBilinear between known extents are written out in plain ops, others make `rewrite` raise `NoDoubleKernel` and
name the node.
"""

import pathlib
import sys

import numpy as np
from tensorflow.core.framework import graph_pb2, node_def_pb2, types_pb2
from tensorflow.python.framework import tensor_util

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import float64_resize  # noqa: E402

FLOAT, DOUBLE = types_pb2.DT_FLOAT, types_pb2.DT_DOUBLE
NORMS = {"FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"}
NO_DOUBLE = {"FakeQuantWithMinMaxVars", "FakeQuantWithMinMaxArgs", "FakeQuantWithMinMaxVarsPerChannel", "LRN",
             "ResizeNearestNeighborGrad", "NonMaxSuppressionV3", "NonMaxSuppressionV4", "NonMaxSuppressionV5",
             "CombinedNonMaxSuppression", "CropAndResize"}


class NoDoubleKernel(NotImplementedError):
    """TensorFlow cannot run this op in double."""


def _widen_attr(attr, narrow):
    kind = attr.WhichOneof("value")
    if kind == "type" and attr.type in narrow:
        attr.type = DOUBLE
    elif kind == "tensor" and attr.tensor.dtype in narrow:
        attr.tensor.CopyFrom(tensor_util.make_tensor_proto(tensor_util.MakeNdarray(attr.tensor).astype(np.float64)))
    elif kind == "list":
        attr.list.type[:] = [DOUBLE if t in narrow else t for t in attr.list.type]
    elif kind == "func":
        for inner in attr.func.attr.values():
            _widen_attr(inner, narrow)


def _norm_as_plain_ops(node):
    """y = (x - mean) * rsqrt(variance + epsilon) * scale + offset, over the last axis."""
    if node.attr["is_training"].b or node.attr["data_format"].s not in (b"", b"NHWC"):
        raise NoDoubleKernel(f"node {node.name} ({node.op}): is_training or NCHW has no double form")
    x, scale, offset, mean, variance = node.input[:5]
    nodes = []

    def add(op, suffix, *inputs, name=None):
        made = node_def_pb2.NodeDef(op=op, name=name or f"{node.name}/float64_{suffix}", input=inputs)
        made.attr["T"].type = DOUBLE
        nodes.append(made)
        return made.name

    epsilon = node_def_pb2.NodeDef(op="Const", name=f"{node.name}/float64_epsilon")
    epsilon.attr["dtype"].type = DOUBLE
    epsilon.attr["value"].tensor.CopyFrom(tensor_util.make_tensor_proto(np.float64(node.attr["epsilon"].f or 1e-4)))
    nodes.append(epsilon)
    factor = add("Mul", "factor", add("Rsqrt", "rsqrt", add("AddV2", "variance", variance, epsilon.name)), scale)
    shifted = add("Sub", "shifted", x, mean)
    add("AddV2", "y", add("Mul", "scaled", shifted, factor), offset, name=node.name)
    nodes[-1].input.extend(i for i in node.input if i.startswith("^"))
    return nodes


def _resize_as_plain_ops(node, sizes):
    sizes = sizes.get(node.name, ((None, None), (None, None)))
    if None in (*sizes[0], *sizes[1]):
        raise NoDoubleKernel(f"node {node.name}: ResizeBilinear between extents that are not known has no double form")
    return float64_resize.as_products(node, sizes)


def _rewrite_nodes(nodes, narrow, sizes):
    result = []
    for node in nodes:
        copy = node_def_pb2.NodeDef()
        copy.CopyFrom(node)
        if node.op in NO_DOUBLE:
            raise NoDoubleKernel(f"node {node.name}: TensorFlow has no double kernel for {node.op} on the CPU")
        for key, attr in copy.attr.items():
            if key != "U" or node.op not in NORMS:
                _widen_attr(attr, narrow)
        if node.op == "ResizeBilinear" and FLOAT in narrow:
            result.extend(_resize_as_plain_ops(copy, sizes))
        else:
            result.extend(_norm_as_plain_ops(copy) if node.op in NORMS else [copy])
    return result


def rewrite(graph, narrow=(FLOAT,)):
    """A copy of `graph` that computes in double instead of the DataTypes `narrow`."""
    wide = graph_pb2.GraphDef()
    wide.CopyFrom(graph)
    del wide.node[:]
    wide.node.extend(_rewrite_nodes(graph.node, narrow, float64_resize.static_sizes(graph)))
    for function in wide.library.function:
        if any(n.op in NORMS for n in function.node_def):
            raise NoDoubleKernel(f"function {function.signature.name} holds a FusedBatchNorm")
        nodes = _rewrite_nodes(function.node_def, narrow, {})
        del function.node_def[:]
        function.node_def.extend(nodes)
        for arg in (*function.signature.input_arg, *function.signature.output_arg):
            arg.type = DOUBLE if arg.type in narrow else arg.type
        for attr in function.attr.values():
            _widen_attr(attr, narrow)
    return wide


def widen(feeds):
    """Feeds for the rewritten graph: float32 arrays as float64."""
    return {k: v.astype(np.float64) if v.dtype == np.float32 else v for k, v in feeds.items()}


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    with open(sys.argv[1], "rb") as file:
        graph = graph_pb2.GraphDef.FromString(file.read())
    with open(sys.argv[2], "wb") as file:
        file.write(rewrite(graph).SerializeToString(deterministic=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
