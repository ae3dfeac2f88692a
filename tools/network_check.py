"""Checks that a network can tell a right answer from a wrong one (tests compare on such networks only).

A network passes if over four inputs (a) each layer's activation std lies in [1e-2, 1e2] and (b) the two closest logits
differ by at least 20 times the error that `network_oracle` allows to an FP32 engine.
"""

import dataclasses

import network_oracle

LAYER_OPS = {"Conv2D", "DepthwiseConv2dNative", "MatMul", "BatchMatMulV2", "BiasAdd", "Relu", "Relu6", "Elu", "Tanh",
             "MaxPool", "AvgPool", "ConcatV2", "FusedBatchNormV3"}
PAIR_OPS = {"AddV2", "Mul", "Add"}  # layers only where both operands depend on the input (residual, gate)


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


def _ancestors(graph, tensor):
    """Names of the nodes whose values, not only whose shapes, `tensor` is computed from."""
    nodes = {node.name: node for node in graph.node}
    found, pending = set(), [producer(tensor)]
    while pending:
        name = pending.pop()
        if name in found or nodes[name].op in ("Shape", "ZerosLike"):
            continue
        found.add(name)
        pending.extend(map(producer, nodes[name].input))
    return found


def layer_tensors(graph, logits):
    """Outputs of the nodes that make up layers, in graph order."""
    values = _ancestors(graph, logits)  # Keras runs a cell once outside of its loop, for the shapes
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
    means = {producer(name) for node in graph.node if node.op == "Sub" for name in node.input}  # of a written-out LayerNorm
    result = []
    for node in graph.node:
        if node.op in PAIR_OPS and node.name in masked | means:
            continue
        if node.name not in depends or node.name not in values or node.attr["T"].type != 1:
            continue
        if node.op in LAYER_OPS or (node.op in PAIR_OPS and all(producer(i) in depends for i in node.input)):
            result.append(node.name + ":0")
    return result


def check(network):
    """Result for a `networks.Network`."""
    reference = network_oracle.oracle(network)
    graph = network.graph_def()
    tensors = layer_tensors(graph, network.logits)
    values = run(graph, tensors, reference.feeds)
    stds = sorted((float(v.std()), t) for v, t in zip(values, tensors))
    passed = (stds[0][0] >= 1e-2 and stds[-1][0] <= 1e2
              and reference.distance >= network_oracle.DISCRIMINATION * reference.allowed)
    return Result(bool(passed), stds[0], stds[-1], len(stds), float(reference.distance), float(reference.allowed))
