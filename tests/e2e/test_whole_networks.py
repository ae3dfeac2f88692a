"""Whole networks against TensorFlow in double (robustness 3.2 item 7): in one engine, no reference kernels, right logits."""

import graftrt
import network_oracle
import networks
import pytest

# bert_base_tf1 and vgg16 hold 440 and 550 MB: `./dev long networks` has them.
NAMES = networks.SMALL + [n for n in networks.FULL if n not in ("bert_base_tf1", "vgg16")]


@pytest.mark.parametrize("precision", ["FP32", "FP16"])
@pytest.mark.parametrize("name", NAMES)
def test_network_in_one_engine_with_right_logits(name, precision, network, run_tf, counters):
    net = network(name)
    reference = network_oracle.oracle(net)
    fetches = [net.logits.split(":")[0], net.output.split(":")[0]]
    mixed = graftrt.create_inference_graph(net.graph_def(), fetches, precision_mode=precision)
    left = {node.op for node in mixed.node}
    engines = [node.name for node in mixed.node if node.op in ("TRTEngineOp", "GraftEngineOp")]
    assert len(engines) == 1, sorted(left)
    assert left <= {"Placeholder", "TRTEngineOp", "GraftEngineOp", "Identity", "Const"}, sorted(left)
    logits = run_tf(mixed, [net.logits], reference.feeds)[0]
    assert counters()[engines[0]]["engine"] > 0 and counters()[engines[0]]["native"] == 0, counters()
    verdict = network_oracle.judge(reference, logits, precision)
    assert verdict.passed, verdict.text


@pytest.mark.parametrize("name", networks.SMALL)
def test_network_without_tensorflow_gives_the_same(name, network):
    net = network(name)
    reference = network_oracle.oracle(net)
    mixed = graftrt.convert(net.graph_def(), [net.logits, net.output], profitable_only=False)
    session = mixed.session()
    logits = session.run(net.logits, {f"{n}:0": v for n, v in reference.feeds.items()})
    verdict = network_oracle.judge(reference, logits)
    assert verdict.passed, verdict.text
    for engine in session.engines():
        assert engine["reference_flops_share"] == 0, [s for s in engine["steps"] if s["kernel"] == "reference"]


@pytest.mark.parametrize("name", ["toy_resnet", "mini_bert_dynamic"])
def test_any_batch_runs_without_a_rebuild(name, network, run_tf, counters):
    net = network(name)
    mixed = graftrt.create_inference_graph(net.graph_def(), [net.output.split(":")[0]], max_batch_size=4)
    for batch, length in ((1, 5), (3, 9), (8, 30), (13, 16)):
        feeds = net.feeds(batch, seed=batch, length=length)
        got = run_tf(mixed, [net.output], feeds)[0]
        expected = run_tf(net.graph_def(), [net.output], feeds)[0]
        assert abs(got - expected).max() < 1e-5
    assert all(c["native"] == 0 and c["engine"] >= 4 for c in counters().values()), counters()
