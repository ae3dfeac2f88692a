"""The plugin by its C interface alone, and mixed graphs written by hand: for tests of the plugin that need neither the
converter nor the Python package, and for the check of other TensorFlow versions.

The segment of every graph is x [n] float -> (x + 1, 2 x).
"""

import contextlib
import ctypes
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("GRAFT_BUILD_DIR", ROOT / "build" / "release"))
ENGINE = "TRTEngineOp_000_000"
FUNCTION = ENGINE + "_native_segment"
_SINK = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p)


def plugin_path():
    return os.environ.get("GRAFT_PLUGIN") or str(BUILD / "python" / "graftrt" / "libgraft_tf.so")


def make_plan(kind="ok"):
    """Bytes of a plan: "ok", "misfit" (one output), "corrupt" (one bit wrong), "foreign" (TensorRT's magic), "empty"."""
    if kind == "empty":
        return b""
    if kind == "foreign":
        return b"ftrt\0\1\2\3"
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "plan"
        extra = ["misfit"] if kind == "misfit" else []
        subprocess.run([os.environ.get("GRAFT_MAKE_PLAN", BUILD / "tests" / "make_test_plan"), path, *extra], check=True,
                       stdout=subprocess.DEVNULL)
        plan = bytearray(path.read_bytes())
    if kind == "corrupt":
        plan[-1] ^= 1
    return bytes(plan)


class Plugin:
    """The loaded library. One per process, as in TensorFlow."""

    def __init__(self):
        import tensorflow as tf

        path = plugin_path()
        tf.load_op_library(path)
        self.library = ctypes.CDLL(path)
        self.library.graft_plugin_load_error.restype = ctypes.c_char_p
        self.library.graft_plugin_engine_op.restype = ctypes.c_char_p
        self.library.graft_plugin_counters_json.restype = ctypes.c_void_p
        self.library.graft_plugin_free.argtypes = [ctypes.c_void_p]
        problem = self.library.graft_plugin_load_error().decode()
        if problem:
            raise RuntimeError(problem)
        self.engine_op = self.library.graft_plugin_engine_op().decode()

    def counts(self, engine=ENGINE):
        address = self.library.graft_plugin_counters_json()
        try:
            counters = json.loads(ctypes.string_at(address))
        finally:
            self.library.graft_plugin_free(address)
        row = counters.get(engine, {"engine": 0, "native": 0})
        return row["engine"], row["native"]

    def reset(self):
        for option, value in (("strict", "0"), ("fail_engines", ""), ("fail_engine_runs", "")):
            self.set_option(option, value)
        self.library.graft_plugin_reset_counters()

    def set_option(self, name, value):
        error = ctypes.create_string_buffer(512)
        if self.library.graft_plugin_set_option(name.encode(), value.encode(), error, len(error)):
            raise ValueError(error.value.decode())

    @contextlib.contextmanager
    def messages(self):
        """A list that receives (level, text) of every message inside the block."""
        received = []
        sink = _SINK(lambda level, text: received.append((level, text.decode())))
        self.library.graft_plugin_set_log_sink(sink)
        try:
            yield received
        finally:
            graftrt_plugin = sys.modules.get("graftrt.plugin")
            if graftrt_plugin is not None and graftrt_plugin._plugin is not None:
                graftrt_plugin._install_sink(graftrt_plugin._plugin)
            else:
                self.library.graft_plugin_set_log_sink(_SINK())


_plugin = None


def load():
    global _plugin
    if _plugin is None:
        _plugin = Plugin()
    return _plugin


def _segment_function(name):
    """FunctionDef of the native segment, made without a TensorFlow context so that nothing is registered in it."""
    import tensorflow as tf

    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(tf.float32, [None], name="in_0")
        one, two = tf.constant(1.0), tf.constant(2.0)
        y, z = tf.add(x, one, name="y"), tf.multiply(x, two, name="z")
    function = tf.compat.v1.GraphDef().library.function.add()
    function.signature.name = name
    argument = function.signature.input_arg.add(name="in_0", type=tf.float32.as_datatype_enum)
    for index, result in enumerate((y, z)):
        function.signature.output_arg.add(name=f"out_{index}", type=tf.float32.as_datatype_enum)
        function.ret[f"out_{index}"] = f"{result.op.name}:z:0"
    outputs = {"Const": "output", "AddV2": "z", "Mul": "z"}
    for node in graph.as_graph_def().node:
        if node.op == "Placeholder":
            continue
        copy = function.node_def.add()
        copy.CopyFrom(node)
        for position, name_of_input in enumerate(node.input):
            producer = graph.get_operation_by_name(name_of_input)
            copy.input[position] = argument.name if producer.type == "Placeholder" else f"{name_of_input}:{outputs[producer.type]}:0"
    return function


