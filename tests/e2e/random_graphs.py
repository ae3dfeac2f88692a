"""Random valid graphs: `generate(seed)` gives a GraphDef of 1 to 60 nodes with its feeds and fetches, the same for a seed.

A graph grows forward. Each tensor knows its dtype, its extents and how exactly its values are known: floats start as
small multiples of a power of two, and as long as arithmetic on them is exact (`grain` > 0), ops that jump (floor, argmax,
comparisons, casts to integers) may take them; a rounded tensor goes through continuous ops only. So a difference to
TensorFlow is an error and not a rounding that tipped over. The ops are rules in random_ops, random_native, random_flow.
"""

import dataclasses
import json

import numpy as np
import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.framework import function_pb2, graph_pb2, node_def_pb2
from tensorflow.python.framework import tensor_util

F32, F64, F16, BF16 = tf.float32, tf.float64, tf.float16, tf.bfloat16
I32, I64, I8, U8, BOOL = tf.int32, tf.int64, tf.int8, tf.uint8, tf.bool
FLOATS, INTEGERS = (F32, F64, F16, BF16), (I32, I64, I8, U8)
EXACT_STEPS = {F32: 2.0**22, F64: 2.0**50, F16: 2.0**10, BF16: 2.0**7}  # multiples of the grain that the dtype tells apart
LARGEST = {F32: 1e4, F64: 1e4, F16: 100.0, BF16: 100.0}  # a larger tensor is not computed with
MAX_ELEMENTS, MAX_RANK, MAX_NODES = 2048, 5, 60
SPECIAL = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0], np.float32)


class Skip(Exception):
    """A rule found no inputs that it can take."""


@dataclasses.dataclass(frozen=True)
class Tensor:
    """`name` as a node's input; `mag` bounds the finite values; `grain`: they are multiples of it, 0 if they are rounded."""

    name: str
    dtype: tf.DType
    shape: tuple
    mag: float = 1.0
    grain: float = 1.0

    @property
    def exact(self):
        return self.dtype not in FLOATS or self.grain > 0

    @property
    def rank(self):
        return len(self.shape)

    @property
    def size(self):
        return int(np.prod(self.shape, dtype=np.int64))


@dataclasses.dataclass
class Case:
    """What is run: fetches and feeds by tensor name; `inputs` are nodes besides placeholders that are fed."""

    graph: graph_pb2.GraphDef
    feeds: dict
    fetches: list
    inputs: list
    note: str = ""


def set_attr(node, key, value):
    attr = node.attr[key]
    if isinstance(value, tf.DType):
        attr.type = value.as_datatype_enum
    elif isinstance(value, bool):
        attr.b = value
    elif isinstance(value, (int, np.integer)):
        attr.i = int(value)
    elif isinstance(value, float):
        attr.f = value
    elif isinstance(value, (str, bytes)):
        attr.s = value.encode() if isinstance(value, str) else value
    elif isinstance(value, np.ndarray):
        attr.tensor.CopyFrom(tensor_util.make_tensor_proto(value))
    elif isinstance(value, tf.TensorShape):
        attr.shape.CopyFrom(value.as_proto())
    elif isinstance(value, Function):
        attr.func.name = value.name
    elif value and isinstance(value[0], tf.DType):
        attr.list.type.extend(v.as_datatype_enum for v in value)
    elif value and isinstance(value[0], Function):
        for function in value:
            attr.list.func.add().name = function.name
    else:
        attr.list.i.extend(int(v) for v in value)


@dataclasses.dataclass(frozen=True)
class Function:
    """Attribute value: a function of the library, by name."""

    name: str


