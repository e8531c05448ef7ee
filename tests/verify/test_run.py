"""Five results, by exit code; and what a check may and may not see and do."""

import os
import shlex
import sys
import threading
from pathlib import Path

import pytest

from walkaway.core.errors import Cancelled
from walkaway.core.model import Result
from walkaway.core.verdict import CheckRun
from walkaway.verify import ProjectChecks, discover, run
from walkaway.verify.run import judge

PY = shlex.quote(sys.executable)


def check(command: str, path: Path, timeout_s: float = 60.0) -> CheckRun:
    return ProjectChecks().run(command, str(path), timeout_s, threading.Event())


@pytest.mark.parametrize(
    ("command", "result", "code"),
    [
        ("true", Result.PASS, 0),
        ("false", Result.FAIL, 1),
        ("exit 77", Result.FAIL, 77),
        ("exit 5", Result.FAIL, 5),
        ("echo 'already exists'; exit 1", Result.FAIL, 1),
        ("no-such-program-here --version", Result.CANNOT_RUN, 127),
        ("./not-executable", Result.CANNOT_RUN, 126),
        ("./nowhere/at-all", Result.CANNOT_RUN, 127),
        (f"{PY} -m no_such_module_here -q", Result.CANNOT_RUN, 1),
        (f"{PY} -c 'import no_such_module_here'", Result.FAIL, 1),
        (f"{PY} -m json.tool no-such-file", Result.FAIL, 2),
        (f"{PY} -m runs_and_misses", Result.FAIL, 1),
        ("kill -9 $$", Result.FAIL, -9),
        ("cd sub && pwd | grep -q sub", Result.PASS, 0),
        ("! read line", Result.PASS, 0),
    ],
)
def test_the_exit_code_decides(tmp_path: Path, command: str, result: Result, code: int) -> None:
    (tmp_path / "not-executable").write_text("#!/bin/sh\n")
    (tmp_path / "runs_and_misses.py").write_text("import no_such_module_here\n")
    (tmp_path / "sub").mkdir()

    seen = check(command, tmp_path)

    assert (seen.result, seen.exit_code, seen.command) == (result, code, command)
    assert seen.duration_ms >= 0


def test_make_that_misses_a_program_cannot_run_and_make_that_fails_fails(tmp_path: Path) -> None:
    said = "make: no-such: No such file or directory\nmake: *** [Makefile:2: check] Error 127\n"
    assert judge("make check", 2, said) is Result.CANNOT_RUN
    assert judge("make check", 2, "make: *** [Makefile:2: check] Error 1\n") is Result.FAIL


def test_a_time_out_is_a_result_of_its_own_and_ends_what_hangs(tmp_path: Path) -> None:
    seen = check(f"echo before; {PY} -c 'import signal; signal.pause()'", tmp_path, timeout_s=0.5)

    assert (seen.result, seen.exit_code) == (Result.TIMEOUT, None)
    assert seen.output.startswith("before\n")
    assert "ended after 0.5 s" in seen.output


def test_cancelling_is_no_result(tmp_path: Path) -> None:
    cancel = threading.Event()
    cancel.set()

    with pytest.raises(Cancelled):
        ProjectChecks().run(f"{PY} -c 'import signal; signal.pause()'", str(tmp_path), 60.0, cancel)


def test_a_directory_that_is_gone_cannot_run(tmp_path: Path) -> None:
    assert check("true", tmp_path / "gone").result is Result.CANNOT_RUN


# ---- nothing to check --------------------------------------------------------------------------------------------


def written(path: Path, text: str) -> str:
    (path / "tests").mkdir()
    (path / "tests/test_x.py").write_text(text)
    (command,) = discover.checks(path)
    return command


def test_unittest_that_finds_nothing_is_no_check(tmp_path: Path) -> None:
    command = written(tmp_path, "import unittest\n")

    assert "unittest" in command
    assert check(command, tmp_path).result is Result.NO_CHECK


