#!/usr/bin/env python3
"""What the size of a run costs: a new image size once, and a batch that the graph was not converted for.

    benchmarks/any_size.py new                  first run of a new image size - steady run of it, ResNet50
    benchmarks/any_size.py NETWORK BATCH [...]  converted for 1, 8, 128 / converted for the batch, at each batch
                                                (resnet50 and bert_base at 1 3 8 130 for the page)

Each call adds its rows to benchmarks/results/any_size.json and writes docs/any-size.md again. Nothing else should run on the
machine. GRAFT_BUILD_DIR names the build (default build/release).
"""

import datetime
import json
import os
import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("GRAFT_BUILD_DIR", ROOT / "build" / "release")).resolve()
sys.path[:0] = [str(ROOT / "tools"), str(BUILD / "python")]

import numpy as np  # noqa: E402

import machine  # noqa: E402
import networks  # noqa: E402
import result_files  # noqa: E402
import stats  # noqa: E402

RESULT, PAGE = ROOT / "benchmarks" / "results" / "any_size.json", ROOT / "docs" / "any-size.md"
CONVERTED_FOR = (1, 8, 128)
SECONDS, MAX_ROUNDS, MIN_ROUNDS = 15.0, 30, 2  # of one network at one batch


def seconds(session, fetch, feeds):
    start = time.perf_counter()
    session.run(fetch, feeds)
    return time.perf_counter() - start


def new_sizes():
    """Image sizes up to the largest that ran, so that the memory is there: what remains is the cost of a schedule."""
    import graftrt

    network = networks.get("resnet50")
    graph = network.graph_def()
    (image,) = (node for node in graph.node if node.op == "Placeholder")
    for dim in image.attr["shape"].shape.dim[:3]:
        dim.size = -1
    session = graftrt.convert(graph, [network.logits]).session(threads=2)

    def run(height, width):
        data = np.random.default_rng(height).standard_normal((1, height, width, 3)).astype(np.float32)
        return seconds(session, network.logits, {image.name: data})

    for _ in range(5):
        run(224, 224)
    costs = []
    for step in range(24):
        first = run(32 + step, 40)
        costs.append((first - statistics.median(run(32 + step, 40) for _ in range(7))) * 1e3)
    return {"sizes": len(costs), "median_ms": statistics.median(costs), "p90_ms": sorted(costs)[int(0.9 * len(costs))]}


def batches(name, batch):
    """Rows of one network at one batch. All in turn in one process; every session has the same number of threads."""
    import graftrt

    network = networks.get(name)
    feeds = network.feeds(batch)

    def converted(maximum):
        conversion = graftrt.convert(network.path, [network.logits], max_batch_size=maximum)
        (engine,) = conversion.report.engines
        return engine["identity"], conversion.session(threads=2)

    sides = {maximum: converted(maximum) for maximum in {batch, *CONVERTED_FOR}}
    identity, _ = sides[batch]
    steady = max(seconds(session, network.logits, feeds) for _, session in sides.values())  # and warm
    rounds = max(MIN_ROUNDS, min(MAX_ROUNDS, int(SECONDS / len(sides) / steady)))
    times = {maximum: [] for maximum in sides}
    for number in range(rounds):
        order = list(sides)
        for maximum in order[number % len(order):] + order[:number % len(order)]:
            times[maximum].append(seconds(sides[maximum][1], network.logits, feeds))
    rows = []
    for maximum in CONVERTED_FOR:
        if maximum == batch:
            continue
        ratio, low, high = stats.ratio_interval(times[maximum], times[batch])
        rows.append({"network": name, "batch": batch, "converted_for": maximum, "same_identity": sides[maximum][0] == identity,
                     "rounds": rounds, "own_ms": statistics.median(times[batch]) * 1e3, "ratio": ratio, "low": low, "high": high})
        print(rows[-1], flush=True)
    return rows


def page(result):
    """docs/any-size.md as text."""
    lines = ["# Any size", "", "Written by `benchmarks/any_size.py`; do not edit.", "",
             f"{result['date'][:10]}, {result['machine']['cpu']}, {result['machine']['cores']} cores, 2 threads, FP32, without TensorFlow.", ""]
    if new := result.get("new"):
        lines += ["## A new size", "",
                  f"First run of an image size - steady run of it, ResNet50 with unknown batch, height and width, {new['sizes']} sizes: "
                  f"median {new['median_ms']:.2f} ms,", f"90 % of them at most {new['p90_ms']:.2f} ms. The bar is 1 ms.", ""]
    lines += ["## A batch that the graph was not converted for", "",
              "Time of a run of the graph converted with that `max_batch_size` / of the graph converted for the batch that is run; the bar is 1.05.",
              "The plans have one identity: they differ in the batch that they record, which sizes the memory that load prepares and nothing else,",
              "so what differs from 1 is noise.", "",
              "| network | batch | ms | converted for | ratio | 95 % interval | rounds | same plan |", "|---|---|---|---|---|---|---|---|"]
    for row in sorted(result.get("batches", []), key=lambda r: (r["network"], r["batch"], r["converted_for"])):
        lines.append(f"| {row['network']} | {row['batch']} | {row['own_ms']:.1f} | {row['converted_for']} | {row['ratio']:.3f} "
                     f"| {row['low']:.3f} to {row['high']:.3f} | {row['rounds']} | {'yes' if row['same_identity'] else 'no'} |")
    return "\n".join(lines) + "\n"


def main(arguments):
    if not arguments or (arguments != ["new"] and len(arguments) < 2):
        raise SystemExit(__doc__)
    info = machine.describe()
    result = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    if result.get("machine", {}).get("id") != info["id"]:
        result = {}
    result.update(date=datetime.datetime.now().isoformat(timespec="seconds"), machine=info)
    if arguments == ["new"]:
        result["new"] = new_sizes()
        print(result["new"])
    else:
        for batch in map(int, arguments[1:]):
            kept = [r for r in result.get("batches", []) if (r["network"], r["batch"]) != (arguments[0], batch)]
            result["batches"] = kept + batches(arguments[0], batch)
    result_files.write_json(RESULT, result)
    result_files.write_text(PAGE, page(result))


if __name__ == "__main__":
    main(sys.argv[1:])
