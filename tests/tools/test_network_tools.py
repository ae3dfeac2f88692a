"""The networks that tests compare on must be reproducible and must tell right from wrong."""

import networks
import network_check
import network_oracle
import numpy as np
import pytest


@pytest.mark.parametrize("name", networks.SMALL)
def test_network_discriminates(name):
    result = network_check.check(networks.get(name))
    assert result.passed, result.text()


@pytest.mark.parametrize("name", ["toy_resnet", "toy_mobile", "toy_tf1", "mini_bert_mask"])
def test_generation_is_deterministic(name, tmp_path, monkeypatch):
    first = networks.get(name)
    monkeypatch.setattr(networks, "CACHE", tmp_path)
    assert networks.get(name).meta["sha256"] == first.meta["sha256"]


def test_network_without_a_name():
    with pytest.raises(KeyError, match="no network 'nonsense'; there are resnet50"):
        networks.get("nonsense")


def test_any_batch_runs():
    network = networks.get("mini_bert_dynamic")
    for batch, length in ((1, 5), (3, 16)):
        logits = network_check.run(network.graph_def(), [network.logits], network.feeds(batch, length=length))[0]
        assert logits.shape == (batch, 16)


@pytest.mark.parametrize("name", ["toy_resnet", "mini_bert"])
def test_judge_rejects_wrong_answers(name):
    reference = network_oracle.oracle(networks.get(name))
    right = reference.tensorflow
    assert network_oracle.judge(reference, right).passed
    assert network_oracle.judge(reference, right.astype(np.float16), "FP16").passed
    wrong = {"zeros": np.zeros_like(right), "constant": np.full_like(right, right.mean()), "its mean over the batch":
             np.broadcast_to(right.mean(0), right.shape), "one input off": np.roll(right, 1, 0), "nan": right * np.nan,
             "short": right[:2]}
    for what, logits in wrong.items():
        for precision in ("FP32", "FP16"):
            assert not network_oracle.judge(reference, logits, precision).passed, (what, precision)
    noisy = right * (1 + 1e-4)
    assert not network_oracle.judge(reference, noisy).passed
    assert not network_oracle.judge(reference, right * 1.05, "FP16").passed
