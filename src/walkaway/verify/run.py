"""Run one command of the project's and say what it did, as one of five results.

Rule: exit codes decide. Text is looked at only to tell "there is nothing to run" from "it ran", never to overrule a
code that says it ran.
"""

import re
import threading
from collections.abc import Mapping
from pathlib import Path

from walkaway import proc
from walkaway.core.errors import Cancelled
from walkaway.core.model import Result
from walkaway.core.verdict import CheckRun
from walkaway.redact import redact

LIMIT_BYTES = 64 * 1024

_NOT_EXECUTABLE, _NOT_FOUND, _NO_TESTS = 126, 127, 5
_MODULE = re.compile(r"(?:^|\s)-m\s+([\w.]+)")
_MAKE_NOT_FOUND = re.compile(r"^g?make(?:\[\d+\])?: \*\*\* .*\bError 12[67]$", re.MULTILINE)
_RAN_NOTHING = re.compile(r"^(?:Ran 0 tests in .*|NO TESTS RAN(?: .*)?)$", re.MULTILINE)


def run(command: str, path: Path, timeout_s: float, cancel: threading.Event) -> CheckRun:
    """Run ``command`` by ``/bin/sh -c`` in ``path``; `Cancelled` when ``cancel`` is set before it ends.

    Its process group ends with it, after ``timeout_s`` at the latest. It reads nothing, sees no secrets, knows that
    nobody watches (``CI``) and leaves no byte code behind. Its output is bounded and redacted.
    """
    try:
        done = proc.run(
            command,
            path,
            _environment(),
            timeout_s,
            limit_bytes=LIMIT_BYTES,
            cancel=cancel,
            merge=True,
            die_with_parent=True,
        )
    except OSError as error:
        return CheckRun(command=command, result=Result.CANNOT_RUN, exit_code=None, duration_ms=0, output=str(error))
    if done.cancelled:
        message = f"'{command}' was ended before it could say anything"
        raise Cancelled(message)
    output = redact(done.output)
    return CheckRun(
        command=command,
        result=judge(command, done.exit_code, output),
        exit_code=done.exit_code,
        duration_ms=done.duration_ms,
        output=output + (f"\n[ended after {timeout_s:g} s]\n" if done.timed_out else ""),
    )


def judge(command: str, exit_code: int | None, output: str) -> Result:
    """Return the result that an exit code means; None: it did not end in time."""
    if exit_code is None:
        return Result.TIMEOUT
    if exit_code in {_NOT_EXECUTABLE, _NOT_FOUND} or _missing(command, exit_code, output):
        return Result.CANNOT_RUN
    if _ran_nothing(command, exit_code, output):
        return Result.NO_CHECK
    return Result.PASS if exit_code == 0 else Result.FAIL


def _missing(command: str, exit_code: int, output: str) -> bool:
    """Whether what was to run is not there: the very module of ``python -m``, or a program that make looked for."""
    if exit_code == 0:
        return False
    if _MAKE_NOT_FOUND.search(output):
        return True
    modules = "|".join(re.escape(name) for name in _MODULE.findall(command))
    said = rf"^.*python[^\s:]*: No module named (?:{modules})\b"
    return bool(modules) and bool(re.search(said, output, re.MULTILINE))


def _ran_nothing(command: str, exit_code: int, output: str) -> bool:
    """Whether a test runner found no test."""
    if "pytest" in command and exit_code == _NO_TESTS:
        return True
    return "unittest" in command and exit_code in {0, _NO_TESTS} and bool(_RAN_NOTHING.search(output))


def _environment() -> Mapping[str, str]:
    return {**proc.scrub(proc.environment()), "CI": "1", "PYTHONDONTWRITEBYTECODE": "1"}
