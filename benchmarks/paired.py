"""Paired measurement of two sides, one pinned process each, alternated by a turn pipe.

The side that waits is stopped (SIGSTOP), so that spinning workers of one cannot slow the other. A pair is one slice of
each, in alternating order; pairs in which the hypervisor stole time are dropped whole.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np

import peers
import stats

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
SLICE_S = 0.1
MIN_INFERENCES = 3
WARM_S, WARM_INFERENCES = 1.0, 10
# Largest error of the logits / their spread: of FP32 answers a hundred times what the networks show; of quantized ones, whose
# networks here have random weights, what no class could stand out against. Beyond it the two sides ran different things.
OUTPUTS_AGREE = 1e-2
OUTPUTS_AGREE_INT8 = 2.0
STEAL_SHARE = 0.02  # of a slice's core time; more drops the pair


class SideError(RuntimeError):
    """A side could not be built or died."""


class Side:
    """A side process; stopped except during its turn."""

    def __init__(self, peer, network, batch, threads, seed):
        self.peer = peer
        _, venv, variables = peers.PEERS[peer]
        python = ROOT / ".venv" / venv / "bin" / "python"
        env = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="", OMP_NUM_THREADS=str(threads),
                   **variables)
        command = [python, HERE / "side.py", peer, network, batch, threads, seed]
        self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, env=env, cwd=ROOT)
        try:
            hello = self._answer()
        except BaseException:
            self.close()
            raise
        self.settings, self.ready_s = hello["settings"], hello["ready_s"]
        self.seconds, self.cpu_s, self.wall_s = [], 0.0, 0.0
        self._pause()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SideError(f"{self.peer}: process ended with status {self.process.wait()}")
        fields = json.loads(line)
        if "error" in fields:
            raise SideError(f"{self.peer}: {fields['error']}")
        return fields

    def _pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def ask(self, text):
        self.process.send_signal(signal.SIGCONT)
        try:
            self.process.stdin.write(text + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise SideError(f"{self.peer}: process ended with status {self.process.wait()}") from None
        fields = self._answer()
        self._pause()
        return fields

    def warm(self):
        """Warms up and chooses how many inferences make a slice."""
        start, count, recent = time.perf_counter(), 0, []
        while count < WARM_INFERENCES or time.perf_counter() - start < WARM_S:
            recent = self.ask("2")["seconds"]
            count += 2
        self.inferences = max(MIN_INFERENCES, round(SLICE_S / min(recent)))

    def slice(self):
        """(mean seconds an inference, share of core time stolen); keeps the fields for the pair."""
        before = _steal_s()
        self.last = self.ask(str(self.inferences))
        stolen = _steal_s() - before
        return self.last["wall_s"] / self.inferences, stolen / (self.last["wall_s"] * os.cpu_count())

    def keep(self):
        self.seconds += self.last["seconds"]
        self.cpu_s += self.last["cpu_s"]
        self.wall_s += self.last["wall_s"]

    def outputs(self):
        with tempfile.TemporaryDirectory() as folder:
            self.ask(f"save {folder}/outputs.npz")
            return dict(np.load(f"{folder}/outputs.npz"))

    def close(self):
        self.process.send_signal(signal.SIGCONT)
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # what it was asked last was never read: it is gone
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def summary(self):
        return {"peer": self.peer, "settings": self.settings, "ready_s": round(self.ready_s, 3),
                **stats.latency(self.seconds), "cpu_per_wall": round(self.cpu_s / self.wall_s, 3)}


def _steal_s():
    with open("/proc/stat") as file:
        fields = file.readline().split()
    return int(fields[8]) / os.sysconf("SC_CLK_TCK") if len(fields) > 8 else 0.0


def _compare(a, b):
    """Errors of b against a on the logits, in units of a's spread, and agreement of the strongest class."""
    x, y = (np.asarray(v["logits"], np.float64).reshape(len(v["logits"]), -1) for v in (a, b))
    return {"max_error": float(np.abs(x - y).max()), "max_error_over_std": float(np.abs(x - y).max() / x.std()),
            "top1_agreement": float((x.argmax(1) == y.argmax(1)).mean())}


def measure(peer, base, network, batch, threads=2, pairs=60, budget_s=60.0, seed=1):
    """Row of `peer` against `base` (ratio = t_peer / t_base); raises SideError if either side cannot run."""
    a = Side(peer, network, batch, threads, seed)
    try:
        b = Side(base, network, batch, threads, seed)
    except BaseException:
        a.close()
        raise
    try:
        a.warm()
        b.warm()
        times, dropped, start = [], 0, time.perf_counter()
        while len(times) < pairs and (time.perf_counter() - start < budget_s or len(times) < pairs // 2):
            order = (a, b) if (len(times) + dropped) % 2 == 0 else (b, a)
            (first, stolen1), (second, stolen2) = order[0].slice(), order[1].slice()
            if max(stolen1, stolen2) > STEAL_SHARE and dropped < 3 * pairs:
                dropped += 1
                continue
            times.append((first, second) if order[0] is a else (second, first))
            a.keep()
            b.keep()
        ratio, low, high = stats.ratio_interval(*zip(*times))
        row = {"network": network, "batch": batch, "threads": threads, "peer": a.summary(), "base": b.summary(),
               "pairs": len(times), "dropped": dropped, "ratio": ratio, "low": low, "high": high,
               "verdict": stats.verdict(low, high), "outputs": _compare(a.outputs(), b.outputs())}
        over = [s.peer for s in (a, b) if s.cpu_s / s.wall_s > threads * 1.05]
        if over:
            row["void"] = f"{' and '.join(over)} used more CPU than {threads} threads"
        agree = OUTPUTS_AGREE_INT8 if "-int8" in peer + base else OUTPUTS_AGREE
        if not row["outputs"]["max_error_over_std"] < agree:
            row["void"] = "the outputs differ"
        return row
    finally:
        a.close()
        b.close()


def absolute(peer, network, batch, threads=2, slices=10, seed=1):
    """Latency of one side alone: for orientation, never for a claim."""
    side = Side(peer, network, batch, threads, seed)
    try:
        side.warm()
        for _ in range(slices):
            side.slice()
            side.keep()
        return {"network": network, "batch": batch, "threads": threads, "peer": side.summary()}
    finally:
        side.close()


if __name__ == "__main__":
    print(json.dumps(measure(*sys.argv[1:4], int(sys.argv[4])), indent=1))
