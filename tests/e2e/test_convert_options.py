"""Options of graftrt.convert: a wrong value is named, a scope of options reaches the call, nothing is dropped in silence."""

import graftrt as trt
import networks
import numpy as np
import pytest
import test_qat
from graftrt import conversion


@pytest.mark.parametrize("options, text", [
    ({"strict": "al"}, "strict: got 'al'"), ({"threads": 0}, "threads: got 0"), ({"threads": 2.0}, "threads: got 2.0"),
    ({"max_batch_size": 0}, "max_batch_size: got 0"), ({"max_engines": "3"}, "max_engines: got '3'"), ({"min_segment_size": -2}, "min_segment_size: got -2"),
    ({"time_budget_s": "soon"}, "time_budget_s: got 'soon'"), ({"time_budget_s": float("nan")}, "time_budget_s: got nan"),
    ({"precision": "int8", "evaluate": lambda session: 1.0}, "evaluate: .* calibration=None")])
def test_wrong_values_are_named(options, text):
    with pytest.raises(trt.InvalidArgument, match=text):
        trt.convert(networks.get("toy_mobile").path, **options)


def test_accuracy_control_of_given_ranges_is_refused():
    feeds = [{"x": np.zeros((2, 12, 12, 3), np.float32)}]
    with pytest.raises(trt.Unsupported, match="evaluate: the graph's quantization nodes give the ranges"):
        trt.convert(test_qat.network(test_qat.v3), ["y"], precision="int8", calibration=feeds, evaluate=lambda session: 1.0)


def test_options_around_convert_reach_it(monkeypatch):
    given, real = [], conversion._job.run
    monkeypatch.setattr(conversion._job, "run", lambda data, options, **kwargs: given.append(options) or real(data, options, **kwargs))
    path = networks.get("toy_mobile").path
    with trt.options(max_engines=2, native_segments=True, fp32_math="strict"):
        trt.convert(path)
        trt.convert(path, max_engines=1)
    trt.convert(path)
    told = [(options["max_engines"], options["native_segments"], options["strict_math"]) for options in given]
    assert told == [(2, True, True), (1, True, True), (0, False, False)]
