"""The accuracy measurements: reproducible images, stored networks, known figures, controls that the bars see."""

import hashlib
import json
import pathlib
import sys

import numpy as np
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "benchmarks" / "accuracy"))

import controls  # noqa: E402
import evaluate  # noqa: E402
import graphs  # noqa: E402
import hard_digits  # noqa: E402
import record  # noqa: E402
import simulate  # noqa: E402

HELDOUT_64 = "26403b845d9a611afb517678184334e2688c1c57fdacbfce96265baef07bca46"
TOP1 = {"cnn": 0.9564, "resnet": 0.9606, "mobilenet": 0.9662, "transformer": 0.9413}  # on 10,000 held-out images


@pytest.fixture(scope="module")
def heldout():
    return hard_digits.images("heldout", 1_000, 1)


@pytest.fixture(scope="module")
def frozen():
    known = {}
    return lambda name: known.setdefault(name, graphs.frozen(name))


def test_images_are_the_same_everywhere():
    gray, labels = hard_digits.pixels("heldout", 64, 1)
    assert hashlib.sha256(gray.tobytes()).hexdigest() == HELDOUT_64
    assert gray.shape == (64, 24, 24) and gray.dtype == np.uint8 and set(labels) == set(range(10))
    more, _ = hard_digits.pixels("heldout", 70, 1)
    assert np.array_equal(more[:64], gray)
    assert not np.array_equal(hard_digits.pixels("heldout", 64, 2)[0], gray)


def test_splits_share_no_original():
    rows = hard_digits.split_rows()
    assert [len(rows[split]) for split in ("train", "calibration", "heldout")] == [1200, 100, 497]
    assert len(np.unique(np.concatenate(list(rows.values())))) == 1797
    for split in rows:
        counts = np.bincount(hard_digits.originals(split)[1], minlength=10)
        assert counts.max() - counts.min() <= max(3, 0.08 * counts.sum() / 10)


@pytest.mark.parametrize("name", TOP1)
def test_stored_weights_give_the_recorded_accuracy(name, frozen, heldout):
    images, labels = heldout
    top1 = np.mean(graphs.run(frozen(name), images).argmax(1) == labels)
    sigma = np.sqrt(TOP1[name] * (1 - TOP1[name]) / len(labels))
    assert abs(top1 - TOP1[name]) < 3 * sigma


def test_frozen_graph_is_the_same_again(frozen):
    first, again = frozen("cnn"), graphs.frozen("cnn")
    assert first.SerializeToString(deterministic=True) == again.SerializeToString(deterministic=True)


def _logits(winners):
    return np.eye(10)[winners]


def test_figures_of_known_logits():
    labels = np.arange(1000) % 10
    fp32, int8 = labels.copy(), labels.copy()
    fp32[:50] = (labels[:50] + 1) % 10     # FP32: 95.0 %
    int8[10:80] = (labels[10:80] + 2) % 10  # INT8: 93.0 %; it wins 10 and loses 30
    row = evaluate.figures(_logits(fp32), _logits(int8), labels)
    assert (row["fp32_top1"], row["int8_top1"], row["agreement"]) == (0.95, 0.93, 0.92)
    assert row["drop_points"] == pytest.approx(2.0)
    sigma = 100 * np.sqrt((0.04 - 0.02**2) / 1000)  # of the mean of 30 ones and 10 minus ones
    assert row["drop_high"] - row["drop_low"] == pytest.approx(2 * 1.96 * sigma, rel=0.1)
    assert row["drop_low"] < 2 < row["drop_high"]
    assert row["sqnr_db"] == pytest.approx(10 * np.log10(1000 / 160))
    assert evaluate.misses("cnn", row) == ["drop", "agreement", "SQNR"]
    row |= {"drop_points": 0.3, "agreement": 0.985, "sqnr_db": 20.0, "int8_macs": 0.949}
    assert evaluate.misses("cnn", row) == ["MACs"]
    assert evaluate.misses("mobilenet", row | {"drop_points": 0.5, "int8_macs": 0.95}) == []


def test_evaluate_runs_every_image_once_in_order():
    images, labels = np.arange(1050), np.arange(1050) % 10
    row = evaluate.evaluate(lambda x: _logits(x % 10), lambda x: _logits(x % 10), images, labels, batch=100)
    assert (row["images"], row["int8_top1"], row["drop_points"], row["sqnr_db"]) == (1050, 1.0, 0.0, np.inf)
    assert (row["drop_low"], row["drop_high"]) == (0, 0)
    with pytest.raises(ValueError, match="not finite"):
        evaluate.figures(_logits(labels), _logits(labels) * np.nan, labels)
    with pytest.raises(ValueError, match="labels"):
        evaluate.figures(_logits(labels), _logits(labels), labels[1:])


def test_model_of_int8_meets_the_bars_and_the_controls_miss_them(frozen, heldout):
    graph, images, labels = frozen("mobilenet"), heldout[0][:600], heldout[1][:600]
    reference = graphs.run(graph, images)
    calibration, _ = hard_digits.images("calibration", 200, 1)
    ranges = simulate.thresholds(graph, calibration)

    def misses(source, thresholds, **options):
        answer = graphs.run(simulate.quantized(source, thresholds, **options), images)
        return evaluate.misses("mobilenet", evaluate.figures(reference, answer, labels))

    assert misses(graph, ranges) == []
    assert misses(graph, ranges, per_tensor_weights=True)
    assert misses(graph, {name: value / 2 for name, value in ranges.items()})
    doubled = controls.doubled_scale(graph)
    assert misses(doubled, simulate.thresholds(doubled, calibration))
    (feed, *_) = controls.planted_outlier([{"input": calibration}])
    assert misses(graph, simulate.thresholds(graph, feed["input"]))


def test_halved_table():
    table = json.dumps({"format": "graft-calibration", "tensors": {"a": {"threshold": 3.0, "min": -1.0, "max": 3.0}}})
    assert json.loads(controls.halved_thresholds(table))["tensors"]["a"] == {"threshold": 1.5, "min": -0.5, "max": 1.5}


def test_page_is_written_from_the_recorded_rows():
    rows = json.loads(record.RESULTS.read_text())
    assert record.PAGE.read_text() == record.page(rows)
    assert {row["network"] for row in rows} == set(TOP1)
    for row in rows:
        assert row["images"] == 10_000 and row["misses"] == evaluate.misses(row["network"], row)
    other = {**rows[0], "int8_top1": 0.5}
    new = {**rows[0], "case": "another"}
    assert record.merged(rows, [new, other]) == [other, *rows[1:], new]
