"""Runs the converter on a thread of its own, so that Ctrl-C reaches Python within a tenth of a second."""

import threading

from . import _progress
from ._native import native
from .report import Report


def run(graph_bytes, options, build=True, progress=None):
    """-> (graph as a uint8 array or None, Report). A KeyboardInterrupt stops the job, then goes on."""
    callback = _progress.resolve(progress)
    options = dict(options, progress=callback)
    stop = native.StopSource()
    outcome = {}

    def work():
        try:
            outcome["value"] = native.convert(graph_bytes, options, stop, build)
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
    graph, report = outcome["value"]
    return graph, Report(report["summary"], report["text"], report["json"])
