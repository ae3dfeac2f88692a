"""Calibration tables, feeds of calibration data, and where statistics are found."""

import importlib.util
import itertools
import json
import os
import time

from . import _job, _options, _progress, graphs, plugin
from ._native import native
from .errors import CalibrationError, FileError, InvalidArgument, Unsupported

CALIBRATORS = ("auto", "entropy", "percentile", "minmax", "mse")
_FORMAT = "graft-calibration"


class CalibrationTable(dict):
    """Ranges by tensor name, as JSON data: `table["tensors"][name]["threshold"]`. Edit it and convert with it again."""

    @classmethod
    def parse(cls, text, where="calibration table"):
        """JSON text or bytes -> CalibrationTable. What the numbers must be is checked when a conversion uses it."""
        try:
            data = json.loads(text)
        except ValueError as error:
            raise CalibrationError(f"{where}: not JSON: {error}") from None
        if not isinstance(data, dict) or data.get("format") != _FORMAT:
            raise CalibrationError(f"{where}: not a calibration table: expected an object with \"format\": \"{_FORMAT}\"")
        table = cls(data)
        table._text = text if isinstance(text, str) else bytes(text).decode("utf-8")
        return table

    @classmethod
    def load(cls, path):
        path = os.fspath(path)
        try:
            with open(path, "rb") as file:
                return cls.parse(file.read(), path)
        except OSError as error:
            raise FileError(f"{path}: {error.strerror or error}") from error

    def save(self, path):
        """Writes the table as JSON, whole or not at all."""
        native.write_file_atomic(os.fspath(path), self.json().encode())

    def json(self):
        """The text; as the library wrote it while nothing was changed."""
        text = getattr(self, "_text", None)
        if text is not None and json.loads(text) == self:
            return text
        return json.dumps(self, indent=2) + "\n"


def as_table(value):
    """What convert() got as `calibration` -> CalibrationTable, or None when it is data."""
    if isinstance(value, CalibrationTable):
        return value
    if isinstance(value, dict) and value.get("format") == _FORMAT:
        return CalibrationTable(value)
    if isinstance(value, (bytes, bytearray)):
        return CalibrationTable.parse(bytes(value))
    if isinstance(value, str) and value.lstrip().startswith("{"):
        return CalibrationTable.parse(value)
    if isinstance(value, (str, os.PathLike)):
        return CalibrationTable.load(value)
    return None


def check_calibrator(name):
    if name not in CALIBRATORS:
        raise InvalidArgument(f"calibrator: got {name!r}, expected one of {list(CALIBRATORS)}")
    return name


def input_names(report):
    """Placeholders, in the order of the graph: what arrays without names are fed to."""
    return [node["name"] for node in report.nodes if node["op"] in ("Placeholder", "PlaceholderV2")]


def feed_dicts(calibration, names, parameter="calibration"):
    """Yields one {tensor name: array} a batch from what users give as data."""
    if callable(calibration):
        calibration = calibration()
    if isinstance(calibration, dict):
        calibration = [calibration]
    try:
        batches = iter(calibration)
    except TypeError:
        raise InvalidArgument(f"{parameter}: got {type(calibration).__name__}, expected an iterable of feeds" + (" or a table" if parameter == "calibration" else "")) from None
    for number, batch in enumerate(batches):
        if isinstance(batch, dict):
            yield {getattr(key, "name", key): value for key, value in batch.items()}
            continue
        values = list(batch) if isinstance(batch, (list, tuple)) else [batch]
        if len(values) != len(names):
            raise InvalidArgument(f"{parameter}: feed {number} has {len(values)} arrays, the model has {len(names)} inputs: {names}")
        yield dict(zip(names, values))


def images_in(feed):
    """Batch size of a feed: the first extent of its first array."""
    import numpy as np
    for value in feed.values():
        shape = np.shape(value)
        return int(shape[0]) if shape else 1
    return 1


class Counter:
    """Reports stage "calibrate": images done, of how many when the data say so (else 0)."""

    def __init__(self, callback, total):
        self._callback, self._total, self._done = callback, total, 0
        self._start = time.monotonic()

    def add(self, images):
        self._done += images
        if self._callback is None:
            return
        rate = self._done / max(time.monotonic() - self._start, 1e-9)
        self._callback("calibrate", self._done, self._total, max(self._total - self._done, 0) / rate if rate else 0.0)


def directory():
    """Where statistics of other processes lie: the scoped option, else GRAFT_CALIBRATION_DIR, else None."""
    return _options.current().get("calibration_dir") or os.environ.get("GRAFT_CALIBRATION_DIR") or None


