"""BERT encoders in plain TensorFlow ops: embeddings by GatherV2, LayerNorm, GELU and attention written out."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import dataclasses

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

import network_weights as weights

tf.get_logger().setLevel("ERROR")


@dataclasses.dataclass(frozen=True)
class Shape:
    """Sizes of one encoder; `length` None leaves the sequence length open, `mask` adds an input of 0 and 1."""

    layers: int = 12
    hidden: int = 768
    heads: int = 12
    inner: int = 3072
    vocabulary: int = 30522
    positions: int = 512
    length: int | None = 128
    mask: bool = False
    labels: int = 16


_MINI = Shape(layers=2, hidden=64, heads=4, inner=256, vocabulary=1000, positions=64, length=32)
NETWORKS = {
    "bert_base": Shape(),
    "bert_base_tf1": Shape(),
    "mini_bert": _MINI,
    "mini_bert_mask": dataclasses.replace(_MINI, mask=True),
    "mini_bert_dynamic": dataclasses.replace(_MINI, length=None, mask=True),
    "mini_bert_tf1": _MINI,
}


class Encoder:
    """Builds the graph once `variable(name, value)` says how a weight enters it."""

    def __init__(self, network, shape, variable):
        self.network, self.shape, self.variable = network.removesuffix("_tf1"), shape, variable
        self.weights = {}

    def make_weights(self):
        """Creates every variable; apart from `__call__`, for a variable is not created while a function is traced."""
        s = self.shape
        for table, rows in (("word", s.vocabulary), ("position", s.positions), ("type", 2)):
            self._add(f"embeddings/{table}", (rows, s.hidden), 1, 0.5)
        self._norm_weights("embeddings/norm")
        for index in range(s.layers):
            name = f"layer_{index}"
            for part, gain in (("query", 1.5), ("key", 1.5), ("value", 1.0), ("attended", 1.0)):
                self._dense_weights(f"{name}/{part}", s.hidden, s.hidden, gain)
            self._norm_weights(f"{name}/attention_norm")
            self._dense_weights(f"{name}/inner", s.hidden, s.inner, 2.0)
            self._dense_weights(f"{name}/outer", s.inner, s.hidden, 2.0)
            self._norm_weights(f"{name}/output_norm")
        self._dense_weights("pooler", s.hidden, s.hidden, 1.0)
        self._dense_weights("classifier", s.hidden, s.labels, 4.0)
        return self

    def _add(self, name, shape, fan_in, gain):
        self.weights[name] = self.variable(name, weights.laplace(self.network, name, shape, fan_in, gain))

    def _dense_weights(self, name, rows, cols, gain):
        self._add(f"{name}/kernel", (rows, cols), rows, gain)
        bias = weights.uniform(self.network, f"{name}/bias", (cols,), -0.1, 0.1)
        self.weights[f"{name}/bias"] = self.variable(f"{name}/bias", bias)

    def _norm_weights(self, name):
        for part, low, high in (("gamma", 0.7, 1.3), ("beta", -0.3, 0.3)):
            value = weights.uniform(self.network, f"{name}/{part}", (self.shape.hidden,), low, high)
            self.weights[f"{name}/{part}"] = self.variable(f"{name}/{part}", value)

    def __call__(self, ids, mask=None):
        """`ids` [batch, length] int32, `mask` the same, -> (logits, probabilities) [batch, labels]."""
        s, w = self.shape, self.weights
        batch = tf.shape(ids)[0]
        length = s.length or tf.shape(ids)[1]
        with tf.name_scope("embeddings"):
            x = tf.gather(w["embeddings/word"], ids) + tf.gather(w["embeddings/type"], tf.zeros_like(ids))
            x = self._norm(x + w["embeddings/position"][:length], "embeddings/norm")
            x = tf.reshape(x, [-1, s.hidden])
        bias = None
        if mask is not None:
            bias = (1.0 - tf.cast(mask[:, tf.newaxis, tf.newaxis, :], tf.float32)) * -10000.0
        for index in range(s.layers):
            name = f"layer_{index}"
            with tf.name_scope(name):
                attended = self._dense(self._attention(x, bias, batch, length, name), f"{name}/attended")
                x = self._norm(attended + x, f"{name}/attention_norm")
                inner = self._gelu(self._dense(x, f"{name}/inner"))
                x = self._norm(self._dense(inner, f"{name}/outer") + x, f"{name}/output_norm")
        first = tf.reshape(x, tf.stack([batch, length, s.hidden]))[:, 0, :]
        pooled = tf.tanh(self._dense(first, "pooler"))
        logits = tf.identity(self._dense(pooled, "classifier"), name="logits")
        return logits, tf.nn.softmax(logits, name="output")

    def _attention(self, x, bias, batch, length, name):
        s = self.shape
        size = s.hidden // s.heads

        def heads(part):
            split = tf.reshape(self._dense(x, f"{name}/{part}"), tf.stack([batch, length, s.heads, size]))
            return tf.transpose(split, [0, 2, 1, 3])

        query, key, value = heads("query"), heads("key"), heads("value")
        scores = tf.matmul(query, key, transpose_b=True) * float(1.0 / np.sqrt(size))
        if bias is not None:
            scores = scores + bias
        context = tf.matmul(tf.nn.softmax(scores), value)
        return tf.reshape(tf.transpose(context, [0, 2, 1, 3]), [-1, s.hidden])

    def _dense(self, x, name):
        return tf.nn.bias_add(tf.matmul(x, self.weights[f"{name}/kernel"]), self.weights[f"{name}/bias"])

    def _norm(self, x, name):
        mean, variance = tf.nn.moments(x, [-1], keepdims=True)
        gamma, beta = self.weights[f"{name}/gamma"], self.weights[f"{name}/beta"]
        return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-12)

    @staticmethod
    def _gelu(x):
        return 0.5 * x * (1.0 + tf.math.erf(x / float(np.sqrt(2.0))))


def _meta(shape):
    ids = {"dtype": "int32", "shape": [None, shape.length], "vocabulary": shape.vocabulary}
    mask = {"mask": {"dtype": "int32", "shape": [None, shape.length], "vocabulary": 2}} if shape.mask else {}
    return {"inputs": {"input": ids, **mask}, "logits": "logits:0", "outputs": ["output:0"]}


def _freeze_v2(network, shape):
    encoder = Encoder(network, shape, lambda name, value: tf.Variable(value, name=name)).make_weights()
    specs = [tf.TensorSpec(i["shape"], tf.int32, name=n) for n, i in _meta(shape)["inputs"].items()]
    function = tf.function(encoder, input_signature=specs).get_concrete_function()
    return convert_variables_to_constants_v2(function).graph.as_graph_def()


def _freeze_v1(network, shape):
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        created = []

        def variable(name, value):
            initial = v1.placeholder(tf.float32, value.shape)  # a Const would stay in the graph and double it
            result = v1.get_variable(name, initializer=initial, use_resource=False)
            created.append((result.initializer, initial, value))
            return result

        encoder = Encoder(network, shape, variable).make_weights()
        inputs = [v1.placeholder(tf.int32, i["shape"], n) for n, i in _meta(shape)["inputs"].items()]
        encoder(*inputs)
        for initializer, initial, value in created:
            session.run(initializer, {initial: value})
        graph = session.graph.as_graph_def()
        return v1.graph_util.convert_variables_to_constants(session, graph, ["output"])


def frozen(network):
    """(GraphDef, metadata) of `network`."""
    shape = NETWORKS[network]
    graph = (_freeze_v1 if network.endswith("_tf1") else _freeze_v2)(network, shape)
    return tf.compat.v1.graph_util.extract_sub_graph(graph, ["output"]), _meta(shape)
