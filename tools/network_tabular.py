"""Wide and deep: linear weights of crossed ids beside a dense tower over embeddings, frozen the TF 2 way."""

import keras
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

import network_weights as weights

FIELDS, BUCKETS, WIDTH = 6, 100, 16  # of the ids that every example has once
CROSSES, CROSS_BUCKETS = ((0, 1), (2, 3), (1, 4, 5)), 512
HISTORY = 8  # ids of which an example has any number; 0 is none
NUMBERS, CLASSES = 13, 4
TOWER = (128, 64)
NETWORKS = ("wide_and_deep",)


def _weight(network, name, shape, fan_in=None):
    value = weights.laplace(network, name, shape, fan_in, 2.0) if fan_in else weights.uniform(network, name, shape, -0.5, 0.5)
    return tf.Variable(value, name=name)


class WideAndDeep(tf.Module):
    def __init__(self, network):
        super().__init__()
        self.tables = [_weight(network, f"field{i}", (BUCKETS, WIDTH)) for i in range(FIELDS)]
        self.wide = [_weight(network, f"wide{i}", (BUCKETS, CLASSES)) for i in range(FIELDS)]
        self.crosses = [_weight(network, f"cross{i}", (CROSS_BUCKETS, CLASSES)) for i in range(len(CROSSES))]
        self.items = _weight(network, "items", (BUCKETS, WIDTH))
        self.mean = _weight(network, "mean", (NUMBERS,))
        self.deviation = tf.Variable(weights.uniform(network, "deviation", (NUMBERS,), 0.5, 1.5))
        widths = (FIELDS * WIDTH + WIDTH + NUMBERS, *TOWER, CLASSES)
        self.kernels = [_weight(network, f"kernel{i}", (a, b), a) for i, (a, b) in enumerate(zip(widths, widths[1:]))]
        self.biases = [_weight(network, f"bias{i}", (b,)) for i, b in enumerate(widths[1:])]

    def crossed(self, ids, fields):
        """The bucket of several ids at once: a polynomial hash, as integers wrap."""
        bucket = tf.cast(ids[:, fields[0]], tf.int64)
        for field in fields[1:]:
            bucket = bucket * 1000003 + tf.cast(ids[:, field], tf.int64)
        return tf.math.floormod(tf.bitwise.bitwise_xor(bucket, tf.constant(0x5DEECE66D, tf.int64)), CROSS_BUCKETS)

    def history(self, items):
        """Mean of the embeddings of an example's items; zeros where it has none."""
        here = tf.cast(tf.not_equal(items, 0), tf.float32)[:, :, tf.newaxis]
        return tf.math.divide_no_nan(tf.reduce_sum(tf.nn.embedding_lookup(self.items, items) * here, 1), tf.reduce_sum(here, 1))

    def __call__(self, ids, items, numbers):
        columns = tf.unstack(ids, axis=1)
        wide = tf.add_n([tf.nn.embedding_lookup(table, column) for table, column in zip(self.wide, columns)])
        wide += tf.add_n([tf.nn.embedding_lookup(t, self.crossed(ids, f)) for t, f in zip(self.crosses, CROSSES)])
        numbers = tf.clip_by_value((numbers - self.mean) / self.deviation, -3.0, 3.0)
        embedded = [tf.nn.embedding_lookup(table, column) for table, column in zip(self.tables, columns)]
        x = tf.concat([*embedded, self.history(items), numbers], 1)
        for i, (kernel, bias) in enumerate(zip(self.kernels, self.biases)):
            x = tf.nn.bias_add(tf.matmul(x, kernel), bias)
            x = tf.nn.relu(x) if i < len(TOWER) else x
        return wide + x


def frozen(network):
    """(GraphDef, metadata) of `network`."""
    keras.utils.clear_session()
    model = WideAndDeep(network)

    @tf.function(autograph=False, input_signature=[
        tf.TensorSpec([None, FIELDS], tf.int32, name="ids"), tf.TensorSpec([None, HISTORY], tf.int32, name="items"),
        tf.TensorSpec([None, NUMBERS], tf.float32, name="numbers")])
    def forward(ids, items, numbers):
        return tf.nn.softmax(tf.identity(model(ids, items, numbers), name="logits"), name="output")

    graph = convert_variables_to_constants_v2(forward.get_concrete_function()).graph.as_graph_def()
    graph = tf.compat.v1.graph_util.extract_sub_graph(graph, ["output"])
    inputs = {"ids": {"dtype": "int32", "shape": [None, FIELDS], "vocabulary": BUCKETS},
              "items": {"dtype": "int32", "shape": [None, HISTORY], "vocabulary": BUCKETS},
              "numbers": {"dtype": "float32", "shape": [None, NUMBERS], "low": -2.0, "high": 2.0}}
    return graph, {"inputs": inputs, "logits": "logits:0", "outputs": ["output:0"]}
