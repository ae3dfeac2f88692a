#!/usr/bin/env python3
"""Size, memory and start-up time of conversion and sessions, each in a fresh process.

    benchmarks/footprint.py [NETWORK ...]     default: resnet50 mobilenetv2 bert_base

Writes benchmarks/results/footprint.json and docs/footprint.md. Nothing else should run on the machine; best of three
processes for times, the largest of them for memory. GRAFT_BUILD_DIR names the build (default build/release).
"""

import datetime
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("GRAFT_BUILD_DIR", ROOT / "build" / "release")).resolve()
sys.path[:0] = [str(ROOT / "tools"), str(BUILD / "python")]

import machine  # noqa: E402
import networks  # noqa: E402
import result_files  # noqa: E402

RESULT, PAGE = ROOT / "benchmarks" / "results" / "footprint.json", ROOT / "docs" / "footprint.md"
REPEATS = 3
BARS = {"convert_s": 3.0, "convert_rss_over_model": 3.0, "session_create_s": 0.3, "first_run_over_steady": 1.5,
        "plan_over_weights": 1.02, "graph_over_frozen": 2.05, "graph_over_frozen_without_native": 1.05,
        "rss_4_sessions_over_1": 1.3, "allocations": 0}
LABELS = {"convert_s": "convert, CLI process, s", "convert_rss_over_model": "convert, peak RSS / model",
          "read_write_s": "read and write the same bytes (dd, synced), s",
          "session_create_s": "Session from bytes in memory (includes Engine::load), s",
          "first_run_over_steady": "first run / steady run", "plan_over_weights": "plan / weights' bytes",
          "graph_over_frozen": "mixed graph / frozen", "graph_over_frozen_without_native": "... without native segments",
          "rss_1_session_mib": "RSS of 1 session above the bare process, MiB",
          "rss_4_sessions_over_1": "RSS of 4 sessions / of 1",
          "allocations": "calls of malloc and its kin in 40 runs after the first of a shape"}


def _child(command):
    """Runs a process; (seconds, peak RSS in bytes, stdout)."""
    code = ("import json,resource,subprocess,sys,time\nt=time.perf_counter()\n"
            "r=subprocess.run(sys.argv[1:],capture_output=True,text=True)\ns=time.perf_counter()-t\n"
            "print(json.dumps([s,resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss*1024,r.returncode,r.stdout,r.stderr]))")
    out = subprocess.run([sys.executable, "-c", code, *map(str, command)], check=True, capture_output=True, text=True).stdout
    seconds, rss, rc, stdout, stderr = json.loads(out)
    if rc != 0:
        raise SystemExit(f"{command[0]} failed: {stderr}")
    return seconds, rss, stdout


def _convert(network, folder):
    graft = BUILD / "python" / "graftrt" / "bin" / "graft"
    mixed, slim, report = folder / "mixed.pb", folder / "slim.pb", folder / "report.json"
    runs = [_child([graft, "convert", network.path, "-o", mixed, "--report-json", report]) for _ in range(REPEATS)]
    _child([graft, "convert", network.path, "-o", slim, "--no-native-segments"])
    size = network.path.stat().st_size
    copies = [_child(["dd", f"if={mixed}", f"of={folder / 'copy'}", "bs=16M", "conv=fsync"])[0] for _ in range(REPEATS)]
    engines = json.loads(report.read_text())["engines"]
    return mixed, {
        "model_bytes": size,
        "convert_s": min(r[0] for r in runs), "convert_rss_over_model": max(r[1] for r in runs) / size,
        "read_write_s": min(copies),
        "plan_over_weights": sum(e["plan_bytes"] for e in engines) / sum(e["weights_bytes"] for e in engines),
        "graph_over_frozen": mixed.stat().st_size / size,
        "graph_over_frozen_without_native": slim.stat().st_size / size,
    }


def _allocations(mixed, folder):
    """Calls of the malloc family in runs of the engine alone: the test that interposes them fails unless there are none."""
    from tensorflow.core.framework import graph_pb2

    (engine,) = (node for node in graph_pb2.GraphDef.FromString(mixed.read_bytes()).node if node.op == "TRTEngineOp")
    (folder / "plan").write_bytes(engine.attr["serialized_segment"].s)
    subprocess.run([BUILD / "tests" / "engine_malloc_tests", "--gtest_brief=1"], check=True, stdout=subprocess.DEVNULL,
                   env=dict(os.environ, GRAFT_MALLOC_PLAN=str(folder / "plan")))
    return 0


def _resident():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def session_process(name, path, count):
    """In a process of its own: sessions over one graph."""
    import time

    import graftrt

    network = networks.get(name)
    feeds = network.feeds()
    data = pathlib.Path(path).read_bytes()
    graftrt.Session(_WARM)  # loads the module
    before = _resident() - len(data)
    start = time.perf_counter()
    sessions = [graftrt.Session(data)]
    create_s = time.perf_counter() - start
    sessions += [graftrt.Session(data) for _ in range(count - 1)]
    del data
    times = []
    for session in sessions:
        for _ in range(12 if session is sessions[0] else 1):
            start = time.perf_counter()
            session.run(network.output, feeds)
            times.append(time.perf_counter() - start)
    print(json.dumps({"create_s": create_s, "first_s": times[0], "steady_s": statistics.median(times[2:12]), "rss": _resident() - before}))


_WARM = b"\x0a\x15\x0a\x01x\x12\x0bPlaceholder*\x03\x0a\x01a"  # one Placeholder


def _sessions(name, mixed):
    def run(count):
        return json.loads(_child([sys.executable, __file__, "--session", name, mixed, count])[2])
    ones = [run(1) for _ in range(REPEATS)]
    four = run(4)
    return {"session_create_s": min(r["create_s"] for r in ones),
            "first_run_over_steady": statistics.median(r["first_s"] / r["steady_s"] for r in ones),
            "rss_1_session_mib": ones[0]["rss"] / 2**20, "rss_4_sessions_over_1": four["rss"] / ones[0]["rss"]}


def page(result):
    """docs/footprint.md as text."""
    info, rows = result["machine"], result["networks"]
    lines = ["# Footprint", "", "Written by `benchmarks/footprint.py`; do not edit. Every figure is of fresh processes; "
             f"times are the best of {REPEATS},", "memory the largest, the first run's ratio the median. The bars are for ResNet50; \"-\" was not measured.", "",
             f"{result['date'][:10]}, {info['cpu']}, {info['cores']} cores, {' '.join(info['isa'])}; machine {info['id']}.",
             "", "| figure | bar | " + " | ".join(rows) + " |", "|---|---|" + "---|" * len(rows)]
    for key, label in LABELS.items():
        bar = f"{BARS[key]:g}" if key in BARS else ""
        lines.append(f"| {label} | {bar} | " + " | ".join(f"{row[key]:.3f}" if key in row else "-" for row in rows.values()) + " |")
    return "\n".join(lines) + "\n"


def main(names):
    result = {"date": datetime.datetime.now().isoformat(timespec="seconds"), "machine": machine.describe(), "bars": BARS,
              "networks": {}}
    for name in names or ["resnet50", "mobilenetv2", "bert_base"]:
        with tempfile.TemporaryDirectory() as folder:
            network = networks.get(name)
            mixed, row = _convert(network, pathlib.Path(folder))
            row.update(_sessions(name, mixed), allocations=_allocations(mixed, pathlib.Path(folder)))
        result["networks"][name] = row
        print(name, json.dumps(row))
    result_files.write_json(RESULT, result)
    result_files.write_text(PAGE, page(result))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--session"]:
        session_process(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        main(sys.argv[1:])
