"""Graft: an inference accelerator for TensorFlow graphs.

`graftrt.create_inference_graph` and its kin are drop-ins for TF-TRT; `graftrt.convert` is Graft's own interface.
Importing this package never imports TensorFlow.
"""

from . import _native  # noqa: F401  (joins the log)
from . import plugin as _plugin
from ._options import options
from .calibration import CalibrationTable
from .comparison import Comparison, compare
from .conversion import Conversion, analyze, benchmark, convert
from .converters import register_converter, unregister_converter
from .drop_in import calib_graph_to_infer_graph, create_inference_graph, rescue
from .errors import (CalibrationError, Cancelled, Error, FileError, InternalError, InvalidArgument, InvalidGraph, NotConverted,
                     PlanError, Unsupported)
from .graph_converter import TrtGraphConverter
from .plugin import counters, load_plugin, reset_counters
from .report import Report
from .session import Session

__version__ = _native.native.version

__all__ = [
    "CalibrationError", "CalibrationTable", "Cancelled", "Comparison", "Conversion", "Error", "FileError", "InternalError", "InvalidArgument", "InvalidGraph",
    "NotConverted", "PlanError", "Report", "Session", "TrtGraphConverter", "Unsupported", "analyze", "benchmark", "calib_graph_to_infer_graph", "compare", "convert",
    "counters", "create_inference_graph", "load_plugin", "options", "register_converter", "rescue", "reset_counters", "unregister_converter",
]

_plugin.install_import_hook()
