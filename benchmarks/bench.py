#!/usr/bin/env python3
"""`./dev bench`: paired measurements of Graft against its peers; `./dev bench-compare A B`.

    ./dev bench                                  every network of the issue, batch 1 and 8, every peer
    ./dev bench --networks resnet50 --batch 1 --peers tf onnxruntime --pairs 30
    ./dev bench --absolute ...                   each side alone (orientation only, not written to docs)
    ./dev bench --base graft-op ...              Graft as an op in TensorFlow instead of bare
    ./dev bench --layers ...                     each layer against the machine's peaks: docs/layers.md, rooflines
    ./dev bench --report                         pages, README.md's table and plots from the result files, nothing measured

Writes benchmarks/results/<date>-<machine>.json, docs/benchmarks.md and README.md's table after each row: a run cut short
keeps what it measured. ratio = t_peer / t_base: above 1, base is faster.
"""

import argparse
import datetime
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), str(ROOT / "tools")]

import layers_report  # noqa: E402
import machine  # noqa: E402
import networks  # noqa: E402
import paired  # noqa: E402
import peers  # noqa: E402
import report  # noqa: E402
import result_files  # noqa: E402

NETWORKS = "resnet50 mobilenetv2 inceptionv3 efficientnetb0 bert_base".split()
PEERS = "tf tf-onednn xla onnxruntime openvino".split()
RESULTS, PAGE = HERE / "results", ROOT / "docs" / "benchmarks.md"
README = ROOT / "README.md"


def _prepare(names, wanted):
    for name in names:
        networks.get(name)
    if any(peers.PEERS[p][1] == "peers" for p in wanted):
        import dev_common
        import dev_setup

        dev_setup.make_venv(dev_common.PEERS_VENV, "peers.txt")
    scripts = [["convert_onnx.py"]] * any(p.startswith("onnxruntime") for p in wanted)
    scripts += [["quantize_peers.py", p.removesuffix("-int8")] for p in wanted if p in ("onnxruntime-int8", "openvino-int8")]
    for script, *tool in scripts:
        for name in names:  # a process each: the converters hold several copies of a network
            subprocess.run([ROOT / ".venv" / "peers" / "bin" / "python", HERE / script, *tool, name], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _commit():
    git = ["git", "-C", ROOT]
    head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], stdout=subprocess.PIPE, text=True).stdout.strip()
    dirty = subprocess.run([*git, "status", "--porcelain", "-uno"], stdout=subprocess.PIPE, text=True).stdout.strip()
    return head + ("+changes" if dirty else "")


def _row_text(row):
    a, b = row["peer"], row["base"]
    return (f"{row['network']:15} b{row['batch']:<3} {a['peer']:13} {a['p50_ms']:8.2f} ms  {b['peer']:8} "
            f"{b['p50_ms']:8.2f} ms  ratio {row['ratio']:.3f} [{row['low']:.3f}, {row['high']:.3f}]  "
            f"err/std {row['outputs']['max_error_over_std']:.1e}  dropped {row['dropped']}/{row['pairs'] + row['dropped']}"
            f"  {row.get('void', row['verdict'])}")


def _measured(options, name, batch, peer):
    """Measures and prints one row."""
    try:
        if options.absolute:
            row = paired.absolute(peer, name, batch, options.threads, options.slices)
            print(f"{name:15} b{batch:<3} {peer:13} p50 {row['peer']['p50_ms']:8.2f} ms  min "
                  f"{row['peer']['min_ms']:8.2f} ms  cpu/wall {row['peer']['cpu_per_wall']}", flush=True)
        else:
            row = paired.measure(peer, options.base, name, batch, options.threads, options.pairs, options.budget)
            print(_row_text(row), flush=True)
        return row
    except paired.SideError as error:
        print(f"{name:15} b{batch:<3} not measured: {error}", flush=True)
        return {"network": name, "batch": batch, "peer": {"peer": peer}, "not_measured": str(error)}


def bench(options):
    now = datetime.datetime.now(datetime.timezone.utc)
    rows = []
    result = {"date": now.isoformat(timespec="seconds"), "commit": _commit(), "machine": machine.describe(),
              "base": None if options.absolute else options.base, "rows": rows}
    path = (RESULTS / "tmp" if options.absolute else RESULTS) / f"{now:%Y%m%d-%H%M%S}-{result['machine']['id']}.json"
    _prepare(options.networks, options.peers + ([] if options.absolute else [options.base]))
    for name in options.networks:
        for batch in options.batch:
            for peer in options.peers:
                rows.append(_measured(options, name, batch, peer))
                result_files.write_json(path, result)
                if not options.absolute:
                    report.write(RESULTS, PAGE, README)
    layers_report.draw(RESULTS, PAGE.parent)
    print(f"-> {path.relative_to(ROOT)}", flush=True)
    return 1 if any("not_measured" in row for row in rows) else 0


def main():
    if sys.argv[1:2] == ["compare"]:
        return report.compare(*sys.argv[2:4])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--batch", nargs="+", type=int, default=[1, 8])
    parser.add_argument("--peers", nargs="+", default=PEERS, choices=sorted(peers.PEERS))
    parser.add_argument("--base", default="graft", choices=sorted(peers.PEERS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--budget", type=float, default=60.0, help="seconds per row after which half the pairs suffice")
    parser.add_argument("--absolute", action="store_true")
    parser.add_argument("--slices", type=int, default=10, help="with --absolute")
    parser.add_argument("--report", action="store_true", help="only write pages, README.md's table and plots from the result files")
    options = parser.parse_args()
    if options.report:
        report.write(RESULTS, PAGE, README)
        layers_report.write(RESULTS, PAGE.parent)
        return 0
    start = time.perf_counter()
    status = bench(options)
    print(f"{time.perf_counter() - start:.0f} s")
    return status


if __name__ == "__main__":
    sys.exit(main())
