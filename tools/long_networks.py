"""`./dev long networks`: every network, FP32, FP16 and BF16, converted and run by Graft, against TensorFlow in double; and the
documented INT8 flow of examples/frozen_graph.py on ResNet50 with its own images."""

import json
import re

import dev_common as common
import networks

CODE = """
import json, sys
import graftrt, networks, network_check, network_oracle
network = networks.get(sys.argv[1])
reference = network_oracle.oracle(network)
check = network_check.check(network)
result = {"discriminates": check.passed, "quietest_std": check.low[0], "loudest_std": check.high[0]}
for precision in ("FP32", "FP16", "BF16"):
    fetches = [network.logits.split(":")[0], network.output.split(":")[0]]
    mixed = graftrt.create_inference_graph(network.graph_def(), fetches, precision_mode=precision)
    graftrt.reset_counters()
    left = sorted({node.op for node in mixed.node} - {"Placeholder", "TRTEngineOp", "Identity", "EnsureShape"})
    logits = network_check.run(mixed, [network.logits], reference.feeds)[0]
    verdict = network_oracle.judge(reference, logits, precision)
    counts = list(graftrt.counters().values())
    report = graftrt.analyze(network.path, fetches, precision=precision)
    result[precision] = {"passed": verdict.passed, "text": verdict.text, "ratio": verdict.ratio,
                         "reference_flops_share": max(e["reference_flops_share"] for e in report.engines),
                         "engines": len(counts), "left": left, "native": sum(c["native"] for c in counts)}
print("RESULT" + json.dumps(result, default=lambda v: v.item()))  # NumPy scalars
"""


IMAGES = ("import sys, numpy as np, networks\n"
          "np.save(sys.argv[2], networks.get(sys.argv[1]).feeds(32)['input'])")
LEAST_DB = 12  # of logits of a network with random weights, 50 layers deep


def documented_int8(name):
    """Calibration nodes, data, finish, run in TensorFlow: the example as a user runs it."""
    images = common.BUILD / "long" / f"{name}.npy"
    images.parent.mkdir(parents=True, exist_ok=True)
    common.run([common.PYTHON, "-c", IMAGES, name, images])
    network = networks.get(name)
    done = common.run([common.PYTHON, common.ROOT / "examples" / "frozen_graph.py", "--mode", "INT8", "--graph", network.path, "--data", images,
                       "--output", network.logits.split(":")[0], "--batch-size", 8, "--repeat", 3], check=False, capture_output=True, text=True)
    images.unlink()
    found = re.search(r"top-1 agreement ([\d.]+)%.* ([\d.]+) dB", done.stdout)
    if done.returncode != 0 or not found:
        return {"passed": False, "error": (done.stdout + done.stderr).strip().splitlines()[-1:]}
    agreement, sqnr_db = map(float, found.groups())
    good = sqnr_db >= LEAST_DB and done.stdout.count("runs in the engine, 0 in its native segment") == 1
    return {"passed": good, "agreement_percent": agreement, "sqnr_db": sqnr_db, "text": done.stdout.splitlines()}


def check(state, save):
    """One process a network; finished networks are not run again."""
    for name in networks.FULL + networks.SMALL:
        if name in state:
            continue
        done = common.run([common.PYTHON, "-c", CODE, name], check=False, capture_output=True, text=True)
        line = next((row for row in done.stdout.splitlines() if row.startswith("RESULT")), None)
        state[name] = json.loads(line[6:]) if line else {"error": done.stderr.strip().splitlines()[-1:]}
        print(name, state[name], flush=True)
        save()
    good = all("error" not in r and r["discriminates"] and all(
        r[p]["passed"] and r[p]["engines"] == 1 and not r[p]["left"] and r[p]["native"] == 0
        and r[p]["reference_flops_share"] == 0 for p in ("FP32", "FP16", "BF16")) for r in state.values())
    int8 = documented_int8("resnet50")
    print("frozen_graph.py --mode INT8", int8, flush=True)
    return {"passed": good and int8["passed"], "networks": dict(state), "frozen_graph_int8": {"resnet50": int8}}
