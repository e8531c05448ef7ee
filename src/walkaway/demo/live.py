"""What is told while `walkaway auto` works: a line for each unit that ended, and why a refused one is done again."""

import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from walkaway.demo import told
from walkaway.demo.ink import WIDTH, clock, cut, ink, money
from walkaway.demo.told import Json

Say = Callable[[str], None]


class Live:
    """Takes the lines of `walkaway auto --json` and says what a person wants to know of them."""

    def __init__(self, say: Say, done: Callable[[str], str] = lambda _unit: "") -> None:
        """Begin with nothing spent; ``done`` is told each unit that was done, and returns what to say then."""
        self._say = say
        self._done = done
        self._spent: float | None = 0.0
        self._before: float | None = 0.0
        self._since = time.monotonic()
        self._listening = False
        self.result: Json = {}
        """The last line, once it came."""

    def take(self, line: str) -> None:
        """Take one line of output; what is no JSON is something said to people."""
        found = told.one(line)
        if found is None:
            self._say(cut(f"  {line}"))
        elif found.get("type") == "result":
            self.result = found
        else:
            self._progress(found)

    def _progress(self, p: Json) -> None:
        usage = told.members(p.get("usage"))
        if usage:
            self._spent = told.number(usage, "usd")
        match told.text(p, "kind"):
            case "unit":
                self._before, self._since = self._spent, time.monotonic()
                self._listening = attempt_of(p) > 1
            case "agent" if self._listening:
                self._listening = False
                self._say(wrapped("The agent, on being told: ", told.text(p, "text")))
            case "unit-done":
                self._say(f"{ink('✓', 'green')} {self._row(p)}")
                if said := self._done(told.text(p, "unit")):
                    self._say(wrapped("", said))
            case "unit-failed":
                self._say(f"{ink('✗', 'red')} {self._row(p)}")
                self._say(refused(told.text(p, "text")))
            case "published":
                self._say(cut(f"{ink('↑', 'green')} Merged: {told.text(p, 'text')}"))
            case "recovered" | "wait" | "note" | "question":
                self._say(wrapped("", told.text(p, "text")))

    def _row(self, p: Json) -> str:
        known = self._spent is not None and self._before is not None
        usd = (self._spent or 0.0) - (self._before or 0.0) if known else None
        seconds = told.number(p, "seconds") or time.monotonic() - self._since
        return row(told.text(p, "unit"), attempt_of(p), seconds, usd)


def attempt_of(p: Json) -> int:
    """Return the number of the attempt that a line is about."""
    return int(told.number(p, "attempt") or 1)


def row(unit: str, attempt: int, seconds: float, usd: float | None) -> str:
    """Return a run of a unit as a line of a table."""
    name = unit if attempt == 1 else f"{unit}, attempt {attempt}"
    return f"{name:<44}{clock(seconds)}  {money(usd)}"


def refused(why: str) -> str:
    """Return in plain words why work was not taken; an agent said that it was done where a check says otherwise."""
    if not why.startswith("The check"):
        return wrapped("", plain(why))
    return wrapped("", f"The agent said that it was done. {plain(why)} So it was not taken, and is done again.")


def plain(command: str) -> str:
    """Return a command as people write it: the interpreter's path says nothing to them."""
    return command.replace(sys.executable, "python")


def wrapped(lead: str, text: str) -> str:
    """Return a remark under a line of the table."""
    return textwrap.fill(lead + text, WIDTH, initial_indent="    ", subsequent_indent="    ")


def new_lines(path: Path, position: int) -> Iterator[tuple[str, int]]:
    """Yield each whole line that was written after ``position``, and where it ends."""
    with path.open("rb") as source:
        source.seek(position)
        for raw in source:
            if not raw.endswith(b"\n"):
                return
            position += len(raw)
            yield raw.decode(errors="replace").rstrip("\n"), position
