"""convert(evaluate=, max_drop=): layers go back to floating point, worst first, until the metric is met."""

import json
import pathlib

import graftrt
import numpy as np
import pytest
from graftrt import accuracy


@pytest.fixture(scope="module")
def images():
    import digits
    return digits.load()[2][:64].astype(np.float32)


@pytest.fixture(scope="module")
def digits():
    return str(pathlib.Path(__file__).resolve().parents[2] / "examples" / "digits_cnn.pb")


def closeness(images, digits):
    """A metric that every rounding lowers: minus the largest difference of the outputs from FP32's."""
    want = graftrt.convert(digits, ["output"]).session().run("output", {"input": images})
    calls = []

    def evaluate(session):
        calls.append(-float(np.max(np.abs(session.run("output", {"input": images}) - want))))
        return calls[-1]
    return evaluate, calls


def convert(digits, images, **kwargs):
    return graftrt.convert(digits, ["output"], precision="int8", calibration=[{"input": images[i:i + 16]} for i in (0, 16, 32)], **kwargs)


def test_a_metric_that_is_met_keeps_every_layer(digits, images):
    evaluate, calls = closeness(images, digits)
    result = convert(digits, images, evaluate=evaluate, max_drop=1e3)
    assert result.accuracy.kept == [] and result.accuracy.evaluations == len(calls) == 2
    assert result.accuracy.final == result.accuracy.int8 < result.accuracy.reference == 0
    assert accuracy.int8_layers(result.report)
    assert "100.0 % of the multiply-adds in INT8" in result.report.text


def test_the_worst_layers_go_back_until_the_drop_is_met(digits, images):
    evaluate, calls = closeness(images, digits)
    whole = convert(digits, images)
    layers = accuracy.int8_layers(whole.report)
    drop = -evaluate(whole.session())
    calls.clear()
    result = convert(digits, images, evaluate=evaluate, max_drop=drop / 2)
    control = result.accuracy
    assert 0 < len(control.kept) <= len(layers) and set(control.kept) <= set(layers)
    assert control.reference - control.final <= drop / 2 < control.reference - control.int8
    assert set(accuracy.int8_layers(result.report)) == set(layers) - set(control.kept)
    # One layer fewer is not enough.
    with graftrt.options(keep_float=control.kept[:-1]):
        assert evaluate(convert(digits, images).session()) < -drop / 2
    assert control.time_ratio > 0 and all(name in str(control) for name in control.kept)
    told = json.loads(result.report.json)["accuracy"]
    assert told["floating_layers"] == control.kept and told["time_ratio"] == control.time_ratio
    assert (told["fp32"], told["int8"], told["result"]) == (control.reference, control.int8, control.final)
    assert str(control) in result.report.text and f"run time x {control.time_ratio:.2f}" in result.report.text


def test_the_worst_layer_is_the_first(digits, images):
    whole = convert(digits, images, calibrator="minmax")
    layers = accuracy.int8_layers(whole.report)
    feeds = [{"input": images[:32]}]

    def ranked(spoiled):
        """Layers by rank, where the layer that reads `spoiled` gets a tenth of its range."""
        table = graftrt.CalibrationTable.parse(whole.calibration_table.json())
        table["tensors"][spoiled]["threshold"] /= 10

        def keeping(names):
            with graftrt.options(keep_float=names):
                return graftrt.convert(digits, ["output"], precision="int8", calibration=table)
        return accuracy.rank_layers(graftrt.convert(digits, ["output"]), keeping, layers, ["output"], feeds)

    first, last = ranked("input"), ranked("functional_1/dense_1/Relu")
    assert first[0] == layers[0] and last[0] == layers[-1]
    assert sorted(first) == sorted(last) == sorted(layers)


def test_no_drop_at_all_ends_with_every_layer_floating(digits, images):
    evaluate, _ = closeness(images, digits)
    result = convert(digits, images, evaluate=evaluate, max_drop=1e-5)
    assert accuracy.int8_layers(result.report) == []
    assert result.accuracy.final >= -1e-5


def test_a_metric_that_nothing_meets_is_an_error(digits, images):
    calls = []

    def evaluate(session):
        calls.append(session)
        return 1.0 if len(calls) == 1 else 0.0
    with pytest.raises(graftrt.NotConverted, match="max_drop=0.5"):
        convert(digits, images, evaluate=evaluate, max_drop=0.5)


@pytest.mark.parametrize("kwargs, text", [
    ({"evaluate": 3}, "evaluate: got 3"), ({"evaluate": len, "max_drop": -1}, "max_drop: got -1"),
    ({"max_drop": 0.1}, "evaluate: got None"), ({"evaluate": lambda s: float("nan"), "max_drop": 1}, "NaN"),
])
def test_bad_arguments(digits, images, kwargs, text):
    with pytest.raises(graftrt.InvalidArgument, match=text):
        convert(digits, images, **kwargs)


def test_other_precisions_have_no_control(digits):
    with pytest.raises(graftrt.InvalidArgument, match="'int8'"):
        graftrt.convert(digits, ["output"], evaluate=len, max_drop=0)
