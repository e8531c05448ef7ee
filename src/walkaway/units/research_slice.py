"""Look into what the next slice needs before it is planned, where the profile says so."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from walkaway.core.grant import PLANNING
from walkaway.core.ids import TextHash
from walkaway.core.model import MilestoneStatus, SliceStatus, Snapshot
from walkaway.core.unit import Accepting, Judged, UnitType
from walkaway.units import notes, research_milestone, sections
from walkaway.units.research_milestone import Report

if TYPE_CHECKING:
    from walkaway.core.events import Event

KIND = "research-slice"

INSTRUCTIONS = """\
Find out what whoever plans this slice has to know: which files and functions it touches and what they promise, which
tests cover them, what earlier slices left behind, what is likely to go wrong. Read the code; propose no tasks.

Report: `summary` (two or three sentences) and `findings` (markdown, at most 8,000 bytes: each finding with the file or
fact that shows it)."""


def targets(s: Snapshot) -> Iterable[str]:
    """The slice that is planned next, once; not the first where the milestone was researched."""
    if KIND not in s.policy.steps or s.milestone.status is not MilestoneStatus.ACTIVE:
        return
    following = next((x for x in s.slices.values() if x.status is SliceStatus.PENDING and s.free(x)), None)
    if following is None or following.sketch or s.note(KIND, following.id):
        return
    first = following is next(iter(s.slices.values()))
    if not (first and s.note(research_milestone.KIND, s.milestone.id)):
        yield following.id


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
    """Refuse empty and oversized findings."""
    return notes.wrong(report.summary, report.findings)


def accept(s: Snapshot, target: str, report: Report, by: Accepting) -> "list[Event]":
    """What was found is written down."""
    return [notes.taken(s, KIND, target, by, summary=report.summary)]


UNIT = UnitType(
    kind=KIND,
    purpose="Find out what has to be known before a slice is planned.",
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
