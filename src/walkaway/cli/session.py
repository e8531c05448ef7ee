"""One start of the program: what it was asked for, and the promise of exactly one result line.

Rule: with ``--json`` a run that ends in any way but SIGKILL has printed one line of type ``result``, its last.
"""

import json
import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from walkaway.cli.say import err
from walkaway.clock import SystemClock
from walkaway.core.errors import WalkawayError
from walkaway.core.ids import MilestoneId, Scope
from walkaway.views.result import Result, Totals, open_questions, result

if TYPE_CHECKING:
    from walkaway.app import App, Progress
    from walkaway.cli.exits import Exit
    from walkaway.cli.signals import Signals

RUNS = frozenset({"auto", "next", "resume"})
WITH_VALUE = frozenset({"--set"})


class Session:
    """What one run of the program has said so far; safe from any thread."""

    def __init__(self, args: Sequence[str]) -> None:
        """Read just enough of the words to know what is owed, before anything can go wrong."""
        command, rest = split(args)
        self.is_run = command in RUNS
        self.json = self.is_run and "--json" in rest
        self.overrides: list[str] = []
        """What ``--set`` said, before the command and after it."""
        self.signals: Signals | None = None
        """Who takes the signals of a run."""
        self.app: App | None = None
        self.milestone: MilestoneId | None = None
        self._begun = SystemClock().monotonic()
        self._totals = Totals()
        self._lock = threading.Lock()
        self._closed = False

    def elapsed(self) -> float:
        """Return the seconds since the program was started, about."""
        return SystemClock().monotonic() - self._begun

    def warn(self, text: str) -> None:
        """Say to people what is not as it was."""
        err(f"walkaway: {text}")

    def saw(self, progress: "Progress") -> None:
        """Keep count, so that a run that breaks can still say what it did, and pass the news on."""
        with self._lock:
            if progress.kind == "unit-done":
                self._totals = replace(self._totals, units=self._totals.units + 1)
            if progress.commit:
                self._totals = replace(self._totals, commits=(*self._totals.commits, progress.commit))
            if progress.usage is not None:
                self._totals = replace(self._totals, usage=progress.usage)
        if self.json:
            self._line(told(progress))

    def finish(self, exit_: "Exit", detail: str = "", totals: Totals | None = None) -> Result:
        """Return how the run ended and, with ``--json``, print it as the last line; later calls print nothing."""
        totals = totals or replace(self._totals, duration_s=self.elapsed())
        ended = self._standing(Result(status=exit_.status, exit_code=exit_.code, detail=detail, totals=totals))
        if self.json:
            self._line(result(ended), last=True)
        return ended

    def finish_now(self, exit_: "Exit") -> None:
        """Print the last line without asking the database, which may be what holds the run up."""
        if self.json:
            totals = replace(self._totals, duration_s=self.elapsed())
            self._line(result(Result(status=exit_.status, exit_code=exit_.code, totals=totals)), last=True)

    def _standing(self, ended: Result) -> Result:
        """Add the milestones and what waits for a person; a database that cannot be read adds nothing."""
        if self.app is None:
            return ended
        try:
            rows = [r for r in self.app.store.overview().milestones if self.milestone in (None, r.id)]
            asked = [self.app.store.snapshot(Scope(r.id)) for r in rows if r.open_questions]
        except WalkawayError as error:
            err(f"walkaway: the milestones cannot be listed: {error}")
            return ended
        return replace(ended, milestones=tuple(rows), questions=open_questions(asked))

    def _line(self, value: object, *, last: bool = False) -> None:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        with self._lock:
            if self._closed:
                return
            self._closed = last
            try:
                sys.stdout.write(text + "\n")
                sys.stdout.flush()
            except BrokenPipeError:
                self._closed = True  # whoever listened has gone; the work goes on, and the exit code still tells
            except OSError as error:
                if not last:
                    raise
                err(f"walkaway: the result could not be written: {error}. The exit code tells it.")
                sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - what is in it would change the code


def split(args: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Return the command among ``args`` and the words after it; "" where there is none."""
    rest = list(args)
    while rest:
        word = rest.pop(0)
        if word in WITH_VALUE:
            rest = rest[1:]
        elif not word.startswith("-"):
            return word, rest
    return "", []


def told(progress: "Progress") -> dict[str, object]:
    """Return a line of progress for programs; what is empty is left out."""
    line: dict[str, object] = {"v": 1, "type": "progress", "kind": progress.kind}
    for name in ("text", "unit", "attempt", "seconds", "commit", "worker"):
        if value := getattr(progress, name):
            line[name] = value
    if (usage := progress.usage) is not None:
        line["usage"] = {"usd": usage.usd, "input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    return line
