"""Look into several slices at once, by sub-agents: one dispatch instead of one for each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from walkaway.core.grant import RESEARCHING
from walkaway.core.ids import TextHash, short
from walkaway.core.model import MilestoneStatus, Slice, SliceStatus, Snapshot
from walkaway.core.plan.scope import takes
from walkaway.core.unit import Accepting, Judged, UnitType
from walkaway.units import notes, research_milestone, research_slice, sections

if TYPE_CHECKING:
    from walkaway.core.events import Event

KIND = "research-slices"
MOST = 4
"""Slices of one dispatch: as many as sub-agents work at a time."""

INSTRUCTIONS = """\
Find out what whoever plans these slices has to know: which files and functions each touches and what they promise,
which tests cover them, what is likely to go wrong, where two slices meet. Send one sub-agent for each slice, all in one
reply: its `task` names the slice, its goal and what to look for, and asks for each fact with the file that shows it.
Check what they say where it matters; propose no tasks.

Report: `slices`, each with `slice` (as in S01), `summary` (two or three sentences) and `findings` (markdown, at most
8,000 bytes: each finding with the file or fact that shows it). Leave out a slice you can say nothing true about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found about one slice."""

    slice: str
    summary: str
    findings: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found about each."""

    slices: tuple[Found, ...]


def targets(s: Snapshot) -> Iterable[str]:
    """The first of two or more slices that wait for research which could begin now; it stands for them all."""
    if len(found := waiting(s)) > 1:
        yield found[0].id


def waiting(s: Snapshot) -> Sequence[Slice]:
    """Return the slices to look into at once; not those that such a dispatch has left out, nor any that is sketched.

    Where a person is asked before each slice is planned, each waits for its turn.
    """
    if s.milestone.status is not MilestoneStatus.ACTIVE or not takes(s, research_slice.KIND) or s.policy.gates:
        return ()
    researched = s.note(research_milestone.KIND, s.milestone.id) is not None
    found = [
        x
        for number, x in enumerate(s.slices.values())
        if x.status is SliceStatus.PENDING
        and not (x.sketch or (researched and number == 0))
        and s.free(x)
        and not (s.note(research_slice.KIND, x.id) or s.note(KIND, x.id))
    ]
    return found[:MOST]


def needs(s: Snapshot, _target: str) -> tuple[TextHash, ...]:
    """The specification, and what was found out about the milestone."""
    return (s.milestone.context, *notes.needed(s, (research_milestone.KIND, s.milestone.id)))


def brief(s: Snapshot, _target: str, texts: Mapping[TextHash, str]) -> str:
    """The milestone, its roadmap, the slices, and the specification."""
    listed = "\n\n".join(sections.slice_plan(each) for each in waiting(s))
    parts = (
        sections.milestone(s),
        sections.roadmap(s),
        listed,
        notes.findings(s, texts, research_milestone.KIND, s.milestone.id, "What was found out about the milestone"),
        sections.thoughts(s),
        sections.specification(s, texts),
    )
    return "\n\n".join(part for part in parts if part)


def check(s: Snapshot, _target: str, report: Report) -> str:
    """Refuse findings that are empty, too long, said twice, or about other slices."""
    asked = [short(each.id) for each in waiting(s)]
    if not report.slices:
        return f"`slices` is empty; the slices are {', '.join(asked)}."
    for number, found in enumerate(report.slices):
        if found.slice not in asked:
            return f"`slice` is one of {', '.join(asked)}, not '{found.slice}'."
        if any(found.slice == other.slice for other in report.slices[:number]):
            return f"{found.slice} is there twice; say all about it in one."
        if wrong := notes.wrong(found.summary, found.findings):
            return f"{found.slice}: {wrong}"
    return ""


def accept(s: Snapshot, _target: str, report: Report, by: Accepting) -> "list[Event]":
    """What was found is written down as if each had been looked into alone; who was left out, will be."""
    said = {found.slice: found for found in report.slices}
    return [
        notes.taken(s, each.id, by, summary=found.summary, kind=research_slice.KIND, before=number)
        if (found := said.get(short(each.id)))
        else notes.taken(s, each.id, by, summary="Nothing was found out.", before=number)
        for number, each in enumerate(waiting(s))
    ]


UNIT = UnitType(
    kind=KIND,
    purpose="Find out what has to be known before several slices are planned.",
    instructions=INSTRUCTIONS,
    grant=RESEARCHING,
    report=Report,
    judged=Judged.NOTHING,
    targets=targets,
    needs=needs,
    brief=brief,
    check=check,
    accept=accept,
)
