"""Networks with an output a place: U-Nets and a detector's BiFPN, with Graft's own seeded weights, frozen the TF 2 way."""

import keras
import tensorflow as tf

import network_keras
import network_weights as weights

layers = keras.layers
CLASSES = 5
BIFPN_WIDTH, BIFPN_CELLS = 32, 2


def _conv_bn(x, filters, name, stride=1):
    x = layers.Conv2D(filters, 3, stride, padding="same", use_bias=False, name=name)(x)
    return layers.Activation("relu", name=name + "_act")(layers.BatchNormalization(name=name + "_bn")(x))


def _unet(image, up, filters=(16, 32, 64)):
    x, skips = image, []
    for level, width in enumerate(filters):
        x = _conv_bn(_conv_bn(x, width, f"down{level}a"), width, f"down{level}b")
        skips.append(x)
        x = layers.MaxPooling2D(name=f"pool{level}")(x)
    x = _conv_bn(_conv_bn(x, 2 * filters[-1], "bottom_a"), 2 * filters[-1], "bottom_b")
    for level, width in reversed(list(enumerate(filters))):
        x = layers.Concatenate(name=f"skip{level}")([up(x, width, level), skips[level]])
        x = _conv_bn(_conv_bn(x, width, f"up{level}a"), width, f"up{level}b")
    return layers.Conv2D(CLASSES, 1, name="predictions")(x)


def unet(image):
    """Enlarged by transposed convolutions."""
    return _unet(image, lambda x, width, level: layers.Conv2DTranspose(width, 2, 2, padding="same", name=f"enlarge{level}")(x))


def unet_bilinear(image):
    """Enlarged by bilinear interpolation and a convolution; transposed convolutions of overlapping windows only at the end."""
    def up(x, width, level):
        if level == 0:
            return layers.Conv2DTranspose(width, 3, 2, padding="same", name="enlarge0")(x)
        return _conv_bn(layers.UpSampling2D(interpolation="bilinear", name=f"enlarge{level}")(x), width, f"after_enlarge{level}")

    return _unet(image, up)


class Fuse(layers.Layer):
    """Fast normalized fusion: sum of w_i x_i / (sum of w_i + epsilon) with w = relu of what was trained."""

    def build(self, shapes):
        self.w = self.add_weight(shape=(len(shapes),), initializer="ones", name="w")

    def call(self, inputs):
        w = tf.nn.relu(self.w)
        w /= tf.reduce_sum(w) + 1e-4
        return tf.add_n([w[i] * x for i, x in enumerate(inputs)])


def _separable(x, name, filters=BIFPN_WIDTH):
    x = layers.SeparableConv2D(filters, 3, padding="same", name=name)(x)
    return layers.BatchNormalization(epsilon=1e-3, name=name + "_bn")(x)


def _cell(levels, name):
    """One BiFPN cell over levels from fine to coarse: top down, then bottom up."""
    middle = [levels[-1]]
    for i in range(len(levels) - 2, -1, -1):
        enlarged = layers.UpSampling2D(interpolation="nearest", name=f"{name}_enlarge{i}")(middle[0])
        x = Fuse(name=f"{name}_fuse_down{i}")([levels[i], enlarged])
        middle.insert(0, _separable(layers.Activation("swish", name=f"{name}_act_down{i}")(x), f"{name}_down{i}"))
    result = [middle[0]]
    for i in range(1, len(levels)):
        reduced = layers.MaxPooling2D(3, 2, padding="same", name=f"{name}_reduce{i}")(result[-1])
        own = [levels[i], middle[i]] if i + 1 < len(levels) else [levels[i]]
        x = Fuse(name=f"{name}_fuse_up{i}")([*own, reduced])
        result.append(_separable(layers.Activation("swish", name=f"{name}_act_up{i}")(x), f"{name}_up{i}"))
    return result


def bifpn(image):
    """Levels of a small backbone, two cells, and heads whose convolutions all levels share: [B, places, classes + 4]."""
    x, levels = image, []
    for level, width in enumerate((16, 24, 40, 56, 80)):
        x = _conv_bn(x, width, f"stage{level}", stride=2)
        if level > 0:
            lateral = layers.Conv2D(BIFPN_WIDTH, 1, name=f"lateral{level}")(x)
            levels.append(layers.BatchNormalization(epsilon=1e-3, name=f"lateral{level}_bn")(lateral))
    for cell in range(BIFPN_CELLS):
        levels = _cell(levels, f"cell{cell}")
    shared = layers.SeparableConv2D(BIFPN_WIDTH, 3, padding="same", name="head")
    last = layers.SeparableConv2D(CLASSES + 4, 3, padding="same", name="predictions")
    rows = []
    for i, x in enumerate(levels):
        x = layers.BatchNormalization(epsilon=1e-3, name=f"head{i}_bn")(shared(x))
        x = last(layers.Activation("swish", name=f"head{i}_act")(x))
        rows.append(layers.Reshape((-1, CLASSES + 4), name=f"rows{i}")(x))
    return layers.Concatenate(axis=1, name="levels")(rows)


# name -> (function of the image, its side)
NETWORKS = {
    "unet": (unet, 128),
    "unet_bilinear": (unet_bilinear, 128),
    "bifpn": (bifpn, 128),
}
CALIBRATION_IMAGES = 4


def build(network):
    """The Keras model, image to logits, with seeded weights and BatchNorm statistics of one forward pass."""
    keras.utils.clear_session()
    make, side = NETWORKS[network]
    image = keras.Input((side, side, 3))
    model = keras.Model(image, make(image))
    network_keras._set_weights(network, model)
    for layer in model.layers:
        if isinstance(layer, Fuse):
            layer.w.assign(weights.uniform(network, layer.w.path, layer.w.shape, -0.1, 1.5))
        elif isinstance(layer, layers.SeparableConv2D):
            for kernel, depthwise in ((layer.depthwise_kernel, True), (layer.pointwise_kernel, False)):
                fan_in = weights.fan_in_of(kernel.shape, depthwise)
                kernel.assign(weights.laplace(network, kernel.path, kernel.shape, fan_in, 1.0))
            layer.bias.assign(weights.uniform(network, layer.bias.path, layer.bias.shape, -0.1, 0.1))
        elif isinstance(layer, layers.Conv2DTranspose):
            kernel = layer.kernel  # [H, W, out, in]: each output is the sum of H * W / 4 windows
            kernel.assign(weights.laplace(network, kernel.path, kernel.shape, kernel.shape[3] * kernel.shape[0] * kernel.shape[1] / 4, 1.0))
    model(weights.images((side, side, 3), CALIBRATION_IMAGES, 1000), training=True)
    return model


def frozen(network):
    """(GraphDef, metadata) of `network`, frozen by `convert_variables_to_constants_v2`."""
    side = NETWORKS[network][1]
    model = build(network)

    @tf.function(input_signature=[tf.TensorSpec([None, side, side, 3], tf.float32, name="input")])
    def forward(image):
        logits = tf.identity(model(image, training=False), name="logits")
        return tf.nn.softmax(logits, name="output") if "unet" in network else tf.sigmoid(logits[..., :CLASSES], name="output")

    graph = network_keras.convert_variables_to_constants_v2(forward.get_concrete_function()).graph.as_graph_def()
    graph = tf.compat.v1.graph_util.extract_sub_graph(graph, ["output"])
    spec = {"dtype": "float32", "shape": [None, side, side, 3], "low": -1.0, "high": 1.0}
    return graph, {"inputs": {"input": spec}, "logits": "logits:0", "outputs": ["output:0"]}
