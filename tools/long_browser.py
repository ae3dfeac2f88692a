"""`./dev long browser`: the report's page in headless Chromium.

Chromium is Debian's, its driver a pinned package in a virtual environment of its own; tests/long/report_page.py opens the
pages that are made here and checks what a user sees and does. Screenshots stay in build/long/browser.
"""

import json
import random
import resource
import subprocess

import dev_build
import dev_common as common
import dev_setup

SCRIPT = common.ROOT / "tests" / "long" / "report_page.py"
FOLDER = common.BUILD / "long" / "browser"
NODES = 100_000
ANALYZE_LIMIT_S = 2.0
HOSTILE = "</script><script>document.title='broken'</script><img src=x onerror=\"document.title='broken'\">"
ENGINE = {"name": "e", "identity": "0", "nodes": [], "inputs": [], "outputs": [], "plan_bytes": 0, "weights_bytes": 0, "boundary_bytes": 0,
          "memory_bytes": 0, "weights_memory_bytes": 0, "activations_bytes": 0, "scratch_bytes": 0, "flops": 0.0, "reference_flops_share": 0.0,
          "int8_macs_share": 0.0, "build_s": 0.0, "passes": [], "warnings": [], "layers": []}


def large_graph(path):
    """A GraphDef of NODES nodes, near enough to a chain for many engines, one node of fifty unsupported."""
    from tensorflow.core.framework import graph_pb2, types_pb2

    rng, graph = random.Random(3), graph_pb2.GraphDef()
    x = graph.node.add(name="x", op="Placeholder")
    x.attr["dtype"].type = types_pb2.DT_FLOAT
    for size in (-1, 8):
        x.attr["shape"].shape.dim.add(size=size)
    names = ["x"]
    for i in range(NODES - 1):
        op = "Lgamma" if rng.random() < 0.02 else "AddV2" if i % 5 == 0 else "Relu"
        node = graph.node.add(name=f"scope{i // 1000}/n{i}", op=op)
        node.input.append(names[-1] if rng.random() < 0.7 else names[max(0, len(names) - rng.randrange(1, 400))])
        if op == "AddV2":
            node.input.append(names[max(0, len(names) - rng.randrange(1, 60))])
        node.attr["T"].type = types_pb2.DT_FLOAT
        names.append(node.name)
    path.write_bytes(graph.SerializeToString())


def small_report():
    """A report by hand: each kind of box and table, every text hostile."""
    bad = HOSTILE
    tensor = {"name": bad, "dtype": "float32", "shape": [-1, 4]}
    layer = {"name": bad, "op": "conv", "dtype": "float32", "weights_dtype": "float32", "flops": 3e9, "winograd_allowed": True}
    engines = [{**ENGINE, "name": f"engine_{e}", "nodes": [f"in{e}"], "inputs": [tensor], "outputs": [tensor], "flops": 3e9, "layers": [layer],
                "warnings": [bad], "passes": [bad]} for e in range(2)]
    native = {"engine": -1, "reason": f"no importer for '{bad}'", "hint": bad}
    nodes = [
        {"name": "x", "op": "Placeholder", "engine": -1, "code": "input_node", "reason": "it is fed"},
        {"name": "in0", "op": "Conv2D", "engine": 0, "inputs": [0]},
        {"name": bad, "op": bad, "code": "unsupported_op", "inputs": [1, 3], **native},
        {"name": "constant", "op": "Const", "code": "segment", **native},
        {"name": "second", "op": "Lgamma", "code": "unsupported_op", "inputs": [2], "control_inputs": [0], **native},
        {"name": "in1", "op": "Conv2D", "engine": 1, "inputs": [4, 1]},
        {"name": "last", "op": "Sum", "code": bad, "inputs": [5], **native},
    ]
    return {"schema": 1, "summary": bad, "outputs": ["last:0"], "warnings": [bad], "engines": engines, "nodes": nodes,
            "totals": {"nodes": 7, "nodes_in_engines": 2, "engines": 2, "graph_bytes_in": 1000, "graph_bytes_out": 2000, "total_s": 0.5},
            "memory": {"max_workspace_bytes": 1, "memory_limit_bytes": -1, "memory_bytes": 1},
            "by_minimum_segment_size": [{"minimum_segment_size": 1, "engines": 2, "nodes": 2}],
            "measured": [{"engine": "engine_0", "native_ms": 2.0, "engine_ms": 1.0, "ratio": 2.0, "low": 1.9, "high": 2.1, "pairs": 7,
                          "shapes": {bad: [1, 4]}, "nodes": 1, "slower": False}],
            "accuracy": {"fp32": 0.9, "int8": 0.8, "result": 0.89, "floating_layers": [bad], "time_ratio": 1.1, "evaluations": 4}}


MAKE = """
import json, sys, graftrt
from graftrt.report import Report
Report("", "", open(sys.argv[1]).read()).save(sys.argv[2])
graftrt.convert(sys.argv[3]).report.save(sys.argv[4])
"""


def cpu_s(command):
    """Of the best of three runs: a busy machine changes it little."""
    best = float("inf")
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        common.run(command)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return round(best, 2)


def check(state, save):
    dev_build.build("release", ["_graftrt", "graft"])
    dev_setup.install([] if common.have("chromium") else ["chromium", "fonts-dejavu-core"])
    venv = common.BUILD / "long" / "browser-venv"
    dev_setup.make_venv(venv, "browser.txt")
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "small.json").write_text(json.dumps(small_report()))
    common.run([common.PYTHON, "-c", MAKE, FOLDER / "small.json", FOLDER / "small.html", common.ROOT / "examples" / "digits_cnn.pb", FOLDER / "digits.html"])
    large_graph(FOLDER / "large.pb")
    graft = common.package_dir() / "graftrt" / "bin" / "graft"
    seconds = cpu_s([graft, "analyze", "--quiet", FOLDER / "large.pb"])
    common.run([graft, "analyze", "--quiet", "--report-html", FOLDER / "large.html", "--report-json", FOLDER / "large.json", FOLDER / "large.pb"])
    done = common.run([venv / "bin" / "python", SCRIPT, FOLDER], check=False, timeout=600, stdout=subprocess.PIPE, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    result = json.loads(lines[-1].removeprefix("RESULT ")) if lines else {"passed": False, "text": done.stdout[-800:]}
    return {**result, "passed": result["passed"] and seconds < ANALYZE_LIMIT_S, "analyze_cpu_s": seconds}
