#!/usr/bin/env python3
"""One side of a paired benchmark: builds a peer, then runs slices when its turn comes.

    side.py PEER NETWORK BATCH THREADS SEED

Talks in JSON lines: on start {"settings"} or {"error"}; "N\\n" on stdin runs N inferences and answers {"seconds": [...],
"cpu_s", "wall_s"}; "save PATH\\n" writes the outputs of the last inference as .npz; end of input ends it, and so does
the parent's death: a side that is stopped between its turns would not see the end of input.
"""

import ctypes
import json
import os
import pathlib
import signal
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tools")]


PR_SET_PDEATHSIG = 1


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main():
    die_with_parent()
    peer, name, batch, threads, seed = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # libraries print to stdout; the answers must stay alone

    def answer(**fields):
        answers.write(json.dumps(fields) + "\n")

    import numpy as np

    import networks
    import peers

    try:
        network = networks.cached(name)
        feeds = {n: np.ascontiguousarray(a) for n, a in network.feeds(batch, seed).items()}
        job = peers.Job(str(network.path), network.meta, feeds, threads, str(network.path.parent),
                        (network.feeds(1, s) for s in range(peers.CALIBRATION)) if peer == "graft-int8" else ())
        start = time.perf_counter()
        run, settings = peers.PEERS[peer][0](job)
        result = run()
        answer(settings=settings, ready_s=time.perf_counter() - start)
    except Exception as error:  # the parent reports the row as not measured
        answer(error=f"{type(error).__name__}: {error}"[:500])
        return 1
    for line in sys.stdin:
        if line.startswith("save "):
            np.savez(line[5:].strip(), **{k: np.asarray(v) for k, v in result.items()})
            answer(saved=True)
            continue
        seconds, cpu, wall = [], time.process_time(), time.perf_counter()
        for _ in range(int(line)):
            start = time.perf_counter()
            result = run()
            seconds.append(time.perf_counter() - start)
        answer(seconds=seconds, cpu_s=time.process_time() - cpu, wall_s=time.perf_counter() - wall)
    return 0


if __name__ == "__main__":
    sys.exit(main())
