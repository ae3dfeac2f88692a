"""Cases made from a base call of an op by the op's own definition in TensorFlow's registry.

`base(op, inputs, vary, attr=value, ...)` is one call. Varied alone: each attribute (bools and strings through the values that
the registry allows, others through `vary`), each dtype of each type attribute, each constant operand (`K`) and each fed input;
with static, batch-unknown and fully unknown shapes. Then pairs of those changes. A base of an op is found in bases_FAMILY.py.
"""
import dataclasses
import functools
import importlib
import itertools
import pathlib
import typing
import zlib

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import op_def_library, op_def_registry

import case_runner

BF16 = tf.bfloat16.as_numpy_dtype
PLAN_DTYPES = tuple(np.dtype(t) for t in (np.float32, np.float64, np.float16, BF16, np.int8, np.int16, np.int32, np.int64, np.uint8,
                                          np.uint16, np.uint32, np.uint64, np.bool_))
ROUNDED = {np.dtype(np.float64): 1e-11, np.dtype(np.float32): 1e-5, np.dtype(np.float16): 3e-3, np.dtype(BF16): 2.4e-2}
FOREIGN = np.dtype(np.complex64)  # a dtype that no plan carries
# Alone in a segment they would be no engine.
PASSING = {"Identity", "StopGradient", "PreventGradient", "Snapshot", "IdentityN", "Rank"}
PAIRED = 24  # changes in pairs that one base adds at most


class K:
    """A constant operand and what else it is varied through."""

    def __init__(self, value, *others, dtype=np.int32):
        self.value, self.others = _array(value, dtype), [_array(v, dtype) for v in others]


def _array(value, dtype):
    return value if isinstance(value, (np.ndarray, np.generic)) else np.array(value, dtype)


@dataclasses.dataclass(frozen=True)
class Oracle:
    """What answers where TensorFlow has no CPU kernel of a form: call(op, inputs, attrs) -> tensors."""

    applies: typing.Callable  # of the attributes
    call: typing.Callable


@dataclasses.dataclass
class Base:
    op: str
    name: str
    inputs: dict  # input name -> fed array, K, or a list of arrays
    vary: dict
    attrs: dict
    alternatives: list  # inputs of other shapes or values, as dicts that override `inputs`
    rtol: float
    outputs: tuple  # fetched outputs; None: all
    oracle: object  # Oracle or None
    precision: str
    dtypes: dict  # type attribute -> dtypes, where fewer than the registry's make sense of the inputs

    @functools.cached_property
    def definition(self):
        return op_def_registry.get(self.op)


BASES = []


def base(op, inputs, vary=None, *, name="base", alternatives=(), rtol=None, outputs=None, oracle=None, dtypes=None,
         precision="fp32", **attrs):
    BASES.append(Base(op, name, inputs, vary or {}, attrs, list(alternatives), rtol, outputs, oracle, precision, dtypes or {}))


def rng(name):
    return np.random.default_rng(zlib.crc32(name.encode()))


def normal(name, *shape):
    return rng(name).normal(size=shape).astype(np.float32)


def integers(name, *shape, low=-20, high=20, dtype=np.int32):
    return rng(name).integers(low, high, size=shape).astype(dtype)


def cast(array, dtype):
    """The array's values in another dtype, spread where the dtype is an integer."""
    array, dtype = np.asarray(array), np.dtype(dtype)
    if array.dtype == dtype or dtype.kind == "c":
        return array.astype(dtype)
    if dtype.kind == "b":
        return array > 0
    if dtype.kind == "u":
        array = np.abs(array)
    if dtype.kind in "iu" and array.dtype.kind == "f":
        array = np.nan_to_num(array * 4, nan=0, posinf=100, neginf=-100)
    return array.astype(dtype)


