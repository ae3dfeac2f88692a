"""The checks of ./dev lint and the test runner must see what they are there for."""

import subprocess

import check_layers
import check_names
import check_structure
import gtest_runner
import pytest


def _tree(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_layers_accepts_downward_arrows(tmp_path):
    root = _tree(tmp_path, {"src/base/a.h": "", "src/ir/b.h": '#include "base/a.h"\n',
                            "src/engine/run/c.cc": '#include "ir/b.h"\n#include <vector>\n'})
    assert check_layers.check(root) == []


@pytest.mark.parametrize("name, text, part", [
    ("src/base/a.cc", '#include "ir/b.h"\n', "layer base may not include ir/b.h"),
    ("src/tensorflow/a.cc", '#include "frontend/b.h"\n', "layer tensorflow may not include"),
    ("src/ir/a.cc", "#include <tensorflow/c/kernels.h>\n", "belongs to tensorflow only"),
    ("src/backends/cpu/a.cc", "#include <cuda_runtime.h>\n", "belongs to backends/cuda only"),
    ("src/newlayer/a.cc", "", "folder is in no layer"),
    ("cli/a.cc", '#include "base/a.h"\n', "layer cli may not include"),
])
def test_layers_reports_a_violation(tmp_path, name, text, part):
    root = _tree(tmp_path, {"src/ir/b.h": "", "src/frontend/b.h": "", "src/base/a.h": "", name: text})
    problems = check_layers.check(root)
    assert len(problems) == 1 and part in problems[0], problems


@pytest.mark.parametrize("line, part", [
    ('std::cout << "x";', "prints"), ('  printf("x");', "prints"), ("  std::abort();", "ends the process"),
    ("  exit(1);", "ends the process"), ("std::ifstream in(path);", "touches files"), ("#include <regex>", "slow to compile"),
    ("// TO" + "DO later", "unfinished"), ("// see /wor" + "k/x", "path of one machine"),
])
def test_structure_reports(tmp_path, monkeypatch, line, part):
    _tree(tmp_path, {"src/ir/a.cc": line + "\n"})
    monkeypatch.setattr(check_structure, "ROOT", tmp_path)
    problems = list(check_structure.check_file("src/ir/a.cc"))
    assert len(problems) == 1 and part in problems[0], problems


def test_structure_leaves_strings_and_members_alone(tmp_path, monkeypatch):
    _tree(tmp_path, {"src/ir/a.cc": 'text("printf(%d)");\npool.exit(1);\nsnprintf(buffer, 4, "x");\n'})
    monkeypatch.setattr(check_structure, "ROOT", tmp_path)
    assert list(check_structure.check_file("src/ir/a.cc")) == []


CASES = """
#include <gtest/gtest.h>
#include <unistd.h>
#include <cstdio>
TEST(A, passes) { std::printf("unfinished line"); }
TEST(A, fails) { EXPECT_EQ(1, 2); }
TEST(A, skips) { GTEST_SKIP() << "no"; }
TEST(A, crashes) { __builtin_trap(); }
TEST(A, after_the_crash) {}
TEST(A, hangs) { sleep(600); }
TEST(A, after_the_hang) {}
TEST(A, DISABLED_never) {}
"""


def test_runner_counts_every_case_in_spite_of_crash_and_hang(tmp_path):
    (tmp_path / "a.cc").write_text(CASES)
    binary = tmp_path / "a_tests"
    subprocess.run(["g++", "-o", binary, tmp_path / "a.cc", "-lgtest", "-lgtest_main", "-lpthread"], check=True)
    cases = {c.name.split(".")[1]: c.outcome for c in gtest_runner.run([binary], limit_s=3)}
    assert cases == {"passes": "passed", "fails": "failed", "skips": "skipped", "crashes": "failed",
                     "after_the_crash": "passed", "hangs": "failed", "after_the_hang": "passed"}


def test_runner_takes_a_plain_program_as_one_case(tmp_path):
    script = tmp_path / "plain"
    script.write_text("#!/bin/sh\nexit 3\n")
    script.chmod(0o755)
    (case,) = gtest_runner.run([script], limit_s=5)
    assert (case.name, case.outcome) == ("plain", "failed")


def test_names_finds_ids_of_tests_and_of_cases(tmp_path):  # literals in two parts: this file is searched too
    root = _tree(tmp_path, {
        "tests/base/a_test.cc": "TEST" "(Wire, W2_W5_truncated) {}\nTEST_F" "(Wire, names_without_ids) {}\n",
        "tests/e2e/test_a.py": 'CASES = [\n    ("S12_outputs_empty", call, Error),\n    pytest.param(1, id''="A4_stride_zero"),\n]\n'
                               'def test_O8_threads():\n    call("T1_not_the_name_of_a_case", 3)\n',
        "tests/tf_host/cases.txt": "# L9_in_a_comment\nL8_plan_of_another_signature plan=misfit\nwithout_id plan=ok\n",
        "tests/golden/notes.txt": "W1_not_a_case x\n"})
    found, problems = check_names.covered(root)
    assert problems == []
    assert found == {"W2": ["Wire.W2_W5_truncated"], "W5": ["Wire.W2_W5_truncated"], "S12": ["e2e/test_a.py::S12_outputs_empty"],
                     "A4": ["e2e/test_a.py::A4_stride_zero"], "O8": ["e2e/test_a.py::test_O8_threads"],
                     "L8": ["tf_host/cases.txt::L8_plan_of_another_signature"]}


def test_names_reports_an_unknown_id(tmp_path):
    _, problems = check_names.covered(_tree(tmp_path, {"tests/base/a_test.cc": "TEST" "(Wire, W99_nothing) {}\n"}))
    assert len(problems) == 1 and "W99" in problems[0]
