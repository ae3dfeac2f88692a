"""Rules of random_graphs: layers, and the patterns of several nodes that passes of the converter look for."""

import numpy as np
from random_graphs import F32, F64, FLOATS, I32, LARGEST, Skip, Tensor
from random_ops import like, transposed

RULES = []



def rule(weight=1.0):
    def add(function):
        RULES.append((weight, function))
        return function
    return add


LAYER = (F32, F32, F32, F64, *FLOATS[2:])


def of_rank(b, rank, dtypes=FLOATS):
    """A floating tensor of a rank, with extents put before the ones it has."""
    x = b.pick(lambda t: 0 < t.rank <= rank and t.size and t.mag <= LARGEST[t.dtype] / 8, dtypes)
    for _ in range(rank - x.rank):
        x = b.node("ExpandDims", [x, b.ints(0)], [like(x, shape=(1, *x.shape))], T=x.dtype, Tdim=I32)
    return x


def finish_layer(b, x):
    """Perhaps a bias, a residual and an activation, as layers have them."""
    if b.chance(0.4):
        bias = b.const((x.dtype, (x.shape[-1],)))
        op = b.choose(["BiasAdd", "AddV2"])
        x = b.node(op, [x, bias], [like(x, x.mag + bias.mag, min(x.grain, bias.grain))], T=x.dtype,
                   **({"data_format": "NHWC"} if op == "BiasAdd" else {}))
    if b.chance(0.2):
        try:
            more = b.pick(lambda t: t.shape == x.shape, (x.dtype,))
            x = b.node("AddV2", [x, more] if b.chance(0.5) else [more, x], [like(x, x.mag + more.mag, min(x.grain, more.grain))], T=x.dtype)
        except Skip:
            pass
    if b.chance(0.5):
        b.node(b.choose(["Relu", "Relu6"]), [x], [like(x)], T=x.dtype)


@rule(3)
def matmul(b):
    x = b.pick(lambda t: t.rank >= 2 and t.size and t.mag < 400, (*LAYER, I32))
    units, across = int(b.rng.integers(1, 9)), bool(b.chance(0.3))
    if x.rank == 2:
        flip = bool(b.chance(0.2))
        rows, inner = (x.shape[1], x.shape[0]) if flip else x.shape
        w = b.const((x.dtype, (units, inner) if across else (inner, units)))
        y = b.node("MatMul", [x, w], [like(x, x.mag * w.mag * inner, x.grain * w.grain, shape=(rows, units))], T=x.dtype,
                   transpose_a=flip, transpose_b=across)
    else:
        inner = x.shape[-1]
        w = b.const((x.dtype, (units, inner) if across else (inner, units)))
        y = b.node(b.choose(["BatchMatMulV2", "BatchMatMulV2", "Einsum"]) if not across and x.dtype != I32 and x.rank == 3 else "BatchMatMulV2",
                   [x, w], [like(x, x.mag * w.mag * inner, x.grain * w.grain, shape=(*x.shape[:-1], units))], T=x.dtype)
        node = b.nodes[-1]
        if node.op == "Einsum":
            node.attr["equation"].s, node.attr["N"].i = b"bij,jk->bik", 2
        else:
            node.attr["adj_x"].b, node.attr["adj_y"].b = False, across
    if x.dtype != I32:
        finish_layer(b, y)


@rule(1)
def matmul_of_two(b):
    x = b.pick(lambda t: t.rank >= 2 and t.size and t.mag < 50, (F32, F64))
    y = b.pick(lambda t: t.shape == x.shape and t.mag < 50, (x.dtype,))
    first = bool(b.chance(0.5))
    rows, inner = (x.shape[-1], x.shape[-2]) if first else x.shape[-2:]
    b.node("BatchMatMulV2", [x, y], [like(x, x.mag * y.mag * inner, x.grain * y.grain, shape=(*x.shape[:-2], rows, rows))], T=x.dtype,
           adj_x=first, adj_y=not first)


