"""Rules of random_graphs: ops that the engine takes. A rule adds one node or a small pattern to a Builder, or skips."""

import numpy as np
import tensorflow as tf
from random_graphs import BOOL, F32, F64, FLOATS, I8, I32, I64, INTEGERS, MAX_ELEMENTS, MAX_RANK, U8, Skip, Tensor

NUMBERS = (*FLOATS, *INTEGERS)
RULES = []


def rule(weight=1.0):
    def add(function):
        RULES.append((weight, function))
        return function
    return add


def like(t, mag=None, grain=None, **changes):
    """The Tensor of a result that resembles `t`."""
    values = {"dtype": t.dtype, "shape": tuple(t.shape), "mag": t.mag if mag is None else mag,
              "grain": t.grain if grain is None else grain, **changes}
    return Tensor("", **values)


def span(*parts):
    """mag and grain of values that come from any of the parts."""
    return {"mag": max(p.mag for p in parts), "grain": min(p.grain for p in parts)}


# Elementwise

EXACT_UNARY = {  # op: (dtypes, mag of a result, grain of a result)
    "Relu": (NUMBERS, None, None), "Relu6": (NUMBERS, lambda t: min(t.mag, 6.0), None), "Neg": ((*FLOATS, I32, I64, I8), None, None),
    "Abs": ((*FLOATS, I32, I64), None, None), "Square": ((*FLOATS, I32, I64), lambda t: t.mag**2, lambda t: t.grain**2),
    "Identity": ((*NUMBERS, BOOL), None, None), "StopGradient": ((*NUMBERS, BOOL), None, None), "Snapshot": ((*NUMBERS, BOOL), None, None),
    "LeakyRelu": (FLOATS, None, lambda t: t.grain / 4), "ZerosLike": ((*NUMBERS, BOOL), lambda t: 0.0, lambda t: 1.0),
    "OnesLike": ((*NUMBERS, BOOL), lambda t: 1.0, lambda t: 1.0), "Invert": (INTEGERS, lambda t: t.mag + 300, None),
    "Sign": ((*FLOATS, I32, I64), lambda t: 1.0, lambda t: 1.0),
}
JUMPING_UNARY = {"Sign": 0.0, "Floor": 1.0, "Ceil": 1.0, "Rint": 1.0, "Round": 1.0}  # op: what is added to mag
ROUNDED_UNARY = {  # op: (largest input, mag of a result)
    "Tanh": (1e4, lambda m: 1.0), "Sigmoid": (1e4, lambda m: 1.0), "Softsign": (1e4, lambda m: 1.0), "Sin": (50, lambda m: 1.0),
    "Cos": (50, lambda m: 1.0), "Atan": (1e4, lambda m: 1.6), "Asinh": (1e4, lambda m: m), "Erf": (1e4, lambda m: 1.0),
    "Erfc": (1e4, lambda m: 2.0), "Exp": (5, lambda m: np.exp(m)), "Expm1": (5, lambda m: np.exp(m)), "Elu": (1e4, lambda m: m),
    "Selu": (1e4, lambda m: 1.8 * m + 1), "Softplus": (1e4, lambda m: m + 1), "Sinh": (4, np.sinh), "Cosh": (4, np.cosh)}
POSITIVE_UNARY = {"Sqrt": lambda m: m, "Rsqrt": lambda m: 1.0, "Log": lambda m: m, "Log1p": lambda m: m, "Reciprocal": lambda m: 1.0,
                  "Acosh": lambda m: m, "Inv": lambda m: 1.0}


@rule(6)
def exact_unary(b):
    op = b.choose(list(EXACT_UNARY))
    dtypes, mag, grain = EXACT_UNARY[op]
    x = b.pick(lambda t: t.exact or op != "Sign", dtypes)
    attrs = {"alpha": 0.25} if op == "LeakyRelu" else {}
    b.node(op, [x], [like(x, mag and mag(x), grain and (grain(x) if x.grain else 0.0))], T=x.dtype, **attrs)


@rule(2)
def jumping_unary(b):
    op = b.choose(list(JUMPING_UNARY))
    x = b.pick(lambda t: t.grain > 0, (F32, F64) if op == "Rint" else FLOATS)
    b.node(op, [x], [like(x, x.mag + JUMPING_UNARY[op], 1.0)], T=x.dtype)


