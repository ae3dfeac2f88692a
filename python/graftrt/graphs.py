"""Models in, graphs out: what callers pass as a graph, as serialized GraphDef bytes, and back."""

import os
import stat
import sys

from .errors import FileError, InvalidArgument, InvalidGraph

_MAX_GRAPH_BYTES = 2**31 - 1  # of a serialized GraphDef


def is_graph_def(obj):
    descriptor = getattr(type(obj), "DESCRIPTOR", None)
    return getattr(descriptor, "full_name", None) == "tensorflow.GraphDef"


def to_bytes(graph, parameter="input_graph_def"):
    """GraphDef, its bytes, a tf.Graph or the path of a frozen .pb/.pbtxt -> serialized bytes."""
    if isinstance(graph, (bytes, bytearray, memoryview)):
        return bytes(graph)
    if is_graph_def(graph):
        try:
            return graph.SerializeToString()
        except Exception as error:  # protobuf raises ValueError or its own EncodeError above 2 GiB
            raise InvalidGraph(f"{parameter}: the GraphDef cannot be serialized ({error}); a GraphDef holds at most 2 GiB") from error
    if hasattr(graph, "as_graph_def"):
        return to_bytes(graph.as_graph_def(), parameter)
    if isinstance(graph, (str, os.PathLike)):
        return _read(os.fspath(graph), parameter)
    raise InvalidArgument(f"{parameter}: got {type(graph).__name__}, expected a GraphDef, its bytes, a tf.Graph or the path of a .pb file")


def _read(path, parameter):
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:  # a FIFO must not block
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise OSError("not a regular file")
            if status.st_size > _MAX_GRAPH_BYTES:
                raise OSError(f"{status.st_size} bytes, a GraphDef holds at most {_MAX_GRAPH_BYTES}")
            data = file.read(_MAX_GRAPH_BYTES)
    except OSError as error:
        raise FileError(f"{parameter}: cannot read {path!r}: {error.strerror or error}") from error
    if path.endswith(".pbtxt"):
        from google.protobuf import text_format
        from tensorflow.core.framework import graph_pb2
        try:
            return text_format.Parse(data.decode("utf-8"), graph_pb2.GraphDef()).SerializeToString()
        except (UnicodeDecodeError, text_format.ParseError) as error:
            raise InvalidGraph(f"{path}: not a GraphDef in text form: {error}") from error
    return data


def tensorflow_loaded():
    return "tensorflow" in sys.modules


def from_bytes(data):
    """Serialized bytes -> tensorflow.GraphDef."""
    from tensorflow.core.framework import graph_pb2
    return graph_pb2.GraphDef.FromString(bytes(data))


def names(outputs, parameter="outputs"):
    """A name, a tensor, or a list of them -> list of names. None stays None."""
    if outputs is None:
        return None
    if isinstance(outputs, (str, bytes)) or hasattr(outputs, "op"):
        outputs = [outputs]
    result = []
    try:
        items = list(outputs)
    except TypeError:
        raise InvalidArgument(f"{parameter}: got {type(outputs).__name__}, expected a list of node names or tensors") from None
    for item in items:
        if isinstance(item, bytes):
            item = item.decode("utf-8", "replace")
        if isinstance(item, str):
            result.append(item)
        elif hasattr(item, "name") and isinstance(getattr(item, "name"), str):
            result.append(item.name)
        else:
            raise InvalidArgument(f"{parameter}: got an item of type {type(item).__name__}, expected a node name or a tensor")
    return result
