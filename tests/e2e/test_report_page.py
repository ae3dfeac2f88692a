"""The report as one HTML page, without a browser; `./dev long browser` opens it in one."""

import html.parser
import json
import pathlib
import subprocess

import graftrt as trt
import networks
import pytest
from graftrt.report import Report

GRAFT = pathlib.Path(trt.__file__).parent / "bin" / "graft"
HOSTILE = ["</script><script>alert(1)</script>", "<!--<script>", "<img src=x onerror=alert(1)>", "a&lt;b\"'`${1}", "\u202egnp.exe\x1b[2J"]


class Page(html.parser.HTMLParser):
    """Tags in order, the text of the data, and attributes that would load or run something."""

    VOID = {"meta", "link", "br", "input", "img"}

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.loads, self.data = [], [], [], ""
        self.in_data = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.loads += [(tag, name) for name, _ in attrs if name in ("src", "href", "srcset", "action", "style") or name.startswith("on")]
        self.in_data = dict(attrs).get("id") == "data"
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self.in_data = False

    def handle_data(self, data):
        self.data += data if self.in_data else ""


def check(text, expected):
    page = Page(text)
    assert page.open == [] and page.loads == []
    assert page.tags.count("script") == 2 and page.tags.count("html") == 1
    assert json.loads(page.data) == expected
    return page


@pytest.fixture(scope="module")
def toy():
    return networks.get("toy_mobile")


def test_page_holds_the_report(toy, tmp_path):
    report = trt.convert(toy.path, [toy.output]).report
    check(report.html, report.data)
    report.save(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text() == report.html


def test_added_fields_are_in_the_page(toy):
    report = trt.analyze(toy.path, [toy.output])
    rows = [{"engine": "<b>", "native_ms": 1.0}]
    report.extend({"measured": rows}, "text\n", "measured")
    assert check(report.html, report.data).data.find("\\u003cb>") > 0


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_only_data_W11(name):
    node = {"name": name, "op": name, "engine": -1, "code": name, "reason": name, "hint": name}
    report = Report("summary", "text", json.dumps({"schema": 1, "summary": name, "nodes": [node], "warnings": [name], "outputs": [name]}))
    check(report.html, report.data)


def test_commands_write_the_page(toy, tmp_path):
    outputs = ("--outputs", toy.output)
    for call in (("convert", toy.path, "-o", tmp_path / "out.pb"), ("analyze", toy.path)):
        files = {kind: tmp_path / f"{call[0]}.{kind}" for kind in ("html", "json", "text")}
        done = subprocess.run([GRAFT, *map(str, call), *outputs, "--quiet", *(f"--report-{kind}={path}" for kind, path in files.items())],
                              capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        check(files["html"].read_text(), json.loads(files["json"].read_text()))
        assert "native nodes by reason" in files["text"].read_text()
    done = subprocess.run([GRAFT, "analyze", str(toy.path), "--report-html", str(tmp_path / "none" / "r.html")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "none" in done.stderr


def test_edges_join_the_nodes(toy):
    nodes = trt.analyze(toy.path, [toy.output]).nodes
    graph = trt.graphs.from_bytes(pathlib.Path(toy.path).read_bytes())
    names = [node["name"] for node in nodes]
    wanted = {node.name: list(dict.fromkeys(name.split(":")[0] for name in node.input if name[0] != "^")) for node in graph.node}
    for node in nodes:
        assert [names[i] for i in node.get("inputs", [])] == wanted[node["name"]]