@rule(4)
def rounded_unary(b):
    op = b.choose(list(ROUNDED_UNARY))
    largest, mag = ROUNDED_UNARY[op]
    x = b.pick(lambda t: t.mag <= largest, FLOATS)
    b.node(op, [x], [like(x, float(mag(x.mag)), 0.0)], T=x.dtype)


@rule(2)
def positive_unary(b):
    op = b.choose(list(POSITIVE_UNARY))
    x = b.pick(dtypes=FLOATS)
    positive = one_plus_abs(b, x)
    b.node(op, [positive], [like(x, float(POSITIVE_UNARY[op](positive.mag)), 0.0)], T=x.dtype)


def one_plus_abs(b, x):
    magnitude = b.node("Abs", [x], [like(x)], T=x.dtype)
    one = b.const(np.asarray(1, x.dtype.as_numpy_dtype))
    return b.node("AddV2", [magnitude, one], [like(x, x.mag + 1)], T=x.dtype)


@rule(1)
def is_finite(b):
    x = b.pick(dtypes=FLOATS)
    b.node(b.choose(["IsNan", "IsInf", "IsFinite"]), [x], [like(x, 1.0, 1.0, dtype=BOOL)], T=x.dtype)


def other(b, x, exact=False):
    """A second operand: of the graph, of a constant, or the first again."""
    how = b.rng.random()
    if how < 0.55:
        try:
            return b.pick(lambda t: compatible(t.shape, x.shape) and (t.exact or not exact), (x.dtype,))
        except Skip:
            pass
    elif how < 0.6:
        return x
    shape = list(x.shape[int(b.rng.integers(0, x.rank + 1)):])
    shape = [1 if b.chance(0.25) else d for d in shape]
    return b.const((x.dtype, shape))


def compatible(p, q):
    return all(a == c or 1 in (a, c) for a, c in zip(reversed(p), reversed(q)))


def broadcast(b, *tensors):
    shape = np.broadcast_shapes(*[t.shape for t in tensors])
    if len(shape) > MAX_RANK or np.prod(shape) > MAX_ELEMENTS:
        raise Skip
    return tuple(shape)


@rule(9)
def binary(b):
    op = b.choose(["AddV2", "AddV2", "AddV2", "Sub", "Mul", "Mul", "Maximum", "Minimum", "SquaredDifference"])
    x = b.pick(dtypes=(*FLOATS, I32, I64))
    y = other(b, x)
    x, y = (y, x) if b.chance(0.4) else (x, y)
    both = span(x, y)
    if op == "Mul":
        mag, grain = x.mag * y.mag, x.grain * y.grain
    elif op == "SquaredDifference":
        mag, grain = (x.mag + y.mag)**2, both["grain"]**2
    else:
        mag, grain = (both["mag"] if op in ("Maximum", "Minimum") else x.mag + y.mag), both["grain"]
    b.node(op, [x, y], [like(x, mag, grain, shape=broadcast(b, x, y))], T=x.dtype)


@rule(1)
def integer_division(b):
    x = b.pick(dtypes=(I32, I64))
    op = b.choose(["FloorDiv", "FloorMod", "TruncateDiv", "TruncateMod", "Div", "Mod"])
    if b.zero_divisor and b.chance(0.5):
        y = other(b, x)  # may hold a zero: then TensorFlow's run fails
    else:
        y = b.const(b.choose([-3, -2, -1, 1, 2, 3, 7]) * np.ones(x.shape[-1:], x.dtype.as_numpy_dtype))
    b.node(op, [x, y], [like(x, max(x.mag, y.mag), shape=broadcast(b, x, y))], T=x.dtype)


@rule(2)
def real_division(b):
    x = b.pick(dtypes=FLOATS)
    if b.chance(0.5):
        y = b.const(np.asarray(b.choose([-4, -2, 0.5, 2, 4]), x.dtype.as_numpy_dtype))
        b.node("RealDiv", [x, y], [like(x, x.mag * 2, x.grain / 4)], T=x.dtype)
        return
    y = one_plus_abs(b, other(b, x))
    b.node(b.choose(["RealDiv", "DivNoNan"]), [x, y], [like(x, x.mag, 0.0, shape=broadcast(b, x, y))], T=x.dtype)


