"""benchmarks/bench.py: what a run leaves behind, whether it ends or is cut short."""

import argparse
import json

import bench
import paired
import pytest
import report

MACHINE = {"id": "m", "cpu": "c", "cores": 2, "isa": ["avx2"], "kernel": "k"}


def row(peer, ratio=1.5):
    side = {"p50_ms": 2.0, "cpu_per_wall": 1.0, "settings": "s"}
    return {"network": "n", "batch": 1, "peer": {"peer": peer, **side}, "base": {"peer": "graft", **side}, "pairs": 30, "dropped": 0,
            "ratio": ratio, "low": 1.4, "high": 1.6, "verdict": "faster", "outputs": {"max_error_over_std": 1e-6}}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs `bench` over peers whose rows `measure` makes; gives (status or exception, files, page)."""
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    monkeypatch.setattr(bench, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(bench, "PAGE", tmp_path / "docs" / "benchmarks.md")
    monkeypatch.setattr(bench, "README", tmp_path / "README.md")
    bench.README.write_text("before\n\n| network | batch | old |\n|---|---|---|\n| n | 1 | 9.99 |\n\nbehind\n")
    monkeypatch.setattr(bench, "_prepare", lambda names, wanted: None)
    monkeypatch.setattr(bench, "_commit", lambda: "abc")
    monkeypatch.setattr(bench.layers_report, "draw", lambda results, docs: None)
    monkeypatch.setattr(bench.machine, "describe", lambda: MACHINE)

    def go(wanted, measure):
        monkeypatch.setattr(paired, "measure", lambda peer, *_: measure(peer))
        try:
            status = bench.bench(argparse.Namespace(networks=["n"], batch=[1], peers=wanted, base="graft", threads=2, pairs=30,
                                                    budget=1.0, absolute=False))
        except KeyboardInterrupt as interrupt:
            status = interrupt
        files = sorted((tmp_path / "results").glob("*"))
        return status, files, bench.PAGE.read_text()

    return go


def test_a_run_cut_short_keeps_its_rows(run):
    def measure(peer):
        if peer == "xla":
            raise KeyboardInterrupt
        return row(peer)

    status, files, page = run(["tf", "openvino", "xla"], measure)
    assert isinstance(status, KeyboardInterrupt)
    assert [path.suffix for path in files] == [".json"]
    assert [r["peer"]["peer"] for r in json.loads(files[0].read_text())["rows"]] == ["tf", "openvino"]
    assert "| n | openvino |" in page and "xla" not in page
    assert "9.99" not in bench.README.read_text()


def test_each_row_is_saved_before_the_next_is_measured(run, tmp_path):
    saved = []

    def measure(peer):
        saved.append([len(json.loads(path.read_text())["rows"]) for path in (tmp_path / "results").glob("*.json")])
        return row(peer)

    assert run(["tf", "openvino", "xla"], measure)[0] == 0
    assert saved == [[], [1], [2]]


def test_what_was_not_measured_is_said_and_hides_no_earlier_figure(run, tmp_path):
    def measure(peer):
        raise paired.SideError(f"{peer}: broken")

    status, files, page = run(["tf"], measure)
    assert status == 1 and "| n | tf | not measured: tf: broken |" in page
    result = json.loads(files[0].read_text())
    (tmp_path / "results" / "1.json").write_text(json.dumps({**result, "rows": [row("tf")]}))
    report.write(tmp_path / "results", bench.PAGE)
    text = bench.PAGE.read_text()
    assert "1.50" in text and "not measured" not in text


def test_the_readme_shows_the_better_setting_and_marks_one_that_was_not_measured(run, monkeypatch):
    monkeypatch.setattr(report, "LABELS", {"n": "N"})
    files = run(["tf-onednn", "openvino"], lambda peer: row(peer))[1]
    assert "| N | 1 | 1.50 [1.40, 1.60]\\* | - | - | 1.50 [1.40, 1.60] |" in bench.README.read_text()
    files[0].rename(files[0].with_name("0.json"))  # named for the second in which it began, as the next is
    run(["tf"], lambda peer: row(peer, ratio=1.2))
    text = bench.README.read_text()
    assert "| N | 1 | 1.20 [1.40, 1.60] | - | - | 1.50 [1.40, 1.60] |" in text
    assert text.startswith("before\n\n| network") and text.endswith("|\n\nbehind\n")
