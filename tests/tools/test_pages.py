"""The pages with measured figures hold what is in benchmarks/results, nothing else."""

import json
import pathlib
import re

import any_size
import footprint
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


def test_any_size():
    assert any_size.PAGE.read_text() == any_size.page(json.loads(any_size.RESULT.read_text()))


def test_footprint():
    assert footprint.PAGE.read_text() == footprint.page(json.loads(footprint.RESULT.read_text()))


def test_segmenting():
    assert segmenting.PAGE.read_text() == segmenting.page(json.loads(segmenting.RESULT.read_text()))
