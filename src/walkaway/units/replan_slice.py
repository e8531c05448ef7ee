"""Plan the rest of a slice anew, after a task found that its plan cannot work."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from walkaway.core.grant import PLANNING
from walkaway.core.ids import SliceId, TextHash
from walkaway.core.model import SliceStatus, Snapshot
from walkaway.core.unit import PLANS, Accepting, Judged, UnitType
from walkaway.units import cutting, notes, quality, sections
from walkaway.units.cutting import PlannedTask

if TYPE_CHECKING:
    from walkaway.core.events import Event

KIND = "replan-slice"

INSTRUCTIONS = """\
A task of this slice met something that its plan did not know. Look at what stands in the way, then plan the rest of
the slice anew: your tasks replace all that are still open. What is complete stays and is not to be done again. The goal
stays; the way there is yours.

Report: `reason` (one or two sentences: what the old plan got wrong and what the new one does about it) and `tasks` in
order, each with `title` (an action), `description`, `files` (paths to be written), `verify` (one command that shows it
works) and, only for a task that is to change no file, `no_code`: true."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The rest of a slice, planned anew."""

    reason: str
    tasks: tuple[PlannedTask, ...]


def targets(s: Snapshot) -> Iterable[str]:
    """Each slice in progress whose task met a blocker."""
    for slice_ in s.slices.values():
        if slice_.status is SliceStatus.IN_PROGRESS and slice_.blocker and s.free(slice_):
            yield slice_.id


def brief(s: Snapshot, target: str, _texts: Mapping[TextHash, str]) -> str:
    """The blocker, the slice, what is done of it, the milestone."""
    slice_ = s.slices[target]
    plans = "\n\n".join(
        f"### {t.id} {t.title} (open)\n\n{sections.head(t.description, 1_200)}"
        for t in s.tasks_of(slice_.id)
        if not t.inactive
    )
    parts = (
        f"## What stands in the way\n\n{sections.head(slice_.blocker, 4_000)}",
        quality.flagged(s, slice_.id),
        sections.slice_plan(slice_),
        sections.task_lines(s.tasks_of(slice_.id)),
        f"## The plan that does not work\n\n{sections.head(plans, 8_000)}",
        sections.milestone(s),
        sections.roadmap(s),
    )
    return "\n\n".join(part for part in parts if part)


def check(_s: Snapshot, _target: str, report: Report) -> str:
    """Refuse empty or oversized plans."""
    return sections.blank(reason=report.reason) or cutting.wrong_tasks(report.tasks)


def accept(s: Snapshot, target: str, report: Report, by: Accepting) -> "list[Event]":
    """New tasks take the place of those that are open."""
    from walkaway.core.events import SliceReplanned  # noqa: PLC0415 - kept off the query path

    slice_ = SliceId(target)
    return [
        SliceReplanned(slice=slice_, tasks=cutting.tasks_from(s, slice_, report.tasks), why=report.reason.strip()),
        notes.taken(s, target, by, summary=report.reason),
    ]


UNIT = UnitType(
    kind=KIND,
    purpose="Plan the rest of a slice anew after a blocker.",
    instructions=INSTRUCTIONS,
    grant=PLANNING,
    report=Report,
    judged=Judged.NOTHING,
    targets=targets,
    brief=brief,
    check=check,
    accept=accept,
    side=PLANS,
)
