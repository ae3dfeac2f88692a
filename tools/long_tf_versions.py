"""`./dev long tf-versions`: the one plugin binary in each TensorFlow that installs for this Python.

Each version gets a virtual environment of its own under build/; there tests/long/tf_versions.py runs a small graph in a
Session, a wrapped function and a tf.function, with the engine and with its native segment, and compares the graph that
was converted here with the frozen one. The package is `tensorflow`: in its builds with GPU support 2.16 and 2.17 have
a TRTEngineOp of their own.
"""

import json
import shutil
import subprocess

import dev_build
import dev_common as common

VERSIONS = ("2.16.2", "2.17.1", "2.18.1", "2.19.1", "2.20.0", "2.21.0")
SCRIPT = common.ROOT / "tests" / "long" / "tf_versions.py"
CONVERT = """
import sys, graftrt
open(sys.argv[2], "wb").write(graftrt.create_inference_graph(sys.argv[1], ["output"]).SerializeToString())
"""


def _one(version, plugin, plan, frozen, mixed):
    venv = common.BUILD / "tf-versions" / version
    try:
        common.run([common.PYTHON, "-m", "venv", venv])
        made = common.run([venv / "bin" / "python", "-m", "pip", "install", "-q", "--no-cache-dir", f"tensorflow=={version}"],
                          check=False, capture_output=True, text=True)
        if made.returncode != 0:
            return {"installed": False, "text": made.stderr.strip().splitlines()[-1]}
        done = common.run([venv / "bin" / "python", SCRIPT, plugin, plan, frozen, mixed], check=False, timeout=300,
                          capture_output=True, text=True)
        lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
        if not lines:
            return {"installed": True, "passed": False, "text": done.stderr.strip()[-500:]}
        return {"installed": True, **json.loads(lines[-1].removeprefix("RESULT "))}
    finally:
        shutil.rmtree(venv, ignore_errors=True)  # 1 GB each


def check(state, save):
    dev_build.build()
    plugin = next((common.BUILD / "release").rglob("libgraft_tf*.so"))
    frozen, mixed = common.ROOT / "examples" / "digits_cnn.pb", common.BUILD / "tf-versions" / "mixed.pb"
    plan = mixed.parent / "small.plan"
    mixed.parent.mkdir(exist_ok=True)
    common.run([common.BUILD / "release" / "tests" / "make_test_plan", plan], stdout=subprocess.DEVNULL)
    common.run([common.PYTHON, "-c", CONVERT, frozen, mixed])
    for version in VERSIONS:
        if version not in state:
            state[version] = _one(version, plugin, plan, frozen, mixed)
            print(version, state[version], flush=True)
            save()
    tried = [r for r in state.values() if r["installed"]]
    return {"passed": bool(tried) and all(r["passed"] for r in tried), "versions": dict(state)}