class Builder:
    """A graph, or the body of a function, while it grows."""

    def __init__(self, rng, library=None, prefix=""):
        self.rng, self.prefix = rng, prefix
        self.library = library if library is not None else function_pb2.FunctionDefLibrary()
        self.nodes, self.tensors, self.used = [], [], set()
        self.feeds, self.inputs = {}, []
        self.controls = []  # names of nodes that some later node must wait for
        self.special = self.feed_inner = False
        self.zero_divisor = rng.random() < 0.1
        self.in_frame, self.framed = False, set()  # nodes of a frame or a branch: no control edges into them or out of them

    def chance(self, probability):
        return self.rng.random() < probability

    def choose(self, values):
        return values[self.rng.integers(len(values))]

    def node(self, op, inputs, results, name=None, keep=True, **attrs):
        """Adds a node; `results` are Tensors without names. Returns the named ones, the only one bare."""
        node = node_def_pb2.NodeDef(op=op, name=name or f"{self.prefix}n{len(self.nodes)}_{op}")
        for source in inputs:
            node.input.append(source.name)
            self.used.add(source.name)
        if self.in_frame:
            self.framed.add(node.name)
        elif self.controls and self.chance(0.5):
            node.input.append("^" + self.controls.pop())
        elif self.nodes and self.chance(0.03):
            before = self.choose(self.nodes).name
            if before not in self.framed:
                node.input.append("^" + before)
        for key, value in attrs.items():
            set_attr(node, key, value)
        self.nodes.append(node)
        made = []
        for port, result in enumerate(results):
            made.append(limited(dataclasses.replace(result, name=f"{node.name}:{port}" if port else node.name)))
        if self.feed_inner and len(made) == 1 and keep and self.chance(0.04):
            made = [self.feed(made[0])]
            self.inputs.append(node.name)
        if keep:
            self.tensors.extend(made)
        return made[0] if len(made) == 1 else made

    def feed(self, tensor):
        """Gives a node's output a fed value."""
        array, tensor = self.values(tensor.dtype, tensor.shape, tensor)
        self.feeds[tensor.name + ":0"] = array
        return tensor

    def values(self, dtype, shape, tensor=None):
        """Random values and the Tensor that describes them."""
        kind = dtype.as_numpy_dtype
        if dtype == BOOL:
            array, mag, grain = self.rng.random(shape) < 0.5, 1.0, 1.0
        elif dtype in FLOATS:
            grain = float(self.choose([1.0, 1.0, 0.5, 0.25]))
            array, mag = self.rng.integers(-4, 5, shape) * grain, 4 * grain
            if self.special and self.chance(0.5):
                array = np.where(self.rng.random(shape) < 0.15, self.rng.choice(SPECIAL, shape), array)
        else:
            array, mag, grain = self.rng.integers(0 if dtype == U8 else -5, 6, shape), 5.0, 1.0
        made = Tensor(tensor.name if tensor else "", dtype, tuple(shape), mag, grain)
        return np.asarray(array).astype(kind), made

    def const(self, array, mag=None, grain=1.0):
        """A constant of an array, or of random values if `array` is (dtype, shape). Not a source of later rules."""
        if isinstance(array, tuple):
            special, self.special = self.special, False
            array, made = self.values(*array)
            self.special = special
        else:
            array = np.asarray(array)
            mag = float(np.max(np.abs(array.astype(np.float64)), initial=0)) if mag is None else mag
            made = Tensor("", tf.as_dtype(array.dtype), array.shape, mag, grain)
        made = dataclasses.replace(made, name=f"{self.prefix}n{len(self.nodes)}_Const")
        node = node_def_pb2.NodeDef(op="Const", name=made.name)
        set_attr(node, "dtype", made.dtype)
        set_attr(node, "value", array)
        self.nodes.append(node)
        return made

    def ints(self, values, dtype=np.int32):
        return self.const(np.array(values, dtype))

    def placeholder(self, dtype, shape):
        name = f"{self.prefix}n{len(self.nodes)}_in"
        array, made = self.values(dtype, shape)
        made = dataclasses.replace(made, name=name)
        node = node_def_pb2.NodeDef(op="Placeholder", name=name)
        set_attr(node, "dtype", dtype)
        how = self.rng.random()
        told = (tf.TensorShape(None) if how < 0.05 else tf.TensorShape(shape) if how < 0.35
                else tf.TensorShape([None, *shape[1:]]) if how < 0.75 and shape
                else tf.TensorShape([None if self.chance(0.6) else d for d in shape]))
        set_attr(node, "shape", told)
        self.nodes.append(node)
        self.tensors.append(made)
        self.feeds[name + ":0"] = array
        return made

    def pick(self, accept=lambda t: True, dtypes=None):
        """A tensor that a rule can take, the newer the likelier."""
        found = [t for t in self.tensors if (dtypes is None or t.dtype in dtypes) and accept(t)]
        if not found:
            raise Skip
        return found[max(self.rng.integers(len(found)), self.rng.integers(len(found)))]


def limited(tensor):
    """Grain and magnitude as the dtype can hold them; Skip where values grow out of bounds."""
    if tensor.dtype in FLOATS:
        if tensor.mag > LARGEST[tensor.dtype] or tensor.size > MAX_ELEMENTS or tensor.rank > MAX_RANK:
            raise Skip
        if tensor.grain < 2.0**-12 or tensor.mag > tensor.grain * EXACT_STEPS[tensor.dtype]:
            return dataclasses.replace(tensor, grain=0.0)
    elif tensor.size > MAX_ELEMENTS or tensor.rank > MAX_RANK:
        raise Skip
    elif tensor.dtype in INTEGERS and tensor.mag > tensor.dtype.max:
        return dataclasses.replace(tensor, mag=float(tensor.dtype.max) + 1)
    return tensor


