"""Bincount and DenseBincount."""
import numpy as np

from op_cases import EXACT, F32, F64, I32, I64, case, integers, normal, raw, static, unknown


def bincount():
    def make(op, name, x, size, dtype, weights=None, shapes=None, **attrs):
        outcome = {k: attrs.pop(k) for k in ("refused", "error") if k in attrs}
        operand = "arr" if op == "Bincount" else "input"
        rtol = 1e-5 if weights is not None and np.dtype(dtype).kind == "f" else EXACT

        def build(x, *w):
            w = w[0] if w else np.zeros(0, dtype)
            return getattr(raw, op)(**{operand: x}, size=x.dtype.as_numpy_dtype(size), weights=w, **attrs)
        inputs = [x] if weights is None else [x, weights]
        shapes = shapes or (static if weights is not None else None)
        reference = np.dtype(dtype) == F64
        case(op, name, build, inputs, shapes(*inputs) if shapes else None, rtol, reference=reference, **outcome)

    x = integers("bc", (50,), I32, 0, 9)
    for op in ("Bincount", "DenseBincount"):
        for dtype in (I32, I64, F32, F64):
            name = np.dtype(dtype).name
            w = integers("bcw", (50,), dtype) if np.dtype(dtype).kind == "i" else normal("bcw", (50,), dtype)
            make(op, name, x, 9, dtype)
            make(op, name + "_weights", x, 9, dtype, w)
            make(op, name + "_weights_unknown", x, 9, dtype, w, unknown, refused="shape")
            make(op, name + "_unknown", x, 9, dtype, None, unknown)
        make(op, "smaller", x, 4, I32)
        make(op, "larger", x, 40, F32)
        make(op, "one", x, 1, F32)
        make(op, "none", x, 0, F32)
        make(op, "weights_smaller", x, 4, F32, normal("bcs", (50,)))
        make(op, "nothing", x[:0], 5, I32)
        make(op, "nothing_weighted", x[:0], 5, F32, F32([]))
        make(op, "negative", np.where(np.arange(50) == 7, -1, x).astype(I32), 9, I32, error=True)
        make(op, "many", integers("bcm", (200000,), I32, 0, 1000), 1000, I64)
        make(op, "many_weighted", integers("bcm", (200000,), I32, 0, 1000), 1000, F32, normal("bcmw", (200000,)))
        make(op, "large_numbers", integers("bcl", (50,), I32, 0, 2**31 - 1), 20, I32)
        make(op, "other_weights", x, 9, F32, normal("bco", (1,)), refused="shape")
    op = "Bincount"
    make(op, "matrix", x.reshape(5, 10), 9, I32)
    make(op, "matrix_weights", x.reshape(5, 10), 9, F32, normal("bcmx", (5, 10)))
    case(op, "weights_of_input", lambda x: raw.Bincount(arr=x, size=9, weights=raw.Cast(x=x, DstT=F32) * 0.5), [x])
    make(op, "scalar", I32(3), 9, I32)
    case(op, "fed_size", lambda x, s: raw.Bincount(arr=x, size=s, weights=I32([])), [x, I32(4)], refused="shape")
    op = "DenseBincount"
    y = x.reshape(5, 10)
    for dtype in (I32, I64, F32, F64):
        name = np.dtype(dtype).name
        make(op, f"rows_{name}", y, 9, dtype)
        make(op, f"rows_{name}_int64", y.astype(I64), 7, dtype, normal("bcr", (5, 10)).astype(dtype))
        make(op, f"binary_{name}", x[:5], 9, dtype, binary_output=True)
        make(op, f"rows_binary_{name}", y, 9, dtype, binary_output=True)
    make(op, "binary_weights", x, 9, F32, normal("bcb", (50,)), binary_output=True)
    make(op, "rows_binary_weights", y, 9, F32, normal("bcb", (5, 10)), binary_output=True)
    make(op, "rows_unknown", y, 9, I32, None, unknown)
    make(op, "rows_static", y, 4, I32, None, static)
    make(op, "numbers_int64", x.astype(I64), 9, I64)
    make(op, "int64_large_numbers", x.astype(I64) * 2**40, 9, I64)
    make(op, "no_rows", y[:0], 9, I32)
    make(op, "no_columns", y[:, :0], 9, I32)
    make(op, "rows_none", y, 0, I32)
    make(op, "rows_negative", np.where(y == 3, -2, y).astype(I32), 9, I32, error=True)
    make(op, "rows_many", integers("bcrm", (300, 700), I32, 0, 50), 50, F32, normal("bcrmw", (300, 700)))


FAMILIES = (bincount,)


def cases():
    for family in FAMILIES:
        family()