@rule(0.5)
def integer_power(b):
    x = b.pick(lambda t: t.mag <= 10, (I32, I64, F32, F64))
    y = b.const(np.asarray(b.rng.integers(0, 4), x.dtype.as_numpy_dtype))
    b.node("Pow", [x, y], [like(x, max(1.0, x.mag)**3, 0.0)], T=x.dtype)


@rule(2)
def comparison(b):
    op = b.choose(["Less", "LessEqual", "Greater", "GreaterEqual", "Equal", "NotEqual"])
    x = b.pick(lambda t: t.exact, NUMBERS)
    y = other(b, x, exact=True)
    b.node(op, [x, y], [like(x, 1.0, 1.0, dtype=BOOL, shape=broadcast(b, x, y))], T=x.dtype)


@rule(1.5)
def logical(b):
    x = b.pick(dtypes=(BOOL,))
    if b.chance(0.3):
        b.node("LogicalNot", [x], [like(x)])
        return
    y = other(b, x)
    b.node(b.choose(["LogicalAnd", "LogicalOr"]), [x, y], [like(x, shape=broadcast(b, x, y))])


@rule(2)
def select(b):
    condition = b.pick(dtypes=(BOOL,))
    if b.chance(0.3):
        x = b.pick(lambda t: t.rank and (t.shape == condition.shape or condition.shape in ((), t.shape[:1])))
        y = b.pick(lambda t: t.shape == x.shape, (x.dtype,))
        b.node("Select", [condition, x, y], [like(x, **span(x, y))], T=x.dtype)
        return
    x = b.pick(lambda t: compatible(t.shape, condition.shape))
    y = other(b, x)
    if not compatible(y.shape, np.broadcast_shapes(x.shape, condition.shape)):
        raise Skip
    b.node("SelectV2", [condition, x, y], [like(x, shape=broadcast(b, condition, x, y), **span(x, y))], T=x.dtype)


@rule(3)
def cast(b):
    x = b.pick(dtypes=(*NUMBERS, BOOL))
    to = b.choose([F32, F32, F64, tf.float16, tf.bfloat16, I32, I64, U8, I8, BOOL])
    if to not in FLOATS and not x.exact:
        raise Skip
    if b.special and x.dtype in FLOATS and to not in FLOATS:
        raise Skip  # NaN and infinities have no integer
    if to in (U8, I8) and x.mag > 100 or (to == U8 and x.dtype in FLOATS):
        raise Skip  # what does not fit is not defined
    if to in FLOATS:
        result = like(x, dtype=to)
    else:
        result = like(x, x.mag if to != U8 else 255.0, 1.0, dtype=to)
    b.node("Cast", [x], [result], SrcT=x.dtype, DstT=to)


@rule(1)
def clip(b):
    x = b.pick(dtypes=(F32, F64, I32, I64))
    low, high = (b.const(np.asarray(v, x.dtype.as_numpy_dtype)) for v in (b.choose([0, -2]), b.choose([1, 3, 6])))
    result = like(x, 6.0)
    if b.chance(0.5):
        b.node("ClipByValue", [x, low, high], [result], T=x.dtype)
    else:
        upper = b.node("Minimum", [x, high], [like(x, max(x.mag, 6.0))], T=x.dtype)
        b.node("Maximum", [upper, low], [result if x.mag > 6 else like(x, 6.0)], T=x.dtype)


@rule(1)
def add_n(b):
    x = b.pick(dtypes=(*FLOATS, I32, I64))
    terms = [x] + [b.pick(lambda t: t.shape == x.shape, (x.dtype,)) for _ in range(b.rng.integers(0, 3))]
    b.node("AddN", terms, [like(x, sum(t.mag for t in terms), min(t.grain for t in terms))], T=x.dtype, N=len(terms))


# Reductions

def axes_of(b, x):
    count = int(b.rng.integers(1, x.rank + 1)) if x.rank else 0
    return sorted(int(a) for a in b.rng.choice(x.rank, count, replace=False)) if count else []


