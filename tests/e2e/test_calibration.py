"""INT8: the documented flow with calibration nodes, engines that observe themselves, and one call.

The network is the digits CNN; answers are compared with TensorFlow's own.
"""

import copy
import json
import logging
import os
import pathlib
import pty
import re
import signal
import subprocess
import sys
import time

import graftrt as trt
import mixed
import numpy as np
import pytest
import tensorflow as tf

ROOT = pathlib.Path(__file__).resolve().parents[2]
DIGITS = ROOT / "examples" / "digits_cnn.pb"


@pytest.fixture(scope="module")
def data():
    import digits
    return digits.load()[2][:200].astype(np.float32)


def run(graph_def, images, fetch="output:0", feeds="input:0"):
    with mixed.session_of(graph_def) as session:
        return session.run(fetch, {feeds: images})


def feed(graph_def, batches):
    with mixed.session_of(graph_def) as session:
        for batch in batches:
            session.run("output:0", {"input:0": batch})


def calib_ops(graph_def):
    return [node for node in graph_def.node if node.op == "TRTCalibOp"]


def check_int8(graph_def, source, images, counters):
    """One engine, which answers (strictly), in INT8: near FP32, the same classes, and not FP32."""
    assert [node.op for node in mixed.compute_nodes(graph_def)] == ["TRTEngineOp"]
    with trt.options(strict=True):
        trt.reset_counters()
        got, want = run(graph_def, images), run(source, images)
    (counts,) = [row for row in counters().values() if row["engine"]]
    assert counts == {"engine": 1, "native": 0, "calibration": 0}
    assert np.mean(got.argmax(-1) == want.argmax(-1)) >= 0.985
    assert 0 < np.abs(got - want).max()


def test_documented_flow_end_to_end(digits_graph, data, counters):
    calibration = trt.create_inference_graph(digits_graph, ["output"], 50, precision_mode="INT8")
    assert len(calib_ops(calibration)) == 1
    assert {n.name for n in calibration.node} >= {n.name for n in digits_graph.node}
    with tf.Graph().as_default() as graph:
        inp, out = tf.import_graph_def(graph_def=calibration, return_elements=["input", "output"])
        inp, out = inp.outputs[0], out.outputs[0]
        with tf.compat.v1.Session(graph=graph) as session:
            for i in range(7):  # slices of unequal length
                got = session.run(out, {inp: data[i::7]})
                np.testing.assert_array_equal(got, run(digits_graph, data[i::7]))
    assert [row["calibration"] for row in counters().values()] == [7]
    int8_graph = trt.calib_graph_to_infer_graph(calibration)
    check_int8(int8_graph, digits_graph, data, counters)
    engine = mixed.compute_nodes(int8_graph)[0]
    assert engine.attr["precision_mode"].s == b"INT8"


def test_Q11_finishing_twice_gives_the_same_and_feeding_after_it_raises(digits_graph, data):
    calibration = trt.create_inference_graph(digits_graph, ["output"], precision_mode="INT8")
    feed(calibration, [data[:50]])
    first = trt.calib_graph_to_infer_graph(calibration)
    assert trt.calib_graph_to_infer_graph(calibration) == first
    with pytest.raises(tf.errors.OpError):
        feed(calibration, [data[:50]])


def test_Q1_finishing_without_data_names_the_engine(digits_graph):
    calibration = trt.create_inference_graph(digits_graph, ["output"], precision_mode="INT8")
    with pytest.raises(trt.CalibrationError, match=r"no calibration data for engine TRTEngineOp_\d+_000"):
        trt.calib_graph_to_infer_graph(calibration)


def test_converting_again_starts_empty(digits_graph, data):
    feed(trt.create_inference_graph(digits_graph, ["output"], precision_mode="INT8"), [data[:20]])
    again = trt.create_inference_graph(digits_graph, ["output"], precision_mode="INT8")
    with pytest.raises(trt.CalibrationError, match="no calibration data"):
        trt.calib_graph_to_infer_graph(again)


