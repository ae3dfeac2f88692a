"""docs/benchmarks.md and README.md's table from the result files, and the comparison of two result files."""

import collections
import json
import pathlib
import re

import calibration_report
import host_report
import int8_report
import result_files

HEAD = """# Benchmarks

Written by `./dev bench` from `benchmarks/results/`; do not edit. Each row is one run in which both sides were measured
in turn: one pinned process a side, the waiting side stopped, ratio = median over pairs of t_peer / t_graft with its 95 %
interval (bootstrap), pairs with stolen time dropped whole. Above 1, Graft is faster. Rows of different runs or machines
must not be compared with each other.
"""

LABELS = {"resnet50": "ResNet50", "mobilenetv2": "MobileNetV2", "inceptionv3": "InceptionV3", "efficientnetb0": "EfficientNetB0",
          "bert_base": "BERT-base, 128 tokens"}
COLUMN_OF = {"tf": "TensorFlow", "tf-onednn": "TensorFlow", "xla": "XLA", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}


def plot_name(result):
    """File of the plot of a merged result, in docs/plots."""
    return f"ratios_{result['base']}_{result['machine']['id'][:6]}.svg"


def _tables(result):
    info = result["machine"]
    yield (f"\n## {info['cpu']}, {info['cores']} cores, {' '.join(info['isa'])}\n\n"
           f"Machine {info['id']}, kernel {info['kernel']}, base `{result['base']}`.\n")
    if any("ratio" in row for row in result["rows"]):
        yield f"\n![ratios](plots/{plot_name(result)})\n"
    groups = collections.defaultdict(list)
    for row in result["rows"]:
        groups[row["batch"]].append(row)
    for batch, rows in sorted(groups.items()):
        yield f"\n### Batch {batch}\n\n"
        yield "| network | peer | peer ms | Graft ms | ratio | interval | error / std | CPU per wall | dropped | commit, day | verdict |\n"
        yield "|---|---|---|---|---|---|---|---|---|---|---|\n"
        for row in rows:
            yield _line(row)
    settings = sorted({s["settings"] for row in result["rows"] if "ratio" in row for s in (row["peer"], row["base"])})
    yield "\nSettings: " + "; ".join(settings) + ".\n"


def _line(row):
    if "not_measured" in row:
        return f"| {row['network']} | {row['peer']['peer']} | not measured: {row['not_measured'].replace('|', '/')} |||||||||\n"
    a, b = row["peer"], row["base"]
    return (f"| {row['network']} | {a['peer']} | {a['p50_ms']:.2f} | {b['p50_ms']:.2f} | {row['ratio']:.2f} | "
            f"{row['low']:.2f} to {row['high']:.2f} | {row['outputs']['max_error_over_std']:.1e} | "
            f"{a['cpu_per_wall']:.2f} / {b['cpu_per_wall']:.2f} | {row['dropped']} of {row['pairs'] + row['dropped']} | "
            f"{row['commit'][:12]}, {row['date'][:10]} | {row.get('void', row['verdict'])} |\n")


def merged(folder):
    """One result for each machine and base, newest first; of equal rows the last one measured counts."""
    merged = {}
    for path in sorted(pathlib.Path(folder).glob("*.json")):
        result = json.loads(path.read_text())
        if "base" not in result:  # of another benchmark
            continue
        key = result["machine"]["id"], result["base"]
        rows = {_key(row): row for row in merged[key]["rows"]} if key in merged else {}
        for row in result["rows"]:
            if "ratio" in row or "ratio" not in rows.get(_key(row), {}):
                rows[_key(row)] = {**row, "commit": result["commit"], "date": result["date"]}
        merged[key] = {**result, "rows": sorted(rows.values(), key=lambda row: row["network"])}
    return sorted(merged.values(), key=lambda r: r["date"], reverse=True)


def page(folder):
    """docs/benchmarks.md as text."""
    text = HEAD + "".join("".join(_tables(r)) for r in merged(folder))
    int8 = [json.loads(path.read_text()) for path in sorted(pathlib.Path(folder).glob("int8_speed-*.json"))]
    if int8:
        text += int8_report.section(int8)
    hosts = [json.loads(path.read_text()) for path in sorted(pathlib.Path(folder).glob("host_peers-*.json"))]
    if hosts:
        text += host_report.section(hosts)
    calibration = pathlib.Path(folder) / "calibration.json"
    if calibration.exists():
        text += calibration_report.section(json.loads(calibration.read_text()))
    return text


def readme(folder, text):
    """The text of README.md with its table written again, from the machine that has most rows with base `graft`."""
    rows = max((r["rows"] for r in merged(folder) if r["base"] == "graft"), key=len, default=[])
    best = collections.defaultdict(list)
    for row in rows:
        if "ratio" in row and "void" not in row:
            best[row["network"], row["batch"], COLUMN_OF.get(row["peer"]["peer"])].append(row)

    def cell(network, batch, column):
        measured = best[network, batch, column]
        if not measured:
            return "-"
        row = min(measured, key=lambda row: row["ratio"])  # the peer at its better setting
        mark = "\\*" if len(measured) < list(COLUMN_OF.values()).count(column) else ""
        return f"{row['ratio']:.2f} [{row['low']:.2f}, {row['high']:.2f}]{mark}"

    columns = list(dict.fromkeys(COLUMN_OF.values()))
    lines = [f"| network | batch | {' | '.join(columns)} |", "|---|---|" + "---|" * len(columns)]
    lines += [f"| {label} | {batch} | {' | '.join(cell(network, batch, column) for column in columns)} |"
              for batch in sorted({row["batch"] for row in rows}) for network, label in LABELS.items()]
    return re.sub(r"(?m)^\| network \| batch \|.*\n(?:\|.*\n)*", lambda _: "\n".join(lines) + "\n", text)


def write(folder, target, readme_path=None):
    """Writes docs/benchmarks.md to `target`, and the table into the README where one is given."""
    result_files.write_text(target, page(folder))
    if readme_path is not None:
        result_files.write_text(readme_path, readme(folder, readme_path.read_text()))


def _key(row):
    return row["network"], row["batch"], row["peer"]["peer"]


def compare(before, after):
    """Prints rows of `after` whose ratio left the interval of `before`; 1 if any got slower.

    Both files hold ratios against peers of the same run, so machine noise common to both sides is out; a row counts
    only if the two intervals do not touch and differ by more than 2 %.
    """
    old, new = (json.loads(pathlib.Path(p).read_text()) for p in (before, after))
    if old["machine"]["id"] != new["machine"]["id"]:
        print(f"different machines: {old['machine']['cpu']} and {new['machine']['cpu']}; not compared")
        return 2

    def rows(result):
        return {(r["network"], r["batch"], r["peer"]["peer"]): r for r in result["rows"] if "ratio" in r}

    slower, a, b = 0, rows(old), rows(new)
    for key in sorted(a.keys() & b.keys()):
        change = b[key]["ratio"] / a[key]["ratio"]
        word = "same"
        if b[key]["high"] < a[key]["low"] and change < 0.98:
            word, slower = "SLOWER", slower + 1
        elif b[key]["low"] > a[key]["high"] and change > 1.02:
            word = "faster"
        print(f"{key[0]:15} b{key[1]:<3} {key[2]:13} {a[key]['ratio']:.3f} -> {b[key]['ratio']:.3f}  {word}")
        if word == "SLOWER":
            print(f"    confirm: ./dev bench --networks {key[0]} --batch {key[1]} --peers {key[2]} --pairs 120")
    return 1 if slower else 0
