#!/usr/bin/env python3
"""What calibration costs: images a second of engines that observe themselves, time of the documented flow, memory.

    benchmarks/calibration.py [--networks mobilenetv2 resnet50] [--rounds 20] [--only observing documented memory]

Observing: images/s while an engine observes itself / images/s of FP32 inference, both without TensorFlow or both in it.
Documented: time of a batch of the graph with calibration nodes in TensorFlow / (native graph + FP32 engine graph), the
three in turn. Memory: resident set of a fresh process after 10, 100 and 1,000 calibration batches of a small network.
Writes benchmarks/results/calibration.json and docs/benchmarks.md; parts that were not measured stay, if they are of this machine.
"""

import argparse
import datetime
import json
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
BUILD = pathlib.Path(os.environ.get("GRAFT_BUILD_DIR", ROOT / "build" / "release")).resolve()
sys.path[:0] = [str(ROOT / "tools"), str(BUILD / "python")]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import machine  # noqa: E402
import networks  # noqa: E402
import numpy as np  # noqa: E402
import report  # noqa: E402
import result_files  # noqa: E402
import stats  # noqa: E402

RESULT = HERE / "results" / "calibration.json"
PARTS = ("observing", "documented", "memory")
FRONTS = ("without TensorFlow", "TensorFlow")
WARM_UP = 3
SMALL = "toy_mobile"
BATCHES = (10, 100, 1000)


def in_turn(calls, rounds):
    """Seconds [rounds, calls] of the calls in turn, the order reversed every other round."""
    times = []
    for number in range(WARM_UP + rounds):
        row = [0.0] * len(calls)
        for side in range(len(calls))[:: 1 if number % 2 else -1]:
            start = time.perf_counter()
            calls[side]()
            row[side] = time.perf_counter() - start
        times.append(row)
    return np.array(times[WARM_UP:])


def observing_graph(graph, fetch):
    """The graph whose engines observe themselves, as graftrt.convert runs it."""
    from graftrt import _job, _options
    options = {**_options.conversion_defaults(), "outputs": [fetch], "precision": "INT8", "calibration": "engines", "native_segments": False}
    return bytes(_job.run(graph, options)[0])


def observing(name, front, batch, threads, rounds):
    import graftrt
    network = networks.get(name)
    graph = network.path.read_bytes()
    feeds = [network.feeds(batch, seed=seed) for seed in range(8)]
    if front == "TensorFlow":
        import tensorflow as tf
        graphs = [graftrt.convert(graph, [network.logits]).serialized, observing_graph(graph, network.logits)]
        sessions = [_session(tf.compat.v1.GraphDef.FromString(data), threads) for data in graphs]
        feeds = [{f"{key}:0": value for key, value in feed.items()} for feed in feeds]
    else:
        sessions = [graftrt.convert(graph, [network.logits], threads=threads).session(),
                    graftrt.Session(observing_graph(graph, network.logits), threads=threads)]
    turn = iter(range(1 << 30))
    times = in_turn([lambda s=s: s.run(network.logits, feeds[next(turn) // 2 % len(feeds)]) for s in sessions], rounds)
    rate, low, high = stats.ratio_interval(times[:, 0], times[:, 1])
    fp32, observed = np.median(times, axis=0) * 1e3
    return {"network": name, "front": front, "batch": batch, "threads": threads, "rounds": rounds, "fp32_ms": fp32,
            "observing_ms": observed, "rate": rate, "low": low, "high": high}


def _session(graph_def, threads):
    import tensorflow as tf
    with tf.Graph().as_default() as graph:
        tf.graph_util.import_graph_def(graph_def, name="")
    config = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=1)
    return tf.compat.v1.Session(graph=graph, config=config)


def documented(name, batch, threads, rounds):
    import graftrt
    network = networks.get(name)
    feeds = {f"{key}:0": value for key, value in network.feeds(batch).items()}
    native = network.graph_def()
    fetch = network.logits.split(":")[0]
    graphs = [native] + [graftrt.create_inference_graph(native, [fetch], batch, precision_mode=mode) for mode in ("FP32", "INT8")]
    assert any(node.op == "TRTCalibOp" for node in graphs[2].node)
    sessions = [_session(graph, threads) for graph in graphs]
    times = in_turn([lambda s=s: s.run(network.logits, feeds) for s in sessions], rounds)
    ratio, low, high = stats.ratio_interval(times[:, 2], times[:, 0] + times[:, 1])
    native_ms, engine_ms, both_ms = np.median(times, axis=0) * 1e3
    return {"network": name, "batch": batch, "threads": threads, "rounds": rounds, "native_ms": native_ms, "engine_ms": engine_ms,
            "calibrating_ms": both_ms, "ratio": ratio, "low": low, "high": high}


def resident_bytes():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def memory_child(front, batch):
    """Prints what memory() reads: resident bytes after each number of batches."""
    import graftrt
    network = networks.get(SMALL)
    rng = np.random.default_rng(0)
    kinds = network.feeds(batch)

    def feeds():
        for count in range(BATCHES[-1] + 1):
            if count in BATCHES:
                seen.append(resident_bytes())
            if count < BATCHES[-1]:
                yield {name: rng.standard_normal(like.shape).astype(like.dtype) for name, like in kinds.items()}

    seen = []
    if front == "without TensorFlow":
        graftrt.convert(network.path.read_bytes(), [network.logits], precision="int8", calibration=feeds(), calibrator="minmax")
        assert "tensorflow" not in sys.modules
    else:
        native = network.graph_def()
        calibration = graftrt.create_inference_graph(native, [network.logits.split(":")[0]], batch, precision_mode="INT8")
        session = _session(calibration, 2)
        for feed in feeds():
            session.run(network.logits, {f"{key}:0": value for key, value in feed.items()})
    print("RESULT" + json.dumps(seen))


def memory(front, batch=8):
    done = subprocess.run([sys.executable, __file__, "--memory-child", front, str(batch)], check=True, capture_output=True, text=True)
    seen = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("RESULT"))[6:])
    return {"network": SMALL, "front": front, "batch": batch, "batches": BATCHES, "resident_mib": [b / 2**20 for b in seen]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=["mobilenetv2", "resnet50"])
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8], help="of the part observing; documented takes 8")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--memory-child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory_child:
        return memory_child(options.memory_child[0], int(options.memory_child[1]))
    commit = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    result = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    here = machine.describe()
    if result.get("machine", here)["id"] != here["id"]:
        sys.exit(f"{RESULT.name} is of another machine ({result['machine']['cpu']}); remove it first")
    result["machine"] = here
    for part in options.only:
        if part == "observing":
            rows = [observing(n, front, b, options.threads, max(options.rounds // b, 8)) for front in FRONTS for n in options.networks
                    for b in options.batch]
        elif part == "documented":
            rows = [documented(n, 8, options.threads, max(options.rounds // 2, 8)) for n in options.networks]
        else:
            rows = [memory(front) for front in ("TensorFlow", "without TensorFlow")]
        print(json.dumps(rows, indent=1), flush=True)
        result[part] = {"commit": commit, "day": datetime.date.today().isoformat(), "rows": rows}
        result_files.write_json(RESULT, result)
        report.write(HERE / "results", ROOT / "docs" / "benchmarks.md")


if __name__ == "__main__":
    main()
