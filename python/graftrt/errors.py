"""Errors that Graft raises. Each also derives from the class that TF-TRT raised in that place."""

import os


class Error(Exception):
    """Base class of every error of Graft."""


class InvalidArgument(Error, ValueError):
    """An option, feed or argument is wrong, whatever the graph."""


class InvalidGraph(Error, ValueError):
    """The graph's bytes, or the graph that they hold, are malformed."""


class Unsupported(Error, NotImplementedError):
    """Valid, but Graft does not handle it."""


class FileError(Error, OSError):
    """The operating system refused a file operation."""


class NotConverted(Error, RuntimeError):
    """`strict` is on and nothing, or not everything, was converted."""


class CalibrationError(Error, RuntimeError):
    """Calibration data are missing, inconsistent or unusable."""


class PlanError(Error, RuntimeError):
    """Plan bytes are corrupt, of another version, or belong to another node."""


class Cancelled(Error, RuntimeError):
    """The job was stopped by its caller."""


class InternalError(Error, RuntimeError):
    """A bug of Graft, never the caller's fault."""


_BY_CODE = {
    "InvalidArgument": InvalidArgument,
    "InvalidGraph": InvalidGraph,
    "Unsupported": Unsupported,
    "FileError": FileError,
    "NotConverted": NotConverted,
    "CalibrationError": CalibrationError,
    "PlanError": PlanError,
    "ResourceExhausted": Error,
    "Cancelled": Cancelled,
    "Aborted": NotConverted,
    "InternalError": InternalError,
}


def name_file(error, model):
    """Puts the path of the model before the text of an error about what the file holds; other models have no path."""
    if isinstance(model, (str, os.PathLike)):
        error.args = (f"{os.fspath(model)}: {error}",)


def raise_code(code, message):
    """Raises the class of a C++ status code; the extension module calls it."""
    raise _BY_CODE.get(code, Error)(message)
