"""`./dev long conformance`: every generated case of every accepted TensorFlow op against TensorFlow; writes docs/tf-ops.md.

One process an op's turn, so that a crash costs one op; resumable op by op.
"""

import collections
import json
import os
import sys
import time

import dev_common as common

CONFORMANCE = common.ROOT / "tests" / "conformance"
FEWEST_OF_AN_OP, FEWEST, MOST_ELEMENTWISE = 20, 6000, 0.4
OPS_A_PROCESS = 12


def _facts_of(op):
    """{"kinds": counts, "facts": what belongs on the page, "failed": texts} of one op; in a process that has TensorFlow."""
    import case_runner
    import tf_ops_page
    import variation
    kinds, found, failed = collections.Counter(), set(), []
    for base in variation.bases().get(op, ()):
        for probe in variation.alone(base) + variation.paired(base):
            try:
                outcome = case_runner.outcome(probe)
            except Exception as error:  # whatever a case raises is its failure
                failed.append(f"{probe.name}: {type(error).__name__}: {str(error)[:400]}")
                continue
            kinds[outcome.kind] += 1
            found.update(tf_ops_page.facts(probe, outcome))
    return {"kinds": kinds, "facts": sorted([f.kind, f.what, f.value, f.state] for f in found), "failed": failed}


def child(ops):
    """Prints a JSON line an op."""
    for op in ops:
        print("RESULT " + json.dumps({"op": op, **_facts_of(op)}), flush=True)


def _in_tests(code):
    env = common.environment() | {"PYTHONPATH": f"{CONFORMANCE}:{common.ROOT / 'tools'}:{common.environment().get('PYTHONPATH', '')}"}
    return common.run([common.PYTHON, "-c", code], env=env, check=False, capture_output=True, text=True, errors="replace", timeout=3600)


def _summary():
    """{"accepted": ops, "audited": ops, "elementwise": ops, "hand_written": {op: cases}} of the test modules."""
    done = _in_tests("import json, evidence, test_old_ops, variation, bases_elementwise as e\n"
                     "variation.BASES.clear(); e.bases(); names = sorted({b.op for b in variation.BASES}); variation.bases.cache_clear()\n"
                     "print('RESULT ' + json.dumps({'accepted': evidence.accepted(), 'audited': evidence.audited(), 'elementwise': names,"
                     " 'hand_written': {'BatchMatrixBandPart': len(test_old_ops.CASES), **{op: len(c) for op, c in evidence.hand_written().items()}}}))")
    return _results(done)[0]


def _results(done):
    found = [json.loads(line[7:]) for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if done.returncode != 0:
        print(done.stderr[-2000:], file=sys.stderr)
    return found


def check(state, save):
    """Runs the ops that `state` does not have yet."""
    import dev_build
    dev_build.build("release")
    summary = _summary()
    done = state.setdefault("ops", {})
    todo = [op for op in summary["audited"] if op not in done]
    start = time.monotonic()
    while todo:
        part, todo = todo[:OPS_A_PROCESS], todo[OPS_A_PROCESS:]
        done.update(_run(part))
        save()
        print(f"  {len(done)} of {len(summary['audited'])} ops, {time.monotonic() - start:.0f} s", flush=True)
    if "hand_written_failures" not in state:
        state["hand_written_failures"] = _hand_written_failures()
        save()
    return _judge(summary, done, state["hand_written_failures"])


def _hand_written_failures():
    """Names of the failed cases of op_cases.py and cases_*.py, those that `./dev test` leaves out included."""
    import dev_stages
    env = common.environment() | {"GRAFT_CONFORMANCE_ALL": "1"}
    cases = dev_stages.pytest(["tests/conformance/test_ops_vs_tf.py", "tests/conformance/test_old_ops.py"], 3600, env=env)
    return [case.name for case in cases if case.outcome == "failed"] if cases else ["no case ran"]


def _run(ops):
    """op -> what _facts_of says of it"""
    results = {r.pop("op"): r for r in _results(_in_tests(f"import long_conformance; long_conformance.child({ops!r})"))}
    return {op: results.get(op, {"kinds": {}, "facts": [], "failed": [f"{op}: the process died"]}) for op in ops}


def _judge(summary, done, hand_written_failures):
    counted = {op: summary["hand_written"].get(op, 0) for op in summary["accepted"]}
    for op, r in done.items():
        counted[op] += sum(n for kind, n in r["kinds"].items() if kind in ("equal", "refused", "error"))
    total = sum(counted.values())
    elementwise = sum(counted.get(op, 0) for op in summary["elementwise"])
    failed = [text for r in done.values() for text in r["failed"]] + hand_written_failures
    few = sorted(op for op, n in counted.items() if n < FEWEST_OF_AN_OP)
    page = common.ROOT / "docs" / "tf-ops.md"
    before = page.read_text() if page.exists() else ""
    _write_page(done)
    kinds = collections.Counter()
    for r in done.values():
        kinds.update(r["kinds"])
    return {"passed": not failed and not few and total >= FEWEST and elementwise <= MOST_ELEMENTWISE * total,
            "cases": total, "elementwise": elementwise, "ops": len(done), "kinds": dict(sorted(kinds.items())),
            "ops_with_few_cases": few, "page_changed": before != page.read_text(), "failed": failed[:100]}


def _write_page(done):
    facts = common.BUILD / "long" / "conformance_facts.json"
    facts.parent.mkdir(parents=True, exist_ok=True)
    facts.write_text(json.dumps({op: r["facts"] for op, r in done.items()}))
    written = _in_tests("import json, tf_ops_page as p\n"
                        f"facts = json.load(open({os.fspath(facts)!r}))\n"
                        "p.PAGE.write_text(p.render({op: [p.Fact(*f) for f in rows] for op, rows in facts.items()}))")
    if written.returncode != 0:
        raise RuntimeError(written.stderr[-2000:])


def main(ops):
    """Runs the cases of some ops and writes their sections of docs/tf-ops.md."""
    done = _run(ops)
    _write_page(done)
    for op, result in done.items():
        print(op, result["kinds"], *result["failed"], sep="\n  ")
    return 1 if any(result["failed"] for result in done.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
