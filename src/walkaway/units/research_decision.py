"""Decide whether a project's field is looked into before it is planned; it is not, unless something speaks for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from walkaway.core.grant import PLANNING
from walkaway.core.ids import TextHash
from walkaway.core.model import Snapshot
from walkaway.core.plan import start
from walkaway.core.unit import Accepting, Judged, UnitType
from walkaway.units import foundation, notes, sections

if TYPE_CHECKING:
    from walkaway.core.events import Event

KIND = start.DECISION

INSTRUCTIONS = """\
Decide whether the field of this project is to be looked into before it is planned: which stack, what its like can do,
how it is built, where such projects fail. Usually it is not: a known field and a clear specification need none. It is
where a wrong choice now would be dear later and what is below does not settle it. In doubt: skip. Read no code for it.

Report: `verdict` (skip or research) and `reason` (one or two sentences)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Whether research is done, and why."""

    reason: str
    verdict: Literal["skip", "research"] = "skip"


def targets(s: Snapshot) -> Iterable[str]:
    """The milestone that begins the project, once it is settled what the project has to do."""
    if start.begins(s) and start.settled(s, start.REQUIREMENTS) and start.settled(s, KIND) is None:
        yield s.milestone.id


def needs(s: Snapshot, _target: str) -> tuple[TextHash, ...]:
    """What the project is; the specification."""
    return (s.milestone.context, *foundation.needed(s))


def brief(s: Snapshot, _target: str, texts: Mapping[TextHash, str]) -> str:
    """What the project is and, in short, what it has to do; the specification."""
    wanted = start.settled(s, start.REQUIREMENTS)
    required = f"## What it has to do\n\n{wanted.summary}" if wanted else ""
    parts = (sections.milestone(s), foundation.told(s, texts), required, sections.specification(s, texts))
    return "\n\n".join(part for part in parts if part)


def check(_s: Snapshot, _target: str, report: Report) -> str:
    """Refuse a decision without a reason."""
    return sections.blank(reason=report.reason)


def accept(s: Snapshot, target: str, report: Report, by: Accepting) -> "list[Event]":
    """It is decided."""
    return [notes.taken(s, target, by, summary=report.reason, verdict=report.verdict)]


UNIT = UnitType(
    kind=KIND,
    purpose="Decide whether a project's field is looked into before it is planned.",
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
