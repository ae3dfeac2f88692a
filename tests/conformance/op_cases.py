"""Cases of test_ops_vs_tf: `case(op, name, build, arrays)` is a graph of one TensorFlow op.

Arrays are fed; `shapes` says what the converter is told of them (None: unknown; default: the batch is unknown).
A file `cases_FAMILY.py` beside this one adds a family: its function `cases()` calls `case` as the functions here do.
"""
import dataclasses
import importlib
import itertools
import pathlib
import typing
import zlib

import numpy as np
import tensorflow as tf

raw = tf.raw_ops
F64, F32, F16, I32, I64 = np.float64, np.float32, np.float16, np.int32, np.int64
BF16 = tf.bfloat16.as_numpy_dtype
EXACT, CLOSE = 0, 1e-5
ROUNDED = {F64: 1e-12, F32: CLOSE, F16: 2e-3, BF16: 1.6e-2}
SPECIAL = np.array([np.nan, 1, 0, -0.0, np.inf, -np.inf, 0.5, -2.5, 3, 1e-30, -700, 40], F32)


@dataclasses.dataclass
class Case:
    op: str
    name: str
    build: typing.Callable
    inputs: list
    shapes: list
    rtol: float
    refused: str
    reference: bool  # dtypes and ops that only the reference evaluator computes
    error: bool  # TensorFlow's run fails, and so must the engine's
    layers: str  # the kinds of all layers of the engine, where that matters
    oracle: typing.Callable  # what TensorFlow runs where it has no CPU kernel of the op in this form

    def graph(self, build=None):
        """(graph, feeds, names of the results)"""
        with tf.Graph().as_default() as graph:
            feeds = [tf.compat.v1.placeholder(a.dtype, shape, name=f"in{i}") for i, (a, shape) in enumerate(zip(self.inputs, self.shapes))]
            results = (build or self.build)(*feeds)
            # One node a result: a converted node keeps its first output's name only.
            results = [tf.identity(r) for r in results] if isinstance(results, (list, tuple)) else [results]
        return graph, dict(zip((f.name for f in feeds), self.inputs)), [r.name for r in results]


CASES = []


def case(op, name, build, inputs, shapes=None, rtol=CLOSE, refused="", reference=False, error=False, layers="", oracle=None):
    inputs = [np.asarray(a) for a in inputs]
    if shapes is None:
        shapes = [[None, *a.shape[1:]] if a.ndim else [] for a in inputs]
    CASES.append(Case(op, f"{op}_{name}", build, inputs, shapes, rtol, refused, reference, error, layers, oracle or build))


def rng(name):
    return np.random.default_rng(zlib.crc32(name.encode()))


def normal(name, shape, dtype=F32):
    return rng(name).normal(size=shape).astype(dtype)


def integers(name, shape, dtype=I32, low=-20, high=20):
    return rng(name).integers(max(low, 0) if np.dtype(dtype).kind == "u" else low, high, size=shape).astype(dtype)


def static(*arrays):
    return [list(np.shape(a)) for a in arrays]


def unknown(*arrays):
    return [[None] * np.ndim(a) for a in arrays]


