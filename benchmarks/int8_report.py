"""The section of docs/benchmarks.md about INT8 against FP32 of Graft itself, from results/int8_speed-*.json."""

HEAD = """
## INT8 against FP32

Written by `benchmarks/int8_speed.py`: time of a run in INT8 / in FP32 of the same network in Graft, bare engine, a process a side, slices in turn;
medians, the ratio with its 95 % interval, and the ratio of the fastest runs. The bars, at batch 1 and 2 threads, are 0.65 with AVX2 and 0.5 with VNNI.
"""


def section(results):
    return HEAD + "".join(_table(result) for result in results)


def _table(result):
    info = result["machine"]
    text = f"\n### {info['cpu']}, {info['cores']} cores\n\n{' '.join(info['isa'])}; commit {result['commit']}, {result['day']}{'; ' + result['how'] if 'how' in result else ''}.\n\n"
    text += "| network | batch | threads | FP32 ms | INT8 ms | INT8 / FP32 | interval | fastest |\n|---|---|---|---|---|---|---|---|\n"
    for row in result["rows"]:
        ratio, low, high = row["int8_per_fp32"]
        text += (f"| {row['network']} | {row['batch']} | {row['threads']} | {row['fp32_ms']:.2f} | {row['int8_ms']:.2f} | {ratio:.2f} | "
                 f"{low:.2f} to {high:.2f} | {row.get('of_fastest', float('nan')):.2f} |\n")
    return text
