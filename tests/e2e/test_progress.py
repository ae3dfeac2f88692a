"""What a user sees while a conversion runs: a bar on a terminal for jobs over two seconds, else nothing; the log says the rest."""

import os
import pty
import subprocess
import sys
import textwrap

import networks
import pytest

CODE = """
    import graftrt
    from graftrt import _progress
    _progress._BAR_AFTER_S = {after}
    graftrt.convert({path!r}, [{fetch!r}], progress={progress!r})
"""


def convert(progress, after, terminal):
    """(stdout, stderr) of a process that converts; with `terminal` stderr is one."""
    network = networks.get("toy_mobile")
    code = textwrap.dedent(CODE).format(after=after, path=str(network.path), fetch=network.logits, progress=progress)
    if not terminal:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
        return done.stdout, done.stderr
    ours, theirs = pty.openpty()
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=theirs, text=True, check=True, timeout=60)
    os.close(theirs)
    seen = b""
    try:
        while part := os.read(ours, 4096):
            seen += part
    except OSError:  # the other end is closed and everything was read
        pass
    os.close(ours)
    return done.stdout, seen.decode()


@pytest.mark.parametrize("progress, after", [("auto", 0.0), (False, 0.0)])
def test_nothing_is_printed_off_a_terminal(progress, after):
    assert convert(progress, after, terminal=False) == ("", "")


def test_a_short_job_shows_no_bar():
    assert convert("auto", 60.0, terminal=True) == ("", "")


@pytest.mark.parametrize("progress", ["auto", True])
def test_a_bar_with_every_stage_and_the_time_left_on_a_terminal(progress):
    out, bar = convert(progress, 0.0, terminal=True)
    assert out == ""
    for stage in ("import", "build", "write"):
        assert f"\r{stage} " in bar, bar
    assert "ETA" in bar and bar.count("\n") == 1 and bar.endswith("\n")


def test_false_shows_nothing_on_a_terminal():
    assert convert(False, 0.0, terminal=True) == ("", "")