def transposed_conv():
    op = "Conv2DBackpropInput"

    def make(name, k, s, padding, src, channels, shapes=None, dtype=F32, fmt="NHWC", explicit=(), extra=(0, 0),
             refused="", dynamic=False, two=False, infinite=False):
        """src [N, H, W, C] is out_backprop; the result has `extra` more rows and columns than the least."""
        kh, kw = k
        n, h, w, c = src
        strides = [1, *s, 1] if fmt == "NHWC" else [1, 1, *s]
        if padding == "SAME":
            size = [h * s[0] + extra[0], w * s[1] + extra[1]]
        else:
            pads = explicit[2:6] if fmt == "NHWC" else explicit[4:8]
            pads = pads if explicit else (0, 0, 0, 0)
            size = [(h - 1) * s[0] + kh - sum(pads[:2]) + extra[0], (w - 1) * s[1] + kw - sum(pads[2:]) + extra[1]]
        x = normal(name, src, dtype)
        if infinite:  # only the window of these becomes infinite
            x[0, 2, 1], x[-1, 0, 0] = np.inf, -np.inf
        if fmt == "NCHW":
            x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
        filt = normal(name + "w", (kh, kw, channels, c), dtype)
        full = [n, *size, channels] if fmt == "NHWC" else [n, channels, *size]

        def build(dy):
            sizes = np.array(size if two else full, I32)
            if dynamic:  # as Keras writes it: extents from Shape, times the stride
                shape = tf.shape(dy)
                more = [size[i] - src[i + 1] * s[i] for i in range(2)]
                sizes = tf.stack([shape[0], shape[1] * s[0] + more[0], shape[2] * s[1] + more[1], channels])
            return raw.Conv2DBackpropInput(input_sizes=sizes, filter=tf.constant(filt), out_backprop=dy,
                                           strides=strides, padding=padding, data_format=fmt,
                                           explicit_paddings=list(explicit))
        def oracle(dy):  # TensorFlow's CPU kernel is NHWC only
            y = raw.Conv2DBackpropInput(
                input_sizes=[n, *size, channels], filter=tf.constant(filt), out_backprop=tf.transpose(dy, [0, 2, 3, 1]),
                strides=[1, *s, 1], padding=padding,
                explicit_paddings=[*explicit[:2], *explicit[4:], 0, 0] if explicit else [])
            return tf.transpose(y, [0, 3, 1, 2])
        case(op, name, build, [x], shapes, ROUNDED[dtype], refused=refused, reference=dtype != F32,
             oracle=oracle if fmt == "NCHW" else None)

    for k, s in [(2, 2), (3, 2), (4, 2), (3, 1), (5, 3), (1, 2), (1, 1), (2, 3), (4, 4), (7, 2)]:
        for padding in ("SAME", "VALID"):
            make(f"k{k}_s{s}_{padding}", (k, k), (s, s), padding, (2, 5, 4, 3), 4)
    make("unequal_strides", (3, 4), (2, 1), "SAME", (2, 5, 4, 3), 4)
    make("unequal_strides_valid", (3, 2), (1, 3), "VALID", (2, 5, 4, 3), 4)
    make("unequal_unknown", (3, 4), (2, 3), "SAME", (2, 5, 4, 3), 4, shapes=[[None, None, None, 3]], dynamic=True)
    make("odd_same", (3, 3), (2, 2), "SAME", (2, 5, 4, 3), 4, extra=(-1, 0))
    make("odd_same_both", (4, 4), (2, 2), "SAME", (2, 5, 4, 3), 4, extra=(-1, -1))
    make("valid_one_more", (3, 3), (2, 2), "VALID", (2, 5, 4, 3), 4, extra=(1, 0))
    make("valid_two_more", (2, 2), (3, 3), "VALID", (2, 5, 4, 3), 4, extra=(2, 1))
    make("explicit", (4, 4), (2, 2), "EXPLICIT", (2, 5, 4, 3), 4, explicit=(0, 0, 1, 1, 1, 2, 0, 0))
    make("explicit_uneven", (5, 3), (3, 2), "EXPLICIT", (2, 5, 4, 3), 4, explicit=(0, 0, 3, 0, 0, 2, 0, 0))
    make("explicit_wide", (2, 2), (1, 1), "EXPLICIT", (2, 6, 6, 3), 4, explicit=(0, 0, 2, 2, 1, 2, 0, 0))
    make("batch_of_one_known", (3, 3), (2, 2), "SAME", (1, 5, 4, 3), 4, shapes=[[1, 5, 4, 3]])
    make("dynamic_batch", (3, 3), (2, 2), "SAME", (3, 5, 4, 3), 4, dynamic=True)
    make("dynamic_all", (3, 3), (2, 2), "SAME", (3, 5, 4, 3), 4, shapes=[[None, None, None, 3]], dynamic=True)
    make("dynamic_valid", (5, 5), (2, 2), "VALID", (3, 5, 4, 3), 4, shapes=[[None, None, None, 3]], dynamic=True)
    make("dynamic_k4", (4, 4), (2, 2), "SAME", (3, 5, 4, 3), 4, shapes=[[None, None, None, 3]], dynamic=True)
    make("float64", (3, 3), (2, 2), "SAME", (2, 5, 4, 3), 4, dtype=F64)
    make("float16", (3, 3), (2, 2), "SAME", (2, 5, 4, 3), 4, dtype=F16)
    make("one_pixel", (4, 4), (1, 1), "VALID", (2, 1, 1, 6), 5)
    make("empty_batch", (3, 3), (2, 2), "SAME", (0, 5, 4, 3), 4)
    make("many_channels", (4, 4), (2, 2), "SAME", (1, 8, 8, 64), 32)
    for k, s, padding, extra in (((3, 3), (2, 2), "SAME", (0, 0)), ((3, 3), (2, 2), "VALID", (1, 0)), ((5, 5), (2, 2), "SAME", (-1, 0)),
                                 ((5, 4), (3, 2), "SAME", (0, 0)), ((3, 5), (1, 2), "VALID", (0, 0)), ((4, 5), (3, 3), "SAME", (-2, -1))):
        make(f"phase_by_phase_{k[0]}{k[1]}_{s[0]}{s[1]}_{padding}", k, s, padding, (2, 5, 4, 32), 32, extra=extra)
    make("phase_by_phase_nchw", (3, 3), (2, 2), "SAME", (2, 5, 4, 32), 32, fmt="NCHW")
    make("phase_by_phase_explicit", (5, 3), (2, 2), "EXPLICIT", (2, 5, 4, 32), 32, explicit=(0, 0, 3, 1, 1, 2, 0, 0))
    make("phase_by_phase_unknown", (3, 3), (2, 2), "SAME", (2, 5, 4, 32), 32, shapes=[[None, None, None, 32]], dynamic=True)
    for k, s in ((3, 2), (1, 2), (2, 3), (5, 3), (4, 2), (7, 2)):
        make(f"infinite_k{k}_s{s}", (k, k), (s, s), "SAME", (2, 5, 4, 3), 4, infinite=True)
    make("infinite_unequal", (3, 2), (2, 3), "VALID", (2, 5, 4, 3), 4, infinite=True)
    make("infinite_first_row_left_out", (5, 3), (3, 2), "EXPLICIT", (2, 5, 4, 3), 4, explicit=(0, 0, 3, 0, 2, 2, 0, 0), infinite=True)
    make("infinite_unknown", (3, 3), (2, 2), "SAME", (2, 5, 4, 3), 4, shapes=[[None, None, None, 3]], dynamic=True, infinite=True)
    make("many_convolutions", (10, 10), (9, 9), "SAME", (1, 2, 2, 3), 4, refused="unsupported_attr")
    make("two_sizes", (3, 3), (2, 2), "SAME", (2, 5, 4, 3), 4, two=True)
    make("nchw", (3, 3), (2, 2), "SAME", (2, 5, 4, 3), 4, fmt="NCHW")
    make("nchw_valid", (4, 2), (1, 3), "VALID", (2, 5, 4, 3), 4, fmt="NCHW")
    make("nchw_explicit", (4, 4), (2, 2), "EXPLICIT", (2, 5, 4, 3), 4, fmt="NCHW", explicit=(0, 0, 0, 0, 1, 1, 1, 2))
    make("unknown_height", (3, 3), (2, 2), "SAME", (2, 5, 4, 3), 4, shapes=[[None, None, None, 3]], refused="shape")


    x, filt = normal("bd", (2, 5, 4, 3)), normal("bdw", (3, 3, 4, 3))
    case(op, "dilated", lambda dy: raw.Conv2DBackpropInput(
        input_sizes=[2, 9, 8, 4], filter=filt, out_backprop=dy, strides=[1, 1, 1, 1], padding="VALID",
        dilations=[1, 2, 2, 1]), [x], refused="unsupported_attr")
    case(op, "int32", lambda dy: raw.Conv2DBackpropInput(
        input_sizes=[2, 7, 6, 4], filter=filt.astype(I32), out_backprop=dy, strides=[1, 1, 1, 1], padding="VALID"),
         [x.astype(I32)], refused="dtype")