def test_nothing_to_calibrate_is_final_and_said_once(digits_graph, caplog):
    graph = copy.deepcopy(digits_graph)  # of its own: what is final is known by content
    graph.node.add(name="of_this_test", op="NoOp")
    with pytest.raises(trt.CalibrationError):
        trt.calib_graph_to_infer_graph(graph)
    with caplog.at_level(logging.WARNING, logger="graftrt"), pytest.warns(UserWarning, match="nothing was converted"):
        final = trt.create_inference_graph(graph, ["output"], precision_mode="INT8", minimum_segment_size=1000)
    assert final == graph
    assert sum("nothing to calibrate" in record.message for record in caplog.records) == 1
    assert trt.calib_graph_to_infer_graph(final) == graph


def test_without_calibration_it_is_fp16_with_the_warning_of_tf_trt(digits_graph, data, caplog):
    with caplog.at_level(logging.WARNING, logger="graftrt"):
        graph = trt.create_inference_graph(digits_graph, ["output"], precision_mode="INT8", use_calibration=False)
    assert any("Set engine precision to FP16 due to missing QDQ OP" in record.message for record in caplog.records)
    assert mixed.compute_nodes(graph)[0].attr["precision_mode"].s == b"FP16"
    np.testing.assert_allclose(run(graph, data), run(digits_graph, data), atol=1e-2)


FEEDER = """
import sys, numpy as np, tensorflow as tf, graftrt
graph_def = tf.compat.v1.GraphDef.FromString(open(sys.argv[1], "rb").read())
data = np.load(sys.argv[2])[int(sys.argv[3])::4]
with tf.Graph().as_default() as graph:
    tf.graph_util.import_graph_def(graph_def, name="")
    with tf.compat.v1.Session(graph=graph) as session:
        for i in range(0, len(data), 20):
            session.run("output:0", {"input:0": data[i:i + 20]})
"""

FINISHER = """
import sys, graftrt
graph, report, table = graftrt.calibration.finish(open(sys.argv[1], "rb").read(), sys.argv[3], False)
open(sys.argv[2], "w").write(table.json())
"""


def table_by_process(calibration, data, folder, parts, calibrator):
    folder.mkdir()
    (folder / "calib.pb").write_bytes(calibration.SerializeToString())
    np.save(folder / "data.npy", data)
    env = dict(os.environ, GRAFT_CALIBRATION_DIR=str(folder / "states"))
    (folder / "states").mkdir()
    feeders = [subprocess.Popen([sys.executable, "-c", FEEDER, folder / "calib.pb", folder / "data.npy", str(part)], env=env) for part in parts]
    assert [feeder.wait(timeout=150) for feeder in feeders] == [0] * len(feeders)
    subprocess.run([sys.executable, "-c", FINISHER, folder / "calib.pb", folder / "table.json", calibrator], env=env, check=True, timeout=100)
    return (folder / "table.json").read_bytes()


# The default calibrator needs it all: ranges, distributions, and samples of the data.
def test_Q8_four_processes_and_a_fifth_give_the_table_of_one(digits_graph, data, tmp_path):
    calibration = trt.create_inference_graph(digits_graph, ["output"], precision_mode="INT8")
    merged = table_by_process(calibration, data, tmp_path / "four", range(4), "auto")
    feed(calibration, [data])
    _, _, table = trt.calibration.finish(calibration.SerializeToString(), "auto", False)
    assert table.json().encode() == merged
    done = subprocess.run([graft_command(), "finalize", tmp_path / "four" / "calib.pb", "--calibration-dir", tmp_path / "four" / "states", "-o",
                           tmp_path / "int8.pb", "--save-table", tmp_path / "cli.json"],
                          capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "cli.json").read_bytes() == merged


def resident_bytes():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def graft_command():
    build = pathlib.Path(os.environ.get("GRAFT_BUILD_DIR", ROOT / "build" / "release"))
    return build / "python" / "graftrt" / "bin" / "graft"


