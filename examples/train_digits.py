#!/usr/bin/env python3
"""Trains a small CNN on scikit-learn's digits and freezes it to examples/digits_cnn.pb.

Input "input" [N, 8, 8, 1], logits "logits", softmax "output" [N, 10]. Seeds are fixed; held-out accuracy is printed
(about 0.99). The committed .pb is the result of one run: examples and tests use it as it lies there.
"""

import argparse
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import digits
import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

HERE = pathlib.Path(__file__).resolve().parent


def model():
    layers = keras.layers
    image = keras.Input((8, 8, 1))
    x = image
    for filters, stride in ((24, 1), (32, 2)):
        x = layers.Conv2D(filters, 3, stride, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    short = x
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(32, 3, padding="same", use_bias=False)(x)))
    x = layers.MaxPooling2D(2)(layers.Add()([x, short]))
    x = layers.Dense(64, activation="relu")(layers.Flatten()(x))
    return keras.Model(image, layers.Dense(10)(layers.Dropout(0.3, seed=3)(x)))


def freeze(network):
    """The GraphDef of the trained model with a softmax behind it."""

    @tf.function(input_signature=[tf.TensorSpec([None, 8, 8, 1], tf.float32, name="input")])
    def forward(image):
        logits = tf.identity(network(image, training=False), name="logits")
        return tf.nn.softmax(logits, name="output")

    graph = convert_variables_to_constants_v2(forward.get_concrete_function()).graph.as_graph_def()
    return tf.compat.v1.graph_util.extract_sub_graph(graph, ["output"])


def accuracy(graph, images, labels):
    with tf.Graph().as_default() as g, tf.compat.v1.Session(graph=g) as session:
        tf.graph_util.import_graph_def(graph, name="")
        answer = session.run("output:0", {"input:0": images})
    return float(np.mean(answer.argmax(1) == labels))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", default=str(HERE / "digits_cnn.pb"))
    parser.add_argument("--epochs", type=int, default=30)
    options = parser.parse_args()
    tf.get_logger().setLevel("ERROR")
    keras.utils.set_random_seed(1)
    tf.config.experimental.enable_op_determinism()
    train, train_labels, test, test_labels = digits.load()
    network = model()
    schedule = keras.optimizers.schedules.CosineDecay(2e-3, options.epochs * (len(train) // 32 + 1))
    network.compile(keras.optimizers.Adam(schedule), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    network.fit(train, train_labels, batch_size=32, epochs=options.epochs, verbose=0)
    graph = freeze(network)
    pathlib.Path(options.out).write_bytes(graph.SerializeToString(deterministic=True))
    print(f"held-out accuracy {accuracy(graph, test, test_labels):.4f} on {len(test)} images; "
          f"{len(graph.node)} nodes, {graph.ByteSize() / 1e3:.0f} kB -> {options.out}")


if __name__ == "__main__":
    main()