def batch_space():
    op = "SpaceToBatchND"

    def s2b(name, shape, block, pads, shapes=None, dtype=F32, refused=""):
        case(op, name, lambda a: raw.SpaceToBatchND(input=a, block_shape=block, paddings=pads),
             [integers(name, shape, dtype)], shapes, EXACT, refused=refused)
    s2b("plain", (2, 4, 6, 3), [2, 3], [[0, 0], [0, 0]])
    s2b("padded", (2, 5, 6, 3), [2, 3], [[1, 2], [2, 1]])
    s2b("all_unknown", (2, 5, 6, 3), [2, 3], [[1, 2], [2, 1]], [[None] * 4])
    s2b("static", (2, 5, 6, 3), [2, 3], [[1, 2], [2, 1]], [[2, 5, 6, 3]])
    s2b("one_block_is_1", (2, 5, 6, 3), [1, 2], [[1, 0], [0, 0]])
    s2b("no_blocks", (2, 5, 6, 3), [1, 1], [[1, 0], [0, 2]])
    s2b("one_axis", (2, 6, 5), [3], [[0, 3]])
    s2b("three_axes", (1, 4, 6, 2, 3), [2, 3, 2], [[0, 0], [3, 0], [1, 1]])
    s2b("no_depth", (2, 4, 6), [2, 2], [[0, 0], [0, 0]])
    s2b("two_depths", (2, 4, 6, 2, 3), [2, 2], [[1, 1], [0, 0]])
    s2b("empty", (0, 4, 6, 3), [2, 3], [[0, 0], [0, 0]])
    s2b("empty_depth", (2, 4, 6, 0), [2, 3], [[0, 0], [0, 0]])
    s2b("int64_block", (2, 4, 6, 3), np.array([2, 3], I64), np.zeros((2, 2), I64), dtype=I64)
    s2b("uint8", (2, 4, 6, 3), [2, 2], [[0, 0], [1, 1]], dtype=np.uint8)
    s2b("int16", (2, 4, 6, 3), [2, 2], [[0, 0], [1, 1]], dtype=np.int16)
    s2b("four_axes", (1, 2, 2, 2, 2, 3), [2, 2, 2, 2], [[0, 0]] * 4, refused="rank")
    p = np.array([[0, 0], [0, 0]], I32)
    case(op, "fed_paddings", lambda a, b: raw.SpaceToBatchND(input=a, block_shape=[2, 2], paddings=b),
         [normal("fp", (2, 4, 4, 1)), p], [[None, 4, 4, 1], [2, 2]], refused="shape")

    op = "BatchToSpaceND"

    def b2s(name, shape, block, crops, shapes=None, dtype=F32, refused=""):
        case(op, name, lambda a: raw.BatchToSpaceND(input=a, block_shape=block, crops=crops),
             [integers(name, shape, dtype)], shapes, EXACT, refused=refused)
    b2s("plain", (12, 4, 6, 3), [2, 3], [[0, 0], [0, 0]])
    b2s("cropped", (12, 4, 6, 3), [2, 3], [[1, 2], [2, 1]])
    b2s("front_only", (12, 4, 6, 3), [2, 3], [[1, 0], [2, 0]])
    b2s("back_only", (12, 4, 6, 3), [2, 3], [[0, 1], [0, 2]])
    b2s("all_unknown", (12, 4, 6, 3), [2, 3], [[1, 2], [2, 1]], [[None] * 4])
    b2s("static", (12, 4, 6, 3), [2, 3], [[1, 2], [2, 1]], [[12, 4, 6, 3]])
    b2s("one_block_is_1", (4, 4, 6, 3), [1, 2], [[1, 0], [0, 0]])
    b2s("no_blocks", (4, 4, 6, 3), [1, 1], [[1, 0], [0, 2]])
    b2s("one_axis", (6, 5, 4), [3], [[0, 3]])
    b2s("three_axes", (12, 4, 6, 2, 3), [2, 3, 2], [[0, 0], [3, 0], [1, 1]])
    b2s("empty", (0, 4, 6, 3), [2, 3], [[0, 0], [0, 0]])
    b2s("everything_cropped", (4, 2, 2, 1), [2, 2], [[2, 2], [0, 0]])
    b2s("int8", (4, 4, 6, 3), [2, 2], [[0, 0], [1, 1]], dtype=np.int8)
    b2s("int64", (4, 4, 6, 3), np.array([2, 2], I64), np.zeros((2, 2), I64), dtype=I64)

    for op, attr, operand in (("SpaceToBatch", (2, 6, 4, 3), "paddings"), ("BatchToSpace", (8, 6, 4, 3), "crops")):
        fn = getattr(raw, op)
        for block, border, dtype in itertools.product((2, ), ([[0, 0], [0, 0]], [[1, 1], [2, 0]]), (F32, I32)):
            for shapes in (None, [[None] * 4]):
                name = f"{block}_{border[0][0]}_{np.dtype(dtype).name}_{'unknown' if shapes else 'batch'}"
                case(op, name, lambda a, fn=fn, o=operand, b=border, k=block: fn(input=a, block_size=k, **{o: b}),
                     [integers(op + name, attr, dtype)], shapes, EXACT)


def dilated():
    """As TensorFlow 1 wrote a dilated convolution."""
    def make(name, shape, k, rate, pads, crops, shapes=None, depthwise=False, bias=False,
             layers=""):
        x, filt = normal(name, shape), normal(name + "w", (k, k, shape[3], 2 if depthwise else 5))

        def build(a):
            y = raw.SpaceToBatchND(input=a, block_shape=[rate, rate], paddings=pads)
            conv = raw.DepthwiseConv2dNative if depthwise else raw.Conv2D
            y = conv(input=y, filter=filt, strides=[1, 1, 1, 1], padding="VALID")
            if bias:
                y = tf.nn.relu(tf.nn.bias_add(y, tf.constant([0.5, -1, 2, 3, 4], F32)))
            return raw.BatchToSpaceND(input=y, block_shape=[rate, rate], crops=crops)
        case("SpaceToBatchND", "dilated_" + name, build, [x], shapes, layers=layers)
    make("same", (2, 8, 8, 3), 3, 2, [[2, 2], [2, 2]], [[0, 0], [0, 0]], layers="conv")
    make("same_rest", (2, 7, 9, 3), 3, 2, [[2, 3], [2, 3]], [[0, 1], [0, 1]],
         layers="conv strided_slice")
    make("valid", (2, 9, 9, 3), 3, 3, [[0, 0], [0, 0]], [[0, 0], [0, 0]], layers="conv")
    make("batch_static", (2, 8, 8, 3), 3, 2, [[2, 2], [2, 2]], [[0, 0], [0, 0]], [[2, 8, 8, 3]], layers="conv")
    make("all_unknown", (2, 8, 8, 3), 3, 2, [[2, 2], [2, 2]], [[0, 0], [0, 0]], [[None, None, None, 3]])
    make("depthwise", (2, 8, 8, 3), 3, 2, [[2, 2], [2, 2]], [[0, 0], [0, 0]], depthwise=True, layers="conv")
    make("bias_inside", (2, 8, 8, 3), 3, 2, [[2, 2], [2, 2]], [[0, 0], [0, 0]], bias=True)
    make("cropped_front", (2, 8, 8, 3), 3, 2, [[2, 2], [2, 2]], [[1, 0], [1, 1]])
    make("crops_beyond_pads", (2, 8, 8, 3), 3, 2, [[0, 2], [2, 0]], [[1, 0], [0, 1]])


