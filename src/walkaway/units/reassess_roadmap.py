"""Hold the slices ahead against what was learned, after each slice, where the profile says so."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from walkaway.core.grant import PLANNING
from walkaway.core.ids import SliceId, TextHash
from walkaway.core.model import MilestoneStatus, Slice, SliceStatus, Snapshot
from walkaway.core.unit import Accepting, Judged, UnitType
from walkaway.units import cutting, notes, sections
from walkaway.units.cutting import PlannedSlice

if TYPE_CHECKING:
    from walkaway.core.events import Event

KIND = "reassess-roadmap"
VERDICTS = ("confirmed", "adjusted")

INSTRUCTIONS = """\
A slice is done. Do the slices ahead still lead to the success criteria, given what it showed? Most often they do: then
confirm, and change nothing. Adjust only for what was learned, never to polish words, and do not grow the milestone.

Report: `verdict`: `confirmed` or `adjusted`. `summary`: one or two sentences with the reason. Only where adjusted:
`drop` (ids like S03 of slices ahead that are no longer needed; nothing that remains may depend on them), `change`
(slices ahead that need other words: `id`, `title`, `goal`, `demo`) and `add` (new slices at the end, each with `title`,
`goal`, `demo`, `risk` (high, medium or low) and `depends` (numbers of slices: 1 for S01))."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Other words for a slice ahead."""

    id: str
    title: str
    goal: str
    demo: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Whether the way still leads there."""

    verdict: str
    summary: str
    drop: tuple[str, ...] = ()
    change: tuple[Change, ...] = ()
    add: tuple[PlannedSlice, ...] = ()


def targets(s: Snapshot) -> Iterable[str]:
    """The slice that was done last, once, while there are slices ahead."""
    if KIND not in s.policy.steps or s.milestone.status is not MilestoneStatus.ACTIVE or not _ahead(s):
        return
    done = [x for x in s.slices.values() if x.status is SliceStatus.COMPLETE]
    if done and s.note(KIND, (last := max(done, key=lambda x: x.completed_at)).id) is None:
        yield last.id


def _ahead(s: Snapshot) -> dict[str, Slice]:
    return {x.id: x for x in s.slices.values() if x.status is SliceStatus.PENDING and not x.aside}


def brief(s: Snapshot, target: str, _texts: Mapping[TextHash, str]) -> str:
    """The milestone, its roadmap, what the last slice delivered."""
    slice_ = s.slices[target]
    last = f"## Just done: {target} {slice_.title}\n\n{sections.head(slice_.summary, 4_000)}"
    return "\n\n".join((sections.milestone(s), sections.roadmap(s), last))


def check(s: Snapshot, _target: str, report: Report) -> str:
    """Refuse changes of what is begun, and a roadmap that could not be done."""
    if report.verdict not in VERDICTS:
        return f"`verdict` is one of {', '.join(VERDICTS)}, not '{report.verdict}'."
    if wrong := sections.blank(summary=report.summary):
        return wrong
    touched = [*report.drop, *(c.id for c in report.change)]
    if report.verdict == "confirmed" and (touched or report.add):
        return "A confirmed roadmap has no changes."
    return _wrong(s, report, touched) or cutting.wrong_slices(report.add, len(s.slices))


def _wrong(s: Snapshot, report: Report, touched: list[str]) -> str:
    ahead = _ahead(s)
    if strange := [each for each in touched if _whole(s, each) not in ahead]:
        return f"{', '.join(strange)} is no slice ahead; those are {', '.join(ahead)}."
    if len(set(touched)) < len(touched):
        return "Name each slice once."
    dropped = {_whole(s, each) for each in report.drop}
    held = [x.id for x in ahead.values() if x.id not in dropped and dropped & set(x.depends)]
    if held:
        return f"{', '.join(held)} depends on what you drop."
    for change in report.change:
        if wrong := sections.blank(title=change.title, goal=change.goal, demo=change.demo):
            return f"{change.id}: {wrong}"
    return ""


def _whole(s: Snapshot, named: str) -> SliceId:
    return SliceId(named if "/" in named else f"{s.milestone.id}/{named}")


def accept(s: Snapshot, target: str, report: Report, by: Accepting) -> "list[Event]":
    """The way is confirmed, or changed."""
    from walkaway.core.events import RoadmapChanged, SlicePlan  # noqa: PLC0415 - kept off the query path

    facts: list[Event] = [notes.taken(s, target, by, summary=report.summary, verdict=report.verdict)]
    if report.drop or report.change or report.add:
        old = {c.id: s.slices[_whole(s, c.id)] for c in report.change}
        kept = {
            name: SlicePlan(
                id=x.id, title=x.title, demo=x.demo, goal=x.goal, risk=x.risk, depends=x.depends, sketch=x.sketch
            )
            for name, x in old.items()
        }
        changed = tuple(replace(kept[c.id], title=c.title, goal=c.goal, demo=c.demo) for c in report.change)
        added = cutting.slices_from(s, report.add)
        dropped = tuple(_whole(s, each) for each in report.drop)
        facts.append(RoadmapChanged(added=added, changed=changed, dropped=dropped, why=report.summary))
    return facts


UNIT = UnitType(
    kind=KIND,
    purpose="Hold the slices ahead against what was learned.",
    instructions=INSTRUCTIONS,
    grant=PLANNING,
    report=Report,
    judged=Judged.NOTHING,
    targets=targets,
    brief=brief,
    check=check,
    accept=accept,
)
