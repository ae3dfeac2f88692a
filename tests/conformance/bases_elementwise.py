"""Base calls of the elementwise ops."""
import numpy as np
import tensorflow as tf

from variation import K, base, integers, normal

SPECIAL = np.array([np.nan, 1, 0, -0.0, np.inf, -np.inf, 0.5, -2.5, 3, 1e-30, -700, 40], np.float32)
ANY = ("Neg Abs Exp Expm1 Square Sigmoid Tanh Erf Erfc Relu Relu6 Selu Softplus Softsign Floor Ceil Rint Round Sign Sin Cos Tan Atan Sinh Cosh "
       "Asinh IsNan IsInf IsFinite Elu LeakyRelu").split()
POSITIVE = "Log Log1p Sqrt Rsqrt Reciprocal Inv".split()
BOUNDED = "Asin Acos Atanh".split()
WITHOUT_SPECIAL = {"Sin", "Cos", "Tan", "Erf", "Erfc"}  # NaN or not at Inf is compared in reference_cases.py


def unary(op, x, rtol=None):
    if op in ("IsNan", "IsInf", "IsFinite"):
        x = np.resize(SPECIAL, (3, 5))
    name = {"features": x}
    argument = tf.raw_ops.__dict__[op].__signature__.parameters
    name = "features" if "features" in argument else "x"
    shaped = lambda *shape: {name: np.resize(x, shape).astype(np.float32)}  # noqa: E731
    more = [shaped(7), shaped(2, 3, 4, 5), shaped(0, 3), shaped(3, 50, 7), {name: x[0, 0]}]
    if op not in WITHOUT_SPECIAL:
        more.append({name: SPECIAL})
    vary = {"alpha": [0.0, 1.5, -0.5]} if op == "LeakyRelu" else {}
    base(op, {name: x}, vary, alternatives=more, rtol=rtol)


def numbers_of(op):
    return [np.abs(normal(op + v, 3, 4)) + 0.75 for v in "xy"]


