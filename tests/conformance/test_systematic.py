"""A seeded sample of the generated cases against TensorFlow; `./dev long conformance` runs them all.

An engine answers as TensorFlow does, or the node is refused for a reason that docs/tf-ops.md lists for the op.
GRAFT_CONFORMANCE_SEED chooses another sample.
"""
import os

import numpy as np
import pytest

import case_runner
import evidence
import tf_ops_page
import variation

PER_OP = 7


def sample():
    seed = int(os.environ.get("GRAFT_CONFORMANCE_SEED", "1"))
    by_op = {}
    for probe in variation.probes():
        by_op.setdefault(probe.op, []).append(probe)
    chosen = []
    for op in sorted(by_op):
        order = np.random.default_rng([seed, *op.encode()]).permutation(len(by_op[op]))[:PER_OP]
        chosen += [by_op[op][i] for i in sorted(order)]
    return chosen


SAMPLE = sample()


@pytest.fixture(scope="module")
def page():
    return tf_ops_page.sections()


@pytest.mark.parametrize("probe", SAMPLE, ids=[p.name for p in SAMPLE])
def test_case(probe, page):
    outcome = case_runner.outcome(probe)
    missing = tf_ops_page.missing(probe, outcome, page)
    assert not missing, f"docs/tf-ops.md does not say it (`./dev python tools/long_conformance.py {probe.op}` writes it anew): {missing}"


def test_page_has_the_accepted_ops():
    assert list(tf_ops_page.sections()) == evidence.accepted()


def test_page_is_compared():
    """A refusal or a dtype that the page does not have is found."""
    page, probe = tf_ops_page.sections(), next(p for p in variation.probes() if p.op == "LeakyRelu" and not p.changed)
    equal = case_runner.Outcome("equal")
    assert not tf_ops_page.missing(probe, equal, page)
    assert tf_ops_page.missing(probe, case_runner.Outcome("refused", "dtype", "the weather is bad"), page)
    assert tf_ops_page.missing(probe, equal, page | {"LeakyRelu": [line.replace("float32", "float33") for line in page["LeakyRelu"]]})
    slow = page | {"LeakyRelu": [line.replace("float32,", "float32 *reference*,") for line in page["LeakyRelu"]]}
    assert tf_ops_page.missing(probe, equal, slow)
