"""Pauses and stops: durable facts of the project or of one milestone, which every worker reads before each claim.

Rule: whether a worker may claim is decided here (`Control.holds`) and, by the same words in SQL, inside the claim's own
transaction (`store/controls.py`). A *pause* holds every worker, also one registered later, until a person resumes it. A
*stop* ends the runs that had begun when it was given; a run begun later is a new one. A *step* is what `walkaway next`
leaves: it remembers the run's bounds and holds nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar, assert_never

from walkaway.core.errors import IllegalTransition, Usage
from walkaway.core.ids import PROJECT_SCOPE, MilestoneId, Scope, WorkerId


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Why and where work was paused; consumed exactly once, by the transaction that resumes it.

    ``restriction`` is a milestone, or the whole project (``*``). What a worker was doing is entered when it leaves;
    bounds are what was left of them then (None = no bound), in units, USD and seconds.
    """

    id: Scope
    step: bool = False
    reason: str = ""
    who: str = ""
    at: float = 0.0
    milestone: str = ""
    unit: str = ""
    worktree: str = ""
    custom_run: str = ""
    target: str = ""
    model: str = ""
    thinking: str = ""
    units_left: int | None = None
    usd_left: float | None = None
    seconds_left: float | None = None
    units: int = 0
    usd: float | None = 0.0
    elapsed_s: float = 0.0

    @property
    def restriction(self) -> Scope:
        """What is paused."""
        return self.id

    @property
    def remedy(self) -> str:
        """What a person runs to go on."""
        return "walkaway resume" if self.id == PROJECT_SCOPE else f"walkaway resume --milestone {self.id}"

    @property
    def sentence(self) -> str:
        """What is paused, by whom and why."""
        return f"{_what(self.id)} is paused by {self.who}{_because(self.reason)}; go on with {self.remedy}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """An order to end: for runs begun before ``rev``, a revision of the project's own scope."""

    id: Scope
    reason: str = ""
    who: str = ""
    at: float = 0.0
    rev: int = 0

    @property
    def sentence(self) -> str:
        """What was stopped, by whom and why."""
        return f"{_what(self.id)} was stopped by {self.who}{_because(self.reason)}."


def _what(restriction: str) -> str:
    return "The project" if restriction == PROJECT_SCOPE else restriction


def _because(reason: str) -> str:
    return f" ({reason})" if reason else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """A person paused the work, or a step ended."""

    pause: Pause


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseNoted:
    """A worker left because of a pause, and what it was doing."""

    note: Pause


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """A worker took the work up again; the record is consumed."""

    restriction: Scope
    worker: WorkerId


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """A person ended the runs under way; a pause record of the same restriction is gone with it."""

    stop: Stop


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseDropped:
    """A pause record that says what is no longer so was put away, and why."""

    restriction: Scope
    why: str


ControlEvent = Paused | PauseNoted | Resumed | Stopped | PauseDropped


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """What people said about running, by restriction."""

    rev: int = 0
    pauses: Mapping[str, Pause] = field(default_factory=dict)
    stops: Mapping[str, Stop] = field(default_factory=dict)

    @property
    def in_force(self) -> tuple[Pause, ...]:
        """The pauses that hold workers, the project's first."""
        return tuple(pause for _, pause in sorted(self.pauses.items()) if not pause.step)

    def holds(self, scope: Scope, since: int) -> Pause | Stop | None:
        """Return what keeps a run begun at revision ``since`` from claiming a unit of ``scope``; a stop first."""
        for where in (PROJECT_SCOPE, scope):
            if (stop := self.stops.get(where)) and stop.rev > since:
                return stop
        for where in (PROJECT_SCOPE, scope):
            if (pause := self.pauses.get(where)) and not pause.step:
                return pause
        return None


def chosen(c: Control, milestone: MilestoneId | None) -> Pause | None:
    """Return the pause that a person means: of ``milestone``, else of the project, else the only one there is.

    Raises `Usage` where several milestones are paused and none is named.
    """
    if milestone is not None:
        return c.pauses.get(milestone)
    if PROJECT_SCOPE in c.pauses:
        return c.pauses[PROJECT_SCOPE]
    held = sorted(c.pauses)
    if len(held) > 1:
        raise Usage(f"Several milestones are paused: say which by --milestone ({', '.join(held)}).")
    return c.pauses[held[0]] if held else None


def evolve(c: Control, event: ControlEvent, at: float, rev: int) -> Control:
    """Return the control after ``event``, which happened at ``at`` (seconds) as revision ``rev`` of the project."""
    c = replace(c, rev=rev)
    match event:
        case Paused(pause=pause):
            return replace(c, pauses={**c.pauses, pause.id: replace(pause, at=at)})
        case PauseNoted(note=note):
            return replace(c, pauses={**c.pauses, note.id: _noted(_found(c, note.id), note)})
        case Resumed(restriction=restriction) | PauseDropped(restriction=restriction):
            _found(c, restriction)
            return replace(c, pauses={k: p for k, p in c.pauses.items() if k != restriction})
        case Stopped(stop=stop):
            left = {k: p for k, p in c.pauses.items() if stop.id not in (k, PROJECT_SCOPE)}
            return replace(c, pauses=left, stops={**c.stops, stop.id: replace(stop, at=at, rev=rev)})
        case _:
            assert_never(event)


def _found(c: Control, restriction: str) -> Pause:
    if (found := c.pauses.get(restriction)) is None:
        raise IllegalTransition(f"{restriction} is not paused; it was resumed or stopped meanwhile.")
    return found


def _noted(pause: Pause, note: Pause) -> Pause:
    """Add what one more worker left behind: the first says where, shares of bounds add up, the longest time counts."""
    where = {
        name: getattr(pause, name) or getattr(note, name)
        for name in ("milestone", "unit", "worktree", "custom_run", "target", "model", "thinking")
    }
    known = pause.usd is not None and note.usd is not None
    return replace(
        pause,
        **where,
        units_left=_sum(pause.units_left, note.units_left),
        usd_left=_sum(pause.usd_left, note.usd_left),
        seconds_left=min((s for s in (pause.seconds_left, note.seconds_left) if s is not None), default=None),
        units=pause.units + note.units,
        usd=(pause.usd or 0.0) + (note.usd or 0.0) if known else None,
        elapsed_s=max(pause.elapsed_s, note.elapsed_s),
    )


N = TypeVar("N", int, float)


def _sum(one: N | None, other: N | None) -> N | None:
    return other if one is None else one if other is None else one + other
