"""Rules of random_graphs: what no engine takes. Strings, complex numbers, extents that depend on data, state, assertions."""

import numpy as np
import tensorflow as tf
from random_graphs import BOOL, F32, F64, FLOATS, I32, I64, Skip, Tensor
from random_ops import like

RULES = []
STRING = tf.string


def rule(weight=1.0):
    def add(function):
        RULES.append((weight, function))
        return function
    return add


@rule(3)
def through_text(b):
    x = b.pick(lambda t: t.size, (I32, I64))  # of floats the text would tell -0 from 0
    text = b.node("AsString", [x], [Tensor("", STRING, x.shape)], T=x.dtype, precision=-1)
    if b.chance(0.4):  # an op that engines take, of a dtype that they do not
        order = [int(i) for i in b.rng.permutation(x.rank)]
        shape = tuple(x.shape[i] for i in order)
        text = b.node("Transpose", [text, b.ints(order)], [Tensor("", STRING, shape)], T=STRING, Tperm=I32)
    if b.chance(0.3):
        b.node("StringLength", [text], [Tensor("", I32, text.shape, 20.0)])
    else:
        b.node("StringToNumber", [text], [like(x, shape=text.shape)], out_type=x.dtype)


@rule(1.5)
def complex_numbers(b):
    x = b.pick(dtypes=(F32,))
    y = b.node("Complex", [x, x], [Tensor("", tf.complex64, x.shape)], T=F32, Tout=tf.complex64, keep=False)
    op = b.choose(["Real", "Imag", "Mul"])
    if op == "Mul":
        y = b.node("Mul", [y, y], [Tensor("", tf.complex64, x.shape)], T=tf.complex64, keep=False)
        b.node("Imag", [y], [like(x, 2 * x.mag**2, x.grain**2)], T=tf.complex64, Tout=F32)
    else:
        b.node(op, [y], [like(x)], T=tf.complex64, Tout=F32)


@rule(2)
def data_dependent(b):
    """Extents known at run time only, summed up to extents that the generator knows."""
    x = b.pick(lambda t: t.exact and t.rank and t.size, (F32, I32, I64))
    if b.special:
        raise Skip
    axis = b.ints([0])
    if b.chance(0.5) and x.rank == 1:
        values, index = b.node("Unique", [x], [like(x), Tensor("", I32, x.shape, float(x.size))], T=x.dtype, out_idx=I32, keep=False)
        b.tensors.append(index)
        b.node("Relu" if x.dtype == F32 else "Square", [values], [like(x)], T=x.dtype, keep=False)
        b.node("Sum", [values, axis], [like(x, x.mag * x.size, shape=())], T=x.dtype, Tidx=I32, keep_dims=False)
        return
    zero = b.const(np.asarray(0, x.dtype.as_numpy_dtype))
    positive = b.node("Greater", [x, zero], [like(x, 1.0, 1.0, dtype=BOOL)], T=x.dtype)
    places = b.node("Where", [positive], [Tensor("", I64, (x.size, x.rank), float(max(x.shape)))], T=BOOL, keep=False)
    found = b.node("GatherNd", [x, places], [like(x, shape=(x.size,))], Tparams=x.dtype, Tindices=I64, keep=False)
    b.node("Sum", [found, axis], [like(x, x.mag * x.size, shape=())], T=x.dtype, Tidx=I32, keep_dims=False)


@rule(1.5)
def partition_and_stitch(b):
    x = b.pick(lambda t: t.rank and t.size)
    count = x.shape[0]
    which = b.const(b.rng.integers(0, 2, count).astype(np.int32))
    parts = b.node("DynamicPartition", [x, which], [like(x), like(x)], T=x.dtype, num_partitions=2, keep=False)
    places = b.node("DynamicPartition", [b.ints(range(count)), which], [Tensor("", I32, (count,))] * 2, T=I32, num_partitions=2, keep=False)
    b.node("DynamicStitch", [*places, *parts], [like(x)], T=x.dtype, N=2)


@rule(1.5)
def segments(b):
    x = b.pick(lambda t: t.rank and t.size, (F32, F64, I32))
    ids = np.sort(b.rng.integers(0, 3, x.shape[0])).astype(np.int32)
    result = like(x, x.mag * x.shape[0], shape=(int(ids[-1]) + 1, *x.shape[1:]))
    if b.chance(0.5):
        b.node("SegmentSum", [x, b.const(ids)], [result], T=x.dtype, Tindices=I32)
    else:
        b.node("UnsortedSegmentSum", [x, b.const(ids), b.ints(ids[-1] + 1)], [result], T=x.dtype, Tindices=I32, Tnumsegments=I32)


@rule(1)
def cross(b):
    x = b.pick(lambda t: t.rank and t.shape[-1] == 3, (F32, F64, I32))
    y = b.pick(lambda t: t.shape == x.shape, (x.dtype,))
    b.node("Cross", [x, y], [like(x, 2 * x.mag * y.mag, x.grain * y.grain)], T=x.dtype)


@rule(1.5)
def assertion(b):
    x = b.pick(dtypes=(BOOL,))
    if b.zero_divisor and b.chance(0.3):
        holds = x  # perhaps not
    else:
        holds = b.node("LogicalOr", [x, b.node("LogicalNot", [x], [like(x)])], [like(x)])
    all_hold = b.node("All", [holds, b.ints(range(x.rank))], [like(x, shape=())], Tidx=I32, keep_dims=False, keep=False)
    made = b.node("Assert", [all_hold, x], [], T=[BOOL], summarize=1, keep=False)
    assert made == []
    b.controls.append(b.nodes[-1].name)


@rule(2)
def stack(b):
    """Two tensors pushed and popped, ordered by control edges alone; frozen graphs have no variables."""
    x = b.pick(dtypes=(F32, F64, I32))
    y = b.pick(dtypes=(x.dtype,))
    label = f"{b.prefix}s{len(b.nodes)}"
    handle = b.node("StackV2", [b.ints(-1)], [Tensor("", tf.resource, ())], keep=False, elem_type=x.dtype, stack_name=label)
    before = []

    def then(op, inputs, result, **attrs):
        b.in_frame = True  # no control edges but these
        made = b.node(op, [handle, *inputs], [result], keep=False, **attrs)
        b.in_frame = False
        b.nodes[-1].input.extend(before)
        before[:] = ["^" + b.nodes[-1].name]
        return made

    first = then("StackPushV2", [x], like(x), T=x.dtype)
    then("StackPushV2", [y], like(y), T=y.dtype)
    top = then("StackPopV2", [], like(y), elem_type=x.dtype)
    below = then("StackPopV2", [], like(x), elem_type=x.dtype)
    b.tensors += [first, top, below]


@rule(1)
def other_math(b):
    x = b.pick(lambda t: t.mag <= 20, FLOATS[:2])
    if x.exact and b.chance(0.5):
        b.node("Bucketize", [x], [like(x, 3.0, 1.0, dtype=I32)], T=x.dtype)
        b.nodes[-1].attr["boundaries"].list.f.extend([-1.5, 0.25, 2.5])
    else:
        y = b.node("Exp", [b.node("Tanh", [x], [like(x, 1.0, 0.0)], T=x.dtype)], [like(x, 3.0, 0.0)], T=x.dtype)
        b.node("Lgamma", [y], [like(x, 3.0, 0.0)], T=x.dtype)
