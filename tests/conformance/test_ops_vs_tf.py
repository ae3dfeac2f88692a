"""TensorFlow ops in an engine against stock TensorFlow: one line of op_cases.py is one test.

Each case is a graph of one op; what TensorFlow's session answers is what the engine must answer: shape, dtype, NaN and
Inf in the same places. A case that says `refused` must stay native with that reason code.
"""
import os
import zlib

import numpy as np
import pytest

from case_runner import close, convert, graftrt, tf
import evidence
import op_cases
import variation

ALL = op_cases.all_cases()
TRACED_PER_OP = 5


def chosen():
    """All cases; of the ops that TensorFlow traces functions for, which takes long, a few unless GRAFT_CONFORMANCE_ALL is set."""
    if os.environ.get("GRAFT_CONFORMANCE_ALL"):
        return ALL
    few, counts = [], {}
    for case in sorted((c for c in ALL if c.op in evidence.FUNCTIONAL), key=lambda c: zlib.crc32(c.name.encode())):
        counts[case.op] = counts.get(case.op, 0) + 1
        if counts[case.op] <= TRACED_PER_OP or case.refused:
            few.append(case.name)
    return [c for c in ALL if c.op not in evidence.FUNCTIONAL or c.name in few]


CASES = chosen()


@pytest.mark.parametrize("case", CASES, ids=[c.name for c in CASES])
def test_op(case):
    graph, values, results = case.graph()
    conversion = convert(graph.as_graph_def(), sorted({name.split(":")[0] for name in results}))
    verdicts = [node for node in conversion.report.data["nodes"] if node["op"] == case.op]
    assert verdicts, f"no node {case.op}"
    if case.refused:
        codes = [(node.get("code"), node.get("reason")) for node in verdicts]
        assert any(code == case.refused for code, _ in codes), codes
        return
    for node in verdicts:
        assert not node.get("code"), node
    if not case.reference:
        assert all(e["reference_flops_share"] == 0 for e in conversion.report.engines), "a reference kernel"
    if case.layers:
        assert " ".join(layer["op"] for e in conversion.report.engines for layer in e["layers"]) == case.layers
    oracle, _, oracle_results = case.graph(case.oracle)
    with tf.compat.v1.Session(graph=oracle) as session:
        if case.error:
            with pytest.raises(tf.errors.OpError):
                session.run(oracle_results, values)
            with pytest.raises(graftrt.Error):
                conversion.session().run(results, values)
            return
        want = session.run(oracle_results, values)
    answers = conversion.session().run(results, values)
    for name, got, w in zip(results, answers, want):
        close(np.asarray(got), np.asarray(w), case.rtol, f"{case.name} {name}")


def test_case_names_are_unique():
    assert len({c.name for c in ALL}) == len(ALL)


def test_every_op_without_generated_cases_has_eight():
    generated = set(variation.bases())
    count = {}
    for case in ALL:
        count[case.op] = count.get(case.op, 0) + 1
    assert not {op: n for op, n in count.items() if n < 8 and op not in generated}
