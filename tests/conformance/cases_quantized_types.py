"""QuantizeV2 and Dequantize, whose quantized tensors stay within an engine."""
import numpy as np
import tensorflow as tf
from tensorflow.core.framework import attr_value_pb2, tensor_pb2

from op_cases import F32, case, normal, raw, rng, static, unknown

TYPES = {"qint8": np.int8, "quint8": np.uint8, "qint16": np.int16, "quint16": np.uint16, "qint32": np.int32}
MODES = ("MIN_COMBINED", "MIN_FIRST", "SCALED")
# Less than half a level of the widest type whose levels float32 tells apart.
LEVEL = {"qint8": 1e-6, "quint8": 1e-6, "qint16": 2e-6, "quint16": 2e-6, "qint32": 1e-6}


def quantized_const(values, name, typed=False):
    """A Const of a quantized dtype, as bytes or as a list of numbers."""
    dtype = getattr(tf, name)
    proto = tensor_pb2.TensorProto(dtype=dtype.as_datatype_enum)
    for d in values.shape:
        proto.tensor_shape.dim.add(size=d)
    if typed:
        proto.int_val.extend(int(v) for v in values.reshape(-1))
    else:
        proto.tensor_content = values.tobytes()
    attrs = {"value": attr_value_pb2.AttrValue(tensor=proto), "dtype": attr_value_pb2.AttrValue(type=dtype.as_datatype_enum)}
    return tf.compat.v1.get_default_graph().create_op("Const", [], [dtype], attrs=attrs).outputs[0]


def there_and_back(lo, hi, name, dequantize=None, **attrs):
    def build(x):
        q = raw.QuantizeV2(input=x, min_range=lo, max_range=hi, T=getattr(tf, name), **attrs)
        same = {k: v for k, v in attrs.items() if k in ("mode", "narrow_range", "axis")}
        y = raw.Dequantize(input=q.output, min_range=q.output_min, max_range=q.output_max, **{**same, **(dequantize or {})})
        return [y, q.output_min, q.output_max]
    return build


