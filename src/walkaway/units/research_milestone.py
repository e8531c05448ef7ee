"""Look into what a milestone needs before it is planned, where the profile says so."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from walkaway.core.grant import RESEARCHING
from walkaway.core.ids import TextHash
from walkaway.core.model import MilestoneStatus, Snapshot
from walkaway.core.unit import Accepting, Judged, UnitType
from walkaway.units import discuss_milestone, foundation, notes, sections

if TYPE_CHECKING:
    from walkaway.core.events import Event

KIND = "research-milestone"

INSTRUCTIONS = """\
Find out what whoever plans this milestone has to know, and cannot see from the specification: which code there is to
build on and how it is laid out, which conventions and tools the project keeps, what stands in the way, which choices
are open and what speaks for each. Read the code; propose no plan.

Report: `summary` (two or three sentences) and `findings` (markdown, at most 8,000 bytes: each finding with the file or
fact that shows it; open choices with your recommendation and why)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found."""

    summary: str
    findings: str


def targets(s: Snapshot) -> Iterable[str]:
    """The milestone, before it is planned, once."""
    wanted = KIND in s.policy.steps and s.milestone.status is MilestoneStatus.QUEUED
    if wanted and s.note(KIND, s.milestone.id) is None:
        yield s.milestone.id


def needs(s: Snapshot, _target: str) -> tuple[TextHash, ...]:
    """The specification, and what was thought about it."""
    return (s.milestone.context, *discuss_milestone.needed(s), *foundation.needed(s))


def brief(s: Snapshot, _target: str, texts: Mapping[TextHash, str]) -> str:
    """The milestone's title, what was thought about it, and its specification."""
    thought, told = discuss_milestone.context(s, texts), foundation.told(s, texts)
    most = max(sections.SPECIFICATION_MOST - len(thought.encode()) - len(told.encode()), sections.EXCERPT_MOST)
    parts = (sections.milestone(s), told, thought, sections.specification(s, texts, most))
    return "\n\n".join(part for part in parts if part)


def check(_s: Snapshot, _target: str, report: Report) -> str:
    """Refuse empty and oversized findings."""
    return notes.wrong(report.summary, report.findings)


def accept(s: Snapshot, target: str, report: Report, by: Accepting) -> "list[Event]":
    """What was found is written down."""
    return [notes.taken(s, target, by, summary=report.summary)]


UNIT = UnitType(
    kind=KIND,
    purpose="Find out what has to be known before a milestone is planned.",
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
