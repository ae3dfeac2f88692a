"""Makes a failing Case of random_graphs small: `shrink(case, fails)` keeps what still fails.

Steps, until none helps: fewer fetches, or one further up; a node becomes a placeholder fed with what TensorFlow computes there; a control edge or
a function less; a placeholder's shape told in full. Every step keeps the graph valid, since its values come from TensorFlow.
"""

import numpy as np
import tensorflow as tf
from random_check import run_tf
from random_graphs import Case, set_attr
from tensorflow.core.framework import graph_pb2, node_def_pb2

FED_DTYPES = (tf.float32, tf.float64, tf.float16, tf.bfloat16, tf.int32, tf.int64, tf.int8, tf.uint8, tf.bool)


def _name(tensor):
    return tensor.lstrip("^").split(":")[0]


def pruned(case):
    """The case without nodes, feeds and functions that no fetch needs."""
    nodes = {n.name: n for n in case.graph.node}
    needed, pending = set(), [_name(f) for f in case.fetches]
    while pending:
        name = pending.pop()
        if name not in needed:
            needed.add(name)
            pending += [_name(i) for i in nodes[name].input]
    graph = graph_pb2.GraphDef(node=[n for n in case.graph.node if n.name in needed], versions=case.graph.versions)
    functions = {f.signature.name: f for f in case.graph.library.function}
    called, pending = set(), list(graph.node)
    while pending:
        for attr in pending.pop().attr.values():
            for name in [attr.func.name] * attr.HasField("func") + [f.name for f in attr.list.func]:
                if name not in called:
                    called.add(name)
                    pending += functions[name].node_def
    graph.library.function.extend(functions[name] for name in sorted(called))
    feeds = {k: v for k, v in case.feeds.items() if _name(k) in needed}
    return Case(graph, feeds, case.fetches, [n for n in case.inputs if n in needed], case.note)


def _fed_instead(case, name):
    """The case with placeholders for the outputs of a node that someone reads, or None."""
    ports = sorted({i if ":" in i else i + ":0" for n in case.graph.node for i in n.input if not i.startswith("^") and _name(i) == name})
    values = run_tf(case.graph, ports, case.feeds) if ports else None
    if values is None or isinstance(values, Exception) or any(tf.as_dtype(v.dtype) not in FED_DTYPES for v in map(np.asarray, values)):
        return None
    graph = graph_pb2.GraphDef(versions=case.graph.versions, library=case.graph.library)
    feeds = {k: v for k, v in case.feeds.items() if _name(k) != name}
    renamed = {}
    for port, value in zip(ports, map(np.asarray, values)):
        node = node_def_pb2.NodeDef(op="Placeholder", name=f"{name}_fed{port.split(':')[1]}")
        set_attr(node, "dtype", tf.as_dtype(value.dtype))
        set_attr(node, "shape", tf.TensorShape(value.shape))
        graph.node.append(node)
        feeds[node.name + ":0"] = value
        renamed[port] = node.name
    for node in case.graph.node:
        copy = graph.node.add()
        copy.CopyFrom(node)
        copy.input[:] = [renamed.get(i if ":" in i else i + ":0", i) for i in node.input if i != "^" + name]
    return pruned(Case(graph, feeds, case.fetches, case.inputs, case.note))


def _candidates(case):
    if len(case.fetches) > 1:
        for fetch in case.fetches:
            yield pruned(Case(case.graph, case.feeds, [fetch], case.inputs, case.note))
        for fetch in case.fetches:
            yield pruned(Case(case.graph, case.feeds, [f for f in case.fetches if f != fetch], case.inputs, case.note))
    elif case.fetches:
        for node in case.graph.node:
            if node.name == _name(case.fetches[0]):
                for source in [i for i in node.input if not i.startswith("^")]:
                    yield pruned(Case(case.graph, case.feeds, [source if ":" in source else source + ":0"], case.inputs, case.note))
    fetched = {_name(f) for f in case.fetches}
    for node in case.graph.node:
        if node.op not in ("Placeholder", "Const") and node.name not in fetched:
            smaller = _fed_instead(case, node.name)
            if smaller is not None and len(smaller.graph.node) < len(case.graph.node):
                yield smaller
    for index, node in enumerate(case.graph.node):
        if any(i.startswith("^") for i in node.input):
            graph = graph_pb2.GraphDef()
            graph.CopyFrom(case.graph)
            graph.node[index].input[:] = [i for i in node.input if not i.startswith("^")]
            yield pruned(Case(graph, case.feeds, case.fetches, case.inputs, case.note))
    for index, node in enumerate(case.graph.node):
        if node.op == "Placeholder" and not tf.TensorShape(node.attr["shape"].shape).is_fully_defined():
            graph = graph_pb2.GraphDef()
            graph.CopyFrom(case.graph)
            set_attr(graph.node[index], "shape", tf.TensorShape(np.shape(case.feeds[node.name + ":0"])))
            yield Case(graph, case.feeds, case.fetches, case.inputs, case.note)


def shrink(case, fails, tries=400):
    """The smallest case found within `tries` calls of fails(case)."""
    case, found = pruned(case), True
    while found and tries > 0:
        found = False
        for smaller in _candidates(case):
            tries -= 1
            if tries < 0:
                break
            if fails(smaller):
                case, found = smaller, True
                break
    return case
