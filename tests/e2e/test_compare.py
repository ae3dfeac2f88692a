"""graftrt.compare and `graft compare`: FP32 against FP16, INT8 and a spoiled INT8 of the digits CNN; reports; refusals."""

import html.parser
import json
import math
import os
import pathlib
import re
import subprocess

import graftrt as trt
import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("GRAFT_BUILD_DIR", ROOT / "build" / "release"))
GRAFT = BUILD / "python" / "graftrt" / "bin" / "graft"
DIGITS = str(ROOT / "examples" / "digits_cnn.pb")


@pytest.fixture(scope="module")
def batches():
    import digits
    data = digits.load()[2][:96].astype(np.float32)
    return [{"input": data[:64]}, {"input": data[64:]}]


@pytest.fixture(scope="module")
def int8(batches):
    return trt.convert(DIGITS, ["output"], precision="int8", calibration=batches, calibrator="minmax", progress=False)


def in_network_order(result):
    return sorted(result.rows, key=lambda row: row["order"])


def row_of(result, name):
    (row,) = [row for row in result.rows if row["name"] == name]
    return row


class Page(html.parser.HTMLParser):
    """Counts tags; fails on tags that are closed out of order."""

    def __init__(self):
        super().__init__()
        self.open, self.tags = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_graph_is_exact_against_itself(batches):
    result = trt.compare(DIGITS, pathlib.Path(DIGITS).read_bytes(), batches)
    assert len(result.rows) > 5
    for row in result.rows:
        assert row["sqnr_db"] == math.inf and row["max_abs_error"] == 0 and row["cosine"] == pytest.approx(1, abs=1e-12)
    assert result.worst_output_db == math.inf
    assert {"input", "output"} <= {row["name"] for row in result.rows}
    assert row_of(result, "input")["elements"] == sum(batch["input"].size for batch in batches)


def test_fp16_is_near_and_int8_further(batches, int8):
    fp16 = trt.compare(DIGITS, trt.convert(DIGITS, ["output"], precision="fp16", progress=False), batches)
    assert 50 < fp16.worst_output_db < 120
    assert all(row["sqnr_db"] > 50 for row in fp16.rows), fp16.text
    result = trt.compare(DIGITS, int8, batches)
    assert 15 < result.worst_output_db < 60 < fp16.worst_output_db + 30
    assert [row["sqnr_db"] for row in result.rows] == sorted(row["sqnr_db"] for row in result.rows)
    table = int8.calibration_table["tensors"]
    quantized = {row["name"]: row["threshold_b"] for row in result.rows if row["threshold_b"]}
    assert len(quantized) >= 3
    for name, threshold in quantized.items():
        assert threshold == pytest.approx(table[name]["threshold"], rel=1e-5)
        assert row_of(result, name)["sqnr_db"] > 20
    assert all(row["threshold_a"] == 0 for row in result.rows)


def test_figures_are_those_of_the_arrays(batches, int8):
    result = trt.compare(DIGITS, int8, batches)
    data = np.concatenate([batch["input"] for batch in batches])
    a = trt.Session(DIGITS).run("output", {"input": data}).astype(np.float64)
    b = int8.session().run("output", {"input": data}).astype(np.float64)
    row = row_of(result, "output")
    assert row["output"] and row["elements"] == a.size
    # TensorFlow-like FP32 kernels may round otherwise in another fusion.
    assert row["sqnr_db"] == pytest.approx(10 * np.log10((a**2).sum() / ((b - a)**2).sum()), abs=1e-3)
    assert row["max_abs_error"] == pytest.approx(np.abs(b - a).max(), rel=1e-3)
    assert row["mean_error"] == pytest.approx((b - a).mean(), abs=1e-5 * np.abs(a).max())
    assert row["cosine"] == pytest.approx((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()), abs=1e-6)
    assert sum(row["histogram"]["a"]) == sum(row["histogram"]["b"]) == a.size


def test_a_threshold_at_a_quarter_is_found_by_name(batches, int8):
    good = trt.compare(DIGITS, int8, batches)
    quantized = [row["name"] for row in in_network_order(good) if row["threshold_b"]]
    carried = []  # a max pool and a view store what they read: no range of their own is used
    for name in quantized:
        table = trt.CalibrationTable.parse(int8.calibration_table.json())
        table["tensors"][name]["threshold"] /= 4
        spoiled = trt.convert(DIGITS, ["output"], precision="int8", calibration=table, progress=False)
        result = trt.compare(DIGITS, spoiled, batches)
        if row_of(result, name)["threshold_b"] == row_of(good, name)["threshold_b"]:
            assert result.rows == good.rows
            carried.append(name)
            continue
        last = name
        drops = {row["name"]: row_of(good, row["name"])["sqnr_db"] - row["sqnr_db"] for row in result.rows}
        first = next(row["name"] for row in in_network_order(result) if drops[row["name"]] > 10)
        assert first == name, result.text
        assert row_of(result, name)["max_abs_error"] > 10 * row_of(good, name)["max_abs_error"]
        worst = result.rows[0]["name"]
    assert worst == last, result.text  # nothing inside follows the last one
    assert len(quantized) - len(carried) >= 4 and all("pool" in name.lower() or "reshape" in name.lower() for name in carried), carried


