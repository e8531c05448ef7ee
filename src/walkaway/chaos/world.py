"""Everything that a storm is about, in one place, and what goes on in it from moment to moment."""

import heapq
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from walkaway.chaos.crew import Crew
from walkaway.chaos.database import Database
from walkaway.chaos.disk import Disk
from walkaway.chaos.model import Model
from walkaway.chaos.people import People
from walkaway.chaos.stage import Stage
from walkaway.chaos.watch import View, Watch
from walkaway.core.ids import PROJECT_SCOPE

TICK_S = 0.02
LOOK_S = 0.25
PAUSED_S = 2.0
"""How long a pause lasts until a person resumes it."""

T = TypeVar("T")
Undo = Callable[[], object]


@dataclass(slots=True)
class World:
    """The stage and all who are on it; one thread moves all of it, by `turn`."""

    stage: Stage
    crew: Crew
    people: People
    model: Model
    disk: Disk
    database: Database
    watch: Watch
    view: View
    """The project as it was last seen."""
    _looked_at: float = 0.0
    _undone: list[tuple[float, int, Undo]] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def turn(self, *, work: bool, more: bool) -> None:
        """Let a moment pass: what is due is undone, who ended is replaced (``work``), what was asked is answered.

        With ``more`` further milestones are handed in as others are completed.
        """
        now = time.monotonic()
        while self._undone and self._undone[0][0] <= now:
            heapq.heappop(self._undone)[2]()
        self.model.tend()
        if now >= self._looked_at + LOOK_S:
            self._looked_at = now
            self._look(more=more)
        whole = any(pause.restriction == PROJECT_SCOPE for pause in self.view.paused)
        self.crew.tend(now, work=work and not whole)
        time.sleep(TICK_S)

    def _look(self, *, more: bool) -> None:
        view = self.watch.look()
        if view is None:
            return
        self.view = view
        self.people.tend(view.overview, view.questions, more=more)
        due = [pause.restriction for pause in view.paused if view.overview.now - pause.at > PAUSED_S]
        self.people.resume(self.crew, due)

    def later(self, seconds: float, undo: Undo) -> None:
        """Have something done after so many seconds, or at `settle`."""
        heapq.heappush(self._undone, (time.monotonic() + seconds, next(self._numbers), undo))

    def settle(self) -> None:
        """Do now, in order, all that was to be done later."""
        while self._undone:
            heapq.heappop(self._undone)[2]()


def chosen(pick: float, of: Sequence[T]) -> T | None:
    """Return the one of several that a number from 0 to 1 stands for; None of none."""
    return of[int(pick * len(of))] if of else None
