#!/usr/bin/env python3
"""INT8 against FP32 of the same network in Graft; paired runs in one process.

    benchmarks/int8_speed.py [--networks resnet50 ...] [--batch 1] [--threads 2] [--pairs 30] [--out FILE]

Columns: time of INT8 / time of FP32 (below 1, INT8 is faster; median over pairs with a 95 % bootstrap interval), share of
multiply-adds in INT8, SQNR of the logits. With --out benchmarks/results/int8_speed-NAME.json docs/benchmarks.md is written
again, both after each row. What calibration costs: calibration.py.
"""

import argparse
import pathlib
import subprocess
import sys
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import graftrt  # noqa: E402
import machine  # noqa: E402
import networks  # noqa: E402
import report  # noqa: E402
import result_files  # noqa: E402
import stats  # noqa: E402

FLOAT = 1  # DT_FLOAT


def feeds_of(network, batch, count):
    graph = network.graph_def()
    if any(node.op == "Placeholder" and node.attr["dtype"].type != FLOAT for node in graph.node):
        return [network.feeds(batch=batch, seed=seed) for seed in range(count)]  # token numbers
    rng = np.random.default_rng(0)
    inputs = [(node.name, [d.size for d in node.attr["shape"].shape.dim][1:]) for node in graph.node if node.op == "Placeholder"]
    return [{name: rng.standard_normal([batch, *shape]).astype(np.float32) for name, shape in inputs} for _ in range(count)]


def paired(first, second, pairs):
    """Times of two calls in turn, the order alternating; the first three pairs are warm-up."""
    times = []
    for number in range(pairs + 3):
        row = [0.0, 0.0]
        for side in ((0, 1), (1, 0))[number % 2]:
            start = time.perf_counter()
            (first, second)[side]()
            row[side] = time.perf_counter() - start
        times.append(row)
    return np.array(times[3:])


def ratio(times):
    """Median of second / first over the pairs, and its interval."""
    return list(stats.ratio_interval(times[:, 1], times[:, 0]))


def measure(name, batch, threads, pairs):
    network = networks.get(name)
    graph = network.graph_def().SerializeToString()
    feeds = feeds_of(network, batch, 8)
    fp32 = graftrt.convert(graph, [network.logits], threads=threads)
    int8 = graftrt.convert(graph, [network.logits], precision="int8", calibration=feeds, calibrator="minmax", threads=threads)
    sessions = [conversion.session() for conversion in (fp32, int8)]
    want, got = (session.run(network.logits, feeds[0]).astype(np.float64) for session in sessions)
    times = paired(*(lambda s=s: s.run(network.logits, feeds[0]) for s in sessions), pairs)
    return {"network": name, "batch": batch, "threads": threads, "fp32_ms": float(np.median(times[:, 0])) * 1e3,
            "int8_ms": float(np.median(times[:, 1])) * 1e3, "int8_per_fp32": ratio(times),
            "int8_macs": int8.report.data["engines"][0]["int8_macs_share"],
            "sqnr_db": float(10 * np.log10(np.sum(want**2) / np.sum((want - got) ** 2)))}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=["resnet50", "mobilenetv2", "inceptionv3"])
    parser.add_argument("--batch", type=int, nargs="+", default=[1])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    head = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short=12", "HEAD"], stdout=subprocess.PIPE, text=True, check=True)
    rows = []
    result = {"machine": machine.describe(), "commit": head.stdout.strip(), "day": time.strftime("%Y-%m-%d"), "rows": rows}
    for name in options.networks:
        for batch in options.batch:
            row = measure(name, batch, options.threads, options.pairs)
            rows.append(row)
            r = row["int8_per_fp32"]
            print(f"{name} batch {batch}: FP32 {row['fp32_ms']:.2f} ms, INT8 {row['int8_ms']:.2f} ms, {r[0]:.2f} [{r[1]:.2f}, {r[2]:.2f}]; "
                  f"{row['int8_macs']:.1%} in INT8, {row['sqnr_db']:.1f} dB", flush=True)
            if options.out:
                result_files.write_json(options.out, result)
                report.write(ROOT / "benchmarks" / "results", ROOT / "docs" / "benchmarks.md")


if __name__ == "__main__":
    main()
