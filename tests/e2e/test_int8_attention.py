"""Transformers in INT8: attention included, with masks and lengths that only a run knows."""

import graftrt
import networks
import numpy as np
import pytest

NAMES = ["mini_bert", "mini_bert_mask", "mini_bert_dynamic", "mini_bert_tf1"]


def feeds_of(network, seed, batch=4):
    feeds = network.feeds(batch=batch, seed=seed)
    for name in feeds:
        if "mask" in name:  # the last keys of each sequence are padding
            feeds[name] = (np.arange(feeds[name].shape[1]) < feeds[name].shape[1] - 3 - np.arange(batch)[:, None]).astype(np.int32)
    return feeds


@pytest.mark.parametrize("name", NAMES)
def test_every_product_runs_in_int8(name):
    network = networks.get(name)
    graph = network.graph_def()
    feeds = [feeds_of(network, seed) for seed in range(4)]
    int8 = graftrt.convert(graph, [network.logits], precision="int8", calibration=feeds)
    layers = [layer for engine in int8.report.data["engines"] for layer in engine["layers"] if layer["op"] == "attention"]
    assert layers and all(layer["dtype"] == "int8" for layer in layers)
    assert min(engine["int8_macs_share"] for engine in int8.report.data["engines"]) >= 0.95
    fresh = feeds_of(network, 9, batch=3)
    want = graftrt.convert(graph, [network.logits]).session().run(network.logits, fresh).astype(np.float64)
    got = [int8.session(threads=threads).run(network.logits, fresh) for threads in (1, 2, 3)]
    assert 10 * np.log10(np.sum(want**2) / np.sum((got[0] - want)**2)) > 20
    assert all(np.array_equal(got[0], other) for other in got)
