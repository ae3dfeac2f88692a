#!/usr/bin/env python3
"""Random graphs FIRST to FIRST + COUNT - 1 against TensorFlow; what is wrong is shrunk and written to the corpus.

    tests/e2e/random_run.py FIRST COUNT [--corpus DIR]      prints RESULT and a line of JSON
    tests/e2e/random_run.py --replay FILE                   a .pbtxt of the corpus
    tests/e2e/random_run.py --show SEED                     the graph of a seed
"""

import argparse
import collections
import json
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
HERE = pathlib.Path(__file__).resolve().parent
for folder in (HERE, HERE.parents[1] / "tools"):
    sys.path.insert(0, str(folder))

import numpy as np
import random_check
import random_graphs
import random_shrink

CORPUS = HERE / "random_corpus"


def examine(case, options, finding, folder=CORPUS):
    """Shrinks a failing case and writes it; returns what to print."""
    def fails(smaller):
        try:
            found = random_check.check(smaller, [options]).finding
        except random_check.InvalidCase:
            return False
        return bool(found) and found.split(":")[0] != "convert" or found.startswith("convert") and finding.startswith("convert")

    case = random_shrink.shrink(case, fails)
    text = random_graphs.to_text(case, options=options, finding=random_check.check(case, [options]).finding[:500])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{case.note.replace(' ', '_')}.pbtxt"
    path.write_text(text)
    return f"{case.note}, {options}: {finding}\nshrunk to {len(case.graph.node)} nodes in {path}:\n{text}"


def replay(path):
    """"" or the finding of a case of the corpus."""
    case, head = random_graphs.from_text(pathlib.Path(path).read_text())
    return random_check.check(case, [head["options"]]).finding


def run(first, count, folder=CORPUS):
    """Totals over the seeds, as a JSON value; `findings` are texts."""
    totals, ops, findings = collections.Counter(), collections.Counter(), []
    for seed in range(first, first + count):
        case = random_graphs.generate(seed)
        try:
            outcome = random_check.check(case, rng=np.random.default_rng(seed))
        except random_check.InvalidCase as error:
            findings.append(f"seed {seed}: the generator made an invalid graph: {error}")
            continue
        totals.update(graphs=1, nodes=len(case.graph.node), engines=outcome.engines, alone=outcome.alone, raised=outcome.raised,
                      judged=outcome.judged)
        ops.update(outcome.ops)
        if outcome.finding:
            findings.append(examine(case, outcome.options, outcome.finding, folder))
    return {**totals, "ops": dict(ops), "findings": findings}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", nargs="?", type=int)
    parser.add_argument("count", nargs="?", type=int, default=1)
    parser.add_argument("--corpus", type=pathlib.Path, default=CORPUS)
    parser.add_argument("--replay", type=pathlib.Path)
    parser.add_argument("--show", type=int)
    options = parser.parse_args()
    if options.show is not None:
        print(random_graphs.to_text(random_graphs.generate(options.show)))
        return 0
    if options.replay:
        finding = replay(options.replay)
        print(finding or "nothing is wrong")
        return bool(finding)
    if options.first is None:
        parser.error("FIRST is needed")
    result = run(options.first, options.count, options.corpus)
    for finding in result["findings"]:
        print(finding)
    print("RESULT" + json.dumps(result))
    return bool(result["findings"])


if __name__ == "__main__":
    sys.exit(main())
