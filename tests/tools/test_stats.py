"""The statistics of paired benchmarks."""

import json

import numpy as np
import pytest
import report
import stats


def test_ratio_cancels_common_drift():
    rng = np.random.default_rng(1)
    drift = rng.uniform(1, 3, 60)
    ratio, low, high = stats.ratio_interval(2 * drift * rng.normal(1, 0.02, 60), drift * rng.normal(1, 0.02, 60))
    assert low < 2 < high and high - low < 0.05 and low < ratio < high


@pytest.mark.parametrize("low, high, verdict", [
    (1.03, 1.2, "faster"), (0.98, 1.2, "at least even"), (0.9, 0.97, "slower"), (0.9, 1.1, "open")])
def test_verdict(low, high, verdict):
    assert stats.verdict(low, high) == verdict


def _result(ratio, machine="m"):
    row = {"network": "n", "batch": 1, "peer": {"peer": "tf"}, "ratio": ratio, "low": ratio - 0.02, "high": ratio + 0.02}
    return json.dumps({"machine": {"id": machine, "cpu": machine}, "rows": [row]})


@pytest.mark.parametrize("after, machine, status", [(1.5, "m", 0), (1.48, "m", 0), (1.3, "m", 1), (1.3, "other", 2)])
def test_compare(tmp_path, after, machine, status):
    (tmp_path / "a").write_text(_result(1.5))
    (tmp_path / "b").write_text(_result(after, machine))
    assert report.compare(tmp_path / "a", tmp_path / "b") == status


def test_calibration_has_a_section_where_it_was_measured(tmp_path):
    target = tmp_path / "out.md"
    report.write(tmp_path, target)
    assert "Calibration" not in target.read_text()
    row = {"network": "n", "front": "f", "batch": 8, "batches": [10, 1000], "resident_mib": [1.25, 2.0]}
    (tmp_path / "calibration.json").write_text(json.dumps({
        "machine": {"cpu": "c", "cores": 2, "isa": ["avx2"]}, "memory": {"commit": "abc", "day": "today", "rows": [row]}}))
    report.write(tmp_path, target)
    text = target.read_text()
    assert "| n | f | 8 | 1.2 | 2.0 |" in text and "Commit abc" in text and "observe themselves" not in text
