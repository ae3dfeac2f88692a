"""keras.applications networks and two small relatives, with Graft's own seeded weights, frozen the TF 2 way."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

import network_weights as weights

layers = keras.layers
tf.get_logger().setLevel("ERROR")


def _conv_bn(x, filters, size, stride, activation, name):
    x = layers.Conv2D(filters, size, stride, padding="same", use_bias=False, name=name)(x)
    x = layers.BatchNormalization(name=name + "_bn")(x)
    return layers.Activation(activation, name=name + "_act")(x) if activation else x


def toy_resnet():
    """Residual blocks on 32x32 images: what ResNet50 has, in miniature."""
    image = keras.Input((32, 32, 3))
    x = _conv_bn(layers.ZeroPadding2D(1, name="pad")(image), 16, 3, 2, "relu", "stem")
    x = layers.MaxPooling2D(3, 2, padding="same", name="pool")(x)
    for index, (filters, stride) in enumerate([(16, 1), (32, 2)]):
        name = f"block{index}"
        y = _conv_bn(x, filters, 1, stride, "relu", name + "a")
        y = _conv_bn(y, filters, 3, 1, "relu", name + "b")
        y = _conv_bn(y, filters * 2, 1, 1, None, name + "c")
        x = layers.Add(name=name + "_add")([_conv_bn(x, filters * 2, 1, stride, None, name + "s"), y])
        x = layers.Activation("relu", name=name + "_out")(x)
    x = layers.GlobalAveragePooling2D(name="avg")(x)
    return keras.Model(image, layers.Dense(10, "softmax", name="predictions")(x))


def toy_mobile():
    """Depthwise convolutions, ReLU6, swish, squeeze-and-excite, concat and average pooling on 32x32 images."""
    image = keras.Input((32, 32, 3))
    x = _conv_bn(image, 16, 3, 2, "relu6", "stem")
    x = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="dw1")(x)
    x = layers.Activation("relu6", name="dw1_act")(layers.BatchNormalization(name="dw1_bn")(x))
    x = short = _conv_bn(x, 24, 1, 1, None, "project")
    x = _conv_bn(x, 48, 1, 1, "swish", "expand")
    x = layers.DepthwiseConv2D(5, padding="same", use_bias=False, name="dw2")(x)
    x = layers.Activation("swish", name="dw2_act")(layers.BatchNormalization(name="dw2_bn")(x))
    gate = layers.GlobalAveragePooling2D(keepdims=True, name="se_squeeze")(x)
    gate = layers.Conv2D(8, 1, activation="swish", name="se_reduce")(gate)
    gate = layers.Conv2D(48, 1, activation="sigmoid", name="se_expand")(gate)
    x = layers.Multiply(name="se_excite")([x, gate])
    x = layers.Add(name="add")([short, _conv_bn(x, 24, 1, 1, None, "project2")])
    x = layers.Concatenate(name="concat")([x, layers.AveragePooling2D(3, 1, padding="same", name="avgpool")(x)])
    x = layers.GlobalAveragePooling2D(name="avg")(_conv_bn(x, 64, 1, 1, "relu6", "head"))
    return keras.Model(image, layers.Dense(10, "softmax", name="predictions")(x))


# name -> (constructor, [H, W, C], low, high): the range is what the network's own preprocessing yields.
NETWORKS = {
    "resnet50": (keras.applications.ResNet50, (224, 224, 3), -1.0, 1.0),
    "mobilenetv2": (keras.applications.MobileNetV2, (224, 224, 3), -1.0, 1.0),
    "inceptionv3": (keras.applications.InceptionV3, (299, 299, 3), -1.0, 1.0),
    "efficientnetb0": (keras.applications.EfficientNetB0, (224, 224, 3), 0.0, 255.0),
    "vgg16": (keras.applications.VGG16, (224, 224, 3), -1.0, 1.0),
    "densenet121": (keras.applications.DenseNet121, (224, 224, 3), -1.0, 1.0),
    "toy_resnet": (toy_resnet, (32, 32, 3), -1.0, 1.0),
    "toy_mobile": (toy_mobile, (32, 32, 3), -1.0, 1.0),
}
CALIBRATION_IMAGES = 4


def _set_weights(network, model):
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            for variable, low, high in ((layer.gamma, 0.7, 1.3), (layer.beta, -0.3, 0.3)):
                if variable is not None:
                    variable.assign(weights.uniform(network, variable.path, variable.shape, low, high))
            layer.momentum = 0.0  # one pass in training mode then stores exactly its statistics
        elif isinstance(layer, layers.Dropout):
            layer.rate = 0.0
        elif isinstance(layer, (layers.Conv2D, layers.DepthwiseConv2D, layers.Dense)):
            depthwise = isinstance(layer, layers.DepthwiseConv2D)
            kernel = layer.kernel
            fan_in = weights.fan_in_of(kernel.shape, depthwise)
            linear = layer.name == "predictions" or "se_expand" in layer.name
            kernel.assign(weights.laplace(network, kernel.path, kernel.shape, fan_in, 1.0 if linear else 2.0))
            if layer.use_bias:
                layer.bias.assign(weights.uniform(network, layer.bias.path, layer.bias.shape, -0.1, 0.1))


def build(network):
    """The Keras model with seeded weights and BatchNorm statistics of one forward pass."""
    keras.utils.clear_session()
    constructor, shape, low, high = NETWORKS[network]
    model = constructor() if network.startswith("toy") else constructor(weights=None, input_shape=shape)
    _set_weights(network, model)
    model(weights.images(shape, CALIBRATION_IMAGES, 1000, low, high), training=True)
    return model


def frozen(network):
    """(GraphDef, metadata) of `network`, frozen by `convert_variables_to_constants_v2`."""
    shape, low, high = NETWORKS[network][1:]
    model = build(network)

    @tf.function(input_signature=[tf.TensorSpec([None, *shape], tf.float32, name="input")])
    def forward(image):
        return tf.identity(model(image, training=False), name="output")

    graph = convert_variables_to_constants_v2(forward.get_concrete_function()).graph.as_graph_def()
    graph = tf.compat.v1.graph_util.extract_sub_graph(graph, ["output"])
    gradients = (n.attr["_gradient_op_type"] for n in graph.node if "_gradient_op_type" in n.attr)
    for index, gradient in enumerate(gradients):  # numbered by a counter of the process
        gradient.s = b"CustomGradient-%d" % index
    softmax = [node for node in graph.node if node.op == "Softmax"]
    meta = {
        "inputs": {"input": {"dtype": "float32", "shape": [None, *shape], "low": low, "high": high}},
        "logits": _tensor(softmax[-1].input[0]),
        "outputs": ["output:0"],
    }
    return graph, meta


def _tensor(name):
    return name if ":" in name else name + ":0"


def release():
    keras.utils.clear_session()
    np.random.seed(0)
