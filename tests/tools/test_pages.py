"""The pages with measured figures hold what is in benchmarks/results, nothing else."""

import json
import pathlib
import re

import any_size
import footprint
import layers_report
import ops_report
import report
import segmenting

ROOT = pathlib.Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"


def test_benchmarks():
    assert (ROOT / "docs" / "benchmarks.md").read_text() == report.page(RESULTS)


def test_the_table_of_the_readme():
    text = (ROOT / "README.md").read_text()
    assert report.readme(RESULTS, text) == text
    spoiled = re.sub(r"\d\.\d\d \[", "99 [", text)
    assert spoiled != text and report.readme(RESULTS, spoiled) == text


def test_layers():
    assert (ROOT / "docs" / "layers.md").read_text() == layers_report.page(layers_report.read(RESULTS))


def test_every_plot_of_the_pages_is_there():
    for page in ("benchmarks.md", "layers.md"):
        plots = re.findall(r"\]\((plots/[^)]+)\)", (ROOT / "docs" / page).read_text())
        assert plots, page
        for plot in plots:
            assert (ROOT / "docs" / plot).read_text().lstrip().startswith("<?xml"), plot


def test_a_layers_share_is_that_of_its_nearer_roof():
    peaks = {"fp32_gflops": 100.0, "int8_gops": 200.0, "l2_gbytes": 50.0, "memory_gbytes": 10.0}
    product = {"name": "a", "op": "conv", "kernel": "conv_igemm_f32", "us": 20.0, "flops": 1e6, "bytes": 1e5}
    move = {"name": "b", "op": "add", "kernel": "binary", "us": 4.0, "flops": 1e4, "bytes": 1e5}
    quantized = {**product, "kernel": "conv_igemm_int8"}
    rows = layers_report.shares({"peaks": peaks, "precision": "int8", "layers": [product, move, quantized]})
    assert [(round(share, 3), bound) for share, bound, _ in rows] == [(0.5, "arithmetic"), (0.5, "traffic"), (0.25, "arithmetic")]


def test_any_size():
    assert any_size.PAGE.read_text() == any_size.page(json.loads(any_size.RESULT.read_text()))


def test_footprint():
    assert footprint.PAGE.read_text() == footprint.page(json.loads(footprint.RESULT.read_text()))


def test_segmenting():
    assert segmenting.PAGE.read_text() == segmenting.page(json.loads(segmenting.RESULT.read_text()))


def test_op_speed():
    assert (ROOT / "docs" / "op-speed.md").read_text() == ops_report.page(RESULTS)


def test_ops_slower_are_named():
    row = {"op": "Sin", "dtype": "float32", "elements": 1000, "threads": 2, "commit": "c", "day": "2026-01-01", "peer_us": 9.0,
           "graft_us": 10.0, "ratio": 0.9, "low": 0.85, "high": 0.95, "pairs": 9, "error": 0.0, "verdict": "slower"}
    info = {"cpu": "a", "cores": 2, "isa": ["avx2"], "id": "0", "kernel": "k"}
    even = row | {"op": "Cos", "ratio": 1.0, "high": 1.1}
    lost = {key: row[key] for key in ("dtype", "elements", "threads", "commit", "day")} | {"op": "Tan", "not_measured": "it | stays"}
    text = "".join(ops_report._table({"machine": info, "ops": [even, row, lost]}))
    assert "1 of 2 at least even" in text and "Slower: Sin float32 0.90." in text and "not measured: it / stays" in text