@dataclasses.dataclass
class Probe:
    """One case: a base with some things changed; `changed` names them: ("attr", "keep_dims"), ("input", "axis"), ..."""

    base: Base
    name: str
    inputs: dict
    attrs: dict
    dtypes: dict  # type attribute -> dtype, as changed
    known: str  # "static", "batch" or "unknown"
    changed: tuple
    fed: frozenset  # constant operands that are fed
    stripped: bool

    @property
    def op(self):
        return self.base.op

    def arrays(self):
        """input name -> [(array, is constant)], after the change of dtypes"""
        result = {}
        for arg in self.base.definition.input_arg:
            given = self.inputs[arg.name]
            constant = isinstance(given, K) and arg.name not in self.fed
            arrays = given if isinstance(given, list) else [given]
            arrays = [np.asarray(a.value if isinstance(a, K) else a) for a in arrays]
            if arg.type_attr in self.dtypes:
                arrays = [cast(a, self.dtypes[arg.type_attr]) for a in arrays]
            result[arg.name] = [(a, constant) for a in arrays]
        return result

    @property
    def rtol(self):
        floating = [a.dtype for arrays in self.arrays().values() for a, _ in arrays if a.dtype in ROUNDED]
        floating += [np.dtype(t.as_numpy_dtype) for t in self.attrs.values() if isinstance(t, tf.DType) and t.is_floating]
        if not floating:
            return self.base.rtol or 0
        least = max(ROUNDED[t] for t in floating)
        return least if self.base.rtol is None else max(self.base.rtol, least if least > 1e-4 else 0)

    def full_attrs(self):
        """The attributes that no input tells, with TensorFlow's defaults."""
        told = {*input_attrs(self.base.definition), *input_numbers(self.base.definition)}
        defaults = {attr.name: default_of(attr) for attr in self.base.definition.attr if attr.name not in told}
        return {name: value for name, value in defaults.items() if value is not None} | self.attrs

    def _shape(self, array):
        if self.known == "static":
            return list(array.shape)
        if self.known == "unknown":
            return [None] * array.ndim
        return [None, *array.shape[1:]] if array.ndim else []

    def graph(self, call=None):
        """(graph, feeds, names of the results); the op's node is "y"."""
        feeds, inputs = {}, {}
        with tf.Graph().as_default() as graph:
            for arg in self.base.definition.input_arg:
                tensors = []
                for array, constant in self.arrays()[arg.name]:
                    if constant:
                        tensors.append(tf.constant(array, name=f"{arg.name}_{len(tensors)}"))
                        continue
                    tensor = tf.compat.v1.placeholder(array.dtype, self._shape(array), name=f"{arg.name}_{len(tensors)}")
                    feeds[tensor.name] = array
                    tensors.append(tensor)
                inputs[arg.name] = tensors if arg.number_attr or arg.type_list_attr else tensors[0]
            results = (call or apply)(self.op, inputs, self.full_attrs())
            if self.base.outputs is not None and not call:
                results = [results[i] for i in self.base.outputs]
            results = self._consumed(results, feeds)
        return graph, feeds, [r.name for r in results]

    def _consumed(self, results, feeds):
        """Something that computes on a fed tensor, so that there is an engine; a node a result, since a converted one keeps one name."""
        if feeds and self.op not in PASSING:
            return [tf.identity(r) for r in results] if len(results) > 1 else results
        truth = tf.compat.v1.placeholder(tf.bool, [], name="truth")
        feeds[truth.name] = np.bool_(True)
        return [tf.raw_ops.SelectV2(condition=truth, t=r, e=r) for r in results]

    def want(self):
        """TensorFlow's arrays or its error; through the base's oracle where there is no kernel of this form."""
        graph, feeds, results = self.graph()
        answer = case_runner.tf_answer(graph, results, feeds)
        if self.base.oracle and isinstance(answer, tf.errors.OpError) and case_runner.is_no_kernel(answer) and self.base.oracle.applies(self.attrs):
            graph, feeds, results = self.graph(self.base.oracle.call)
            answer = case_runner.tf_answer(graph, results, feeds)
        return answer


def apply(op, inputs, attrs):
    result = op_def_library.apply_op(op, name="y", **inputs, **attrs)
    return list(result) if isinstance(result, (list, tuple)) else [result]


def input_attrs(definition):
    """Type attribute -> names of the inputs that carry it."""
    carried = {}
    for arg in definition.input_arg:
        if arg.type_attr:
            carried.setdefault(arg.type_attr, []).append(arg.name)
    return carried


def numbers(definition):
    """Attributes that count the inputs of a list, or the outputs."""
    return {arg.number_attr for args in (definition.input_arg, definition.output_arg) for arg in args if arg.number_attr}


def input_numbers(definition):
    return {arg.number_attr for arg in definition.input_arg if arg.number_attr}


def allowed_dtypes(attr):
    """The dtypes of a type attribute that a plan may carry, and whether it allows a foreign one."""
    names = {tf.as_dtype(t).name for t in attr.allowed_values.list.type} or {t.name for t in (*PLAN_DTYPES, FOREIGN)}
    return [t for t in PLAN_DTYPES if t.name in names], FOREIGN.name in names


def default_of(attr):
    kind = attr.type
    if not attr.HasField("default_value"):
        return None
    value = attr.default_value
    if kind == "bool":
        return value.b
    if kind == "string":
        return value.s.decode()
    if kind in ("int", "float", "type"):
        return {"int": value.i, "float": value.f, "type": tf.as_dtype(value.type) if value.type else None}[kind]
    return list(value.list.i) if kind == "list(int)" else None


