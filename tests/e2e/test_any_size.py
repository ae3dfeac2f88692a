"""Networks whose image height and width are unknown: one engine answers at any size and batch, as TensorFlow does."""

import graftrt as trt
import mixed
import networks
import numpy as np
import pytest
import tensorflow as tf

SIZES = [(1, 32, 32), (3, 47, 33), (1, 64, 24), (2, 7, 61), (130, 32, 32), (1, 32, 32)]


def of_any_size(network):
    """The network's frozen graph with an open batch, height and width."""
    graph_def = network.graph_def()
    (placeholder,) = (node for node in graph_def.node if node.op == "Placeholder")
    for node in graph_def.node:
        node.attr.pop("_output_shapes", None)
    for dim in placeholder.attr["shape"].shape.dim[:3]:
        dim.size = -1
    return graph_def, f"{placeholder.name}:0"


def assert_as_tensorflow(name, sizes, counters):
    network = networks.get(name)
    graph_def, image = of_any_size(network)
    converted = trt.create_inference_graph(graph_def, [network.logits], max_batch_size=8)
    assert [node.op for node in mixed.compute_nodes(converted)] == ["TRTEngineOp"]
    alone = trt.Session(converted)
    with mixed.session_of(graph_def) as native, mixed.session_of(converted) as session:
        for seed, (batch, height, width) in enumerate(sizes):
            data = mixed.images(batch, (height, width, 3), seed)
            want, got = native.run(network.logits, {image: data}), session.run(network.logits, {image: data})
            assert want.std() > 0
            np.testing.assert_allclose(got, want, rtol=0, atol=2e-5 * np.abs(want).max(), err_msg=str(data.shape))
            assert alone.run(network.logits, {image: data}).tobytes() == got.tobytes()
    counts = counters().values()
    assert sum(c["engine"] for c in counts) >= len(sizes) and not any(c["native"] for c in counts), counts


@pytest.mark.parametrize("name", ["toy_resnet", "toy_mobile"])
def test_I2_unknown_height_and_width_run_at_any_size(name, counters):
    assert_as_tensorflow(name, SIZES, counters)


@pytest.mark.parametrize("name", ["resnet50", "mobilenetv2"])
def test_I2_large_networks_at_any_size(name, counters):
    assert_as_tensorflow(name, [(1, 160, 96), (2, 65, 224), (1, 224, 224)], counters)