def test_pages_and_json_hold_it_all(batches, int8, tmp_path):
    result = trt.compare(DIGITS, int8, batches)
    for suffix in ("html", "json", "txt"):
        result.save(tmp_path / f"r.{suffix}")
    page = Page()
    page.feed((tmp_path / "r.html").read_text())
    assert page.open == []
    assert not re.search(r"https?:|src=|url\(|@import|<script|<link", result.html)
    quantized = [row for row in result.rows if row["threshold_b"]]
    assert sum(tag == "line" and attrs.get("class") == "t" for tag, attrs in page.tags) == len(quantized)
    assert sum(tag == "rect" for tag, _ in page.tags) == len(result.rows)
    assert json.loads((tmp_path / "r.json").read_text())["schema"] == 1
    assert (tmp_path / "r.txt").read_text() == str(result)
    for row in result.rows:
        assert row["name"] in result.text and row["name"] in result.html


def test_int8_against_another_engine_warns_of_its_scaling(batches, int8):
    fp32 = trt.convert(DIGITS, ["output"], progress=False)
    result = trt.compare(fp32, int8, batches)
    assert any("compare with the frozen graph" in warning for warning in result.data["warnings"])
    assert result.worst_output_db > 15
    assert trt.compare(DIGITS, int8, batches).data["warnings"] == []


def test_bad_calls(batches):
    with pytest.raises(trt.InvalidArgument, match="no feeds"):
        trt.compare(DIGITS, DIGITS, [])
    with pytest.raises(trt.InvalidArgument, match="placeholder 'input' must be fed"):
        trt.compare(DIGITS, DIGITS, [{}])
    for threads in (0, -1, "2"):
        with pytest.raises(trt.InvalidArgument, match=f"threads: got {threads!r}"):
            trt.compare(DIGITS, DIGITS, batches, threads=threads)
    with pytest.raises(trt.InvalidArgument, match="nowhere"):
        trt.compare(DIGITS, DIGITS, batches, outputs=["nowhere"])
    with pytest.raises(trt.FileError, match="missing.pb"):
        trt.compare(DIGITS, "missing.pb", batches)
    with pytest.raises(trt.InvalidArgument, match="feeds: feed 0 has 2 arrays"):
        trt.compare(DIGITS, DIGITS, [[batches[0]["input"]] * 2])


def test_command(batches, int8, tmp_path):
    data = np.concatenate([batch["input"] for batch in batches])
    (tmp_path / "set").mkdir()
    np.savez(tmp_path / "set" / "0.npz", data[:50])
    np.savez(tmp_path / "set" / "1.npz", input=data[50:])
    np.savez(tmp_path / "all.npz", input=data)
    int8.save(tmp_path / "int8.pb")

    def compare(*args):
        done = subprocess.run([str(GRAFT), "compare", DIGITS, *map(str, args)], capture_output=True, text=True, timeout=100)
        return done.returncode, done.stdout, done.stderr

    int8_pb, feeds = tmp_path / "int8.pb", ("--feeds", tmp_path / "all.npz")
    code, text, errors = compare(int8_pb, *feeds, "--json", tmp_path / "r.json", "--html", tmp_path / "r.html", "--threshold-db", 10)
    assert code == 0, errors
    rows = json.loads((tmp_path / "r.json").read_text())["tensors"]
    assert [line.split()[-1] for line in text.splitlines()[-len(rows):]] == [row["name"] for row in rows]
    assert "</html>" in (tmp_path / "r.html").read_text()
    code, _, errors = compare(int8_pb, "--feeds", tmp_path / "set", "--json", tmp_path / "s.json", "--batch", 17, "--quiet")
    assert code == 0, errors
    by_name = {row["name"]: row for row in json.loads((tmp_path / "s.json").read_text())["tensors"]}
    for row in rows:  # other slices, the same elements
        assert by_name[row["name"]]["elements"] == row["elements"]
        assert by_name[row["name"]]["histogram"] == row["histogram"]
        assert float(by_name[row["name"]]["sqnr_db"]) == pytest.approx(float(row["sqnr_db"]), abs=1e-3)
    code, _, errors = compare(int8_pb, *feeds, "--threshold-db", 90)
    assert code == 4 and "comparison failed" in errors
    assert compare(DIGITS, *feeds, "--threshold-db", 1e6)[0] == 0
    assert compare(int8_pb)[0] == 2
    code, _, errors = compare(tmp_path / "none.pb", *feeds)
    assert code == 1 and "none.pb" in errors
    np.savez(tmp_path / "two.npz", input=data, other=data)
    code, _, errors = compare(int8_pb, "--feeds", tmp_path / "two.npz")
    assert code == 1 and "other" in errors
