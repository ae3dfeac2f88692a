"""What the cases of an op show of its attributes and inputs: pairs of cases that differ in one thing alone."""
import functools
import hashlib
import json
import pathlib
import subprocess

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import op_def_registry

import case_runner
import graftrt
import op_cases
import variation

# Attributes that never change TensorFlow's answer; with a reason each.
NO_EFFECT = {
    "use_cudnn_on_gpu": "chooses a library on GPUs",
    "grad_a": "says of a gradient's MatMul what it is", "grad_b": "says of a gradient's MatMul what it is",
    "grad_x": "says of a gradient's MatMul what it is", "grad_y": "says of a gradient's MatMul what it is",
    "validate_indices": "the CPU kernel checks the indices whatever it says",
    "message": "is the text of the error that a gradient raises",
    "exponential_avg_factor": "weighs the running statistics, which training alone updates",
    "parallel_iterations": "bounds how many iterations TensorFlow runs at once",
    "output_shapes": "is a hint for shape inference",
    "config": "tells a runtime how to run the function", "config_proto": "tells a runtime how to run the function",
    "executor_type": "tells a runtime how to run the function",
    "shape": "is checked, or a hint: the elements are those of the input",
    "sparse_gradient": "says of the gradient what it is",
}
# (op, attribute, dtype): the registry allows it, and there is no case for a reason.
WITHOUT_DTYPE = {
    ("SplitV", "Tlen", "int8"): "TensorFlow's shape function aborts the process",
    ("ArgMax", "Tidx", "int16"): "TensorFlow's shape function reads beyond the constant",
}
# (op, attribute, value) that no case can show, for a reason.
_EXPLICIT = "goes with explicit_paddings, whose pairs have it"
_NO_PADDING = "where both SAME and VALID take the sizes, neither pads, and the answers are equal"
WITHOUT_VALUE = {(op, "padding", "EXPLICIT"): _EXPLICIT for op in ("Conv2D", "DepthwiseConv2dNative", "Conv2DBackpropInput", "MaxPool")}
WITHOUT_VALUE |= {(op, "padding", value): _NO_PADDING for op in ("Conv2DBackpropInput", "Conv3DBackpropInputV2") for value in ("SAME", "VALID")}
WITHOUT_VALUE |= {(op, "data_format", value): "window and strides are told by axis: where both layouts take them, the answers are equal"
                  for op in ("AvgPool", "MaxPool", "MaxPoolV2") for value in ("NHWC", "NCHW")}
WITHOUT_VALUE |= {(op, "data_format", value): "window and strides are told by axis: where both layouts take them, the answers are equal"
                  for op in ("AvgPool3D", "MaxPool3D") for value in ("NDHWC", "NCDHW")}
# (op, input) whose elements TensorFlow never reads.
INERT_INPUTS = {(op, name) for op, name in (("Shape", "input"), ("ShapeN", "input"), ("Rank", "input"), ("Size", "input"), ("ZerosLike", "x"), ("OnesLike", "x"))}
# Ops whose attributes are functions.
FUNCTIONAL = {"While", "StatelessWhile", "If", "StatelessIf", "Case", "StatelessCase", "PartitionedCall", "StatefulPartitionedCall"}
LISTS = {"TensorListElementShape", "TensorListFromTensor", "TensorListGetItem", "TensorListLength", "TensorListReserve", "TensorListSetItem",
         "TensorListStack"}
# Ops whose calls are functions or tensor lists, which a base call cannot hold, and others, with where their cases are.
ELSEWHERE = {op: "tests/conformance/cases_structure.py, tests/e2e/test_control_flow.py" for op in FUNCTIONAL | LISTS}
# Stock kernels of these take few of their forms without oneDNN: compared with the ops that they stand for.
ELSEWHERE |= {op: "tests/conformance/cases_fused.py" for op in ("_FusedConv2D", "_FusedConv3D", "_FusedDepthwiseConv2dNative", "_FusedMatMul",
                                                               "_FusedBatchNormEx", "_MklSwish")}
