"""Hold the slices ahead against what was learned, after each slice, where the profile says so."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from walkaway.core.grant import PLANNING
from walkaway.core.ids import TextHash
from walkaway.core.model import MilestoneStatus, SliceStatus, Snapshot
from walkaway.core.unit import PLANS, Accepting, Judged, UnitType
from walkaway.units import notes, roadmap, sections
from walkaway.units.cutting import PlannedSlice
from walkaway.units.roadmap import Change

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
class Report:
    """Whether the way still leads there."""

    verdict: str
    summary: str
    drop: tuple[str, ...] = ()
    change: tuple[Change, ...] = ()
    add: tuple[PlannedSlice, ...] = ()


def targets(s: Snapshot) -> Iterable[str]:
    """The slice that was done last, once, while there are slices ahead."""
    if KIND not in s.policy.steps or s.milestone.status is not MilestoneStatus.ACTIVE or not roadmap.ahead(s):
        return
    done = [x for x in s.slices.values() if x.status is SliceStatus.COMPLETE]
    if done and s.note(KIND, (last := max(done, key=lambda x: x.completed_at)).id) is None:
        yield last.id


def brief(s: Snapshot, target: str, _texts: Mapping[TextHash, str]) -> str:
    """The milestone, its roadmap, what the last slice delivered."""
    slice_ = s.slices[target]
    last = f"## Just done: {target} {slice_.title}\n\n{sections.head(slice_.summary, 4_000)}"
    return "\n\n".join(
        part for part in (sections.milestone(s), sections.roadmap(s), last, sections.thoughts(s)) if part
    )


def check(s: Snapshot, _target: str, report: Report) -> str:
    """Refuse changes of what is begun, and a roadmap that could not be done."""
    if report.verdict not in VERDICTS:
        return f"`verdict` is one of {', '.join(VERDICTS)}, not '{report.verdict}'."
    if wrong := sections.blank(summary=report.summary):
        return wrong
    if report.verdict == "confirmed" and (report.drop or report.change or report.add):
        return "A confirmed roadmap has no changes."
    return roadmap.wrong(s, report.drop, report.change, report.add)


def accept(s: Snapshot, target: str, report: Report, by: Accepting) -> "list[Event]":
    """The way is confirmed, or changed."""
    taken = notes.taken(s, target, by, summary=report.summary, verdict=report.verdict)
    return [taken, *roadmap.facts(s, report.drop, report.change, report.add, report.summary)]


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
    side=PLANS,
)
