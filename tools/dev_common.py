"""Paths, subprocesses and the environment that all of ./dev shares (standard library only)."""

import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
VENV = ROOT / ".venv" / "py"
PYTHON = VENV / "bin" / "python"
PEERS_VENV = ROOT / ".venv" / "peers"


def package_dir(preset="release"):
    """Folder that holds the runnable package `graftrt` of a build tree."""
    return BUILD / preset / "python"


def environment(preset="release"):
    """Environment of every tool run: quiet TensorFlow, fixed seeds, no GPU by accident, package on the path."""
    env = dict(os.environ)
    env.update(TF_CPP_MIN_LOG_LEVEL="3", PYTHONHASHSEED="0", CUDA_VISIBLE_DEVICES="", PYTHONUNBUFFERED="1",
               CCACHE_BASEDIR=str(ROOT), CCACHE_NOHASHDIR="1", PIP_DISABLE_PIP_VERSION_CHECK="1",
               PYTHONPATH=os.pathsep.join([str(package_dir(preset)), str(ROOT / "tools")]),
               GRAFT_BUILD_DIR=str(BUILD / preset))
    return env


def run(command, timeout=None, env=None, check=True, **kwargs):
    """Runs a command with no stdin; raises CalledProcessError or TimeoutExpired."""
    kwargs.setdefault("cwd", ROOT)
    command = [str(part) for part in command]
    return subprocess.run(command, timeout=timeout, env=env or environment(), check=check,
                          stdin=subprocess.DEVNULL, **kwargs)


def output(command, **kwargs):
    return run(command, stdout=subprocess.PIPE, text=True, **kwargs).stdout.strip()


def cores():
    return len(os.sched_getaffinity(0))


def die(text):
    print(f"dev: {text}", file=sys.stderr)
    sys.exit(1)


def have(program):
    return shutil.which(program) is not None


def continue_in_venv():
    """Starts this command again under the virtual environment's Python, for parts that need its packages."""
    if pathlib.Path(sys.prefix).resolve() != VENV.resolve():
        sys.stdout.flush()
        os.execve(PYTHON, [str(PYTHON), *sys.argv], environment())