def quantize():
    op = "QuantizeV2"
    ties = np.concatenate([np.arange(-130, 130) + 0.5, np.arange(-130, 130)]).astype(F32)
    wide = normal(op, (60, 50))
    for name in TYPES:
        for mode in MODES:
            if name == "qint32" and mode == "SCALED":
                continue  # its Dequantize is refused
            for i, (lo, hi) in enumerate(((-2.5, 1.75), (-128., 127.), (0., 3.), (-4., 0.))):
                refused = "unsupported_value" if hi == 0 and mode == "SCALED" and name.startswith("quint") else ""
                case(op, f"{name}_{mode}_{i}", there_and_back(F32(lo), F32(hi), name, mode=mode), [wide * F32(max(-lo, hi) / 2)], rtol=LEVEL[name],
                     refused=refused)
            if name != "qint32":
                case(op, f"{name}_{mode}_ties", there_and_back(F32(-128), F32(127), name, mode=mode), [ties], rtol=LEVEL[name])
    for mode in MODES:
        for name in ("qint8", "quint8"):
            tag = f"{mode}_{name}"
            case(op, tag + "_range_above_zero", there_and_back(F32(1), F32(3), name, mode=mode), [wide * 3], rtol=1e-6)
            case(op, tag + "_range_below_zero", there_and_back(F32(-3), F32(-1), name, mode=mode), [wide * 3], rtol=1e-6,
                 refused="unsupported_value" if tag == "SCALED_quint8" else "")
            case(op, tag + "_equal_range", there_and_back(F32(1), F32(1), name, mode=mode), [wide], rtol=1e-6)
            case(op, tag + "_least_range", there_and_back(F32(0), F32(0), name, mode=mode), [wide * 0.01], rtol=1e-6)
            case(op, tag + "_ensure", there_and_back(F32(0), F32(1), name, mode=mode, ensure_minimum_range=5.0), [wide], rtol=1e-6)
            case(op, tag + "_ensure_nothing", there_and_back(F32(-1), F32(1), name, mode=mode, ensure_minimum_range=0.0), [wide], rtol=1e-6)
            case(op, tag + "_narrow", there_and_back(F32(-1), F32(0.5), name, mode=mode, narrow_range=True), [wide], rtol=1e-6)
            case(op, tag + "_not_narrow", there_and_back(F32(-1), F32(0.5), name, mode=mode, narrow_range=False), [wide], rtol=1e-6)
            case(op, tag + "_infinite", there_and_back(F32(-2), F32(2), name, mode=mode), [F32([np.inf, -np.inf, 1e30, -1e30])], rtol=1e-6)
            case(op, tag + "_unknown", there_and_back(F32(-1), F32(1), name, mode=mode), [wide], unknown(wide), rtol=1e-6)
            case(op, tag + "_static", there_and_back(F32(-1), F32(1), name, mode=mode), [wide], static(wide), rtol=1e-6)
            case(op, tag + "_scalar", there_and_back(F32(-1), F32(1), name, mode=mode), [F32(0.3)], rtol=1e-6)
            case(op, tag + "_empty", there_and_back(F32(-1), F32(1), name, mode=mode), [wide[:0]], rtol=1e-6)
            case(op, tag + "_large", there_and_back(F32(-3), F32(3.1), name, mode=mode), [normal(tag, (500, 401))], rtol=1e-6)
    for name in ("qint8", "quint8", "qint16"):
        case(op, f"{name}_half_to_even", there_and_back(F32(-128), F32(127), name, mode="SCALED", round_mode="HALF_TO_EVEN"), [ties], rtol=2e-6)
        case(op, f"{name}_half_to_even_narrow", there_and_back(F32(-127), F32(127), name, mode="SCALED", round_mode="HALF_TO_EVEN", narrow_range=True),
             [ties], rtol=2e-6)
        for mode in ("SCALED", "MIN_COMBINED"):
            lo, hi = -np.arange(1, 6, dtype=F32), np.arange(5, 0, -1).astype(F32)
            x = normal(name + mode, (7, 5, 3)) * 3
            case(op, f"{name}_{mode}_axis", there_and_back(lo, hi, name, mode=mode, axis=1), [x], rtol=2e-6)
            case(op, f"{name}_{mode}_last_axis", there_and_back(lo[:3], hi[:3], name, mode=mode, axis=2, narrow_range=True), [x], rtol=2e-6)
            case(op, f"{name}_{mode}_first_axis", there_and_back(lo, hi, name, mode=mode, axis=0), [x[:5]], static(x[:5]), rtol=2e-6)
            case(op, f"{name}_{mode}_unknown_axis", there_and_back(lo, hi, name, mode=mode, axis=1), [x], unknown(x), refused="shape")

    def through(x, f, name="qint8"):
        q = raw.QuantizeV2(input=x, min_range=-1., max_range=1., T=getattr(tf, name), mode="SCALED")
        return raw.Dequantize(input=f(q.output), min_range=q.output_min, max_range=q.output_max, mode="SCALED")
    case(op, "identity", lambda x: through(x, tf.identity), [wide], rtol=1e-6)
    case(op, "relu_before", lambda x: through(tf.nn.relu(x), lambda q: q), [wide], rtol=1e-6)
    case(op, "two_consumers", lambda x: [through(x, lambda q: q), through(-x, tf.identity)], [wide], rtol=1e-6)
    case(op, "fetched", lambda x: raw.QuantizeV2(input=x, min_range=-1., max_range=1., T=tf.qint8).output, [wide], refused="dtype")
    case(op, "fed_range", lambda x, lo: raw.Dequantize(**dict(zip(("input", "min_range", "max_range"), raw.QuantizeV2(
        input=x, min_range=lo, max_range=1., T=tf.qint8)))), [wide, F32(-1)], refused="shape")
    case(op, "range_upside_down", there_and_back(F32(1), F32(-1), "qint8"), [wide], refused="unsupported_value")
    case(op, "range_nan", there_and_back(F32(np.nan), F32(1), "qint8"), [wide], refused="unsupported_value")
    case(op, "range_infinite", there_and_back(F32(-1), F32(np.inf), "qint8"), [wide], refused="unsupported_value")
    case(op, "no_range", there_and_back(F32(0), F32(0), "qint8", ensure_minimum_range=0.0), [wide], refused="unsupported_value")
    case(op, "axis_min_first", there_and_back(-np.ones(50, F32), np.ones(50, F32), "qint8", mode="MIN_FIRST", axis=1), [wide], refused="unsupported_attr")


