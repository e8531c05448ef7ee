"""Write down what a project is before anything of it is planned, where it is planned in depth."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from walkaway.core.grant import PLANNING
from walkaway.core.ids import TextHash
from walkaway.core.model import Snapshot
from walkaway.core.plan import project, start
from walkaway.core.unit import DECIDING, Accepting, Judged, UnitType
from walkaway.units import foundation, sections

if TYPE_CHECKING:
    from walkaway.core.events import Event

KIND = "discuss-project"

WHOLE_MOST = 12_000
"""Bytes of all that it says: a person reads it at a gate."""

INSTRUCTIONS = """\
Write down what this project is, before any of it is planned. The specification below speaks for the person whose
project it is, the code for what there is already. Say what it is and for whom, the one thing it must do well, what it
is not, and which constraints hold. Where the specification is silent, decide what is most reasonable and list it as an
assumption: the person reads what you wrote and confirms it, and every later milestone builds on it. Plan
nothing beyond the rough order of the milestones.

Judge its shape from size, users, integrations, compliance and how well known its field is; in doubt it is complex.

Report: `summary` (two or three sentences), `what`, `value` (the core value, one sentence), `complexity` (simple or
complex), `why` (what shows that), `state` (what exists now), `architecture` (patterns that hold or should), and the
lists `users`, `excluded` (what it is not), `constraints`, `assumptions` (one sentence each, with what would be
different otherwise), `milestones` (in order, roughly: one line each) and `questions` (what the person should decide,
and what you assumed meanwhile). Markdown in the texts; at most 12,000 bytes in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a project is."""

    summary: str
    what: str
    value: str
    complexity: Literal["simple", "complex"]
    why: str
    state: str
    architecture: str
    milestones: tuple[str, ...]
    users: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()


def targets(s: Snapshot) -> Iterable[str]:
    """The milestone that begins the project, until a person confirmed what was written."""
    if start.drafted(s, KIND):
        yield s.milestone.id


def needs(s: Snapshot, _target: str) -> tuple[TextHash, ...]:
    """The specification, and the draft that was not confirmed."""
    return (s.milestone.context, *foundation.draft(s, KIND))


def brief(s: Snapshot, _target: str, texts: Mapping[TextHash, str]) -> str:
    """The milestone, the draft that was not confirmed, and the specification."""
    before = foundation.unconfirmed(s, KIND, texts, WHOLE_MOST)
    most = max(sections.SPECIFICATION_MOST - len(before.encode()), sections.EXCERPT_MOST)
    parts = (sections.milestone(s), before, sections.specification(s, texts, most))
    return "\n\n".join(part for part in parts if part)


def check(_s: Snapshot, _target: str, report: Report) -> str:
    """Refuse what is empty where a later milestone builds on it, and what nobody would read to its end."""
    texts = {
        "summary": report.summary,
        "what": report.what,
        "value": report.value,
        "why": report.why,
        "state": report.state,
        "architecture": report.architecture,
    }
    lists = {name: getattr(report, name) for name in ("users", "excluded", "constraints", "assumptions", "questions")}
    lists["milestones"] = report.milestones
    if empty := sections.blank(**texts):
        return empty
    if blank := [name for name, lines in lists.items() if any(not line.strip() for line in lines)]:
        return f"These lists have an empty line: {', '.join(blank)}."
    if not report.milestones:
        return "`milestones` names at least this one."
    size = sum(len(text.encode()) for text in (*texts.values(), *(line for lines in lists.values() for line in lines)))
    return f"The report has {size} bytes; at most {WHOLE_MOST}." if size > WHOLE_MOST else ""


def accept(s: Snapshot, _target: str, report: Report, by: Accepting) -> "list[Event]":
    """It is a draft; a person is asked whether it is so."""
    return foundation.drafted(s, by, summary=report.summary, told=_told(report))


def _told(report: Report) -> str:
    """Return the draft as a person is asked about it."""
    said: project.Said = {
        "what": report.what,
        "value": report.value,
        "complexity": report.complexity,
        "why": report.why,
        "users": report.users,
        "excluded": report.excluded,
        "constraints": report.constraints,
        "assumptions": report.assumptions,
        "state": report.state,
        "architecture": report.architecture,
        "milestones": report.milestones,
    }
    shown = [report.summary, *(f"{title}:\n{body}" for title, body in project.parts(said))]
    if report.questions:
        shown.append("Open:\n" + sections.bullets(report.questions))
    return "\n\n".join(shown)


UNIT = UnitType(
    kind=KIND,
    purpose="Write down what a project is before any of it is planned.",
    instructions=INSTRUCTIONS,
    grant=PLANNING,
    report=Report,
    judged=Judged.NOTHING,
    targets=targets,
    needs=needs,
    brief=brief,
    check=check,
    accept=accept,
    side=DECIDING,
)
