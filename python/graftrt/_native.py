"""The extension module, with its log joined to the Python logger `graftrt`."""

import logging

from . import _graftrt as native

logger = logging.getLogger("graftrt")
logger.addHandler(logging.NullHandler())


def _sink(level, message):
    logger.log(level, "%s", message)


native.install_log_sink(_sink)

__all__ = ["logger", "native"]
