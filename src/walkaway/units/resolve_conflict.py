"""Bring a milestone's work and what its target became meanwhile together, where git alone cannot."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from walkaway.core.grant import BUILDING
from walkaway.core.ids import TextHash
from walkaway.core.model import FailureKind, MilestoneStatus, Snapshot
from walkaway.core.unit import Accepting, Judged, UnitType
from walkaway.units import notes, sections

if TYPE_CHECKING:
    from walkaway.core.events import Event

KIND = "resolve-conflict"

INSTRUCTIONS = """\
Resolve a merge conflict. The working directory holds this milestone's work merged with what its target branch became
meanwhile; where both changed the same lines, the files named below hold conflict markers, or git has kept one side of a
file that the other side removed or renamed. Find out what each side wanted, from the brief, the code and `git log`, and
write what serves both: neither side's behaviour may be lost. Leave no marker; look also for what conflicts without one,
as a caller of something that was renamed. Do not run `git merge` or `git commit`.

Report: `summary` (one or two sentences: what conflicted and how both sides are served now) and `resolved`: for every
file named below `file` (its path, as it is written there) and `how`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """One file in which both sides are served."""

    file: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How the two sides were brought together."""

    summary: str
    resolved: tuple[Resolved, ...]


def targets(s: Snapshot) -> Iterable[str]:
    """The milestone, while it is in conflict with its target."""
    if s.milestone.conflict_onto and s.milestone.status is not MilestoneStatus.COMPLETE:
        yield s.milestone.id


def needs(s: Snapshot, _target: str) -> tuple[TextHash, ...]:
    """What happened on the target."""
    found = [d.output for d in s.dispatches.values() if d.failure == FailureKind.CONFLICT]
    return tuple(found[-1:])


def brief(s: Snapshot, target: str, texts: Mapping[TextHash, str]) -> str:
    """The files, what each side did, the milestone."""
    m = s.milestone
    theirs = "\n\n".join(texts.get(log, "") for log in needs(s, target)).strip()
    ours = sections.fit(f"- {t.id} {t.title}: {sections.line(t.summary, 300)}" for t in s.tasks.values() if not t.aside)
    parts = (
        f"## Files in conflict\n\n{sections.fit(f'- `{name}`' for name in m.conflict_files)}",
        f"## What the milestone did\n\n{ours}",
        f"## What {m.target_branch} became meanwhile (at {m.conflict_onto[:12]})\n\n{sections.head(theirs, 4_000)}",
        sections.milestone(s),
        sections.roadmap(s),
    )
    return "\n\n".join(parts)


def check(s: Snapshot, _target: str, report: Report) -> str:
    """Refuse empty words and files passed over."""
    told = {each.file for each in report.resolved if each.how.strip()}
    if missing := [name for name in s.milestone.conflict_files if name not in told]:
        return f"Say in `resolved` of each file how it was resolved; missing: {', '.join(missing)}."
    return sections.blank(summary=report.summary)


def accept(s: Snapshot, target: str, report: Report, by: Accepting) -> "list[Event]":
    """The target's tip is part of the milestone's line, so that its integration applies."""
    from walkaway.core.events import ConflictResolved  # noqa: PLC0415 - kept off the query path

    note = notes.taken(s, target, by, summary=report.summary, verdict=s.milestone.conflict_onto)
    return [ConflictResolved(onto=s.milestone.conflict_onto), note]


UNIT = UnitType(
    kind=KIND,
    purpose="Bring a milestone's work and what its target became meanwhile together.",
    instructions=INSTRUCTIONS,
    grant=BUILDING,
    report=Report,
    judged=Judged.WORK,
    targets=targets,
    needs=needs,
    brief=brief,
    check=check,
    accept=accept,
    scripted=True,
)
