"""Base calls of convolutions, pooling, images and normalizations."""
import numpy as np
import tensorflow as tf

from variation import K, Oracle, apply, base, normal


def _through_nhwc(op, inputs, attrs):
    """The NCHW form by the NHWC kernel, the only one on the CPU."""
    def nhwc(v):
        return tf.transpose(v, [0, 2, 3, 1])

    def reorder(values):
        if len(values) == 8:
            values = [values[i : i + 2] for i in range(0, 8, 2)]
            return [v for i in (0, 2, 3, 1) for v in values[i]]
        return [values[i] for i in (0, 2, 3, 1)] if len(values) == 4 else values
    moved = ("input", "value", "out_backprop", "x")
    inputs = {k: nhwc(v) if k in moved else tf.gather(v, [0, 2, 3, 1]) if k in ("input_sizes", "ksize", "strides") else v for k, v in inputs.items()}
    attrs = {k: reorder(v) if isinstance(v, list) else v for k, v in attrs.items()} | {"data_format": "NHWC"}
    return [tf.transpose(r, [0, 3, 1, 2]) for r in apply(op, inputs, attrs)[:1]]


THROUGH_NHWC = Oracle(lambda attrs: attrs.get("data_format") in ("NCHW", "NCDHW"), _through_nhwc)


def _by_channel(op, inputs, attrs):
    """A depthwise convolution as one convolution a channel: TensorFlow's kernel takes no dilations."""
    x, w = inputs["input"], inputs["filter"]
    return [tf.concat([apply("Conv2D", {"input": x[..., c : c + 1], "filter": w[:, :, c : c + 1]}, attrs | {"use_cudnn_on_gpu": True})[0]
                       for c in range(w.shape[2])], -1)]


BY_CHANNEL = Oracle(lambda attrs: attrs.get("data_format", "NHWC") == "NHWC", _by_channel)


def _by_version_3(op, inputs, attrs):
    """A range a channel, which the kernel of versions 2 and 4 does not take."""
    kept = {name: attrs[name] for name in ("signed_input", "range_given", "narrow_range", "axis")}
    return apply("QuantizeAndDequantizeV3", inputs | {"num_bits": tf.constant(attrs["num_bits"])}, kept)


BY_VERSION_3 = Oracle(lambda attrs: attrs.get("axis", -1) != -1, _by_version_3)


def windows(op, inputs, pads, **attrs):
    """A convolution in both layouts and with explicit padding."""
    ways = {"strides": [[1, 2, 2, 1], [1, 1, 3, 1]] if op == "Conv2D" else [[1, 2, 2, 1], [1, 3, 3, 1]], "dilations": [[1, 2, 2, 1], [1, 3, 1, 1]],
            "padding": ["VALID"]}
    oracle = BY_CHANNEL if op == "DepthwiseConv2dNative" else None
    base(op, inputs, ways | {"data_format": []}, strides=[1, 1, 1, 1], padding="SAME", oracle=oracle, **attrs)
    base(op, inputs, {"explicit_paddings": [[0, 0, 0, 0, 2, 0, 0, 0], [0, 0, 2, 2, 2, 2, 0, 0]], "strides": [[1, 2, 2, 1]], "dilations": [[1, 2, 2, 1]],
                      "padding": [], "data_format": []}, name="explicit", strides=[1, 1, 1, 1], padding="EXPLICIT", explicit_paddings=pads, oracle=oracle,
         **attrs)


def nchw_alone(op, inputs, **attrs):
    """Only the layout differs: all extents are the channels, and the window does not care."""
    base(op, inputs, {"strides": [], "dilations": [], "padding": [], "explicit_paddings": [], "use_cudnn_on_gpu": [], "data_format": ["NCHW"]},
         name="layout", strides=[1, 1, 1, 1], padding="SAME", oracle=THROUGH_NHWC, **attrs)