def extent_of(size, window, stride, padding):
    return -(-size // stride) if padding == "SAME" else -(-(size - window + 1) // stride)


@rule(4)
def convolution(b):
    x = of_rank(b, 4, LAYER)
    n, h, w, c = x.shape
    kh, kw = (int(k) for k in b.rng.integers(1, 4, 2))
    stride, padding = b.choose([[1, 1], [1, 1], [2, 2], [2, 1]]), b.choose(["SAME", "VALID"])
    depthwise = b.chance(0.3)
    dilation = b.choose([1, 1, 1, 2]) if stride == [1, 1] and not depthwise else 1  # TensorFlow's depthwise kernel has none
    if padding == "VALID" and ((kh - 1) * dilation >= h or (kw - 1) * dilation >= w):
        raise Skip
    if depthwise and stride[0] != stride[1]:
        raise Skip  # TensorFlow's kernel has one stride
    outs = int(b.choose([1, 2, 4, 5, 8, 16])) if not depthwise else int(b.choose([1, 1, 2]))
    weights = b.const((x.dtype, (kh, kw, c, outs)))
    shape = (n, extent_of(h, (kh - 1) * dilation + 1, stride[0], padding), extent_of(w, (kw - 1) * dilation + 1, stride[1], padding),
             c * outs if depthwise else outs)
    mag = x.mag * weights.mag * kh * kw * (1 if depthwise else c)
    result = [like(x, mag, x.grain * weights.grain, shape=shape)]
    attrs = {"T": x.dtype, "strides": [1, *stride, 1], "padding": padding, "dilations": [1, dilation, dilation, 1], "data_format": "NHWC"}
    if not depthwise and padding == "VALID" and b.chance(0.3):
        pads = [int(p) for p in b.rng.integers(0, 2, 4)]
        shape = (n, extent_of(h + pads[0] + pads[1], (kh - 1) * dilation + 1, stride[0], padding),
                 extent_of(w + pads[2] + pads[3], (kw - 1) * dilation + 1, stride[1], padding), outs)
        result = [like(result[0], shape=shape)]
        attrs |= {"padding": "EXPLICIT", "explicit_paddings": [0, 0, *pads, 0, 0]}
    finish_layer(b, b.node("DepthwiseConv2dNative" if depthwise else "Conv2D", [x, weights], result, **attrs))


@rule(0.7)
def transposed_convolution(b):
    x = of_rank(b, 4, (F32, F64))
    n, h, w, c = x.shape
    stride, outs, window = b.choose([1, 2]), int(b.rng.integers(1, 5)), int(b.rng.integers(1, 4))
    if b.special and window % stride:
        raise Skip  # the engine's phases have taps of zero weight there, and zero times infinity is NaN
    weights = b.const((x.dtype, (window, window, outs, c)))
    shape = (n, h * stride, w * stride, outs)
    b.node("Conv2DBackpropInput", [b.ints(shape), weights, x],
           [like(x, x.mag * weights.mag * c * window**2, x.grain * weights.grain, shape=shape)],
           T=x.dtype, strides=[1, stride, stride, 1], padding="SAME", data_format="NHWC")


@rule(2.5)
def pooling(b):
    x = of_rank(b, 4)
    if b.special:
        raise Skip  # whether a window's maximum sees NaN depends on TensorFlow's kernel
    n, h, w, c = x.shape
    window, stride, padding = int(b.rng.integers(1, 4)), int(b.rng.integers(1, 3)), b.choose(["SAME", "VALID"])
    if padding == "VALID" and window > min(h, w):
        raise Skip
    shape = (n, extent_of(h, window, stride, padding), extent_of(w, window, stride, padding), c)
    op = b.choose(["MaxPool", "AvgPool"])
    b.node(op, [x], [like(x, grain=x.grain if op == "MaxPool" else 0.0, shape=shape)], T=x.dtype, ksize=[1, window, window, 1],
           strides=[1, stride, stride, 1], padding=padding, data_format="NHWC")


@rule(1.5)
def batch_norm(b):
    x = of_rank(b, 4, (F32, *FLOATS[2:]))
    c = x.shape[-1]
    scale, offset, mean = (b.const((F32, (c,))) for _ in range(3))
    variance = b.const(b.rng.uniform(0.5, 2, c).astype(np.float32))
    y = [like(x, (x.mag + mean.mag) * scale.mag * 1.5 + offset.mag, 0.0)]
    stats = [Tensor("", F32, (c,), 4.0, 0.0)] * 5
    made = b.node("FusedBatchNormV3", [x, scale, offset, mean, variance], y + stats, keep=False, T=x.dtype, U=F32, is_training=False,
                  epsilon=float(b.choose([1e-3, 0.5])), data_format="NHWC")
    b.tensors.append(made[0])


@rule(1.5)
def softmax(b):
    x = b.pick(lambda t: t.rank and t.size, FLOATS)
    op = b.choose(["Softmax", "LogSoftmax"])
    b.node(op, [x], [like(x, 1.0 if op == "Softmax" else 2 * x.mag + 3, 0.0)], T=x.dtype)


@rule(2.5)
def images(b):
    x = of_rank(b, 4, (F32,))
    n, h, w, c = x.shape
    op = b.choose(["ResizeBilinear", "ResizeNearestNeighbor", "SpaceToDepth", "DepthToSpace", "SpaceToBatchND", "LRN"])
    if op.startswith("Resize"):
        size = [int(d) for d in b.rng.integers(1, 10, 2)]
        aligned, centres = [(False, False), (True, False), (False, True)][b.rng.integers(3)]
        if op == "ResizeNearestNeighbor" and aligned:
            raise Skip  # half of a step rounds either way
        b.node(op, [x, b.ints(size)], [like(x, grain=0.0 if op == "ResizeBilinear" else x.grain, shape=(n, *size, c))], T=F32,
               align_corners=aligned, half_pixel_centers=centres)
    elif op == "LRN":
        b.node(op, [x], [like(x, grain=0.0)], T=F32, depth_radius=int(b.rng.integers(1, 4)), bias=1.0, alpha=0.5, beta=0.5)
    elif op == "SpaceToBatchND":
        pads = [(0, h % 2), (0, w % 2)]
        shape = (n * 4, (h + h % 2) // 2, (w + w % 2) // 2, c)
        b.node(op, [x, b.ints([2, 2]), b.ints(pads)], [like(x, shape=shape)], T=F32, Tblock_shape=I32, Tpaddings=I32)
    elif op == "SpaceToDepth":
        if h % 2 or w % 2:
            raise Skip
        b.node(op, [x], [like(x, shape=(n, h // 2, w // 2, c * 4))], T=F32, block_size=2, data_format="NHWC")
    else:
        if c % 4:
            raise Skip
        b.node(op, [x], [like(x, shape=(n, h * 2, w * 2, c // 4))], T=F32, block_size=2, data_format="NHWC")


# Patterns

@rule(1)
def gelu_or_swish(b):
    x = b.pick(lambda t: t.mag < 200, (F32,))
    if b.chance(0.5):
        gate = b.node("Sigmoid", [x], [like(x, 1.0, 0.0)], T=F32)
        b.node("Mul", [x, gate] if b.chance(0.5) else [gate, x], [like(x, grain=0.0)], T=F32)
        return
    scaled = b.node("Mul", [x, b.const(np.float32(2**-0.5), grain=0.0)], [like(x, grain=0.0)], T=F32)
    erf = b.node("Erf", [scaled], [like(x, 1.0, 0.0)], T=F32)
    factor = b.node("AddV2", [erf, b.const(np.float32(1))], [like(x, 2.0, 0.0)], T=F32)
    half = b.node("Mul", [x, b.const(np.float32(0.5))], [like(x, grain=x.grain / 2)], T=F32)
    b.node("Mul", [half, factor], [like(x, grain=0.0)], T=F32)


@rule(1)
def layer_norm(b):
    x = b.pick(lambda t: t.rank and t.shape[-1] > 1 and t.size and t.mag < 50, (F32,))
    last, narrow = b.ints([x.rank - 1] if b.chance(0.5) else [-1]), (*x.shape[:-1], 1)
    mean = b.node("Mean", [x, last], [like(x, grain=0.0, shape=narrow)], T=F32, Tidx=I32, keep_dims=True)
    squares = b.node("SquaredDifference", [x, mean], [like(x, 4 * x.mag**2, 0.0)], T=F32)
    variance = b.node("Mean", [squares, last], [like(squares, shape=narrow)], T=F32, Tidx=I32, keep_dims=True)
    shifted = b.node("AddV2", [variance, b.const(np.float32(b.choose([1.0, 0.01])), grain=0.0)], [like(variance, squares.mag + 1)], T=F32)
    factor = b.node("Rsqrt", [shifted], [like(shifted, 10.0, 0.0)], T=F32)
    gamma, beta = (b.const((F32, x.shape[-1:])) for _ in range(2))
    factor = b.node("Mul", [factor, gamma], [like(x, 40.0, 0.0)], T=F32)
    left = b.node("Mul", [x, factor], [like(x, 40 * x.mag, 0.0)], T=F32)
    mean = b.node("Mul", [mean, factor], [like(x, 40 * x.mag, 0.0)], T=F32)
    right = b.node("Sub", [beta, mean], [like(x, 41 * x.mag + 4, 0.0)], T=F32)
    b.node("AddV2", [left, right], [like(x, 82 * x.mag + 4, 0.0)], T=F32)


@rule(1)
def attention(b):
    x = b.pick(lambda t: t.rank == 3 and t.size and t.mag < 20, (F32,))
    batch, steps, width = x.shape
    heads = b.choose([h for h in (1, 2, 4) if width % h == 0])
    size = width // heads

    def part():
        y = b.node("Reshape", [x, b.ints([-1, steps, heads, size])], [like(x, shape=(batch, steps, heads, size))], T=F32, Tshape=I32)
        return transposed(b, y, [0, 2, 1, 3])

    q, k, v = part(), part(), part()
    scores = b.node("BatchMatMulV2", [q, k], [like(q, q.mag**2 * size, q.grain**2, shape=(batch, heads, steps, steps))], T=F32,
                    adj_x=False, adj_y=True)
    scores = b.node("Mul", [scores, b.const(np.float32(0.125))], [like(scores, grain=0.0)], T=F32)
    if b.chance(0.5):
        mask = b.const((F32, (1, 1, steps, steps)))
        scores = b.node("AddV2", [scores, mask], [like(scores, scores.mag + 4, 0.0)], T=F32)
    weights = b.node("Softmax", [scores], [like(scores, 1.0, 0.0)], T=F32)
    y = b.node("BatchMatMulV2", [weights, v], [like(v, grain=0.0)], T=F32, adj_x=False, adj_y=False)
    y = transposed(b, y, [0, 2, 1, 3])
    b.node("Reshape", [y, b.ints([-1, steps, width])], [like(y, shape=x.shape)], T=F32, Tshape=I32)
