"""The reference evaluator against TensorFlow's own kernels, op by op.

Floating ops run in float64 on both sides, so that only a wrong formula can pass the bar; integers and moved elements
must be equal. One process of `reference_runner` answers all cases. GRAFT_REFERENCE_RUNNER names the binary; else it is
that of the build tree that is tested.
"""
import os
import pathlib
import struct
import subprocess
import zlib

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
import tensorflow as tf  # noqa: E402

import reference_cases  # noqa: E402

BFLOAT16 = tf.bfloat16.as_numpy_dtype


def runner_path():
    if "GRAFT_REFERENCE_RUNNER" in os.environ:
        return os.environ["GRAFT_REFERENCE_RUNNER"]
    root = pathlib.Path(__file__).resolve().parents[2]
    path = pathlib.Path(os.environ.get("GRAFT_BUILD_DIR", root / "build" / "release")) / "tests" / "reference_runner"
    if not path.exists():
        pytest.fail(f"missing: {path}")
    return str(path)


def spec(array):
    name = "bfloat16" if array.dtype == BFLOAT16 else array.dtype.name
    return f"{name}[{','.join(map(str, array.shape))}]"


def problem_line(case):
    specs = " ".join(spec(a) for a in case.inputs)
    return f"{case.op} : {specs} -> {case.outputs}"


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        assert self.at + n <= len(self.data), "the runner stopped early"
        self.at += n
        return self.data[self.at - n : self.at]

    def text(self):
        (n,) = struct.unpack("<I", self.take(4))
        return self.take(n).decode()

    def tensor(self):
        name, dims = self.text()[:-1].split("[")
        shape = [int(d) for d in dims.split(",")] if dims else []
        dtype = np.dtype(BFLOAT16 if name == "bfloat16" else name)
        return np.frombuffer(self.take(int(np.prod(shape)) * dtype.itemsize), dtype).reshape(shape)


CASES = reference_cases.all_cases()


@pytest.fixture(scope="module")
def answers():
    request = b""
    for case in CASES:
        line = problem_line(case).encode()
        request += struct.pack("<I", len(line)) + line + b"".join(np.ascontiguousarray(a).tobytes() for a in case.inputs)
    done = subprocess.run([runner_path()], input=request, stdout=subprocess.PIPE, check=True, timeout=100)
    reader, result = Reader(done.stdout), []
    for case in CASES:
        error = reader.text()
        result.append(error if error else [reader.tensor() for _ in range(case.outputs)])
    assert reader.at == len(done.stdout)
    return result


def seed_of(case):
    return zlib.crc32(case.name.encode())


@pytest.mark.parametrize("index", range(len(CASES)), ids=[c.name for c in CASES])
def test_matches_tensorflow(index, answers):
    case, got = CASES[index], answers[index]
    line = problem_line(case)
    if case.error:
        assert isinstance(got, str), f"{line}: expected an error"
        with pytest.raises((tf.errors.OpError, ValueError)):
            case.expected()
        return
    assert not isinstance(got, str), f"{line}: {got}"
    want = case.expected()
    want = [np.asarray(w) for w in (want if isinstance(want, (list, tuple)) else [want])]
    assert len(got) == len(want), line
    for g, w in zip(got, want):
        assert g.dtype == w.dtype and g.shape == w.shape, f"{line}: {g.dtype}{g.shape}, TensorFlow {w.dtype}{w.shape}"
        if case.rtol == 0:
            np.testing.assert_array_equal(g, w, err_msg=line)
        else:
            g64, w64 = g.astype(np.float64), w.astype(np.float64)
            scale = np.max(np.abs(w64[np.isfinite(w64)]), initial=0)
            np.testing.assert_allclose(g64, w64, rtol=case.rtol, atol=case.rtol * scale, err_msg=line)


# quantize: TensorFlow has no such op; the float64 model of tests/reference/quantized_test.cc is its oracle. while and branch have bodies, which no
# line can hold: tests/e2e/test_control_flow.py compares them with TensorFlow.
WITHOUT_LINES = {"quantize", "while", "branch"}


def test_every_op_has_three_cases():
    table = pathlib.Path(__file__).resolve().parents[2] / "src/ir/ops.def"
    ops = [l.split(",")[1].strip() for l in table.read_text().splitlines() if l.startswith("GRAFT_OP(")]
    assert len(ops) > 30
    count = {op: sum(c.op.split(" ")[0] == op for c in CASES) for op in ops}
    assert {op for op, n in count.items() if n < 3} == WITHOUT_LINES


def test_case_names_are_unique():
    assert len({c.name for c in CASES}) == len(CASES)