@rule(4)
def reduction(b):
    x = b.pick(dtypes=(*FLOATS, I32, I64, BOOL))
    op = b.choose(["Any", "All"] if x.dtype == BOOL else ["Sum", "Sum", "Mean", "Max", "Min", "Prod"])
    if op == "Mean" and x.dtype not in FLOATS:
        raise Skip
    axes, keep = axes_of(b, x), bool(b.chance(0.5))
    count = int(np.prod([x.shape[a] for a in axes], dtype=np.int64))
    shape = tuple(1 if i in axes else d for i, d in enumerate(x.shape) if keep or i not in axes)
    mag, grain = x.mag, x.grain
    if op == "Sum":
        mag = x.mag * max(count, 1)
    elif op == "Mean":
        grain = 0.0
    elif op == "Prod":
        if x.dtype in FLOATS and count > 4:
            raise Skip
        mag, grain = max(x.mag, 1.0)**min(count, 300), x.grain**count
    index = b.ints([a - x.rank if b.chance(0.4) else a for a in axes], b.choose([np.int32, np.int64]))
    attrs = {} if x.dtype == BOOL else {"T": x.dtype}
    b.node(op, [x, index], [like(x, float(mag), grain, shape=shape)], Tidx=index.dtype, keep_dims=keep, **attrs)


@rule(1)
def arg_extreme(b):
    x = b.pick(lambda t: t.exact and t.rank and t.size, (*FLOATS, I32, I64))
    axis, to = int(b.rng.integers(0, x.rank)), b.choose([I32, I64])
    shape = x.shape[:axis] + x.shape[axis + 1:]
    b.node(b.choose(["ArgMax", "ArgMin"]), [x, b.ints(axis)], [Tensor("", to, shape, float(x.shape[axis]), 1.0)],
           T=x.dtype, Tidx=I32, output_type=to)


@rule(1)
def top_k(b):
    x = b.pick(lambda t: t.exact and t.rank and t.shape[-1] > 0 and not b.special, (F32, F64, I32, I64))
    k = int(b.rng.integers(0, x.shape[-1] + 1))
    shape = (*x.shape[:-1], k)
    b.node("TopKV2", [x, b.ints(k)], [like(x, shape=shape), Tensor("", I32, shape, float(x.shape[-1]), 1.0)], T=x.dtype, sorted=True)


@rule(1)
def scan(b):
    x = b.pick(lambda t: t.rank, (F32, F64, I32, I64))
    axis = int(b.rng.integers(-x.rank, x.rank))
    count = max(1, x.shape[axis])
    if x.dtype not in FLOATS and b.chance(0.3):
        op, mag = "Cumprod", max(1.0, x.mag)**count
    else:
        op, mag = "Cumsum", x.mag * count
    b.node(op, [x, b.ints(axis)], [like(x, float(mag))], T=x.dtype, Tidx=I32, exclusive=bool(b.chance(0.3)), reverse=bool(b.chance(0.3)))


@rule(1)
def l2_loss(b):
    x = b.pick(dtypes=(F32, F64))
    b.node("L2Loss", [x], [like(x, x.mag**2 * max(1, x.size) / 2, x.grain**2 / 2, shape=())], T=x.dtype)


# Movement

@rule(3)
def reshape(b):
    x = b.pick()
    shape, left = [], x.size
    if x.size == 0:
        shape = [0]
    while left > 1 and len(shape) < MAX_RANK - 1:
        factor = b.choose([d for d in range(1, left + 1) if left % d == 0][:6])
        shape.append(factor)
        left //= factor
    shape.append(left)
    shape = [shape[i] for i in b.rng.permutation(len(shape))] if x.size else [0, *shape[1:]]
    if x.size == 0:
        shape = [0]
    told, result = list(shape), like(x, shape=tuple(shape))
    if x.size and b.chance(0.5):
        told[int(b.rng.integers(len(told)))] = -1
    same = [(i, j) for i, d in enumerate(shape) for j, e in enumerate(x.shape) if d == e]
    if same and b.chance(0.5):  # one extent is read from the input
        to, source = b.choose(same)
        extents = b.node("Shape", [x], [Tensor("", I32, (x.rank,), float(MAX_ELEMENTS))], T=x.dtype, out_type=I32, keep=False)
        extent = b.node("StridedSlice", [extents, b.ints([source]), b.ints([source + 1]), b.ints([1])], [Tensor("", I32, ())], keep=False,
                        T=I32, Index=I32, begin_mask=0, end_mask=0, ellipsis_mask=0, new_axis_mask=0, shrink_axis_mask=1)
        parts = [extent if i == to else b.ints(d) for i, d in enumerate(told)]
        target = b.node("Pack", parts, [Tensor("", I32, (len(parts),))], keep=False, T=I32, N=len(parts), axis=0)
    else:
        target = b.ints(told, b.choose([np.int32, np.int64]))
    b.node("Reshape", [x, target], [result], T=x.dtype, Tshape=target.dtype)


