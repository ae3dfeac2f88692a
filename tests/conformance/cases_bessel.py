"""Modified Bessel functions of the first kind."""
import numpy as np

from op_cases import BF16, F16, F32, F64, ROUNDED, case, normal, raw, static, unknown


def bessel():
    for op in ("BesselI0", "BesselI0e", "BesselI1", "BesselI1e"):
        def build(x, f=getattr(raw, op)):
            return f(x=x)
        scaled = op.endswith("e")
        for dtype in (F32, F64, F16):
            x = normal(op, (7, 9), dtype) * dtype(3)
            # Below 1e-12 the error is TensorFlow's: its float64 polynomials are rounded to 16 digits.
            case(op, np.dtype(dtype).name, build, [x], unknown(x), {F64: 2e-15 * 100}.get(dtype, ROUNDED[dtype]), reference=dtype != F32)
        for name, x in (("near_zero", np.linspace(-1e-3, 1e-3, 41)), ("small", np.linspace(-1, 1, 201)), ("below_split", np.linspace(-8, 8, 999)),
                        ("at_split", np.nextafter(F32(8), F32([0, 8, 16]))), ("at_negative_split", -np.nextafter(F32(8), F32([0, 8, 16]))),
                        ("above_split", np.geomspace(8, 80, 301)), ("above_split_negative", -np.geomspace(8, 80, 301)),
                        ("integers", np.arange(-40, 41)), ("large", normal(op, (40000, 3)) * 6)):
            case(op, name, build, [x.astype(F32)], rtol=1e-6)
            # Each value by itself: the bar above is relative to the largest.
            case(op, name + "_ratio", lambda x, f=getattr(raw, op): f(x=x) / raw.Exp(x=raw.Abs(x=x) if not op.endswith("e") else x * 0), [x.astype(F32)], rtol=1e-6)
        case(op, "bfloat16", build, [normal(op, (7, 9), BF16)], refused="dtype")  # TensorFlow has no kernel
        case(op, "special", build, [F32([np.nan, 0, np.inf, -np.inf, -0.0, 1, -1, 88, -88])], rtol=1e-6)
        case(op, "overflow", build, [F32([89, -89, 100, -200, 1e5])], rtol=1e-6)
        case(op, "huge", build, [F32([1e10, -1e20, 3e38, 1e-30, -1e-40])], rtol=1e-6)
        case(op, "float64_range", build, [np.linspace(-700 if scaled else -300, 300, 997)], rtol=3e-13, reference=True)
        case(op, "float64_special", build, [np.array([np.nan, 0, np.inf, -np.inf, -0.0, 20, np.nextafter(20, 30)])], rtol=3e-13, reference=True)
        case(op, "scalar", build, [F32(2.5)])
        case(op, "empty", build, [normal(op, (0, 3))])
        x = normal(op, (2, 3, 4))
        case(op, "static", build, [x], static(x))
        case(op, "tail", build, [normal(op, (17,))])


FAMILIES = (bessel,)


def cases():
    for family in FAMILIES:
        family()