def test_engines_that_observe_themselves(digits_graph, data, counters):
    with tf.Graph().as_default():
        converter = trt.TrtGraphConverter(input_graph_def=digits_graph, nodes_denylist=["output"], precision_mode="INT8",
                                          minimum_segment_size=2, is_dynamic_op=True)
        converted = converter.convert()
        (node,) = [n for n in converted.node if n.op == "TRTEngineOp"]
        assert node.attr["use_calibration"].b and node.attr["calibration_data"].s == b""
        slices = iter([data[i::4] for i in range(4)])
        finished = converter.calibrate(["output:0"], 4, feed_dict_fn=lambda: {"input:0": next(slices)})
        assert [row["calibration"] for row in counters().values()] == [4]
        check_int8(finished, digits_graph, data, counters)
        (node,) = [n for n in finished.node if n.op == "TRTEngineOp"]
        assert json.loads(node.attr["calibration_data"].s)["format"] == "graft-calibration"
        with pytest.raises(RuntimeError, match="already"):
            converter.calibrate(["output:0"], 1, feed_dict_fn=lambda: {})


def test_Q15_memory_stays_flat_over_a_thousand_batches_of_an_engine_that_observes(digits_graph, data, counters):
    with tf.Graph().as_default():
        observing = trt.TrtGraphConverter(input_graph_def=digits_graph, nodes_denylist=["output"], precision_mode="INT8",
                                          is_dynamic_op=True).convert()
    with mixed.session_of(observing) as session:
        for run_number in range(1000):
            session.run("output:0", {"input:0": data[run_number % 100:][:8]})
            if run_number == 199:
                warm = resident_bytes()
    assert [row["calibration"] for row in counters().values() if any(row.values())] == [1000]
    assert resident_bytes() - warm < 2 << 20  # 800 batches of the network's tensors are 82 MiB


def test_input_map_fn_gives_the_data(digits_graph, data, counters):
    with tf.Graph().as_default():
        converter = trt.TrtGraphConverter(input_graph_def=digits_graph, nodes_denylist=["output"], precision_mode="INT8", is_dynamic_op=True)
        converter.convert()
        finished = converter.calibrate(["output:0"], 2, input_map_fn=lambda: {
            "input:0": tf.compat.v1.data.make_one_shot_iterator(tf.data.Dataset.from_tensors(data).repeat()).get_next()})
    check_int8(finished, digits_graph, data, counters)


def test_converter_says_what_tf_trt_said(digits_graph):
    with pytest.raises(RuntimeError, match="Please use tf.experimental.tensorrt.Converter in TF 2.0."):
        trt.TrtGraphConverter(input_graph_def=digits_graph)
    with tf.Graph().as_default():
        with pytest.raises(ValueError, match="Can only specify one of input_graph_def and input_saved_model_dir"):
            trt.TrtGraphConverter(input_graph_def=digits_graph, input_saved_model_dir="x")
        with pytest.raises(ValueError, match="Must specify one of input_graph_def and input_saved_model_dir"):
            trt.TrtGraphConverter()
        converter = trt.TrtGraphConverter(input_graph_def=digits_graph, nodes_denylist=["output"], precision_mode="INT8")
        converter.convert()
        for both in ({}, {"feed_dict_fn": dict, "input_map_fn": dict}):
            with pytest.raises(ValueError, match="Should specify one and only one of feed_dict_fn and input_map_fn."):
                converter.calibrate(["output:0"], 1, **both)


@pytest.mark.parametrize("form", ["dicts", "arrays", "lists", "generator"])
def test_one_call(digits_graph, data, form, counters):
    batches = [data[i::3] for i in range(3)]
    feeds = {"dicts": [{"input": b} for b in batches], "arrays": batches, "lists": [[b] for b in batches], "generator": (b for b in batches)}[form]
    seen = []
    result = trt.convert(digits_graph, ["output"], precision="int8", calibration=feeds,
                         progress=lambda stage, done, total, eta: seen.append((stage, done, total)))
    check_int8(result.graph_def, digits_graph, data, counters)
    assert [done for stage, done, _ in seen if stage == "calibrate"][-1] == len(data)
    assert result.calibration_table["tensors"]


