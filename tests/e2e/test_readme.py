"""The examples of README.md, docs/first-ten-minutes.md and docs/converters.md run as they stand, in fresh processes."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("GRAFT_BUILD_DIR", ROOT / "build" / "release")).resolve()


def _blocks(name, language):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / name).read_text(), re.DOTALL)


TEN_MINUTES = "docs/first-ten-minutes.md"
PYTHON = [("README.md", code) for code in _blocks("README.md", "python")]
PYTHON += [("docs/converters.md", code) for code in _blocks("docs/converters.md", "python")]
PYTHON += [(TEN_MINUTES, code) for code in _blocks(TEN_MINUTES, "python")]


def _run(command, folder, **kwargs):
    env = dict(os.environ, PYTHONPATH=str(BUILD / "python"),
               PATH=os.pathsep.join([str(BUILD / "python" / "graftrt" / "bin"), os.environ["PATH"]]))
    done = subprocess.run(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=110, **kwargs)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture
def clone(tmp_path):
    """A folder that looks like the root of a clone to the examples and takes what they write."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return tmp_path


@pytest.mark.parametrize("number", range(len(PYTHON)))
def test_python_example(number, clone):
    name, code = PYTHON[number]
    said = _run([sys.executable, "-c", code], clone)
    if name == "README.md":
        assert "'TRTEngineOp'" in said and "'engine': 1, 'native': 0" in said and "(3, 10)" in said, said


def test_readme_has_one_short_example():
    (code,) = _blocks("README.md", "python")
    assert len(code.splitlines()) <= 10


def test_shell_examples(clone):
    scripts = _blocks(TEN_MINUTES, "sh")
    assert len(scripts) >= 3
    said = _run(["bash", "-euc", "\n".join(scripts)], clone)
    assert "TRTEngineOp_000_000" in said and "instructions" in said
    assert "minimum_segment_size" in (clone / "report.txt").read_text()
    assert not list(clone.glob("*.tmp"))


def test_readme_names_both_commands_and_the_table():
    text = (ROOT / "README.md").read_text()
    for part in ("./dev demo", "./dev test", "<!-- table: benchmarks -->"):
        assert part in text
