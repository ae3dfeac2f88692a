"""Keeps measured rows: benchmarks/results/accuracy.json and docs/accuracy.md, written from it.

New rows take the place of those of the same network and case; the others stay.
"""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import evaluate  # noqa: E402
import result_files  # noqa: E402

RESULTS, PAGE = ROOT / "benchmarks" / "results" / "accuracy.json", ROOT / "docs" / "accuracy.md"

_HEAD = """# Accuracy of INT8

Written by `benchmarks/accuracy/measure.py --record`; the integers are the same on every machine. Four networks trained on
digits made hard (`benchmarks/accuracy/hard_digits.py`: rotation, shift, scale, contrast, clutter, occlusion), calibrated on 500 images, evaluated on
{images:,} images made from held-out originals. Drop of top-1 in points with its paired 95 % interval; agreement of the classes; SQNR of the logits.
The bars: drop at most {drops} points, agreement at least {agreement:.1%}, SQNR at least {sqnr:.0f} dB, and at least
{macs:.0%} of the multiply-adds in INT8.

| network | ranges | FP32 | INT8 | drop | agreement | SQNR | INT8 multiply-adds | misses |
|---|---|---|---|---|---|---|---|---|
"""
_TAIL = """
The last rows of each network are negative controls: what is wrong there must show, and does.
"""


def merged(old, new):
    """Rows in the order of `old`, new ones behind."""
    def key(row):
        return row["network"], row["case"]
    fresh = {key(row): row for row in new}
    rows = [fresh.pop(key(row), row) for row in old]
    return rows + list(fresh.values())


def page(rows):
    """docs/accuracy.md as text."""
    bars = {}
    for network, points in evaluate.DROP_BAR_POINTS.items():
        bars.setdefault(points, []).append(network)
    drops = " or ".join(f"{points} ({', '.join(networks)})" for points, networks in bars.items())
    lines = [_HEAD.format(images=rows[0]["images"], drops=drops, agreement=evaluate.AGREEMENT_BAR, sqnr=evaluate.SQNR_BAR_DB,
                          macs=evaluate.INT8_MACS_BAR)]
    for row in rows:
        drop = f"{row['drop_points']:.2f} [{row['drop_low']:.2f}, {row['drop_high']:.2f}]"
        lines.append(f"| {row['network']} | {row['case']} | {row['fp32_top1']:.2%} | {row['int8_top1']:.2%} | {drop} | {row['agreement']:.2%} | "
                     f"{row['sqnr_db']:.1f} dB | {row['int8_macs']:.1%} | {', '.join(row['misses']) or '-'} |\n")
    return "".join(lines) + _TAIL


def record(rows):
    """Puts measured rows among the others and writes the page again."""
    rows = merged(json.loads(RESULTS.read_text()) if RESULTS.exists() else [], rows)
    result_files.write_json(RESULTS, rows)
    result_files.write_text(PAGE, page(rows))