def rearranging():
    x = integers("rv", (2, 3, 4, 5))
    for axes in ([0], [1], [-1], [0, 2], [0, 1, 2, 3], [3, -2], []):
        name = "_".join(map(str, axes)).replace("-", "m") or "none"
        case("ReverseV2", name, lambda a, k=axes: raw.ReverseV2(tensor=a, axis=np.array(k, I32)), [x], rtol=EXACT)
        case("ReverseV2", name + "_unknown", lambda a, k=axes: raw.ReverseV2(tensor=a, axis=np.array(k, I64)), [x],
             unknown(x), rtol=EXACT)
    for dtype in (np.bool_, np.uint8, F16, F64, I64, BF16):
        case("ReverseV2", np.dtype(dtype).name, lambda a: raw.ReverseV2(tensor=a, axis=[1]), [x.astype(dtype)],
             rtol=EXACT)
    case("ReverseV2", "empty", lambda a: raw.ReverseV2(tensor=a, axis=[1]), [x[:0]], rtol=EXACT)
    case("ReverseV2", "fed_axis", lambda a, k: raw.ReverseV2(tensor=a, axis=k), [x, np.array([1], I32)], refused="shape")

    for name, shift, axis in (("one", 1, 1), ("back", -2, 2), ("more_than_extent", 7, 3), ("batch", 1, 0),
                              ("batch_far", -11, 0), ("two", [1, -2], [1, 2]), ("same_axis_twice", [1, 1], [2, 2]),
                              ("negative_axis", 2, -1), ("none", 0, 1), ("whole", 4, 2), ("with_batch", [3, 1], [0, 3])):
        case("Roll", name, lambda a, s=shift, k=axis: raw.Roll(input=a, shift=s, axis=k), [x], rtol=EXACT)
        case("Roll", name + "_unknown", lambda a, s=shift, k=axis: raw.Roll(input=a, shift=s, axis=k), [x], unknown(x),
             rtol=EXACT, reference=True)
    case("Roll", "empty", lambda a: raw.Roll(input=a, shift=[1, 1], axis=[0, 1]), [x[:0]], rtol=EXACT)
    case("Roll", "bool_int64", lambda a: raw.Roll(input=a, shift=np.int64(1), axis=np.int64(1)), [x > 0], rtol=EXACT)
    case("Roll", "fed_shift", lambda a, s: raw.Roll(input=a, shift=s, axis=1), [x, np.int32(1)], refused="shape")

    v = normal("ip", (2, 3, 4, 5))
    for i, (perm, dtype) in enumerate(itertools.product(([0, 1, 2, 3], [3, 0, 2, 1], [1, 2, 3, 0], [2, 3, 0, 1]), (I32, I64))):
        case("InvertPermutation", f"{i}", lambda a, p=perm, t=dtype: tf.transpose(
            a, raw.InvertPermutation(x=tf.constant(p, t))), [v], rtol=EXACT)
    case("InvertPermutation", "fed", lambda p: raw.InvertPermutation(x=p), [np.array([1, 0], I32)], [[2]], refused="shape")


