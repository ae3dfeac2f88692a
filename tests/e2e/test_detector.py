"""A detector in one engine: convolutions, box decoding, scores and CombinedNonMaxSuppression, as an SSD has them."""

import graftrt as trt
import mixed
import numpy as np
import pytest
import tensorflow as tf

CLASSES = 6
SIZES = ((0.2, 0.2), (0.1, 0.3), (0.35, 0.25))  # of the anchors of a place
OUTPUTS = ["boxes", "scores", "classes", "count"]


def anchors(height, width):
    """[height * width * anchors, 4]: centre and size."""
    y, x = np.meshgrid((np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width, indexing="ij")
    places = [np.stack([y, x, np.full_like(y, h), np.full_like(x, w)], -1) for h, w in SIZES]
    return np.stack(places, 2).reshape(-1, 4).astype(np.float32)


def decoded(encoded, priors):
    """Corners of the boxes that the network's four numbers say, one anchor a row."""
    dy, dx, dh, dw = tf.split(encoded, 4, axis=2)
    y, x, h, w = np.split(priors[None], 4, axis=2)
    cy, cx = dy / 10.0 * h + y, dx / 10.0 * w + x
    half_h, half_w = tf.exp(dh / 5.0) * h / 2.0, tf.exp(dw / 5.0) * w / 2.0
    return tf.concat([cy - half_h, cx - half_w, cy + half_h, cx + half_w], axis=2)


def detector(seed=3, size=32, pad_per_class=False, per_class=10, total=25):
    weights = np.random.default_rng(seed)

    def conv(x, channels, kernel=3, stride=1, act=tf.nn.relu6):
        shape = (kernel, kernel, x.shape[-1], channels)
        kernel = tf.constant(weights.normal(size=shape, scale=(2 / np.prod(shape[:3])) ** 0.5).astype(np.float32))
        return act(tf.nn.conv2d(x, kernel, stride, "SAME") + tf.constant(weights.normal(size=channels, scale=0.3).astype(np.float32)))

    with tf.Graph().as_default() as graph:
        image = tf.compat.v1.placeholder(tf.float32, [None, size, size, 3], name="image")
        x = conv(conv(image, 16, stride=2), 32, stride=2)
        encoded, scores, priors = [], [], []
        for _ in range(2):  # two scales
            batch = tf.shape(x)[0]
            side = x.shape[1]
            heads = conv(x, len(SIZES) * 4, act=tf.identity), conv(x, len(SIZES) * CLASSES, act=tf.identity)
            encoded.append(tf.reshape(heads[0], tf.stack([batch, -1, 4])))
            scores.append(tf.reshape(heads[1], tf.stack([batch, -1, CLASSES])))
            priors.append(anchors(side, side))
            x = conv(x, 32, stride=2)
        boxes = decoded(tf.concat(encoded, 1), np.concatenate(priors))
        results = tf.image.combined_non_max_suppression(
            tf.expand_dims(boxes, 2), tf.sigmoid(tf.concat(scores, 1)), per_class, total, 0.5, 0.3, pad_per_class)
        for result, name in zip(results, OUTPUTS, strict=True):
            tf.identity(result, name=name)
    return graph.as_graph_def()


def images(count, size=32):
    return {"image:0": mixed.images(count, (size, size, 3), seed=count)}


def compare(got, want, what):
    """Which boxes are detected must be equal; the network's own numbers are rounded differently."""
    for name, g, w in zip(OUTPUTS, got, want, strict=True):
        assert g.dtype == w.dtype and g.shape == w.shape, f"{what} {name}"
    boxes, scores, classes, count = want
    np.testing.assert_array_equal(got[3], count, err_msg=what)
    np.testing.assert_array_equal(got[2], classes, err_msg=what)
    np.testing.assert_allclose(got[1], scores, rtol=1e-5, atol=1e-6, err_msg=what)
    np.testing.assert_allclose(got[0], boxes, rtol=1e-4, atol=1e-5, err_msg=what)
    assert count.min() > 5, "too few detections to tell anything"


@pytest.mark.parametrize("pad_per_class", [False, True])
def test_detector_is_one_engine_and_answers_as_tensorflow(pad_per_class, counters):
    graph_def = detector(pad_per_class=pad_per_class, per_class=3 if pad_per_class else 10)
    conversion = trt.convert(graph_def, OUTPUTS)
    mixed.assert_only_engine(conversion.graph_def)
    fetched = [f"{name}:0" for name in OUTPUTS]
    batches = (1, 2, 5)
    with mixed.session_of(graph_def) as session:
        wants = [session.run(fetched, images(batch)) for batch in batches]
    for threads in (1, 4):
        with mixed.session_of(conversion.graph_def, threads) as session:
            for batch, want in zip(batches, wants, strict=True):
                compare(session.run(fetched, images(batch)), want, f"batch {batch}, {threads} threads")
    for batch, want in zip(batches, wants, strict=True):
        compare(conversion.session().run(fetched, images(batch)), want, f"batch {batch}, without TensorFlow")
    (count,) = counters().values()
    assert count == {"engine": 3 * len(batches), "native": 0, "calibration": 0}


def test_second_stage_crops_and_the_padded_suppression(counters):
    """Regions by NonMaxSuppressionV5, cut out by CropAndResize and classified, as a two-stage detector does."""
    weights = np.random.default_rng(7)
    kernel = weights.normal(size=(3, 3, 3, 24)).astype(np.float32)
    dense = weights.normal(size=(7 * 7 * 24, 5)).astype(np.float32)
    with tf.Graph().as_default() as graph:
        image = tf.compat.v1.placeholder(tf.float32, [1, 40, 40, 3], name="image")
        proposals = tf.compat.v1.placeholder(tf.float32, [None, 4], name="proposals")
        likely = tf.compat.v1.placeholder(tf.float32, [None], name="likely")
        features = tf.nn.relu(tf.nn.conv2d(image, kernel, 2, "SAME"))
        picks, scores, valid = tf.raw_ops.NonMaxSuppressionV5(
            boxes=proposals, scores=likely, max_output_size=12, iou_threshold=0.4, score_threshold=0.05, soft_nms_sigma=0.0,
            pad_to_max_output_size=True)
        regions = tf.gather(proposals, picks)
        crops = tf.image.crop_and_resize(features, regions, tf.zeros_like(picks), [14, 14])
        pooled, where = tf.nn.max_pool_with_argmax(crops, 2, 2, "VALID", include_batch_in_index=True)
        logits = tf.matmul(tf.reshape(pooled, [12, -1]), tf.constant(dense))
        for result, name in ((logits, "logits"), (crops, "crops"), (where, "where"), (scores, "scores"), (valid, "valid"), (picks, "picks")):
            tf.identity(result, name=name)
    names = ["logits", "crops", "where", "scores", "valid", "picks"]
    graph_def = graph.as_graph_def()
    conversion = trt.convert(graph_def, names)
    mixed.assert_only_engine(conversion.graph_def)
    fetched = [f"{name}:0" for name in names]
    for count in (80, 3):
        corner = weights.uniform(0, 0.6, (count, 2))
        feeds = {"image:0": mixed.images(1, (40, 40, 3), seed=count), "likely:0": weights.uniform(0, 1, count).astype(np.float32),
                 "proposals:0": np.concatenate([corner, corner + weights.uniform(0.1, 0.4, (count, 2))], 1).astype(np.float32)}
        with mixed.session_of(graph_def) as session:
            want = session.run(fetched, feeds)
        with mixed.session_of(conversion.graph_def) as session:
            got = session.run(fetched, feeds)
        for name, g, w in zip(names, got, want, strict=True):
            assert g.dtype == w.dtype and g.shape == w.shape
            if name in ("logits", "crops"):
                np.testing.assert_allclose(g, w, rtol=1e-4, atol=1e-4 * np.abs(w).max())
            elif name == "where":  # of two that are one but for rounding either may be the greater
                crops = want[1].ravel()
                np.testing.assert_allclose(crops[g], crops[w], rtol=1e-5, atol=1e-5)
            else:
                np.testing.assert_array_equal(g, w, err_msg=name)
        assert 0 < want[4] <= 12
    (runs,) = counters().values()
    assert runs == {"engine": 2, "native": 0, "calibration": 0}
