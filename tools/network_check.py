"""Checks that a network can tell a right answer from a wrong one (tests compare on such networks only).

A network passes if over four inputs (a) each layer's activation std lies in [1e-2, 1e2] and (b) the two closest logits
differ by at least 20 times the error allowed to an FP32 engine: 2 x TensorFlow's FP32 error against TensorFlow in
double + 4 ulp of the largest logit.
"""

import dataclasses

import numpy as np

import to_float64

LAYER_OPS = {"Conv2D", "DepthwiseConv2dNative", "MatMul", "BatchMatMulV2", "BiasAdd", "Relu", "Relu6", "Elu", "Tanh",
             "MaxPool", "AvgPool", "ConcatV2", "FusedBatchNormV3"}
PAIR_OPS = {"AddV2", "Mul", "Add"}  # layers only where both operands depend on the input (residual, gate)
EXAMPLES = 4


@dataclasses.dataclass
class Result:
    passed: bool
    low: tuple  # (std, node) of the quietest layer
    high: tuple
    layers: int
    distance: float  # between the two closest outputs, max norm
    allowed: float

    def text(self):
        return (f"{'ok' if self.passed else 'NOT DISCRIMINATING'}: {self.layers} layers, std {self.low[0]:.3g} "
                f"({self.low[1]}) to {self.high[0]:.3g} ({self.high[1]}); closest outputs differ by "
                f"{self.distance:.3g} = {self.distance / self.allowed:.0f} x the allowed error {self.allowed:.2g}")


def run(graph, fetches, feeds):
    """Values of `fetches` (tensor names) of a GraphDef, by plain TensorFlow."""
    import tensorflow as tf

    with tf.Graph().as_default() as g, tf.compat.v1.Session(graph=g) as session:
        tf.graph_util.import_graph_def(graph, name="")
        return session.run(fetches, {f"{name}:0": value for name, value in feeds.items()})


def producer(tensor):
    """Name of the node that a NodeDef's input string refers to."""
    return tensor.split(":")[0].lstrip("^")


def layer_tensors(graph):
    """Outputs of the nodes that make up layers, in graph order."""
    consumers = {}
    for node in graph.node:
        for name in map(producer, node.input):
            consumers.setdefault(name, []).append(node.name)
    depends, pending = set(), [node.name for node in graph.node if node.op == "Placeholder"]
    while pending:
        name = pending.pop()
        if name not in depends:
            depends.add(name)
            pending.extend(consumers.get(name, ()))
    masked = {producer(node.input[0]) for node in graph.node if node.op == "Softmax"}  # BERT adds -10000 there
    result = []
    for node in graph.node:
        if node.name in masked and node.op in PAIR_OPS:
            continue
        if node.name not in depends or node.attr["T"].type != 1:
            continue
        if node.op in LAYER_OPS or (node.op in PAIR_OPS and all(producer(i) in depends for i in node.input)):
            result.append(node.name + ":0")
    return result


def check(network):
    """Result for a `networks.Network`."""
    graph, feeds = network.graph_def(), network.feeds(EXAMPLES, seed=1)
    tensors = layer_tensors(graph)
    values = run(graph, tensors + [network.logits], feeds)
    logits = values.pop()
    stds = sorted((float(v.std()), t) for v, t in zip(values, tensors))
    wide = to_float64.rewrite(graph)
    oracle = run(wide, [network.logits], to_float64.widen(feeds))[0]
    allowed = 2 * np.abs(oracle - logits).max() + 4 * np.abs(oracle).max() * 2.0**-24
    distance = min(np.abs(oracle[i] - oracle[j]).max() for i in range(EXAMPLES) for j in range(i))
    passed = stds[0][0] >= 1e-2 and stds[-1][0] <= 1e2 and distance >= 20 * allowed
    return Result(bool(passed), stds[0], stds[-1], len(stds), float(distance), float(allowed))