def test_auto_loses_to_no_other_at_the_outputs(digits_graph, data):
    images = data[:16].copy()
    images[3, 2, 2, 0] = 200  # the largest of all values says nothing of the others
    batches = [images[i:i + 1] for i in range(16)]  # no more than what auto looks at

    def sqnr_db(calibrator):
        result = trt.convert(digits_graph, ["output"], precision="int8", calibration=batches, calibrator=calibrator)
        return trt.compare(digits_graph, result, batches).worst_output_db, result.calibration_table["tensors"]

    auto, table = sqnr_db("auto")
    others = {name: sqnr_db(name) for name in trt.calibration.CALIBRATORS[1:]}
    assert auto >= max(db for db, _ in others.values()) - 0.01
    assert max(db for db, _ in others.values()) > min(db for db, _ in others.values()) + 3, "they are all alike, which shows nothing"
    assert table in [other for _, other in others.values()] or len({row["calibrator"] for row in table.values()}) > 1


def test_a_tensor_that_integers_would_spoil_stays_float(caplog):
    rng = np.random.default_rng(0)
    first, second = rng.standard_normal([2, 64, 64]).astype(np.float32) / 8
    first[3] = 0  # what reads the planted value makes nothing of it
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, 64], name="x")
        tf.identity(tf.matmul(tf.nn.relu(tf.matmul(x, first, name="first"), name="relu"), second, name="second"), name="output")
    rows = rng.standard_normal([16384, 64]).astype(np.float32)
    rows[7, 3] = 1e3

    def error(calibrator):
        result = trt.convert(graph.as_graph_def(), ["output"], precision="int8", calibration=[rows], calibrator=calibrator)
        want, got = (run(g, rows[100:200], feeds="x:0") for g in (graph.as_graph_def(), result.graph_def))
        return result, np.linalg.norm(want - got) / np.linalg.norm(want)

    with caplog.at_level(logging.WARNING, logger="graftrt"):
        result, auto = error("auto")
    assert any("'x'" in record.message and "dB at best" in record.message for record in caplog.records)
    assert set(result.calibration_table["tensors"]) >= {"relu"} and "x" not in result.calibration_table["tensors"]
    assert result.report.data["engines"][0]["int8_macs_share"] == 0.5
    assert 0 < auto < 0.05
    result, minmax = error("minmax")  # a calibrator that is asked for is obeyed
    assert result.report.data["engines"][0]["int8_macs_share"] == 1 and minmax > 0.5


def test_tables_travel(digits_graph, data, tmp_path, counters):
    first = trt.convert(digits_graph, ["output"], precision="int8", calibration=[data], calibrator="minmax")
    table = first.calibration_table
    table.save(tmp_path / "table.json")
    assert trt.CalibrationTable.load(tmp_path / "table.json") == table
    for form in (table, tmp_path / "table.json", str(tmp_path / "table.json"), json.dumps(table), json.dumps(table).encode(), dict(table)):
        again = trt.convert(digits_graph, ["output"], precision="int8", calibration=form)
        engines = [mixed.compute_nodes(c.graph_def)[0].attr["serialized_segment"].s for c in (first, again)]
        assert engines[0] == engines[1]


def test_Q14_table_of_another_graph_is_refused(digits_graph, data, network):
    table = trt.convert(digits_graph, ["output"], precision="int8", calibration=[data[:20]], calibrator="minmax").calibration_table
    other = network("toy_resnet")
    with pytest.raises(trt.CalibrationError, match=table["identity"]):
        trt.convert(other.graph_def(), [other.logits], precision="int8", calibration=table)


def test_Q13_bad_tables_are_refused_by_line_and_name(digits_graph, data):
    table = trt.convert(digits_graph, ["output"], precision="int8", calibration=[data[:20]], calibrator="minmax").calibration_table
    name = next(iter(table["tensors"]))
    for bad in (0, -1, 1e38):
        table["tensors"][name]["threshold"] = bad
        with pytest.raises(trt.CalibrationError, match=name):
            trt.convert(digits_graph, ["output"], precision="int8", calibration=table)
    for text in ("{", "[]", '{"format": "other"}', b"\xff"):
        with pytest.raises(trt.Error):
            trt.convert(digits_graph, ["output"], precision="int8", calibration=text)


