"""The command `graft` as a user runs it, without TensorFlow: what `run` answers, and what goes to stdout and stderr."""

import json
import pathlib
import subprocess

import graftrt as trt
import networks
import numpy as np
import pytest

GRAFT = pathlib.Path(trt.__file__).parent / "bin" / "graft"


def graft(*arguments):
    return subprocess.run([GRAFT, *map(str, arguments)], capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def toy():
    return networks.get("toy_mobile")


@pytest.fixture
def fed(toy, tmp_path):
    """(feeds, --feed arguments)"""
    feeds = toy.feeds(3, seed=9)
    for name, value in feeds.items():
        np.save(tmp_path / f"{name}.npy", value)
    return feeds, [part for name in feeds for part in ("--feed", f"{name}={tmp_path / name}.npy")]


@pytest.mark.parametrize("mixed", [True, False], ids=["mixed", "plain"])
def test_run_answers_as_the_session_does(toy, fed, mixed, tmp_path, run_tf):
    feeds, arguments = fed
    graph = toy.path
    if mixed:
        graph = tmp_path / "mixed.pb"
        done = graft("convert", toy.path, "-o", graph, "--outputs", toy.logits)
        assert done.returncode == 0 and "1 engine" in done.stdout, done
    done = graft("run", graph, *arguments, "--fetch", toy.logits, "--threads", 2, "-o", tmp_path)
    assert done.returncode == 0 and done.stderr == "", done
    got = np.load(tmp_path / (toy.logits.replace("/", "_").replace(":", "_") + ".npy"))
    assert got.tobytes() == trt.Session(graph, threads=2).run(toy.logits, feeds).tobytes()
    (want,) = run_tf(toy.graph_def(), [toy.logits], feeds)
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-5 * np.abs(want).max())


def test_run_names_what_is_wrong(toy, fed, tmp_path):
    _, arguments = fed
    done = graft("run", toy.path, "--fetch", toy.logits)
    assert done.returncode == 1 and "input" in done.stderr and done.stdout == ""
    done = graft("run", toy.path, *arguments, "--fetch", "nobody")
    assert done.returncode == 1 and "nobody" in done.stderr
    (tmp_path / "bad.pb").write_bytes(b"")
    done = graft("run", tmp_path / "bad.pb", "--fetch", "x")
    assert done.returncode == 1 and "bad.pb" in done.stderr and "no nodes" in done.stderr


def test_bench_prints_latencies_and_layers(toy, fed):
    _, arguments = fed
    done = graft("bench", toy.path, *arguments, "--fetch", toy.logits, "--runs", 3, "--warmup", 1, "--layers")
    assert done.returncode == 0, done.stderr
    for word in ("p50", "p90", "p99", "GFLOP/s"):
        assert word in done.stdout


def test_bench_writes_json_and_a_chrome_trace(toy, fed, tmp_path):
    _, arguments = fed
    call = ["bench", toy.path, *arguments, "--fetch", toy.logits, "--runs", 3, "--warmup", 1, "--threads", 1]
    done = graft(*call, "--json", tmp_path / "b.json", "--trace", tmp_path / "t.json")
    assert done.returncode == 0, done.stderr
    got = json.loads((tmp_path / "b.json").read_text())
    assert got["runs"] == 3 and got["latency_ms"]["min"] <= got["latency_ms"]["p50"] <= got["latency_ms"]["p99"]
    (engine,) = got["engines"]
    convolutions = [s for s in engine["steps"] if s["op"] == "conv" and s["us"] > 0]
    assert convolutions and all(s["flops"] > 0 and s["bytes"] > 0 for s in convolutions)
    first = convolutions[0]  # 32x32x3 float32 in; weights, bias and dst beside it
    assert first["bytes"] > toy.feeds()[next(iter(toy.meta["inputs"]))].nbytes
    events = json.loads((tmp_path / "t.json").read_text())["traceEvents"]
    spans = [e for e in events if e["ph"] == "X"]
    assert {e["name"] for e in spans} >= {s["name"] for s in convolutions}
    assert all(a["ts"] + a["dur"] <= b["ts"] + 1e-6 for a, b in zip(spans, spans[1:]))
    done = graft(*call, "--json", "-")
    assert json.loads(done.stdout)["engines"][0]["name"] == engine["name"]


def test_quiet_prints_nothing_and_json_prints_the_report(toy, tmp_path):
    call = ["convert", toy.path, "-o", tmp_path / "out.pb", "--outputs", toy.logits]
    done = graft(*call, "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    report = json.loads(graft(*call, "--json", "--report-text", tmp_path / "report.txt").stdout)
    assert len(report["engines"]) == 1
    assert "minimum_segment_size" in (tmp_path / "report.txt").read_text()
    assert graft("analyze", toy.path, "--outputs", toy.logits, "--quiet").stdout == ""


def test_doctor_has_a_verdict_for_each_line():
    done = graft("doctor")
    assert done.returncode == 0 and done.stdout
    assert all(line.split()[0] in ("ok", "BAD") for line in done.stdout.splitlines()), done.stdout


def test_ops_lists_what_engines_take():
    plain, known = graft("ops"), json.loads(graft("ops", "--json").stdout)
    assert {"Conv2D", "MatMul", "GatherV2"} <= set(known["accepted"])
    assert "Placeholder" in known["native"]["input_node"] and "DecodeJpeg" in known["native"]["string"]
    assert not set(known["accepted"]) & {op for ops in known["native"].values() for op in ops}
    assert plain.returncode == 0 and set(known["accepted"]) <= set(plain.stdout.split())
