"""Runs GoogleTest binaries case by case: a time limit per case, and a crash costs one case, not the rest of its binary."""

import dataclasses
import os
import pathlib
import re
import selectors
import signal
import subprocess
import time

import dev_common as common

# Not anchored: a case may leave an unfinished line of its own before the verdict.
EVENT = re.compile(r"\[ +(RUN|OK|FAILED|SKIPPED) +\] ([^\s,]+)(?:.*\((\d+) ms\))?")
FILTER_BYTES = 60_000  # of one command line argument


@dataclasses.dataclass
class Case:
    """One test. `outcome` is passed, failed or skipped."""

    name: str
    outcome: str
    seconds: float
    output: str = ""


def list_cases(command):
    """Names of a binary's cases; None if it is no GoogleTest binary."""
    if b"gtest_list_tests" not in pathlib.Path(command[0]).read_bytes():
        return None
    done = common.run([*command, "--gtest_list_tests"], check=False, timeout=60,
                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if done.returncode != 0:
        return None
    names, suite = [], ""
    for line in done.stdout.splitlines():
        name = line.split("#")[0].rstrip()
        if not name or name.startswith("Running main"):
            continue
        if line.startswith("  "):
            if "DISABLED_" not in suite + name:
                names.append(suite + name.strip())
        else:
            suite = name
    return names


class _Run:
    """One process of the binary over a list of cases, until it ends, crashes or a case takes too long."""

    def __init__(self, command, label, cases, limit_s, env):
        self.command, self.label, self.limit_s, self.env = command, label, limit_s, env
        self.filter, self.results = ":".join(cases), []
        self.current, self.started, self.lines = None, 0.0, []

    def _finish(self, outcome, reason="", seconds=None):
        output = "".join(self.lines) + reason
        seconds = time.monotonic() - self.started if seconds is None else seconds
        self.results.append(Case(f"{self.label}/{self.current}", outcome, seconds,
                                 "" if outcome == "passed" else output))
        self.current, self.lines = None, []

    def _line(self, line):
        match = EVENT.search(line)
        if match and match[1] == "RUN":
            self.current, self.started, self.lines = match[2], time.monotonic(), []
        elif match and self.current and match[2] == self.current:
            outcome = {"OK": "passed", "FAILED": "failed", "SKIPPED": "skipped"}[match[1]]
            self._finish(outcome, seconds=int(match[3] or 0) / 1e3)
        elif self.current:
            self.lines.append(line)

    def execute(self):
        process = subprocess.Popen([*self.command, f"--gtest_filter={self.filter}", "--gtest_color=no"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   cwd=common.ROOT, env=self.env, start_new_session=True)
        late, rest = False, b""
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            self.started = time.monotonic()
            while True:
                if selector.select(timeout=1.0):
                    data = os.read(process.stdout.fileno(), 1 << 16)
                    if not data:
                        break
                    *lines, rest = (rest + data).split(b"\n")
                    for line in lines:
                        self._line(line.decode(errors="replace") + "\n")
                if time.monotonic() - self.started > self.limit_s:
                    late = True
                    os.killpg(process.pid, signal.SIGKILL)
                    break
        process.stdout.close()
        status = process.wait()
        if self.current:
            self.lines.append(rest.decode(errors="replace"))
            why = f"longer than {self.limit_s} s" if late else f"process ended with status {status}"
            self._finish("failed", f"\n{why}\n")
        return status


def run(command, limit_s=60, env=None, label=None):
    """Cases of one test command (a list). A binary that dies outside any case counts as one failed case."""
    command = [str(part) for part in command]
    label = label or os.path.basename(command[0])
    names = list_cases(command)
    if names is None:
        return [_whole(command, label, limit_s, env)]
    results = []
    while names:
        chunk, size = [], 0
        while names[len(chunk):] and size + len(names[len(chunk)]) < FILTER_BYTES:
            size += len(names[len(chunk)]) + 1
            chunk.append(names[len(chunk)])
        part = _Run(command, label, chunk, limit_s, env or common.environment())
        status = part.execute()
        results += part.results
        done = {case.name.removeprefix(label + "/") for case in part.results}
        if not done or (status != 0 and all(c.outcome != "failed" for c in part.results)):
            results.append(Case(f"{label}/(process)", "failed", 0.0, f"process ended with status {status}\n"))
            names = names[len(chunk):] if not done else names
        names = [name for name in names if name not in done]
    return results


def _whole(command, label, limit_s, env):
    start = time.monotonic()
    try:
        done = common.run(command, check=False, timeout=limit_s * 5, env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace")
        outcome, text = "passed" if done.returncode == 0 else "failed", done.stdout
    except subprocess.TimeoutExpired:
        outcome, text = "failed", f"longer than {limit_s * 5} s\n"
    return Case(label, outcome, time.monotonic() - start, text)
