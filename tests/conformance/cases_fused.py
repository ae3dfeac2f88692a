"""Cases of test_ops_vs_tf: what TensorFlow's optimizer fuses into one node, and Dilation2D."""
import itertools

import numpy as np
import tensorflow as tf
import variation
from op_cases import BF16, EXACT, F16, F32, F64, I32, I64, case, integers, normal, raw, rng, static, unknown
from tensorflow.python.framework import op_def_library, op_def_registry

ACTIVATIONS = {
    "Relu": tf.nn.relu, "Relu6": tf.nn.relu6, "Elu": tf.nn.elu, "Tanh": tf.tanh, "Sigmoid": tf.sigmoid,
    "GeluExact": lambda x: tf.nn.gelu(x, approximate=False), "GeluApproximate": lambda x: tf.nn.gelu(x, approximate=True),
}


def _nhwc(x, attrs, back=False):
    if not attrs.get("data_format", "NHWC").startswith("NC"):
        return x
    rank = len(x.shape)
    return tf.transpose(x, [0, rank - 1, *range(1, rank - 1)] if back else [0, *range(2, rank), 1])


def compose(op, inputs, attrs):
    """The node as the ops that it was: what answers where TensorFlow has no kernel of the form without oneDNN."""
    args, names = list(inputs["args"]), [n if isinstance(n, str) else n.decode() for n in attrs["fused_ops"]]
    if op == "_FusedMatMul":
        y = tf.matmul(inputs["a"], inputs["b"], transpose_a=attrs.get("transpose_a", False), transpose_b=attrs.get("transpose_b", False))
    else:
        x = _nhwc(inputs["input"], attrs)
        rank = len(x.shape) - 2
        kind = {"_FusedConv2D": "Conv2D", "_FusedConv3D": "Conv3D", "_FusedDepthwiseConv2dNative": "DepthwiseConv2dNative"}[op]
        kept = {"padding": attrs["padding"]}
        for name in ("strides", "dilations"):
            given = attrs.get(name) or [1] * (rank + 2)
            kept[name] = [given[0], *given[2:], given[1]] if attrs.get("data_format", "NHWC").startswith("NC") else given
        if attrs.get("explicit_paddings"):
            pads = list(attrs["explicit_paddings"])
            kept["explicit_paddings"] = pads[:2] + pads[4:] + pads[2:4] if attrs.get("data_format") == "NCHW" else pads
        # Not of the node's name.
        y = getattr(tf.raw_ops, kind)(input=x, filter=inputs["filter"], **kept)
    for name in names:
        if name == "BiasAdd":
            y = tf.nn.bias_add(y, args.pop(0))
        elif name == "FusedBatchNorm":
            scale, offset, mean, variance = args[:4]
            del args[:4]
            y = (y - mean) * (scale / tf.sqrt(variance + tf.cast(attrs.get("epsilon", 1e-4), y.dtype))) + offset
        elif name == "Add":
            y += args.pop(0)
        elif name == "LeakyRelu":
            y = tf.nn.leaky_relu(y, attrs.get("leakyrelu_alpha", 0.2))
        else:
            y = ACTIVATIONS[name](y)
    return [_nhwc(y, attrs, back=True)]


EVERY = [*ACTIVATIONS, "LeakyRelu"]


def apply(op, inputs, attrs):
    """The node, with TensorFlow's defaults, which apply_op does not know."""
    definition = op_def_registry.get(op)
    defaults = {a.name: variation.default_of(a) for a in definition.attr if a.name not in ("T", "U", "TArgs", "num_args", "num_side_inputs")}
    given = {name: value for name, value in (defaults | attrs).items() if value is not None}
    if op == "_FusedConv2D":
        given["num_args"] = len(inputs["args"])
        given.pop("num_host_args", None)
    result = op_def_library.apply_op(op, name="y", **inputs, **given)
    return result[0] if isinstance(result, (list, tuple)) else result