def test_Q3_Q10_bad_feeds_raise_and_leave_nothing(digits_graph, data):
    def broken():
        yield data[:10]
        raise KeyError("my feeder")

    with pytest.raises(KeyError, match="my feeder"):
        trt.convert(digits_graph, ["output"], precision="int8", calibration=broken())
    with pytest.raises(trt.InvalidArgument, match="1 inputs"):
        trt.convert(digits_graph, ["output"], precision="int8", calibration=[[data[:2], data[:2]]])
    with pytest.raises(trt.Error, match="input"):
        trt.convert(digits_graph, ["output"], precision="int8", calibration=[data[:2].astype(np.float64)])
    with pytest.raises(trt.CalibrationError, match="no calibration data"):
        trt.convert(digits_graph, ["output"], precision="int8", calibration=[])
    with pytest.raises(trt.InvalidArgument, match="needs calibration data"):
        trt.convert(digits_graph, ["output"], precision="int8")
    with pytest.raises(trt.InvalidArgument, match="only 'int8' is calibrated"):
        trt.convert(digits_graph, ["output"], calibration=[data])


def test_Q4_not_a_number_is_an_error_that_names_the_tensor(digits_graph, data):
    bad = data[:4].copy()
    bad[0, 0, 0, 0] = np.nan
    with pytest.raises(trt.CalibrationError, match="input.*ignore_non_finite"):
        trt.convert(digits_graph, ["output"], precision="int8", calibration=[bad])


