"""`./dev test`: runs the stages, prints times, failures and the slowest tests; the last line is the count."""

import argparse
import signal
import subprocess
import sys
import time
import traceback

import dev_long
import dev_stages
from gtest_runner import Case

SLOWEST = 10
OUTPUT_LINES = 40  # of one failed test


class StageTimeout(Exception):
    pass


def _alarm(*_):
    raise StageTimeout


def _run_stage(stage):
    """(cases, seconds); what goes wrong with the stage itself is a failed case."""
    start = time.monotonic()
    signal.signal(signal.SIGALRM, _alarm)
    signal.alarm(stage.limit_s)
    try:
        cases = list(stage.function(stage.limit_s))
        if stage.tests and not cases:
            cases.append(Case(f"{stage.name}/(none)", "failed", 0.0, "no test was found"))
    except (StageTimeout, subprocess.TimeoutExpired):
        cases = [Case(f"{stage.name}/(stage)", "failed", 0.0, f"longer than {stage.limit_s} s")]
    except subprocess.CalledProcessError as error:
        cases = [Case(f"{stage.name}/(stage)", "failed", 0.0, f"{error}\n{error.stdout or ''}")]
    except SystemExit as error:
        cases = [Case(f"{stage.name}/(stage)", "failed", 0.0, f"setup gave up: {error}")]
    except Exception:  # the summary must be printed whatever a stage does
        cases = [Case(f"{stage.name}/(stage)", "failed", 0.0, traceback.format_exc())]
    finally:
        signal.alarm(0)
    return cases, time.monotonic() - start


def _print_summary(times, cases):
    for case in cases:
        if case.outcome == "failed":
            print(f"\n--- FAILED {case.name}   (again: ./dev repro '{case.name}')")
            print("\n".join(case.output.rstrip().splitlines()[-OUTPUT_LINES:]))
    print("\nslowest tests")
    for case in sorted(cases, key=lambda c: -c.seconds)[:SLOWEST]:
        print(f"  {case.seconds:7.2f} s  {case.name}")
    print("\nstage        time   passed failed skipped")
    for name, seconds, part in times:
        counts = [sum(c.outcome == o for c in part) for o in ("passed", "failed", "skipped")]
        print(f"{name:8} {seconds:6.1f} s  {counts[0]:6} {counts[1]:6} {counts[2]:7}")
    print(f"{'total':8} {sum(t[1] for t in times):6.1f} s")
    for case in cases:
        if case.outcome == "failed":
            print(f"FAILED {case.name}")


def main(_, arguments):
    parser = argparse.ArgumentParser(prog="./dev test")
    parser.add_argument("--only", help="comma-separated stages (setup always runs)")
    parser.add_argument("--list", action="store_true", help="name the stages")
    options = parser.parse_args(arguments)
    if options.list:
        for stage in dev_stages.STAGES:
            print(f"{stage.name:8} limit {stage.limit_s} s")
        return 0
    wanted = set(options.only.split(",")) if options.only else {s.name for s in dev_stages.STAGES}
    unknown = wanted - {s.name for s in dev_stages.STAGES}
    if unknown:
        parser.error(f"no stage {', '.join(sorted(unknown))}")
    times, cases = [], []
    for stage in dev_stages.STAGES:
        if stage.name not in wanted | {"setup"}:
            continue
        print(f"== {stage.name}", flush=True)
        part, seconds = _run_stage(stage)
        times.append((stage.name, seconds, part))
        cases += part
        failed = sum(c.outcome == "failed" for c in part)
        print(f"   {seconds:.1f} s" + (f", {failed} FAILED" if failed else ""), flush=True)
        if stage.needed and failed:
            break
    _print_summary(times, cases)
    for line in dev_long.ages():
        print(line)
    passed, failed, skipped = (sum(c.outcome == o for c in cases) for o in ("passed", "failed", "skipped"))
    if not cases:
        print("no test ran", file=sys.stderr)
    sys.stderr.flush()
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 1 if failed or not passed else 0