def matrix_parts():
    m = normal("band", (2, 4, 6))
    for lower, upper in itertools.product((-1, 0, 1, 4), (-1, 0, 2)):
        name = f"{lower}_{upper}".replace("-", "m")
        case("MatrixBandPart", name, lambda a, u=(lower, upper): raw.MatrixBandPart(
            input=a, num_lower=u[0], num_upper=u[1]), [m], rtol=EXACT)
    for name, a, shapes in (("unknown", m, unknown(m)), ("matrix", m[0], None), ("static", m, static(m)),
                            ("tall", normal("tall", (2, 6, 3)), None), ("deep", normal("deep", (2, 1, 3, 4, 4)), None),
                            ("empty", m[:0], None), ("no_columns", m[:, :, :0], unknown(m))):
        case("MatrixBandPart", name, lambda x, u=min(1, a.shape[-1]): raw.MatrixBandPart(
            input=x, num_lower=0, num_upper=u),
             [a], shapes, rtol=EXACT)
    nan = np.full((3, 4, 4), np.nan, F32)
    case("MatrixBandPart", "nan_outside_is_zero", lambda a: raw.MatrixBandPart(input=a, num_lower=0, num_upper=0), [nan],
         rtol=EXACT)
    for dtype in (np.bool_, I32, I64, F16, F64):
        case("MatrixBandPart", np.dtype(dtype).name, lambda a: raw.MatrixBandPart(
            input=a, num_lower=np.int64(1), num_upper=np.int64(0)), [integers("bd", (2, 4, 4)).astype(dtype)], rtol=EXACT)
    case("MatrixBandPart", "fed", lambda a, k: raw.MatrixBandPart(input=a, num_lower=k, num_upper=np.int32(0)), [m, np.int32(1)],
         refused="shape")

    d = normal("diag", (2, 3, 4))
    for dtype, a in itertools.product((F32, I32, F64, np.bool_), ("batch", "unknown", "vector", "empty")):
        x = {"vector": d[0, 0], "empty": d[:0]}.get(a, d).astype(dtype)
        case("MatrixDiag", f"{np.dtype(dtype).name}_{a}", lambda v: raw.MatrixDiag(diagonal=v), [x],
             unknown(x) if a == "unknown" else None, rtol=EXACT)
    for rows, cols, pad in ((-1, -1, 0), (4, 4, 7), (6, 4, 1), (4, 7, 2), (-1, 5, -1), (5, -1, 0)):
        for op in ("MatrixDiagV2", "MatrixDiagV3"):
            name = f"{rows}_{cols}".replace("-", "m")
            case(op, name, lambda v, f=getattr(raw, op), r=rows, c=cols, p=pad: f(
                diagonal=v, k=0, num_rows=r, num_cols=c, padding_value=F32(p)), [d], rtol=EXACT)
    for op in ("MatrixDiagV2", "MatrixDiagV3"):
        f = getattr(raw, op)
        case(op, "unknown", lambda v, f=f: f(diagonal=v, k=0, num_rows=-1, num_cols=-1, padding_value=F32(3)), [d], unknown(d),
             rtol=EXACT)
        case(op, "int", lambda v, f=f: f(diagonal=v, k=[0], num_rows=-1, num_cols=6, padding_value=I64(3)), [integers("dv", (2, 4), I64)],
             rtol=EXACT)
        case(op, "unknown_with_rows", lambda v, f=f: f(diagonal=v, k=0, num_rows=4, num_cols=-1, padding_value=F32(3)), [d], unknown(d),
             refused="shape")
        case(op, "off_diagonal", lambda v, f=f: f(diagonal=v, k=1, num_rows=-1, num_cols=-1, padding_value=F32(3)), [d],
             refused="unsupported_value")
    m = normal("part", (2, 3, 4, 6))
    tall = normal("tallpart", (2, 5, 3))
    for name, a, shapes in (("wide", m, None), ("static", m, static(m)), ("tall", tall, None), ("one", tall[:, :1], None),
                            ("matrix", tall[0], static(tall[0])), ("empty", m[:0], None), ("int32", integers("dp", (2, 4, 4)), None),
                            ("bool", integers("dpb", (2, 4, 4)) > 0, None), ("no_rows", m[:, :, :0], None), ("float64", m.astype(F64), None),
                            ("unknown_batches", m, [[None, None, 4, 6]])):
        case("MatrixDiagPart", name, lambda x: raw.MatrixDiagPart(input=x), [a], shapes, rtol=EXACT)
        for op in ("MatrixDiagPartV2", "MatrixDiagPartV3"):
            zero = a.dtype.type(0)
            case(op, name, lambda x, f=getattr(raw, op), z=zero: f(input=x, k=0, padding_value=z), [a], shapes, rtol=EXACT,
                 refused="")
    for op in ("MatrixDiagPartV2", "MatrixDiagPartV3"):
        case(op, "unknown", lambda x, f=getattr(raw, op): f(input=x, k=0, padding_value=F32(0)), [m], unknown(m), refused="shape")
        case(op, "band", lambda x, f=getattr(raw, op): f(input=x, k=[-1, 1], padding_value=F32(0)), [m], refused="unsupported_value")
    for op in ("MatrixSetDiag", "MatrixSetDiagV2", "MatrixSetDiagV3"):
        k = {} if op == "MatrixSetDiag" else {"k": 0}
        f = getattr(raw, op)
        for name, a, b, shapes in (("wide", m, m[:, :, :, 0], [[None, 3, 4, 6], [None, 3, 4]]),
                                   ("static", m, m[:, :, :, 0], static(m, m[:, :, :, 0])),
                                   ("tall", tall, tall[:, 0], static(tall, tall[:, 0])),
                                   ("matrix", tall[0], tall[0, 0], static(tall[0], tall[0, 0])),
                                   ("square", m[:, :, :, :4], m[:, :, :, 5], static(m[:, :, :, :4], m[:, :, :, 5])),
                                   ("int64", m.astype(I64), m[:, :, :, 0].astype(I64), static(m, m[:, :, :, 0])),
                                   ("bool", m > 0, m[:, :, :, 0] > 1, static(m, m[:, :, :, 0])),
                                   ("empty", m[:0], m[:0, :, :, 0], static(m[:0], m[:0, :, :, 0]))):
            two = shapes[0][0] is None
            case(op, name, lambda x, v, f=f, k=k: f(input=x, diagonal=v, **k), [a, b], shapes, rtol=EXACT, refused="shape" if two else "")
        same = normal("sd", (3, 4, 4))
        case(op, "unknown_batch", lambda x, f=f, k=k: f(input=x, diagonal=tf.reduce_sum(x, 1), **k), [same], rtol=1e-6)
        case(op, "unknown_square", lambda x, f=f, k=k: f(input=tf.matmul(x, x, transpose_b=True), diagonal=tf.reduce_sum(x, 2), **k), [same],
             unknown(same))


