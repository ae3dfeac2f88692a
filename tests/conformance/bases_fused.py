"""Base calls of the ops that TensorFlow's optimizer fuses: a contraction or normalization with what comes after it."""
import numpy as np
import tensorflow as tf

from variation import K, Oracle, apply, base, normal, rng

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


COMPOSED = Oracle(lambda attrs: True, compose)
RTOL = 2e-5


def convolutions():
    x, w, bias = normal("fx", 2, 6, 6, 6), normal("fw", 3, 3, 6, 6), normal("fb", 6)
    ways = {"strides": [[1, 2, 2, 1]], "dilations": [[1, 2, 2, 1]], "padding": ["VALID"], "leakyrelu_alpha": [0.5],
            "fused_ops": [["BiasAdd"], ["BiasAdd", "Relu"], ["BiasAdd", "Relu6"], ["BiasAdd", "Elu"], ["Relu"], ["BiasAdd", "Softplus"]],
            "epsilon": []}
    conv = {"strides": [1, 1, 1, 1], "padding": "SAME", "num_host_args": 0, "leakyrelu_alpha": 0.2, "fused_ops": ["BiasAdd", "LeakyRelu"]}
    inputs = {"input": x, "filter": K(w, w[::-1].copy()), "args": [bias], "host_args": []}
    base("_FusedConv2D", inputs, ways | {"data_format": [], "explicit_paddings": []}, oracle=COMPOSED, rtol=RTOL, **conv)
    base("_FusedConv2D", inputs, {"data_format": ["NCHW"], "strides": [], "dilations": [], "padding": [], "explicit_paddings": [], "fused_ops": [],
                                  "epsilon": [], "leakyrelu_alpha": [], "filter_format": []}, name="layout", oracle=COMPOSED, rtol=RTOL, **conv)
    base("_FusedConv2D", inputs, {"explicit_paddings": [[0, 0, 0, 0, 2, 0, 0, 0]], "data_format": [], "strides": [], "dilations": [], "padding": [],
                                  "fused_ops": [], "epsilon": [], "leakyrelu_alpha": []}, name="explicit", oracle=COMPOSED, rtol=RTOL,
         **conv | {"padding": "EXPLICIT", "explicit_paddings": [0, 0, 1, 1, 2, 0, 0, 0]})
    norm = [normal("fs", 6), normal("fo", 6), normal("fm", 6), rng("fv").uniform(0.5, 2, 6).astype(np.float32)]
    base("_FusedConv2D", inputs | {"args": norm}, {"epsilon": [0.5], "fused_ops": [["FusedBatchNorm"]], "data_format": [], "strides": [], "dilations": [],
                                                   "padding": [], "explicit_paddings": [], "leakyrelu_alpha": []}, name="batch_norm", oracle=COMPOSED,
         rtol=1e-4, dtypes={"T": [np.float32], "TArgs": []}, **conv | {"fused_ops": ["FusedBatchNorm", "Relu"]})
    inputs = {"input": x, "filter": K(normal("fdw", 3, 3, 6, 1), normal("fdw2", 3, 3, 6, 1)), "args": [bias]}
    conv = {name: value for name, value in conv.items() if name != "num_host_args"}
    base("_FusedDepthwiseConv2dNative", inputs, ways | {"data_format": [], "dilations": []}, oracle=COMPOSED, rtol=RTOL, **conv)
    x, w = normal("f3x", 2, 4, 4, 4, 4), normal("f3w", 2, 3, 3, 4, 4)
    base("_FusedConv3D", {"input": x, "filter": K(w, w[::-1].copy()), "args": [normal("f3b", 4)]},
         ways | {"strides": [[1, 1, 2, 2, 1]], "dilations": [[1, 1, 2, 2, 1]], "padding_list": [[0, 0, 0, 0, 1, 1, 1, 1, 0, 0]], "data_format": []},
         oracle=COMPOSED, rtol=RTOL, **conv | {"strides": [1, 1, 1, 1, 1]})


def bases():
    convolutions()
    a, b = normal("fa", 4, 4), normal("fmb", 4, 4)
    base("_FusedMatMul", {"a": a, "b": K(b, b.T.copy()), "args": [normal("fmbias", 4)]},
         {"epsilon": [], "leakyrelu_alpha": [0.5], "fused_ops": [["BiasAdd", name] for name in ACTIVATIONS] + [["BiasAdd"], ["FusedBatchNorm"]]},
         oracle=COMPOSED, rtol=RTOL, fused_ops=["BiasAdd", "LeakyRelu"])
    x = normal("dilate", 2, 7, 6, 3)
    f = normal("dilatef", 3, 2, 3)
    base("Dilation2D", {"input": x, "filter": K(f, f[::-1].copy())}, {"strides": [[1, 2, 2, 1], [1, 1, 3, 1]], "rates": [[1, 2, 1, 1], [1, 1, 2, 1]],
                                                                     "padding": ["VALID"]},
         alternatives=[{"filter": f}, {"input": x[:0]}, {"filter": K(f[:1, :1])}, {"input": normal("dilateb", 2, 20, 33, 3)}],
         strides=[1, 1, 1, 1], rates=[1, 1, 1, 1], padding="SAME")
