#!/usr/bin/env python3
"""Each op that TF-TRT converts, in an engine inside TensorFlow against TensorFlow's own kernel: docs/op-speed.md.

    benchmarks/ops.py [--only Sin Add ...] [--sizes 100000 1000000] [--threads 2] [--seconds 1] [--report]

One process, one session a side, each with the graph of the op several times in a row over variables, so that neither feeding nor
fetching nor the start of a run is timed; slices of the two alternate. Writes benchmarks/results/ops-MACHINE.json after each op.
--report makes the page again without measuring.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
BUILD = pathlib.Path(os.environ.get("GRAFT_BUILD_DIR", ROOT / "build" / "release")).resolve()
sys.path[:0] = [str(HERE), str(ROOT / "tools"), str(BUILD / "python")]

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

import graftrt  # noqa: E402
import machine  # noqa: E402
import op_problems  # noqa: E402
import ops_report  # noqa: E402
import result_files  # noqa: E402
import stats  # noqa: E402

RESULTS, PAGE = HERE / "results", ROOT / "docs" / "op-speed.md"
SIZES = [100_000, 1_000_000]
COPIES = 4  # of the op in one run
SLICE_S, MIN_PAIRS = 0.01, 7
AGREE = 1e-4  # of the largest value; beyond it the two ran different things


class Refused(RuntimeError):
    """The op stayed native."""


def _graph(problem):
    """(GraphDef of the one op, names of its inputs, name of its node)"""
    with tf.Graph().as_default() as graph:
        inputs = [tf.compat.v1.placeholder(a.dtype, a.shape, name=f"in{i}") for i, a in enumerate(problem.arrays)]
        result = problem.build(*inputs)
        while isinstance(result, (list, tuple)):
            result = result[0]
        return graph.as_graph_def(), [x.op.name for x in inputs], result.op.name


def _converted(problem, graph, node):
    precision = "int8" if "Quant" in problem.op else "fp32"  # what is fake-quantized is converted at that one only
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        conversion = graftrt.convert(graph, [node], min_segment_size=1, profitable_only=False, progress=False, precision=precision)
    if len(conversion.report.engines) != 1:
        raise Refused("; ".join(n["reason"] for n in conversion.report.data["nodes"] if n.get("reason")) or "no engine")
    return conversion.graph_def


class Side:
    """A session whose run is COPIES runs of the graph's op, one after the other."""

    def __init__(self, graph, inputs, node, arrays, threads):
        config = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=1)
        config.graph_options.rewrite_options.disable_meta_optimizer = True  # it would merge the copies
        with tf.Graph().as_default() as whole:
            # Of TensorFlow's own, since what a constant feeds would be computed once.
            variables = [tf.compat.v1.get_variable(f"x{i}", initializer=a, use_resource=True) for i, a in enumerate(arrays)]
            start = tf.compat.v1.global_variables_initializer()
            ends = []
            for i in range(COPIES):
                with tf.control_dependencies(ends):
                    values = {name: v.read_value() for name, v in zip(inputs, variables)}
                    (end,) = tf.import_graph_def(graph, input_map=values, return_elements=[node], name=f"copy{i}")
                ends = [end]
            result = ends[0].outputs[0]
            self.session = tf.compat.v1.Session(graph=whole, config=config)
            self.session.run(start)
            self.result = lambda: self.session.run(result)
            self._run = self.session.make_callable(ends[0])

    def slice(self, runs):
        """Seconds an op."""
        start = time.perf_counter()
        for _ in range(runs):
            self._run()
        return (time.perf_counter() - start) / (runs * COPIES)


def measure(problem, threads, seconds):
    """(row of the result: peer and Graft in us, ratio and interval, error)"""
    graph, inputs, node = _graph(problem)
    sides = [Side(g, inputs, node, problem.arrays, threads) for g in (graph, _converted(problem, graph, node))]
    answers = [np.asarray(side.result(), np.float64) for side in sides]
    error = float(np.max(np.abs(answers[0] - answers[1]), initial=0) / max(np.max(np.abs(answers[0]), initial=0), 1e-30))
    least = [min(side.slice(1) for _ in range(3)) for side in sides]
    runs = [max(1, round(SLICE_S / COPIES / t)) for t in least]
    times, start = [], time.perf_counter()
    while len(times) < MIN_PAIRS or time.perf_counter() - start < seconds:
        first = len(times) % 2
        pair = {side: sides[side].slice(runs[side]) for side in (first, 1 - first)}
        times.append((pair[0], pair[1]))
    for side in sides:
        side.session.close()
    peer, graft = zip(*times)
    ratio, low, high = stats.ratio_interval(peer, graft)
    row = {"peer_us": float(np.median(peer)) * 1e6, "graft_us": float(np.median(graft)) * 1e6, "ratio": ratio, "low": low,
           "high": high, "pairs": len(times), "error": error, "verdict": stats.verdict(low, high)}
    if not error < AGREE:
        row["void"] = "the outputs differ"
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    if options.report:
        return ops_report.write(RESULTS, PAGE)
    graftrt.load_plugin()
    info = machine.describe()
    path = RESULTS / f"ops-{info['id']}.json"
    head = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short=12", "HEAD"], stdout=subprocess.PIPE, text=True, check=True)
    kept = {ops_report.key(row): row for row in (json.loads(path.read_text())["ops"] if path.exists() else [])}
    for size in options.sizes:
        for problem in op_problems.problems(size):
            if options.only and problem.op not in options.only:
                continue
            row = {"op": problem.op, "dtype": problem.dtype, "elements": size, "threads": options.threads,
                   "commit": head.stdout.strip(), "day": time.strftime("%Y-%m-%d")}
            try:
                row |= measure(problem, options.threads, options.seconds)
                print(f"{problem.op:26} {problem.dtype:8} {size:8} {row['peer_us']:9.1f} {row['graft_us']:9.1f} us "
                      f"{row['ratio']:6.2f} [{row['low']:.2f}, {row['high']:.2f}] {row.get('void', row['verdict'])}", flush=True)
            except Refused as reason:
                row["not_measured"] = str(reason)
                print(f"{problem.op:26} {problem.dtype:8} {size:8} not measured: {reason}", flush=True)
            kept[ops_report.key(row)] = row
            result_files.write_json(path, {"machine": info, "ops": sorted(kept.values(), key=ops_report.key)})
    ops_report.write(RESULTS, PAGE)


if __name__ == "__main__":
    sys.exit(main())
