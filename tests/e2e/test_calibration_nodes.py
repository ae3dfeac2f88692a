"""TRTCalibOp and engines that calibrate, in TensorFlow: graphs written by hand, the plugin alone."""

import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import uuid

import numpy as np
import plugin_host
import pytest

CALIB = "TRTCalibOp_000_000"


@pytest.fixture
def resource():
    name = f"e2e/{uuid.uuid4()}"
    yield name
    plugin_host.load().library.graft_plugin_drop_calibration(name.encode())


@pytest.fixture
def plugin():
    loaded = plugin_host.load()
    loaded.reset()
    yield loaded
    loaded.reset()


def calibration_graph(resource, plan=None, in_type=1):
    """x -> TRTCalibOp -> x + 1 -> out0."""
    import tensorflow as tf

    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(tf.float32 if in_type == 1 else tf.int32, None, name="x")
        tf.identity(x + 1, name="out0")
    graph_def = graph.as_graph_def()
    library = plugin_host.load().library
    library.graft_plugin_calib_op.restype = ctypes.c_char_p
    node = graph_def.node.add(name=CALIB, op=library.graft_plugin_calib_op().decode(), input=["x"])
    node.attr["InT"].list.type.append(in_type)
    node.attr["serialized_segment"].s = plugin_host.make_plan() if plan is None else plan
    node.attr["resource_name"].s = resource.encode()
    node.attr["segment_nodes"].list.s.append(b"add")
    for other in graph_def.node:
        if other.op in ("Add", "AddV2"):
            other.input[0] = CALIB
    return graph_def


def runner(graph_def, name="imported"):
    import tensorflow as tf

    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(graph_def, name=name)
    session = tf.compat.v1.Session(graph=graph)
    return lambda x: session.run(f"{name}/out0:0", {f"{name}/x:0": x})


def rows(plugin, resource):
    plugin.library.graft_plugin_calibrations_json.restype = ctypes.c_void_p
    address = plugin.library.graft_plugin_calibrations_json()
    try:
        return [row for row in json.loads(ctypes.string_at(address)) if row["resource"] == resource]
    finally:
        plugin.library.graft_plugin_free(address)


def state(plugin, resource, finish=False):
    bytes_, size, error = ctypes.c_void_p(), ctypes.c_size_t(), ctypes.create_string_buffer(300)
    code = plugin.library.graft_plugin_calibration_state(resource.encode(), int(finish), ctypes.byref(bytes_), ctypes.byref(size), error, 300)
    assert code == 0, error.value
    try:
        return ctypes.string_at(bytes_.value, size.value) if bytes_.value else None
    finally:
        plugin.library.graft_plugin_free(bytes_)


def counts(plugin, engine):
    address = plugin.library.graft_plugin_counters_json()
    try:
        return json.loads(ctypes.string_at(address))[engine]
    finally:
        plugin.library.graft_plugin_free(address)


def batches():
    random = np.random.default_rng(3)
    return [random.normal(size=1 + i % 5).astype(np.float32) for i in range(80)]


def test_Q2_inputs_pass_unchanged_and_runs_are_counted(plugin, resource):
    run = runner(calibration_graph(resource))
    for x in batches()[:10] + [np.zeros(0, np.float32)]:
        assert np.array_equal(run(x), x + 1)
    row, = rows(plugin, resource)
    assert (row["runs"], row["engine"], row["finished"]) == (11, CALIB, False)
    assert counts(plugin, CALIB) == {"engine": 0, "native": 11, "calibration": 11}


