"""What networks of other kinds than classifiers must do besides being near: decode the same words, stop early, pass over padding,
stay useful in INT8, and be one engine when TensorFlow 1 wrote them. Their logits: test_networks.py.
"""

import graftrt as trt
import mixed
import network_weights as weights
import networks
import numpy as np
import pytest
import tensorflow as tf

TRANSLATORS = ["translator", "translator_cached"]


def ran(conversion, fetches, feeds, threads=2):
    with mixed.session_of(conversion.graph_def, threads) as session:
        return session.run(fetches, {f"{name}:0": value for name, value in feeds.items()})


def plain(network, fetches, feeds):
    with mixed.session_of(network.graph_def()) as session:
        return session.run(fetches, {f"{name}:0": value for name, value in feeds.items()})


def converted(network, **options):
    conversion = trt.convert(network.graph_def(), [network.logits, network.output], profitable_only=False, **options)
    mixed.assert_only_engine(conversion.graph_def)
    return conversion


@pytest.mark.parametrize("name", TRANSLATORS)
def test_greedy_decoding_writes_the_same_words(name, counters):
    network = networks.get(name)
    conversion = converted(network)
    shapes, seen = ((1, 1), (1, 9), (5, 7), (8, 16)), set()
    for batch, length in shapes:
        feeds = network.feeds(batch, seed=batch, length=length)
        words, logits = plain(network, [network.output, network.logits], feeds)
        got, numbers = ran(conversion, [network.output, network.logits], feeds)
        np.testing.assert_array_equal(got, words)
        np.testing.assert_allclose(numbers, logits, rtol=1e-4, atol=1e-4)
        seen |= set(words.ravel())
        alone = conversion.session(threads=2).run([network.output, network.logits], {f"{k}:0": v for k, v in feeds.items()})
        np.testing.assert_array_equal(alone[0], words)
        assert alone[1].tobytes() == numbers.tobytes()
    assert len(seen) > 3, "too few words to tell anything"
    (count,) = counters().values()
    assert count == {"engine": 2 * len(shapes), "native": 0, "calibration": 0}


@pytest.mark.parametrize("name", TRANSLATORS)
def test_decoding_stops_when_every_sentence_has_ended(name):
    """The loop's steps are a matter of data: steps that TensorFlow did not compute are rows of zeros in both."""
    network = networks.get(name)
    conversion = converted(network)
    used = set()
    fetches = [network.output, network.logits]
    with mixed.session_of(network.graph_def()) as plainly, mixed.session_of(conversion.graph_def) as session:
        for seed in range(12):
            feeds = {f"{k}:0": v for k, v in network.feeds(1, seed=seed, length=2 + seed).items()}
            words, logits = plainly.run(fetches, feeds)
            steps = int(np.abs(logits).sum((0, 2)).astype(bool).sum())
            got, numbers = session.run(fetches, feeds)
            np.testing.assert_array_equal(got, words)
            assert not numbers[:, steps:].any() and numbers[:, :steps].any((0, 2)).all()
            used.add(steps)
    assert len(used) > 1, f"every sentence took {used} steps"


@pytest.mark.parametrize("name", TRANSLATORS)
def test_padding_of_the_source_changes_nothing(name):
    network = networks.get(name)
    conversion = converted(network)
    ids = np.maximum(network.feeds(3, seed=4, length=6)["ids"], 1)
    padded = np.pad(ids, [(0, 0), (0, 5)])
    for graph in (ids, padded):
        words = plain(network, network.output, {"ids": graph})
        np.testing.assert_array_equal(ran(conversion, network.output, {"ids": graph}), words)
    assert np.abs(ran(conversion, network.logits, {"ids": ids}) - ran(conversion, network.logits, {"ids": padded})).max() < 1e-4


def test_masks_hold_a_tagger_still_over_padding():
    network = networks.get("tagger")
    conversion = converted(network)
    ids = np.maximum(network.feeds(4, seed=2, length=9)["ids"], 1)
    for i in range(4):
        ids[i, 9 - 2 * i:] = 0
    want = plain(network, network.logits, {"ids": ids})
    got = ran(conversion, network.logits, {"ids": ids})
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)
    for i in range(1, 4):  # the state is held, so the answer repeats
        np.testing.assert_array_equal(got[i, 9 - 2 * i:], got[i, 8 - 2 * i:-1])
    assert ran(conversion, network.logits, {"ids": ids[:, :1]}).shape == (4, 1, 9)


def test_wide_and_deep_takes_any_batch_and_empty_histories():
    network = networks.get("wide_and_deep")
    conversion = converted(network)
    for batch in (1, 3, 64):
        feeds = network.feeds(batch, seed=batch)
        feeds["items"][0] = 0
        want, got = plain(network, network.logits, feeds), ran(conversion, network.logits, feeds)
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
    feeds["ids"][0, 0] = 100  # beyond the table
    with pytest.raises(tf.errors.InvalidArgumentError):
        ran(conversion, network.logits, feeds)