@rule(1.5)
def expand_or_squeeze(b):
    x = b.pick()
    ones = [i for i, d in enumerate(x.shape) if d == 1]
    if ones and b.chance(0.5):
        axes = [a for a in ones if b.chance(0.6)]
        gone = axes or ones
        shape = tuple(d for i, d in enumerate(x.shape) if i not in gone)
        b.node("Squeeze", [x], [like(x, shape=shape)], T=x.dtype, squeeze_dims=axes)
        return
    axis = int(b.rng.integers(0, x.rank + 1))
    at = b.ints(axis if b.chance(0.5) else axis - x.rank - 1)
    b.node("ExpandDims", [x, at], [like(x, shape=(*x.shape[:axis], 1, *x.shape[axis:]))], T=x.dtype, Tdim=I32)


def transposed(b, x, order):
    return b.node("Transpose", [x, b.ints(order)], [like(x, shape=tuple(x.shape[i] for i in order))], T=x.dtype, Tperm=I32)


@rule(2.5)
def transpose(b):
    x = b.pick(lambda t: t.rank > 1)
    order = [int(i) for i in b.rng.permutation(x.rank)]
    y = transposed(b, x, order)
    if b.chance(0.3):
        y = b.node("Relu", [y], [like(y)], T=y.dtype) if y.dtype in FLOATS else y
        transposed(b, y, [order.index(i) for i in range(x.rank)])


@rule(2.5)
def concat(b):
    x = b.pick(lambda t: t.rank)
    axis = int(b.rng.integers(0, x.rank))
    fits = lambda t: t.rank == x.rank and all(p == q for i, (p, q) in enumerate(zip(t.shape, x.shape)) if i != axis)
    parts = [x] + [b.pick(fits, (x.dtype,)) for _ in range(b.rng.integers(1, 4))]
    b.rng.shuffle(parts)
    shape = (*x.shape[:axis], sum(p.shape[axis] for p in parts), *x.shape[axis + 1:])
    at = b.ints(axis - x.rank if b.chance(0.4) else axis)
    b.node("ConcatV2", [*parts, at], [like(x, shape=shape, **span(*parts))], T=x.dtype, Tidx=I32, N=len(parts))


@rule(1.5)
def pack(b):
    x = b.pick()
    parts = [x] + [b.pick(lambda t: t.shape == x.shape, (x.dtype,)) for _ in range(b.rng.integers(0, 3))]
    axis = int(b.rng.integers(0, x.rank + 1))
    told = axis if b.chance(0.6) else axis - x.rank - 1
    b.node("Pack", parts, [like(x, shape=(*x.shape[:axis], len(parts), *x.shape[axis:]), **span(*parts))], T=x.dtype, N=len(parts), axis=told)


@rule(1.5)
def unpack(b):
    x = b.pick(lambda t: t.rank and any(0 < d <= 5 for d in t.shape))
    axis = b.choose([i for i, d in enumerate(x.shape) if 0 < d <= 5])
    part = like(x, shape=x.shape[:axis] + x.shape[axis + 1:])
    b.node("Unpack", [x], [part] * x.shape[axis], T=x.dtype, num=x.shape[axis], axis=axis if b.chance(0.5) else axis - x.rank)


