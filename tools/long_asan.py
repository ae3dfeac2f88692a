"""`./dev long asan`: the test binaries and the corpus replays under the address and undefined-behaviour sanitizers.

Longer than the rest of `./dev test` together on two cores, nearly all of it building.
"""

import dev_build
import dev_common as common
import dev_stages

CASE_LIMIT_S = 300
# What reads untrusted bytes, and what does pointer arithmetic.
TARGETS = ("graphdef_tests", "partition_tests", "engine_tests", "cpu_tests", "session_tests", "tf_host_tests",
           "graphdef_fuzz_replay", "plan_fuzz_replay", "convert_fuzz_replay",
           "rescue_fuzz_replay")
ASAN_ENV = {"ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}


def check(state, save):
    """Builds what is missing, then runs every case."""
    dev_build.build("asan", TARGETS)
    cases = dev_stages.run_binaries("asan", TARGETS, CASE_LIMIT_S, {**common.environment("asan"), **ASAN_ENV})
    bad = [case.name for case in cases if case.outcome == "failed"]
    return {"passed": bool(cases) and not bad, "cases": len(cases), "failed": bad}
