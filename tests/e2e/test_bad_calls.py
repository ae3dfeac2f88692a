"""Bad calls: each gives a typed error that names what is wrong; nothing is written, and the process lives on.

The ids are rows of the robustness catalogue (SECURITY.md says what they promise).
"""

import os
import pathlib
import subprocess

import bad_graphs as bad
import graftrt as trt
import numpy as np
import pytest
from bad_graphs import FLOAT, INT32, chain, conv, edit, node

GRAFT = pathlib.Path(trt.__file__).parent / "bin" / "graft"


def make(graph, outputs=("out",), **kwargs):
    return trt.create_inference_graph(graph, list(outputs), minimum_segment_size=1, **kwargs)


def raw(data):
    """Converts bytes rather than a GraphDef."""
    return lambda: make(data)


def call(graph, outputs=("out",), **kwargs):
    return lambda: make(graph, outputs, **kwargs)


GOOD = chain().SerializeToString()

# id, call, error class, words that the message must contain
WIRE = [
    ("W1_empty_bytes", raw(b""), trt.InvalidGraph, ["no nodes"]),
    ("W2_truncated", raw(GOOD[:-3]), trt.InvalidGraph, ["byte"]),
    ("W3_text_format", raw(b'node { name: "x" op: "Placeholder" }\n'), trt.InvalidGraph, ["text"]),
    ("W3_zip_archive", raw(b"PK\x03\x04" + b"\0" * 60), trt.InvalidGraph, ["zip"]),
    ("W3_gzip", raw(b"\x1f\x8b\x08" + b"\0" * 60), trt.InvalidGraph, ["gzip"]),
    ("W5_varint_of_11_bytes", raw(b"\x0a" + b"\xff" * 11), trt.InvalidGraph, ["byte"]),
    ("W5_length_near_2_64", raw(b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), trt.InvalidGraph, ["byte"]),
    ("W6_wrong_wire_type_for_op", raw(b"\x0a\x05\x0a\x01x\x10\x01"), trt.InvalidGraph, ["node 0", "no op"]),
]

STRUCTURE = [
    ("S1_duplicate_name", call(edit(chain(), lambda g: setattr(g.node[2], "name", "r0"))), trt.InvalidGraph, ["r0"]),
    ("S1_empty_name", call(edit(chain(), lambda g: setattr(g.node[1], "name", ""))), trt.InvalidGraph, ["name"]),
    ("S1_illegal_name", call(edit(chain(), lambda g: setattr(g.node[4], "name", "a b:c"))), trt.InvalidGraph, ["a b:c"]),
    ("S2_missing_input_node", call(edit(chain(), lambda g: g.node[2].input.__setitem__(0, "ghost"))), trt.InvalidGraph, ["r1", "ghost"]),
    ("S3_output_index_of_20_digits", call(edit(chain(), lambda g: g.node[2].input.__setitem__(0, "r0:99999999999999999999"))), trt.InvalidGraph, ["r1"]),
    ("S3_output_index_negative", call(edit(chain(), lambda g: g.node[2].input.__setitem__(0, "r0:-1"))), trt.InvalidGraph, ["r1"]),
    ("S3_output_index_out_of_range", call(edit(chain(), lambda g: g.node[2].input.__setitem__(0, "r0:7"))), trt.InvalidGraph, ["r1", "7"]),
    ("S3_control_with_port", call(edit(chain(), lambda g: g.node[2].input.append("^r0:1"))), trt.InvalidGraph, ["r1"]),
    ("S3_two_colons", call(edit(chain(), lambda g: g.node[2].input.__setitem__(0, "a:b:c"))), trt.InvalidGraph, ["r1"]),
    ("S4_data_after_control", call(edit(chain(), lambda g: g.node[2].input.insert(0, "^x"))), trt.InvalidGraph, ["r1"]),
    ("S5_self_loop", call(edit(chain(), lambda g: g.node[2].input.__setitem__(0, "r1"))), trt.InvalidGraph, ["r1"]),
    ("S5_cycle_of_two", call(edit(chain(), lambda g: g.node[1].input.__setitem__(0, "r1"))), trt.InvalidGraph, ["cycle", "r0"]),
    ("S9_too_few_inputs", call(edit(chain(), lambda g: g.node[2].ClearField("input"))), trt.InvalidGraph, ["r1", "0", "1"]),
    ("S9_too_many_inputs", call(edit(chain(), lambda g: g.node[2].input.append("x"))), trt.InvalidGraph, ["r1", "2", "1"]),
    ("S11_output_missing", call(chain(), ["outt"]), trt.InvalidArgument, ["outt", "out"]),
    ("S11_output_is_control", call(chain(), ["^out"]), trt.InvalidArgument, ["^out"]),
    ("S11_output_port_malformed", call(chain(), ["out:x"]), trt.InvalidArgument, ["out:x"]),
    ("S12_outputs_empty", call(chain(), []), trt.InvalidArgument, ["outputs"]),
    ("S24_variable", call(edit(chain(), lambda g: (node(g, "VarHandleOp", "v", dtype=("type", FLOAT), shape=("shape", [2])), g.node[4].input.append("^v")))),
     trt.InvalidGraph, ["v", "frozen"]),
]

