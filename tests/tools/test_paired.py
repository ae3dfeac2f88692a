"""benchmarks/paired.py and side.py: no process outlives its run, and a side that dies is a SideError."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import paired
import pytest

BENCHMARKS = pathlib.Path(paired.__file__).parent
CHILD = "import sys; sys.path.insert(0, sys.argv[1]); import side; side.die_with_parent(); print('ready', flush=True); sys.stdin.read()"
PARENT = ("import os, signal, subprocess, sys\n"
          "child = subprocess.Popen([sys.executable, '-c', sys.argv[2], sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
          "child.stdout.readline()\n"
          "child.send_signal(signal.SIGSTOP)\n"
          "print(child.pid, flush=True)\n"
          "sys.stdin.read()\n")


def gone(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_stopped_side_dies_with_a_killed_benchmark():
    parent = subprocess.Popen([sys.executable, "-c", PARENT, BENCHMARKS, CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    side = int(parent.stdout.readline())
    try:
        assert not gone(side)
        parent.kill()
        parent.wait()
        for _ in range(3000):
            if gone(side):
                break
            time.sleep(0.01)
        assert gone(side)
    finally:
        if not gone(side):
            os.kill(side, signal.SIGKILL)


@pytest.fixture
def fake_side(monkeypatch, tmp_path):
    """Makes a Side whose process runs the given code."""
    def make(code):
        script = tmp_path / "side.py"
        script.write_text(code)
        monkeypatch.setattr(paired, "HERE", tmp_path)
        return paired.Side("tf", "n", 1, 1, 1)

    return make


def test_a_side_that_cannot_be_built_says_why_and_is_gone(fake_side):
    with pytest.raises(paired.SideError, match="tf: no such network"):
        fake_side("print('{\"error\": \"no such network\"}', flush=True)\nimport sys; sys.stdin.read()")


def test_a_side_that_dies_between_its_turns_is_an_error(fake_side):
    side = fake_side("print('{\"settings\": \"s\", \"ready_s\": 1}', flush=True)\nimport sys; sys.stdin.read()")
    side.process.kill()
    side.process.wait()
    with pytest.raises(paired.SideError, match="tf: process ended with status -9"):
        side.ask("1")
    side.close()
