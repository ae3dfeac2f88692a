"""Ops that graphs of today may not hold, in graphs whose producer is old enough for them."""
import itertools

import numpy as np
import pytest

import case_runner
from case_runner import tf
from variation import PLAN_DTYPES, cast, normal

M = normal("old", 2, 4, 5)
CASES = [(lower, upper, np.dtype(np.float32)) for lower, upper in itertools.product((-1, 0, 1, 3), (-1, 0, 2))] + [(1, 0, t) for t in PLAN_DTYPES]


@pytest.mark.parametrize("lower, upper, dtype", CASES, ids=[f"{a}_{b}_{t}" for a, b, t in CASES])
def test_batch_matrix_band_part(lower, upper, dtype):
    """Removed in producer 14, in favour of MatrixBandPart, which is the oracle."""
    x = cast(M, dtype)
    with tf.Graph().as_default() as graph:
        fed = tf.compat.v1.placeholder(dtype, [None, 4, 5], name="x")
        y = tf.raw_ops.MatrixBandPart(input=fed, num_lower=np.int64(lower), num_upper=np.int64(upper), name="y")
        truth = tf.compat.v1.placeholder(tf.bool, [1], name="truth")  # a scalar of an old producer may be anything
        tf.raw_ops.SelectV2(condition=truth, t=y, e=y, name="out")
    old = graph.as_graph_def()
    old.versions.producer = 13
    node = next(n for n in old.node if n.name == "y")
    node.op = "BatchMatrixBandPart"
    del node.attr["Tindex"]
    conversion = case_runner.convert(old, ["out"])
    assert not any(n.get("code") for n in conversion.report.data["nodes"] if n["name"] == "y")
    feeds = {"x:0": x, "truth:0": np.array([True])}
    want = case_runner.tf_answer(graph, ["out:0"], feeds)[0]
    np.testing.assert_array_equal(conversion.session().run("out:0", feeds), want)
