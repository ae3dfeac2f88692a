"""Slices at places that depend on data, as x[i] in a loop has them; == of Python, which is false for shapes that do not fit."""
import numpy as np
import tensorflow as tf

from op_cases import BF16, EXACT, F16, F32, F64, I32, I64, case, integers, normal, raw, static, unknown


def strided():
    op = "StridedSlice"
    x = normal(op, (5, 6, 7, 3))
    forms = {
        "first": lambda x, i, j: x[i],
        "second": lambda x, i, j: x[:, i],
        "last": lambda x, i, j: x[..., i % 3],
        "second_to_last": lambda x, i, j: x[..., i, :],
        "two": lambda x, i, j: x[i, j],
        "two_apart": lambda x, i, j: x[i, :, j],
        "around_ellipsis": lambda x, i, j: x[i, ..., j % 3],
        "with_known": lambda x, i, j: x[i, 2],
        "after_known": lambda x, i, j: x[2, i],
        "with_range": lambda x, i, j: x[i, 1:4],
        "with_steps": lambda x, i, j: x[i, 4:1:-2],
        "with_negative": lambda x, i, j: x[i, -3:, -2],
        "new_axis_before": lambda x, i, j: x[tf.newaxis, i],
        "new_axis_after": lambda x, i, j: x[i, tf.newaxis, :, 1:3],
        "new_axis_last": lambda x, i, j: x[:, i, ..., tf.newaxis],
        "all": lambda x, i, j: x[i, j, i, 2],
        "computed": lambda x, i, j: x[i + j - i],
    }
    for name, form in forms.items():
        for i, j in ((0, 1), (3, 4), (-1, -5)):
            case(op, f"data_{name}_{i}_{j}", form, [x, I32(i), I32(j)], rtol=EXACT)
        case(op, f"data_{name}_unknown", form, [x, I32(2), I32(3)], unknown(x, 0, 0), EXACT)
        case(op, f"data_{name}_static", form, [x, I32(2), I32(3)], static(x, 0, 0), EXACT)
    for dtype in (F64, F16, BF16, I32, I64, np.int8, np.uint8, np.int16, np.bool_):
        y = integers("y", (5, 6), I32).astype(dtype)
        for index in (I32, I64):
            case(op, f"data_{np.dtype(dtype).name}_{np.dtype(index).name}", lambda x, i: x[:, i], [y, index(3)], rtol=EXACT)
    for i in (5, -6, 2**31 - 1, -2**31):
        case(op, f"data_outside_{i}", lambda x, i: x[i], [x, I32(i)], error=True)
    case(op, "data_of_empty", lambda x, i: x[i], [x[:0], I32(0)], unknown(x, 0), error=True)
    case(op, "data_empty_elsewhere", lambda x, i: x[i], [x[:, :0], I32(1)], unknown(x, 0), EXACT)
    case(op, "data_vector_fed", lambda x, b: raw.StridedSlice(input=x, begin=b, end=[0, 0], strides=[1, 1], shrink_axis_mask=3), [x, I32([2, -1])], static(x, [0, 0]), EXACT)
    # Masks do not count where an axis is taken away.
    case(op, "data_masked_and_shrunk", lambda x, b: raw.StridedSlice(input=x, begin=b, end=[0, 0], strides=[2, 3], shrink_axis_mask=3, begin_mask=1, end_mask=2),
         [x, I32([2, -1])], static(x, [0, 0]), EXACT)
    case(op, "data_range", lambda x, i: x[i:], [x, I32(2)], refused="shape")
    case(op, "data_range_beside", lambda x, i: x[i, i:], [x, I32(2)], refused="shape")
    case(op, "data_end", lambda x, i: x[0, :i], [x, I32(2)], refused="shape")

    def loop(x, n):
        return tf.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, y * 0.5 + x[i] * x[-1 - i]), (0, x[0]))[1]

    case("While", "indexes_by_its_counter", loop, [x, I32(5)], unknown(x, 0), 1e-5)
    case("While", "indexes_outside", loop, [x, I32(6)], unknown(x, 0), error=True)


def slices():
    op = "Slice"
    x = normal(op, (5, 6, 7))
    for i, j in ((0, 0), (2, 1), (3, 4)):
        case(op, f"data_{i}_{j}", lambda x, i, j: raw.Slice(input=x, begin=[i, 0, j], size=[2, -1, 3]), [x, I32(i), I32(j)], rtol=EXACT)
        case(op, f"data_{i}_{j}_int64", lambda x, i, j: raw.Slice(input=x, begin=[i, 1, j], size=np.int64([2, 3, 1])), [x, I64(i), I64(j)], unknown(x, 0, 0), EXACT)
    case(op, "data_vector_fed", lambda x, b: raw.Slice(input=x, begin=b, size=[1, 2, 3]), [x, I32([4, 0, 2])], static(x, [0] * 3), EXACT)
    for name, b in (("outside", [4, 0, 0]), ("below", [-1, 0, 0]), ("outside_last", [0, 0, 5])):
        case(op, f"data_{name}", lambda x, b: raw.Slice(input=x, begin=b, size=[2, 2, 3]), [x, I32(b)], static(x, b), error=True)
    for dtype in (F64, F16, I32, I64, np.uint8, np.bool_):
        y = integers("y", (5, 6), I32).astype(dtype)
        case(op, f"data_{np.dtype(dtype).name}", lambda x, i: raw.Slice(input=x, begin=[1, i], size=[3, 2]), [y, I32(3)], rtol=EXACT)
    case(op, "data_to_the_end", lambda x, i: raw.Slice(input=x, begin=[i, 0, 0], size=[-1, -1, -1]), [x, I32(3)], refused="shape")
    case(op, "data_of_nothing", lambda x, i: raw.Slice(input=x, begin=[i, 0, 0], size=[0, -1, -1]), [x, I32(3)], refused="shape")
    case(op, "data_size", lambda x, i: raw.Slice(input=x, begin=[0, 0, 0], size=[i, 1, 1]), [x, I32(3)], refused="shape")


def equality():
    for op, compare in (("Equal", lambda x, y: tf.raw_ops.Equal(x=x, y=y, incompatible_shape_error=False)),
                        ("NotEqual", lambda x, y: tf.raw_ops.NotEqual(x=x, y=y, incompatible_shape_error=False))):
        for dtype in (F32, F64, F16, BF16, I32, I64, np.int8, np.uint8, np.int16, np.bool_):
            x = integers("x", (4, 5), I32, 0, 3).astype(dtype)
            case(op, f"lenient_{np.dtype(dtype).name}", lambda x, c=compare, s=dtype(1): c(x, s), [x], unknown(x), EXACT, reference=dtype in (F64, F16, BF16, np.int8, np.uint8, np.int16, np.bool_))
        x, y = integers("x", (4, 5), I32, 0, 3), integers("y", (4, 5), I32, 0, 3)
        case(op, "lenient_same_tensor", lambda x, c=compare: c(x, x + x * x), [x.astype(F32)], unknown(x), EXACT)
        case(op, "lenient_static", compare, [x, y], static(x, y), EXACT)
        case(op, "lenient_row_of_ones", compare, [x[:1], y[:, :1]], [[1, None], [None, 1]], EXACT)
        case(op, "lenient_not_known", compare, [x, y], refused="shape")
        case(op, "lenient_not_fitting", compare, [x, y[:3]], static(x, y[:3]), refused="shape")
        case(op, "lenient_nan", lambda x, c=compare: c(x, x), [F32([[np.nan, 0, -0.0, np.inf]])], rtol=EXACT)


FAMILIES = (strided, slices, equality)


def cases():
    for family in FAMILIES:
        family()
