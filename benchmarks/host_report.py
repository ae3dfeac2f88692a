"""The section of docs/benchmarks.md about hosts with AMX, from results/host_peers-*.json."""

HEAD = """
## Beside the peers on a host with AMX

Milliseconds of a run at several thread counts, medians over slices that all sides took in turn; Graft is bare, a process a slice, the peers stay loaded.
Networks with random weights. The ratios are those of the best peer of the same precision to Graft, with their 95 % interval; above 1, Graft is faster.
"""
SIDES = {"onnxruntime": "ORT", "openvino": "OpenVINO", "graft": "Graft", "onnxruntime-int8": "ORT INT8",
         "openvino-int8": "OpenVINO INT8", "graft-int8": "Graft INT8", "openvino-bf16": "OpenVINO BF16", "graft-bf16": "Graft BF16"}
RATIOS = {"fp32_ratio": "FP32 ratio", "int8_ratio": "INT8 ratio", "bf16_ratio": "BF16 ratio"}


def section(results):
    return HEAD + "".join(_table(result) for result in results)


def _table(result):
    info = result["machine"]
    text = f"\n### {info['cpu']}, {info['cores']} cores\n\n{' '.join(info['isa'])}; commit {result['commit']}, {result['day']}; {result['peers']}.\n\n"
    text += f"| network | batch | threads | {' | '.join(SIDES.values())} | {' | '.join(RATIOS.values())} |\n|{'---|' * (len(SIDES) + len(RATIOS) + 3)}\n"
    for row in result["rows"]:
        cells = [f"{row['ms'][side]:.2f}" for side in SIDES]
        cells += [f"{row[kind][0]:.2f} ({row[kind][1]:.2f} to {row[kind][2]:.2f})" for kind in RATIOS]
        text += f"| {row['network']} | {row['batch']} | {row['threads']} | {' | '.join(cells)} |\n"
    return text