def test_pytest_that_finds_nothing_is_no_check(tmp_path: Path) -> None:
    command = written(tmp_path, "import pytest\n")

    assert "pytest" in command
    assert check(command, tmp_path).result is Result.NO_CHECK


@pytest.mark.parametrize("kind", ["unittest", "pytest"])
@pytest.mark.parametrize(("claim", "result"), [("True", Result.PASS), ("False", Result.FAIL)])
def test_a_discovered_check_really_runs(tmp_path: Path, kind: str, claim: str, result: Result) -> None:
    text = "import unittest\nclass T(unittest.TestCase):\n    def test_it(self):\n        assert "
    command = written(tmp_path, (text if kind == "unittest" else "import pytest\ndef test_it():\n    assert ") + claim)

    assert kind in command
    assert check(command, tmp_path).result is result


@pytest.mark.parametrize(
    ("command", "code", "output", "result"),
    [
        ("python -m unittest", 5, "Ran 0 tests in 0.000s\n\nNO TESTS RAN\n", Result.NO_CHECK),
        ("python -m unittest", 0, "Ran 0 tests in 0.000s\n\nOK\n", Result.NO_CHECK),
        ("python -m unittest", 0, "Ran 10 tests in 0.000s\n\nOK\n", Result.PASS),
        ("python -m unittest", 1, "Ran 0 tests in 0.000s\n\nFAILED (errors=1)\n", Result.FAIL),
        ("./check.sh", 0, "Ran 0 tests in 0.000s\n", Result.PASS),
        ("./check.sh", 5, "NO TESTS RAN\n", Result.FAIL),
        ("pytest -q", 5, "no tests ran in 0.01s\n", Result.NO_CHECK),
        ("pytest -q", 4, "ERROR: file or directory not found\n", Result.FAIL),
        ("python -m pytest", 1, "/usr/bin/python: No module named pytest\n", Result.CANNOT_RUN),
        ("python -m pytest", 1, "/my tools/python3.12: No module named pytest\n", Result.CANNOT_RUN),
        ("python -m pytest", 1, "/usr/bin/python: No module named pytester\n", Result.FAIL),
        ("python -m pytest", 1, "ModuleNotFoundError: No module named 'pytest'\n", Result.FAIL),
        ("python -m pytest", 0, "/usr/bin/python: No module named pytest\n", Result.PASS),
        ("x", 127, "", Result.CANNOT_RUN),
        ("x", None, "", Result.TIMEOUT),
    ],
)
def test_text_tells_only_whether_anything_ran(command: str, code: int | None, output: str, result: Result) -> None:
    assert judge(command, code, output) is result


# ---- what it sees and says ---------------------------------------------------------------------------------------


def test_output_is_merged_bounded_and_without_secrets(tmp_path: Path) -> None:
    secret = "ghp_" + "A1b2" * 9
    seen = check(f"echo {secret}; echo err >&2; yes | head -c 500000; echo end", tmp_path)

    assert secret not in seen.output
    assert seen.output.startswith("[redacted]\nerr\n")
    assert seen.output.endswith("end\n")
    assert "left out" in seen.output
    assert len(seen.output) < run.LIMIT_BYTES + 200


def test_a_check_sees_no_secrets_but_its_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary")
    monkeypatch.setenv("GIT_DIR", "canary")
    monkeypatch.setenv("WALKAWAY_PROJECT", "/the/project")

    seen = check("env", tmp_path).output.splitlines()

    assert not [line for line in seen if "canary" in line]
    assert {"CI=1", "WALKAWAY_PROJECT=/the/project", "PYTHONDONTWRITEBYTECODE=1", f"PATH={os.environ['PATH']}"} <= set(
        seen
    )


def test_a_check_leaves_no_litter(tmp_path: Path) -> None:
    command = written(tmp_path, "import unittest, helper\nclass T(unittest.TestCase):\n    def test_it(self): pass\n")
    (tmp_path / "tests/helper.py").write_text("")

    assert check(command, tmp_path).result is Result.PASS

    assert sorted(file.name for file in tmp_path.rglob("*")) == ["helper.py", "test_x.py", "tests"]
