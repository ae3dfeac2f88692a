#!/usr/bin/env python3
"""A custom op of your own in an engine: a converter writes it as Graft's IR ops (docs/converters.md).

Compiles mish_plus.cc, a custom op of TensorFlow, builds a small network with it, freezes and converts that once without and once
with the converter, and compares both with TensorFlow's own answer.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf

import graftrt as trt

HERE = pathlib.Path(__file__).resolve().parent


def compile_op(folder):
    """mish_plus.cc as a library that TensorFlow loads."""
    library = os.path.join(folder, "mish_plus.so")
    subprocess.run([os.environ.get("CXX", "c++"), "-O2", "-shared", "-fPIC", "-std=c++17", f"-I{tf.sysconfig.get_include()}",
                    HERE / "mish_plus.cc", "-o", library, *tf.sysconfig.get_link_flags()], check=True)
    return tf.load_op_library(library)


def frozen_network(ops):
    rng = np.random.default_rng(0)
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, 16, 16, 8], name="x")
        for layer, beta in enumerate((1.0, 0.5, 2.0)):
            weights = tf.constant(rng.standard_normal((3, 3, 8, 8)).astype(np.float32) / 8)
            x = ops.mish_plus(x=tf.nn.conv2d(x, weights, 1, "SAME"), beta=beta, name=f"mish_{layer}")
        tf.identity(x, name="y")
    return graph.as_graph_def()


def run(graph_def, x):
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        tf.graph_util.import_graph_def(graph_def, name="")
        return session.run("y:0", {"x:0": x})


def mish_plus(node):
    """y = x * tanh(softplus(beta * x))"""
    x = node.input(0)
    beta = node.attr_float("beta", 1.0)
    scaled = node.emit("binary", x, node.constant(beta), fn="mul")
    gate = node.emit("unary", node.emit("unary", scaled, fn="softplus"), fn="tanh")
    return node.emit("binary", x, gate, fn="mul")


def main():
    with tempfile.TemporaryDirectory() as folder:
        frozen = frozen_network(compile_op(folder))
        x = np.random.default_rng(1).standard_normal((4, 16, 16, 8)).astype(np.float32)
        want = run(frozen, x)
        for registered in (False, True):
            if registered:
                trt.register_converter("MishPlus", mish_plus, outputs=["y"])
            conversion = trt.convert(frozen, ["y"], profitable_only=False, min_segment_size=1)
            got = run(conversion.graph_def, x)
            nodes = sum(node.op == "MishPlus" for node in conversion.graph_def.node)
            print(f"{'with' if registered else 'without'} the converter: {len(conversion.report.engines)} engines, {nodes} MishPlus nodes"
                  f" left, largest difference {np.abs(got - want).max():.1e}")
            if np.abs(got - want).max() > 1e-4:
                return "the answers differ"
        with trt.options(native_segments=True):  # TensorFlow's own kernel takes over where an engine can't run
            conversion = trt.convert(frozen, ["y"], min_segment_size=1)
        with trt.options(fail_engines=["*"]):
            print(f"its native segment: largest difference {np.abs(run(conversion.graph_def, x) - want).max():.1e}")
        print(f"without TensorFlow: largest difference {np.abs(conversion.session().run('y', {'x': x}) - want).max():.1e}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