ATTRIBUTES = [
    ("A1_required_attr_missing", call(conv(strides=None)), trt.InvalidGraph, ["out", "strides"]),
    ("A1_attr_of_wrong_kind", call(conv(strides=3)), trt.InvalidGraph, ["out", "strides"]),
    ("A3_dtype_9999", call(conv(T=("type", 9999))), trt.InvalidGraph, ["out", "T", "9999"]),
    ("A3_dtype_not_that_of_the_edge", call(conv(T=("type", INT32))), trt.InvalidGraph, ["out", "T"]),
    ("A4_stride_zero", call(conv(strides=[1, 0, 1, 1])), trt.InvalidGraph, ["out", "strides"]),
    ("A4_stride_negative", call(conv(strides=[1, -2, 1, 1])), trt.InvalidGraph, ["out", "strides"]),
    ("A4_strides_of_wrong_length", call(conv(strides=[1, 1])), trt.InvalidGraph, ["out", "strides", "2", "4"]),
    ("A4_dilation_zero", call(conv(dilations=[1, 0, 1, 1])), trt.InvalidGraph, ["out", "dilations"]),
    ("A5_padding_unknown", call(conv(padding="FOO")), trt.InvalidGraph, ["out", "padding", "FOO"]),
    ("A5_explicit_without_list", call(conv(padding="EXPLICIT")), trt.InvalidGraph, ["out", "explicit_paddings"]),
    ("A5_explicit_negative", call(conv(padding="EXPLICIT", explicit_paddings=[0, 0, -1, 0, 0, 0, 0, 0])), trt.InvalidGraph, ["out", "explicit_paddings"]),
    ("A6_data_format_unknown", call(conv(data_format="NWHC")), trt.InvalidGraph, ["out", "data_format", "NWHC"]),
    ("A6_data_format_of_one_char", call(conv(data_format="N")), trt.InvalidGraph, ["out", "data_format"]),
    ("A8_axis_out_of_range", call(bad.with_const("Mean", ("axes", [1], [9], INT32), Tidx=("type", INT32))), trt.InvalidGraph, ["out", "9"]),
    ("A8_perm_duplicated", call(bad.with_const("Transpose", ("perm", [4], [0, 1, 1, 2], INT32), Tperm=("type", INT32))), trt.InvalidGraph, ["out", "perm"]),
    ("A11_channels_do_not_match", call(edit(conv(), lambda g: g.node[1].attr["value"].tensor.tensor_shape.dim.__getitem__(2).__setattr__("size", 5))),
     trt.InvalidGraph, ["out", "5", "3"]),
]

TENSORS = [
    ("T1_content_too_short", call(edit(conv(), lambda g: bad.set_attr(g.node[1].attr["value"], bad.tensor([3, 3, 3, 4], content=b"\0" * 16)))),
     trt.InvalidGraph, ["w", "16", "432"]),
    ("T1_content_not_a_multiple", call(edit(conv(), lambda g: bad.set_attr(g.node[1].attr["value"], bad.tensor([3, 3, 3, 4], content=b"\0" * 433)))),
     trt.InvalidGraph, ["w", "433"]),
    ("T3_product_overflows", call(edit(conv(), lambda g: bad.set_attr(g.node[1].attr["value"], bad.tensor([2**40, 2**40, 2**40])))), trt.InvalidGraph, ["w"]),
    ("T3_negative_dim_in_const", call(edit(conv(), lambda g: bad.set_attr(g.node[1].attr["value"], bad.tensor([-1, 3])))), trt.InvalidGraph, ["w"]),
]

