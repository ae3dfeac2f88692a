"""Checks the one plugin binary in the TensorFlow of the Python that runs this: engine and native segment, in a Session,
a wrapped function and a tf.function. `./dev long tf-versions` runs it in a virtual environment per version.

    python tf_versions.py PLUGIN PLAN [FROZEN MIXED]

PLAN: file made by make_test_plan. FROZEN, MIXED: a frozen graph (input:0 -> output:0) and what Graft made of it.
Last line of stdout: RESULT and a JSON object.
"""

import json
import os
import pathlib
import sys
import traceback

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ["GRAFT_PLUGIN"] = sys.argv[1]
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import numpy as np  # noqa: E402
import plugin_host  # noqa: E402
import tensorflow as tf  # noqa: E402

X = np.arange(7, dtype=np.float32)


def small_graph(plan):
    """Every way of running, with the engine and with its native segment."""
    plugin = plugin_host.load()
    for kind, make in (("session", plugin_host.SessionRunner), ("wrap_function", plugin_host.FunctionRunner),
                       ("import_in_function", plugin_host.ImportInFunctionRunner)):
        for option in ("", "fail_engines", "fail_engine_runs"):
            plugin.reset()
            run = make(plugin_host.mixed_graph(plan, carried=True))
            if option:
                plugin.set_option(option, "*")
            with plugin.messages() as messages:
                plugin_host.check(run(X), X)
            expected = (0, 1) if option else (1, 0)
            assert plugin.counts() == expected, (kind, option, plugin.counts())
            assert len(messages) == (1 if option else 0), messages
            run.close()
    plugin.reset()
    run = plugin_host.SessionRunner(plugin_host.mixed_graph(b"GRFT", attrs={"strict": True}))
    try:
        run(X)
        raise AssertionError("strict did not raise")
    except tf.errors.AbortedError:
        run.close()


def converted_graph(frozen, mixed):
    """Largest difference between a network and what Graft made of it."""
    engine_op = plugin_host.load().engine_op

    def answer(path):
        graph_def = tf.compat.v1.GraphDef.FromString(pathlib.Path(path).read_bytes())
        for node in graph_def.node:
            if node.op == "TRTEngineOp":
                node.op = engine_op
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(graph_def, name="")
            x = graph.get_tensor_by_name("input:0")
            shape = [3 if d is None else d for d in x.shape.as_list()]
            with tf.compat.v1.Session(graph=graph) as session:
                return session.run("output:0", {x: np.random.default_rng(1).uniform(-1, 1, shape).astype(np.float32)})

    native, engine = answer(frozen), answer(mixed)
    error = float(np.abs(native - engine).max() / np.abs(native).max())
    assert error < 1e-5, error
    return error


def main():
    result = {"tensorflow": tf.__version__, "passed": False}
    try:
        plan = pathlib.Path(sys.argv[2]).read_bytes()
        small_graph(plan)
        result["op"] = plugin_host.load().engine_op
        if len(sys.argv) > 4:
            result["error"] = converted_graph(*sys.argv[3:5])
        result["passed"] = True
    except Exception:
        result["text"] = traceback.format_exc()[-800:]
    print("RESULT", json.dumps(result))
    return 0 if result["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