def fused(op, name, data, args, fused_ops, fed=(), shapes=None, rtol=2e-5, **how):
    """data: the operands of the contraction, the first of them fed; `fed`: which of args are fed, too."""
    keys = ("a", "b") if op == "_FusedMatMul" else ("input", "filter")
    attrs = {k: how.pop(k) for k in list(how) if k not in ("refused", "reference", "error", "layers")}

    def call(make, feeds):
        values = iter(feeds[1:])
        inputs = {keys[0]: feeds[0], keys[1]: tf.constant(data[1]),
                  "args": [next(values) if i in fed else tf.constant(a) for i, a in enumerate(args)]}
        if op == "_FusedConv2D":
            inputs["host_args"] = []
        return make(inputs)

    def build(*feeds):
        return call(lambda inputs: apply(op, inputs, attrs | {"fused_ops": fused_ops}), feeds)

    def oracle(*feeds):
        return call(lambda inputs: compose(op, inputs, attrs | {"fused_ops": fused_ops})[0], feeds)
    case(op, name, build, [data[0], *(args[i] for i in fed)], shapes, rtol, oracle=None if how.get("refused") else oracle, **how)


def parameters(name, channels, dtype=F32):
    r = rng(name)
    return [*(r.normal(size=channels).astype(dtype) for _ in range(3)), r.uniform(0.5, 2, channels).astype(dtype)]


