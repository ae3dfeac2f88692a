"""The drop-in for tensorflow.contrib.tensorrt, as its users call it."""

import copy
import logging
import subprocess
import sys
import threading

import graftrt as trt
import mixed
import networks
import numpy as np
import pytest
import tensorflow as tf


@pytest.fixture(scope="module")
def toy():
    return networks.get("toy_resnet")


@pytest.fixture(scope="module")
def digits():
    import pathlib
    path = pathlib.Path(__file__).resolve().parents[2] / "examples" / "digits_cnn.pb"
    return tf.compat.v1.GraphDef.FromString(path.read_bytes())


def digits_mixed(digits, **kwargs):
    return trt.create_inference_graph(digits, ["output"], **kwargs)


def run(graph_def, data, fetch="output:0"):
    with mixed.session_of(graph_def) as session:
        return session.run(fetch, {"input:0": data})


def test_returns_a_mixed_graph_and_leaves_the_input_alone(digits):
    before = copy.deepcopy(digits)
    result = digits_mixed(digits, max_batch_size=16, max_workspace_size_bytes=1 << 25, precision_mode="FP32", minimum_segment_size=2)
    assert digits == before
    assert isinstance(result, tf.compat.v1.GraphDef)
    assert [n.op for n in mixed.compute_nodes(result)] == ["TRTEngineOp"]
    assert {n.name for n in result.node} >= {"input", "output"}
    engine = mixed.compute_nodes(result)[0]
    assert engine.attr["segment_func"].func.name == f"{engine.name}_native_segment"
    assert engine.attr["precision_mode"].s == b"FP32" and engine.attr["workspace_size_bytes"].i == 1 << 25
    data = mixed.images(5, (8, 8, 1))
    np.testing.assert_allclose(run(result, data), run(digits, data), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("precision", ["FP32", "fp32", "FP16", b"fp16"])
def test_precision_in_any_case(digits, precision):
    result = digits_mixed(digits, precision_mode=precision)
    data = mixed.images(4, (8, 8, 1))
    np.testing.assert_allclose(run(result, data), run(digits, data), atol=1e-2)


def test_imports_under_a_prefix_with_return_elements(digits):
    result = digits_mixed(digits)
    data = mixed.images(3, (8, 8, 1))
    with tf.Graph().as_default() as graph:
        inp, out = tf.import_graph_def(graph_def=result, return_elements=["input", "output"])
        with tf.compat.v1.Session(graph=graph) as session:
            got = session.run(out.outputs[0], {inp.outputs[0]: data})
    np.testing.assert_allclose(got, run(digits, data), rtol=1e-5, atol=1e-6)


def test_outputs_may_be_a_string_or_tensors(digits):
    assert trt.create_inference_graph(digits, "output").node
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(digits, name="")
        assert trt.create_inference_graph(digits, [graph.get_tensor_by_name("output:0")]).node


def test_O2_nothing_converted_returns_the_input_and_warns(digits):
    with pytest.warns(UserWarning, match="nothing was converted"):
        result = digits_mixed(digits, minimum_segment_size=1000)
    assert result == digits


def test_minimum_segment_size_minus_one_converts_nothing_quietly(digits, recwarn):
    assert digits_mixed(digits, minimum_segment_size=-1) == digits
    assert not [w for w in recwarn if "nothing was converted" in str(w.message)]


def test_S16_converting_again_changes_nothing(digits):
    once = digits_mixed(digits)
    with pytest.warns(UserWarning):
        assert digits_mixed(once) == once


def test_engine_names_count_conversions(digits):
    first, second = (mixed.compute_nodes(digits_mixed(digits))[0].name for _ in range(2))
    assert first != second
    assert first.startswith("TRTEngineOp_") and first.endswith("_000")
    with trt.options(engine_name_format="my_trt_op_{index}"):
        assert mixed.compute_nodes(digits_mixed(digits))[0].name == "my_trt_op_0"


def test_calib_graph_to_infer_graph_without_calibration_nodes(digits):
    with pytest.raises(trt.CalibrationError, match="Graph doesn't contain any calibration nodes"):
        trt.calib_graph_to_infer_graph(digits)


@pytest.mark.parametrize("batch", [0, 1, 2, 3, 8, 33, 130])
def test_I2_any_batch_runs_in_the_engine(digits, batch, counters):
    result = digits_mixed(digits, max_batch_size=8)
    data = mixed.images(batch, (8, 8, 1))
    got = run(result, data)
    (counts,) = counters().values()
    assert counts == {"engine": 1, "native": 0, "calibration": 0}
    assert got.shape == (batch, 10)
    np.testing.assert_allclose(got, run(digits, data), rtol=1e-5, atol=1e-6)


def test_M1_sixteen_threads_give_the_bits_of_one(toy):
    result = trt.create_inference_graph(toy.graph_def(), [toy.logits])
    feeds = [{f"{k}:0": v for k, v in toy.feeds(1 + i % 3, seed=i).items()} for i in range(16)]
    with mixed.session_of(result) as session:
        serial = [session.run(toy.logits, f) for f in feeds]
        outcome = [None] * 16

        def work(i):
            outcome[i] = [session.run(toy.logits, feeds[i]).tobytes() for _ in range(5)]

        threads = [threading.Thread(target=work, args=(i,)) for i in range(16)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    for i in range(16):
        assert set(outcome[i]) == {serial[i].tobytes()}


def test_runs_in_a_tf_function(toy):
    result = trt.create_inference_graph(toy.graph_def(), [toy.logits])
    feeds = toy.feeds(2, seed=7)
    call = mixed.function_of(result, [f"{k}:0" for k in feeds], [toy.logits])
    got = call(*[tf.constant(v) for v in feeds.values()])
    got = got[0] if isinstance(got, (list, tuple)) else got
    with mixed.session_of(result) as session:
        assert got.numpy().tobytes() == session.run(toy.logits, {f"{k}:0": v for k, v in feeds.items()}).tobytes()


@pytest.mark.parametrize("order", ["tensorflow, graftrt", "graftrt, tensorflow"])
def test_plugin_loads_in_either_import_order(order):
    first, second = order.split(", ")
    code = f"import {first}\nimport {second}\nimport graftrt\ngraftrt.load_plugin()\nimport tensorflow as tf\n" \
           "from tensorflow.python.framework import op_def_registry as r\nassert r.get('TRTEngineOp') is not None\nprint('loaded')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert "loaded" in done.stdout, done.stderr[-2000:]


def test_importing_graftrt_never_imports_tensorflow():
    code = "import graftrt, sys\nassert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_one_summary_line_at_info(digits, caplog):
    with caplog.at_level(logging.INFO, logger="graftrt"):
        digits_mixed(digits)
    lines = [r.message for r in caplog.records if r.levelno == logging.INFO]
    assert len(lines) == 1 and lines[0].startswith("1 engine, ") and "graftrt.analyze(...) says why" in lines[0]


def test_same_graph_and_options_give_the_same_bytes_in_fresh_processes(tmp_path, toy):
    code = f"import graftrt, sys\nc = graftrt.convert({str(toy.path)!r}, [{toy.logits!r}])\nsys.stdout.write(__import__('hashlib').sha256(c.serialized).hexdigest())"
    digests = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout for _ in range(2)}
    assert len(digests) == 1
