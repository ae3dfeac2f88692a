"""Fixtures of the end-to-end tests: networks, plain TensorFlow runs, fresh counters.

`tools/` is on the path: `networks` (frozen networks on demand), `network_oracle` (the bar for whole networks).
"""

import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("GRAFT_BUILD_DIR", ROOT / "build" / "release"))
for folder in (ROOT / "tools", ROOT / "examples", BUILD / "python"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import network_check  # noqa: E402
import networks  # noqa: E402


@pytest.fixture(scope="session")
def network():
    """`network(name)` -> networks.Network, made on first use."""
    return networks.get


@pytest.fixture
def run_tf():
    """`run_tf(graph_def, fetches, feeds)` -> arrays, in a session of plain TensorFlow; feeds by node name."""
    return network_check.run


@pytest.fixture(scope="session")
def digits_graph():
    """The trained digits CNN as a GraphDef."""
    import tensorflow as tf

    return tf.compat.v1.GraphDef.FromString((ROOT / "examples" / "digits_cnn.pb").read_bytes())


@pytest.fixture
def counters():
    """graftrt's counters, reset before the test."""
    import graftrt

    graftrt.reset_counters()
    return graftrt.counters