def test_Q4_an_option_leaves_it_out_and_says_so(digits_graph, data, tmp_path, caplog):
    bad = data[:20].copy()
    bad[0, 0, 0, 0] = np.nan
    with trt.options(ignore_non_finite=True), caplog.at_level(logging.WARNING, logger="graftrt"):
        table = trt.convert(digits_graph, ["output"], precision="int8", calibration=[bad], calibrator="minmax").calibration_table
    assert any("'input': 1 of" in record.message and "ignored" in record.message for record in caplog.records)
    assert table["tensors"]["input"]["threshold"] == np.nanmax(bad)
    np.savez(tmp_path / "bad.npz", input=bad)
    command = [graft_command(), "calibrate", DIGITS, "--feeds", tmp_path / "bad.npz", "-o", tmp_path / "t.json", "--calibrator", "minmax"]
    assert subprocess.run(command, capture_output=True, timeout=100).returncode == 1
    done = subprocess.run([*command, "--ignore-non-finite"], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0 and "'input': 1 of" in done.stderr, done.stderr
    assert json.loads((tmp_path / "t.json").read_text())["tensors"] == table["tensors"]


def test_ranges_of_the_user_override_in_every_flow(digits_graph, data, tmp_path, caplog):
    relu = "functional_1/dense_1/Relu"
    given = {"input:0": 3, relu: (0, 5), "nowhere": 1}

    def check(tensors):
        assert tensors["input"]["threshold"] == 3 and tensors["input"]["calibrator"] == "user"
        assert tensors[relu]["threshold"] == 5 and tensors[relu]["min"] == 0
        assert {row["calibrator"] for name, row in tensors.items() if name not in given and name != "input"} == {"minmax"}

    calibration = trt.create_inference_graph(digits_graph, ["output"], precision_mode="INT8")
    feed(calibration, [data[:20]])
    with trt.options(ranges=given, calibrator="minmax"), caplog.at_level(logging.WARNING, logger="graftrt"):
        check(trt.convert(digits_graph, ["output"], precision="int8", calibration=[data[:20]], calibrator="minmax").calibration_table["tensors"])
        assert any("'nowhere'" in record.message for record in caplog.records)
        documented = mixed.compute_nodes(trt.calib_graph_to_infer_graph(calibration))[0]
        _, _, table = trt.calibration.finish(calibration.SerializeToString(), "minmax", False)
    check(table["tensors"])
    with trt.options(calibrator="minmax"):
        by_data = mixed.compute_nodes(trt.calib_graph_to_infer_graph(calibration))[0]
    assert by_data.attr["serialized_segment"].s != documented.attr["serialized_segment"].s
    for bad in ("x", (1, 2, 3), 0, float("nan")):
        with trt.options(ranges={"input": bad}), pytest.raises(trt.InvalidArgument, match="input"):
            trt.convert(digits_graph, ["output"], precision="int8", calibration=[data[:20]])
    np.savez(tmp_path / "feeds.npz", input=data[:20])
    command = [graft_command(), "calibrate", DIGITS, "--feeds", tmp_path / "feeds.npz", "-o", tmp_path / "t.json", "--calibrator", "minmax"]
    done = subprocess.run([*command, "--range", "input=3", "--range", relu + "=0,5"], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    check(json.loads((tmp_path / "t.json").read_text())["tensors"])
    assert subprocess.run([*command, "--range", "input"], capture_output=True, timeout=100).returncode == 2


def test_percentile_is_an_option(digits_graph, data):
    def threshold(percentile):
        with trt.options(percentile=percentile):
            result = trt.convert(digits_graph, ["output"], precision="int8", calibration=[data], calibrator="percentile")
        return result.calibration_table["tensors"]["functional_1/dense_1/Relu"]

    all_of_it = threshold(100)
    assert threshold(50.0)["threshold"] < threshold(90)["threshold"] < all_of_it["threshold"] == all_of_it["max"]
    with pytest.raises(trt.InvalidArgument, match="percentile"):
        threshold(101)


def test_command_line(digits_graph, data, tmp_path):
    np.savez(tmp_path / "feeds.npz", input=data)
    np.savez_compressed(tmp_path / "small.npz", data)
    graft = graft_command()

    def command(*args):
        return subprocess.run([graft, *args], capture_output=True, text=True, timeout=100)

    done = command("convert", DIGITS, "--outputs", "output", "--precision", "int8", "--calibrate", tmp_path / "feeds.npz", "--calibrator", "minmax",
                   "--save-table", tmp_path / "t.json", "-o", tmp_path / "a.pb")
    assert done.returncode == 0, done.stderr
    done = command("calibrate", DIGITS, "--outputs", "output", "--feeds", tmp_path / "small.npz", "--calibrator", "minmax", "-o", tmp_path / "u.json")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "t.json").read_bytes() == (tmp_path / "u.json").read_bytes()
    done = command("convert", DIGITS, "--outputs", "output", "--precision", "int8", "--table", tmp_path / "u.json", "-o", tmp_path / "b.pb")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.pb").read_bytes() == (tmp_path / "b.pb").read_bytes()
    graph = tf.compat.v1.GraphDef.FromString((tmp_path / "a.pb").read_bytes())
    assert np.mean(run(graph, data).argmax(-1) == run(digits_graph, data).argmax(-1)) >= 0.985
    for args, text in ((["--precision", "int8"], "needs either"), (["--calibrate", tmp_path / "feeds.npz"], "for --precision int8"),
                       (["--precision", "int8", "--calibrate", DIGITS], "not a .npz file")):
        done = command("convert", DIGITS, "-o", tmp_path / "c.pb", *args)
        assert done.returncode == 1 and text in done.stderr, done.stderr
    assert not (tmp_path / "c.pb").exists()


def interrupted(arguments, folder, when):
    """`graft` with its first SIGINT when(folder) says so; (process, names in the folder before that)."""
    process = subprocess.Popen([graft_command(), *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    while process.poll() is None and not when(set(os.listdir(folder))):
        pass
    seen = set(os.listdir(folder))
    process.send_signal(signal.SIGINT)
    process.errors = process.communicate(timeout=60)[1]
    return process, seen


def test_the_command_shows_how_far_it_is(data, tmp_path):
    np.savez(tmp_path / "feeds.npz", input=np.tile(data, (400, 1, 1, 1)))
    ours, theirs = pty.openpty()
    command = [graft_command(), "calibrate", DIGITS, "--feeds", tmp_path / "feeds.npz", "--calibration-batch", "1", "-o", tmp_path / "out"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    os.close(theirs)
    shown = ""
    while "ETA" not in shown:
        shown += os.read(ours, 4096).decode()  # an error once the process has ended
    process.send_signal(signal.SIGINT)
    process.wait(timeout=60)
    os.close(ours)
    assert re.search(r"calibrate \d+/80000 images +[0-9.]+ images/s +ETA [0-9.]+ s", shown), shown


def test_Q10_an_interrupted_command_leaves_nothing(data, tmp_path):
    np.savez(tmp_path / "feeds.npz", input=np.tile(data, (400, 1, 1, 1)))
    start = time.monotonic()
    for command in (["calibrate", DIGITS, "--feeds", tmp_path / "feeds.npz"],
                    ["convert", DIGITS, "--precision", "int8", "--calibrate", tmp_path / "feeds.npz"]):
        end = time.monotonic() + 0.5
        process, _ = interrupted([*command, "--calibration-batch", 1, "-o", tmp_path / "out"], tmp_path, lambda _: time.monotonic() > end)
        assert process.returncode == -signal.SIGINT and "Cancelled" in process.errors, process.errors
        assert os.listdir(tmp_path) == ["feeds.npz"]
    assert time.monotonic() - start < 60  # 80,000 runs take longer


def test_Q10_a_command_that_is_interrupted_while_it_writes_leaves_no_temporary(data, tmp_path):
    np.savez(tmp_path / "feeds.npz", input=data[:8])
    command = ["convert", DIGITS, "--precision", "int8", "--calibrate", tmp_path / "feeds.npz", "--calibrator", "minmax", "-o", tmp_path / "out"]
    caught = 0
    for _ in range(12):
        process, seen = interrupted(command, tmp_path, lambda names: names > {"feeds.npz"})
        caught += bool(seen - {"feeds.npz", "out"})
        assert process.returncode in (0, -signal.SIGINT), process.errors
        assert set(os.listdir(tmp_path)) == {"feeds.npz", "out"}
        (tmp_path / "out").unlink()
    assert caught > 0


def test_saved_model_of_tf1(digits_graph, data, tmp_path):
    source, target = str(tmp_path / "in"), str(tmp_path / "out")
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        tf.graph_util.import_graph_def(digits_graph, name="")
        tensors = [graph.get_tensor_by_name(n) for n in ("input:0", "output:0")]
        tf.compat.v1.saved_model.simple_save(session, source, {"x": tensors[0]}, {"y": tensors[1]})
    with tf.Graph().as_default():
        converter = trt.TrtGraphConverter(input_saved_model_dir=source, precision_mode="INT8", is_dynamic_op=True)
        converter.convert()
        with pytest.raises(RuntimeError, match="calibrated"):
            converter.save(target)
        converter.calibrate(["output:0"], 1, feed_dict_fn=lambda: {"input:0": data})
        converter.save(target)
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        signature = tf.compat.v1.saved_model.load(session, ["serve"], target).signature_def["serving_default"]
        got = session.run(signature.outputs["y"].name, {signature.inputs["x"].name: data})
    assert np.mean(got.argmax(-1) == run(digits_graph, data).argmax(-1)) >= 0.985


def test_feeds_run_in_tensorflow_where_native_ops_need_it(counters):
    rng = np.random.default_rng(5)
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, 8], name="x")
        a = tf.nn.relu(tf.matmul(x, tf.constant(rng.standard_normal((8, 16)).astype(np.float32))) + 0.5)
        b = tf.raw_ops.Bucketize(input=a, boundaries=[0.5, 1.0])
        c = tf.concat([a, tf.cast(b, tf.float32)], 1)
        tf.matmul(tf.reshape(c, [-1, 32]), tf.constant(rng.standard_normal((32, 4)).astype(np.float32)), name="y")
    source = graph.as_graph_def()
    data = rng.standard_normal((64, 8)).astype(np.float32)
    with pytest.raises(trt.Unsupported, match="Bucketize"):
        trt.Session(source).run("y", {"x": data})
    result = trt.convert(source, ["y"], precision="int8", calibration=[data[:32], data[32:]], min_segment_size=1)
    assert "Bucketize" in {node.op for node in result.graph_def.node}
    with mixed.session_of(source) as native, mixed.session_of(result.graph_def) as session:
        want, got = (s.run("y:0", {"x:0": data}) for s in (native, session))
    assert 0 < np.abs(got - want).max() < 0.1 * np.abs(want).max()
