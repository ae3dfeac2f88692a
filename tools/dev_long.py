"""`./dev long NAME`: checks too long for `./dev test`; `./dev stale`: what has gone out of date.

docs/long.json holds the last result of each: commit, date, machine, result, and the digest of the sources that the check
covers. A check is resumable: it is called with a state dict that is kept in build/long/NAME.json between attempts.
"""

import argparse
import datetime
import hashlib
import importlib
import json
import time

import dev_common as common
import dev_setup
import machine

RESULTS = common.ROOT / "docs" / "long.json"
VERIFIED = common.ROOT / "docs" / "verified.json"
STATE = common.BUILD / "long"

# name -> (module, function, what it covers, what it does). function(state, save) returns a JSON value that has "passed".
CHECKS = {
    "tf-versions": ("long_tf_versions", "check", ("src/tensorflow",), "the plugin in each TensorFlow from 2.16 on"),
    "planted-faults": ("planted_faults", "check", ("src", "tests"), "each planted fault turns its test red"),
    "asan": ("long_asan", "check", ("src", "tests"), "the test binaries under address and undefined-behaviour sanitizers"),
    "fuzz": ("long_fuzz", "check", ("src", "tests/fuzz"), "each libFuzzer target for a fixed number of runs, with sanitizers"),
    "conformance": ("long_conformance", "check", ("src", "tests/conformance"), "every generated case of every accepted TensorFlow op; writes docs/tf-ops.md"),
    "browser": ("long_browser", "check", ("src/convert/page", "src/convert/report_html.cc", "src/convert/report_json.cc", "tests/long/report_page.py"),
                "the report's page in headless Chromium, with a report of 100,000 nodes"),
    "networks": ("long_networks", "check", ("src", "tools"), "every network against TensorFlow in double; the INT8 example on ResNet50"),
    "keras-applications": ("long_keras_applications", "check", ("src", "tools/network_application.py", "tools/network_keras.py"),
                           "every builder of keras.applications, in both data formats: one engine, within the bar"),
    "partition": ("long_partition", "check", ("src/partition", "tests/partition"), "the segmenter on every graph of up to six nodes"),
    "random-graphs": ("long_random_graphs", "check", ("src", "tests/e2e"), "20,000 random graphs, four partitions each, against TensorFlow"),
}


def _digest(paths):
    tracked = common.output(["git", "ls-files", "-s", *paths])
    changed = common.output(["git", "diff", "HEAD", "--", *paths])
    return hashlib.sha256((tracked + changed).encode()).hexdigest()[:16]


def results():
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def ages():
    """One line per long check: how old its result is and whether its sources have changed since."""
    lines = []
    for name, (_, _, covers, _) in CHECKS.items():
        entry = results().get(name)
        if entry is None:
            lines.append(f"long {name}: never run")
            continue
        days = (datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(entry["date"])).days
        state = "sources changed since" if _digest(covers) != entry["sources"] else "up to date"
        lines.append(f"long {name}: {'passed' if entry['result']['passed'] else 'FAILED'} {days} days ago "
                     f"at {entry['commit'][:10]} on {entry['machine']['cpu']}, {state}")
    return lines


def stale():
    """Lines about results that no longer belong to the sources."""
    lines = [line for line in ages() if not line.endswith("up to date")]
    if VERIFIED.exists():
        for name, entry in json.loads(VERIFIED.read_text()).items():
            if entry.get("sources") != _digest(entry.get("paths", ["src/backends"])):
                lines.append(f"verified {name}: sources changed since {entry.get('commit', 'an unknown commit')[:10]}")
    return lines


def run_check(name):
    """Runs or resumes one check and records its result."""
    module, function, covers, _ = CHECKS[name]
    STATE.mkdir(parents=True, exist_ok=True)
    path = STATE / f"{name}.json"
    state = json.loads(path.read_text()) if path.exists() else {}

    def save():
        path.write_text(json.dumps(state))

    start = time.monotonic()
    result = getattr(importlib.import_module(module), function)(state, save)
    entry = {"commit": common.output(["git", "rev-parse", "HEAD"]), "sources": _digest(covers),
             "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
             "machine": machine.describe(), "seconds": round(time.monotonic() - start), "result": result}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({**results(), name: entry}, indent=1, sort_keys=True) + "\n")
    path.unlink(missing_ok=True)
    print(json.dumps(result, indent=1))
    return 0 if result["passed"] else 1


def main(command, arguments):
    if command == "stale":
        print("\n".join(stale()) or "nothing is stale")
        return 0
    parser = argparse.ArgumentParser(prog="./dev long")
    parser.add_argument("name", nargs="?", choices=sorted(CHECKS))
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args(arguments)
    if options.list or not options.name:
        for name, (_, _, _, what) in CHECKS.items():
            print(f"{name:18} {what}")
        return 0
    dev_setup.setup()
    common.continue_in_venv()
    return run_check(options.name)
