"""Progress on stderr while a run goes on: one line that moves, and one line for each unit that ended.

Quiet where stderr is no terminal.
"""

import shutil
import sys
import threading
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

from walkaway.cli.say import clock, money, tokens
from walkaway.core.model import Usage

if TYPE_CHECKING:
    from walkaway.app import Progress
    from walkaway.cli.session import Session

TICK_S = 0.5
ERASE = "\r\x1b[K"


class Live(AbstractContextManager["Live"]):
    """What the terminal shows of a run; `tell` may be called from any thread."""

    def __init__(self, session: "Session", *, show: bool) -> None:
        """Count for ``session`` in any case; draw only with ``show``."""
        self._session = session
        self._show = show
        self._lock = threading.RLock()
        self._done = threading.Event()
        self._unit = ""
        self._doing = ""
        self._since = 0.0
        self._before = Usage()
        self._usage = Usage()
        self._ticker = threading.Thread(target=self._tick, name="progress", daemon=True)

    def __enter__(self) -> Self:
        """Begin to draw."""
        if self._show:
            self._ticker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as a shell wants it: the moving line is gone."""
        self._done.set()
        if self._show:
            self._ticker.join()
            self._write(ERASE)

    def tell(self, progress: "Progress") -> None:
        """Take a piece of news."""
        self._session.saw(progress)
        with self._lock:
            line = self._take(progress)
            if self._show and line:
                self._write(f"{ERASE}{line}\n")
            if self._show:
                self._draw()

    def _take(self, p: "Progress") -> str:  # noqa: PLR0911 - one match, one case a kind
        """Remember what the moving line shows; return what is worth a line of its own."""
        if p.usage is not None:
            self._usage = p.usage
        match p.kind:
            case "unit":
                self._unit = p.unit if p.attempt <= 1 else f"{p.unit} (attempt {p.attempt})"
                self._doing, self._since, self._before = "", self._session.elapsed(), self._usage
                return ""
            case "unit-done":
                return f"{click.style('✓', fg='green')} {self._ended(p)}"
            case "unit-failed":
                return f"{click.style('✗', fg='red')} {self._ended(p)}\n  {one_line(p.text)}"
            case "milestone":
                return click.style(p.text, bold=True)
            case "published":
                return f"{click.style('↑', fg='green')} {one_line(p.text)}"
            case "wait":
                self._doing = f"waiting {clock(p.seconds)}: {one_line(p.text)}" if p.seconds else one_line(p.text)
                return ""
            case "question" | "note" | "recovered":
                return f"{click.style('!', fg='yellow')} {one_line(p.text)}"
            case _:
                self._doing = one_line(p.text) or self._doing
                return ""

    def _ended(self, p: "Progress") -> str:
        spent, usd = self._spent()
        attempt = f" (attempt {p.attempt})" if p.attempt > 1 else ""
        seconds = p.seconds or self._session.elapsed() - self._since
        self._unit, self._doing = "", ""
        return f"{p.unit}{attempt}  {clock(seconds)}  {tokens(spent)}  {money(usd)}"

    def _spent(self) -> tuple[int, float | None]:
        """Return what the unit in hand has used: the run's sum, less what it was when the unit began."""
        now, then = self._usage, self._before
        spent = now.input_tokens + now.output_tokens - then.input_tokens - then.output_tokens
        usd = None if now.usd is None or then.usd is None else now.usd - then.usd
        return spent, usd

    def _tick(self) -> None:
        while not self._done.wait(TICK_S):
            with self._lock:
                self._draw()

    def _draw(self) -> None:
        if not self._unit and not self._doing:
            return
        spent, usd = self._spent()
        elapsed = clock(self._session.elapsed() - self._since) if self._unit else ""
        parts = [self._unit, elapsed, tokens(spent) if spent else "", money(usd) if spent else "", self._doing]
        width = shutil.get_terminal_size().columns - 1
        text = "  ".join(part for part in parts if part)
        self._write(ERASE + (text if len(text) <= width else text[: width - 1] + "…"))

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def one_line(text: str) -> str:
    """Return text that cannot move the cursor: one line, no control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
