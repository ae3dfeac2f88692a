"""`./dev long partition`: the exhaustive test of the segmenter with six nodes instead of five."""

import re
import subprocess

import dev_build
import dev_common as common

NODES, LIMIT_S = 6, 3600


def check(state, save):
    dev_build.build("release", ["partition_tests"])
    done = common.run([common.BUILD / "release" / "tests" / "partition_tests", "--gtest_filter=SegmentExhaustive.*"],
                      timeout=LIMIT_S, env={**common.environment(), "GRAFT_EXHAUSTIVE_NODES": str(NODES)}, check=False,
                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return {"passed": done.returncode == 0 and re.search(r"1 test .*ran", done.stdout) is not None, "nodes": NODES,
            "output": "" if done.returncode == 0 else done.stdout[-2000:]}