def is_calibration_graph(data):
    """Whether a graph, as bytes, has nodes that collect."""
    try:
        return bool(native.calibration_resources(bytes(data)))
    except CalibrationError:
        return False


def states(resource, sessions=()):
    """All statistics of a resource that this process can find; it takes no more from here on."""
    folder = directory()
    found = [state for session in sessions for state in session.calibration_states(resource)]
    found += plugin.finish_calibration_resource(resource)
    if folder is None:
        return found
    # What this process collected is in its own files there, too.
    written = native.read_calibration_files(folder, resource)
    return written or found


def _ranges(given):
    """{tensor: (lowest, highest)} of what users give: that, or a number for both sides."""
    result = {}
    for name, value in given.items():
        low, high = value if isinstance(value, (tuple, list)) and len(value) == 2 else (value, value)
        try:
            high = float(high)
            low = float(low) if isinstance(value, (tuple, list)) else -high
        except (TypeError, ValueError):
            raise InvalidArgument(f"option ranges: {name!r}: got {value!r}, expected a number or (lowest, highest)") from None
        result[str(name).removesuffix(":0")] = (low, high)
    return result


def finish(data, calibrator, progress, sessions=(), build=True):
    """Calibration graph -> (graph as a uint8 array or None, Report or None, CalibrationTable)."""
    check_calibrator(calibrator)
    found = {resource: states(resource, sessions) for resource, _ in native.calibration_resources(data)}
    scoped = {name: value for name, value in _options.current().items() if name in ("percentile", "ignore_non_finite")}
    scoped["ranges"] = _ranges(_options.current().get("ranges", {}))
    graph, report, table = _job.finish(data, found, {**scoped, "calibrator": calibrator}, build, progress)
    return graph, report, CalibrationTable.parse(table)


def calibrate(data, options, calibration, calibrator, progress, threads, keep=None, kept_feeds=8):
    """Runs a model on calibration data and returns its table; None when no engine would be made.

    keep: a list that gets the first `kept_feeds` feeds.
    """
    callback = _progress.resolve(progress)
    graph, report = _job.run(data, dict(options, calibration="engines", native_segments=False), progress=callback)
    graph = bytes(graph)
    if not report.engines or not is_calibration_graph(graph):
        return None
    feeds = feed_dicts(calibration, input_names(report))
    if keep is not None:
        feeds = _keeping(feeds, keep, kept_feeds)
    fetches = report.data["outputs"]
    try:
        total = sum(images_in(feed) for feed in feed_dicts(calibration, input_names(report))) if isinstance(calibration, (list, tuple, dict)) else 0
        counter = Counter(callback, total)
        session, first = _run_without_tensorflow(graph, feeds, fetches, counter, threads)
        if session is None:
            _run_in_tensorflow(graph, itertools.chain([first], feeds), fetches, counter, threads)
    finally:
        _progress.close(callback)
    return finish(graph, calibrator, progress, [session] if session else [], build=False)[2]


def _keeping(feeds, keep, count):
    for feed in feeds:
        if len(keep) < count:
            keep.append(feed)
        yield feed


def _run_without_tensorflow(data, feeds, fetches, counter, threads):
    """Feeds a calibration graph in graftrt.Session. -> (Session, None), or (None, feed) when TensorFlow must run it."""
    from .session import Session
    session = Session(data, threads=threads)
    for number, feed in enumerate(feeds):
        try:
            session.run(fetches, feed)
        except Unsupported:
            if number > 0 or not _have_tensorflow():
                raise
            return None, feed
        counter.add(images_in(feed))
    return session, None


def _have_tensorflow():
    return graphs.tensorflow_loaded() or importlib.util.find_spec("tensorflow") is not None


def _run_in_tensorflow(data, feeds, fetches, counter, threads):
    """Feeds a calibration graph in a TensorFlow session."""
    import tensorflow as tf
    plugin.load_plugin()
    config = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=threads or 0, allow_soft_placement=True)
    with tf.Graph().as_default() as graph:
        tf.graph_util.import_graph_def(graphs.from_bytes(data), name="")
        with tf.compat.v1.Session(graph=graph, config=config) as session:
            for feed in feeds:
                session.run([_tensor(name) for name in fetches], {_tensor(name): value for name, value in feed.items()})
                counter.add(images_in(feed))


def _tensor(name):
    return name if ":" in name else name + ":0"
