"""Ops on the bits of integers, and Bitcast."""
import itertools

import numpy as np
import tensorflow as tf

from op_cases import BF16, EXACT, F16, F32, F64, I32, I64, case, integers, normal, raw, rng, static, unknown

INTEGERS = (np.int8, np.int16, I32, I64, np.uint8, np.uint16, np.uint32, np.uint64)


def whole_range(name, shape, dtype):
    """All bits of the dtype are in use; the least and the largest number are the first two."""
    info = np.iinfo(dtype)
    x = rng(name).integers(info.min, info.max, size=shape, dtype=dtype, endpoint=True)
    x.reshape(-1)[:2] = info.min, info.max
    return x


def binary():
    for op in ("BitwiseAnd", "BitwiseOr", "BitwiseXor", "LeftShift", "RightShift"):
        def build(x, y, f=getattr(raw, op)):
            return f(x=x, y=y)
        shifts = op.endswith("Shift")
        for dtype in INTEGERS:
            name = np.dtype(dtype).name
            x, y = whole_range(op + name, (6, 11), dtype), whole_range(op + name + "y", (6, 11), dtype)
            if shifts:  # from below 0 to beyond the width
                y = np.resize(np.arange(-3 if np.dtype(dtype).kind == "i" else 0, 8 * x.itemsize + 4), x.shape).astype(dtype)
            case(op, name, build, [x, y], unknown(x, y), EXACT)
            case(op, name + "_scalar", build, [x, dtype(5)], rtol=EXACT)
            case(op, name + "_of_scalar", build, [x[0, 0], y], static(x[0, 0], y), EXACT)
        x, y = whole_range(op, (2, 3, 1), I32), integers(op + "b", (3, 4), I32, 0, 31)
        case(op, "broadcast", build, [x, y], rtol=EXACT)
        case(op, "static", build, [x, y], static(x, y), EXACT)
        case(op, "scalars", build, [I32(-77), I32(3)], rtol=EXACT)
        case(op, "empty", build, [x[:0], y], [[None, 3, 1], [None, 4]], EXACT)
        case(op, "large", build, [whole_range(op + "l", (700, 301), I64), whole_range(op + "m", (301,), I64)], rtol=EXACT)
        case(op, "constant", lambda x, f=getattr(raw, op): f(x=x, y=I32([0, 1, 30, 31])), [whole_range(op + "c", (5, 4), I32)], rtol=EXACT)
        case(op, "of_constant", lambda y, f=getattr(raw, op): f(x=I32([0, -1, 30, 31]), y=y), [integers(op + "o", (5, 4), I32, 0, 9)], rtol=EXACT)
        case(op, "one_bit_at_a_time", build, [np.int64(-(2**62) - 12345), np.arange(64, dtype=I64)], rtol=EXACT)


def population_count():
    op = "PopulationCount"

    def build(x):
        return raw.PopulationCount(x=x)
    for dtype in INTEGERS:
        name = np.dtype(dtype).name
        x = whole_range(op + name, (5, 9), dtype)
        case(op, name, build, [x], unknown(x), EXACT)
        case(op, name + "_scalar", build, [x[0, 0]], rtol=EXACT)
    x = whole_range(op, (300, 401), I32)
    case(op, "large", build, [x], static(x), EXACT)
    case(op, "empty", build, [x[:0]], rtol=EXACT)
    case(op, "zero_and_all", build, [I64([0, -1, 1, -(2**63)])], rtol=EXACT)
    case(op, "vector_of_three", build, [np.uint8([255, 254, 1])], rtol=EXACT)
    case(op, "then_cast", lambda x: tf.cast(raw.PopulationCount(x=x), tf.float32), [x], rtol=EXACT)


def invert():
    for dtype in INTEGERS:
        name = np.dtype(dtype).name
        x = whole_range("Invert" + name, (5, 9), dtype)
        case("Invert", name, lambda x: raw.Invert(x=x), [x], unknown(x), EXACT)
        case("Invert", name + "_scalar", lambda x: raw.Invert(x=x), [x[0, 0]], rtol=EXACT)
    case("Invert", "empty", lambda x: raw.Invert(x=x), [x[:0]], rtol=EXACT)
    case("Invert", "large", lambda x: raw.Invert(x=x), [whole_range("Invert", (300, 401), I64)], rtol=EXACT)
    case("Invert", "static", lambda x: raw.Invert(x=x), [x], static(x), EXACT)
    case("Invert", "constant", lambda x: raw.BitwiseAnd(x=x, y=raw.Invert(x=np.uint64([1, 2, 3]))), [x[:, :3]], rtol=EXACT)


