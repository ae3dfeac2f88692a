"""docs/op-speed.md from the result files of ops.py."""

import json
import pathlib
import statistics

import result_files

# Of the ops that TF-TRT converts, those that answer without touching elements: there is nothing to time.
WITHOUT_WORK = ("Const", "DataFormatVecPermute", "ExpandDims", "Identity", "IdentityN", "ReadVariableOp", "Reshape", "Shape",
                "Snapshot", "Squeeze", "StopGradient", "VariableV2", "_CopyFromHostToGpu")
GPU_ONLY = ("FusedConv2DBiasActivation",)  # TensorFlow has no kernel for CPUs
OLD_NAMES = ("zeros_like", "ones_like")  # of measured ops

HEAD = f"""# Ops against TensorFlow

Written by `./dev bench --ops`; do not edit. Each op that TF-TRT converts, alone in an engine that TensorFlow runs, against
TensorFlow's own kernel of it: float32 (bool for logic), of ops that only move elements also int32 and int64. Both run in one process,
four times in a row over variables, slices of the two in turn; nothing is fed or fetched. Ratio = median over pairs of t_TensorFlow /
t_Graft with its 95 % interval (bootstrap): above 1, Graft is faster. Times hold what TensorFlow's executor costs a node.

Elements: of the largest operand or result. Products, pools and suppression take what `benchmarks/op_problems.py` says. Not in the
table: {', '.join(WITHOUT_WORK)}, which have no elements to work on, and {', '.join(GPU_ONLY)}, which TensorFlow has for GPUs only;
{', '.join(OLD_NAMES)} are old names of ops in it.
"""


def key(row):
    return row["op"], row["dtype"], row["elements"]


def read(folder):
    """Results, newest day first."""
    results = [json.loads(path.read_text()) for path in sorted(pathlib.Path(folder).glob("ops-*.json"))]
    return sorted(results, key=lambda r: max(row["day"] for row in r["ops"]), reverse=True)


def _cell(row):
    if row is None:
        return "- | | "
    if "not_measured" in row:
        return f"not measured: {row['not_measured'].replace('|', '/')} | | "
    note = f" ({row['void']})" if "void" in row else ""
    return f"{row['peer_us']:.0f} / {row['graft_us']:.0f} | {row['ratio']:.2f} | {row['low']:.2f} to {row['high']:.2f}{note}"


def _table(result):
    info, rows = result["machine"], result["ops"]
    sizes = sorted({row["elements"] for row in rows})
    yield (f"\n## {info['cpu']}, {info['cores']} cores: {' '.join(info['isa'])}\n\nMachine {info['id']}, kernel {info['kernel']}, "
           f"{max(row['day'] for row in rows)}, commit {', '.join(sorted({row['commit'] for row in rows}))}, "
           f"{rows[0]['threads']} threads.\n\n")
    for size in sizes:
        measured = [row for row in rows if row["elements"] == size and "ratio" in row]
        even = [row for row in measured if row["high"] >= 0.98]
        yield (f"{size:,} elements: {len(even)} of {len(measured)} at least even or open, median ratio "
               f"{statistics.median(row['ratio'] for row in measured):.2f}. ")
        slower = ", ".join(f"{row['op']} {row['dtype']} {row['ratio']:.2f}" for row in measured if row["high"] < 0.98)
        yield f"Slower: {slower or 'none'}.\n\n"
    yield "| op | dtype |" + "".join(f" {size:,}: us, TensorFlow / Graft | ratio | interval |" for size in sizes) + "\n"
    yield "|---|---|" + "---|---|---|" * len(sizes) + "\n"
    at = {key(row): row for row in rows}
    for op, dtype in sorted({key(row)[:2] for row in rows}):
        yield f"| {op} | {dtype} | " + " | ".join(_cell(at.get((op, dtype, size))) for size in sizes) + " |\n"


def page(folder):
    """docs/op-speed.md as text."""
    return HEAD + "".join("".join(_table(r)) for r in read(folder))


def write(folder, target):
    result_files.write_text(target, page(folder))
