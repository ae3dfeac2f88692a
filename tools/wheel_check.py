"""Run by the installed wheel's Python from an empty folder: what a user does first. Prints `ok NAME` or `FAILED NAME`."""

import os
import pathlib
import subprocess
import sys
import traceback

GRAPH = pathlib.Path(__file__).resolve().parent.parent / "examples" / "digits_cnn.pb"


def imports_without_tensorflow():
    code = "import sys, graftrt; assert 'tensorflow' not in sys.modules; print(graftrt.__version__)"
    subprocess.run([sys.executable, "-c", code], check=True)


def package_is_the_wheel():
    import graftrt

    place = pathlib.Path(graftrt.__file__).resolve()
    assert place.is_relative_to(pathlib.Path(sys.prefix).resolve()), f"imported from {place}"


def plugin_is_inside():
    import graftrt

    found = list(pathlib.Path(graftrt.__file__).parent.rglob("libgraft_tf*.so"))
    assert found, "no libgraft_tf.so in the package"


def command_runs():
    command = pathlib.Path(sys.executable).parent / "graft"
    assert command.exists(), "no command `graft` beside the interpreter"
    subprocess.run([command, "convert", GRAPH, "-o", "mixed.pb", "--outputs", "output", "--quiet"], check=True)
    assert os.path.getsize("mixed.pb") > 0


def converts_and_runs_in_tensorflow():
    import numpy as np
    import tensorflow as tf

    import graftrt

    def answer(graph_def, images):
        with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
            tf.graph_util.import_graph_def(graph_def, name="")
            return session.run("output:0", {"input:0": images})

    frozen = tf.compat.v1.GraphDef.FromString(GRAPH.read_bytes())
    mixed = graftrt.create_inference_graph(frozen, ["output"])
    images = np.random.default_rng(1).uniform(-1, 1, (5, 8, 8, 1)).astype(np.float32)
    np.testing.assert_allclose(answer(mixed, images), answer(frozen, images), rtol=1e-5, atol=1e-5)
    counts = graftrt.counters()
    assert counts and all(c["engine"] > 0 and c["native"] == 0 for c in counts.values()), counts


def main():
    failed = False
    checks = (imports_without_tensorflow, package_is_the_wheel, plugin_is_inside, command_runs,
              converts_and_runs_in_tensorflow)
    for check in checks:
        try:
            check()
            print(f"ok {check.__name__}", flush=True)
        except Exception:  # every check is tried
            failed = True
            print(f"FAILED {check.__name__}\n{traceback.format_exc()}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
