"""Cases of test_reference_vs_tf: an IR op with attributes, its inputs, and what TensorFlow computes for them."""
import dataclasses
import typing
import zlib

import numpy as np
import tensorflow as tf

raw = tf.raw_ops
F64, F32, F16 = np.float64, np.float32, np.float16
BF16 = tf.bfloat16.as_numpy_dtype
# float64 on both sides: one rounding a step and room for another order of summation.
EXACT, CLOSE = 0, 1e-11


@dataclasses.dataclass
class Case:
    name: str
    op: str
    inputs: list
    expected: typing.Callable
    rtol: float = CLOSE
    outputs: int = 1
    error: bool = False


CASES = []


def case(name, op, inputs, expected, rtol=CLOSE, outputs=1, error=False):
    inputs = [np.asarray(a) for a in inputs]
    CASES.append(Case(name, op, inputs, lambda: expected(*inputs), rtol, outputs, error))


def rng(name):
    return np.random.default_rng(zlib.crc32(name.encode()))


def normal(name, shape, dtype=F64):
    return rng(name).normal(size=shape).astype(dtype)


def integers(name, shape, dtype=np.int32, low=-20, high=20):
    return rng(name).integers(max(low, 0) if np.dtype(dtype).kind == "u" else low, high, size=shape).astype(dtype)


SPECIAL = np.array([np.nan, 1, np.nan, -1, 0, -0.0, np.inf, -np.inf, 0.5, 1.5, 2.5, -0.5, -2.5, 1e-300, -700, 700.0])


def unary():
    float_fns = {
        "neg": tf.negative, "abs": tf.abs, "exp": tf.exp, "expm1": tf.math.expm1, "square": tf.square,
        "sigmoid": tf.sigmoid, "tanh": tf.tanh, "erf": tf.math.erf, "erfc": tf.math.erfc, "relu": tf.nn.relu,
        "relu6": tf.nn.relu6, "elu(1,0)": tf.nn.elu, "selu": tf.nn.selu, "leaky_relu(0.25,0)": lambda x: tf.nn.leaky_relu(x, 0.25),
        "softplus": tf.math.softplus, "softsign": tf.nn.softsign, "swish": lambda x: x * tf.sigmoid(x),
        "gelu": lambda x: 0.5 * x * tf.math.erfc(-x * 0.5**0.5),
        "gelu_tanh": lambda x: 0.5 * x * (1 + tf.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3))),
        "hard_swish": lambda x: x * tf.nn.relu6(x + 3) / 6, "hard_sigmoid": lambda x: tf.nn.relu6(x + 3) / 6,
        "clip(-0.5,0.75)": lambda x: tf.clip_by_value(x, -0.5, 0.75), "floor": tf.floor, "ceil": tf.math.ceil,
        "rint": tf.round, "sign": tf.sign, "sin": tf.sin, "cos": tf.cos, "tan": tf.tan, "atan": tf.atan,
        "sinh": tf.sinh, "cosh": tf.cosh, "asinh": tf.asinh, "identity": tf.identity,
    }
    positive_fns = {"log": tf.math.log, "log1p": tf.math.log1p, "sqrt": tf.sqrt, "rsqrt": tf.math.rsqrt,
                    "reciprocal": tf.math.reciprocal, "acosh": lambda x: tf.acosh(x + 1)}
    for fn, ref in float_fns.items():
        case(f"unary_{fn}", f"unary fn={fn}", [normal(fn, (3, 7)) * 2], ref)
    for fn, ref in positive_fns.items():
        x = np.abs(normal(fn, (3, 7))) + 0.01
        case(f"unary_{fn}", f"unary fn={fn}", [x + 1 if fn == "acosh" else x], tf.acosh if fn == "acosh" else ref)
    for fn, ref in {"asin": tf.asin, "acos": tf.acos, "atanh": tf.atanh}.items():
        case(f"unary_{fn}", f"unary fn={fn}", [rng(fn).uniform(-0.99, 0.99, (3, 7))], ref)
    for fn in ("relu", "relu6", "elu(1,0)", "selu", "leaky_relu(0.25,0)", "clip(-0.5,0.75)", "sigmoid", "tanh", "rint",
               "sign", "floor", "ceil", "exp", "abs", "neg", "square"):
        case(f"unary_special_{fn}", f"unary fn={fn}", [SPECIAL], float_fns[fn])
    for fn in ("log", "log1p", "sqrt", "rsqrt", "reciprocal"):
        case(f"unary_special_{fn}", f"unary fn={fn}", [SPECIAL], positive_fns[fn])
    # Without Inf: TensorFlow's float64 erf answers NaN there.
    case("unary_special_erf", "unary fn=erf", [SPECIAL[np.isfinite(SPECIAL)]], tf.math.erf)
    for fn, ref in {"is_nan": tf.math.is_nan, "is_inf": tf.math.is_inf, "is_finite": tf.math.is_finite}.items():
        case(f"unary_{fn}", f"unary fn={fn}", [SPECIAL], ref, EXACT)
    case("unary_logical_not", "unary fn=logical_not", [np.array([True, False])], tf.logical_not, EXACT)
    for t in (np.int8, np.uint8, np.int32, np.uint32, np.int64, np.uint64):
        x = integers(f"inv{t.__name__}", (9,), t)
        case(f"unary_invert_{t.__name__}", "unary fn=invert", [x], tf.bitwise.invert, EXACT)
        case(f"unary_relu_{t.__name__}", "unary fn=relu", [x], tf.nn.relu, EXACT)
        case(f"unary_relu6_{t.__name__}", "unary fn=relu6", [x], tf.nn.relu6, EXACT)
    for t in (np.int8, np.int32, np.int64):
        lowest = np.array([np.iinfo(t).min, -3, 0, 5], t)
        for fn, ref in {"neg": tf.negative, "abs": tf.abs, "sign": tf.sign}.items():
            case(f"unary_{fn}_{t.__name__}", f"unary fn={fn}", [lowest], ref, EXACT)
    for t in (np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64):
        x = np.concatenate([integers(f"pc{t.__name__}", (9,), t), np.array([np.iinfo(t).min, np.iinfo(t).max], t)])
        case(f"unary_population_count_{t.__name__}", "unary fn=population_count", [x], lambda x: raw.PopulationCount(x=x), EXACT)
    for fn in ("i0", "i0e", "i1", "i1e"):
        ref = getattr(tf.math, f"bessel_{fn}")
        case(f"unary_bessel_{fn}", f"unary fn=bessel_{fn}", [np.linspace(-40, 40, 641)], ref)
        case(f"unary_special_bessel_{fn}", f"unary fn=bessel_{fn}", [SPECIAL], ref)
    halves = np.append(np.arange(-4, 4.5, 0.5), [0.49999999999999994, -0.49999999999999994, 2.0**52 + 1, np.inf])
    case("unary_round_away", "unary fn=round_away", [halves], lambda x: tf.sign(x) * (tf.floor(tf.abs(x)) + tf.cast(
        tf.abs(x) - tf.floor(tf.abs(x)) >= 0.5, x.dtype)), EXACT)
    case("unary_square_int32_wraps", "unary fn=square", [np.array([70000, -3], np.int32)], tf.square, EXACT)
    # 16 bits: one rounding of the exact value; TensorFlow computes in float32 and rounds once as well.
    for t in (F16, BF16):
        case(f"unary_sqrt_{np.dtype(t).name}", "unary fn=sqrt", [np.abs(normal("s16", (64,))).astype(t)], tf.sqrt, EXACT)
        case(f"unary_neg_{np.dtype(t).name}", "unary fn=neg", [normal("n16", (64,), t)], tf.negative, EXACT)
    case("unary_sqrt_float32", "unary fn=sqrt", [np.abs(normal("s32", (64,))).astype(F32)], tf.sqrt, EXACT)