def composed_math():
    a, b = np.meshgrid(SPECIAL, SPECIAL)
    for op in ("Xdivy", "Xlogy", "Xlog1py", "MulNoNan"):
        f = getattr(raw, op)
        for dtype in (F32, F64, F16, BF16):
            reference = dtype != F32
            x, y = normal(op + "x", (4, 5), dtype), np.abs(normal(op + "y", (4, 5), dtype))
            x[1], y[2] = 0, 0
            case(op, np.dtype(dtype).name, lambda x, y, f=f: f(x=x, y=y), [x, y], unknown(x, y), ROUNDED[dtype], reference=reference)
        case(op, "special", lambda x, y, f=f: f(x=x, y=y), [a, b], rtol=2e-6)
        case(op, "special_constant_y", lambda x, f=f: f(x=x, y=tf.constant(SPECIAL)), [a], rtol=2e-6)
        case(op, "special_constant_x", lambda y, f=f: f(x=tf.constant(SPECIAL[:, None]), y=y), [b[:1]], rtol=2e-6)
        x, y = normal(op + "bx", (2, 3, 1)), np.abs(normal(op + "by", (3, 4)))
        case(op, "broadcast", lambda x, y, f=f: f(x=x, y=y), [x, y], static(x, y))
        case(op, "scalar", lambda x, y, f=f: f(x=x, y=y), [x, F32(2.5)])
        case(op, "scalar_zero", lambda x, y, f=f: f(x=x, y=y), [F32(0), x], static(F32(0), x))
        case(op, "empty", lambda x, y, f=f: f(x=x, y=y), [x[:0], x[:0]], static(x[:0], x[:0]))
    for name, x in (("vector", normal("l2", (100,))), ("matrix", normal("l2m", (30, 40))), ("scalar", F32(3)), ("empty", normal("l2e", (0, 3))),
                    ("rank5", normal("l25", (2, 3, 4, 5, 2))), ("nan", SPECIAL), ("inf", SPECIAL[1:]), ("float64", normal("l2d", (30,), F64)),
                    ("float16", normal("l2h", (30,), F16)), ("large", normal("l2l", (300, 400)))):
        x = np.asarray(x)
        case("L2Loss", name, lambda t: raw.L2Loss(t=t), [x], rtol=ROUNDED[x.dtype.type], reference=x.dtype != F32)
    x = normal("lrn", (2, 3, 4, 16))
    for name, attrs in (("default", {}), ("alexnet", dict(depth_radius=2, bias=1.0, alpha=2e-5, beta=0.75)), ("beta_1", dict(beta=1.0)),
                        ("beta_half", dict(beta=0.5, bias=2.0)), ("radius_0", dict(depth_radius=0)), ("radius_beyond", dict(depth_radius=40)),
                        ("alpha", dict(alpha=0.3)), ("bias", dict(bias=0.01)), ("beta_2", dict(beta=2.0, alpha=0.1))):
        case("LRN", name, lambda t, k=attrs: raw.LRN(input=t, **k), [x])
    case("LRN", "negative_bias_is_nan", lambda t: raw.LRN(input=t, bias=-100.0, beta=0.75), [x])
    case("LRN", "unknown", lambda t: raw.LRN(input=t), [x], [[None, None, None, 16]])
    case("LRN", "empty", lambda t: raw.LRN(input=t), [x[:0]])
    case("LRN", "wide", lambda t: raw.LRN(input=t, depth_radius=2, alpha=0.1, beta=0.75), [normal("lrnw", (1, 2, 2, 200))])
    case("LRN", "one_channel", lambda t: raw.LRN(input=t), [x[..., :1]])
    case("LRN", "float16", lambda t: raw.LRN(input=t, alpha=0.1), [x.astype(F16)], rtol=4e-3, reference=True)
    case("LRN", "unknown_channels", lambda t: raw.LRN(input=t), [x], unknown(x), refused="shape")
    for i, (start, stop, num) in enumerate(((0, 1, 5), (-3, 7, 11), (5, -5, 4), (2, 2, 3), (1.5, 9, 1), (0, 1, 2), (0.1, 0.7, 1000), (1e-3, 1e3, 7))):
        for dtype in (F32, F64):
            x = normal("ls", (2, 1), dtype)
            case("LinSpace", f"{i}_{np.dtype(dtype).name}", lambda t, u=(start, stop, num), d=dtype: t + raw.LinSpace(start=d(u[0]), stop=d(u[1]), num=u[2]),
                 [x], rtol={F32: 1e-6, F64: 1e-14}[dtype], reference=dtype == F64)
    case("LinSpace", "fed", lambda t: raw.LinSpace(start=t, stop=F32(3), num=4), [F32(1)], refused="shape")
    x = normal("ba", (2, 3, 1))
    for i, (p, q) in enumerate((([2, 3, 1], [4]), ([2, 3, 1], [2, 3, 5]), ([2, 3, 1], [1]), ([1], [2, 3, 4]), ([2, 3, 1], [7, 1, 1, 6]), ([3, 1], [2, 3, 4]))):
        case("BroadcastArgs", f"{i}", lambda t, p=p, q=q: raw.BroadcastTo(input=t, shape=raw.BroadcastArgs(s0=np.array(p, I32), s1=np.array(q, I32))), [x],
             rtol=EXACT)
    case("BroadcastArgs", "from_shape", lambda t: raw.BroadcastTo(input=t, shape=raw.BroadcastArgs(s0=tf.shape(t), s1=np.array([4], I32))), [x], rtol=EXACT)
    case("BroadcastArgs", "from_shape_int64", lambda t: raw.BroadcastTo(input=t, shape=raw.BroadcastArgs(
        s0=np.array([5, 1, 1, 4], I64), s1=tf.shape(t, out_type=tf.int64))), [x], rtol=EXACT)
    case("BroadcastArgs", "unknown_against_number", lambda t: raw.BroadcastTo(input=t, shape=raw.BroadcastArgs(s0=tf.shape(t), s1=np.array([2, 1, 1], I32))), [x],
         refused="shape")


def remainders():
    a, b = np.meshgrid(SPECIAL, SPECIAL)
    ops = ("FloorMod", "TruncateMod", "Mod", "FloorDiv", "TruncateDiv", "Div", "DivNoNan", "SquaredDifference", "Atan2")
    for op in ops:
        f = getattr(raw, op)

        def build(x, y, f=f):
            return f(x=x, y=y)
        floating = op != "TruncateDiv"
        integral = op not in ("DivNoNan", "Atan2")
        for dtype in (F32, F64) if floating else ():
            x, y = normal(op + "x", (4, 7), dtype) * 9, normal(op + "y", (4, 7), dtype) * 3
            case(op, np.dtype(dtype).name, build, [x, y], unknown(x, y), ROUNDED[dtype], reference=dtype == F64)
        if floating:
            case(op, "broadcast", build, [normal(op + "b", (2, 3, 1)), normal(op + "c", (3, 4))])
            case(op, "by_scalar", build, [normal(op + "d", (40,)) * 5, F32(-1.75)])
            case(op, "scalar_by", build, [F32(7.5), normal(op + "e", (40,))])
            case(op, "empty", build, [normal(op, (0, 3)), normal(op, (0, 3))])
            if op not in ("TruncateMod", "Mod", "FloorMod", "FloorDiv"):
                case(op, "special", build, [a, b], rtol=2e-6)
        if not integral:
            for k in range(3):  # wide, thin, deep
                shape = [(3, 50000), (70000, 2), (2, 3, 4, 5, 6)][k]
                case(op, f"shape_{k}", build, [normal(f"{op}{k}", shape), normal(f"{op}{k}y", shape)])
            continue
        for dtype in (I32, I64):
            x, y = integers(op + "i", (6, 9), dtype, -120, 120), integers(op + "j", (9,), dtype, -9, 9)
            y[y == 0] = 7
            name = np.dtype(dtype).name
            case(op, name, build, [x, y], rtol=EXACT)
            case(op, name + "_scalar", build, [x, dtype(-7)], rtol=EXACT)
            case(op, name + "_of_scalar", build, [dtype(-7), y], rtol=EXACT)
            case(op, name + "_lowest", build, [np.array([np.iinfo(dtype).min, np.iinfo(dtype).max], dtype), np.array([3, -3], dtype)], rtol=EXACT)
            if op != "SquaredDifference":
                zero = np.where(np.arange(9) == 3, 0, y).astype(dtype)
                case(op, name + "_by_zero", build, [x, zero], error=True)
                case(op, name + "_nothing_by_zero", build, [x[:0], zero], rtol=EXACT)
    for mode in ("REFLECT", "SYMMETRIC"):
        x = integers("mp", (2, 4, 5, 3))
        for i, pads in enumerate(([[0, 0], [1, 2], [0, 3], [0, 0]], [[0, 0]] * 4, [[1, 1], [0, 0], [0, 0], [2, 1]])):
            for shapes in (None, static(x)):
                case("MirrorPad", f"{mode}_{i}_{'batch' if shapes is None else 'static'}", lambda t, p=pads, m=mode: raw.MirrorPad(
                    input=t, paddings=p, mode=m), [x], shapes, rtol=EXACT)
    for op in ("All", "Any"):
        x = integers(op, (3, 4, 5)) > -16
        for i, (axes, keep) in enumerate((([0], False), ([1], True), ([0, 2], False), ([-1], False), ([], False), ([0, 1, 2], True))):
            case(op, f"{i}", lambda t, f=getattr(raw, op), a=axes, k=keep: f(input=t, axis=np.array(a, I32), keep_dims=k), [x], rtol=EXACT,
                 reference=True)
        case(op, "empty", lambda t, f=getattr(raw, op): f(input=t, axis=[0]), [x[:0]], rtol=EXACT, reference=True)
        case(op, "unknown", lambda t, f=getattr(raw, op): f(input=t, axis=[2]), [x], unknown(x), rtol=EXACT, reference=True)


