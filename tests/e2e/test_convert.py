"""graftrt.convert: TF 2 models, saving, progress, Ctrl-C, strict."""

import json
import os
import signal
import subprocess
import sys
import textwrap

import graftrt as trt
import mixed
import networks
import numpy as np
import pytest
import tensorflow as tf


def small_keras():
    tf.keras.utils.set_random_seed(3)
    inputs = tf.keras.Input((16, 16, 3), name="image")
    x = tf.keras.layers.Conv2D(8, 3, padding="same", use_bias=False)(inputs)
    x = tf.keras.layers.BatchNormalization()(x)
    x = tf.keras.layers.ReLU()(x)
    y = tf.keras.layers.DepthwiseConv2D(3, padding="same")(x)
    x = tf.keras.layers.Add()([x, y])
    x = tf.keras.layers.GlobalAveragePooling2D()(x)
    return tf.keras.Model(inputs, tf.keras.layers.Dense(5, name="scores")(x))


@pytest.fixture(scope="module")
def model():
    return small_keras()


def test_keras_model(model):
    conversion = trt.convert(model)
    assert len(conversion.report.engines) == 1
    data = mixed.images(3, (16, 16, 3))
    got = conversion.function(tf.constant(data))
    np.testing.assert_allclose(tf.nest.flatten(got)[0], model(data), rtol=1e-4, atol=1e-5)


def test_keras_file(model, tmp_path):
    model.save(tmp_path / "m.keras")
    data = mixed.images(2, (16, 16, 3))
    got = trt.convert(tmp_path / "m.keras").function(tf.constant(data))
    np.testing.assert_allclose(tf.nest.flatten(got)[0], model(data), rtol=1e-4, atol=1e-5)


def test_memory_limit(model):
    whole = trt.convert(model).report.data
    assert whole["memory"]["memory_limit_bytes"] == -1
    needed = whole["memory"]["memory_bytes"]
    assert needed == whole["engines"][0]["memory_bytes"] > 0
    assert len(trt.convert(model, memory_limit_bytes=needed).report.engines) == 1
    with pytest.warns(UserWarning):
        less = trt.convert(model, memory_limit_bytes=needed - 1).report
    assert not less.engines
    nodes = [node for node in less.data["nodes"] if node.get("code") == "memory_limit"]
    assert nodes and all(f"memory_limit_bytes={needed}" in node["hint"] for node in nodes)
    with trt.options(memory_limit_bytes=0), pytest.warns(UserWarning):
        assert not trt.convert(model).report.engines


def test_concrete_function():
    @tf.function(input_signature=[tf.TensorSpec([None, 4], name="a"), tf.TensorSpec([None, 4], name="b")])
    def f(a, b):
        return {"sum": tf.nn.relu(a + b), "product": tf.tanh(a * b)}

    conversion = trt.convert(f.get_concrete_function(), min_segment_size=1)
    a, b = mixed.images(3, (4,), 1), mixed.images(3, (4,), 2)
    got = conversion.function(tf.constant(a), tf.constant(b))
    assert set(got) == {"sum", "product"}
    np.testing.assert_allclose(got["sum"], np.maximum(a + b, 0), rtol=1e-6)
    np.testing.assert_allclose(got["product"], np.tanh(a * b), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("source", ["saved_model", "keras", "concrete_function"])
def test_saved_and_run_again_in_a_fresh_process(model, source, tmp_path):
    """`.save` writes a SavedModel of the source's signature: names of inputs and outputs, answers, one engine that runs."""
    target = str(tmp_path / "out")
    data = {"image": mixed.images(4, (16, 16, 3))}
    if source == "saved_model":
        model.export(str(tmp_path / "in"), verbose=False)
        loaded = tf.saved_model.load(str(tmp_path / "in"))
        before = loaded.signatures["serving_default"]
        (name,) = before.structured_input_signature[1]
        data = {name: data["image"]}
        expected = before(**{name: tf.constant(data[name])})
        converted = str(tmp_path / "in")
    elif source == "keras":
        expected = {None: model(data["image"])}
        converted = model
    else:
        @tf.function(input_signature=[tf.TensorSpec([None, 4], name="a"), tf.TensorSpec([None, 4], name="b")])
        def f(a, b):
            return {"sum": tf.nn.relu(a + b), "product": tf.tanh(a * b)}

        converted = f.get_concrete_function()
        data = {"a": mixed.images(3, (4,), 1), "b": mixed.images(3, (4,), 2)}
        expected = f(**{name: tf.constant(value) for name, value in data.items()})
    trt.convert(converted, min_segment_size=2).save(target)
    np.savez(tmp_path / "data.npz", **data)
    code = f"""
        import json, numpy as np, graftrt, tensorflow as tf
        f = tf.saved_model.load({target!r}).signatures["serving_default"]
        data = np.load({str(tmp_path / 'data.npz')!r})
        names = sorted(f.structured_input_signature[1])
        out = f(**{{n: tf.constant(data[n if n in data else data.files[0]]) for n in names}})
        np.savez({str(tmp_path / 'got.npz')!r}, **{{n: v.numpy() for n, v in out.items()}})
        counts = graftrt.counters()
        assert counts and all(c == {{"engine": 1, "native": 0, "calibration": 0}} for c in counts.values()), counts
        print(json.dumps([names, sorted(out)]))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr[-3000:]
    names, outputs = json.loads(done.stdout.splitlines()[-1])
    assert names == sorted(data)
    got = np.load(tmp_path / "got.npz")
    if source == "keras":  # a Keras model has no names of outputs but its one
        (only,) = outputs
        expected = {only: expected[None]}
    assert outputs == sorted(expected)
    for name in outputs:
        np.testing.assert_allclose(got[name], expected[name].numpy(), rtol=1e-4, atol=1e-5)


def test_save_of_a_graph_def_is_whole_or_absent(tmp_path):
    network = networks.get("toy_mobile")
    conversion = trt.convert(network.path, [network.logits])
    conversion.save(tmp_path / "mixed.pb")
    assert (tmp_path / "mixed.pb").read_bytes() == conversion.serialized
    with pytest.raises(OSError):
        conversion.save(tmp_path / "no" / "mixed.pb")
    assert sorted(os.listdir(tmp_path)) == ["mixed.pb"]


def test_session_needs_no_tensorflow(tmp_path):
    network = networks.get("toy_mobile")
    trt.convert(network.path, [network.logits]).save(tmp_path / "mixed.pb")
    feeds = network.feeds(2, seed=3)
    np.savez(tmp_path / "feeds.npz", **feeds)
    code = f"""
        import sys, numpy as np, graftrt
        feeds = dict(np.load({str(tmp_path / 'feeds.npz')!r}))
        for path in ({str(tmp_path / 'mixed.pb')!r}, {str(network.path)!r}):
            out = graftrt.Session(path).run([{network.logits!r}], feeds)
            assert out[0].shape[0] == 2 and np.isfinite(out[0]).all()
        assert "tensorflow" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, timeout=60)