def _segment_graph():
    """The native segment as a GraphDef, for the attribute `native_segment`."""
    import tensorflow as tf

    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(tf.float32, [None], name="TensorRTInputPH_0")
        tf.identity(x + 1.0, name="TensorRTOutputPH_0")
        tf.identity(x * 2.0, name="TensorRTOutputPH_1")
    return graph.as_graph_def()


def mixed_graph(plan=None, *, function=True, carried=False, engine=ENGINE, attrs=None):
    """GraphDef: x -> engine (also after control edges from `before`) -> out0, out1; `after` waits for the engine.

    Sinks: out0 = x + 1, out1 = 2 x, after = 7.
    """
    import tensorflow as tf

    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(tf.float32, None, name="x")
        tf.identity(x + 5.0, name="before")
    graph_def = graph.as_graph_def()
    node = graph_def.node.add(name=engine, op=load().engine_op, input=["x", "^before"])
    node.attr["InT"].list.type.append(1)
    node.attr["OutT"].list.type.extend([1, 1])
    node.attr["serialized_segment"].s = make_plan() if plan is None else plan
    for key, value in (attrs or {}).items():
        if isinstance(value, bool):
            node.attr[key].b = value
        elif isinstance(value, int):
            node.attr[key].i = value
        else:
            node.attr[key].s = value.encode()
    if function:
        name = engine + "_native_segment"
        node.attr["segment_func"].func.name = name
        graph_def.library.function.add().CopyFrom(_segment_function(name))
    if carried:
        node.attr["native_segment"].s = _segment_graph().SerializeToString()
    for index in (0, 1):
        identity = graph_def.node.add(name=f"out{index}", op="Identity", input=[f"{engine}:{index}" if index else engine])
        identity.attr["T"].type = 1
    with tf.Graph().as_default() as constants:
        tf.constant(7.0, name="after")
    graph_def.node.add().CopyFrom(constants.as_graph_def().node[0])
    graph_def.node[-1].input.append("^" + engine)
    return graph_def


FETCHES = ("out0:0", "out1:0", "after:0")


def check(results, x):
    assert np.array_equal(results[0], x + 1), results[0]
    assert np.array_equal(results[1], x * 2), results[1]
    assert len(results) < 3 or results[2] == 7


class SessionRunner:
    """Runs in a tf.compat.v1.Session, imported under a prefix."""

    def __init__(self, graph_def, config=None):
        import tensorflow as tf

        self._graph = tf.Graph()
        with self._graph.as_default():
            tf.import_graph_def(graph_def, name="imported")
        self._session = tf.compat.v1.Session(graph=self._graph, config=config)

    def __call__(self, x):
        return self._session.run(["imported/" + f for f in FETCHES], {"imported/x:0": x})

    def close(self):
        self._session.close()


class FunctionRunner:
    """Runs as a pruned wrap_function."""

    def __init__(self, graph_def):
        import tensorflow as tf

        wrapped = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph_def, name=""), [])
        self._function = wrapped.prune("x:0", list(FETCHES))

    def __call__(self, x):
        import tensorflow as tf

        return [t.numpy() for t in self._function(tf.constant(x))]

    def close(self):
        pass


class ImportInFunctionRunner(FunctionRunner):
    """tf.import_graph_def inside a tf.function: there the kernel sees no function library of the graph."""

    def __init__(self, graph_def):
        import tensorflow as tf

        @tf.function
        def run(x):
            return tf.import_graph_def(graph_def, {"x:0": x}, list(FETCHES), name="inner")

        self._function = run


class SavedModelRunner(FunctionRunner):
    """A wrap_function saved by tf.saved_model.save and loaded again."""

    def __init__(self, graph_def, folder):
        import tensorflow as tf

        wrapped = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph_def, name=""), [])
        module = tf.Module()
        function = wrapped.prune("x:0", {"out0": "out0:0", "out1": "out1:0"})
        module.run = function
        tf.saved_model.save(module, folder, signatures=function)
        self._loaded = tf.saved_model.load(folder)

    def __call__(self, x):
        import tensorflow as tf

        results = self._loaded.signatures["serving_default"](tf.constant(x))
        return [results["out0"].numpy(), results["out1"].numpy()]
