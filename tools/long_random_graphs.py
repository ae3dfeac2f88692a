"""`./dev long random-graphs`: 20,000 random graphs, four partitions each, against TensorFlow. One process a thousand; those
that are done are not run again. What is wrong is shrunk into tests/e2e/random_corpus."""

import collections
import json

import dev_common as common

GRAPHS, STEP = 20_000, 1_000


def check(state, save):
    for first in range(0, GRAPHS, STEP):
        if str(first) in state:
            continue
        done = common.run(["nice", common.PYTHON, common.ROOT / "tests" / "e2e" / "random_run.py", first, STEP],
                          check=False, capture_output=True, text=True)
        line = next((row for row in done.stdout.splitlines() if row.startswith("RESULT")), None)
        state[str(first)] = json.loads(line[6:]) if line else {"findings": [f"seeds from {first}: {done.stderr[-2000:]}"]}
        print(first, state[str(first)]["findings"] or "nothing is wrong", flush=True)
        save()
    totals, ops = collections.Counter(), collections.Counter()
    for part in state.values():
        totals.update({k: v for k, v in part.items() if isinstance(v, int)})
        ops.update(part.get("ops", {}))
    findings = [finding for part in state.values() for finding in part["findings"]]
    return {"passed": not findings and totals["graphs"] == GRAPHS, **totals, "op_types": len(ops), "findings": findings}