def convolutions():
    x, w, bias = normal("fcx", (2, 7, 8, 5)), normal("fcw", (3, 3, 5, 6)), normal("fcb", 6)
    dw = normal("fdw", (3, 3, 5, 2))
    side = normal("fcs", (2, 7, 8, 6))
    conv = {"strides": [1, 1, 1, 1], "padding": "SAME"}
    for act in ([], *([a] for a in EVERY)):
        tag = act[0] if act else "none"
        fused("_FusedConv2D", f"bias_{tag}", (x, w), [bias], ["BiasAdd", *act], **conv)
        fused("_FusedConv2D", f"norm_{tag}", (x, w), parameters("fcn", 6), ["FusedBatchNorm", *act], epsilon=0.01, **conv)
        fused("_FusedConv2D", f"add_{tag}", (x, w), [bias, side], ["BiasAdd", "Add", *act], fed=(1,), shapes=static(x, side), **conv)
        fused("_FusedDepthwiseConv2dNative", f"bias_{tag}", (x, dw), [normal("fdb", 10)], ["BiasAdd", *act], **conv)
    for op, filt, b in (("_FusedConv2D", w, bias), ("_FusedDepthwiseConv2dNative", dw, normal("fdb", 10))):
        fused(op, "leaky_alpha", (x, filt), [b], ["BiasAdd", "LeakyRelu"], leakyrelu_alpha=0.7, **conv)
        fused(op, "static", (x, filt), [b], ["BiasAdd", "Relu"], shapes=static(x), **conv)
        fused(op, "unknown", (x, filt), [b], ["BiasAdd", "Relu"], shapes=[[None, None, None, 5]], **conv)
        fused(op, "fed_bias", (x, filt), [b], ["BiasAdd", "Relu"], fed=(0,), shapes=[[None, 7, 8, 5], list(b.shape)], **conv)
        fused(op, "bias_of_any_length", (x, filt), [b], ["BiasAdd", "Relu"], fed=(0,), refused="shape", **conv)
        fused(op, "empty", (x[:0], filt), [b], ["BiasAdd", "Relu"], **conv)
        fused(op, "strides", (x, filt), [b], ["BiasAdd", "Relu"], strides=[1, 2, 2, 1], padding="VALID")
        fused(op, "nothing", (x, filt), [b], [], refused="unsupported_attr", **conv)
        fused(op, "activation_alone", (x, filt), [b], ["Relu"], refused="unsupported_attr", **conv)
        fused(op, "unknown_activation", (x, filt), [b], ["BiasAdd", "Softplus"], refused="unsupported_attr", **conv)
        fused(op, "two_activations", (x, filt), [b], ["BiasAdd", "Relu", "Relu"], refused="unsupported_attr", **conv)
        fused(op, "nan", (np.where(x > 1.5, np.nan, x).astype(F32), filt), [b], ["BiasAdd", "Relu"], **conv)
        nchw = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
        fused(op, "nchw", (nchw, filt), [b], ["BiasAdd", "Relu"], data_format="NCHW", **conv)
        for dtype in (F64, F16):
            fused(op, np.dtype(dtype).name, (x.astype(dtype), filt.astype(dtype)), [b.astype(dtype)], ["BiasAdd", "Relu"], reference=True,
                  rtol=1e-11 if dtype == F64 else 3e-3, **conv)
    fused("_FusedConv2D", "nchw_add", (nchw, w), [bias, np.ascontiguousarray(side.transpose(0, 3, 1, 2))], ["BiasAdd", "Add"], fed=(1,), data_format="NCHW",
          refused="unsupported_attr", **conv)
    fused("_FusedConv2D", "add_of_another_shape", (x, w), [bias, side[:, :1]], ["BiasAdd", "Add"], fed=(1,), refused="shape", **conv)
    fused("_FusedConv2D", "norm_fed", (x, w), parameters("fcn", 6), ["FusedBatchNorm", "Relu"], fed=(0, 1, 2, 3),
          shapes=[[None, 7, 8, 5], [6], [6], [6], [6]], epsilon=0.01, **conv)
    fused("_FusedConv2D", "norm_epsilon", (x, w), parameters("fcn", 6), ["FusedBatchNorm"], epsilon=0.5, **conv)
    fused("_FusedConv2D", "explicit", (x, w), [bias], ["BiasAdd", "Relu"], strides=[1, 1, 1, 1], padding="EXPLICIT",
          explicit_paddings=[0, 0, 1, 2, 0, 1, 0, 0])
    fused("_FusedConv2D", "dilations", (x, w), [bias], ["BiasAdd", "Relu"], dilations=[1, 2, 2, 1], **conv)
    fused("_FusedConv2D", "filter_format", (x, np.ascontiguousarray(w.transpose(3, 2, 0, 1))), [bias], ["BiasAdd", "Relu"], filter_format="OIHW",
          refused="unsupported_attr", **conv)
    v, w3, b3 = normal("f3x", (2, 4, 5, 6, 3)), normal("f3w", (2, 3, 3, 3, 4)), normal("f3b", 4)
    volume = {"strides": [1, 1, 1, 1, 1], "padding": "SAME"}
    for act in ([], *([a] for a in EVERY)):
        fused("_FusedConv3D", f"bias_{act[0] if act else 'none'}", (v, w3), [b3], ["BiasAdd", *act], **volume)
    fused("_FusedConv3D", "strides", (v, w3), [b3], ["BiasAdd", "Relu"], strides=[1, 2, 1, 2, 1], padding="VALID")
    side = normal("f3s", (2, 4, 5, 6, 4))
    fused("_FusedConv3D", "add", (v, w3), [b3, side], ["BiasAdd", "Add", "Relu"], fed=(1,), shapes=static(v, side), **volume)
    fused("_FusedConv3D", "add_of_any_batch", (v, w3), [b3, side], ["BiasAdd", "Add", "Relu"], fed=(1,), refused="shape", **volume)
    fused("_FusedConv3D", "padding_list", (v, w3), [b3], ["BiasAdd", "Relu"], padding_list=[0, 0, 1, 1, 1, 1, 1, 1, 0, 0], refused="unsupported_attr", **volume)


