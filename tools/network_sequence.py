"""Recurrent networks: a tagger of masked sentences and a forecaster of images, seeded, frozen the TF 2 way with functional loops."""

import keras
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

import network_weights as weights

layers = keras.layers
WORDS, TAGS = 60, 9
FRAMES, SIDE = 5, 24


def tagger(ids):
    """Bidirectional and stacked LSTMs and GRUs; word 0 is padding, which every layer's mask passes over."""
    x = layers.Embedding(WORDS, 32, mask_zero=True, name="words")(ids)
    x = layers.Bidirectional(layers.LSTM(24, return_sequences=True), name="both_ways")(x)
    x = layers.LSTM(32, return_sequences=True, name="second")(x)
    x = layers.GRU(32, return_sequences=True, name="third")(x)
    return layers.Dense(TAGS, name="tags")(x)


def forecaster(frames):
    """ConvLSTM2D twice and a convolution, from a row of images to the next one."""
    x = layers.ConvLSTM2D(16, 3, padding="same", return_sequences=True, name="first")(frames)
    x = layers.BatchNormalization(name="first_bn")(x)
    x = layers.ConvLSTM2D(16, 3, padding="same", recurrent_activation="hard_sigmoid", name="second")(x)
    return layers.Conv2D(3, 3, padding="same", name="next")(x)


# name -> (function of the input, its tf.TensorSpec)
NETWORKS = {
    "tagger": (tagger, tf.TensorSpec([None, None], tf.int32, name="ids")),
    "forecaster": (forecaster, tf.TensorSpec([None, FRAMES, SIDE, SIDE, 3], tf.float32, name="input")),
}


def build(network):
    keras.utils.clear_session()
    make, spec = NETWORKS[network]
    source = keras.Input(spec.shape[1:], dtype=spec.dtype)
    model = keras.Model(source, make(source))
    for variable in model.weights:
        kind = variable.path.rsplit("/", 1)[-1]
        if kind in ("kernel", "recurrent_kernel"):
            fan_in = weights.fan_in_of(variable.shape)
            variable.assign(weights.laplace(network, variable.path, variable.shape, fan_in, 2.0))
        elif kind in ("gamma", "moving_variance"):
            variable.assign(weights.uniform(network, variable.path, variable.shape, 0.7, 1.3))
        else:
            width = 1.0 if kind == "embeddings" else 0.3
            variable.assign(weights.uniform(network, variable.path, variable.shape, -width, width))
    return model


def frozen(network):
    """(GraphDef, metadata) of `network`."""
    spec = NETWORKS[network][1]
    model = build(network)

    @tf.function(input_signature=[spec], autograph=False)
    def forward(source):
        logits = tf.identity(model(source, training=False), name="logits")
        return tf.nn.softmax(logits, name="output") if network == "tagger" else tf.tanh(logits, name="output")

    constants = convert_variables_to_constants_v2(forward.get_concrete_function(), lower_control_flow=False)
    graph = tf.compat.v1.graph_util.extract_sub_graph(constants.graph.as_graph_def(), ["output"])
    meta = {"dtype": spec.dtype.name, "shape": spec.shape.as_list()}
    meta |= {"vocabulary": WORDS} if network == "tagger" else {"low": -1.0, "high": 1.0}
    return graph, {"inputs": {spec.name: meta}, "logits": "logits:0", "outputs": ["output:0"]}
