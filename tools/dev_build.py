"""`./dev build`, `./dev repro`, `./dev python`: CMake presets and running what they made."""

import json
import os
import sys

import dev_common as common
import dev_setup


def test_commands(preset):
    """{name: command} of what CMake registered by add_test in a preset."""
    listed = common.output(["ctest", "--test-dir", common.BUILD / preset, "--show-only=json-v1"])
    return {test["name"]: test["command"] for test in json.loads(listed)["tests"] if "command" in test}


def configure(preset):
    cache = common.BUILD / preset / "CMakeCache.txt"
    newest = max(p.stat().st_mtime for p in common.ROOT.glob("CMake*"))
    if not cache.exists() or cache.stat().st_mtime < newest:
        common.run(["cmake", "--preset", preset, f"-DPython_EXECUTABLE={common.PYTHON}"])


def build(preset="release", targets=(), timeout=None):
    """Configures where needed and builds `targets` (all by default) of a preset."""
    configure(preset)
    command = ["cmake", "--build", common.BUILD / preset, "--parallel", common.cores()]
    common.run(command + (["--target", *targets] if targets else []), timeout=timeout)


def _repro(name):
    """Runs one test again, by the name that `./dev test` printed, with all of its output."""
    build()
    if "::" in name:  # pytest's: tests.e2e.test_x::case, a class perhaps between
        module, case = name.split("::", 1)
        parts = module.split(".")
        inner = [part for part in parts if part[:1].isupper()]
        path = "/".join(part for part in parts if part not in inner) + ".py"
        command = [common.PYTHON, "-m", "pytest", "-p", "no:cacheprovider", "-s", "::".join([path, *inner, case])]
    else:
        label, _, case = name.partition("/")
        commands = test_commands("release")
        if label not in commands:
            common.die(f"no test {label!r}; there are {', '.join(sorted(commands))}")
        command = [*commands[label], *([f"--gtest_filter={case}"] if case else [])]
    return common.run(command, check=False).returncode


def main(command, arguments):
    dev_setup.setup()
    if command == "python":
        os.execve(common.PYTHON, [str(common.PYTHON), *arguments], common.environment())
    if command == "repro":
        return _repro(arguments[0]) if len(arguments) == 1 else common.die("usage: ./dev repro NAME")
    for preset in arguments or ["release"]:
        build(preset)
    return 0


if __name__ == "__main__":
    sys.exit(main("build", sys.argv[1:]))