def products():
    op = "_FusedMatMul"
    a, b, bias = normal("fma", (9, 7)), normal("fmb", (7, 12)), normal("fmc", 12)
    side = normal("fms", (9, 12))
    for act in ([], *([n] for n in EVERY)):
        tag = act[0] if act else "none"
        fused(op, f"bias_{tag}", (a, b), [bias], ["BiasAdd", *act])
        fused(op, f"add_{tag}", (a, b), [bias, side], ["BiasAdd", "Add", *act], fed=(1,), shapes=static(a, side))
    fused(op, "transpose_a", (a.T.copy(), b), [bias], ["BiasAdd", "Relu"], transpose_a=True, shapes=[[7, None]])
    fused(op, "transpose_b", (a, b.T.copy()), [bias], ["BiasAdd", "Relu"], transpose_b=True)
    fused(op, "leaky_alpha", (a, b), [bias], ["BiasAdd", "LeakyRelu"], leakyrelu_alpha=0.7)
    fused(op, "static", (a, b), [bias], ["BiasAdd", "Relu"], shapes=static(a))
    fused(op, "unknown", (a, b), [bias], ["BiasAdd", "Relu"], shapes=unknown(a))
    fused(op, "empty", (a[:0], b), [bias], ["BiasAdd", "Relu"])
    fused(op, "batch_norm", (a, b), parameters("fmn", 12), ["FusedBatchNorm"], refused="unsupported_attr")
    fused(op, "norm_epsilon", (a, b), [bias], ["BiasAdd"], epsilon=0.5)
    for dtype, rtol in ((F16, 3e-3), (BF16, 2.4e-2)):
        fused(op, np.dtype(dtype).name, (a.astype(dtype), b.astype(dtype)), [bias.astype(dtype)], ["BiasAdd", "Relu"], reference=True, rtol=rtol)


def normalizations():
    op = "_FusedBatchNormEx"
    x, side = normal("fbx", (2, 5, 6, 4)), normal("fbs", (2, 5, 6, 4))
    params = parameters("fbp", 4)

    def norm(name, mode, sides, shapes=None, oracle=True, **how):
        attrs = {k: how.pop(k) for k in list(how) if k not in ("refused", "reference")}
        fmt = attrs.get("data_format", "NHWC")

        def build(x, *side):
            inputs = dict(zip(("scale", "offset", "mean", "variance"), map(tf.constant, params))) | {"x": x, "side_input": list(side)}
            return apply(op, inputs, {"is_training": False, "epsilon": 0.01, "activation_mode": mode} | attrs)

        def composed(x, *side):
            y = tf.transpose(x, [0, 2, 3, 1]) if fmt == "NCHW" else x
            y = raw.FusedBatchNormV3(x=y, scale=params[0], offset=params[1], mean=params[2], variance=params[3], is_training=False,
                                     epsilon=attrs.get("epsilon", 0.01))[0]
            y = tf.transpose(y, [0, 3, 1, 2]) if fmt == "NCHW" else y
            y = y + side[0] if side else y
            return tf.nn.relu(y) if mode == "Relu" else y
        data = [x, side][: 1 + sides]
        if fmt == "NCHW":
            data = [np.ascontiguousarray(d.transpose(0, 3, 1, 2)) for d in data]
        case(op, name, build, data, shapes, 2e-5, oracle=composed if oracle else None, **how)
    for mode, sides in itertools.product(("Identity", "Relu"), (0, 1)):
        if not sides:
            norm(f"{mode}_any_batch", mode, sides)
        nchw = [np.ascontiguousarray(x.transpose(0, 3, 1, 2))] * (1 + sides)
        norm(f"{mode}_{sides}_nchw", mode, sides, data_format="NCHW", shapes=static(*nchw))
        norm(f"{mode}_{sides}_static", mode, sides, shapes=static(*[x] * (1 + sides)))
    norm("epsilon", "Relu", 0, epsilon=0.5)
    norm("unknown_rows", "Relu", 0, shapes=[[None, None, None, 4]])
    norm("training", "Relu", 0, is_training=True, refused="unsupported_attr", oracle=False)
    norm("elu", "Elu", 0, refused="unsupported_attr", oracle=False)
    norm("side_of_unknown_shape", "Relu", 1, shapes=[[None, 5, 6, 4], [None, None, 6, 4]], refused="shape", oracle=False)
    z = normal("mklswish", (5, 9)) * 4
    odd = np.float32([np.nan, np.inf, -np.inf, 0, -0.0, 90, -90, 1e-30])
    for tag, z in {"plain": z, "special": odd, "scalar": np.float32(1.5)}.items():
        for name, shapes in {"": None, "_static": static(z), "_unknown": unknown(z)}.items():
            case("_MklSwish", tag + name, lambda z: apply("_MklSwish", {"features": z}, {}), [z], shapes, oracle=lambda z: z * tf.sigmoid(z))


