#!/usr/bin/env python3
"""One builder of keras.applications: is it one engine without reference kernels, and within the bar of network_oracle?

    tools/network_application.py ResNet50 channels_last

Weights are seeded and BatchNorm has the statistics of one forward pass, as in network_keras. Images are the smallest on
which the last feature map still has several pixels. TensorFlow's CPU kernels are NHWC: in channels_first the oracle is
the same graph with a transpose around each NCHW node, and the weights are those of the channels_last model.
"""

import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy as np
import tensorflow as tf
from tensorflow.core.framework import graph_pb2
from tensorflow.python.framework import tensor_util

import network_check
import network_keras
import network_oracle
import network_weights as weights
import to_float64

SIZE, NASNET_LARGE_SIZE = 96, 331  # NASNetLarge takes its own size only when it has a top
RAW_PIXELS = ("EfficientNet", "ConvNeXt", "MobileNetV3")  # their preprocessing is in the model
CALIBRATION_IMAGES = 4
SPATIAL = {"strides": "i", "ksize": "i", "dilations": "i"}


def names():
    """Every builder, in alphabetical order."""
    return [name for name in sorted(dir(keras.applications)) if name[0].isupper() and callable(getattr(keras.applications, name))]


def _range(name):
    return (0.0, 255.0) if name.startswith(RAW_PIXELS) else (-1.0, 1.0)


def _build(name, data_format, size):
    keras.config.set_image_data_format(data_format)
    shape = (size, size, 3) if data_format == "channels_last" else (3, size, size)
    return getattr(keras.applications, name)(weights=None, input_shape=shape)


def _set_weights(name, model):
    """What network_keras does, and the layers that its networks do not have."""
    network_keras._set_weights(name, model)
    for layer in model.layers:
        kind = type(layer).__name__
        if kind == "SeparableConv2D":
            for kernel, depthwise in ((layer.depthwise_kernel, True), (layer.pointwise_kernel, False)):
                fan_in = weights.fan_in_of(kernel.shape, depthwise)
                kernel.assign(weights.laplace(name, kernel.path, kernel.shape, fan_in, 1.0 if depthwise else 2.0))
        elif kind == "LayerNormalization":
            layer.gamma.assign(weights.uniform(name, layer.gamma.path, layer.gamma.shape, 0.7, 1.3))
            layer.beta.assign(weights.uniform(name, layer.beta.path, layer.beta.shape, -0.3, 0.3))
        elif kind == "LayerScale":  # made as 1e-6, which would hide the whole branch
            layer.gamma.assign(weights.uniform(name, layer.gamma.path, layer.gamma.shape, 0.1, 0.3))
        elif kind == "StochasticDepth":
            layer.drop_path_rate = 0.0


def _freeze(model):
    """(GraphDef, logits tensor)."""
    shape = model.inputs[0].shape[1:]

    @tf.function(input_signature=[tf.TensorSpec([None, *shape], tf.float32, name="input")])
    def forward(image):
        return tf.identity(model(image, training=False), name="output")

    graph = network_keras.convert_variables_to_constants_v2(forward.get_concrete_function()).graph.as_graph_def()
    graph = tf.compat.v1.graph_util.extract_sub_graph(graph, ["output"])
    return graph, network_keras._tensor([node for node in graph.node if node.op == "Softmax"][-1].input[0])


def to_nhwc(graph):
    """A copy of a GraphDef in which every NCHW node is its NHWC form between two transposes."""
    result = graph_pb2.GraphDef(versions=graph.versions, library=graph.library)

    def constant(name, value):
        node = result.node.add(name=name, op="Const")
        node.attr["dtype"].type = tf.int32.as_datatype_enum
        node.attr["value"].tensor.CopyFrom(tensor_util.make_tensor_proto(np.array(value, np.int32)))

    def transpose(name, source, order, dtype):
        node = result.node.add(name=name, op="Transpose", input=[source, order])
        node.attr["T"].type = dtype
        node.attr["Tperm"].type = tf.int32.as_datatype_enum

    constant("to_nhwc", [0, 2, 3, 1])
    constant("to_nchw", [0, 3, 1, 2])
    for node in graph.node:
        copy = result.node.add()
        copy.CopyFrom(node)
        if "data_format" not in node.attr or node.attr["data_format"].s != b"NCHW":
            continue
        dtype = node.attr["T"].type
        copy.name, copy.attr["data_format"].s = node.name + "/nhwc", b"NHWC"
        for key in SPATIAL:
            if key in node.attr and len(node.attr[key].list.i) == 4:
                n, c, h, w = node.attr[key].list.i
                copy.attr[key].list.i[:] = [n, h, w, c]
        transpose(node.name + "/in", node.input[0], "to_nhwc", dtype)
        copy.input[0] = node.name + "/in"
        transpose(node.name, copy.name, "to_nchw", dtype)
    return result


def frozen(name, data_format):
    """(graph, logits, images, oracle's graph, oracle's images) of four images."""
    size = NASNET_LARGE_SIZE if name == "NASNetLarge" else SIZE
    low, high = _range(name)
    keras.utils.clear_session()
    model = _build(name, "channels_last", size)
    _set_weights(name, model)
    model(weights.images((size, size, 3), CALIBRATION_IMAGES, 1000, low, high), training=True)
    images = weights.images((size, size, 3), network_oracle.EXAMPLES, network_oracle.SEED, low, high)
    if data_format == "channels_first":
        first = _build(name, "channels_first", size)
        first.set_weights(model.get_weights())
        model, images = first, np.ascontiguousarray(images.transpose(0, 3, 1, 2))
    graph, logits = _freeze(model)
    return graph, logits, images


def oracle(graph, logits, images):
    """network_oracle.Oracle of the frozen graph, from TensorFlow in float and in double."""
    nhwc, feeds = to_nhwc(graph), {"input": images}
    plain = network_check.run(nhwc, [logits], feeds)[0]
    exact = network_check.run(to_float64.rewrite(nhwc), [logits], to_float64.widen(feeds))[0]
    return network_oracle.Oracle(feeds, exact, plain)


def check(name, data_format):
    """The verdict as a JSON value; `passed` is the promise of the head line."""
    import graftrt

    try:
        graph, logits, images = frozen(name, data_format)
    except (ValueError, NotImplementedError) as error:
        if data_format == "channels_last":
            raise
        return {"passed": True, "not_allowed": str(error).splitlines()[0]}  # by Keras, before Graft sees a graph
    reference = oracle(graph, logits, images)
    conversion = graftrt.convert(graph, [logits, "output"], profitable_only=False)
    left = sorted({f"{node['op']}: {node['reason']}" for node in conversion.report.nodes
                   if node["engine"] < 0 and node["op"] not in ("Placeholder", "Const")})
    share = max((e["reference_flops_share"] for e in conversion.report.engines), default=1.0)
    graftrt.reset_counters()
    got = network_check.run(conversion.graph_def, [logits], reference.feeds)[0]
    native = sum(count["native"] for count in graftrt.counters().values())
    verdict = network_oracle.judge(reference, got)
    engines = len(conversion.report.engines)
    return {"passed": bool(verdict.passed and engines == 1 and not left and share == 0 and native == 0), "text": verdict.text,
            "ratio": verdict.ratio, "engines": engines, "left": left, "reference_flops_share": share, "native": native,
            "nodes": len(graph.node)}


if __name__ == "__main__":
    result = check(*sys.argv[1:])
    print("RESULT" + json.dumps(result, default=lambda v: v.item()))  # NumPy scalars
    sys.exit(0 if result["passed"] else 1)
