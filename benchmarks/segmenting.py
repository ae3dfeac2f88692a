#!/usr/bin/env python3
"""Time to parse, import and segment generated graphs of 10^3 to 10^5 nodes, and of `graft analyze` as a whole.

    ./dev python benchmarks/segmenting.py [--sizes 1000 10000 100000]

Writes benchmarks/results/segmenting.json and docs/segmenting.md. Each figure is the least of five processes.
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import dev_common  # noqa: E402
import machine  # noqa: E402
import result_files  # noqa: E402
from tensorflow.core.framework import graph_pb2, types_pb2  # noqa: E402

RESULT, PAGE = ROOT / "benchmarks" / "results" / "segmenting.json", ROOT / "docs" / "segmenting.md"
SHAPES = ("chain", "residual", "wide", "random")
UNSUPPORTED = (0.0, 0.01, 0.1, 0.5)  # share of nodes of an op that no engine takes
RUNS = 5
NO_ENGINE = "1000000000"  # as --min-segment-size: the work ends with the segments


def make(shape, nodes, unsupported, seed=1):
    """A GraphDef of `nodes` unary and binary nodes over one placeholder [?, 8]."""
    rng = random.Random(seed)
    graph = graph_pb2.GraphDef()
    x = graph.node.add(name="x", op="Placeholder")
    x.attr["dtype"].type = types_pb2.DT_FLOAT
    x.attr["shape"].shape.dim.add(size=-1)
    x.attr["shape"].shape.dim.add(size=8)
    names = ["x"]
    for i in range(nodes - 1):
        last = names[-1]
        other = {"chain": None, "residual": names[max(0, len(names) - 9)] if i % 9 == 8 else None,
                 "wide": names[rng.randrange(max(1, len(names) // 2))] if i % 3 else None,
                 "random": names[rng.randrange(len(names))]}[shape]
        if shape in ("wide", "random"):
            last = names[rng.randrange(len(names))]
        node = graph.node.add(name=f"n{i}", op="AddV2" if other else "Relu")
        node.input.append(last)
        if other:
            node.input.append(other)
        if rng.random() < unsupported:
            node.op = "UserOp"
            shapes = node.attr["_output_shapes"].list.shape.add()
            shapes.dim.add(size=-1)
            shapes.dim.add(size=8)
        node.attr["T"].type = types_pb2.DT_FLOAT
        names.append(node.name)
    return graph.SerializeToString()


def seconds(path):
    graft = dev_common.package_dir() / "graftrt" / "bin" / "graft"

    def best(*options):
        runs = (subprocess.run([graft, "analyze", "--json", *options, path], check=True, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL) for _ in range(RUNS))
        return min(json.loads(run.stdout)["totals"]["total_s"] for run in runs)

    return {"segmenting": best("--min-segment-size", NO_ENGINE), "analyze": best()}


def page(result):
    """docs/segmenting.md as text."""
    sizes = sorted(int(key) for key in result["segmenting"][0] if key.isdigit())
    head = "".join(f" {size:,} nodes, s |" for size in sizes)
    lines = [f"| {r['shape']} | {r['unsupported']:.0%} |" + "".join(f" {r[str(s)]['segmenting']:.3f} / {r[str(s)]['analyze']:.3f} |" for s in sizes)
             for r in result["segmenting"]]
    return ("# Segmenting large graphs\n\nWritten by `benchmarks/segmenting.py`: seconds to parse, import and segment / of all of `graft analyze`, which "
            "also canonicalizes each segment and plans its engine. "
            f"On {result['machine']['cpu']}, {result['date']}. That edge visits stay linear is a test (`SegmentComplexity`), not a benchmark.\n\n"
            f"| graph | unsupported |{head}\n|---|---|{'---|' * len(sizes)}\n" + "\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", type=int, default=[1000, 10_000, 100_000])
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for shape in SHAPES:
            for share in UNSUPPORTED:
                row = {"shape": shape, "unsupported": share}
                for size in options.sizes:
                    path = pathlib.Path(folder) / "graph.pb"
                    path.write_bytes(make(shape, size, share))
                    row[str(size)] = seconds(path)
                rows.append(row)
                print(row, flush=True)
    result = {"date": time.strftime("%Y-%m-%d"), "machine": machine.describe(), "segmenting": rows}
    result_files.write_json(RESULT, result)
    result_files.write_text(PAGE, page(result))


if __name__ == "__main__":
    main()