def dequantize():
    op = "Dequantize"
    x = normal(op, (4, 6))
    for name, dtype in TYPES.items():
        info = np.iinfo(dtype)
        q = rng(op + name).integers(info.min, info.max, (4, 6), dtype, endpoint=True)
        q[0, :2] = info.min, info.max
        for mode in MODES:
            if name == "qint32" and mode == "SCALED":
                case(op, "SCALED_qint32", lambda x, q=q: x + raw.Dequantize(input=quantized_const(q, "qint32"), min_range=-1., max_range=1., mode="SCALED"),
                     [x], refused="dtype")
                continue

            def build(x, q=q, name=name, mode=mode, lo=-1.5, hi=2.0, typed=False, **k):
                y = raw.Dequantize(input=quantized_const(q, name, typed), min_range=lo, max_range=hi, mode=mode, **k)
                return x + tf.cast(y, tf.float32)
            tag = f"{name}_{mode}"
            case(op, tag, build, [x], rtol=1e-6)
            case(op, tag + "_typed", lambda x, b=build: b(x, typed=True), [x], rtol=1e-6)
            case(op, tag + "_narrow", lambda x, b=build: b(x, lo=-2.0, hi=0.5, narrow_range=True), [x], rtol=1e-6)
            case(op, tag + "_not_narrow", lambda x, b=build: b(x, lo=-2.0, hi=0.5), [x], rtol=1e-6)
            case(op, tag + "_positive", lambda x, b=build: b(x, lo=0.0, hi=6.0), [x], rtol=1e-6)
            case(op, tag + "_above_zero", lambda x, b=build: b(x, lo=1.0, hi=6.0), [x], rtol=1e-6)
            case(op, tag + "_no_range", lambda x, b=build: b(x, lo=1.0, hi=1.0), [x], rtol=1e-6)
            case(op, tag + "_upside_down", lambda x, b=build: b(x, lo=2.0, hi=1.0), [x], rtol=1e-6)
            if mode != "MIN_FIRST":
                lo, hi = F32([-1, -2, -3, 0, 1, -6]), F32([1, 2, 0.5, 4, 2, 1])
                case(op, tag + "_axis", lambda x, b=build: b(x, lo=lo, hi=hi, axis=1), [x], rtol=1e-6)
                for axis in (0, 1):  # in nothing else do they differ
                    case(op, f"{tag}_square_{axis}", lambda x, b=build, q=q[:, :4].copy(), axis=axis: b(x, q=q, lo=lo[:4], hi=hi[:4], axis=axis),
                         [x[:, :4]], rtol=1e-6)
                case(op, tag + "_first_axis", lambda x, b=build: b(x, lo=lo[:4], hi=hi[:4], axis=0), [x], rtol=1e-6)
            if mode == "MIN_COMBINED":
                case(op, tag + "_bfloat16", lambda x, b=build: b(x, dtype=tf.bfloat16), [x], rtol=1e-2, reference=True)
    w = rng(op).integers(-127, 127, (6, 8), np.int8)
    case(op, "weights", lambda x: tf.matmul(x, raw.Dequantize(input=quantized_const(w, "qint8"), min_range=-1., max_range=1., mode="SCALED")), [x])
    case(op, "splat", lambda x: x + raw.Dequantize(input=quantized_const(np.full((4, 6), 5, np.uint8), "quint8"),
                                                   min_range=-1., max_range=1.), [x])
    case(op, "infinite_range", lambda x: x + raw.Dequantize(input=quantized_const(w[:4, :6], "qint8"), min_range=-1., max_range=np.inf), [x],
         refused="unsupported_value")
    case(op, "fed_range", lambda x, hi: x + raw.Dequantize(input=quantized_const(w[:4, :6], "qint8"), min_range=-1., max_range=hi), [x, F32(1)],
         refused="shape")
    case(op, "native_producer", lambda x: raw.Dequantize(input=raw.Bitcast(input=raw.Cast(x=x, DstT=tf.int8), type=tf.qint8), min_range=-1., max_range=1.),
         [x], refused="dtype")


FAMILIES = (quantize, dequantize)


def cases():
    for family in FAMILIES:
        family()
