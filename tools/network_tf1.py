"""ResNets as TensorFlow 1 programs wrote them: variables, FusedBatchNorm, Session, `convert_variables_to_constants`."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import tensorflow as tf

import network_weights as weights

tf.get_logger().setLevel("ERROR")

# name -> ((blocks, inner channels) per stage, image side, classes)
NETWORKS = {
    "resnet50_tf1": (((3, 64), (4, 128), (6, 256), (3, 512)), 224, 1000),
    "toy_tf1": (((1, 8), (2, 16)), 32, 10),
}
CALIBRATION_IMAGES = 4


class ResNet:
    """ResNet v1.5. Without `values` it normalizes by the batch and remembers the statistics; with `values`, which maps
    names to tensors, it is the inference graph over them."""

    def __init__(self, network, values=None):
        self.network, self.stages, self.side, self.classes = network, *NETWORKS[network]
        self.values, self.arrays = values, {}

    def _weight(self, name, make):
        if self.values is not None:
            return self.values[name]
        self.arrays[name] = make(name)
        return self.arrays[name]

    def _conv(self, x, filters, size, stride, name, relu=True):
        shape = (size, size, x.shape[-1], filters)
        fan_in = weights.fan_in_of(shape)
        kernel = self._weight(f"{name}/kernel", lambda n: weights.laplace(self.network, n, shape, fan_in))
        padding = "SAME"
        if stride > 1 and size > 1:  # as TF 1's models did: explicit Pad, then VALID
            before = (size - 1) // 2
            x = tf.pad(x, [[0, 0], [before, size - 1 - before], [before, size - 1 - before], [0, 0]])
            padding = "VALID"
        x = self._norm(tf.nn.conv2d(x, kernel, stride, padding), name)
        return tf.nn.relu(x) if relu else x

    def _norm(self, x, name):
        def draw(low, high):
            return lambda n: weights.uniform(self.network, n, (x.shape[-1],), low, high)

        gamma = self._weight(f"{name}/gamma", draw(0.7, 1.3))
        beta = self._weight(f"{name}/beta", draw(-0.3, 0.3))
        norm = tf.compat.v1.nn.fused_batch_norm
        if self.values is None:
            y, mean, variance = norm(x, gamma, beta, epsilon=1e-5, is_training=True)
            self.arrays[f"{name}/mean"], self.arrays[f"{name}/variance"] = mean.numpy(), variance.numpy()
            return y
        mean, variance = self.values[f"{name}/mean"], self.values[f"{name}/variance"]
        return norm(x, gamma, beta, mean, variance, epsilon=1e-5, is_training=False)[0]

    def __call__(self, x):
        x = self._conv(x, self.stages[0][1], 7, 2, "stem")
        x = tf.nn.max_pool2d(x, 3, 2, "SAME")
        for stage, (blocks, filters) in enumerate(self.stages):
            for block in range(blocks):
                name, stride = f"stage{stage}/block{block}", 2 if stage and not block else 1
                short = x if block else self._conv(x, filters * 4, 1, stride, f"{name}/short", relu=False)
                y = self._conv(x, filters, 1, 1, f"{name}/a")
                y = self._conv(y, filters, 3, stride, f"{name}/b")
                x = tf.nn.relu(self._conv(y, filters * 4, 1, 1, f"{name}/c", relu=False) + short)
        x = tf.squeeze(tf.nn.avg_pool2d(x, x.shape[1:3], 1, "VALID"), [1, 2])
        shape = (x.shape[-1], self.classes)
        kernel = self._weight("logits/kernel", lambda n: weights.laplace(self.network, n, shape, shape[0], 1.0))
        bias = self._weight("logits/bias", lambda n: weights.uniform(self.network, n, shape[1:], -0.1, 0.1))
        logits = tf.nn.bias_add(tf.matmul(x, kernel), bias, name="logits")
        return tf.nn.softmax(logits, name="output")


def frozen(network):
    """(GraphDef, metadata) of `network`."""
    v1 = tf.compat.v1
    recorder = ResNet(network)
    shape = (recorder.side, recorder.side, 3)
    recorder(tf.constant(weights.images(shape, CALIBRATION_IMAGES, 1000)))
    with tf.Graph().as_default(), v1.Session() as session:
        values = {}
        for name, array in recorder.arrays.items():
            initial = v1.placeholder(tf.float32, array.shape)
            values[name] = v1.get_variable(name, initializer=initial, use_resource=False)
            session.run(values[name].initializer, {initial: array})
        ResNet(network, values)(v1.placeholder(tf.float32, [None, *shape], "input"))
        graph = v1.graph_util.convert_variables_to_constants(session, session.graph.as_graph_def(), ["output"])
    spec = {"dtype": "float32", "shape": [None, *shape], "low": -1.0, "high": 1.0}
    return graph, {"inputs": {"input": spec}, "logits": "logits:0", "outputs": ["output:0"]}
