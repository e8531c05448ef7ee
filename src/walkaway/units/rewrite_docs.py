"""Have the open plans say what a person said after they were made."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from walkaway.core.grant import PLANNING
from walkaway.core.ids import TextHash
from walkaway.core.model import MilestoneStatus, SliceStatus, Snapshot
from walkaway.core.plan import wish
from walkaway.core.unit import Accepting, Judged, UnitType
from walkaway.units import cutting, notes, roadmap, sections
from walkaway.units.cutting import PlannedSlice, PlannedTask
from walkaway.units.roadmap import Change

if TYPE_CHECKING:
    from walkaway.core.events import Event

KIND = wish.REWRITE

INSTRUCTIONS = """\
A person said something after the plan was made; it stands above everything else in this brief. Change the open plans
so that they say the same: only where they do not, and nothing more. What is complete stays; if it has to change, plan
that.

Report: `summary` (one or two sentences: what you changed, or why nothing had to be). Only where something has to
change: `replan` (slices in progress whose open tasks are replaced: `id` like S02, and `tasks`, each with `title`,
`description`, `files`, `verify`), `drop` (ids of slices ahead; nothing that remains may depend on them), `change`
(slices ahead that need other words: `id`, `title`, `goal`, `demo`) and `add` (new slices at the end: `title`, `goal`,
`demo`, `risk` (high, medium or low), `depends` (numbers of slices: 1 for S01))."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replan:
    """The open tasks of a slice in progress, planned anew."""

    id: str
    tasks: tuple[PlannedTask, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the person's word changes."""

    summary: str
    replan: tuple[Replan, ...] = ()
    drop: tuple[str, ...] = ()
    change: tuple[Change, ...] = ()
    add: tuple[PlannedSlice, ...] = ()


def targets(s: Snapshot) -> Iterable[str]:
    """The milestone, while its open plans do not know what a person said."""
    if s.milestone.status is MilestoneStatus.ACTIVE and wish.unwritten(s):
        yield s.milestone.id


def brief(s: Snapshot, _target: str, _texts: Mapping[TextHash, str]) -> str:
    """The milestone, its roadmap with the goals of what is ahead, the slices in progress and their open tasks."""
    goals = sections.fit(f"- {x.id} {x.title}: {x.goal}" for x in roadmap.ahead(s).values())
    begun = (x for x in s.slices.values() if x.status is SliceStatus.IN_PROGRESS and not x.aside)
    doing = "\n\n".join(_plan(s, x.id) for x in begun)
    parts = (
        sections.milestone(s),
        sections.roadmap(s),
        f"## Goals of what is ahead\n\n{goals or 'Nothing is ahead.'}",
        f"## In progress\n\n{sections.head(doing, 10_000) or 'Nothing is in progress.'}",
    )
    return "\n\n".join(parts)


def _plan(s: Snapshot, slice_: str) -> str:
    found = s.slices[slice_]
    tasks = (f"- {t.id} {t.title}: {sections.line(t.description, 600)}" for t in s.tasks_of(found.id) if not t.inactive)
    return f"### {found.id} {found.title}\n\nGoal: {found.goal}\n\nOpen tasks:\n{sections.fit(tasks) or '- none'}"


def check(s: Snapshot, _target: str, report: Report) -> str:
    """Refuse changes of what is complete, and plans that could not be done."""
    if wrong := sections.blank(summary=report.summary):
        return wrong
    named = [roadmap.whole(s, each.id) for each in report.replan]
    if len(set(named)) < len(named):
        return "Plan each slice anew once."
    for each, name in zip(report.replan, named, strict=True):
        slice_ = s.slices.get(name)
        if slice_ is None or slice_.status is not SliceStatus.IN_PROGRESS or slice_.aside:
            return f"`replan`: {each.id} is no slice in progress."
        if wrong := cutting.wrong_tasks(each.tasks):
            return f"{each.id}: {wrong}"
    return roadmap.wrong(s, report.drop, report.change, report.add)


def accept(s: Snapshot, _target: str, report: Report, by: Accepting) -> "list[Event]":
    """The plans are changed, and every override that there is now is in them."""
    from walkaway.core.events import NoteTaken, SliceReplanned  # noqa: PLC0415 - kept off the query path

    taken = [notes.taken(s, each.id, by, summary=report.summary).note for each in wish.unwritten(s)]
    anew = ((roadmap.whole(s, each.id), each.tasks) for each in report.replan)
    return [
        *roadmap.facts(s, report.drop, report.change, report.add, report.summary),
        *(SliceReplanned(slice=x, tasks=cutting.tasks_from(s, x, tasks), why=report.summary) for x, tasks in anew),
        *(
            NoteTaken(note=replace(note, id=f"{s.milestone.id}-N{number}"))
            for number, note in enumerate(taken, len(s.notes) + 1)
        ),
    ]


UNIT = UnitType(
    kind=KIND,
    purpose="Have the open plans say what a person said.",
    instructions=INSTRUCTIONS,
    grant=PLANNING,
    report=Report,
    judged=Judged.NOTHING,
    targets=targets,
    brief=brief,
    check=check,
    accept=accept,
)