def changes(b):
    """(kind, name, tag, what) of everything that is varied alone."""
    carried, result = input_attrs(b.definition), []
    for attr in b.definition.attr:
        if attr.name in input_numbers(b.definition) or attr.type in ("func", "list(func)", "list(type)", "list(shape)"):
            continue
        given = b.attrs.get(attr.name, default_of(attr))
        if attr.name in b.vary:
            values = b.vary[attr.name]
        elif attr.type == "bool":
            values = [not given]
        elif attr.type == "string" and attr.HasField("allowed_values"):
            values = [s.decode() for s in attr.allowed_values.list.s if s.decode() != given]
        elif attr.type == "type" and attr.name not in carried:
            values = [tf.as_dtype(t) for t in allowed_dtypes(attr)[0]]
            values = [v for v in values if v != given]
        elif attr.type == "type":
            dtypes, foreign = allowed_dtypes(attr)
            for dtype in b.dtypes.get(attr.name, dtypes):
                result.append(("dtype", attr.name, np.dtype(dtype).name, np.dtype(dtype)))
            if foreign and attr.name not in b.dtypes and not isinstance(b.inputs[carried[attr.name][0]], K):
                result.append(("dtype", attr.name, FOREIGN.name, FOREIGN))
            continue
        else:
            values = []
        result += [("attr", attr.name, str(i) if len(str(v)) > 16 else str(getattr(v, "name", v)), v) for i, v in enumerate(values)]
    for arg in b.definition.input_arg:
        given = b.inputs[arg.name]
        if isinstance(given, K):
            result += [("input", arg.name, str(i), K(other)) for i, other in enumerate(given.others)]
            result.append(("fed", arg.name, "fed", arg.name))
        else:
            result.append(("input", arg.name, "other", [other(a) for a in given] if isinstance(given, list) else other(given)))
    result += [("inputs", f"shapes{i}", "", a) for i, a in enumerate(b.alternatives)]
    result.append(("stripped", "defaults", "stripped", None))
    return result


def other(array):
    """The same kind of values in another order."""
    array = np.asarray(array)
    if array.dtype.kind == "b":
        return ~array
    turned = array[::-1].copy() if array.ndim and array.shape[0] > 1 and not np.array_equal(array, array[::-1]) else array + array.dtype.type(1)
    return turned * array.dtype.type(0.875) if array.dtype.kind == "f" else turned


def probe(b, made, known):
    """The base with the given changes."""
    inputs, attrs, dtypes, fed, stripped = dict(b.inputs), dict(b.attrs), {}, set(), False
    for kind, name, _, what in made:
        if kind == "attr":
            attrs[name] = what
        elif kind == "dtype":
            dtypes[name] = what
        elif kind == "input":
            inputs[name] = what
        elif kind == "fed":
            fed.add(name)
        elif kind == "inputs":
            inputs.update(what)
        else:
            stripped = True
    label = "".join(f"-{name}_{tag}" if tag else f"-{name}" for _, name, tag, _ in made)
    return Probe(b, f"{b.op}-{b.name}{label}-{known}", inputs, attrs, dtypes, known, tuple((c[0], c[1]) for c in made), frozenset(fed), stripped)


def _known(b, made):
    """The ways to say shapes that differ for these inputs."""
    shapes = lambda known: [p._shape(a) for arrays in p.arrays().values() for a, constant in arrays if not constant]  # noqa: E731
    result, seen = [], []
    for known in ("batch", "unknown", "static"):
        p = probe(b, made, known)
        if shapes(known) not in seen:
            seen.append(shapes(known))
            result.append(p)
    return result


def alone(b):
    """Everything varied alone, the base first."""
    probes = _known(b, [])
    for change in changes(b):
        probes += _known(b, [change]) if change[0] in ("attr", "input", "inputs", "dtype") else [probe(b, [change], "batch")]
    return probes


def paired(b):
    """Changes two at a time, a seeded choice where they are many."""
    pairs = [p for p in itertools.combinations([c for c in changes(b) if c[0] != "stripped"], 2)
             if (p[0][0], p[0][1]) != (p[1][0], p[1][1]) and not {"fed", "input"} >= {p[0][0], p[1][0]}
             and not ("inputs" in (p[0][0], p[1][0]) and "input" in (p[0][0], p[1][0]))
             and FOREIGN not in (p[0][3] if isinstance(p[0][3], np.dtype) else None, p[1][3] if isinstance(p[1][3], np.dtype) else None)]
    order = rng(f"{b.op}{b.name}").permutation(len(pairs))[:PAIRED]
    knowns = ("unknown", "batch", "static")
    return [probe(b, pairs[i], knowns[n % 3]) for n, i in enumerate(sorted(order))]


@functools.cache
def bases():
    """op -> its bases, of all files bases_FAMILY.py."""
    BASES.clear()
    for path in sorted(pathlib.Path(__file__).parent.glob("bases_*.py")):
        importlib.import_module(path.stem).bases()
    by_op = {}
    for b in BASES:
        by_op.setdefault(b.op, []).append(b)
    return by_op


@functools.cache
def probes():
    """All generated cases."""
    made = [p for op in sorted(bases()) for b in bases()[op] for p in alone(b) + paired(b)]
    names = [p.name for p in made]
    assert len(set(names)) == len(names), [n for n in names if names.count(n) > 1][:5]
    return made
