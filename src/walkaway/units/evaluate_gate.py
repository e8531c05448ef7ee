"""Look at the plan of a slice for what it leaves open, before any of it is done, where the profile says so."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from walkaway.core.grant import PLANNING
from walkaway.core.ids import TextHash
from walkaway.core.model import SliceStatus, Snapshot, TaskStatus
from walkaway.core.plan.quality import OF_PLAN, STEP, asked
from walkaway.core.unit import Accepting, Judged, UnitType
from walkaway.units import quality, sections
from walkaway.units.quality import Answer

if TYPE_CHECKING:
    from walkaway.core.events import Event

PLANS_MOST = 12_000
"""Bytes of what all tasks of a plan together are to do."""

INSTRUCTIONS = """\
Look at the plan of this slice before anybody builds it, as a sceptic who did not write it. Read the code that it
touches; change nothing and plan nothing. Answer the questions below, each for itself.

Report: `gates`, for each question `gate` (its id), `verdict` and `findings`. The verdict is `pass` when the plan deals
with it, `flag` when something is missing that those who do the tasks have to know, `omitted` when it does not apply to
this slice. `findings`: in two or three sentences what you saw, and with a flag what is to be done about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a plan deals with and what it does not."""

    gates: tuple[Answer, ...]


def targets(s: Snapshot) -> Iterable[str]:
    """Each planned slice, once, before anything of it is done."""
    if not asked(s):
        return
    for slice_ in s.slices.values():
        if slice_.status is not SliceStatus.IN_PROGRESS or slice_.blocker or not s.free(slice_):
            continue
        begun = any(t.status is TaskStatus.COMPLETE for t in s.tasks_of(slice_.id))
        if not begun and not s.note(OF_PLAN[0].id, slice_.id):
            yield slice_.id


def brief(s: Snapshot, target: str, texts: Mapping[TextHash, str]) -> str:
    """The questions, the plan, the milestone and its specification."""
    slice_ = s.slices[target]
    tasks = [t for t in s.tasks_of(slice_.id) if not t.aside]
    plans = "\n\n".join(f"### {t.id} {t.title}\n\n{sections.head(t.description, 1_200)}" for t in tasks)
    parts = (
        quality.put(OF_PLAN, "Questions"),
        sections.slice_plan(slice_),
        f"## The plan\n\n{sections.head(plans, PLANS_MOST)}",
        sections.milestone(s),
        sections.roadmap(s),
        sections.specification(s, texts),
    )
    return "\n\n".join(parts)


def needs(s: Snapshot, _target: str) -> tuple[TextHash, ...]:
    """The specification."""
    return (s.milestone.context,)


def check(_s: Snapshot, _target: str, report: Report) -> str:
    """Refuse questions passed over and verdicts without a reason."""
    return quality.wrong(report.gates, OF_PLAN)


def accept(s: Snapshot, target: str, report: Report, by: Accepting) -> "list[Event]":
    """Every answer is kept; flags stand in the briefs of those who do the tasks."""
    return [*quality.taken(s, target, by, report.gates)]


UNIT = UnitType(
    kind=STEP,
    purpose="Look at the plan of a slice for what it leaves open.",
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
