"""The examples run as they stand, in processes of their own."""

import os
import pathlib
import pty
import re
import subprocess
import sys
import threading

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("GRAFT_BUILD_DIR", ROOT / "build" / "release"))


def _copy(terminal, file):
    try:
        while data := os.read(terminal, 4096):
            file.write(data)
    except OSError:  # nobody writes any more
        pass
    os.close(terminal)


def _frozen_graph(*arguments, stderr=subprocess.PIPE):
    env = dict(os.environ, PYTHONPATH=str(BUILD.resolve() / "python"))
    return subprocess.run([sys.executable, ROOT / "examples" / "frozen_graph.py", "--repeat", "2", *map(str, arguments)],
                          stdout=subprocess.PIPE, stderr=stderr, text=True, timeout=300, env=env)


@pytest.mark.parametrize("mode", ["FP32", "FP16"])
def test_frozen_graph_converts_and_agrees(mode):
    done = _frozen_graph("--mode", mode)
    assert done.returncode == 0, done.stderr
    line = next(row for row in done.stdout.splitlines() if row.startswith(mode))
    assert "top-1 agreement 100.00%" in line, done.stdout
    assert "engines: TRTEngineOp_" in done.stdout
    assert ", 0 in its native segment" in done.stdout


def test_frozen_graph_native_alone():
    done = _frozen_graph("--mode", "native")
    assert done.returncode == 0 and done.stdout.startswith("native: "), done.stderr


def test_frozen_graph_calibrates():
    done = _frozen_graph("--mode", "INT8")
    assert done.returncode == 0, done.stderr
    line = next(row for row in done.stdout.splitlines() if row.startswith("INT8"))
    assert float(line.split("top-1 agreement ")[1].split("%")[0]) >= 98.5, done.stdout
    assert "engines: TRTEngineOp_" in done.stdout and ", 0 in its native segment" in done.stdout


def test_frozen_graph_calibrates_resnet50_and_shows_progress(network, tmp_path):
    ours, theirs = pty.openpty()  # a terminal: there the finish shows a bar
    with open(tmp_path / "screen", "wb") as screen:
        reader = threading.Thread(target=_copy, args=(ours, screen))
        reader.start()
        done = _frozen_graph("--graph", network("resnet50").path, "--mode", "INT8", "--batch-size", 4, "--examples", 18, stderr=theirs)
        os.close(theirs)
        reader.join()
    shown = (tmp_path / "screen").read_text(errors="replace")
    assert done.returncode == 0, shown
    line = next(row for row in done.stdout.splitlines() if row.startswith("INT8"))
    assert float(line.split(", ")[-1].split(" dB")[0]) >= 20, done.stdout
    assert "engines: TRTEngineOp_" in done.stdout and ", 0 in its native segment" in done.stdout
    assert re.search(r"ranges +\[#+\.*\] [1-6]/6  ETA", shown), shown


def test_custom_op_runs_in_an_engine():
    env = dict(os.environ, PYTHONPATH=str(BUILD.resolve() / "python"))
    done = subprocess.run([sys.executable, ROOT / "examples" / "custom_op" / "custom_op.py"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=300, env=env)
    assert done.returncode == 0, done.stderr
    assert "without the converter: 1 engines, 3 MishPlus nodes left" in done.stdout, done.stdout
    assert "with the converter: 1 engines, 0 MishPlus nodes left" in done.stdout, done.stdout


def test_custom_op_in_cpp(tmp_path):
    program = BUILD / "examples" / "custom_op"
    if not program.exists():
        pytest.skip("built without GRAFT_EXAMPLES")
    import custom_graphs

    (tmp_path / "graph.pb").write_bytes(custom_graphs.custom(beta=0.5).SerializeToString())
    done = subprocess.run([program, tmp_path / "graph.pb", "x", "y"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 0 and "own: in an engine, by MishPlus" in done.stdout, done.stdout + done.stderr
    (tmp_path / "graph.pb").write_bytes(custom_graphs.custom(gamma=0.5).SerializeToString())
    done = subprocess.run([program, tmp_path / "graph.pb", "x", "y"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 3 and "attribute 'gamma' was not read" in done.stdout, done.stdout + done.stderr


def test_frozen_graph_takes_any_graph(network):
    done = _frozen_graph("--graph", network("toy_resnet").path, "--batch-size", 3, "--examples", 7, "--mode", "FP32")
    assert done.returncode == 0 and "top-1 agreement 100.00%" in done.stdout, done.stderr


def test_frozen_graph_names_a_wrong_input():
    done = _frozen_graph("--input", "nonsense", "--mode", "FP32")
    assert done.returncode == 1 and "no Placeholder named 'nonsense'" in done.stderr
