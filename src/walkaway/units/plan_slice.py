"""Cut a slice into tasks, once what it depends on is done."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from walkaway.core.grant import PLANNING
from walkaway.core.ids import SliceId, TextHash, task_id
from walkaway.core.model import MilestoneStatus, SliceStatus, Snapshot
from walkaway.core.unit import Accepting, Judged, UnitType
from walkaway.units import sections

if TYPE_CHECKING:
    from walkaway.core.events import Event

MOST_TASKS = 20

INSTRUCTIONS = """\
Plan this slice: look at the code it touches, then cut it into tasks.

A task fits one context window: two to five steps, up to eight files; split what is larger. Whoever does a task sees
its plan, the slice's goal and short summaries of what came before, nothing else, so each description must stand by
itself: why, what to change in which files, and when it is done. Tests belong to the task whose code they test. Doing
all tasks must make the slice's goal true.

Report: `goal` (sharpened by what you saw), `must_haves` (observable facts that hold when the slice is done), `tasks`
in order, each with `title` (an action), `description`, `files` (paths to be written) and `verify` (one command that
shows it works)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTask:
    """One task as the model proposes it; it has no id yet."""

    title: str
    description: str
    files: tuple[str, ...] = ()
    verify: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A slice's plan."""

    goal: str
    must_haves: tuple[str, ...]
    tasks: tuple[PlannedTask, ...]


def targets(s: Snapshot) -> Iterable[str]:
    """Each slice that is a sketch while all slices it depends on are done."""
    if s.milestone.status is not MilestoneStatus.ACTIVE:
        return
    for slice_ in s.slices.values():
        free = all(s.slices[d].status is SliceStatus.COMPLETE for d in slice_.depends)
        if slice_.status is SliceStatus.PENDING and free:
            yield slice_.id


def needs(s: Snapshot, _target: str) -> tuple[TextHash, ...]:
    """The specification."""
    return (s.milestone.context,)


def brief(s: Snapshot, target: str, texts: Mapping[TextHash, str]) -> str:
    """The milestone, its roadmap, this slice and the specification."""
    parts = (
        sections.milestone(s),
        sections.roadmap(s),
        sections.slice_plan(s.slices[target]),
        sections.specification(s, texts),
    )
    return "\n\n".join(parts)


def check(_s: Snapshot, _target: str, report: Report) -> str:
    """Refuse empty or oversized plans."""
    if not 1 <= len(report.tasks) <= MOST_TASKS:
        return f"A slice has 1 to {MOST_TASKS} tasks, not {len(report.tasks)}."
    if wrong := sections.blank(goal=report.goal):
        return wrong
    for number, planned in enumerate(report.tasks, 1):
        if wrong := sections.blank(title=planned.title, description=planned.description):
            return f"Task {number}: {wrong}"
    return ""


def accept(_s: Snapshot, target: str, report: Report, _by: Accepting) -> "list[Event]":
    """The plan stands; ids follow from the order."""
    from walkaway.core.events import SlicePlanned, TaskPlan  # noqa: PLC0415 - kept off the query path

    slice_ = SliceId(target)
    tasks = tuple(
        TaskPlan(id=task_id(slice_, n), title=p.title, description=p.description, files=p.files, verify=p.verify)
        for n, p in enumerate(report.tasks, 1)
    )
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
)
