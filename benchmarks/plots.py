"""Plots of the result files as SVG, drawn by matplotlib of the benchmarks' own environment: plots.py RESULTS TARGET.

Rooflines of each network of layers-*.json, and the ratios of docs/benchmarks.md.
"""

import pathlib
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "graft", "font.size": 9, "axes.spines.top": False,
                            "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.3, "savefig.transparent": False})
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import layers_report  # noqa: E402
import matplotlib.pyplot as plt  # noqa: E402
import report  # noqa: E402

PEERS = {"tf": "TensorFlow", "tf-onednn": "TensorFlow, oneDNN", "xla": "XLA", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO",
         "onnxruntime-int8": "ONNX Runtime INT8", "openvino-int8": "OpenVINO INT8"}


def _save(figure, path):
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
    plt.close(figure)


def roofline(network, path):
    """GFLOP/s over flops a byte, a dot a layer by its share of the time, under the roofs of arithmetic and traffic."""
    peaks, layers = network["peaks"], [layer for layer in network["layers"] if layer["flops"] > 0 and layer["bytes"] > 0]
    peak = peaks["int8_gops"] if network["precision"] == "int8" else peaks["fp32_gflops"]
    figure, axes = plt.subplots(figsize=(6.4, 3.6))
    x = [layer["flops"] / layer["bytes"] for layer in layers]
    low, high = min(x) / 1.5, max(max(x), peak / peaks["memory_gbytes"]) * 1.5
    for bandwidth, label in ((peaks["l2_gbytes"], "second-level cache"), (peaks["memory_gbytes"], "memory")):
        xs = [low, peak / bandwidth, high] if low < peak / bandwidth < high else [low, high]
        axes.plot(xs, [min(peak, bandwidth * v) for v in xs], lw=1.2, label=f"{label}, {bandwidth:.0f} GB/s")
    total = sum(layer["us"] for layer in network["layers"])
    for kind, marker in (("conv", "o"), ("matmul", "s"), ("attention", "^"), ("", "x")):
        chosen = [layer for layer in layers if (layer["op"] == kind if kind else layer["op"] not in ("conv", "matmul", "attention"))]
        if chosen:
            axes.scatter([layer["flops"] / layer["bytes"] for layer in chosen], [layer["flops"] / layer["us"] / 1e3 for layer in chosen],
                         s=[8 + 900 * layer["us"] / total for layer in chosen], marker=marker, alpha=0.6, lw=0.8, label=kind or "other")
    axes.set(xscale="log", yscale="log", xlabel="flops a byte", ylabel="GFLOP/s",
             title=f"{network['network']}, {network['precision']}, {network['threads']} threads (size: share of the time)")
    legend = axes.legend(fontsize=7, loc="lower right")
    for handle in legend.legend_handles:
        if hasattr(handle, "set_sizes"):
            handle.set_sizes([20])
    _save(figure, path)


def ratios(result, path):
    """Peer's time / Graft's with its interval, by network and batch."""
    rows = [row for row in result["rows"] if "ratio" in row]
    names = sorted({(row["network"], row["batch"]) for row in rows})
    figure, axes = plt.subplots(figsize=(7.2, 0.5 + 0.42 * len(names)))
    peers = [peer for peer in PEERS if any(row["peer"]["peer"] == peer for row in rows)]
    for i, peer in enumerate(peers):
        mine = [row for row in rows if row["peer"]["peer"] == peer]
        y = [names.index((row["network"], row["batch"])) + (i - (len(peers) - 1) / 2) * 0.14 for row in mine]
        x = [row["ratio"] for row in mine]
        axes.errorbar(x, y, xerr=[[row["ratio"] - row["low"] for row in mine], [row["high"] - row["ratio"] for row in mine]],
                      fmt="o", ms=3, lw=1, capsize=1.5, label=PEERS[peer])
    axes.axvline(1, color="black", lw=0.8)
    axes.set(xscale="log", xlabel="time of the peer / time of Graft (above 1, Graft is faster)", yticks=range(len(names)),
             yticklabels=[f"{network}, batch {batch}" for network, batch in names])
    ticks = [0.5, 0.8, 1, 1.2, 1.5, 2, 3, 5, 10, 20]
    axes.set_xticks(ticks, [str(t) for t in ticks])
    axes.minorticks_off()
    axes.invert_yaxis()
    axes.legend(fontsize=7, loc="lower right")
    _save(figure, path)


def main(results, target):
    target.mkdir(parents=True, exist_ok=True)
    for result in layers_report.read(results):
        for network in result["networks"]:
            roofline(network, target / f"{network['network']}_{network['precision']}.svg")
    for result in report.merged(results):
        if any("ratio" in row for row in result["rows"]):
            ratios(result, target / report.plot_name(result))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
