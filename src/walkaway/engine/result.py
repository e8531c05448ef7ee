"""How a run of the engine ended, and what it says while it goes on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from walkaway.core.fleet.overview import Overview
from walkaway.core.ids import MilestoneId, Scope, Sha
from walkaway.core.model import Usage
from walkaway.core.schedule import eligible, waiting


class Status(StrEnum):
    """The one word for how a run ended; surfaces map it to an exit code."""

    COMPLETE = "complete"
    UNIT_DONE = "unit_done"
    LIMIT = "limit"
    PAUSED = "paused"
    BLOCKED = "blocked"
    CANCELLED = "cancelled"
    BUDGET = "budget"
    STUCK = "stuck"
    WAITING = "waiting"
    TIME_LIMIT = "time_limit"
    USAGE = "usage"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What a person asked of this run. None = no bound; money in USD, time in seconds."""

    milestone: MilestoneId | None = None
    target: str | None = None
    units: int | None = None
    """Stop after this many completed dispatches."""
    usd: float | None = None
    seconds: float | None = None
    step: bool = False
    """`walkaway next`: one dispatch, whatever its outcome."""
    only: tuple[str, ...] = ()
    """With ``step``: the kinds of unit one of which is to be run, if that is what comes next; () = any."""
    resume: Scope | None = None
    """The pause to consume: of a milestone, or of the project."""
    member: bool = False
    """One of a pool: milestones that others hold are theirs, and no reason to call the run blocked."""
    since: int | None = None
    """The revision of the project at which the run began, for a worker that joins it; None: it begins now."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """What a person wrote down for questions to come: by their id, their reason, or the id of a gate."""
    answers_file: str = ""
    """Where those stand, for the workers of a pool."""
    wait: bool = True
    """Whether to sit out a provider's limit; otherwise the run ends as `Status.WAITING`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Why a worker left a milestone; with ``last`` the run ends so, else other milestones are looked at first."""

    status: Status
    detail: str
    last: bool = True
    held: bool = False
    """Another worker has it: to be asked again when this one has done something else."""


def nothing_to_do(overview: Overview, wanted: MilestoneId | None = None) -> Left | None:
    """Return how a run ends that finds no milestone (or not the ``wanted`` one) to work on; None where there is one."""
    if eligible(overview, wanted):
        return None
    asides = {row.id: row.aside for row in overview.milestones}
    held = {m: why for m, why in waiting(overview).items() if wanted in (None, m)}
    if wanted and held and asides[wanted]:
        return Left(status=Status.PAUSED, detail=f"{held[wanted]}.")
    if stuck := [why for m, why in held.items() if not asides[m]]:
        return Left(status=Status.BLOCKED, detail=f"{'; '.join(stuck)}. See: walkaway queue")
    if held:
        parked = f"{', '.join(held)}; take up with: walkaway unpark {next(iter(held))}"
        return Left(status=Status.COMPLETE, detail=f"Nothing is left to do but what is parked: {parked}")
    return Left(status=Status.COMPLETE, detail="Everything is complete.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The whole run, told once. ``units`` = dispatches completed, ``commits`` = integration commits published in it."""

    status: Status
    detail: str
    units: int
    commits: tuple[Sha, ...]
    usage: Usage
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One thing worth telling while a run goes on.

    ``kind`` is one of: ``milestone`` (taken), ``recovered``, ``unit`` (started), ``step`` (what it is doing: set-up,
    checks, integration), ``agent`` (a line of what the agent says or calls), ``usage`` (a model call was paid),
    ``unit-done``, ``unit-failed``, ``wait``, ``question``, ``published``, ``note``.
    """

    kind: str
    text: str
    unit: str = ""
    attempt: int = 0
    seconds: float = 0.0
    usage: Usage | None = None
    """Of the whole run so far."""
    commit: Sha | None = None
    """The integration commit, of ``published``."""
    worker: int = 0
    """Which of several workers says so, from 1; 0 where there is one."""


Tell = Callable[[Progress], None]
