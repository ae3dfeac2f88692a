#!/usr/bin/env python3
"""Shows that the tests can fail: each planted fault (GRAFT_FAULT in the sources) must turn its test red.

    tools/planted_faults.py                   all, in build/faults (`./dev long planted-faults` builds it first)
    tools/planted_faults.py --build DIR ID... some, in another build tree with GRAFT_FAULTS=ON

tests/faults/faults.json names the test of every fault. Each test also runs without the fault and must pass then. A
fault without a test, or a test without a fault, is an error.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys

import dev_common as common

TABLE = common.ROOT / "tests" / "faults" / "faults.json"
TEST_LIMIT_S = 120
PASSED, FAILED = 0, 1  # exit codes of GoogleTest


def planted():
    """{id: file} of every GRAFT_FAULT in the sources."""
    found = {}
    for path in sorted((common.ROOT / "src").rglob("*.cc")) + sorted((common.ROOT / "src").rglob("*.h")):
        if path.name == "fault.h":
            continue
        for fault in re.findall(r"GRAFT_FAULT\((\w+)\)", path.read_text()):
            found[fault] = str(path.relative_to(common.ROOT))
    return found


def mismatches(sources, table):
    """What the sources and the table do not have in common, as texts."""
    return ([f"{fault}: planted in {sources[fault]}, but faults.json has no test" for fault in sorted(sources.keys() - table.keys())]
            + [f"{fault}: in faults.json, but planted nowhere" for fault in sorted(table.keys() - sources.keys())])


def _run(build, test, fault):
    """(exit code, tests run, output); a test that hangs or is not there counts as a code of its own."""
    env = {**common.environment(), "GRAFT_PLANTED_FAULT": fault}
    command = [build / "tests" / test["binary"], f"--gtest_filter={test['filter']}", "--gtest_brief=1"]
    try:
        done = common.run(command, timeout=TEST_LIMIT_S, env=env, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace")
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, 0, str(error)
    ran = re.search(r"(\d+) tests? (?:from .* )?ran", done.stdout)
    return done.returncode, int(ran.group(1)) if ran else 0, done.stdout


def check_fault(build, fault, test):
    """"" when the test is green without the fault and red with it, else what is wrong."""
    code, ran, output = _run(build, test, "")
    if code != PASSED:
        return f"fails without the fault too ({code}): {output[-500:]}"
    if ran == 0:
        return f"no test matches {test['filter']}"
    code, _, output = _run(build, test, fault)
    # A crash is red as well.
    if code is None:
        return f"did not end with the fault: {output[-500:]}"
    return "stays green with the fault" if code == PASSED else ""


def check_all(build, only=()):
    sources, table = planted(), json.loads(TABLE.read_text())
    wrong = mismatches(sources, table)
    red = []
    for fault, test in sorted(table.items()):
        if only and fault not in only:
            continue
        problem = check_fault(build, fault, test)
        print(f"{'ok    ' if not problem else 'WRONG '} {fault}: {test['binary']} {test['filter']}"
              + (f": {problem}" if problem else ""), flush=True)
        if problem:
            wrong.append(f"{fault}: {problem}")
        else:
            red.append(fault)
    return {"passed": not wrong and bool(red), "faults": len(table), "red": red, "wrong": wrong}


def check(state, save):
    """`./dev long planted-faults`."""
    import dev_build

    binaries = sorted({test["binary"] for test in json.loads(TABLE.read_text()).values()})
    dev_build.build("faults", binaries)
    return check_all(common.BUILD / "faults")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=common.BUILD / "faults")
    parser.add_argument("ids", nargs="*")
    options = parser.parse_args()
    result = check_all(options.build.resolve(), options.ids)
    print("\n".join(result["wrong"]) or f"{len(result['red'])} faults, each turns its test red")
    return 0 if result["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
