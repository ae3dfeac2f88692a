"""Runs the converter on a thread of its own, so that Ctrl-C reaches Python within a tenth of a second."""

import threading

from . import _progress
from ._native import native
from .errors import Error, name_file
from .report import Report


def run(graph_bytes, options, build=True, progress=None, model=None):
    """-> (graph as a uint8 array or None, Report). A KeyboardInterrupt stops the job, then goes on.

    model: where the bytes came from, for the texts of errors.
    """
    try:
        graph, report = _on_thread(progress, lambda callback, stop: native.convert(
            graph_bytes, dict(options, progress=callback), stop, build))
    except Error as error:
        name_file(error, model)
        raise
    return graph, _report(report)


def finish(graph_bytes, states, options, build=True, progress=None):
    """Finishes a calibration. -> (graph as a uint8 array or None, Report or None, table as JSON text)."""
    graph, report, table = _on_thread(progress, lambda callback, stop: native.finish_calibration(
        graph_bytes, states, dict(options, progress=callback), stop, build))
    return graph, _report(report) if build else None, table


def _report(report):
    return Report(report["summary"], report["text"], report["json"])


def _on_thread(progress, job):
    callback = _progress.resolve(progress)
    stop = native.StopSource()
    outcome = {}

    def work():
        try:
            outcome["value"] = job(callback, stop)
        except BaseException as error:  # handed to the caller's thread
            outcome["error"] = error

    thread = threading.Thread(target=work, name="graftrt-convert", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(0.1)
    except BaseException:
        stop.request_stop()
        thread.join()
        raise
    finally:
        _progress.close(callback)
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]
