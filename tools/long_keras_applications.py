"""`./dev long keras-applications`: all builders of keras.applications, channels_last and channels_first, each one engine
without reference kernels whose logits are within the bar. One process a builder and format; finished ones are not run again."""

import json

import dev_common as common

FORMATS = ("channels_last", "channels_first")
LIST = "import network_application; print(*network_application.names())"
LEAST = 40  # builders of Keras 3


def check(state, save):
    names = common.output([common.PYTHON, "-c", LIST], stderr=None).split()
    for data_format in FORMATS:
        for name in names:
            key = f"{name} {data_format}"
            if key in state:
                continue
            done = common.run(["nice", common.PYTHON, common.ROOT / "tools" / "network_application.py", name, data_format],
                              check=False, capture_output=True, text=True)
            line = next((row for row in done.stdout.splitlines() if row.startswith("RESULT")), None)
            state[key] = json.loads(line[6:]) if line else {
                "passed": False, "exit": done.returncode, "error": done.stderr.strip().splitlines()[-1:]}
            print(key, state[key], flush=True)
            save()
    return {"passed": len(names) >= LEAST and all(r["passed"] for r in state.values()), "builders": len(names),
            "runs": {key: state[key] for key in sorted(state)}}
