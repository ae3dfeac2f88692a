#!/usr/bin/env python3
"""Cheap structure checks: file sizes, unfinished-work markers, forbidden calls in the library, machine paths."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MAX_LINES = 700
MAX_BYTES = 2_000_000
TEXT = {".h", ".cc", ".cu", ".cuh", ".inc", ".def", ".py", ".md", ".cmake", ".txt", ".json", ".sh", ".js", ".css", ".html", ""}
CODE = {".h", ".cc", ".cu", ".cuh", ".inc", ".def", ".py", ".js", ".css"}
MARKER = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b")
MACHINE_PATH = re.compile("/wor" + r"k/|/tm" + r"p/\w|/ho" + r"me/\w")
# The library never prints, aborts, exits or touches files except through base/file_io.
FORBIDDEN = [
    (re.compile(r"\bstd::(cout|cerr|clog)\b|(?<![\w:])(printf|puts|putchar)\s*\("), (), "prints"),
    (re.compile(r"(?<![\w:.>])(std::)?(abort|exit|_exit|quick_exit|terminate)\s*\("), (), "ends the process"),
    (re.compile(r"\b(fopen|ofstream|ifstream|fstream)\b|(?<!\w)::open\s*\("), ("base/file_io", "base/log"), "touches files"),
    (re.compile(r"#\s*include\s*<(iostream|regex)>"), (), "includes a header that is slow to compile"),
    (re.compile(r"\b(assert)\s*\("), ("base/protozero", "base/check"), "uses assert (GRAFT_CHECK holds in every build)"),
]


def files():
    """Tracked and new files of the tree, relative."""
    result = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True,
                            stdout=subprocess.PIPE, text=True)
    return [name for name in result.stdout.splitlines() if (ROOT / name).is_file()]


def check_file(name):
    path = ROOT / name
    suffix = path.suffix
    if path.stat().st_size > MAX_BYTES:
        yield f"{name}: {path.stat().st_size} bytes; larger than {MAX_BYTES}"
    if suffix not in TEXT or name == "LICENSE" or "/corpus/" in name or "/golden/" in name:
        return
    try:
        lines = path.read_text().splitlines()
    except UnicodeDecodeError:
        return
    if suffix in CODE - {".inc", ".def"} and len(lines) > MAX_LINES:  # those may be tables
        yield f"{name}: {len(lines)} lines; more than {MAX_LINES}"
    library = name.startswith("src/") and suffix != ".py"
    for number, line in enumerate(lines, 1):
        if suffix in CODE and MARKER.search(line):
            yield f"{name}:{number}: marker of unfinished work"
        if MACHINE_PATH.search(line) and not line.startswith("#!"):
            yield f"{name}:{number}: path of one machine"
        if library:
            code = re.sub(r'"(\\.|[^"\\])*"', '""', line).split("//")[0]
            for pattern, exempt, what in FORBIDDEN:
                if pattern.search(code) and not any(part in name for part in exempt):
                    yield f"{name}:{number}: library code {what}"


def check():
    return [problem for name in files() for problem in check_file(name)]


def main():
    problems = check()
    print("\n".join(problems) or "structure: ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
