"""Cut a slice into tasks, once what it depends on is done."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from walkaway.core.grant import PLANNING
from walkaway.core.ids import SliceId, TextHash
from walkaway.core.model import MilestoneStatus, SliceStatus, Snapshot
from walkaway.core.unit import PLANS, Accepting, Judged, UnitType
from walkaway.units import cutting, discuss_milestone, notes, sections
from walkaway.units.cutting import PlannedTask

if TYPE_CHECKING:
    from walkaway.core.events import Event

INSTRUCTIONS = """\
Plan this slice: look at the code it touches, then cut it into tasks.

A task fits one context window: two to five steps, up to eight files; split what is larger. Whoever does a task sees
its plan, the slice's goal and short summaries of what came before, nothing else, so each description must stand by
itself: why, what to change in which files, and when it is done. Tests belong to the task whose code they test. Doing
all tasks must make the slice's goal true.

Report: `goal` (sharpened by what you saw), `must_haves` (observable facts that hold when the slice is done), `tasks`
in order, each with `title` (an action), `description`, `files` (paths to be written), `verify` (one command that
shows it works) and, only for a task that is to change no file (a measurement, say), `no_code`: true."""


CONTEXT_MOST = 3_000
"""Bytes of the milestone's context in the brief of one slice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A slice's plan."""

    goal: str
    must_haves: tuple[str, ...]
    tasks: tuple[PlannedTask, ...]


def targets(s: Snapshot) -> Iterable[str]:
    """Each slice without tasks, once what it depends on is there; a sketch is refined instead."""
    if s.milestone.status is not MilestoneStatus.ACTIVE:
        return
    for slice_ in s.slices.values():
        if slice_.status is SliceStatus.PENDING and not slice_.sketch and s.free(slice_):
            yield slice_.id


def needs(s: Snapshot, target: str) -> tuple[TextHash, ...]:
    """The specification, what was thought about it, and what was found about the slice and the milestone."""
    return (s.milestone.context, *discuss_milestone.needed(s), *notes.needed(s, *_research(s, target)))


def _research(s: Snapshot, target: str) -> list[tuple[str, str]]:
    of_slice = ("research-slice", target)
    return [of_slice if s.note(*of_slice) else ("research-milestone", s.milestone.id)]


def brief(s: Snapshot, target: str, texts: Mapping[TextHash, str]) -> str:
    """The milestone, its roadmap, this slice, what was thought and found out, and the specification."""
    found = (notes.findings(s, texts, kind, about, "What was found out") for kind, about in _research(s, target))
    parts = (
        sections.milestone(s),
        sections.roadmap(s),
        sections.slice_plan(s.slices[target]),
        discuss_milestone.context(s, texts, CONTEXT_MOST),
        *found,
        sections.thoughts(s),
        sections.specification(s, texts),
    )
    return "\n\n".join(part for part in parts if part)


def check(_s: Snapshot, _target: str, report: Report) -> str:
    """Refuse empty or oversized plans."""
    return sections.blank(goal=report.goal) or cutting.wrong_tasks(report.tasks)


def accept(s: Snapshot, target: str, report: Report, _by: Accepting) -> "list[Event]":
    """The plan stands; ids follow from the order."""
    from walkaway.core.events import SlicePlanned  # noqa: PLC0415 - kept off the query path

    slice_ = SliceId(target)
    tasks = cutting.tasks_from(s, slice_, report.tasks)
    return [SlicePlanned(slice=slice_, goal=report.goal, must_haves=report.must_haves, tasks=tasks)]


UNIT = UnitType(
    kind="plan-slice",
    purpose="Cut a slice into tasks.",
    instructions=INSTRUCTIONS,
    grant=PLANNING,
    report=Report,
    judged=Judged.NOTHING,
    targets=targets,
    needs=needs,
    brief=brief,
    check=check,
    accept=accept,
    side=PLANS,
)