def binary():
    fns = {"add": tf.add, "sub": tf.subtract, "mul": tf.multiply, "div": tf.divide, "div_no_nan": tf.math.divide_no_nan,
           "floor_div": tf.math.floordiv, "floor_mod": tf.math.floormod, "max": tf.maximum, "min": tf.minimum,
           "squared_difference": tf.math.squared_difference, "atan2": tf.atan2,
           "trunc_mod": lambda a, b: raw.TruncateMod(x=a, y=b)}
    for fn, ref in fns.items():
        a, b = normal(fn + "a", (2, 1, 5)), normal(fn + "b", (3, 1))
        case(f"binary_{fn}", f"binary fn={fn}", [a, b], ref)
        case(f"binary_{fn}_scalar", f"binary fn={fn}", [a, F64(1.75)], ref)
    case("binary_pow", "binary fn=pow", [np.abs(normal("p", (4, 5))), normal("q", (5,))], tf.pow)
    x, y = np.meshgrid(SPECIAL[:10], SPECIAL[:10])
    for fn in ("add", "mul", "div", "div_no_nan", "max", "min", "squared_difference"):
        case(f"binary_special_{fn}", f"binary fn={fn}", [x, y], fns[fn])
    compare = {"less": tf.less, "less_equal": tf.less_equal, "greater": tf.greater, "greater_equal": tf.greater_equal,
               "equal": tf.equal, "not_equal": tf.not_equal}
    for fn, ref in compare.items():
        case(f"binary_special_{fn}", f"binary fn={fn}", [x, y], ref, EXACT)
        case(f"binary_{fn}_int64", f"binary fn={fn}",
             [np.array([2**62, 2**62 + 1, -5]), np.array([2**62 + 1, 2**62, -5])], ref, EXACT)
        case(f"binary_{fn}_uint64", f"binary fn={fn}",
             [np.array([2**63, 1], np.uint64), np.array([1, 2**63], np.uint64)], ref, EXACT)
    for t in (np.int8, np.uint16, np.int32, np.uint32, np.int64, np.uint64):
        a, b = integers(f"ba{t.__name__}", (4, 5), t), integers(f"bb{t.__name__}", (5,), t)
        amounts = np.arange(-2 if np.dtype(t).kind == "i" else 0, 8 * a.itemsize + 3).astype(t)
        for fn in ("bitwise_and", "bitwise_or", "bitwise_xor"):
            case(f"binary_{fn}_{t.__name__}", f"binary fn={fn}", [a, b], getattr(tf.bitwise, fn), EXACT)
        for fn in ("left_shift", "right_shift"):
            case(f"binary_{fn}_{t.__name__}", f"binary fn={fn}", [a.reshape(4, 5, 1), amounts], getattr(tf.bitwise, fn), EXACT)
    for t, to in ((F32, np.int32), (np.uint8, np.int8), (F64, np.uint16), (np.int64, F32), (F16, np.int16)):
        case(f"bitcast_{np.dtype(t).name}_{np.dtype(to).name}", f"bitcast to={np.dtype(to).name}", [normal("bits", (3, 4)).astype(t)],
             lambda x, to=to: tf.bitcast(x, to), EXACT)
    case("bitcast_larger", "bitcast to=float32", [integers("bl", (3, 4), np.uint8, 0, 255)], lambda x: tf.bitcast(x, tf.float32), EXACT)
    bools = [np.array([True, True, False, False]), np.array([True, False, True, False])]
    for fn, ref in {"logical_and": tf.logical_and, "logical_or": tf.logical_or, "equal": tf.equal,
                    "not_equal": tf.not_equal}.items():
        case(f"binary_{fn}_bool", f"binary fn={fn}", bools, ref, EXACT)
    int_fns = {"add": tf.add, "sub": tf.subtract, "mul": tf.multiply, "max": tf.maximum, "min": tf.minimum,
               "floor_div": tf.math.floordiv, "floor_mod": tf.math.floormod,
               "trunc_div": lambda a, b: raw.TruncateDiv(x=a, y=b), "div": lambda a, b: raw.Div(x=a, y=b)}
    for t in (np.int8, np.uint8, np.int32, np.int64):
        a, b = integers("ia" + t.__name__, (6, 9), t, -120, 120), integers("ib" + t.__name__, (9,), t, -9, 9)
        b[b == 0] = 7
        for fn, ref in int_fns.items():
            case(f"binary_{fn}_{t.__name__}", f"binary fn={fn}", [a, b], ref, EXACT)
    a, b = integers("ta", (40,), np.int32), integers("tb", (40,), np.int32, 1, 9)
    case("binary_trunc_mod_int32", "binary fn=trunc_mod", [a, b], lambda a, b: raw.TruncateMod(x=a, y=b), EXACT)
    case("binary_mul_int32_wraps", "binary fn=mul", [np.int32([2**20, -3]), np.int32([2**20, 2**31 - 1])], tf.multiply, EXACT)
    case("binary_add_uint8_wraps", "binary fn=add", [np.uint8([250]), np.uint8([10])], tf.add, EXACT)
    case("binary_pow_int32", "binary fn=pow", [np.int32([2, -3, 0, 7]), np.int32([10, 3, 0, 30])], tf.pow, EXACT)
    case("binary_pow_negative", "binary fn=pow", [np.int32([2]), np.int32([-1])], tf.pow, error=True)
    for fn, ref in (("floor_div", tf.math.floordiv), ("floor_mod", tf.math.floormod), ("trunc_div", int_fns["trunc_div"])):
        case(f"binary_{fn}_by_zero", f"binary fn={fn}", [np.int32([5, 6]), np.int32([1, 0])], ref, error=True)
    for t in (F16, BF16, F32):
        for fn in ("add", "sub", "mul", "div", "max"):
            case(f"binary_{fn}_{np.dtype(t).name}", f"binary fn={fn}", [normal("ha", (200,), t), normal("hb", (200,), t)],
                 fns[fn], EXACT)


def select_cast_affine():
    cond = rng("cond").integers(0, 2, (2, 1, 3)).astype(bool)
    case("select_broadcast", "select", [cond, normal("sx", (4, 1)), normal("sy", (3,))], tf.where, EXACT)
    case("select_int", "select", [cond, integers("si", (2, 5, 3)), np.int32(7)], tf.where, EXACT)
    case("select_nan", "select", [np.array([True, False]), np.array([1.0, np.nan]), np.array([np.nan, 2.0])], tf.where, EXACT)
    floats = np.array([0, -0.0, 1.5, -1.5, 2.5, 100.7, -100.7, 3.999, 1e9, -1e9, 2**31, -(2.0**31), 2**33, 1e19, 1e30,
                       np.nan, np.inf, -np.inf])
    for t in (F64, F32):
        for to in (np.int32, np.int64, np.bool_):
            case(f"cast_{t.__name__}_{to.__name__}", f"cast to={np.dtype(to).name}", [floats.astype(t)],
                 lambda x, to=to: tf.cast(x, to), EXACT)
        small = floats[:8].astype(t)
        for to in (np.int8, np.int16, np.uint8, np.uint32):
            case(f"cast_{t.__name__}_{to.__name__}", f"cast to={np.dtype(to).name}",
                 [np.abs(small) if to in (np.uint8, np.uint32) else small], lambda x, to=to: tf.cast(x, to), EXACT)
    wide = np.array([2**40 + 3, -1, 300, -129, 2**53 + 1, 2**63 - 1, -(2**63)])
    for to in (np.int8, np.uint8, np.int32, np.uint32, np.uint64, F32, F64, np.bool_):
        case(f"cast_int64_{np.dtype(to).name}", f"cast to={np.dtype(to).name}", [wide], lambda x, to=to: tf.cast(x, to), EXACT)
    values = normal("half", (400,), F32) * 1000
    for to, name in ((F16, "float16"), (BF16, "bfloat16"), (F64, "float64")):
        case(f"cast_float32_{name}", f"cast to={name}", [values], lambda x, to=to: tf.cast(x, to), EXACT)
        case(f"cast_back_{name}", "cast to=float32", [values.astype(to)], lambda x: tf.cast(x, F32), EXACT)
    x, scale, shift = normal("ax", (2, 3, 5)), normal("as", (5,)), normal("ab", (5,))
    case("affine", "affine", [x, scale, shift], lambda x, s, b: x * s + b)
    case("affine_relu", "affine act=relu", [x, scale, shift], lambda x, s, b: tf.nn.relu(x * s + b))
    case("affine_batch_norm", "affine act=swish", [normal("bn", (2, 4, 4, 5)), scale, shift],
         lambda x, s, b: (x * s + b) * tf.sigmoid(x * s + b))


