"""Small GraphDefs with one thing wrong each, for test_bad_calls.py. Built with TensorFlow's protos, never imported."""

from tensorflow.core.framework import graph_pb2, tensor_pb2, types_pb2

FLOAT, INT32 = types_pb2.DT_FLOAT, types_pb2.DT_INT32


def node(graph, op, name, inputs=(), **attrs):
    """Adds a node; attr values by Python type: int, float, bool, str/bytes, list of ints, DType as ('type', n), proto."""
    n = graph.node.add(op=op, name=name, input=list(inputs))
    for key, value in attrs.items():
        set_attr(n.attr[key], value)
    return n


def set_attr(attr, value):
    if isinstance(value, tuple) and value[0] == "type":
        attr.type = value[1]
    elif isinstance(value, tuple) and value[0] == "shape":
        attr.shape.SetInParent()
        for d in value[1]:
            attr.shape.dim.add(size=d)
    elif isinstance(value, bool):
        attr.b = value
    elif isinstance(value, int):
        attr.i = value
    elif isinstance(value, float):
        attr.f = value
    elif isinstance(value, (str, bytes)):
        attr.s = value.encode() if isinstance(value, str) else value
    elif isinstance(value, list):
        attr.list.SetInParent()
        attr.list.i.extend(value)
    elif isinstance(value, tensor_pb2.TensorProto):
        attr.tensor.CopyFrom(value)
    else:
        raise TypeError(value)


def tensor(dims, values=None, dtype=FLOAT, content=None):
    t = tensor_pb2.TensorProto(dtype=dtype)
    t.tensor_shape.SetInParent()
    for d in dims:
        t.tensor_shape.dim.add(size=d)
    if content is not None:
        t.tensor_content = content
    elif dtype == FLOAT:
        t.float_val.extend([0.5] if values is None else values)
    else:
        t.int_val.extend([1] if values is None else values)
    return t


def placeholder(graph, name="x", dims=(-1, 8, 8, 3), dtype=FLOAT):
    return node(graph, "Placeholder", name, dtype=("type", dtype), shape=("shape", dims))


def const(graph, name, dims, values=None, dtype=FLOAT, content=None):
    return node(graph, "Const", name, dtype=("type", dtype), value=tensor(dims, values, dtype, content))


def chain():
    """x -> Relu r0 -> Relu r1 -> Relu r2 -> Relu out: a graph with nothing wrong."""
    g = graph_pb2.GraphDef()
    placeholder(g)
    last = "x"
    for name in ("r0", "r1", "r2", "out"):
        node(g, "Relu", name, [last], T=("type", FLOAT))
        last = name
    return g


def conv(**changes):
    """x [n,8,8,3] -> Conv2D out with a [3,3,3,4] filter; `changes` replace attributes (None removes one)."""
    g = graph_pb2.GraphDef()
    placeholder(g)
    const(g, "w", [3, 3, 3, 4])
    attrs = dict(T=("type", FLOAT), strides=[1, 1, 1, 1], padding="SAME", data_format="NHWC", dilations=[1, 1, 1, 1])
    attrs.update(changes)
    node(g, "Conv2D", "out", ["x", "w"], **{k: v for k, v in attrs.items() if v is not None})
    return g


def with_const(op, const_node, **attrs):
    """x [n,8,8,3] and one constant -> op out."""
    g = graph_pb2.GraphDef()
    placeholder(g)
    const(g, *const_node)
    node(g, op, "out", ["x", const_node[0]], T=("type", FLOAT), **attrs)
    return g


def edit(graph, fn):
    fn(graph)
    return graph