def bases():
    x, w = normal("conv", 2, 7, 6, 4), normal("convw", 3, 2, 4, 5)
    pads = [0, 0, 1, 1, 1, 0, 0, 0]
    kw = {"filter": K(w, w[::-1].copy())}
    more = [{"filter": K(normal("c1", 1, 1, 4, 5))}, {"filter": K(normal("c2", 3, 3, 2, 6))}, {"filter": K(normal("c5", 5, 5, 4, 2))}, {"input": x[:0]},
            {"input": normal("big", 1, 20, 23, 4)}]
    windows("Conv2D", {"input": x} | kw, pads, alternatives=more)
    nchw_alone("Conv2D", {"input": normal("sq", 2, 4, 4, 4)} | kw)
    x, w = normal("dw", 2, 7, 7, 4), normal("dww", 3, 3, 4, 2)
    kw = {"filter": K(w, w[::-1].copy())}
    more = [{"filter": K(normal("d1", 1, 1, 4, 1))}, {"filter": K(normal("d3", 3, 3, 4, 1))}, {"filter": K(normal("d5", 5, 5, 4, 3))}, {"input": x[:0]},
            {"input": normal("dbig", 1, 20, 23, 4)}]
    windows("DepthwiseConv2dNative", {"input": x} | kw, pads, alternatives=more)
    nchw_alone("DepthwiseConv2dNative", {"input": normal("dsq", 2, 4, 4, 4)} | kw)
    dy, w = normal("dy", 2, 4, 4, 4), normal("dyw", 3, 3, 4, 4)
    inputs = {"input_sizes": K([2, 4, 4, 4]), "filter": K(w, w[::-1].copy()), "out_backprop": dy}
    base("Conv2DBackpropInput", inputs, {"strides": [], "dilations": [[1, 2, 2, 1]], "padding": []}, strides=[1, 1, 1, 1], padding="SAME", oracle=THROUGH_NHWC)
    base("Conv2DBackpropInput", {"input_sizes": K([2, 7, 8, 5], [2, 8, 7, 5], [2, 8, 8, 5]), "filter": K(normal("f2", 3, 3, 5, 4)), "out_backprop": dy},
         {"strides": [], "dilations": [], "data_format": []}, name="stride_2", strides=[1, 2, 2, 1], padding="SAME")
    base("Conv2DBackpropInput", {"input_sizes": K([2, 4, 4, 4]), "filter": K(normal("f1", 1, 1, 4, 4)), "out_backprop": dy},
         {"strides": [], "dilations": [], "data_format": [], "padding": ["VALID"]}, name="padding_same_answer", strides=[1, 1, 1, 1], padding="SAME")
    # Strides 2 and 3 both make 2 rows of 6.
    base("Conv2DBackpropInput", {"input_sizes": K([2, 6, 6, 4]), "filter": K(w), "out_backprop": dy[:, :2, :2]},
         {"strides": [[1, 3, 3, 1], [1, 2, 3, 1]], "dilations": [], "data_format": [], "padding": []}, name="strides", strides=[1, 2, 2, 1], padding="VALID")
    base("Conv2DBackpropInput", {"input_sizes": K([2, 8, 8, 4]), "filter": K(w), "out_backprop": dy},
         {"strides": [], "dilations": [], "data_format": [], "padding": [], "explicit_paddings": [[0, 0, 1, 0, 0, 1, 0, 0], [0, 0, 1, 0, 1, 0, 0, 0]]},
         name="explicit", strides=[1, 2, 2, 1], padding="EXPLICIT", explicit_paddings=[0, 0, 0, 1, 0, 1, 0, 0])

    x = normal("pool", 2, 7, 7, 7)
    for op, key in (("MaxPool", "input"), ("AvgPool", "value")):
        ways = {"ksize": [[1, 3, 3, 1], [1, 1, 4, 1], [1, 1, 1, 1], [1, 1, 1, 2]], "strides": [[1, 1, 1, 1], [1, 3, 2, 1]], "padding": ["VALID"],
                "explicit_paddings": [], "data_format": []}
        more = [{key: normal("p5", 1, 5, 5, 3)}, {key: normal("pb", 1, 30, 31, 16)}, {key: x[:0]}]
        base(op, {key: x}, ways, alternatives=more, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME", oracle=THROUGH_NHWC)
        base(op, {key: x}, {"ksize": [], "strides": [], "padding": [], "explicit_paddings": [], "data_format": ["NCHW"]}, name="layout",
             ksize=[1, 1, 2, 1], strides=[1, 1, 2, 1], padding="SAME", oracle=THROUGH_NHWC)
        base(op, {key: np.where(x > 1, np.nan, x).astype(np.float32)}, {"ksize": [], "strides": [], "padding": [], "explicit_paddings": []}, name="nan",
             ksize=[1, 3, 3, 1], strides=[1, 2, 2, 1], padding="SAME")
    base("MaxPool", {"input": x}, {"ksize": [], "strides": [], "padding": [], "data_format": [], "explicit_paddings": [[0, 0, 0, 1, 1, 1, 0, 0],
                                                                                                                      [0, 0, 2, 2, 2, 2, 0, 0]]},
         name="explicit", ksize=[1, 3, 3, 1], strides=[1, 2, 2, 1], padding="EXPLICIT", explicit_paddings=[0, 0, 1, 1, 1, 0, 0, 0])
    # NCHW_VECT_C holds [N, C/4, H, W, 4] of qint8; TensorFlow has kernels for it on GPUs only.
    vect = normal("vect", 2, 1, 6, 6, 4)
    none = {"ksize": [], "strides": [], "padding": [], "explicit_paddings": [], "block_size": []}
    for op, inputs, attrs in (("MaxPool", {}, dict(ksize=[1, 1, 2, 2], strides=[1, 1, 2, 2], padding="SAME")),
                              ("MaxPoolV2", {"ksize": K([1, 1, 2, 2]), "strides": K([1, 1, 2, 2])}, dict(padding="SAME")),
                              ("DepthToSpace", {}, dict(block_size=2)), ("SpaceToDepth", {}, dict(block_size=2))):
        source = normal("vectd", 2, 4, 6, 6, 4) if op == "DepthToSpace" else vect
        base(op, {"input": source} | inputs, none | {"data_format": []}, name="vect", data_format="NCHW_VECT_C", dtypes={"T": []}, **attrs)
    base("MaxPoolV2", {"input": x, "ksize": K([1, 2, 2, 1], [1, 3, 3, 1], [1, 4, 2, 1]), "strides": K([1, 2, 2, 1], [1, 1, 1, 1])},
         {"data_format": [], "padding": ["VALID"]}, padding="SAME",
         alternatives=[{"input": normal("p5", 1, 5, 5, 3)}, {"input": x[:0]}])

    base("MaxPoolV2", {"input": x, "ksize": K([1, 1, 2, 1]), "strides": K([1, 1, 2, 1])}, {"data_format": ["NCHW"], "padding": []}, name="layout",
         padding="SAME", oracle=THROUGH_NHWC)
    x = normal("lrn", 2, 3, 4, 16)
    base("LRN", {"input": x}, {"depth_radius": [0, 2, 40], "bias": [0.1, 2.0], "alpha": [0.0, 0.3], "beta": [0.75, 1.0, 2.0]},
         alternatives=[{"input": x[..., :1]}, {"input": x[:0]}, {"input": normal("lrnb", 1, 9, 9, 64)}])
    x, c = normal("bn", 2, 3, 3, 3), [np.abs(normal(f"bn{i}", 3)) + 0.2 for i in range(4)]
    for op in ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"):
        names = ("scale", "offset", "mean", "variance")
        for name, wrap in (("base", lambda a: K(a, a[::-1].copy())), ("fed", lambda a: a)):
            base(op, {"x": x} | {n: wrap(v) for n, v in zip(names, c)}, {"epsilon": [0.5, 1e-6], "exponential_avg_factor": [0.5], "data_format": ["NCHW"]}, name=name, is_training=False,
                 outputs=(0,), oracle=THROUGH_NHWC, alternatives=[{"x": x[:0]}, {"x": normal("bnb", 3, 20, 20, 3)}])
    for fmt in ("NDHWC", "NCDHW"):
        base("FusedBatchNormV3", {"x": normal("bn5", 2, 3, 3, 3, 3)} | {n: K(v) for n, v in zip(names, c)},
             {"epsilon": [], "exponential_avg_factor": [], "data_format": [], "is_training": []}, name=fmt, data_format=fmt, is_training=False, outputs=(0,))
    x = normal("softmax", 3, 5) * 3
    for op in ("Softmax", "LogSoftmax"):
        more = [{"logits": v} for v in (x[0], x[:0], x[:, :0], x[:, :1], normal("s3", 2, 3, 4), normal("s4", 2, 3, 4, 70), normal("sl", 3, 1000),
                                        np.float32([[np.inf, 1], [-np.inf, 2], [np.nan, 0], [900, -900]]))]
        base(op, {"logits": x}, alternatives=more)

    x, size = normal("resize", 2, 4, 5, 3) * 20, K([7, 8], [4, 5], [2, 3], [1, 1], [9, 4])
    for op in ("ResizeBilinear", "ResizeNearestNeighbor"):
        base(op, {"images": x, "size": size}, alternatives=[{"images": x[:0]}, {"images": x[:, :1, :1]}, {"images": normal("rb", 1, 20, 21, 8), "size": K([40, 42])}])
    for op, shape in (("DepthToSpace", (2, 4, 4, 36)), ("SpaceToDepth", (2, 12, 12, 3))):
        x = normal(op, *shape)
        base(op, {"input": x}, {"block_size": [3, 6] if op == "DepthToSpace" else [3, 4, 6], "data_format": []}, block_size=2, alternatives=[{"input": x[:0]}, {"input": x[:1]}])
    x = normal("dlayout", 2, 4, 4, 4)
    for op in ("DepthToSpace", "SpaceToDepth"):
        base(op, {"input": x}, {"block_size": [], "data_format": ["NCHW"]}, name="layout", block_size=2, oracle=THROUGH_NHWC)

    x, b = normal("bias", 2, 3, 3, 3), normal("biasb", 3)
    base("BiasAdd", {"value": x, "bias": b}, alternatives=[{"value": x[0, 0]}, {"value": x[0]}, {"value": x[:0]}, {"value": normal("b5", 2, 3, 3, 3, 3)},
                                                          {"value": normal("bb", 7, 300), "bias": normal("bbb", 300)}])
    base("BiasAddV1", {"value": x, "bias": b}, alternatives=[{"value": x[0, 0]}, {"value": x[0]}, {"value": x[:0]}, {"value": normal("b5", 2, 3, 3, 3, 3)},
                                                            {"value": normal("bb", 7, 300), "bias": normal("bbb", 300)}])
    base("BiasAdd", {"value": x, "bias": K(b, b[::-1].copy())}, name="constant")
    ranges = {"inputs": normal("fq", 3, 4) * 3}
    base("FakeQuantWithMinMaxArgs", ranges, {"min": [], "max": []}, name="fp32")
    base("FakeQuantWithMinMaxArgs", ranges, {"min": [-2.0, -1.0], "max": [3.0, 1.0], "num_bits": [4, 16]}, precision="int8")
    base("FakeQuantWithMinMaxVars", ranges | {"min": K(np.float32(-6), np.float32(-2)), "max": K(np.float32(6), np.float32(3))}, {"num_bits": [4, 16]}, precision="int8")
    base("FakeQuantWithMinMaxVarsPerChannel", ranges | {"min": K(np.float32([-6, -1, -2, -3]), np.float32([-1, -1, -2, -3])),
                                                        "max": K(np.float32([6, 1, 2, 3]), np.float32([1, 1, 2, 3]))}, {"num_bits": [4, 16]}, precision="int8")
    for op in ("QuantizeAndDequantizeV2", "QuantizeAndDequantizeV3", "QuantizeAndDequantizeV4"):
        inputs = {"input": normal("qdq", 3, 4) * 3, "input_min": K(np.float32(-6), np.float32(-12)), "input_max": K(np.float32(6), np.float32(3))}
        vary = {"num_bits": [4, 6], "axis": []}
        if op == "QuantizeAndDequantizeV3":
            inputs["num_bits"] = K(8, 4)
        base(op, inputs, vary, range_given=True, precision="int8")
        ties = inputs | {"input": np.arange(-4.5, 5, dtype=np.float32), "input_min": K(np.float32(-127)), "input_max": K(np.float32(127))}
        base(op, ties, {"num_bits": [], "axis": []}, name="ties", range_given=True, narrow_range=True, precision="int8")
        inputs = inputs | {"input_min": K(np.float32([-6, -1, -2])), "input_max": K(np.float32([6, 1, 2]))}
        base(op, inputs | {"input": normal("qdqs", 3, 3)}, {"num_bits": [], "axis": [1]}, name="axis", range_given=True, axis=0, oracle=BY_VERSION_3, precision="int8")
