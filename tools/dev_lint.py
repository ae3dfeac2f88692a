"""`./dev fmt` and `./dev lint`."""

import subprocess
import sys

import check_structure
import dev_common as common
import dev_setup

FORMATTED = (".h", ".cc", ".cu", ".cuh")
CLANG_FORMAT = common.VENV / "bin" / "clang-format"


def _sources():
    return [name for name in check_structure.files() if name.endswith(FORMATTED)]


def _format(*options):
    sources = _sources()
    if not sources:
        return 0
    return common.run([CLANG_FORMAT, "--style=file", *options, *sources], check=False).returncode


def checks():
    """(name, command) of every lint; a lint passes by exit status 0. A new one is a line here."""
    tools, objects = common.ROOT / "tools", common.BUILD / "release"
    rows = [("check_layers", [common.PYTHON, tools / "check_layers.py"]),
            ("check_structure", [common.PYTHON, tools / "check_structure.py"]),
            ("check_names", [common.PYTHON, tools / "check_names.py"])]
    if (objects / "src").exists():  # it reads object files
        rows.append(("check_isa_symbols", [common.PYTHON, tools / "check_isa_symbols.py", objects]))
    return rows


def _unformatted():
    """Names of the files that clang-format would change."""
    sources = _sources()
    if not sources:
        return ""
    command = [CLANG_FORMAT, "--style=file", "--dry-run", *sources]
    done = common.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    names = {line.split(":")[0] for line in done.stdout.splitlines() if "-Wclang-format" in line}
    return "".join(f"{name}: not formatted (./dev fmt)\n" for name in sorted(names))


def run_checks():
    """[(name, passed, output)]"""
    results = []
    for name, command in checks():
        done = common.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        results.append((name, done.returncode == 0, done.stdout))
    text = _unformatted()
    return results + [("clang_format", not text, text)]


def _tidy():
    sources = [name for name in _sources() if name.endswith(".cc") and not name.startswith("tests/")]
    return common.run(["run-clang-tidy", "-quiet", "-p", common.BUILD / "release", *sources], check=False).returncode


def main(command, arguments):
    dev_setup.setup()
    if command == "fmt":
        return _format("-i")
    failed = False
    for name, passed, text in run_checks():
        print(f"{'ok    ' if passed else 'FAILED'} {name}")
        failed |= not passed
        print("" if passed else text, end="", file=sys.stderr)
    if "--tidy" in arguments:
        failed |= _tidy() != 0
    return 1 if failed else 0