ELSEWHERE |= {"Const": "tests/conformance/cases_structure.py", "BatchMatrixBandPart": "tests/conformance/test_old_ops.py"}


@functools.cache
def accepted():
    """The ops of which an engine may take a node, as the converter itself lists them."""
    command = pathlib.Path(graftrt.__file__).parent / "bin" / "graft"
    return json.loads(subprocess.run([command, "ops", "--json"], capture_output=True, text=True, check=True).stdout)["accepted"]


def audited():
    return [op for op in accepted() if op not in ELSEWHERE]


@functools.cache
def alone(op):
    """Everything of the op's bases that is varied alone, as pairs (base, varied)."""
    pairs = []
    for base in variation.bases().get(op, ()):
        probes = variation.alone(base)
        plain = {p.known: p for p in probes if not p.changed}
        pairs += [(plain[p.known], p) for p in probes if p.changed and p.known in plain]
    return pairs


class Use:
    """A node of the op in a graph of op_cases or cases_FAMILY.py."""

    def __init__(self, case, node, attrs, inputs):
        self.case, self.node, self.attrs, self.inputs = case, node, attrs, inputs

    @functools.cached_property
    def answer(self):
        graph, feeds, results = self.case.graph()
        return case_runner.tf_answer(graph, results, feeds)

    @functools.cached_property
    def refusal(self):
        graph, _, results = self.case.graph()
        conversion = case_runner.convert(graph.as_graph_def(), sorted({r.split(":")[0] for r in results}))
        verdicts = [node for node in conversion.report.data["nodes"] if node["op"] == self.case.op and node.get("code")]
        return f"{verdicts[0]['code']}: {verdicts[0]['reason']}" if verdicts else ""


def _signature(tensor, feeds, seen):
    """Names the value of a tensor: what is fed, a constant's bytes, or the op that makes it and what it reads."""
    key = (tensor.op.name, tensor.value_index)
    if key not in seen:
        if tensor.name in feeds:
            array = np.asarray(feeds[tensor.name])
            text = f"{array.dtype}{array.shape}{tensor.shape}".encode() + array.tobytes()
        else:
            text = tensor.op.node_def.op.encode() + b"".join(tensor.op.node_def.attr[a].SerializeToString(deterministic=True)
                                                             for a in sorted(tensor.op.node_def.attr))
            text += b"".join(_signature(i, feeds, seen).encode() for i in tensor.op.inputs)
        seen[key] = hashlib.sha256(text).hexdigest() + f":{tensor.value_index}"
    return seen[key]


@functools.cache
def hand_written():
    by_op = {}
    for case in op_cases.all_cases():
        by_op.setdefault(case.op, []).append(case)
    return by_op


@functools.cache
def uses(op):
    """Nodes of the op in its hand-written cases."""
    found = []
    for case in hand_written().get(op, ()):
        graph, feeds, _ = case.graph()
        for node in graph.get_operations():
            if node.type == op:
                attrs = {a: node.node_def.attr[a].SerializeToString(deterministic=True) for a in sorted(node.node_def.attr) if a[0] != "_"}
                seen = {}
                found.append(Use(case, node, attrs, tuple(_signature(i, feeds, seen) for i in node.inputs)))
    return found


def use_pairs(op, attr):
    """Pairs of hand-written cases that differ in this attribute alone."""
    groups = {}
    for use in uses(op):
        rest = tuple((k, v) for k, v in use.attrs.items() if k != attr)
        groups.setdefault((rest, use.inputs), {}).setdefault(use.attrs.get(attr), use)
    for group in groups.values():
        first, *others = group.values()
        yield from ((first, other) for other in others)


def differ(a, b):
    """Are both arrays of TensorFlow, and not the same?"""
    if isinstance(a, tf.errors.OpError) or isinstance(b, tf.errors.OpError):
        return False
    return any(x.dtype != y.dtype or x.shape != y.shape or not np.array_equal(x, y, equal_nan=x.dtype.kind in "fc") for x, y in zip(a, b))


def definition(op):
    return op_def_registry.get(op)
