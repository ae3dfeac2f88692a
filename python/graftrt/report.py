"""The report of a conversion: one object, read as text, JSON, Python data or a page."""

import json
import os

from ._native import native


class Report:
    """What became of every node. `str(report)` is its text; `report.data` its JSON as Python data (docs/report.md)."""

    def __init__(self, summary, text, json_text):
        self.summary = summary
        self.text = text
        self.json = json_text
        self._data = None

    @property
    def data(self):
        if self._data is None:
            self._data = json.loads(self.json)
        return self._data

    @property
    def engines(self):
        """One dict an engine: name, nodes, inputs, outputs, layers, plan_bytes, reference_flops_share, ..."""
        return self.data["engines"]

    @property
    def nodes(self):
        """One dict a node: name, op, engine (index, -1 for native) and for native nodes code, reason, hint."""
        return self.data["nodes"]

    @property
    def warnings(self):
        return self.data["warnings"]

    def extend(self, data, text, title):
        """Adds entries to the JSON's top level and a titled paragraph to the text."""
        self._data = {**self.data, **data}
        self.json = json.dumps(self._data)
        self.text += f"\n{title}\n{text}"

    @property
    def html(self):
        """One page that needs nothing else: a map of engines and native nodes, and tables that sort and filter."""
        return native.report_page(self.json)

    def save(self, path):
        """Writes HTML (.html), JSON (.json) or text, by the suffix of `path`."""
        path = os.fspath(path)
        content = self.html if path.endswith((".html", ".htm")) else self.json if path.endswith(".json") else self.text
        native.write_file_atomic(path, content.encode())

    def __str__(self):
        return self.text

    def __repr__(self):
        return f"<graftrt.Report: {self.summary}>"
