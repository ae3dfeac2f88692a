"""Transformers that translate: encoder, decoder and the loop that decodes greedily, frozen the TF 2 way.

The loop runs until every sentence has ended, or to the last step. `translator` computes the whole decoder in every step;
`translator_cached` keeps keys and values of the steps before and computes one step.
"""

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

import network_weights as weights

PAD, START, END = 0, 1, 2
SOURCE_WORDS, TARGET_WORDS = 60, 16
WIDTH, HEADS, LAYERS, HIDDEN = 64, 4, 2, 128
STEPS = 12
VERY_NEGATIVE = -1e9
NETWORKS = ("translator", "translator_cached")


def _places(count):
    """[count, WIDTH]: sines and cosines."""
    angles = np.arange(count)[:, None] / 10000 ** (np.arange(0, WIDTH, 2) / WIDTH)
    return np.concatenate([np.sin(angles), np.cos(angles)], 1).astype(np.float32)


class Transformer:
    """Weights and the parts. Every weight is a variable, by name."""

    def __init__(self, network):
        self.network, self.variables = network, {}

    def weight(self, name, shape, kind="kernel"):
        if name not in self.variables:
            if kind == "kernel":
                value = weights.laplace(self.network, name, shape, shape[0], 1.0)
            else:
                value = weights.uniform(self.network, name, shape, *kind)
            self.variables[name] = tf.Variable(value, name=name)
        return self.variables[name]

    def dense(self, x, width, name):
        return tf.einsum("...i,ij->...j", x, self.weight(f"{name}/kernel", (x.shape[-1], width))) + self.weight(f"{name}/bias", (width,), (-0.1, 0.1))

    def norm(self, x, name):
        mean, variance = tf.nn.moments(x, [-1], keepdims=True)
        gamma, beta = self.weight(f"{name}/gamma", (WIDTH,), (0.7, 1.3)), self.weight(f"{name}/beta", (WIDTH,), (-0.3, 0.3))
        return (x - mean) * tf.math.rsqrt(variance + 1e-6) * gamma + beta

    def heads(self, x, name):
        """[B, S, WIDTH] -> [B, HEADS, S, WIDTH / HEADS]."""
        x = self.dense(x, WIDTH, name)
        return tf.transpose(tf.reshape(x, [tf.shape(x)[0], tf.shape(x)[1], HEADS, WIDTH // HEADS]), [0, 2, 1, 3])

    def attend(self, q, k, v, mask, name):
        """mask is added: 0 where k may be looked at."""
        scores = tf.matmul(q, k, transpose_b=True) / float(np.sqrt(WIDTH // HEADS)) + mask
        x = tf.transpose(tf.matmul(tf.nn.softmax(scores), v), [0, 2, 1, 3])
        return self.dense(tf.reshape(x, [tf.shape(x)[0], tf.shape(x)[1], WIDTH]), WIDTH, name)

    def hidden(self, x, name):
        return self.dense(tf.nn.gelu(self.dense(x, HIDDEN, name + "/in"), approximate=True), WIDTH, name + "/out")

    def embed(self, ids, words, name):
        return tf.gather(tf.convert_to_tensor(self.weight(f"{name}/words", (words, WIDTH), (-0.5, 0.5))), ids) * float(WIDTH**0.5)

    def encode(self, source, mask):
        x = self.embed(source, SOURCE_WORDS, "encoder") + tf.constant(_places(64))[: tf.shape(source)[1]]
        for layer in range(LAYERS):
            name = f"encoder{layer}"
            q, k, v = (self.heads(x, f"{name}/{part}") for part in "qkv")
            x = self.norm(x + self.attend(q, k, v, mask, f"{name}/o"), f"{name}/norm1")
            x = self.norm(x + self.hidden(x, f"{name}/hidden"), f"{name}/norm2")
        return x

    def decode(self, x, memory, own, mask, own_mask):
        """Logits of the steps in x; own(layer, k, v) says which keys and values its attention to itself sees."""
        for layer in range(LAYERS):
            name = f"decoder{layer}"
            q, k, v = (self.heads(x, f"{name}/self_{part}") for part in "qkv")
            x = self.norm(x + self.attend(q, *own(layer, k, v), own_mask, f"{name}/self_o"), f"{name}/norm1")
            q = self.heads(x, f"{name}/q")
            x = self.norm(x + self.attend(q, *memory[layer], mask, f"{name}/o"), f"{name}/norm2")
            x = self.norm(x + self.hidden(x, f"{name}/hidden"), f"{name}/norm3")
        bias = np.zeros(TARGET_WORDS, np.float32)
        bias[[PAD, START, END]] = -20.0, -20.0, 2.5
        return 2.0 * self.dense(x, TARGET_WORDS, "words") + bias

    def memory(self, encoded):
        return [(self.heads(encoded, f"decoder{layer}/k"), self.heads(encoded, f"decoder{layer}/v")) for layer in range(LAYERS)]


def _picked(logits, ended):
    """(ids of the best word, which sentences have ended); a sentence that has ended goes on with PAD."""
    word = tf.where(ended, PAD, tf.argmax(logits, axis=-1, output_type=tf.int32))
    return word, ended | (word == END)


def _whole(net, memory, mask, batch):
    """All steps so far are computed again in each step."""
    own_mask = (1.0 - np.tri(STEPS, dtype=np.float32)) * VERY_NEGATIVE
    places = _places(STEPS)

    def body(step, written, ended, logits):
        x = net.embed(written[:, :STEPS], TARGET_WORDS, "decoder") + places
        now = tf.gather(net.decode(x, memory, lambda layer, k, v: (k, v), mask, own_mask), step, axis=1)
        word, ended = _picked(now, ended)
        rows = tf.stack([tf.range(batch), tf.fill([batch], step + 1)], axis=1)
        return step + 1, tf.tensor_scatter_nd_update(written, rows, word), ended, logits.write(step, now)

    start = tf.concat([tf.fill([batch, 1], START), tf.fill([batch, STEPS], PAD)], 1)
    state = (0, start, tf.fill([batch], False), tf.TensorArray(tf.float32, STEPS, element_shape=[None, TARGET_WORDS]))
    _, written, _, logits = tf.while_loop(lambda step, w, ended, l: (step < STEPS) & ~tf.reduce_all(ended), body, state, maximum_iterations=STEPS)
    return written[:, 1:], tf.transpose(logits.stack(), [1, 0, 2])


def _cached(net, memory, mask, batch):
    """Keys and values of the steps before are loop variables."""
    places = tf.constant(_places(STEPS))

    def body(step, word, ended, words, logits, *caches):
        caches = list(caches)

        def own(layer, k, v):
            for i, part in ((2 * layer, k), (2 * layer + 1, v)):
                here = tf.reshape(tf.one_hot(step, STEPS), [1, 1, STEPS, 1])
                caches[i] = caches[i] * (1.0 - here) + part * here
            return caches[2 * layer], caches[2 * layer + 1]

        own_mask = tf.cast(tf.range(STEPS) > step, tf.float32) * VERY_NEGATIVE
        x = net.embed(word, TARGET_WORDS, "decoder") + tf.gather(places, step)
        now = net.decode(x[:, tf.newaxis], memory, own, mask, own_mask)[:, 0]
        word, ended = _picked(now, ended)
        return step + 1, word, ended, words.write(step, word), logits.write(step, now), *caches

    cache = tf.zeros([batch, HEADS, STEPS, WIDTH // HEADS])
    state = (0, tf.fill([batch], START), tf.fill([batch], False), tf.TensorArray(tf.int32, STEPS, element_shape=[None]),
             tf.TensorArray(tf.float32, STEPS, element_shape=[None, TARGET_WORDS]), *[cache] * (2 * LAYERS))
    result = tf.while_loop(lambda step, word, ended, *_: (step < STEPS) & ~tf.reduce_all(ended), body, state)
    return tf.transpose(result[3].stack()), tf.transpose(result[4].stack(), [1, 0, 2])


def frozen(network):
    """(GraphDef, metadata) of `network`; `logits` has a row of zeros for a step that was not computed."""
    keras.utils.clear_session()
    net = Transformer(network)

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32, name="ids")], autograph=False)
    def forward(ids):
        mask = tf.cast(ids == PAD, tf.float32)[:, tf.newaxis, tf.newaxis] * VERY_NEGATIVE
        memory = net.memory(net.encode(ids, mask))
        written, logits = (_whole if network == "translator" else _cached)(net, memory, mask, tf.shape(ids)[0])
        return tf.identity(written, name="output"), tf.identity(logits, name="logits")

    constants = convert_variables_to_constants_v2(forward.get_concrete_function(), lower_control_flow=False)
    graph = tf.compat.v1.graph_util.extract_sub_graph(constants.graph.as_graph_def(), ["logits", "output"])
    spec = {"dtype": "int32", "shape": [None, None], "vocabulary": SOURCE_WORDS}
    return graph, {"inputs": {"ids": spec}, "logits": "logits:0", "outputs": ["output:0"]}