def test_progress_callable_sees_every_stage():
    seen = []
    network = networks.get("toy_mobile")
    trt.convert(network.path, [network.logits], progress=lambda stage, done, total, eta: seen.append((stage, done, total)))
    assert [s for s, done, total in seen if done == total] == ["import", "build", "write"]


def test_progress_that_raises_is_raised_and_nothing_crashes():
    network = networks.get("toy_mobile")

    def bad(*_):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        trt.convert(network.path, [network.logits], progress=bad)


@pytest.fixture
def interruptible():
    """SIGINT raises KeyboardInterrupt, also where the test run was started with the signal ignored (a background job)."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_O10_ctrl_c_stops_a_conversion(interruptible):
    network = networks.get("toy_resnet")

    def interrupt(stage, done, total, eta):
        if stage == "build" and done == 0:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        trt.convert(network.path, [network.logits], progress=interrupt)
        for _ in range(20):  # the signal may arrive after the thread ended; it must arrive
            import time
            time.sleep(0.05)
    assert trt.convert(network.path, [network.logits]).report.engines


def test_strict_raises_when_nothing_is_converted():
    network = networks.get("toy_mobile")
    with pytest.raises(trt.NotConverted):
        trt.convert(network.path, [network.logits], min_segment_size=10**6, strict=True)


def test_strict_all_names_the_native_node():
    network = networks.get("toy_mobile")
    with pytest.raises(trt.NotConverted, match="stays native"):
        trt.convert(network.path, [network.logits], deny=["op:Relu6", "op:AddV2"], strict="all")


def test_denied_ops_stay_native_and_the_answer_stays_right(run_tf):
    network = networks.get("toy_mobile")
    conversion = trt.convert(network.path, [network.logits], deny=["op:DepthwiseConv2dNative"])
    ops = {node.op for node in conversion.graph_def.node}
    assert "DepthwiseConv2dNative" in ops and "TRTEngineOp" in ops
    denied = [n for n in conversion.report.nodes if n["op"] == "DepthwiseConv2dNative"]
    assert denied and all(n["engine"] == -1 and n["code"] == "denied" for n in denied)
    feeds = network.feeds(2, seed=4)
    got = run_tf(conversion.graph_def, [network.logits], feeds)[0]
    want = run_tf(network.graph_def(), [network.logits], feeds)[0]
    np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-4 * np.abs(want).max())


def test_analyze_says_why_without_converting():
    network = networks.get("toy_mobile")
    report = trt.analyze(network.path, [network.logits])
    assert report.engines and "engine" in report.text
    assert {n["engine"] for n in report.nodes if n["op"] == "Placeholder"} == {-1}


def test_unknown_pass_is_refused():
    network = networks.get("toy_mobile")
    with trt.options(disabled_passes=["no_such_pass"]):
        with pytest.raises(trt.InvalidArgument, match="no_such_pass"):
            trt.convert(network.path, [network.logits], strict=True)


def test_threads_reach_the_session():
    network = networks.get("toy_mobile")
    with pytest.raises(trt.InvalidArgument, match="threads"):
        trt.convert(network.path, [network.logits], threads=0).session()