def _shape(rng, zero):
    rank = rng.choice([0, 1, 2, 3, 4], p=[0.06, 0.14, 0.3, 0.2, 0.3])
    dims = [1, 2, 3, 4, 5, 7, 8] + [0] * zero
    shape = [int(rng.choice(dims)) for _ in range(rank)]
    if rank == 4 and rng.random() < 0.6:
        shape[1:3] = [int(d) for d in rng.integers(3, 9, 2)]
        shape[0] = int(rng.integers(1, 3))
    return shape


def generate(seed):
    """The Case of a seed."""
    import random_flow
    import random_native
    import random_nn
    import random_ops

    rng = np.random.default_rng([0x6772, seed])
    b = Builder(rng)
    b.feed_inner, b.special = rng.random() < 0.25, rng.random() < 0.15
    zero = rng.random() < 0.06
    main = [F32, F32, F32, F32, F32, F32, F64, F16, BF16][rng.integers(9)]
    if main in (F16, BF16):
        b.special = False
    for index in range(rng.integers(1, 4)):
        dtype = main if index == 0 else b.choose([main, main, I32, I64, BOOL, U8, I8])
        b.placeholder(dtype, _shape(rng, zero))
    rules = random_ops.RULES + random_nn.RULES + (random_native.RULES * (rng.random() < 0.6)) + (random_flow.RULES * (rng.random() < 0.45))
    weights = np.array([weight for weight, _ in rules], float)
    rules = [rule for _, rule in rules]
    wanted = int(rng.integers(1, MAX_NODES - 8))
    for rule in rng.choice(len(rules), 4 * MAX_NODES, p=weights / weights.sum()):
        if len(b.nodes) >= wanted:
            break
        attempt(b, rules[rule])
    return finish(b, f"seed {seed}")


def attempt(b, rule):
    """Applies a rule; one that skips midway leaves nothing behind."""
    before = len(b.nodes), len(b.tensors), set(b.used), dict(b.feeds), list(b.inputs), list(b.controls), len(b.library.function)
    b.in_frame = False
    try:
        rule(b)
    except Skip:
        del b.nodes[before[0]:], b.tensors[before[1]:], b.library.function[before[6]:]
        b.used, b.feeds, b.inputs, b.controls = before[2:6]


def finish(b, note):
    """Every sink is fetched, and some that are not."""
    fetches = [t.name for t in b.tensors if t.name not in b.used or b.rng.random() < 0.15]
    graph = graph_pb2.GraphDef(node=b.nodes, library=b.library)
    graph.versions.producer = tf.version.GRAPH_DEF_VERSION
    inputs = {n.name: n.input for n in b.nodes}
    needed, pending = set(), list(fetches)
    while pending:
        name = pending.pop().lstrip("^").split(":")[0]
        if name not in needed:
            needed.add(name)
            pending += inputs[name]
    feeds = {name: array for name, array in b.feeds.items() if name.split(":")[0] in needed}  # the converter drops the others
    return Case(graph, feeds, [f if ":" in f else f + ":0" for f in fetches], sorted(set(b.inputs) & needed), note)


# A case as text: a GraphDef, preceded by comment lines of JSON. Short arrays only: shrunken cases.

def _encoded(array):
    flat = array.ravel().astype(np.float64).tolist() if tf.as_dtype(array.dtype) in FLOATS else array.ravel().tolist()
    return {"dtype": tf.as_dtype(array.dtype).name, "shape": array.shape, "values": flat}


def to_text(case, **more):
    head = {"note": case.note, "fetches": case.fetches, "inputs": case.inputs,
            "feeds": {name: _encoded(np.asarray(array)) for name, array in case.feeds.items()}, **more}
    lines = [f"# {key}: {json.dumps(value)}" for key, value in head.items()]
    return "\n".join(lines) + "\n" + text_format.MessageToString(case.graph)


def from_text(text):
    """(Case, the other head lines)."""
    head = dict(line[2:].split(": ", 1) for line in text.splitlines() if line.startswith("# "))
    head = {key: json.loads(value) for key, value in head.items()}
    feeds = {name: np.array(f["values"]).astype(tf.as_dtype(f["dtype"]).as_numpy_dtype).reshape(f["shape"])
             for name, f in head.pop("feeds").items()}
    graph = text_format.Parse("\n".join(r for r in text.splitlines() if not r.startswith("# ")), graph_pb2.GraphDef())
    return Case(graph, feeds, head.pop("fetches"), head.pop("inputs"), head.pop("note")), head
