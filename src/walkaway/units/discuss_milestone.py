"""Think a milestone through before it is planned: what it is and is not, and what nobody said."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from walkaway.core.asking import gates
from walkaway.core.grant import PLANNING
from walkaway.core.ids import TextHash
from walkaway.core.model import MilestoneStatus, Snapshot
from walkaway.core.unit import PLANS, Accepting, Judged, UnitType
from walkaway.units import foundation, sections

if TYPE_CHECKING:
    from walkaway.core.events import Event

KIND = "discuss-milestone"

CONTEXT_MOST = 6_000
"""Bytes of the context: it is part of later briefs, which have a limit of their own."""

ASSUMPTIONS_MOST = 2_000
"""Bytes of all assumptions, and of all open questions."""

INSTRUCTIONS = """\
Think this milestone through before anybody plans it. Read the specification, and the code that it is about. Say what is
to be built and what is not, which constraints hold, how it meets what there is, what goes wrong and what is to happen
then, and how one will see that it is done. Where the specification is silent, decide what is most reasonable and write
it down as an assumption: later units take your word for it. Propose no plan.

Report: `summary` (two or three sentences), `context` (markdown, at most 6,000 bytes), `assumptions` (one sentence each,
with what would be different otherwise; none where nothing is open) and `questions` (what a person should decide, and
what you assumed meanwhile; none where nothing is)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a milestone is, and what was assumed."""

    summary: str
    context: str
    assumptions: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()


def targets(s: Snapshot) -> Iterable[str]:
    """The milestone: once before it is planned, where the profile says so; and while its gate was not confirmed."""
    gate = gates.depth(s.milestone.id)
    asked = gates.last(s, gate) is not None
    first = KIND in s.policy.steps and s.milestone.status is MilestoneStatus.QUEUED and not _written(s)
    if first or ((asked or s.milestone.status is MilestoneStatus.QUEUED) and gates.holds(s, gate)):
        yield s.milestone.id


def _written(s: Snapshot) -> bool:
    return s.note(KIND, s.milestone.id) is not None


def needs(s: Snapshot, _target: str) -> tuple[TextHash, ...]:
    """The specification, and the context as it is, where it is written anew."""
    return (s.milestone.context, *needed(s), *foundation.needed(s))


def brief(s: Snapshot, _target: str, texts: Mapping[TextHash, str]) -> str:
    """The milestone, the context as it is, and the specification."""
    before, told = context(s, texts), foundation.told(s, texts)
    anew = "A person did not confirm the context below. Write it anew; their words, where there are any, stand above."
    parts = (
        sections.milestone(s),
        told,
        f"{anew}\n\n{before}" if before else "",
        sections.specification(s, texts, sections.SPECIFICATION_MOST - len(before.encode()) - len(told.encode())),
    )
    return "\n\n".join(part for part in parts if part)


def check(_s: Snapshot, _target: str, report: Report) -> str:
    """Refuse empty and oversized contexts."""
    if empty := sections.blank(summary=report.summary, context=report.context):
        return empty
    if (size := len(report.context.encode())) > CONTEXT_MOST:
        return f"`context` has {size} bytes; at most {CONTEXT_MOST}."
    for name, lines in (("assumptions", report.assumptions), ("questions", report.questions)):
        if any(not line.strip() for line in lines):
            return f"`{name}` has an empty line."
        if (size := sum(len(line.encode()) for line in lines)) > ASSUMPTIONS_MOST:
            return f"`{name}` have {size} bytes in all; at most {ASSUMPTIONS_MOST}."
    return ""


def accept(s: Snapshot, target: str, report: Report, by: Accepting) -> "list[Event]":
    """The context is written down; where it has to be confirmed, its gate is asked."""
    from walkaway.core.derive import ask  # noqa: PLC0415 - kept off the query path
    from walkaway.core.events import QuestionRaised  # noqa: PLC0415
    from walkaway.units import notes  # noqa: PLC0415

    facts: list[Event] = [notes.taken(s, target, by, summary=report.summary)]
    gate = gates.depth(s.milestone.id)
    asked = gates.last(s, gate)
    if gates.holds(s, gate) and not (asked and asked.open):  # a person may have opened it meanwhile
        facts.append(QuestionRaised(question=ask(s, by.dispatch.key, gates.wanted(gate, _told(report)))))
    return facts


def _told(report: Report) -> str:
    """Return the context as a person is asked about it."""
    parts = [report.summary, report.context.strip()]
    if report.assumptions:
        parts.append("Assumed:\n" + sections.bullets(report.assumptions))
    if report.questions:
        parts.append("Open:\n" + sections.bullets(report.questions))
    return "\n\n".join(parts)


def needed(s: Snapshot) -> tuple[TextHash, ...]:
    """Return the text of the latest context, for `context`."""
    note = s.note(KIND, s.milestone.id)
    return (note.report,) if note else ()


def context(s: Snapshot, texts: Mapping[TextHash, str], most: int = CONTEXT_MOST) -> str:
    """Return what was written about the milestone, for later briefs; "" where nothing was.

    ``most``: bytes of the context itself; what was assumed is always told whole.
    """
    note = s.note(KIND, s.milestone.id)
    if note is None or note.report not in texts:
        return ""
    said = json.loads(texts[note.report])
    parts = ["## Context", sections.head(said["context"].strip(), most)]
    if said["assumptions"]:
        parts.append("Assumed:\n" + sections.bullets(said["assumptions"]))
    return "\n\n".join(parts)


UNIT = UnitType(
    kind=KIND,
    purpose="Think a milestone through before it is planned.",
    instructions=INSTRUCTIONS,
    grant=PLANNING,
    report=Report,
    judged=Judged.NOTHING,
    targets=targets,
    needs=needs,
    brief=brief,
    check=check,
    accept=accept,
    side=PLANS,
)
