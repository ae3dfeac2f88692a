"""`./dev long tf-versions`: the one plugin binary in each TensorFlow that installs for this Python.

Each version gets a virtual environment of its own under build/; there the graph that was converted here is imported
after `tf.load_op_library`, run, and compared with the frozen graph run natively.
"""

import shutil

import dev_build
import dev_common as common

VERSIONS = ("2.16.2", "2.17.1", "2.18.1", "2.19.1", "2.20.0", "2.21.0")
CONVERT = """
import sys, graftrt
open(sys.argv[2], "wb").write(graftrt.create_inference_graph(sys.argv[1], ["output"]).SerializeToString())
"""
RUN = """
import sys
import numpy as np, tensorflow as tf
plugin, frozen, mixed = sys.argv[1:]
tf.load_op_library(plugin)
def answer(path):
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        tf.graph_util.import_graph_def(tf.compat.v1.GraphDef.FromString(open(path, "rb").read()), name="")
        return session.run("output:0", {"input:0": np.random.default_rng(1).uniform(-1, 1, (5, 8, 8, 1)).astype("f")})
error = np.abs(answer(frozen) - answer(mixed)).max()
assert error < 1e-5, error
print("RESULT", tf.__version__, error)
"""


def _one(version, frozen, mixed, plugin):
    venv = common.BUILD / "tf-versions" / version
    try:
        common.run([common.PYTHON, "-m", "venv", venv])
        made = common.run([venv / "bin" / "python", "-m", "pip", "install", "-q", f"tensorflow-cpu=={version}"],
                          check=False, capture_output=True, text=True)
        if made.returncode != 0:
            return {"installed": False, "text": made.stderr.strip().splitlines()[-1]}
        done = common.run([venv / "bin" / "python", "-c", RUN, plugin, frozen, mixed], check=False, timeout=300,
                          capture_output=True, text=True)
        good = done.returncode == 0 and "RESULT" in done.stdout
        return {"installed": True, "passed": good, "text": (done.stdout if good else done.stderr).strip()[-500:]}
    finally:
        shutil.rmtree(venv, ignore_errors=True)  # 1 GB each


def check(state, save):
    dev_build.build()
    plugin = next((common.BUILD / "release").rglob("libgraft_tf*.so"))
    frozen, mixed = common.ROOT / "examples" / "digits_cnn.pb", common.BUILD / "tf-versions" / "mixed.pb"
    mixed.parent.mkdir(exist_ok=True)
    common.run([common.PYTHON, "-c", CONVERT, frozen, mixed])
    for version in VERSIONS:
        if version not in state:
            state[version] = _one(version, frozen, mixed, plugin)
            print(version, state[version], flush=True)
            save()
    tried = [r for r in state.values() if r["installed"]]
    return {"passed": bool(tried) and all(r["passed"] for r in tried), "versions": dict(state)}