def dilation():
    op = "Dilation2D"
    x, f = normal("dlx", (3, 9, 11, 4)), normal("dlf", (3, 2, 4))

    def dilate(name, x, f, s=(1, 1), r=(1, 1), padding="SAME", shapes=None, fed=False, **how):
        def call(x, f):
            return raw.Dilation2D(input=x, filter=f, strides=[1, *s, 1], rates=[1, *r, 1], padding=padding)
        if fed:
            case(op, name, call, [x, f], shapes, EXACT, **how)
        else:
            case(op, name, lambda x: call(x, tf.constant(f)), [x], shapes, EXACT, **how)
    for padding in ("SAME", "VALID"):
        for s, r in (((1, 1), (1, 1)), ((2, 2), (1, 1)), ((1, 3), (1, 1)), ((1, 1), (2, 2)), ((1, 1), (1, 3)), ((2, 3), (2, 1)), ((4, 5), (1, 2))):
            dilate(f"{padding}_{s[0]}{s[1]}_{r[0]}{r[1]}", x, f, s, r, padding)
        for channels in (1, 2, 3, 16, 65):
            dilate(f"{padding}_channels_{channels}", normal("dlc", (2, 8, 37, channels)), normal("dlcf", (3, 3, channels)), padding=padding)
        dilate(f"{padding}_static", x, f, padding=padding, shapes=static(x))
        dilate(f"{padding}_unknown", x, f, padding=padding, shapes=unknown(x))
        dilate(f"{padding}_fed", x, f, padding=padding, shapes=[[None, 9, 11, 4], [3, 2, 4]], fed=True)
        odd = np.where(x > 1, np.nan, np.where(x < -1, -np.inf, x)).astype(F32)
        odd[0, :4, :4], odd[1, :4, :4], odd[2, 5, 5] = np.nan, -np.inf, np.inf
        dilate(f"{padding}_special", odd, f, padding=padding)
        filt = f.copy()
        filt[0, 0], filt[1, 0, 1], filt[2, 1, 2] = -np.inf, np.nan, np.inf
        dilate(f"{padding}_special_filter", x, filt, padding=padding)
        dilate(f"{padding}_large", normal("dll", (4, 64, 64, 8)), normal("dllf", (5, 5, 8)), padding=padding)
        dilate(f"{padding}_empty", x[:0], f, padding=padding)
        for dtype in (F64, F16, BF16, np.int8, np.uint8, np.int16, np.uint16, I32, I64, np.uint32, np.uint64):
            dilate(f"{padding}_{np.dtype(dtype).name}", integers("dlt", (2, 5, 6, 3), dtype, -100, 100), integers("dltf", (2, 2, 3), dtype, -100, 100),
                   padding=padding, reference=True)
    dilate("wraps", np.full((1, 4, 4, 2), 100, np.int8), np.full((2, 2, 2), 100, np.int8), reference=True)
    dilate("filter_larger_than_the_image", x[:, :2, :2], normal("dlw", (5, 7, 4)))
    dilate("larger_than_the_image_is_an_error", x, normal("dlw", (11, 2, 4)), padding="VALID", shapes=unknown(x), error=True)
    dilate("as_large_as_the_image", x, normal("dlw", (9, 11, 4)), padding="VALID")
    dilate("one_more_is_empty", x, normal("dlw", (10, 11, 4)), padding="VALID")
    dilate("misfit", x, normal("dlw", (2, 2, 3)), shapes=unknown(x), error=True)
    dilate("filter_of_unknown_extents", x, f, shapes=unknown(x, f), fed=True, refused="shape")
    dilate("filter_without_elements", x, f[:0], refused="shape")


def cases():
    for family in (convolutions, products, normalizations, dilation):
        family()
