"""graftrt.compare: how far the tensors of one graph are from those of another."""

import json
import os

from . import calibration, graphs
from ._native import native
from .conversion import Conversion
from .drop_in import check_int
from .errors import InvalidArgument
from .session import feed_rows

_ERRORS = ("sqnr_db", "max_abs_error", "mean_error", "mean_abs_error", "cosine")


class Comparison:
    """Error per tensor, worst first. `str(comparison)` is its text."""

    def __init__(self, text, json_text, html):
        self.text = text
        self.json = json_text  # docs/compare.md
        self.html = html       # one page that needs nothing else
        self._rows = None

    @property
    def data(self):
        """The JSON as Python data."""
        return json.loads(self.json)

    @property
    def rows(self):
        """One dict a tensor, worst first: name, sqnr_db, max_abs_error, mean_error, cosine, ... (docs/compare.md), as floats."""
        if self._rows is None:
            self._rows = [{**row, **{key: float(row[key]) for key in _ERRORS}} for row in self.data["tensors"]]
        return self._rows

    @property
    def worst_output_db(self):
        """Least SQNR of an output; NaN when NaN or an infinity stands on one side alone."""
        return float(self.data["worst_output_db"])

    def save(self, path):
        """Writes HTML (.html), JSON (.json) or text, by the suffix of `path`."""
        path = os.fspath(path)
        content = self.html if path.endswith((".html", ".htm")) else self.json if path.endswith(".json") else self.text
        native.write_file_atomic(path, content.encode())

    def __str__(self):
        return self.text

    def __repr__(self):
        return f"<graftrt.Comparison: {len(self.rows)} tensors, worst output {self.worst_output_db:.2f} dB>"


def compare(a, b, feeds, *, outputs=None, threads=None):
    """Error of the tensors of `b` against those of `a`, by TensorFlow node name, worst first. -> Comparison

    a, b: frozen or converted graphs: GraphDef, its bytes, path of a .pb, or a Conversion.
    feeds: iterable of feeds, each {input name: array}, or an array (a list of arrays) for the inputs in order; or one dict.
        The tensors of `a` are kept for one feed at a time.
    outputs: tensors to fetch; None takes those of a Conversion, else the sinks of `a` that `b` has too.

    threads: None takes all cores that the process may use.

    Both run without TensorFlow: a graph with nodes that Graft can't run raises Unsupported.
    """
    if threads is not None:
        check_int("threads", threads, 1)
    names = graphs.names(outputs, "outputs")
    for side in (a, b):
        if names is None and isinstance(side, Conversion):
            names = side.report.data["outputs"]
    comparer = native.Comparer(_bytes(a, "a"), _bytes(b, "b"), names or [], _label(a, "a"), _label(b, "b"), threads or 0)
    for feed in calibration.feed_dicts(feeds, comparer.inputs(), "feeds"):
        keep, rows = feed_rows(feed)
        comparer.add(rows)
        del keep
    return Comparison(*comparer.finish())


def _bytes(graph, parameter):
    data = graph.serialized if isinstance(graph, Conversion) else graphs.to_bytes(graph, parameter)
    if not data:
        raise InvalidArgument(f"{parameter}: the graph is empty")
    return data


def _label(graph, name):
    return os.fspath(graph) if isinstance(graph, (str, os.PathLike)) else name
