"""The section of docs/benchmarks.md about what calibration costs, from results/calibration.json."""

HEAD = """
## Calibration

Written by `benchmarks/calibration.py` on {cpu}, {cores} cores ({isa}); medians of runs in turn, ratios with their 95 %
interval. Read the ratios: other work may have run on the machine.
"""


def section(result):
    info = result["machine"]
    text = HEAD.format(cpu=info["cpu"], cores=info["cores"], isa=" ".join(info["isa"]))
    for part, write in (("observing", _observing), ("documented", _documented), ("memory", _memory)):
        if part in result:
            text += "\n" + write(result[part]["rows"])
            text += f"\nCommit {result[part]['commit']}, {result[part]['day']}.\n"
    return text


def _observing(rows):
    text = ("### Engines that observe themselves\n\n"
            "Images/s while observing / images/s of FP32 inference, both by the same front; the bar is 0.7.\n\n"
            "| network | front | batch | FP32 ms | observing ms | rate | interval |\n|---|---|---|---|---|---|---|\n")
    for row in rows:
        text += (f"| {row['network']} | {row['front']} | {row['batch']} | {row['fp32_ms']:.2f} | {row['observing_ms']:.2f} | {row['rate']:.2f} | "
                 f"{row['low']:.2f} to {row['high']:.2f} |\n")
    return text


def _documented(rows):
    text = ("### Calibration nodes in TensorFlow\n\n"
            "Time of a batch of the calibration graph / (native graph + FP32 engine graph), in TensorFlow; the bar is 1.3.\n\n"
            "| network | batch | native ms | engine ms | calibrating ms | ratio | interval |\n|---|---|---|---|---|---|---|\n")
    for row in rows:
        text += (f"| {row['network']} | {row['batch']} | {row['native_ms']:.2f} | {row['engine_ms']:.2f} | {row['calibrating_ms']:.2f} | "
                 f"{row['ratio']:.2f} | {row['low']:.2f} to {row['high']:.2f} |\n")
    return text


def _memory(rows):
    batches = rows[0]["batches"]
    text = ("### Memory\n\nResident set of a fresh process, MiB, after so many calibration batches.\n\n"
            f"| network | front | batch | {' | '.join(map(str, batches))} |\n|---|---|---|{'---|' * len(batches)}\n")
    for row in rows:
        text += f"| {row['network']} | {row['front']} | {row['batch']} | {' | '.join(f'{m:.1f}' for m in row['resident_mib'])} |\n"
    return text