def bitcast():
    op = "Bitcast"
    dtypes = (*INTEGERS, F16, BF16, F32, F64)
    for source, target in itertools.product(dtypes, dtypes):
        s, t = np.dtype(source), np.dtype(target)
        parts = max(t.itemsize // s.itemsize, 1)
        shape = (3, 5, parts) if parts > 1 else (3, 5)
        bits = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}[s.itemsize]
        x = whole_range(f"{s}{t}", shape, bits).view(source)
        if t == BF16:  # without NaN, which is not equal to itself in NumPy's eyes there
            x = (x.view(np.uint16) & np.uint16(0xff7f)).view(source)
        case(op, f"{s.name}_{t.name}", lambda x, t=target: raw.Bitcast(input=x, type=t), [x], rtol=EXACT)
    x = normal(op, (2, 3, 4))
    case(op, "unknown", lambda x: raw.Bitcast(input=x, type=I32), [x], unknown(x), EXACT)
    case(op, "unknown_smaller", lambda x: raw.Bitcast(input=x, type=np.int16), [x], unknown(x), EXACT)
    case(op, "static_smaller", lambda x: raw.Bitcast(input=x, type=np.uint8), [x], static(x), EXACT)
    case(op, "known_last", lambda x: raw.Bitcast(input=x, type=F64), [normal(op, (2, 3, 2))], [[None, None, 2]], EXACT)
    case(op, "unknown_last", lambda x: raw.Bitcast(input=x, type=F64), [normal(op, (2, 3, 2))], [[2, 3, None]], refused="shape")
    case(op, "scalar", lambda x: raw.Bitcast(input=x, type=F32), [I32(0x3fc00000)], rtol=EXACT)
    case(op, "scalar_smaller", lambda x: raw.Bitcast(input=x, type=np.uint8), [F64(-1.5)], rtol=EXACT)
    case(op, "to_scalar", lambda x: raw.Bitcast(input=x, type=F64), [np.arange(8, dtype=np.uint8)], [[8]], EXACT)
    case(op, "empty", lambda x: raw.Bitcast(input=x, type=np.uint8), [x[:0]], rtol=EXACT)
    case(op, "empty_larger", lambda x: raw.Bitcast(input=x, type=F32), [np.zeros((0, 4), np.uint8)], rtol=EXACT)
    case(op, "large", lambda x: raw.Bitcast(input=x, type=F32), [whole_range(op, (400, 301), I32)], rtol=EXACT)
    case(op, "exponent", lambda x: raw.BitwiseAnd(x=raw.RightShift(x=raw.Bitcast(input=x, type=I32), y=23), y=255), [x], rtol=EXACT)
    case(op, "then_arithmetic", lambda x: raw.Bitcast(input=x, type=F32) * 2.0, [np.ones((3, 4), F32).view(np.uint8).reshape(3, 4, 4)], rtol=EXACT)
    case(op, "of_constant", lambda x: x + raw.Bitcast(input=np.array([[0, 0, 128, 63]], np.uint8), type=F32), [x], rtol=EXACT)
    case(op, "constant_view_stays", lambda x: raw.Bitcast(input=raw.Bitcast(input=x, type=np.uint8), type=F32), [x], rtol=EXACT)
    case(op, "eight_axes", lambda x: raw.Bitcast(input=x, type=np.uint8), [normal(op, (1,) * 8)], refused="shape")
    case(op, "complex", lambda x: tf.math.real(raw.Bitcast(input=x, type=tf.complex64)), [normal(op, (3, 2))], refused="dtype")
    case(op, "of_complex", lambda x: raw.Bitcast(input=tf.complex(x, x), type=F32), [x], refused="dtype")


FAMILIES = (binary, population_count, invert, bitcast)


def cases():
    for family in FAMILIES:
        family()