@pytest.mark.parametrize("name", ["unet", "unet_bilinear", "bifpn"])
def test_int8_keeps_the_places_apart(name):
    """Random weights: no bar of trained networks, but nearly all products are in INT8 and most places keep their class."""
    network = networks.get(name)
    data = [network.feeds(2, seed=seed) for seed in range(4)]
    conversion = converted(network, precision="int8", calibration=data)
    (engine,) = conversion.report.data["engines"]
    assert engine["int8_macs_share"] >= 0.9, engine["int8_macs_share"]
    fresh = network.feeds(2, seed=11)
    want = plain(network, network.logits, fresh).astype(np.float64)
    got = [ran(conversion, network.logits, fresh, threads) for threads in (1, 2)]
    assert got[0].tobytes() == got[1].tobytes()
    noise = 10 * np.log10(np.sum(want**2) / np.sum((got[0] - want) ** 2))
    same = (got[0].argmax(-1) == want.argmax(-1)).mean()
    print(f"{name}: {noise:.1f} dB, {same:.1%} of the places in their class, INT8 {engine['int8_macs_share']:.1%}")
    assert noise > 15 and same > 0.8


def unet_of_tf1(side=32):
    """As TensorFlow 1 programs wrote it: FusedBatchNorm and a written-out batch norm, output_shape from tf.shape, align_corners, dropout
    that a placeholder switches off."""
    v1 = tf.compat.v1

    def weight(name, shape, gain=2.0):
        return v1.get_variable(name, initializer=weights.laplace("unet_of_tf1", name, shape, int(np.prod(shape[:3])), gain), use_resource=False)

    def numbers(name, shape, low, high):
        return v1.get_variable(name, initializer=weights.uniform("unet_of_tf1", name, (shape,), low, high), use_resource=False)

    def conv(x, channels, name, fused=True):
        x = tf.nn.conv2d(x, weight(f"{name}/w", (3, 3, x.shape[-1], channels)), 1, "SAME")
        gamma, beta = numbers(f"{name}/gamma", channels, 0.7, 1.3), numbers(f"{name}/beta", channels, -0.3, 0.3)
        mean, variance = numbers(f"{name}/mean", channels, -0.2, 0.2), numbers(f"{name}/variance", channels, 0.5, 1.5)
        if fused:
            return tf.nn.relu(v1.nn.fused_batch_norm(x, gamma, beta, mean, variance, is_training=False)[0])
        return tf.nn.relu(tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-3))

    with tf.Graph().as_default(), v1.Session() as session:
        image = v1.placeholder(tf.float32, [None, side, side, 3], "input")
        keep = v1.placeholder_with_default(1.0, [], "keep")
        a = conv(image, 12, "a")
        b = conv(tf.nn.max_pool2d(a, 2, 2, "SAME"), 24, "b", fused=False)
        c = conv(tf.nn.max_pool2d(b, 2, 2, "SAME"), 32, "c")
        size = tf.shape(b)
        up = tf.nn.conv2d_transpose(c, weight("up/w", (2, 2, 24, 32), 1.0), tf.stack([size[0], size[1], size[2], 24]), 2)
        d = conv(tf.concat([up, b], 3), 24, "d", fused=False)
        d = v1.image.resize_bilinear(d, [side, side], align_corners=True)
        d = conv(tf.concat([d, a], 3), 12, "e") * keep
        logits = tf.nn.bias_add(tf.nn.conv2d(d, weight("f/w", (1, 1, 12, 5), 1.0), 1, "SAME"), numbers("f/b", 5, -0.1, 0.1), name="logits")
        tf.nn.softmax(logits, name="output")
        session.run(v1.global_variables_initializer())
        return v1.graph_util.convert_variables_to_constants(session, session.graph.as_graph_def(), ["output"])


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_unet_of_tensorflow_1_is_one_engine(precision):
    graph_def = unet_of_tf1()
    conversion = trt.convert(graph_def, ["logits", "output"], precision=precision, profitable_only=False)
    left = {node.op for node in mixed.compute_nodes(conversion.graph_def)} - {"TRTEngineOp", "PlaceholderWithDefault"}
    assert not left and len(conversion.report.engines) == 1, conversion.report.text
    assert conversion.report.engines[0]["reference_flops_share"] == 0
    for batch in (1, 3):
        feeds = {"input:0": weights.images((32, 32, 3), batch, batch)}
        with mixed.session_of(graph_def) as session:
            want = session.run("logits:0", feeds)
        with mixed.session_of(conversion.graph_def) as session:
            got = session.run("logits:0", feeds)
        assert np.abs(got - want).max() < (1e-5 if precision == "fp32" else 1e-2) * np.abs(want).max()
        assert want.std() > 0.3