OPTIONS = [
    ("O1_precision_unknown", call(chain(), precision_mode="INT9"), trt.InvalidArgument, ["INT9", "FP32"]),
    ("O1_calibrator_unknown", lambda: trt.convert(chain(), ["out"], precision="int8", calibration=[], calibrator="magic"), trt.InvalidArgument,
     ["magic", "entropy"]),
    ("O1_option_unknown", lambda: trt.options(denyops=["Relu"]).__enter__(), trt.InvalidArgument, ["denyops", "deny_ops"]),
    ("O2_min_segment_zero", lambda: trt.create_inference_graph(chain(), ["out"], minimum_segment_size=0), trt.InvalidArgument, ["minimum_segment_size", "0"]),
    ("O2_min_segment_minus_two", lambda: trt.create_inference_graph(chain(), ["out"], minimum_segment_size=-2), trt.InvalidArgument, ["minimum_segment_size", "-2"]),
    ("O3_max_batch_zero", call(chain(), max_batch_size=0), trt.InvalidArgument, ["max_batch_size", "0"]),
    ("O3_max_batch_2_31", call(chain(), max_batch_size=2**31), trt.InvalidArgument, ["max_batch_size", "2147483648"]),
    ("O3_workspace_negative", call(chain(), max_workspace_size_bytes=-1), trt.InvalidArgument, ["max_workspace_size_bytes", "-1"]),
    ("O3_workspace_text", call(chain(), max_workspace_size_bytes="1GB"), trt.InvalidArgument, ["max_workspace_size_bytes", "1GB"]),
    ("O3_memory_limit_negative", lambda: trt.convert(chain(), ["out"], memory_limit_bytes=-1), trt.InvalidArgument, ["memory_limit_bytes", "-1"]),
    ("O3_memory_limit_text", lambda: trt.convert(chain(), ["out"], memory_limit_bytes="1GB"), trt.InvalidArgument, ["memory_limit_bytes", "1GB"]),
    ("O6_cuda_asked", lambda: trt.convert(chain(), ["out"], device="cuda"), trt.Unsupported, ["cuda"]),
    ("O8_threads_zero", lambda: trt.Session(chain(), threads=0), trt.InvalidArgument, ["threads", "0"]),
    ("O8_threads_negative", lambda: trt.Session(chain(), threads=-1), trt.InvalidArgument, ["threads", "-1"]),
    ("O9_graph_is_none", lambda: trt.create_inference_graph(None, ["out"]), trt.InvalidArgument, ["None"]),
    ("O9_graph_of_wrong_class", lambda: trt.create_inference_graph(3, ["out"]), trt.InvalidArgument, ["int"]),
    ("O9_output_of_wrong_class", call(chain(), [3]), trt.InvalidArgument, ["int"]),
    ("O9_path_missing", lambda: trt.create_inference_graph("no/such/graph.pb", ["out"]), trt.FileError, ["no/such/graph.pb"]),
]



def with_plan(change):
    """Bytes of a converted chain whose plan was changed: change(engine node, plan as a bytearray)."""
    graph = make(chain())
    (engine,) = (n for n in graph.node if n.op == "TRTEngineOp")
    engine.name = "the_engine"
    for other in graph.node:
        other.input[:] = ["the_engine" if name.startswith("TRTEngineOp") else name for name in other.input]
    plan = bytearray(engine.attr["serialized_segment"].s)
    change(engine, plan)
    engine.attr["serialized_segment"].s = bytes(plan)
    return graph.SerializeToString()


def run_plan(change):
    """Runs such a graph without TensorFlow and without a native segment to fall back to."""
    return lambda: trt.Session(with_plan(change)).run("out", {"x": np.zeros((1, 8, 8, 3), np.float32)})


def another_identity(engine, _):
    engine.attr["plan_identity"].s = b"0" * 64


def another_type(engine, _):
    engine.attr["InT"].list.type[0] = INT32


PLANS = [
    ("L1_plan_empty", run_plan(lambda _, plan: plan.clear()), trt.Unsupported, ["the_engine", "serialized_segment"]),
    ("L1_plan_truncated", run_plan(lambda _, plan: plan.__delitem__(slice(-1, None))), trt.PlanError, ["the_engine"]),
    ("L1_plan_with_trailing_bytes", run_plan(lambda _, plan: plan.append(0)), trt.PlanError, ["the_engine"]),
    ("L2_plan_with_one_bit_flipped", run_plan(lambda _, plan: plan.__setitem__(-1, plan[-1] ^ 1)), trt.PlanError, ["the_engine"]),
    ("L3_plan_of_TensorRT", run_plan(lambda _, plan: plan.__setitem__(slice(0, 4), b"ftrt")), trt.Unsupported, ["the_engine", "serialized_segment"]),
    ("L3_plan_of_another_format_version", run_plan(lambda _, plan: plan.__setitem__(4, 99)), trt.PlanError, ["the_engine", "99"]),
    ("L7_plan_of_another_node", run_plan(another_identity), trt.PlanError, ["the_engine", "0" * 64]),
    ("L8_plan_of_another_signature", run_plan(another_type), trt.Error, ["the_engine", "InT"]),
]

