"""Which tests failed, from what runners say: real ones where they are on every machine, else their recorded words."""

import subprocess
import sys
from pathlib import Path

import pytest

from walkaway.core.failing.known import failing

PYTEST = """\
FE.                                                                      [100%]
=========================== short test summary info ============================
FAILED tests/test_b.py::test_p[a - b] - AssertionError: assert 'a - b' == 'c'
FAILED tests/test_b.py::test_p[1] - AssertionError: assert 1 == 'c'
ERROR tests/test_b.py::test_f - RuntimeError: no
2 failed, 1 passed, 1 error in 0.17s
"""
GO = """\
--- FAIL: TestAdd (0.00s)
    --- FAIL: TestAdd/negative (0.00s)
        add_test.go:9: got 1, want 2
FAIL
FAIL\texample.org/add\t0.002s
ok  \texample.org/sub\t0.003s
FAIL
"""
CARGO = """\
running 2 tests
test t::good ... ok
test t::bad ... FAILED

failures:
    t::bad

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.15s

error: test failed, to rerun pass `--lib`
running 1 test
test other ... FAILED

test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.15s

error: 2 targets failed:
    `--lib`
    `--test a`
"""
NODE = """\
TAP version 13
# Subtest: good
ok 1 - good
# Subtest: bad one
not ok 2 - bad one
  ---
  duration_ms: 0.850488
  ...
# Subtest: suite
    # Subtest: inner bad
    not ok 1 - inner bad
      ---
      duration_ms: 0.2
      ...
    1..1
not ok 3 - suite
  ---
  duration_ms: 0.428989
  type: 'suite'
  ...
1..3
# tests 3
# suites 1
# pass 1
# fail 2
# cancelled 0
# skipped 0
# todo 0
# duration_ms 161.383367
"""
JEST = """\
FAIL src/sum.test.js
  ● sum \u203a adds

    expect(received).toBe(expected)

Test Suites: 1 failed, 1 total
Tests:       1 failed, 2 passed, 3 total
Snapshots:   0 total
Time:        0.5 s
Ran all test suites.
"""
MADE = "make: *** [Makefile:4: check] Error 1\n"

SAID = {
    "pytest": ("pytest", 1, PYTEST, {"test_p[a - b]", "test_p[1]", "test_f"}),
    "coloured": (
        "pytest",
        1,
        PYTEST.replace("FAILED", "\x1b[31mFAILED\x1b[0m"),
        {"test_p[a - b]", "test_p[1]", "test_f"},
    ),
    "make": ("make check", 2, PYTEST + MADE, {"test_p[a - b]", "test_p[1]", "test_f"}),
    "go": ("go test ./...", 1, GO, {"example.org/add.TestAdd", "example.org/add.TestAdd/negative"}),
    "cargo": ("cargo test --no-fail-fast", 101, CARGO, {"t::bad", "other"}),
    "node": ("node --test", 1, NODE, {"bad one", "suite > inner bad"}),
    "jest": ("npx jest", 1, JEST, {"sum \u203a adds"}),
    "npm": ("npm test", 1, JEST + "npm ERR! Test failed.\n", {"sum \u203a adds"}),
}
UNCERTAIN = {
    "another exit code": ("pytest", 2, PYTEST),
    "a signal": ("pytest", -9, PYTEST),
    "a time-out": ("pytest", None, PYTEST),
    "a name too few": ("pytest", 1, PYTEST.replace("FAILED tests/test_b.py::test_p[1]", "FOILED")),
    "a name too many": ("pytest", 1, "FAILED a.py::b\n" + PYTEST),
    "something ran after it": ("pytest; ruff check", 1, PYTEST + "Found 1 error.\n"),
    "cut": ("pytest", 1, "[... 99 bytes left out ...]\n" + PYTEST),
    "interrupted": ("pytest", 1, PYTEST.replace("2 failed,", "!!!!! stopping after 2 failures !!!!!\n2 failed,")),
    "two of them": ("pytest a; pytest b", 1, PYTEST + PYTEST),
    "it stops at the first": ("pytest -x", 1, PYTEST),
    "it stops after some": ("pytest --maxfail=2", 1, PYTEST),
    "make, another error": ("make check", 2, PYTEST + "make: *** [Makefile:4: check] Error 3\n"),
    "make alone": ("make check", 2, MADE),
    "not built": (
        "go test ./...",
        1,
        GO.replace("ok  \texample.org/sub\t0.003s", "FAIL\texample.org/sub [build failed]"),
    ),
    "a package fails beside its tests": ("go test ./...", 1, "FAIL\texample.org/sub\t0.1s\n" + GO),
    "panic": ("go test ./...", 1, "panic: no\n" + GO),
    "binaries are left out": ("cargo test", 101, CARGO),
    "cancelled": ("node --test", 1, NODE.replace("# cancelled 0", "# cancelled 1")),
    "of another runner": ("./check.sh", 1, "2 problems\n"),
    "nothing": ("true", 1, ""),
}


@pytest.mark.parametrize(("command", "code", "output", "names"), SAID.values(), ids=SAID)
def test_the_names_are_read_from_what_the_runner_says(command: str, code: int, output: str, names: set[str]) -> None:
    assert {name.removeprefix("tests/test_b.py::") for name in failing(command, code, output)} == names


@pytest.mark.parametrize(("command", "code", "output"), UNCERTAIN.values(), ids=UNCERTAIN)
def test_what_is_not_certain_is_not_known(command: str, code: int | None, output: str) -> None:
    assert failing(command, code, output) == frozenset()


TESTS = """\
import unittest


class Sums(unittest.TestCase):
    def test_good(self):
        self.assertEqual(1 + 1, 2)

    def test_bad(self):
        self.assertEqual(1 + 1, 3)

    def test_parts(self):
        for n in range(3):
            with self.subTest(n=n):
                self.assertEqual(n, 1)

    def test_error(self):
        raise ValueError("no")
"""


@pytest.mark.parametrize("runner", ["unittest", "pytest -q -p no:cacheprovider -p no:randomly --rootdir ."])
def test_real_runners_are_understood(tmp_path: Path, runner: str) -> None:
    parts = runner == "unittest"  # pytest counts parts of a test its own way
    (tmp_path / "test_sums.py").write_text(TESTS if parts else TESTS.replace("self.subTest(n=n)", "self.subTest()"))
    command = [sys.executable, "-m", *runner.split(" ")]
    done = subprocess.run(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    names = failing(" ".join(command), done.returncode, done.stdout)
    if parts:
        assert {name.split(" ")[0] for name in names} == {"test_bad", "test_parts", "test_error"}
        assert len(names) == 4, done.stdout
    else:
        assert names <= {f"test_sums.py::Sums::{name}" for name in ("test_bad", "test_parts", "test_error")}