@rule(2)
def split(b):
    x = b.pick(lambda t: t.rank and t.size)
    axis = int(b.rng.integers(0, x.rank))
    extent, at = x.shape[axis], b.ints(axis if b.chance(0.6) else axis - x.rank)
    part = lambda d: like(x, shape=(*x.shape[:axis], d, *x.shape[axis + 1:]))
    if b.chance(0.5):
        count = b.choose([d for d in range(1, extent + 1) if extent % d == 0 and d <= 6])
        b.node("Split", [at, x], [part(extent // count)] * count, T=x.dtype, num_split=count)
        return
    cut = int(b.rng.integers(0, extent + 1))
    sizes = b.ints([cut, -1 if b.chance(0.5) else extent - cut])
    b.node("SplitV", [x, sizes, at], [part(cut), part(extent - cut)], T=x.dtype, Tlen=I32, num_split=2)


@rule(3)
def slices(b):
    x = b.pick(lambda t: t.rank)
    begins = [int(b.rng.integers(0, d + 1)) for d in x.shape]
    ends = [int(b.rng.integers(begin, d + 1)) for begin, d in zip(begins, x.shape)]
    if b.chance(0.35):
        sizes = [-1 if e == d and b.chance(0.5) else e - s for s, e, d in zip(begins, ends, x.shape)]
        shape = tuple(e - s for s, e in zip(begins, ends))
        b.node("Slice", [x, b.ints(begins), b.ints(sizes)], [like(x, shape=shape)], T=x.dtype, Index=I32)
        return
    count = int(b.rng.integers(1, x.rank + 1))  # the axes behind are kept whole
    begin, end, stride, masks = [], [], [], {"begin_mask": 0, "end_mask": 0, "shrink_axis_mask": 0, "ellipsis_mask": 0, "new_axis_mask": 0}
    index, where = [], 0
    for axis in range(count):
        extent, how = x.shape[axis], b.rng.random()
        begin.append(begins[axis]), end.append(ends[axis]), stride.append(1)
        if how < 0.2 and extent:
            at = int(b.rng.integers(-extent, extent))
            begin[-1], end[-1] = at, at + 1
            masks["shrink_axis_mask"] |= 1 << where
            index.append(at)
        elif how < 0.3:
            masks["new_axis_mask"] |= 1 << where
            index += [None]
            where += 1
            begin.append(0), end.append(0), stride.append(1)
            index.append(slice(begin[-1], end[-1], 1))
        else:
            s = b.choose([1, 1, 2, 3, -1, -2])
            first, last = (None, None) if b.chance(0.3) else (begins[axis], ends[axis])
            if s < 0 and first is not None:
                first, last = max(extent - 1, 0), (last if b.chance(0.5) else None)
            begin[-1], end[-1], stride[-1] = first or 0, last or 0, s
            masks["begin_mask"] |= (first is None) << where
            masks["end_mask"] |= (last is None) << where
            index.append(slice(first, last, s))
        where += 1
    shape = np.empty(x.shape)[tuple(index)].shape
    b.node("StridedSlice", [x, b.ints(begin), b.ints(end), b.ints(stride)], [like(x, shape=shape)], T=x.dtype, Index=I32, **masks)


@rule(2)
def gather(b):
    x = b.pick(lambda t: t.rank and t.size)
    axis, extent = 0, x.shape[0]
    if b.chance(0.4):
        indices = b.pick(lambda t: t.rank <= 2, (I32, I64))  # may be out of range: an error in TensorFlow
        if not b.zero_divisor:
            high = b.const(np.asarray(extent, indices.dtype.as_numpy_dtype))
            indices = b.node("FloorMod", [indices, high], [like(indices, float(extent))], T=indices.dtype)
    else:
        axis = int(b.rng.integers(0, x.rank))
        extent = x.shape[axis]
        indices = b.ints(b.rng.integers(0, extent, b.rng.integers(0, 4, b.rng.integers(0, 3))), b.choose([np.int32, np.int64]))
    shape = (*x.shape[:axis], *indices.shape, *x.shape[axis + 1:])
    b.node("GatherV2", [x, indices, b.ints(axis)], [like(x, shape=shape)], Tparams=x.dtype, Tindices=indices.dtype, Taxis=I32, batch_dims=0)


@rule(1)
def gather_or_scatter_nd(b):
    x = b.pick(lambda t: t.rank and t.size, (F32, F64, I32, I64))
    depth, count = int(b.rng.integers(1, x.rank + 1)), int(b.rng.integers(1, 4))
    rows = np.stack([b.rng.integers(0, d, count) for d in x.shape[:depth]], 1)
    shape = (count, *x.shape[depth:])
    if b.chance(0.5):
        b.node("GatherNd", [x, b.ints(rows)], [like(x, shape=shape)], Tparams=x.dtype, Tindices=I32)
        return
    updates = b.const((x.dtype, shape))
    op = b.choose(["TensorScatterUpdate", "TensorScatterAdd", "TensorScatterSub", "TensorScatterMax", "TensorScatterMin"])
    mag = x.mag + count * updates.mag
    b.node(op, [x, b.ints(rows), updates], [like(x, mag, min(x.grain, updates.grain))], T=x.dtype, Tindices=I32)


@rule(1)
def tile(b):
    x = b.pick(lambda t: t.rank)
    times = [int(b.choose([1, 1, 2, 3])) for _ in x.shape]
    b.node("Tile", [x, b.ints(times)], [like(x, shape=tuple(d * t for d, t in zip(x.shape, times)))], T=x.dtype, Tmultiples=I32)


@rule(1.5)
def pad(b):
    x = b.pick(lambda t: 0 < t.rank, (*FLOATS, I32, I64))
    widths = b.rng.integers(0, 3, (x.rank, 2))
    op = b.choose(["Pad", "PadV2", "MirrorPad"])
    inputs, attrs, value = [x], {}, x
    if op == "MirrorPad":
        mode = b.choose(["REFLECT", "SYMMETRIC"])
        most = np.maximum(np.array(x.shape) - (mode == "REFLECT"), 0)
        widths, attrs = np.minimum(widths, most[:, None]), {"mode": mode}
    inputs.append(b.ints(widths))
    if op == "PadV2":
        value = b.const((x.dtype, ()))
        inputs.append(value)
    b.node(op, inputs, [like(x, shape=tuple(int(d + w.sum()) for d, w in zip(x.shape, widths)), **span(x, value))],
           T=x.dtype, Tpaddings=I32, **attrs)


@rule(1)
def reverse_or_roll(b):
    x = b.pick(lambda t: t.rank, (*FLOATS, I32, I64, BOOL))
    if b.chance(0.5):
        b.node("ReverseV2", [x, b.ints(axes_of(b, x))], [like(x)], T=x.dtype, Tidx=I32)
    else:
        axis = int(b.rng.integers(0, x.rank))
        b.node("Roll", [x, b.ints(b.rng.integers(-5, 6)), b.ints(axis)], [like(x)], T=x.dtype, Tshift=I32, Taxis=I32)


@rule(1)
def broadcast_to(b):
    x = b.pick()
    shape = [b.choose([1, 2, 3]) if d == 1 else d for d in x.shape]
    shape = [b.choose([1, 2])] * bool(b.chance(0.4)) + shape
    b.node("BroadcastTo", [x, b.ints(shape)], [like(x, shape=tuple(shape))], T=x.dtype, Tidx=I32)


@rule(1)
def matrix_parts(b):
    x = b.pick(lambda t: t.rank >= 2, (F32, F64, I32))
    if b.chance(0.6):
        low, high = (int(v) for v in b.rng.integers(-1, 3, 2))
        if low > x.shape[-2] or high > x.shape[-1]:
            raise Skip
        b.node("MatrixBandPart", [x, b.ints(low), b.ints(high)], [like(x)], T=x.dtype, Tindex=I32)
    else:
        b.node("MatrixDiag", [x], [like(x, shape=(*x.shape, x.shape[-1]))], T=x.dtype)


# What makes tensors of shapes and numbers

@rule(1.5)
def shape_of(b):
    x, to = b.pick(), b.choose([I32, I64])
    op = b.choose(["Shape", "Shape", "Size", "Rank"])
    result = Tensor("", to if op != "Rank" else I32, (x.rank,) if op == "Shape" else (), float(MAX_ELEMENTS), 1.0)
    b.node(op, [x], [result], T=x.dtype, **({} if op == "Rank" else {"out_type": to}))


@rule(1)
def generate_values(b):
    op = b.choose(["Fill", "Range", "OneHot"])
    if op == "Fill":
        value = b.pick(lambda t: t.rank == 0)
        shape = [int(d) for d in b.rng.integers(0, 4, b.rng.integers(0, 4))]
        b.node("Fill", [b.ints(shape), value], [like(value, shape=tuple(shape))], T=value.dtype, index_type=I32)
    elif op == "Range":
        start, delta, count = int(b.rng.integers(-3, 4)), int(b.choose([-2, -1, 1, 3])), int(b.rng.integers(0, 6))
        b.node("Range", [b.ints(start), b.ints(start + count * delta), b.ints(delta)],
               [Tensor("", I32, (count,), float(abs(start) + count * 3), 1.0)], Tidx=I32)
    else:
        x = b.pick(lambda t: t.rank < 4, (I32, I64, U8))
        on, off = b.const(np.float32(1)), b.const(np.float32(b.choose([0, -1])))
        b.node("OneHot", [x, b.ints(4), on, off], [Tensor("", F32, (*x.shape, 4), 1.0, 1.0)], T=F32, TI=x.dtype, axis=-1)