def indexed():
    x = normal("nd", (3, 4, 5))
    for name, params, idx, shapes in (
            ("rows", x, [[0], [2]], None), ("pairs", x, [[[0, 1], [2, 3]], [[1, 1], [0, 0]]], None), ("elements", x, [[2, 3, 4], [0, 0, 0]], None),
            ("one", x, [1, 2], "static"), ("whole", x, np.zeros((2, 0)), "static"), ("none", x, np.zeros((0, 2)), None), ("unknown", x, [[0, 1]], [[None] * 3, [None, 2]]),
            ("vector", x[0, 0], [[3], [0]], None)):
        for dtype in (I32, I64):
            i = np.array(idx, dtype)
            case("GatherNd", f"{name}_{np.dtype(dtype).name}", lambda p, i: raw.GatherNd(params=p, indices=i), [params, i],
                 static(params, i) if shapes == "static" else shapes, EXACT)
    for dtype in (np.bool_, I32, I64, F16, F64, np.uint8):
        case("GatherNd", np.dtype(dtype).name, lambda p, i: raw.GatherNd(params=p, indices=i), [integers("ndt", (4, 3)).astype(dtype), I32([[1, 2], [3, 0]])],
             rtol=EXACT)
    case("GatherNd", "large", lambda p, i: raw.GatherNd(params=p, indices=i), [normal("ndl", (50, 60, 70)), integers("ndli", (3000, 2), I32, 0, 50)], rtol=EXACT)
    for bad in (4, -1):
        case("GatherNd", f"outside_{bad}", lambda p, i: raw.GatherNd(params=p, indices=i), [x, I32([[0, 0], [1, bad]])], error=True)
    case("GatherNd", "ignore", lambda p, i: raw.GatherNd(params=p, indices=i, bad_indices_policy="IGNORE"), [x, I32([[0, 0]])], refused="unsupported_attr")
    case("GatherNd", "error_policy", lambda p, i: raw.GatherNd(params=p, indices=i, bad_indices_policy="ERROR"), [x, I32([[0, 0]])], rtol=EXACT)
    case("GatherNd", "int16", lambda p, i: raw.GatherNd(params=p, indices=i), [x, np.int16([[0, 0]])], refused="dtype")
    case("GatherNd", "unknown_depth", lambda p, i: raw.GatherNd(params=p, indices=i), [x, I32([[0, 0]])], [[3, 4, 5], [None, None]], refused="shape")

    for name, shape, idx, depth in (("rows", [4, 5], [[0], [2]], 1), ("duplicates", [4, 5], [[1], [1], [1], [3]], 1), ("elements", [4, 5], [[1, 2], [3, 4], [1, 2]], 2),
                                    ("grid", [3, 4, 2], [[[0, 1], [2, 3]], [[1, 1], [0, 0]]], 2), ("nothing", [4, 5], np.zeros((0, 1)), 1)):
        for dtype, itype in ((F32, I32), (F64, I64), (I32, I64), (I64, I32)):
            i = np.array(idx, itype)
            u = integers("sc" + name, (*i.shape[:-1], *shape[depth:]), dtype)
            tag = f"{name}_{np.dtype(dtype).name}"
            case("ScatterNd", tag, lambda i, u, s=np.array(shape, itype): raw.ScatterNd(indices=i, updates=u, shape=s), [i, u], rtol=EXACT)
            t = integers("tsc" + name, shape, dtype)
            for op in ("TensorScatterUpdate", "TensorScatterAdd", "TensorScatterSub", "TensorScatterMax", "TensorScatterMin"):
                case(op, tag, lambda t, i, u, f=getattr(raw, op): f(tensor=t, indices=i, updates=u), [t, i, u], rtol=EXACT)
    big, rows = normal("big", (400, 300)), integers("bigi", (500, 1), I32, 0, 400)
    for op in ("TensorScatterUpdate", "TensorScatterAdd", "TensorScatterSub", "TensorScatterMax", "TensorScatterMin"):
        f = getattr(raw, op)
        case(op, "large", lambda t, i, u, f=f: f(tensor=t, indices=i, updates=u), [big, rows, normal("bigu", (500, 300))])
        case(op, "wide", lambda t, i, u, f=f: f(tensor=t, indices=i, updates=u), [normal("w", (2, 70000)), I32([[0], [1], [0]]), normal("wu", (3, 70000))])
        case(op, "unknown", lambda t, i, u, f=f: f(tensor=t, indices=i, updates=u), [x, I32([[1, 2]]), x[:1, 0]], [[None] * 3, [None, 2], [None, None]], rtol=EXACT)
        case(op, "outside", lambda t, i, u, f=f: f(tensor=t, indices=i, updates=u), [x, I32([[3, 2]]), x[:1, 0]], error=True)
        case(op, "ignore", lambda t, i, u, f=f: f(tensor=t, indices=i, updates=u, bad_indices_policy="IGNORE"), [x, I32([[3, 2]]), x[:1, 0]],
             refused="unsupported_attr")
        case(op, "constant_indices", lambda t, f=f: f(tensor=t, indices=[[0, 1], [1, 0]], updates=tf.ones([2, 5])), [x], static(x), rtol=EXACT)
    for dtype in (np.bool_, F16, np.int8):
        case("TensorScatterUpdate", np.dtype(dtype).name, lambda t, i, u: raw.TensorScatterUpdate(tensor=t, indices=i, updates=u),
             [integers("tsb", (4, 3)).astype(dtype), I32([[1], [3]]), integers("tsu", (2, 3)).astype(dtype)], rtol=EXACT)
    case("ScatterNd", "from_shape", lambda i, u, t: raw.ScatterNd(indices=i, updates=u, shape=tf.shape(t)), [I32([[1], [0]]), x[:2, :, 0], normal("sh", (7, 4))],
         [[None, 1], [None, 4], [None, 4]], rtol=EXACT)
    case("ScatterNd", "fed_shape", lambda i, u, s: raw.ScatterNd(indices=i, updates=u, shape=s), [I32([[1]]), x[:1, 0], I32([4, 5])], refused="shape")
    case("ScatterNd", "outside", lambda i, u: raw.ScatterNd(indices=i, updates=u, shape=[4, 5]), [I32([[4]]), x[:1, 0]], error=True)

    for op in ("Cumsum", "Cumprod"):
        f = getattr(raw, op)
        for axis, exclusive, reverse in itertools.product((0, 1, -1), (False, True), (False, True)):
            case(op, f"{axis}_{exclusive:d}{reverse:d}".replace("-", "m"), lambda t, f=f, a=axis, e=exclusive, r=reverse: f(
                x=t, axis=a, exclusive=e, reverse=r), [x], rtol=2e-6)
            case(op, f"int64_{axis}_{exclusive:d}{reverse:d}".replace("-", "m"), lambda t, f=f, a=axis, e=exclusive, r=reverse: f(
                x=t, axis=np.int64(a), exclusive=e, reverse=r), [integers("cs", (3, 4, 5), I64, -9, 9)], unknown(x), rtol=EXACT)
        for dtype in (F64, F16, I32, np.int8, np.uint8):
            case(op, np.dtype(dtype).name, lambda t, f=f: f(x=t, axis=1), [integers("cd", (3, 6), dtype, -3, 3)], rtol=ROUNDED.get(dtype, EXACT),
                 reference=dtype not in (F64, I32))
        for name, a in (("vector", normal("cv", (1000,))), ("rows", normal("cr", (37, 211))), ("empty", x[:0]), ("empty_axis", x[:, :0]), ("one", x[:, :1]),
                        ("tall", normal("ct", (500, 60))), ("special", SPECIAL), ("deep", normal("cdp", (3, 20, 700)))):
            a = a * F32(0.1) + F32(1) if op == "Cumprod" and name != "special" else a
            for reverse in (False, True):
                case(op, f"{name}_{reverse:d}", lambda t, f=f, r=reverse, k=min(1, a.ndim - 1): f(x=t, axis=k, reverse=r), [a], rtol=2e-5)
                case(op, f"{name}_exclusive_{reverse:d}", lambda t, f=f, r=reverse, k=min(1, a.ndim - 1): f(x=t, axis=k, reverse=r, exclusive=True), [a], rtol=2e-5)
        case(op, "fed_axis", lambda t, a, f=f: f(x=t, axis=a), [x, np.int32(1)], refused="shape")

    ties = integers("ties", (4, 30), F32, 0, 5)
    for k in (0, 1, 2, 5, 29, 30):
        case("TopKV2", f"ties_{k}", lambda t, k=k: raw.TopKV2(input=t, k=k, sorted=True), [ties], rtol=EXACT)
    for dtype in (F32, F64, I32, I64, F16, np.uint8):
        case("TopKV2", np.dtype(dtype).name, lambda t: raw.TopKV2(input=t, k=7), [integers("tk", (3, 2, 50), dtype, -99, 99)], rtol=EXACT,
             reference=dtype in (F16, np.uint8))
    for name, a, k in (("vector", normal("tv", (100,)), 3), ("long", normal("tl", (3, 5000)), 100), ("rising", np.arange(600, dtype=F32).reshape(2, 300), 40),
                       ("falling", -np.arange(600, dtype=F32).reshape(2, 300), 40), ("rank4", normal("t4", (2, 3, 4, 9)), 4), ("empty_batch", x[:0], 2),
                       ("infinite", np.array([[1, np.inf, -np.inf, 3, np.inf, 0, -0.0]], F32), 7)):
        case("TopKV2", name, lambda t, k=k: raw.TopKV2(input=t, k=k), [a], rtol=EXACT)
    case("TopKV2", "unknown", lambda t: raw.TopKV2(input=t, k=4), [ties], unknown(ties), rtol=EXACT)
    case("TopKV2", "too_many", lambda t: raw.TopKV2(input=t, k=31), [ties], unknown(ties), error=True)
    case("TopKV2", "int64_k_and_indices", lambda t: raw.TopKV2(input=t, k=np.int64(4), index_type=tf.int64), [ties], rtol=EXACT)
    case("TopKV2", "indices_int16", lambda t: raw.TopKV2(input=t, k=4, index_type=tf.int16), [ties], refused="dtype")
    case("TopKV2", "not_sorted", lambda t: raw.TopKV2(input=t, k=4, sorted=False), [ties], refused="unsupported_attr")
    case("TopKV2", "fed_k", lambda t, k: raw.TopKV2(input=t, k=k), [ties, np.int32(3)], refused="shape")


def all_cases():
    CASES.clear()
    for family in (transposed_conv, batch_space, dilated, rearranging, matrix_parts, composed_math, remainders, indexed):
        family()
    for path in sorted(pathlib.Path(__file__).parent.glob("cases_*.py")):
        importlib.import_module(path.stem).cases()
    return list(CASES)
