#!/usr/bin/env python3
"""Each layer of the networks against what the machine can do: docs/layers.md and the plots beside it.

    benchmarks/layers.py [--networks resnet50 ...] [--threads 2] [--rounds 5] [--report]

Peaks are measured by `machine_peaks` (benchmarks/kernels) in turn with the networks, the highest counts; a layer's time is
the least over the rounds of the medians that `graft bench --json` gives. Writes benchmarks/results/layers-MACHINE.json after
each network; --report makes the page and the plots again without measuring.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), str(ROOT / "tools")]

import layers_report  # noqa: E402
import machine  # noqa: E402
import networks  # noqa: E402
import numpy as np  # noqa: E402
import result_files  # noqa: E402

NETWORKS = "resnet50 mobilenetv2 inceptionv3 efficientnetb0 bert_base".split()
INT8 = "resnet50 mobilenetv2 inceptionv3".split()
RESULTS, BUILD = HERE / "results", ROOT / "build" / "release"


def _peaks(threads):
    done = subprocess.run([BUILD / "benchmarks" / "kernels" / "machine_peaks", str(threads)], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def _highest(peaks, more):
    return {key: max(value, more[key]) for key, value in peaks.items()}


def _converted(network, precision, folder):
    import graftrt

    calibration = {"calibration": [network.feeds(1, seed=seed) for seed in range(100, 108)]} if precision == "int8" else {}
    conversion = graftrt.convert(str(network.path), [network.logits], precision=precision, profitable_only=False, progress=False,
                                 **calibration)
    path = folder / f"{network.name}_{precision}.pb"
    path.write_bytes(conversion.serialized)
    return path


def _steps(graph, network, feeds, threads):
    call = [BUILD / "python" / "graftrt" / "bin" / "graft", "bench", graph, "--fetch", network.logits, "--threads", str(threads)]
    for name, path in feeds.items():
        call += ["--feed", f"{name}={path}"]
    done = subprocess.run([*call, "--runs", "12", "--json", "-"], check=True, stdout=subprocess.PIPE)
    (engine,) = json.loads(done.stdout)["engines"]
    return engine["steps"]


def measure(name, precision, threads, rounds):
    """({peak: highest}, the layers: name, op, kernel, us, flops, bytes)."""
    network = networks.get(name)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        graph, feeds = _converted(network, precision, folder), {}
        for key, array in network.feeds().items():
            feeds[key] = folder / f"{key}.npy"
            np.save(feeds[key], array)
        peaks, layers = _peaks(threads), None
        for _ in range(rounds):
            steps = _steps(graph, network, feeds, threads)
            layers = layers or steps
            for layer, step in zip(layers, steps):
                layer["us"] = min(layer["us"], step["us"])
            peaks = _highest(peaks, _peaks(threads))
    kept = [{key: layer[key] for key in ("name", "op", "kernel", "us", "flops", "bytes")} for layer in layers if layer["us"] > 0]
    return peaks, kept


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    if options.report:
        return layers_report.write(RESULTS, ROOT / "docs")
    info = machine.describe()
    path = RESULTS / f"layers-{info['id']}.json"
    head = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short=12", "HEAD"], stdout=subprocess.PIPE, text=True, check=True)
    kept = json.loads(path.read_text())["networks"] if path.exists() else []
    for name in options.networks:
        for precision in ["fp32"] + ["int8"] * (name in INT8):
            peaks, layers = measure(name, precision, options.threads, options.rounds)
            kept = [k for k in kept if (k["network"], k["precision"]) != (name, precision)]
            kept.append({"network": name, "precision": precision, "threads": options.threads, "peaks": peaks, "layers": layers,
                         "commit": head.stdout.strip(), "day": time.strftime("%Y-%m-%d")})
            kept.sort(key=lambda k: (k["precision"], NETWORKS.index(k["network"]) if k["network"] in NETWORKS else 99))
            result_files.write_json(path, {"machine": info, "networks": kept})
            print(f"{name} {precision}: {sum(layer['us'] for layer in layers) / 1e3:.2f} ms in {len(layers)} layers", flush=True)
            layers_report.write(RESULTS, ROOT / "docs")


if __name__ == "__main__":
    main()
