"""`./dev long fuzz`: each libFuzzer target for a fixed number of runs, from its seeds, under ASan and UBSan (clang).

The corpus of build/long/fuzz grows from attempt to attempt; a target that has done its runs is not run again. What it
finds lies beside it as crash-*, timeout-* or oom-*, and X_replay FILE of any build shows it again.
"""

import re
import subprocess

import dev_build
import dev_common as common
from long_asan import ASAN_ENV

TARGETS = ("graphdef_fuzz", "plan_fuzz", "convert_fuzz", "rescue_fuzz")
RUNS = 20_000       # of a target
STEP = 5_000        # between two saves of the state
INPUT_BYTES = 4096
RSS_MB = 3072
INPUT_LIMIT_S = 20  # one input


def _step(target, seed, env):
    """(finished, what libFuzzer printed) of one process of STEP runs."""
    work = common.BUILD / "long" / "fuzz" / target
    corpus, seeds = work / "corpus", work / "seeds"
    for folder in (corpus, seeds):
        folder.mkdir(parents=True, exist_ok=True)
    binary = common.BUILD / "fuzz" / "tests" / target
    if not any(seeds.iterdir()):
        common.run([f"{binary}_replay", "--rounds", 0, "--write-seeds", seeds], env=env)
    done = common.run([binary, f"-runs={STEP}", f"-seed={seed}", f"-max_len={INPUT_BYTES}", f"-timeout={INPUT_LIMIT_S}",
                       f"-rss_limit_mb={RSS_MB}", f"-artifact_prefix={work}/", corpus, seeds],
                      env=env, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    return done.returncode == 0, done.stdout


def check(state, save):
    """Builds the targets, then runs what is left of each."""
    dev_build.build("fuzz", [name for target in TARGETS for name in (target, f"{target}_replay")])
    env = {**common.environment("fuzz"), **ASAN_ENV}
    for target in TARGETS:
        entry = state.setdefault(target, {"runs": 0, "edges": 0, "finding": ""})
        while entry["runs"] < RUNS and not entry["finding"]:
            finished, text = _step(target, 1 + entry["runs"] // STEP, env)
            entry["runs"] += STEP
            entry["edges"] = max([entry["edges"], *map(int, re.findall(r"cov: (\d+)", text))])
            entry["finding"] = "" if finished else text[-4000:]
            print(target, {**entry, "finding": entry["finding"][-1000:]}, flush=True)
            save()
    result = {target: dict(state[target]) for target in TARGETS}
    return {"passed": all(not e["finding"] and e["runs"] >= RUNS and e["edges"] > 0 for e in result.values()), "targets": result}
