#!/usr/bin/env python3
"""INT8 against FP32 of the same network in Graft, bare, by the protocol of paired.py (a process a side, slices in turn).

    benchmarks/int8_speed.py [--networks resnet50 ...] [--batch 1] [--threads 2] [--pairs 60] [--budget 30] [--out FILE]

Columns: time of INT8 / time of FP32 (below 1, INT8 is faster; median over pairs with a 95 % bootstrap interval), ratio of the
fastest runs. With --out benchmarks/results/int8_speed-NAME.json docs/benchmarks.md is written again, both after each row. What
calibration costs: calibration.py.
"""

import argparse
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import machine  # noqa: E402
import paired  # noqa: E402
import report  # noqa: E402
import result_files  # noqa: E402


def measure(name, batch, threads, pairs, budget_s):
    row = paired.measure("graft-int8", "graft", name, batch, threads=threads, pairs=pairs, budget_s=budget_s)
    int8, fp32 = row["peer"], row["base"]
    return {"network": name, "batch": batch, "threads": threads, "fp32_ms": fp32["p50_ms"], "int8_ms": int8["p50_ms"],
            "int8_per_fp32": [row["ratio"], row["low"], row["high"]], "of_fastest": int8["min_ms"] / fp32["min_ms"],
            "pairs": row["pairs"], "dropped": row["dropped"], "settings": int8["settings"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=["mobilenetv2", "resnet50", "inceptionv3"])
    parser.add_argument("--batch", type=int, nargs="+", default=[1])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--budget", type=float, default=30, help="seconds per row after which half the pairs suffice")
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    head = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short=12", "HEAD"], stdout=subprocess.PIPE, text=True, check=True)
    rows = []
    result = {"machine": machine.describe(), "commit": head.stdout.strip(), "day": time.strftime("%Y-%m-%d"), "rows": rows}
    for name in options.networks:
        for batch in options.batch:
            row = measure(name, batch, options.threads, options.pairs, options.budget)
            rows.append(row)
            r = row["int8_per_fp32"]
            print(f"{name} batch {batch}: FP32 {row['fp32_ms']:.2f} ms, INT8 {row['int8_ms']:.2f} ms, {r[0]:.3f} [{r[1]:.3f}, {r[2]:.3f}], of the "
                  f"fastest runs {row['of_fastest']:.3f}; dropped {row['dropped']}/{row['dropped'] + row['pairs']}; {row['settings']}", flush=True)
            if options.out:
                result_files.write_json(options.out, result)
                report.write(ROOT / "benchmarks" / "results", ROOT / "docs" / "benchmarks.md")


if __name__ == "__main__":
    main()