def test_Q8_Q11_four_threads_and_two_imports_collect_what_one_thread_does(plugin, resource):
    graph_def = calibration_graph(resource)
    runs = [runner(graph_def, "first"), runner(graph_def, "second")]
    wrong = []

    def feed(part):
        for x in batches()[part::4]:
            if not np.array_equal(runs[part % 2](x), x + 1):
                wrong.append(x)

    threads = [threading.Thread(target=feed, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert rows(plugin, resource)[0]["runs"] == 80
    together = state(plugin, resource)
    plugin.library.graft_plugin_drop_calibration(resource.encode())
    assert state(plugin, resource) is None
    one = runner(graph_def)
    for x in reversed(batches()):
        one(x)
    assert state(plugin, resource) == together


def test_Q11_data_after_finish_raise(plugin, resource):
    import tensorflow as tf

    run = runner(calibration_graph(resource))
    run(np.ones(3, np.float32))
    finished = state(plugin, resource, finish=True)
    with pytest.raises(tf.errors.FailedPreconditionError, match="finished"):
        run(np.ones(3, np.float32))
    assert state(plugin, resource, finish=True) == finished
    assert rows(plugin, resource)[0]["finished"]


def test_Q3_bad_plans_dtypes_and_shapes_name_the_node(plugin, resource):
    import tensorflow as tf

    with pytest.raises(tf.errors.InvalidArgumentError, match=CALIB):
        runner(calibration_graph(resource, plugin_host.make_plan("corrupt")))(np.ones(2, np.float32))
    with pytest.raises(tf.errors.InvalidArgumentError, match="InT"):
        runner(calibration_graph(resource, in_type=3))(np.ones(2, np.int32))
    with pytest.raises(tf.errors.InvalidArgumentError, match="has shape"):
        runner(calibration_graph(resource))(np.ones((2, 2), np.float32))
    assert not [row for row in rows(plugin, resource) if row["runs"]]


def test_engine_in_calibration_mode_answers_and_collects(plugin, resource):
    attrs = {"precision_mode": "INT8", "use_calibration": True, "resource_name": resource}
    run = plugin_host.SessionRunner(plugin_host.mixed_graph(attrs=attrs))
    for x in batches()[:6]:
        plugin_host.check(run(x), x)
    run.close()
    assert rows(plugin, resource)[0]["runs"] == 6
    assert counts(plugin, plugin_host.ENGINE) == {"engine": 0, "native": 6, "calibration": 6}
    attrs["calibration_data"] = "{}"
    plugin.reset()
    run = plugin_host.SessionRunner(plugin_host.mixed_graph(attrs=attrs))
    plugin_host.check(run(batches()[0]), batches()[0])
    run.close()
    assert counts(plugin, plugin_host.ENGINE) == {"engine": 1, "native": 0, "calibration": 0}
    assert rows(plugin, resource)[0]["runs"] == 6


def test_statistics_of_a_process_that_is_gone_are_in_its_file(resource, tmp_path):
    script = ("import sys, numpy as np; sys.path[:0] = sys.argv[2:]; import test_calibration_nodes as t\n"
              "run = t.runner(t.calibration_graph(sys.argv[1]))\n"
              "for x in t.batches()[:7]: run(x)\n")
    folder = os.path.dirname(os.path.abspath(__file__))
    environment = dict(os.environ, GRAFT_CALIBRATION_DIR=str(tmp_path))
    subprocess.run([sys.executable, "-c", script, resource, folder], env=environment, check=True)
    file, = tmp_path.glob("*.calib")
    run = runner(calibration_graph(resource))
    for x in batches()[:7]:
        run(x)
    assert file.read_bytes() == state(plugin_host.load(), resource)


def test_Q10_a_killed_process_leaves_the_statistics_of_whole_runs(resource, tmp_path):
    script = ("import os, signal, sys; sys.path[:0] = sys.argv[2:]; import test_calibration_nodes as t\n"
              "run = t.runner(t.calibration_graph(sys.argv[1]))\n"
              "for x in t.batches()[:7]: run(x)\n"
              "os.kill(os.getpid(), signal.SIGKILL)\n")
    folder = os.path.dirname(os.path.abspath(__file__))
    environment = dict(os.environ, GRAFT_CALIBRATION_DIR=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", script, resource, folder], env=environment)
    assert done.returncode == -signal.SIGKILL
    file, = tmp_path.iterdir()
    run, states = runner(calibration_graph(resource)), []
    for x in batches()[:7]:
        run(x)
        states.append(state(plugin_host.load(), resource))
    assert file.read_bytes() in states