def conv2d(x, w, strides, padding, dilations=(1, 1), groups=1):
    pad = padding
    if isinstance(padding, (list, tuple)):
        pad = [[0, 0], list(padding[:2]), list(padding[2:]), [0, 0]]
    if groups == x.shape[-1] and groups > 1:
        kh, kw, _, oc = w.shape
        w = np.reshape(w, (kh, kw, groups, oc // groups))
        # The depthwise kernel takes equal strides only: convolve densely, then pick.
        dense = tf.nn.depthwise_conv2d(x, w, [1, *strides, 1], pad, dilations=list(dilations))
        return dense
    if groups > 1:
        xs, ws = tf.split(x, groups, 3), tf.split(w, groups, 3)
        return tf.concat([tf.nn.conv2d(a, b, list(strides), pad, dilations=list(dilations)) for a, b in zip(xs, ws)], 3)
    return tf.nn.conv2d(x, w, list(strides), pad, dilations=list(dilations))


def conv_case(name, n, h, w, c, k, oc, strides=(1, 1), padding="VALID", dilations=(1, 1), groups=1, extra="", tail=None,
              more=(), dtype=F64, rtol=CLOSE):
    x, wt = normal(name, (n, h, w, c), dtype), normal(name + "w", (*k, c // groups, oc), dtype)
    text = f"conv strides=[{strides[0]},{strides[1]}] dilations=[{dilations[0]},{dilations[1]}] groups={groups}"
    if isinstance(padding, str):
        text += f" padding={padding.lower()}"
    else:
        text += f" padding=explicit pads=[{','.join(map(str, padding))}]"

    def expected(x, w, *more):
        y = conv2d(x, w, strides, padding, dilations, groups)
        return tail(y, *more) if tail else y

    case(name, text + extra, [x, wt, *more], expected, rtol)


def conv():
    conv_case("conv_1x1", 2, 4, 5, 3, (1, 1), 4)
    conv_case("conv_3x3_same", 1, 8, 9, 3, (3, 3), 5, padding="SAME")
    conv_case("conv_3x3_same_s2", 1, 8, 9, 3, (3, 3), 5, (2, 2), "SAME")
    conv_case("conv_7x7_same_s2_even", 1, 14, 13, 3, (7, 7), 4, (2, 2), "SAME")
    conv_case("conv_s21", 1, 8, 9, 2, (2, 3), 3, (2, 1), "VALID")
    conv_case("conv_dilated", 1, 12, 11, 2, (3, 3), 3, padding="SAME", dilations=(2, 3))
    conv_case("conv_explicit", 1, 8, 7, 2, (3, 3), 3, (2, 2), (1, 2, 0, 3))
    conv_case("conv_stride_over_kernel", 1, 9, 9, 2, (2, 2), 3, (3, 3), "SAME")
    conv_case("conv_batch_0", 0, 8, 8, 2, (3, 3), 3, padding="SAME")
    conv_case("conv_valid_to_nothing", 1, 2, 8, 2, (3, 3), 3)
    conv_case("conv_grouped", 1, 6, 6, 4, (3, 3), 6, padding="SAME", groups=2)
    conv_case("conv_depthwise", 2, 7, 8, 4, (3, 3), 4, padding="SAME", groups=4)
    conv_case("conv_depthwise_s2_multiplier", 1, 7, 8, 3, (3, 3), 6, (2, 2), "SAME", groups=3)
    conv_case("conv_depthwise_dilated", 1, 9, 9, 3, (3, 3), 3, (1, 1), "VALID", (2, 2), groups=3)
    bias, residual = normal("cb", (5,)), normal("cr", (1, 6, 6, 5))
    conv_case("conv_bias_relu", 1, 6, 6, 3, (3, 3), 5, padding="SAME", extra=" has_bias=true act=relu",
              tail=lambda y, b: tf.nn.relu(y + b), more=[bias])
    conv_case("conv_bias_residual_relu6", 1, 6, 6, 3, (3, 3), 5, padding="SAME",
              extra=" has_bias=true has_residual=true act=relu6", tail=lambda y, b, r: tf.nn.relu6(y + b + r),
              more=[bias, residual])
    conv_case("conv_residual_leaky", 1, 6, 6, 3, (3, 3), 5, padding="SAME",
              extra=" has_residual=true act=leaky_relu(0.25,0)", tail=lambda y, r: tf.nn.leaky_relu(y + r, 0.25),
              more=[residual])
    conv_case("conv_float32", 1, 8, 8, 16, (3, 3), 8, padding="SAME", dtype=F32, rtol=2e-6)
    conv_case("conv_float16", 1, 8, 8, 4, (3, 3), 8, padding="SAME", dtype=F16, rtol=2e-3)


def pool():
    for fn, ref in (("max", tf.nn.max_pool2d), ("avg", tf.nn.avg_pool2d)):
        for k, s, p in (((2, 2), (2, 2), "VALID"), ((3, 3), (2, 2), "SAME"), ((3, 2), (1, 2), "SAME"), ((1, 1), (2, 2), "SAME"),
                        ((7, 7), (1, 1), "VALID"), ((5, 5), (3, 3), "SAME")):
            case(f"pool_{fn}_{k[0]}x{k[1]}_s{s[0]}{s[1]}_{p}",
                 f"pool fn={fn} ksize=[{k[0]},{k[1]}] strides=[{s[0]},{s[1]}] padding={p.lower()}",
                 [normal(f"pool{fn}{k}", (2, 7, 9, 3))],
                 lambda x, ref=ref, k=k, s=s, p=p: ref(tf.constant(x), list(k), list(s), p))
    case("pool_max_explicit", "pool fn=max ksize=[3,3] strides=[2,2] padding=explicit pads=[1,1,1,0]",
         [-np.abs(normal("pe", (1, 7, 7, 2)))],
         lambda x: raw.MaxPool(input=tf.constant(x), ksize=[1, 3, 3, 1], strides=[1, 2, 2, 1], padding="EXPLICIT",
                               explicit_paddings=[0, 0, 1, 1, 1, 0, 0, 0]))
    special = np.resize(SPECIAL[:8].astype(F32), (1, 4, 4, 1))
    case("pool_max_nan", "pool fn=max ksize=[2,2] padding=same", [special],
         lambda x: tf.nn.max_pool2d(x, 2, 1, "SAME"), EXACT)
    case("pool_max_all_nan_or_inf", "pool fn=max ksize=[1,1]", [special], lambda x: tf.nn.max_pool2d(x, 1, 1, "VALID"), EXACT)
    case("pool_max_int32", "pool fn=max ksize=[2,2] strides=[2,2]", [integers("pi", (1, 6, 6, 2))],
         lambda x: raw.MaxPool(input=tf.constant(x), ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID"), EXACT)


def matmul():
    def mm(ta, tb):
        return lambda a, b: tf.linalg.matmul(a, b, transpose_a=ta, transpose_b=tb)

    for ta in (False, True):
        for tb in (False, True):
            a = normal(f"ma{ta}", (6, 4) if ta else (4, 6))
            b = normal(f"mb{tb}", (5, 6) if tb else (6, 5))
            flags = f" transpose_a={str(ta).lower()} transpose_b={str(tb).lower()}"
            case(f"matmul_{ta:d}{tb:d}", "matmul" + flags, [a, b], mm(ta, tb))
            case(f"matmul_batch_{ta:d}{tb:d}", "matmul" + flags,
                 [np.stack([a, -a, 2 * a])[:, None], np.stack([b, b + 1])[None]], mm(ta, tb))
    case("matmul_broadcast_rank", "matmul", [normal("mr", (2, 3, 4, 5)), normal("ms", (5, 6))], mm(False, False))
    case("matmul_k0", "matmul", [np.zeros((2, 0)), np.zeros((0, 3))], mm(False, False))
    case("matmul_int32", "matmul", [integers("mi", (4, 5)), integers("mj", (5, 3))], mm(False, False), EXACT)
    bias, residual = normal("mbias", (5,)), normal("mres", (4, 5))
    case("matmul_bias_gelu", "matmul has_bias=true act=gelu", [normal("mg", (4, 6)), normal("mh", (6, 5)), bias],
         lambda a, b, c: (lambda y: 0.5 * y * tf.math.erfc(-y * 0.5**0.5))(a @ b + c))
    case("matmul_bias_residual_tanh", "matmul has_bias=true has_residual=true act=tanh",
         [normal("mg", (4, 6)), normal("mh", (6, 5)), bias, residual], lambda a, b, c, r: tf.tanh(a @ b + c + r))


def reduce():
    fns = {"sum": tf.reduce_sum, "mean": tf.reduce_mean, "max": tf.reduce_max, "min": tf.reduce_min, "prod": tf.reduce_prod}
    for fn, ref in fns.items():
        for axes, keep in (((0,), False), ((1, 2), True), ((0, 2), False), ((0, 1, 2), False), ((), False)):
            text = ",".join(map(str, axes))
            case(f"reduce_{fn}_{text}_{keep:d}", f"reduce fn={fn} axes=[{text}] keep_dims={str(keep).lower()}",
                 [normal("r" + fn, (3, 4, 5))], lambda x, ref=ref, a=axes, k=keep: ref(x, list(a), keepdims=k))
        case(f"reduce_{fn}_empty", f"reduce fn={fn} axes=[1]", [np.zeros((2, 0))], lambda x, ref=ref: ref(x, [1]))
        case(f"reduce_{fn}_int32", f"reduce fn={fn} axes=[1]", [integers("ri" + fn, (3, 5), low=-4, high=5)],
             lambda x, ref=ref: ref(x, [1]), EXACT)
    for fn in ("max", "min", "sum", "mean"):
        case(f"reduce_{fn}_nan", f"reduce fn={fn} axes=[1]", [SPECIAL.reshape(2, 8)], lambda x, ref=fns[fn]: ref(x, [1]))
    for fn, ref in (("all", tf.reduce_all), ("any", tf.reduce_any)):
        b = rng(fn).integers(0, 2, (4, 3)).astype(bool)
        case(f"reduce_{fn}", f"reduce fn={fn} axes=[1]", [b], lambda x, ref=ref: ref(x, [1]), EXACT)
        case(f"reduce_{fn}_empty", f"reduce fn={fn} axes=[1]", [np.zeros((2, 0), bool)], lambda x, ref=ref: ref(x, [1]), EXACT)
    for is_max, ref in ((True, tf.argmax), (False, tf.argmin)):
        text = f"arg_reduce max={str(is_max).lower()}"
        ties = integers("ties", (3, 4, 6), low=0, high=3)
        for axis in (0, 1, 2):
            case(f"arg_{is_max:d}_{axis}", f"{text} axis={axis}", [ties], lambda x, ref=ref, a=axis: ref(x, a), EXACT)
        case(f"arg_{is_max:d}_int32", f"{text} axis=1 to=int32", [normal("arg", (3, 9))],
             lambda x, ref=ref: ref(x, 1, output_type=tf.int32), EXACT)
        case(f"arg_{is_max:d}_nan", f"{text} axis=1", [SPECIAL.reshape(2, 8)], lambda x, ref=ref: ref(x, 1), EXACT)
        case(f"arg_{is_max:d}_empty", f"{text} axis=1", [np.zeros((2, 0))], lambda x, ref=ref: ref(x, 1), error=True)


def normalization():
    for shape in ((4, 9), (2, 3, 7), (5,), (2, 1)):
        x = normal(f"sm{shape}", shape) * 4
        case(f"softmax_{len(shape)}_{shape[-1]}", "softmax", [x], tf.nn.softmax)
        case(f"log_softmax_{len(shape)}_{shape[-1]}", "softmax log=true", [x], tf.nn.log_softmax)
    case("softmax_large", "softmax", [np.array([[1e4, 1e4 - 1, -1e4], [-1e300, 0, 1]])], tf.nn.softmax)
    case("softmax_nan", "softmax", [np.array([[1, np.nan, 3], [1, 2, 3.0], [-np.inf, 0, 1]])], tf.nn.softmax)

    def norm(eps):
        def f(x, g, b):
            mean, var = tf.nn.moments(x, [-1], keepdims=True)
            return (x - mean) / tf.sqrt(var + F64(F32(eps))) * g + b
        return f

    for eps in (1e-5, 1e-12, 0.5):
        case(f"layer_norm_{eps}", f"layer_norm epsilon={F32(eps):.9g}",
             [normal("ln", (3, 2, 16)), normal("lg", (16,)), normal("lb", (16,))], norm(eps))

    def attend(scale):
        def f(q, k, v, *mask):
            s = tf.einsum("bihd,bjhd->bhij", q, k) * F64(F32(scale))
            return tf.einsum("bhij,bjhe->bihe", tf.nn.softmax(s + mask[0] if mask else s), v)
        return f

    q, k, v = normal("q", (2, 3, 4, 8)), normal("k", (2, 5, 4, 8)), normal("v", (2, 5, 4, 6))
    case("attention", f"attention scale={F32(8**-0.5):.9g}", [q, k, v], attend(8**-0.5))
    case("attention_mask", "attention scale=0.5 has_mask=true", [q, k, v, normal("mask", (2, 1, 1, 5)) * 10], attend(0.5))
    case("attention_causal", "attention has_mask=true",
         [q[:, :, :, :], k[:, :3], v[:, :3], np.triu(np.full((3, 3), -1e9), 1)], attend(1))


def shapes():
    x = normal("shape", (2, 3, 4))
    for t in (F64, np.int8, np.bool_, F16):
        y = (x * 50).astype(t)
        n = np.dtype(t).name
        case(f"reshape_{n}", "reshape", [y, np.int32([4, -1])], lambda x, s: tf.reshape(x, s), EXACT)
        case(f"transpose_{n}", "transpose perm=[2,0,1]", [y], lambda x: tf.transpose(x, [2, 0, 1]), EXACT)
        case(f"concat_{n}", "concat axis=1", [y, y[:, :1], y], lambda *x: tf.concat(x, 1), EXACT)
        case(f"pack_{n}", "pack axis=1", [y, y], lambda *x: tf.stack(x, 1), EXACT)
        case(f"tile_{n}", "tile", [y, np.int32([2, 1, 3])], tf.tile, EXACT)
        case(f"broadcast_to_{n}", "broadcast_to", [y[:, :1], np.int64([5, 2, 3, 4])], tf.broadcast_to, EXACT)
        case(f"fill_{n}", "fill", [np.int32([2, 3]), y[0, 0, 0]], tf.fill, EXACT)
        case(f"split_{n}", "split axis=2", [y], lambda x: tf.split(x, 2, 2), EXACT, outputs=2)
        case(f"unpack_{n}", "unpack axis=1", [y], lambda x: tf.unstack(x, axis=1), EXACT, outputs=3)
        case(f"depth_to_space_{n}", "depth_to_space block=2", [np.resize(y, (2, 3, 2, 8))],
             lambda x: tf.nn.depth_to_space(x, 2), EXACT)
        case(f"space_to_depth_{n}", "depth_to_space block=3 inverse=true", [np.resize(y, (2, 6, 3, 2))],
             lambda x: tf.nn.space_to_depth(x, 3), EXACT)
    case("reshape_scalar", "reshape", [x[:1, :1, :1], np.zeros(0, np.int32)], lambda x, s: tf.reshape(x, s), EXACT)
    case("expand_dims_0", "expand_dims axis=0", [x], lambda x: tf.expand_dims(x, 0), EXACT)
    case("expand_dims_1", "expand_dims axis=1", [x], lambda x: tf.expand_dims(x, 1), EXACT)
    case("expand_dims_3", "expand_dims axis=3", [x], lambda x: tf.expand_dims(x, 3), EXACT)
    s = normal("sq", (1, 3, 1, 2, 1))
    for axes in ((0,), (0, 2), (0, 2, 4)):
        text = ",".join(map(str, axes))
        case(f"squeeze_{text}", f"squeeze axes=[{text}]", [s], lambda x, a=axes: tf.squeeze(x, list(a)), EXACT)
    case("transpose_identity", "transpose perm=[0,1,2]", [x], tf.identity, EXACT)
    case("transpose_nchw", "transpose perm=[0,3,1,2]", [normal("t4", (2, 3, 4, 5))], lambda x: tf.transpose(x, [0, 3, 1, 2]), EXACT)
    case("concat_0", "concat axis=0", [x, x[:0], x[:1]], lambda *x: tf.concat(x, 0), EXACT)
    case("split_sizes", "split axis=1 sizes=[1,-1]", [x], lambda x: tf.split(x, [1, 2], 1), EXACT, outputs=2)
    case("split_zero", "split axis=0 sizes=[0,2]", [x], lambda x: tf.split(x, [0, 2], 0), EXACT, outputs=2)
    case("unpack_0", "unpack axis=0", [x], lambda x: tf.unstack(x, axis=0), EXACT, outputs=2)
    case("tile_zero", "tile", [x, np.int32([0, 1, 1])], tf.tile, EXACT)
    case("shape_int32", "shape", [x], tf.shape, EXACT)
    case("shape_int64", "shape to=int64", [x], lambda x: tf.shape(x, tf.int64), EXACT)
    case("shape_scalar", "shape", [F64(3)], tf.shape, EXACT)
    for start, limit, delta in ((0, 5, 1), (3, 20, 4), (10, 0, -3), (2, 2, 1)):
        case(f"range_{start}_{limit}_{delta}", "range", [np.int32(v) for v in (start, limit, delta)], tf.range, EXACT)
    case("range_int64", "range", [np.int64(v) for v in (-5, 2**33, 2**31)], tf.range, EXACT)
    case("range_wrong_way", "range", [np.int32(v) for v in (5, 0, 1)], tf.range, error=True)


def slices():
    x = normal("slice", (5, 6, 7))
    picks = {
        "plain": lambda x: x[1:4], "step": lambda x: x[::2, 1::3], "negative": lambda x: x[-4:-1, -2:],
        "backwards": lambda x: x[::-1, 4:1:-2], "index": lambda x: x[2, -1], "ellipsis": lambda x: x[..., 3],
        "middle": lambda x: x[1, ..., 2:5], "new_axis": lambda x: x[:, None, 1], "new_and_ellipsis": lambda x: x[None, ..., None],
        "clamped": lambda x: x[-100:100, 3:100], "empty": lambda x: x[3:1], "empty_back": lambda x: x[1:3:-1],
        "over": lambda x: x[0:5:9], "back_over": lambda x: x[4::-9], "past_end": lambda x: x[7:],
    }
    grabbed = []
    for name, pick in picks.items():
        class Grab:
            def __getitem__(self, key):
                grabbed.append(key if isinstance(key, tuple) else (key,))

        pick(Grab())
        begin, end, step, masks = [], [], [], dict.fromkeys(("begin", "end", "ellipsis", "new_axis", "shrink_axis"), 0)
        for i, k in enumerate(grabbed.pop()):
            b, e, s = 0, 0, 1
            if k is Ellipsis:
                masks["ellipsis"] |= 1 << i
            elif k is None:
                masks["new_axis"] |= 1 << i
            elif isinstance(k, int):
                b, e = k, k + 1
                masks["shrink_axis"] |= 1 << i
            else:
                b, e, s = k.start or 0, k.stop or 0, k.step or 1
                masks["begin"] |= (k.start is None) << i
                masks["end"] |= (k.stop is None) << i
            begin.append(b), end.append(e), step.append(s)
        attrs = " ".join(f"{n}_mask={v}" for n, v in masks.items())
        kw = {f"{n}_mask": v for n, v in masks.items()}
        case(f"strided_slice_{name}", f"strided_slice {attrs}", [x, np.int32(begin), np.int32(end), np.int32(step)],
             lambda x, b, e, s, kw=kw: raw.StridedSlice(input=x, begin=b, end=e, strides=s, **kw), EXACT)
    case("strided_slice_masks_of_a_shrunk_axis", "strided_slice begin_mask=1 end_mask=1 shrink_axis_mask=1",
         [x, np.int32([2]), np.int32([3]), np.int32([1])],
         lambda x, b, e, s: raw.StridedSlice(input=x, begin=b, end=e, strides=s, begin_mask=1, end_mask=1, shrink_axis_mask=1), EXACT)
    case("strided_slice_out_of_bounds", "strided_slice shrink_axis_mask=1", [x, np.int32([5]), np.int32([6]), np.int32([1])],
         lambda x, b, e, s: raw.StridedSlice(input=x, begin=b, end=e, strides=s, shrink_axis_mask=1), error=True)
    case("strided_slice_zero_stride", "strided_slice", [x, np.int32([0]), np.int32([6]), np.int32([0])],
         lambda x, b, e, s: raw.StridedSlice(input=x, begin=b, end=e, strides=s), error=True)
    case("slice", "slice", [x, np.int32([1, 0, 2]), np.int32([2, 6, 3])], tf.slice, EXACT)
    case("slice_rest", "slice", [x, np.int64([1, 2, 7]), np.int64([-1, -1, -1])], tf.slice, EXACT)
    case("slice_empty", "slice", [x, np.int32([5, 0, 0]), np.int32([0, 1, 1])], tf.slice, EXACT)
    case("slice_out_of_bounds", "slice", [x, np.int32([4, 0, 0]), np.int32([2, 1, 1])], tf.slice, error=True)
    for mode in ("constant", "reflect", "symmetric"):
        for name, pads in (("a", [[1, 2], [0, 0], [3, 1]]), ("b", [[4, 4], [5, 5], [6, 6]]), ("c", [[0, 0], [0, 1], [0, 0]])):
            case(f"pad_{mode}_{name}", f"pad mode={mode}", [x, np.int32(pads)],
                 lambda x, p, m=mode: tf.pad(x, p, m.upper()), EXACT)
    case("pad_symmetric_full", "pad mode=symmetric", [x, np.int32([[5, 5], [6, 0], [0, 7]])], lambda x, p: tf.pad(x, p, "SYMMETRIC"), EXACT)
    case("pad_value", "pad", [x, np.int32([[1, 1], [0, 2], [1, 0]]), F64(-3.5)], lambda x, p, v: tf.pad(x, p, constant_values=v), EXACT)
    case("pad_int8", "pad", [integers("pad8", (3, 4), np.int8), np.int32([[1, 1], [0, 2]]), np.int8(7)],
         lambda x, p, v: tf.pad(x, p, constant_values=v), EXACT)
    case("pad_reflect_too_large", "pad mode=reflect", [x, np.int32([[5, 0], [0, 0], [0, 0]])],
         lambda x, p: tf.pad(x, p, "REFLECT"), error=True)


def indexing():
    x = normal("params", (4, 5, 6))
    idx = np.int32([[3, 0], [1, 1]])
    for axis in (0, 1, 2):
        case(f"gather_{axis}", f"gather axis={axis}", [x, idx], lambda x, i, a=axis: tf.gather(x, i, axis=a), EXACT)
    case("gather_batch", "gather axis=1 batch_dims=1", [x, np.int64([[4, 0], [1, 2], [3, 3], [0, 0]])],
         lambda x, i: tf.gather(x, i, axis=1, batch_dims=1), EXACT)
    case("gather_batch_axis2", "gather axis=2 batch_dims=1", [x, np.int32([5, 0, 2, 1])],
         lambda x, i: tf.gather(x, i, axis=2, batch_dims=1), EXACT)
    case("gather_scalar", "gather axis=0", [integers("gi", (9,), np.int8), np.int64(4)], tf.gather, EXACT)
    case("gather_empty", "gather axis=0", [x, np.zeros((0, 2), np.int32)], tf.gather, EXACT)
    for bad in (4, -1):
        case(f"gather_bad_{bad}", "gather axis=0", [x, np.int32([0, bad])], tf.gather, error=True)
    hot = np.int64([[0, 2], [5, -1]])
    for axis in (0, 1, 2):
        case(f"one_hot_{axis}", f"one_hot axis={axis}", [hot, np.int32(4), F64(2.5), F64(-1)],
             lambda i, d, on, off, a=axis: tf.one_hot(i, d, on, off, axis=a), EXACT)
    case("one_hot_uint8", "one_hot axis=1", [np.uint8([1, 0, 9]), np.int32(3), np.bool_(True), np.bool_(False)],
         lambda i, d, on, off: tf.one_hot(i, d, on, off), EXACT)


def nd():
    x, pairs = normal("ndx", (3, 4, 5)), np.int32([[0, 1], [2, 3], [0, 1]])
    for name, idx in (("rows", [[2], [0]]), ("pairs", pairs), ("elements", [[[2, 3, 4]], [[0, 0, 0]]]), ("whole", np.zeros((2, 0)))):
        case(f"gather_nd_{name}", "gather_nd", [x, np.int64(idx)], tf.gather_nd, EXACT)
    case("gather_nd_outside", "gather_nd", [x, np.int32([[0, 4]])], tf.gather_nd, error=True)
    fns = {"replace": raw.TensorScatterUpdate, "add": raw.TensorScatterAdd, "sub": raw.TensorScatterSub, "max": raw.TensorScatterMax,
           "min": raw.TensorScatterMin}
    for fn, ref in fns.items():
        for dtype in (F64, np.int32):
            t, u = integers("sx", (3, 4, 5), dtype), integers("su", (3, 5), dtype)
            case(f"scatter_nd_{fn}_{np.dtype(dtype).name}", f"scatter_nd fn={fn}", [t, pairs, u], lambda t, i, u, f=ref: f(tensor=t, indices=i, updates=u), EXACT)
    case("scatter_nd_outside", "scatter_nd fn=add", [x, np.int32([[3, 0]]), x[:1, 0]], lambda t, i, u: raw.TensorScatterAdd(tensor=t, indices=i, updates=u),
         error=True)
    for fn, ref in (("sum", tf.cumsum), ("prod", tf.math.cumprod)):
        for axis in (0, 1, 2):
            for text, kw in (("", {}), (" exclusive=true", {"exclusive": True}), (" reverse=true", {"reverse": True}),
                             (" exclusive=true reverse=true", {"exclusive": True, "reverse": True})):
                case(f"scan_{fn}_{axis}{text.replace(' ', '_')}", f"scan fn={fn} axis={axis}{text}", [x], lambda x, f=ref, a=axis, kw=kw: f(x, a, **kw))
        case(f"scan_{fn}_int8_wraps", f"scan fn={fn} axis=0", [np.int8([100, 100, 3, -7])], lambda x, f=ref: f(x), EXACT)
    ties = integers("tkx", (3, 20), F64, 0, 4)
    for k in (0, 1, 7, 20):
        case(f"top_k_{k}", "top_k", [ties, np.int32(k)], lambda x, k: raw.TopKV2(input=x, k=k), EXACT, 2)
    case("top_k_uint8", "top_k to=int64", [integers("tku", (2, 9), np.uint8, 0, 9), np.int32(4)],
         lambda x, k: raw.TopKV2(input=x, k=k, index_type=tf.int64), EXACT, 2)


def lstm_of(gates, weights, h, c, clip=0.0, holes=(0, 0, 0)):
    ys, cs = [], []
    for x in tf.unstack(gates):
        i, f, g, o = tf.split(x + h @ weights, 4, 1)
        c = tf.sigmoid(f + holes[1] * c) * c + tf.sigmoid(i + holes[0] * c) * tf.tanh(g)
        c = tf.clip_by_value(c, -clip, clip) if clip else c
        h = tf.sigmoid(o + holes[2] * c) * tf.tanh(c)
        ys.append(h)
        cs.append(c)
    return tf.stack(ys), h, c, tf.stack(cs)


def gru_of(gates, weights, h, reset_after, bias=0.0):
    ys, (wz, wr, wh) = [], tf.split(weights, 3, 1)
    for x in tf.unstack(gates):
        xz, xr, xh = tf.split(x, 3, 1)
        z, r = tf.sigmoid(xz + h @ wz), tf.sigmoid(xr + h @ wr)
        g = tf.tanh(xh + (r * (h @ wh + bias) if reset_after else (r * h) @ wh))
        h = z * h + (1 - z) * g
        ys.append(h)
    return tf.stack(ys), h


def recurrent():
    u = 3
    gates, weights, h, c = (normal(f"rec{i}", s) for i, s in enumerate(((5, 2, 4 * u), (u, 4 * u), (2, u), (2, u))))
    case("recurrent_lstm", "recurrent", [gates, weights, h, c], lambda *a: lstm_of(*a)[:3], outputs=3)
    case("recurrent_lstm_last", "recurrent sequence=false", [gates, weights, h, c],
         lambda *a: (lstm_of(*a)[0][-1:], *lstm_of(*a)[1:3]), outputs=3)
    case("recurrent_lstm_clip_cells", "recurrent cell_clip=0.25 cells=true", [gates, weights, h, c],
         lambda *a: (*lstm_of(*a, clip=0.25)[:2], lstm_of(*a, clip=0.25)[3]), outputs=3)
    case("recurrent_lstm_peephole", "recurrent has_peephole=true", [gates, weights, h, c, normal("rech", (3 * u,))],
         lambda x, w, h, c, p: lstm_of(x, w, h, c, holes=tf.split(p, 3))[:3], outputs=3)
    three = [gates[..., :3 * u], weights[:, :3 * u], h]
    case("recurrent_gru", "recurrent fn=gru", three, lambda *a: gru_of(*a, False), outputs=2)
    case("recurrent_gru_reset_after", "recurrent fn=gru_reset_after", three, lambda *a: gru_of(*a, True), outputs=2)
    case("recurrent_gru_bias", "recurrent fn=gru_reset_after has_bias=true", [*three, normal("recb", (u,))],
         lambda x, w, h, b: gru_of(x, w, h, True, b), outputs=2)
    layer = tf.keras.layers.SimpleRNN(u, return_sequences=True, return_state=True, dtype="float64", use_bias=False)
    layer.build((None, None, u))

    def simple(x, w, h):
        layer.set_weights([np.eye(u), w])
        y, last = layer(tf.transpose(x, [1, 0, 2]), initial_state=[h])
        return tf.transpose(y, [1, 0, 2]), last

    case("recurrent_simple", "recurrent fn=simple", [gates[..., :u], weights[:, :u], h], simple, outputs=2)


def resize():
    sizes = ((8, 10), (3, 2), (1, 1), (5, 7), (13, 4))
    modes = (("", {}), (" align_corners=true", {"align_corners": True}), (" half_pixel_centers=true", {"half_pixel_centers": True}))
    for dtype in (F32, np.uint8):
        x = normal("rs", (2, 5, 7, 3)).astype(F32) if dtype is F32 else integers("ru", (2, 5, 7, 3), np.uint8, 0, 255)
        for h, w in sizes:
            for text, kw in modes:
                tag = f"{h}x{w}_{np.dtype(dtype).name}{text.split('=')[0].replace(' ', '_')}"
                # TensorFlow's bilinear kernel answers in float32.
                case(f"resize_bilinear_{tag}", f"resize{text}", [x, np.int32([h, w])],
                     lambda x, s, kw=kw: raw.ResizeBilinear(images=x, size=s, **kw), 5e-7)
                case(f"resize_nearest_{tag}", f"resize bilinear=false{text}", [x, np.int32([h, w])],
                     lambda x, s, kw=kw: raw.ResizeNearestNeighbor(images=x, size=s, **kw), EXACT)
                case(f"resize_bicubic_{tag}", f"resize method=bicubic{text}", [x, np.int32([h, w])],
                     lambda x, s, kw=kw: raw.ResizeBicubic(images=x, size=s, **kw), 5e-7)
                if "half" not in text:
                    case(f"resize_area_{tag}", f"resize method=area{text}", [x, np.int32([h, w])],
                         lambda x, s, kw=kw: raw.ResizeArea(images=x, size=s, **kw), 5e-7)


def detection():
    r = rng("boxes")
    corner = r.uniform(0, 0.7, (2, 40, 3, 2))
    boxes = np.concatenate([corner, corner + r.uniform(-0.3, 0.5, (2, 40, 3, 2))], -1).astype(F32)
    scores, ties = r.uniform(0, 1, (2, 40, 3)).astype(F32), (r.integers(0, 5, (2, 40, 3)) / 4).astype(F32)
    for name, s in (("distinct", scores), ("ties", ties)):
        for dtype in (F32, F16):
            for i, (iou, score, sigma) in enumerate(((0.5, 0.1, 0), (0.2, -1, 0), (1, 0.5, 0), (0.5, 0.01, 0.5), (0.3, 0.1, 0.05))):
                case(f"nms_{name}_{np.dtype(dtype).name}_{i}", "non_max_suppression",
                     [boxes[0, :, 0].astype(dtype), s[0, :, 0].astype(dtype), np.int32(30), dtype(iou), dtype(score), dtype(sigma)],
                     lambda b, s, k, i, t, g: raw.NonMaxSuppressionV5(
                         boxes=tf.constant(b), scores=tf.constant(s), max_output_size=k, iou_threshold=tf.constant(i), score_threshold=tf.constant(t),
                         soft_nms_sigma=tf.constant(g), pad_to_max_output_size=True), EXACT, 3)
        for i, (per_class, total, iou, score) in enumerate(((5, 12, 0.5, 0.1), (40, 30, 0.3, -1), (2, 200, 0.7, 0.6), (10, 7, 0.5, 0.3))):
            for pad in (False, True):
                for clip in (False, True):
                    case(f"combined_nms_{name}_{i}_{pad}_{clip}",
                         f"combined_non_max_suppression pad_per_class={str(pad).lower()} clip_boxes={str(clip).lower()}",
                         [boxes * F32(1.5), s, np.int32(per_class), np.int32(total), F32(iou), F32(score)],
                         lambda b, s, k, n, i, t, pad=pad, clip=clip: raw.CombinedNonMaxSuppression(
                             boxes=b, scores=s, max_output_size_per_class=k, max_total_size=n, iou_threshold=i, score_threshold=t, pad_per_class=pad,
                             clip_boxes=clip), EXACT, 4)
    bad = [boxes[0, :, 0], scores[0, :, 0], np.int32(30), F32(1.5), F32(0), F32(0)]
    case("nms_bad_overlap", "non_max_suppression", bad, lambda b, s, k, i, t, g: raw.NonMaxSuppressionV5(
        boxes=b, scores=s, max_output_size=k, iou_threshold=i, score_threshold=t, soft_nms_sigma=g, pad_to_max_output_size=True), EXACT, 3, True)
    image = normal("crops", (2, 7, 9, 3), F32)
    for method in ("bilinear", "nearest"):
        for h, w in ((4, 5), (1, 1), (7, 9), (12, 1)):
            case(f"crop_and_resize_{method}_{h}x{w}", f"crop_and_resize bilinear={str(method == 'bilinear').lower()} extrapolation=2.5",
                 [image, boxes[0, :10, 0] * F32(1.4) - F32(0.2), np.int32([0, 1] * 5), np.int32([h, w])],
                 lambda x, b, i, z, m=method: raw.CropAndResize(image=x, boxes=b, box_ind=i, crop_size=z, method=m, extrapolation_value=2.5), 5e-7)
    case("crop_and_resize_outside", "crop_and_resize", [image, boxes[0, :1, 0], np.int32([2]), np.int32([2, 2])],
         lambda x, b, i, z: raw.CropAndResize(image=x, boxes=b, box_ind=i, crop_size=z), error=True)
    for dtype in (F64, F32, np.int8, np.uint8, np.int64):
        x = integers("pam", (2, 6, 7, 3), dtype, 0, 6)
        for text, kw in (("", {"padding": "VALID"}), (" padding=same", {"padding": "SAME"}),
                         (" padding=same include_batch=true to=int32", {"padding": "SAME", "include_batch_in_index": True, "Targmax": tf.int32})):
            case(f"pool_argmax_{np.dtype(dtype).name}{text.replace(' ', '_')}", f"pool_argmax ksize=[3,2] strides=[2,2]{text}", [x],
                 lambda x, kw=kw: raw.MaxPoolWithArgmax(input=x, ksize=[1, 3, 2, 1], strides=[1, 2, 2, 1], **kw), EXACT, 2)


def spectral():
    def parts(z):
        return tf.stack([tf.math.real(z), tf.math.imag(z)], -1)

    def number(x):
        return tf.complex(x[..., 0], x[..., 1])
    for n in (1, 2, 3, 4, 5, 8, 12, 15, 17, 49, 97, 100):
        x, z = normal(f"fft{n}", (3, n)), normal(f"fftz{n}", (3, n, 2))
        case(f"fft_{n}", "fft axis=1", [z], lambda z: parts(tf.signal.fft(number(z))), 1e-10)
        case(f"ifft_{n}", "fft fn=inverse axis=1", [z], lambda z: parts(tf.signal.ifft(number(z))), 1e-10)
        case(f"rfft_{n}", "fft fn=real axis=1", [x, np.int32(n)], lambda x, n: parts(raw.RFFT(input=x, fft_length=[n], Tcomplex=tf.complex128)), 1e-10)
        case(f"irfft_{n}", "fft fn=inverse_real axis=1", [z[:, : n // 2 + 1], np.int32(n)],
             lambda z, n: raw.IRFFT(input=number(z), fft_length=[n], Treal=tf.float64), 1e-10)
    x, z = normal("fftc", (6, 5, 4)), normal("fftcz", (6, 5, 4, 2))
    case("rfft_cropped", "fft fn=real axis=2", [x, np.int32(3)], lambda x, n: parts(raw.RFFT(input=x, fft_length=[n], Tcomplex=tf.complex128)), 1e-10)
    for axis, perm in ((0, [1, 2, 0]), (1, [0, 2, 1])):
        back = np.argsort(perm)
        case(f"fft_axis_{axis}", f"fft axis={axis}", [z], lambda z, p=perm, b=back: parts(tf.transpose(tf.signal.fft(tf.transpose(number(z), p)), b)), 1e-10)
        case(f"rfft_axis_{axis}", f"fft fn=real axis={axis}", [x, np.int32(5)], lambda x, n, p=perm, b=back: parts(
            tf.transpose(raw.RFFT(input=tf.transpose(x, p), fft_length=[n], Tcomplex=tf.complex128), b)), 1e-10)
    case("rfft_too_long", "fft fn=real axis=2", [x, np.int32(9)], lambda x, n: raw.RFFT(input=x, fft_length=[n], Tcomplex=tf.complex128), error=True)
    other = normal("complexb", (4, 2))
    for name, f in (("real", tf.math.real), ("imag", tf.math.imag), ("abs", tf.abs), ("angle", tf.math.angle)):
        case(f"complex_{name}", f"complex fn={name}", [z], lambda z, f=f: f(number(z)), 1e-12)
    case("complex_exp", "complex fn=exp", [z], lambda z: parts(tf.exp(number(z))), 1e-12)
    case("complex_make", "complex fn=make", [x, normal("complexm", (5, 1))], lambda a, b: parts(raw.Complex(real=tf.constant(a), imag=tf.constant(b), Tout=tf.complex128)), EXACT)
    case("complex_mul", "complex fn=mul", [z, other], lambda a, b: parts(number(a) * number(b)), 1e-12)
    case("complex_abs_infinite", "complex fn=abs", [np.array([[np.inf, np.nan], [np.nan, -np.inf], [np.nan, 1], [0, -0.0]])], lambda z: tf.abs(number(z)), EXACT)
    for dtype in (F64, F32, np.int8, np.uint8, np.int64):
        x, f = integers("dilate", (2, 6, 7, 3), dtype, -90, 90), integers("dilatef", (3, 2, 3), dtype, -90, 90)
        for text, kw in (("", {"padding": "VALID"}), (" padding=same", {"padding": "SAME"})):
            case(f"dilation2d_{np.dtype(dtype).name}{text.replace(' ', '_')}", f"dilation2d strides=[2,1] rates=[1,2]{text}", [x, f],
                 lambda x, f, kw=kw: raw.Dilation2D(input=x, filter=f, strides=[1, 2, 1, 1], rates=[1, 1, 2, 1], **kw), EXACT)


def fake_quant():
    # Bit for bit: float32 on both sides, the same steps. Beyond the range, on ties, and what is no number.
    x = np.concatenate([normal("fq", (400,), F32) * 4, np.arange(-60, 60, dtype=F32) / 8,
                        F32([np.nan, np.inf, -np.inf, 0, -0.0, 6, -6])])
    ranges = {"symmetric": (-6, 6), "relu6": (0, 6), "skewed": (-1.3, 5.1), "tiny": (-1e-3, 2e-3), "above": (0.7, 3), "below": (-3, -0.7)}
    for bits in (2, 4, 8, 16):
        for narrow in (False, True):
            text = f"num_bits={bits} narrow_range={str(narrow).lower()}"
            kw = {"num_bits": bits, "narrow_range": narrow}
            for name, (low, high) in ranges.items():
                tag = f"{name}_{bits}_{narrow}"
                case(f"fake_quant_args_{tag}", f"fake_quant fn=nudged {text}", [x, F32(low), F32(high)],
                     lambda x, a, b, kw=kw, r=(low, high): raw.FakeQuantWithMinMaxArgs(inputs=x, min=r[0], max=r[1], **kw), EXACT)
                case(f"fake_quant_vars_{tag}", f"fake_quant fn=nudged_divide {text}", [x, F32(low), F32(high)],
                     lambda x, a, b, kw=kw: raw.FakeQuantWithMinMaxVars(inputs=x, min=a, max=b, **kw), EXACT)
                for signed in (True, False):
                    if low > 0 or high < 0 or not signed and high <= 0:
                        continue  # no scale: the importer refuses them
                    for mode in ("HALF_TO_EVEN", "HALF_UP"):
                        op = f"fake_quant fn={mode.lower()} is_signed={str(signed).lower()} {text}"
                        case(f"fake_quant_v2_{tag}_{signed}_{mode}", op, [x, F32(low), F32(high)],
                             lambda x, a, b, kw=kw, s=signed, m=mode: raw.QuantizeAndDequantizeV2(
                                 input=x, input_min=a, input_max=b, signed_input=s, range_given=True, round_mode=m, **kw), EXACT)
            low, high = F32([-6, 0, 0, -1.5, -2]), F32([6, 4, 0, 3, 1])
            y = normal("fqc", (3, 4, 2, 5), F32) * 4
            case(f"fake_quant_channels_{bits}_{narrow}", f"fake_quant fn=nudged {text} axis=3", [y, low, high],
                 lambda x, a, b, kw=kw: raw.FakeQuantWithMinMaxVarsPerChannel(inputs=x, min=a, max=b, **kw), EXACT)
            case(f"fake_quant_v3_{bits}_{narrow}", f"fake_quant fn=half_to_even {text} axis=1", [y, low[:4], high[:4]],
                 lambda x, a, b, n=narrow, bits=bits: raw.QuantizeAndDequantizeV3(
                     input=x, input_min=a, input_max=b, num_bits=bits, range_given=True, narrow_range=n, axis=1), EXACT)
            # TensorFlow 2.21 runs V2 and V4 with one range only, whatever their axis.
            case(f"fake_quant_v4_{bits}_{narrow}", f"fake_quant fn=half_up {text}", [y, low[0], high[0]],
                 lambda x, a, b, kw=kw: raw.QuantizeAndDequantizeV4(
                     input=x, input_min=a, input_max=b, range_given=True, round_mode="HALF_UP", **kw), EXACT)
    case("fake_quant_vars_zero", "fake_quant fn=nudged_divide", [x[:400], F32(0), F32(0)],
         lambda x, a, b: raw.FakeQuantWithMinMaxVars(inputs=x, min=a, max=b), EXACT)


def all_cases():
    for family in (unary, binary, select_cast_affine, conv, pool, matmul, reduce, normalization, shapes, slices, indexing,
                   resize, detection, spectral, fake_quant, nd, recurrent):
        family()
    return CASES
