"""docs/layers.md and its plots from results/layers-*.json."""

import json
import pathlib
import subprocess

import result_files

HERE = pathlib.Path(__file__).resolve().parent
HEAD = """# Layers against the machine

Written by `benchmarks/layers.py`; do not edit. Batch 1; a layer's time is the least over rounds of a process's median. A peak is
what the kernels' own register tiles reach on cached data, and plain reading of the caches, measured in turn with the network.

*Share* is the time that the roof allows over that of the layer: its arithmetic at the peak, or its bytes (inputs, constants, output)
at the bandwidth of the second-level cache, whichever takes longer. Winograd layers count the
multiply-adds of the direct form, so that they may pass 100 %. Steps that run as one are one row, by the name of the last.
"""
PRODUCTS = ("conv", "matmul", "attention")
WORST = 10


def roof_us(layer, peaks, precision):
    """Microseconds that the layer takes at least: by arithmetic, by traffic."""
    rate = peaks["int8_gops"] if precision == "int8" and "int8" in layer["kernel"] else peaks["fp32_gflops"]
    return layer["flops"] / rate / 1e3, layer["bytes"] / peaks["l2_gbytes"] / 1e3


def shares(network):
    """[(share of the roof, bound, layer)] of the layers that take part of the time worth a look."""
    rows = []
    for layer in network["layers"]:
        arithmetic, traffic = roof_us(layer, network["peaks"], network["precision"])
        bound = "arithmetic" if arithmetic >= traffic else "traffic"
        rows.append((max(arithmetic, traffic) / layer["us"], bound, layer))
    return rows


def _of_time(rows, wanted):
    total = sum(layer["us"] for _, _, layer in rows)
    return sum(layer["us"] for share, _, layer in rows if wanted(share)) / total if total else 0


def _section(network):
    rows = shares(network)
    total = sum(layer["us"] for layer in network["layers"])
    products = [row for row in rows if row[2]["op"] in PRODUCTS and row[1] == "arithmetic"]
    bar = 0.85 if network["precision"] == "int8" else 0.9
    flops = sum(layer["flops"] for _, _, layer in products)
    time_us = sum(layer["us"] for _, _, layer in products)
    p = network["peaks"]
    text = (f"\n## {network['network']}, {network['precision']}, {network['threads']} threads\n\n"
            f"{total / 1e3:.2f} ms in {len(rows)} layers; peaks: {p['fp32_gflops']:.0f} GFLOP/s in float32, {p['int8_gops']:.0f} GOP/s in INT8 "
            f"({p['int8_signed_gops']:.0f} with a sign), {p['l2_gbytes']:.0f} GB/s from the second-level cache, {p['memory_gbytes']:.0f} from memory; "
            f"commit {network['commit']}, {network['day']}.\n\n"
            f"Layers of products that arithmetic bounds: {time_us / total:.0%} of the time, {flops / time_us / 1e3 if time_us else 0:.0f} GFLOP/s; "
            f"those at {bar:.0%} of the peak or more take {_of_time(products, lambda s: s >= bar):.0%} of that.\n\n"
            f"![roofline](plots/{network['network']}_{network['precision']}.svg)\n\n"
            f"The {WORST} layers that lose most time to their roof:\n\n| layer | kernel | us | GFLOP/s | bytes a flop | bound | share |\n|---|---|---|---|---|---|---|\n")
    for share, bound, layer in sorted(rows, key=lambda row: (1 - row[0]) * row[2]["us"], reverse=True)[:WORST]:
        intensity = layer["bytes"] / layer["flops"] if layer["flops"] else float("inf")
        text += (f"| {layer['name']} | {layer['kernel']} | {layer['us']:.0f} | {layer['flops'] / layer['us'] / 1e3:.0f} | {intensity:.3g} | {bound} | "
                 f"{share:.0%} |\n")
    return text


def page(results):
    """docs/layers.md as text."""
    text = HEAD
    for result in results:
        info = result["machine"]
        text += f"\n# {info['cpu']}, {info['cores']} cores: {' '.join(info['isa'])}\n"
        text += "".join(_section(network) for network in result["networks"])
    return text


def read(folder):
    return [json.loads(path.read_text()) for path in sorted(pathlib.Path(folder).glob("layers-*.json"))]


def write(folder, docs):
    """The page, and the plots."""
    result_files.write_text(docs / "layers.md", page(read(folder)))
    draw(folder, docs)


def draw(folder, docs):
    """The plots, also of docs/benchmarks.md, where the benchmarks' own environment is there to draw them."""
    python = HERE.parent / ".venv" / "peers" / "bin" / "python"
    if not python.exists():
        print(f"no plots: {python} is missing (`./dev bench` makes it)")
        return
    subprocess.run([python, HERE / "plots.py", folder, docs / "plots"], check=True)
