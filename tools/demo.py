"""The demo behind `./dev demo`: convert, run in stock TensorFlow, compare, time. Arguments: network names."""

import os
import pathlib
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

import graftrt as trt
import networks

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "demo"
PAIRS = 15
EXAMPLES = 4


def _digits():
    meta = {"inputs": {"input": {"dtype": "float32", "shape": [None, 8, 8, 1], "low": -1.0, "high": 1.0}},
            "logits": "logits:0", "outputs": ["output:0"]}
    return networks.Network("digits_cnn", ROOT / "examples" / "digits_cnn.pb", meta)


class Runner:
    """A graph in a TensorFlow session of its own."""

    def __init__(self, graph_def, network):
        with tf.Graph().as_default() as graph:
            tf.graph_util.import_graph_def(graph_def, name="")
        config = tf.compat.v1.ConfigProto(inter_op_parallelism_threads=1)
        self.session, self.network = tf.compat.v1.Session(graph=graph, config=config), network

    def __call__(self, feeds):
        return self.session.run([self.network.logits, self.network.output], {f"{n}:0": v for n, v in feeds.items()})

    def seconds(self, feeds):
        start = time.perf_counter()
        for _ in range(3):
            self(feeds)
        return (time.perf_counter() - start) / 3


def demonstrate(network):
    """One row of the table; writes the reports."""
    graph_def = network.graph_def()
    fetches = [network.logits.split(":")[0], network.output.split(":")[0]]
    start = time.perf_counter()
    conversion = trt.convert(graph_def, fetches, profitable_only=False)
    built = time.perf_counter() - start
    report = conversion.report
    OUT.mkdir(parents=True, exist_ok=True)
    report.save(OUT / f"{network.name}.txt")
    report.save(OUT / f"{network.name}.json")

    native, mixed = Runner(graph_def, network), Runner(conversion.graph_def, network)
    trt.reset_counters()
    feeds = network.feeds(EXAMPLES, seed=3)
    expected, got = native(feeds)[0], mixed(feeds)[0]
    error = np.abs(got - expected).max() / expected.std()
    one = network.feeds(1, seed=4)
    native.seconds(one), mixed.seconds(one)
    pairs = np.array([(native.seconds(one), mixed.seconds(one)) for _ in range(PAIRS)])
    fallbacks = sum(count["native"] for count in trt.counters().values())
    inside = sum(node["engine"] >= 0 for node in report.nodes)
    row = (network.name, f"{np.median(pairs[:, 0]) * 1e3:.2f}", f"{np.median(pairs[:, 1]) * 1e3:.2f}",
           f"{np.median(pairs[:, 0] / pairs[:, 1]):.2f}", f"{error:.1e}", f"{inside} of {len(report.nodes)}",
           f"{built:.2f} s")
    return row, fallbacks, bool(error < 1e-3)


def main():
    names = sys.argv[1:] or ["resnet50"]
    rows, right = [], True
    for name in names:
        print(f"{name}: making the frozen network (about half a minute the first time)", flush=True)
        row, fallbacks, close = demonstrate(_digits() if name == "digits_cnn" else networks.get(name))
        rows.append(row)
        right &= close
        if fallbacks:
            print(f"{name}: {fallbacks} runs fell back to TensorFlow; see the log")
    head = ("network", "TensorFlow ms", "Graft ms", "ratio", "error / std", "nodes in engines", "build time")
    widths = [max(len(r[i]) for r in [head, *rows]) for i in range(len(head))]
    print(f"\nbatch 1, TensorFlow {tf.__version__} with its default settings on both sides, median of {PAIRS} pairs")
    for row in [head, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    print("\nreports: " + ", ".join(f"build/demo/{n}.txt and build/demo/{n}.json" for n in names))
    if not right:
        print("the answers differ from TensorFlow's", file=sys.stderr)
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