CASES = WIRE + STRUCTURE + ATTRIBUTES + TENSORS + OPTIONS + PLANS


def test_at_least_fifty_bad_calls():
    assert len(CASES) >= 50 and len({case[0] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("bad_call, error, words", [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_bad_call(bad_call, error, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(trt.Error) as caught:
        bad_call()
    assert isinstance(caught.value, error), repr(caught.value)
    assert not isinstance(caught.value, trt.InternalError), repr(caught.value)
    for word in words:
        assert word in str(caught.value), f"{word!r} is not in {caught.value}"
    assert os.listdir(tmp_path) == []
    # The library is still usable.
    assert make(chain()).node


def run_graft(*arguments):
    return subprocess.run([str(GRAFT), *map(str, arguments)], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("job", [lambda path: trt.convert(path, ["out"]), lambda path: trt.create_inference_graph(path, ["out"]),
                                 trt.analyze, trt.Session], ids=["convert", "create_inference_graph", "analyze", "Session"])
class TestFiles:
    """Errors of a model that came from a file name the file; no file is waited for."""

    def test_W1_empty_file(self, job, tmp_path):
        path = tmp_path / "model.pb"
        path.write_bytes(b"")
        with pytest.raises(trt.InvalidGraph, match="model.pb.*no nodes"):
            job(path)

    def test_S2_node_of_a_file(self, job, tmp_path):
        path = tmp_path / "model.pb"
        path.write_bytes(edit(chain(), lambda g: g.node[2].input.__setitem__(0, "ghost")).SerializeToString())
        with pytest.raises(trt.InvalidGraph, match="model.pb.*r1.*ghost"):
            job(str(path))

    @pytest.mark.parametrize("kind", ["fifo", "directory", "sparse"])
    def test_W16_not_a_readable_file(self, job, kind, tmp_path):
        path = tmp_path / "model.pb"
        if kind == "fifo":
            os.mkfifo(path)
        elif kind == "directory":
            path.mkdir()
        else:
            with open(path, "wb") as file:
                file.truncate(1 << 40)
        with pytest.raises(trt.Error, match="model.pb") as caught:
            job(path)
        assert isinstance(caught.value, (trt.FileError, trt.InvalidGraph))


class TestCommand:
    def test_W1_empty_file(self, tmp_path):
        (tmp_path / "in.pb").write_bytes(b"")
        done = run_graft("convert", tmp_path / "in.pb", "-o", tmp_path / "out.pb")
        assert done.returncode == 1 and "in.pb" in done.stderr and "no nodes" in done.stderr
        assert not (tmp_path / "out.pb").exists()

    def test_W16_directory_as_input(self, tmp_path):
        done = run_graft("convert", tmp_path, "-o", tmp_path / "out.pb")
        assert done.returncode == 1 and str(tmp_path) in done.stderr

    def test_W16_fifo_as_input(self, tmp_path):
        os.mkfifo(tmp_path / "fifo")
        done = run_graft("convert", tmp_path / "fifo", "-o", tmp_path / "out.pb")
        assert done.returncode == 1 and "fifo" in done.stderr

    def test_O5_output_is_a_directory(self, tmp_path):
        (tmp_path / "in.pb").write_bytes(GOOD)
        done = run_graft("convert", tmp_path / "in.pb", "-o", tmp_path)
        assert done.returncode == 1 and str(tmp_path) in done.stderr

    def test_O5_parent_is_missing(self, tmp_path):
        (tmp_path / "in.pb").write_bytes(GOOD)
        done = run_graft("convert", tmp_path / "in.pb", "-o", tmp_path / "no" / "out.pb")
        assert done.returncode == 1 and "no" in done.stderr

    def test_O5_output_is_the_input(self, tmp_path):
        (tmp_path / "g.pb").write_bytes(GOOD)
        done = run_graft("convert", tmp_path / "g.pb", "-o", tmp_path / "g.pb", "--outputs", "out")
        assert done.returncode == 0 and "1 engine" in done.stdout
        assert os.listdir(tmp_path) == ["g.pb"]

    def test_O1_unknown_flag_is_a_usage_error(self, tmp_path):
        assert run_graft("convert", "in.pb", "-o", "out.pb", "--presicion", "fp16").returncode == 2

    def test_O2_nothing_converted_exits_3(self, tmp_path):
        (tmp_path / "in.pb").write_bytes(GOOD)
        done = run_graft("convert", tmp_path / "in.pb", "-o", tmp_path / "out.pb", "--min-segment-size", "100")
        assert done.returncode == 3 and (tmp_path / "out.pb").read_bytes() == GOOD
