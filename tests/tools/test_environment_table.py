"""docs/environment.md lists exactly the environment variables that the sources read."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("src", "include", "python", "cli", "tools", "benchmarks", "examples", "tests", "dev")
C_READS = re.compile(r'(?:getenv|env_bool)\(\s*"(\w+)"')
C_LISTS = re.compile(r"for \(const char\* name : \{([^}]*)\}\)\s*if \(const char\* value = std::getenv\(name\)\)")
PYTHON_READS = (re.compile(r'(?:environ\.get|_env_int|getenv)\(\s*"(\w+)"'), re.compile(r'environ\["(\w+)"\](?!\s*=[^=])'),
                re.compile(r'"(\w+)" in os\.environ'))


def _sources():
    for folder in FOLDERS:
        path = ROOT / folder
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.is_file() and file.name != pathlib.Path(__file__).name and (file.suffix in (".h", ".cc", ".py") or file.name == "dev"):
                yield file


def _python_reads(text):
    return [name for pattern in PYTHON_READS for name in pattern.findall(text)]


def _read_by_sources():
    names = {}
    for file in _sources():
        text = file.read_text(errors="replace")
        if file.suffix in (".h", ".cc"):
            found = C_READS.findall(text) + [n for group in C_LISTS.findall(text) for n in re.findall(r'"(\w+)"', group)]
        else:
            found = _python_reads(text)
        for name in found:
            names.setdefault(name, str(file.relative_to(ROOT)))
    return names


def test_table_lists_every_variable_that_is_read_and_no_other():
    known = {"PATH"}  # the system's, not ours
    table = known | set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "environment.md").read_text(), re.MULTILINE))
    read = _read_by_sources()
    assert len(read) >= 10, "the patterns no longer match the sources"
    missing = {name: where for name, where in read.items() if name not in table}
    assert not missing, f"read, but not in docs/environment.md: {missing}"
    assert not table - known - read.keys(), f"in docs/environment.md, but read nowhere: {sorted(table - known - read.keys())}"


def test_patterns_see_every_way_of_reading():
    assert C_READS.findall('std::getenv("A_B"); env_bool("C", 1)') == ["A_B", "C"]
    text = 'os.environ.get("A", 1)\nos.environ["B_C"]\nos.environ["D"] = 1\n_env_int("E")\nif "F" in os.environ:'
    assert _python_reads(text) == ["A", "E", "B_C", "F"]
