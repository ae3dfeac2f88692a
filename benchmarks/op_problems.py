"""One call of each TensorFlow op that benchmarks/ops.py measures, over about n elements: `problems(n)`.

`build` takes the tensors of `arrays` and gives the op's result; what the op takes as constants lies in `build`. Elements are those
of the largest operand or result, of products the multiply-adds' largest operand.
"""

import typing

import numpy as np
import tensorflow as tf

raw = tf.raw_ops
F32, I32, I64 = np.float32, np.int32, np.int64
MOVED = (F32, I32, I64)  # dtypes of ops that only move elements

POSITIVE, UNIT, ABOVE_ONE = (0.1, 4.0), (-0.99, 0.99), (1.0, 9.0)
DOMAINS = {"Log": POSITIVE, "Sqrt": POSITIVE, "Rsqrt": POSITIVE, "Asin": UNIT, "Acos": UNIT, "Atanh": UNIT, "Acosh": ABOVE_ONE}
UNARY = """Exp Log Sqrt Rsqrt Reciprocal Abs Neg Sin Cos Tan Sinh Cosh Asin Acos Atan Asinh Acosh Atanh Ceil Floor Erf Round Sign
    Relu Relu6 LeakyRelu Sigmoid Tanh Elu Selu Softsign Softplus Square""".split()
BINARY = """Add AddV2 Mul Sub Div FloorDiv RealDiv Minimum Maximum Pow Greater Less Equal GreaterEqual LessEqual
    SquaredDifference""".split()
REDUCE = "Sum Prod Max Min Mean".split()


class Problem(typing.NamedTuple):
    op: str
    dtype: str
    build: typing.Callable
    arrays: list


def _draw(shape, dtype=F32, low=-3.0, high=3.0, seed=1):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.uniform(low, high, shape).astype(dtype)
    return rng.integers(0, 100, shape).astype(dtype) if dtype != bool else rng.integers(0, 2, shape).astype(bool)


def _call(op, **attributes):
    """`op` by its inputs in order."""
    from tensorflow.python.framework import op_def_registry

    names = [a.name for a in op_def_registry.get(op).input_arg]
    return lambda *tensors: getattr(raw, op)(**dict(zip(names, tensors)), **attributes)


