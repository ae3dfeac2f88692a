"""Whole networks: one engine, nothing in reference kernels, logits within the bar against TensorFlow in double.

The large networks that are not here run as `./dev long networks`.
"""

import graftrt as trt
import mixed
import network_oracle
import networks
import pytest

SMALL = ["toy_resnet", "toy_mobile", "toy_tf1", "mini_bert", "mini_bert_mask", "mini_bert_dynamic", "mini_bert_tf1"]
KINDS = ["unet", "unet_bilinear", "bifpn", "translator", "translator_cached", "tagger", "forecaster", "wide_and_deep"]
LARGE = ["resnet50", "mobilenetv2", "efficientnetb0"]


def convert(network, precision):
    outputs = [network.logits, network.output]
    return trt.convert(network.graph_def(), outputs, precision=precision, profitable_only=False)


@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
@pytest.mark.parametrize("name", SMALL + KINDS + LARGE)
def test_one_engine_and_logits_in_the_bar(name, precision):
    network = networks.get(name)
    conversion = convert(network, precision)
    graph_def = conversion.graph_def
    mixed.assert_only_engine(graph_def)
    (engine,) = conversion.report.engines
    assert engine["reference_flops_share"] == 0, [layer for layer in engine["layers"]]
    reference = network_oracle.oracle(network)
    with mixed.session_of(graph_def) as session:
        logits = session.run(network.logits, {f"{k}:0": v for k, v in reference.feeds.items()})
    verdict = network_oracle.judge(reference, logits, precision.upper())
    print(f"{name} {precision}: {verdict.text}")
    assert verdict.passed, verdict.text


def test_the_trained_network_is_one_engine_of_kernels(digits_graph):
    conversion = trt.convert(digits_graph, ["output"], profitable_only=False)
    mixed.assert_only_engine(conversion.graph_def)
    (engine,) = conversion.report.engines
    assert engine["reference_flops_share"] == 0 and "0.00 % of FLOPs in reference kernels" in conversion.report.text


@pytest.mark.parametrize("name", ["toy_resnet", "mini_bert"])
def test_a_constant_answer_fails_the_bar(name):
    """The oracle itself can fail: an engine that returned its bias, or one row for all, would be seen."""
    reference = network_oracle.oracle(networks.get(name))
    assert not network_oracle.judge(reference, reference.exact * 0).passed
    one_row = reference.exact[:1].repeat(len(reference.exact), 0)
    assert not network_oracle.judge(reference, one_row).passed
    assert not network_oracle.judge(reference, one_row, "FP16").passed
    assert not network_oracle.judge(reference, one_row, "BF16").passed


@pytest.mark.parametrize("precision, dtype", [("fp16", "float16"), ("bf16", "bfloat16")])
@pytest.mark.parametrize("name", ["toy_resnet", "mini_bert", "resnet50"])
def test_narrow_plan_is_half_the_size(name, precision, dtype):
    network = networks.get(name)
    wide, narrow = (convert(network, p).report.engines[0] for p in ("fp32", precision))
    if name == "resnet50":
        assert narrow["plan_bytes"] <= 0.52 * wide["plan_bytes"]
        assert wide["plan_bytes"] <= 1.02 * wide["weights_bytes"]
    else:
        assert narrow["plan_bytes"] < 0.75 * wide["plan_bytes"]
    # The first convolution has three channels, too few for bfloat16.
    convs = [layer["weights_dtype"] for layer in narrow["layers"] if layer["op"] == "conv"]
    assert convs == (["float32"] * (precision == "bf16") + [dtype] * len(convs))[:len(convs)]


@pytest.mark.parametrize("name", ["toy_resnet", "mini_bert", "mobilenetv2"])
def test_without_tensorflow_gives_the_same_bits(name):
    network = networks.get(name)
    conversion = convert(network, "fp32")
    feeds = {f"{k}:0": v for k, v in network.feeds(3, seed=5).items()}
    with mixed.session_of(conversion.graph_def) as session:
        in_tensorflow = session.run(network.logits, feeds)
    alone = conversion.session(threads=2).run(network.logits, feeds)
    assert alone.tobytes() == in_tensorflow.tobytes()
