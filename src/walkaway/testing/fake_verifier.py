"""A verifier without processes; it passes the same suite as the real one."""

import threading
from collections.abc import Callable, Mapping

from walkaway.core.errors import (
    Cancelled,
    CannotRun,
)
from walkaway.core.model import Result
from walkaway.core.verdict import CheckRun
from walkaway.testing.fakes import PATIENCE_S, Files

Check = Callable[[Files], Result | str]
"""What a command finds in files: a result, or the words of one that fails."""


class FakeVerifier:
    """A project's commands as functions of the files they see."""

    def __init__(self, look: Callable[[str], Files], checks: Mapping[str, Check | Result]) -> None:
        """Run in directories that ``look`` shows. A command that ``checks`` does not name cannot be run."""
        self.known = dict(checks)
        self.discovered: tuple[str, ...] = tuple(checks)
        self.discovered_set_up: tuple[str, ...] = ()
        self.set_ups_fail = 0
        """How many set-ups from now on fail."""
        self.ran: list[tuple[str, str]] = []
        """Command and directory of each run, set-ups included."""
        self.running = threading.Event()
        """Set while a check hangs."""
        self.hangs: set[str] = set()
        """Commands that end only by time-out or cancel."""
        self._look = look
        self._ready: dict[str, tuple[Files, object]] = {}

    def set_up(
        self,
        path: str,
        commands: tuple[str, ...] | None,
        timeout_s: float,
        cancel: threading.Event,
        *,
        again: bool = False,
    ) -> tuple[CheckRun, ...]:
        """Run the set-up commands, unless they succeeded in this directory before."""
        wanted = self.discovered_set_up if commands is None else commands
        here = self._look(path)
        state = (wanted, sorted(item for item in here.items() if item[0].endswith(".lock")))
        directory, done = self._ready.get(path, (None, None))
        if not wanted or (directory is here and done == state and not again):
            return ()
        if cancel.is_set():
            raise Cancelled("The set-up was ended.")
        self.ran.extend((command, path) for command in wanted)
        broken = [command for command in wanted if self.known.get(command, Result.PASS) is not Result.PASS]
        if broken or self.set_ups_fail:
            self.set_ups_fail = max(0, self.set_ups_fail - 1)
            raise CannotRun(f"The set-up command '{(broken or wanted)[0]}' failed with exit code 1.")
        self._ready[path] = (here, state)
        return tuple(_done(command, Result.PASS) for command in wanted)

    def checks(self, path: str, commands: tuple[str, ...] | None) -> tuple[str, ...]:
        """Return the commands that judge a tree."""
        return self.discovered if commands is None else commands

    def run(self, command: str, path: str, timeout_s: float, cancel: threading.Event) -> CheckRun:
        """Run one check."""
        self.ran.append((command, path))
        if command in self.hangs:
            self.running.set()
            cancel.wait(min(timeout_s, PATIENCE_S))
            self.running.clear()
        check = Result.TIMEOUT if command in self.hangs else self.known.get(command, Result.CANNOT_RUN)
        found = check if isinstance(check, Result) else check(self._look(path))
        if cancel.is_set():
            raise Cancelled(f"'{command}' was ended.")
        return _done(command, found) if isinstance(found, Result) else _done(command, Result.FAIL, found)


_CODES = {Result.PASS: 0, Result.FAIL: 1, Result.CANNOT_RUN: 127, Result.NO_CHECK: 5, Result.TIMEOUT: None}


def _done(command: str, result: Result, said: str = "") -> CheckRun:
    return CheckRun(
        command=command,
        result=result,
        exit_code=_CODES[result],
        duration_ms=7,
        output=said or ("" if result is Result.PASS else f"output of {command}: {result}\n"),
    )
