"""Verification: the project's own commands, run by us and never believed from an agent."""

import threading
from pathlib import Path

from walkaway.core.verdict import CheckRun
from walkaway.verify import discover, run, setup

__all__ = ["ProjectChecks"]


class ProjectChecks:
    """A project's checks and set-up; what each method promises is said in `engine.ports.Verifier`."""

    def set_up(
        self,
        path: str,
        commands: tuple[str, ...] | None,
        timeout_s: float,
        cancel: threading.Event,
        *,
        again: bool = False,
    ) -> tuple[CheckRun, ...]:
        """Run the set-up commands (None: those discovered) in a checkout, once per state of its lock files."""
        wanted = discover.set_up(Path(path)) if commands is None else commands
        return setup.set_up(Path(path), wanted, timeout_s, cancel, again=again)

    def checks(self, path: str, commands: tuple[str, ...] | None) -> tuple[str, ...]:
        """Return the commands that judge this tree: ``commands``, or where None those discovered from its files."""
        return discover.checks(Path(path)) if commands is None else commands

    def run(self, command: str, path: str, timeout_s: float, cancel: threading.Event) -> CheckRun:
        """Run one check; never raises for what the command does. `Cancelled` when ``cancel`` is set meanwhile."""
        return run.run(command, Path(path), timeout_s, cancel)
