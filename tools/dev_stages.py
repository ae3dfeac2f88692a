"""The stages of `./dev test`. A new one is a function here and a line of STAGES.

A stage function takes the time left to it and returns its cases; what it raises counts as one failed case. It prints
nothing but progress.
"""

import concurrent.futures
import dataclasses
import os
import shutil
import subprocess
import time
import xml.etree.ElementTree

import dev_build
import dev_common as common
import dev_lint
import dev_setup
import gtest_runner
from gtest_runner import Case

CASE_LIMIT_S = 120  # one test
TEST_NETWORKS = ("resnet50", "mobilenetv2", "efficientnetb0")  # beside the small ones


@dataclasses.dataclass(frozen=True)
class Stage:
    """`needed`: the stages behind it cannot run without it. `tests`: none found is a failure."""

    name: str
    function: object
    limit_s: int
    needed: bool = False
    tests: bool = False


def setup(_):
    dev_setup.setup()
    return []


def build(limit_s):
    dev_build.build("release", timeout=limit_s)
    return []


def lint(_):
    return [Case(f"lint/{name}", "passed" if passed else "failed", 0.0, text)
            for name, passed, text in dev_lint.run_checks()]


def run_binaries(preset, targets, case_limit_s, env):
    commands = {n: c for n, c in dev_build.test_commands(preset).items() if not targets or n in targets}
    with concurrent.futures.ThreadPoolExecutor(common.cores()) as pool:
        runs = [pool.submit(gtest_runner.run, c, case_limit_s, env, label=n) for n, c in sorted(commands.items())]
        return [case for run in runs for case in run.result()]


def unit(_):
    return run_binaries("release", (), CASE_LIMIT_S, common.environment())


def networks(limit_s):
    """Makes the networks that the Python tests convert, so that no test pays for it."""
    common.run([common.PYTHON, common.ROOT / "tools" / "networks.py", "--small", *TEST_NETWORKS],
               timeout=limit_s)
    return []


def python(limit_s):
    return pytest(["tests", "python"], limit_s)


def pytest(paths, limit_s, python=common.PYTHON, env=None):
    """Cases of pytest over `paths`, read from its JUnit file."""
    report = common.BUILD / "pytest.xml"
    report.parent.mkdir(exist_ok=True)
    report.unlink(missing_ok=True)
    paths = [p for p in paths if (common.ROOT / p).exists()]
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}",
               f"--timeout={CASE_LIMIT_S}", "--tb=short", *paths]
    done = common.run(command, timeout=limit_s, env=env, check=False, stdout=subprocess.PIPE,
                      stderr=subprocess.STDOUT, text=True, errors="replace")
    cases = _read_junit(report) if report.exists() else []
    if done.returncode not in (0, 1, 5) or (done.returncode == 1 and all(c.outcome != "failed" for c in cases)):
        cases.append(Case("pytest/(process)", "failed", 0.0, done.stdout[-4000:]))
    return cases


def _read_junit(path):
    cases = []
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        bad = [e for kind in ("failure", "error") for e in case.findall(kind)]
        outcome = "failed" if bad else "skipped" if case.find("skipped") is not None else "passed"
        text = "\n".join(e.text or e.get("message", "") for e in bad or case.findall("skipped"))
        cases.append(Case(f"{case.get('classname')}::{case.get('name')}", outcome, float(case.get("time", 0)), text))
    return cases


def wheel(limit_s):
    """`pip install` of the wheel into a fresh virtual environment, then what a user does first."""
    work = common.BUILD / "wheel_check"
    shutil.rmtree(work, ignore_errors=True)
    start = time.monotonic()
    common.run([common.PYTHON, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", work, "."],
               timeout=limit_s)
    made = next(work.glob("graftrt-*.whl"))
    common.run([common.PYTHON, "-m", "venv", work / "venv"])
    fresh = work / "venv" / "bin" / "python"
    common.run([fresh, "-m", "pip", "install", "-q", "--no-deps", "--no-index", made])
    # TensorFlow and NumPy come from the development environment: installing 600 MB again would test pip.
    packages = common.output([common.PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"])
    target = common.output([fresh, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"])
    with open(os.path.join(target, "development.pth"), "w") as file:
        file.write(packages + "\n")
    env = {k: v for k, v in common.environment().items() if k not in ("PYTHONPATH", "GRAFT_BUILD_DIR")}
    done = common.run([fresh, common.ROOT / "tools" / "wheel_check.py"], env=env, check=False, timeout=300, cwd=work,
                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    cases = [Case("wheel/install", "passed", time.monotonic() - start)]
    for line in done.stdout.splitlines():
        if line.startswith(("ok ", "FAILED ")):
            outcome, name = line.split(maxsplit=1)
            cases.append(Case(f"wheel/{name}", "passed" if outcome == "ok" else "failed", 0.0, done.stdout[-4000:]))
    if done.returncode != 0 and all(c.outcome == "passed" for c in cases):
        cases.append(Case("wheel/check", "failed", 0.0, done.stdout[-4000:]))
    return cases


STAGES = (
    Stage("setup", setup, 900, needed=True),
    Stage("build", build, 1500, needed=True),
    Stage("lint", lint, 120, tests=True),
    Stage("networks", networks, 600),
    Stage("unit", unit, 600, tests=True),
    Stage("python", python, 900, tests=True),
    Stage("wheel", wheel, 900, tests=True),
)
