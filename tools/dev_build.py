"""`./dev build`, `./dev repro`, `./dev python`: CMake presets and running what they made."""

import os
import sys

import dev_common as common
import dev_setup


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


def _repro(line):
    """A conformance line goes to the conformance binary, anything that is a file to `graft repro`."""
    build()
    if len(line) == 1 and os.path.exists(line[0]):
        command = [common.BUILD / "release" / "bin" / "graft", "repro", line[0]]
    else:
        command = [conformance_binary(), "--line", " ".join(line)]
    return common.run(command, check=False).returncode


def conformance_binary(preset="release"):
    found = sorted((common.BUILD / preset).rglob("*conformance*"))
    found = [path for path in found if path.is_file() and os.access(path, os.X_OK)]
    return found[0] if found else common.die("no conformance binary in the build tree")


def main(command, arguments):
    dev_setup.setup()
    if command == "python":
        os.execve(common.PYTHON, [str(common.PYTHON), *arguments], common.environment())
    if command == "repro":
        return _repro(arguments) if arguments else common.die("usage: ./dev repro LINE | FILE")
    for preset in arguments or ["release"]:
        build(preset)
    return 0


if __name__ == "__main__":
    sys.exit(main("build", sys.argv[1:]))