def bases():
    for op in ANY:
        unary(op, normal(op, 3, 5) * 2)
    for op in POSITIVE:
        unary(op, np.abs(normal(op, 3, 5)) + 0.3)
    for op in BOUNDED:
        unary(op, np.tanh(normal(op, 3, 5)))
    unary("Acosh", np.abs(normal("Acosh", 3, 5)) + 1.1)

    for op in ("Add AddV2 Sub Mul RealDiv Div DivNoNan FloorDiv FloorMod TruncateDiv TruncateMod Mod Maximum Minimum Pow SquaredDifference Atan2 "
               "Xdivy Xlogy Xlog1py MulNoNan Less LessEqual Greater GreaterEqual Equal NotEqual").split():
        x, y = numbers_of(op)
        first, second = ("y", "x") if op == "Atan2" else ("x", "y")
        pair = lambda a, b: {first: a, second: b}  # noqa: E731
        more = [pair(x[:, :1], y), pair(x, y[0]), pair(x[0, 0], y), pair(x, y[0, 0]), pair(x[:0], y[:0]), pair(x[:, :0], y[:, :1]),
                pair(np.resize(x, (2, 1, 4)), y), pair(np.resize(x, (40, 30)), np.resize(y, (30,))), pair(x, x)]
        if op.endswith(("Equal", "Less", "Greater")):
            x = np.round(x * 3)
            y = x[::-1].copy()
        if op not in ("TruncateDiv", "FloorDiv", "FloorMod", "TruncateMod", "Mod"):
            more.append(pair(*np.meshgrid(SPECIAL, SPECIAL)))
        # TensorFlow's kernel for shapes that do not fit answers one bool.
        base(op, pair(x, y), alternatives=more, rtol=1e-4 if op == "Pow" else None)
    for op in ("LogicalAnd", "LogicalOr"):
        x, y = integers(op, 3, 4) > 0, integers(op + "y", 3, 4) > 0
        base(op, {"x": x, "y": y}, alternatives=[{"x": x[:, :1]}, {"y": y[0]}, {"x": x[0, 0]}, {"y": y[0, 0]}, {"x": x[:0], "y": y[:0]},
                                                 {"x": np.resize(x, (2, 1, 4))}, {"x": np.resize(x, (40, 30)), "y": np.resize(y, 30)}])
    x = integers("not", 3, 4) > 0
    base("LogicalNot", {"x": x}, alternatives=[{"x": x[0]}, {"x": x[0, 0]}, {"x": x[:0]}, {"x": np.resize(x, (2, 3, 4))},
                                               {"x": np.resize(x, (500, 3))}, {"x": np.resize(x, (1, 2, 3, 4, 5))}, {"x": np.zeros((2, 2), bool)}])
    x = integers("invert", 3, 4)
    base("Invert", {"x": x}, alternatives=[{"x": x[0]}, {"x": x[0, 0]}, {"x": x[:0]}, {"x": np.resize(x, (2, 3, 4))}, {"x": np.resize(x, (500, 3))}])
    # A number outside an integer's range has no defined answer.
    x = np.abs(normal("cast", 3, 5)) * 40
    signed = [tf.float64, tf.float16, tf.bfloat16, tf.int8, tf.int16, tf.int64, tf.bool]
    base("Cast", {"x": x * np.sign(normal("sign", 3, 5))}, {"DstT": signed}, name="signed", DstT=tf.int32, dtypes={"SrcT": [np.float32, np.int32]})
    base("Cast", {"x": x}, {"Truncate": [True]}, DstT=tf.int32, alternatives=[{"x": x[0]}, {"x": x[0, 0]}, {"x": x[:0]}])
    base("Cast", {"x": x}, {"Truncate": [True]}, name="to_half", DstT=tf.float16, dtypes={"SrcT": [np.float32, np.float64]})
    base("Cast", {"x": SPECIAL}, name="special", DstT=tf.float64, dtypes={"SrcT": [np.float32, np.float64, np.float16]},
         vary={"DstT": [tf.float32, tf.float16, tf.bfloat16, tf.bool]})
    t, low, high = normal("clip", 3, 4) * 2, np.float32(-0.5), np.float32(0.75)
    base("ClipByValue", {"t": t, "clip_value_min": low, "clip_value_max": high},
         alternatives=[{"clip_value_min": np.resize(low, (3, 4)), "clip_value_max": np.resize(high, (3, 4))}, {"t": t[:0]}, {"t": SPECIAL}, {"t": t[0]}])
    base("ClipByValue", {"t": t, "clip_value_min": K(low, np.float32(-1.5)), "clip_value_max": K(high, np.float32(0.1))}, name="constant_bounds")
    terms = [normal(f"addn{i}", 3, 4) for i in range(3)]
    base("AddN", {"inputs": terms}, alternatives=[{"inputs": terms[:1]}, {"inputs": terms[:2]}, {"inputs": terms * 3}, {"inputs": [t[0] for t in terms]},
                                                  {"inputs": [t[:0] for t in terms]}, {"inputs": [t[0, 0] for t in terms]}])
    cond, yes, no = integers("select", 3, 4) > 0, normal("yes", 3, 4), normal("no", 3, 4)
    base("SelectV2", {"condition": cond, "t": yes, "e": no}, alternatives=[
        {"condition": cond[0]}, {"condition": cond[:, :1]}, {"t": yes[0]}, {"e": no[0, 0]}, {"condition": cond[0, 0]}, {"t": yes[:, :1], "e": no[0]},
        {"condition": cond[:0], "t": yes[:0], "e": no[:0]}])
    base("Select", {"condition": cond, "t": yes, "e": no}, alternatives=[
        {"condition": cond[:, 0]}, {"condition": cond[0, 0]}, {"t": yes[0], "e": no[0], "condition": cond[0]}, {"condition": cond[:0], "t": yes[:0], "e": no[:0]}])
    for op in ("ZerosLike", "OnesLike"):
        x = normal(op, 3, 4)
        base(op, {"x": x}, alternatives=[{"x": x[0]}, {"x": x[0, 0]}, {"x": x[:0]}, {"x": np.resize(x, (2, 3, 4, 5))}])
    x = normal("l2", 5, 6)
    base("L2Loss", {"t": x}, alternatives=[{"t": x[0]}, {"t": x[0, 0]}, {"t": x[:0]}, {"t": np.resize(x, (2, 3, 4))}, {"t": np.resize(x, (70, 80))}, {"t": SPECIAL}])
