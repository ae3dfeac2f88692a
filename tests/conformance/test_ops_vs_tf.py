"""TensorFlow ops in an engine against stock TensorFlow: one line of op_cases.py is one test.

Each case is a graph of one op; what TensorFlow's session answers is what the engine must answer: shape, dtype, NaN and
Inf in the same places. A case that says `refused` must stay native with that reason code.
"""
import os
import pathlib
import sys
import warnings

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(pathlib.Path(os.environ.get("GRAFT_BUILD_DIR", ROOT / "build" / "release")) / "python"))
import tensorflow as tf  # noqa: E402

import graftrt  # noqa: E402
import op_cases  # noqa: E402

CASES = op_cases.all_cases()


def graph_of(case, build):
    with tf.Graph().as_default() as graph:
        feeds = [tf.compat.v1.placeholder(a.dtype, shape, name=f"in{i}")
                 for i, (a, shape) in enumerate(zip(case.inputs, case.shapes))]
        results = build(*feeds)
        # One node a result: a converted node keeps its first output's name only.
        results = [tf.identity(r) for r in results] if isinstance(results, (list, tuple)) else [results]
        return graph, [f.name for f in feeds], [r.name for r in results]


def convert(graph, results):
    fetched = sorted({name.split(":")[0] for name in results})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return graftrt.convert(graph.as_graph_def(), fetched, min_segment_size=1, profitable_only=False)


def close(got, want, rtol, what):
    assert got.dtype == want.dtype and got.shape == want.shape, \
        f"{what}: {got.dtype}{got.shape}, TensorFlow {want.dtype}{want.shape}"
    if rtol == 0:
        np.testing.assert_array_equal(got, want, err_msg=what)
        return
    got, want = got.astype(np.float64), want.astype(np.float64)
    scale = np.max(np.abs(want[np.isfinite(want)]), initial=0)
    np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol * scale, err_msg=what)


@pytest.mark.parametrize("case", CASES, ids=[c.name for c in CASES])
def test_op(case):
    graph, feeds, results = graph_of(case, case.build)
    conversion = convert(graph, results)
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
    oracle, _, oracle_results = graph_of(case, case.oracle)
    values = dict(zip(feeds, case.inputs))
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
    assert len({c.name for c in CASES}) == len(CASES)


def test_every_op_has_eight_cases():
    count = {}
    for case in CASES:
        count[case.op] = count.get(case.op, 0) + 1
    assert not {op: n for op, n in count.items() if n < 8}