def _elementwise(n):
    rows = (n // 1000, 1000)
    for op in UNARY:
        yield op, _call(op), [_draw(rows, F32, *DOMAINS.get(op, (-3.0, 3.0)))]
    for op in BINARY:
        low = 0.5 if op in ("Div", "FloorDiv", "RealDiv", "Pow") else -3.0
        yield op, _call(op), [_draw(rows, F32, 0.5 if op == "Pow" else -3.0), _draw(rows, F32, low, seed=2)]
    for op in ("LogicalAnd", "LogicalOr"):
        yield op, _call(op), [_draw(rows, bool), _draw(rows, bool, seed=2)]
    yield "LogicalNot", _call("LogicalNot"), [_draw(rows, bool)]
    yield "AddN", lambda *x: raw.AddN(inputs=list(x)), [_draw(rows, seed=s) for s in range(3)]
    yield "ClipByValue", lambda x: raw.ClipByValue(t=x, clip_value_min=-1.0, clip_value_max=1.0), [_draw(rows)]
    yield "Cast", lambda x: raw.Cast(x=x, DstT=tf.float16), [_draw(rows)]
    chosen = [_draw(rows, bool), _draw(rows), _draw(rows, seed=2)]
    yield "Select", lambda c, a, b: raw.Select(condition=c, x=a, y=b), chosen
    yield "SelectV2", _call("SelectV2"), chosen
    for op in ("Softmax", "LogSoftmax"):
        yield op, _call(op), [_draw(rows)]
    yield "BiasAdd", _call("BiasAdd"), [_draw((n // 64, 64)), _draw((64,))]
    yield "FakeQuantWithMinMaxArgs", lambda x: raw.FakeQuantWithMinMaxArgs(inputs=x, min=-2.0, max=2.0), [_draw(rows)]
    yield "FakeQuantWithMinMaxVars", lambda x: raw.FakeQuantWithMinMaxVars(inputs=x, min=-2.0, max=2.0), [_draw(rows)]
    ranged = dict(input_min=-2.0, input_max=2.0, range_given=True)
    yield "QuantizeAndDequantizeV2", lambda x: raw.QuantizeAndDequantizeV2(input=x, **ranged), [_draw(rows)]
    yield "QuantizeAndDequantizeV3", lambda x: raw.QuantizeAndDequantizeV3(input=x, num_bits=8, **ranged), [_draw(rows)]


def _reductions(n):
    rows = (n // 1000, 1000)
    for op in REDUCE:
        yield op, lambda x, op=op: getattr(raw, op)(input=x, axis=[1]), [_draw(rows, F32, 0.9, 1.1)]
    for op in ("ArgMin", "ArgMax"):
        yield op, lambda x, op=op: getattr(raw, op)(input=x, dimension=1, output_type=tf.int32), [_draw(rows)]
    yield "TopKV2", lambda x: raw.TopKV2(input=x, k=5), [_draw(rows)]
    boxes = np.random.default_rng(1).uniform(0, 0.5, (1, n // 100, 1, 2)).astype(F32)
    yield "CombinedNonMaxSuppression", lambda b, s: raw.CombinedNonMaxSuppression(
        boxes=b, scores=s, max_output_size_per_class=50, max_total_size=100, iou_threshold=0.5, score_threshold=0.6), \
        [np.concatenate([boxes, boxes + 0.2], -1), _draw((1, n // 100, 10), F32, 0, 1)]


def _products(n):
    side = round((n / 32) ** 0.5)
    image = _draw((1, side, side, 32))
    k33, nhwc = _draw((3, 3, 32, 32), seed=2), dict(strides=[1, 1, 1, 1], padding="SAME")
    yield "Conv2D", lambda x: raw.Conv2D(input=x, filter=k33, **nhwc), [image]
    yield "DepthwiseConv2dNative", lambda x: raw.DepthwiseConv2dNative(input=x, filter=k33[..., :1], **nhwc), [image]
    yield "Conv2DBackpropInput", lambda x: raw.Conv2DBackpropInput(
        input_sizes=[1, side, side, 32], filter=k33, out_backprop=x, strides=[1, 2, 2, 1], padding="SAME"), \
        [_draw((1, -(-side // 2), -(-side // 2), 32))]
    edge = round((n / 16) ** (1 / 3))
    cube, k333 = _draw((1, edge, edge, edge, 16)), _draw((3, 3, 3, 16, 16), seed=2)
    yield "Conv3D", lambda x: raw.Conv3D(input=x, filter=k333, strides=[1] * 5, padding="SAME"), [cube]
    yield "Conv3DBackpropInputV2", lambda x: raw.Conv3DBackpropInputV2(
        input_sizes=[1, edge, edge, edge, 16], filter=k333, out_backprop=x, strides=[1] * 5, padding="SAME"), [cube]
    pool = dict(ksize=[1, 3, 3, 1], strides=[1, 2, 2, 1], padding="SAME")
    yield "MaxPool", lambda x: raw.MaxPool(input=x, **pool), [image]
    yield "AvgPool", lambda x: raw.AvgPool(value=x, **pool), [image]
    pool = dict(ksize=[1, 2, 2, 2, 1], strides=[1, 2, 2, 2, 1], padding="SAME")
    yield "MaxPool3D", lambda x: raw.MaxPool3D(input=x, **pool), [cube]
    yield "AvgPool3D", lambda x: raw.AvgPool3D(input=x, **pool), [cube]
    stats = {name: _draw((32,), F32, 0.5, 1.5, seed) for seed, name in enumerate("scale offset mean variance".split())}
    for op in ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"):
        yield op, lambda x, op=op: getattr(raw, op)(x=x, **stats, is_training=False)[0], [image]
    d = round(n ** 0.5)
    yield "MatMul", _call("MatMul"), [_draw((d, d)), _draw((d, d), seed=2)]
    d = round((n / 8) ** 0.5)
    for op in ("BatchMatMul", "BatchMatMulV2"):
        yield op, _call(op), [_draw((8, d, d)), _draw((8, d, d), seed=2)]
    yield "Einsum", lambda a, b: raw.Einsum(inputs=[a, b], equation="bij,bjk->bik"), [_draw((8, d, d)), _draw((8, d, d), seed=2)]
    for op in ("ResizeBilinear", "ResizeNearestNeighbor"):
        half = round((n / 12) ** 0.5)
        yield op, lambda x, op=op, half=half: getattr(raw, op)(images=x, size=[2 * half, 2 * half], half_pixel_centers=True), \
            [_draw((1, half, half, 3))]


def _moved(n, dtype):
    rows, half = (n // 1000, 1000), (n // 2000, 1000)
    side = round((n / 32) ** 0.5) // 2 * 2
    x, image = _draw(rows, dtype), _draw((1, side, side, 32), dtype)
    yield "Transpose", lambda x: raw.Transpose(x=x, perm=[1, 0]), [x]
    yield "Slice", lambda x: raw.Slice(input=x, begin=[0, 100], size=[-1, 800]), [x]
    yield "StridedSlice", lambda x: x[:, ::2], [x]
    yield "Split", lambda x: raw.Split(axis=1, value=x, num_split=4), [x]
    yield "Unpack", lambda x: raw.Unpack(value=x, num=4, axis=1), [_draw((n // 1000, 4, 250), dtype)]
    yield "Pack", lambda a, b: raw.Pack(values=[a, b], axis=1), [_draw(half, dtype)] * 2
    yield "ConcatV2", lambda a, b: raw.ConcatV2(values=[a, b], axis=1), [_draw(half, dtype)] * 2
    yield "Pad", lambda x: raw.Pad(input=x, paddings=[[0, 0], [1, 1], [1, 1], [0, 0]]), [image]
    yield "Tile", lambda x: raw.Tile(input=x, multiples=[1, 2]), [_draw(half, dtype)]
    index = np.random.default_rng(3).integers(0, rows[0], rows[0]).astype(I32)
    yield "GatherV2", lambda x, i: raw.GatherV2(params=x, indices=i, axis=0), [x, index]
    yield "Fill", lambda v: raw.Fill(dims=list(rows), value=v), [np.asarray(3, dtype)]
    if dtype != F32:  # of float32 an engine takes it with constants only
        zero, one = np.asarray(0, dtype), np.asarray(1, dtype)
        yield "Range", lambda x: raw.Range(start=zero, limit=raw.Size(input=x, out_type=dtype), delta=one), [x]
    yield "ZerosLike", _call("ZerosLike"), [x]
    yield "OnesLike", _call("OnesLike"), [x]
    yield "DepthToSpace", lambda x: raw.DepthToSpace(input=x, block_size=2), [image]
    yield "SpaceToDepth", lambda x: raw.SpaceToDepth(input=x, block_size=2), [image]


def problems(n):
    """Every measured call over about n elements."""
    for family in (_elementwise, _reductions, _products):
        for op, build, arrays in family(n):
            yield Problem(op, arrays[-1].dtype.name, build, arrays)
    for dtype in MOVED:
        for op, build, arrays in _moved(n, dtype):
            yield Problem(op, np.dtype(dtype).name, build, arrays)
