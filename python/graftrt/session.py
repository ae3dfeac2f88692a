"""graftrt.Session: runs a mixed or plain graph without TensorFlow."""

from . import graphs
from ._dtypes import dtype_number, numpy_dtype
from ._native import native
from .errors import Error, InvalidArgument, name_file


def feed_rows(feeds):
    """{tensor name: array} -> (arrays to keep alive, what the extension module takes)."""
    import numpy as np
    keep, rows = [], []
    for name, value in (feeds or {}).items():
        key = name if isinstance(name, str) else getattr(name, "name", None)
        if not isinstance(key, str):
            raise InvalidArgument(f"feeds: got a key of type {type(name).__name__}, expected a tensor name")
        array = np.asarray(value)
        shape = array.shape
        array = np.ascontiguousarray(array)  # makes scalars rank 1, hence the shape from before
        keep.append(array)
        rows.append((key, dtype_number(array.dtype), list(shape), array.ctypes.data, array.nbytes))
    return keep, rows


class Session:
    """Runs a frozen or mixed graph in Graft alone; `tensorflow` is not needed in the process. Thread-safe.

    graph: GraphDef, its bytes, or the path of a .pb.
    threads: threads of one run; None: GRAFT_THREADS, else the cores that the process may use.
    isa: cap for the kernels ("baseline", "avx2", "avx512", ...); None: GRAFT_ISA, else the machine's best.
    """

    def __init__(self, graph, *, threads=None, isa=None, reference_only=False):
        if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
            raise InvalidArgument(f"threads: got {threads!r}, expected a positive integer or None")
        data = graphs.to_bytes(graph, "graph")
        try:
            self._session = native.Session(data, True, threads or 0, isa or "", bool(reference_only))
        except Error as error:
            name_file(error, graph)
            raise

    def run(self, fetches, feeds=None):
        """-> array, or list of arrays in the order of `fetches`.

        fetches: a tensor name ("node" or "node:0") or a list of them. feeds: {tensor name: array}.
        """
        single = isinstance(fetches, str)
        names = graphs.names(fetches, "fetches")
        keep, rows = feed_rows(feeds)
        results = []
        for number, dims, data in self._session.run(names, rows, None):
            results.append(data.view(numpy_dtype(number)).reshape(dims))
        return results[0] if single else results

    def calibration_states(self, resource):
        """What runs of a calibration graph collected under a resource name, as a list of bytes; it takes no more from here on."""
        return self._session.calibration_states(resource)

    def engines(self):
        """One dict an engine: name, identity, steps (op, kernel, flops), memory, reference_flops_share of the last run."""
        return self._session.engines()
