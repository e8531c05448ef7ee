"""Look into a project's field, four parts in one report: its stack, its like, its architecture, its pitfalls."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from walkaway.core.grant import RESEARCHING
from walkaway.core.ids import TextHash
from walkaway.core.model import Snapshot
from walkaway.core.plan import start
from walkaway.core.retry import GiveUp
from walkaway.core.unit import Accepting, Judged, UnitType
from walkaway.units import foundation, notes, sections

if TYPE_CHECKING:
    from walkaway.core.events import Event

KIND = start.RESEARCH

FINDINGS_MOST = 5_000
"""Bytes of one part."""
BLOCKER_MOST = 600

INSTRUCTIONS = """\
Look into the field of this project, for whoever plans it. Four parts, each for itself; a sub-agent for each, all sent
in one reply, keeps them apart:

- `stack`: what to build it with, with versions and how sure you are, what else there is, what to avoid, what is open;
- `features`: what its users take for granted, what sets it apart, what not to build, held against the requirements;
- `architecture`: the shape to build it in, its data, what it talks to, how large it gets, what can be changed later;
- `pitfalls`: traps of the field, of the stack and of its scope; compliance and security; what is hard to move later.

Say of each finding what shows it: a file, a document, or that you know it. Of a part that you can say nothing true
about, say what keeps you from it instead: made-up findings are worse than none.

Report: `summary` (two or three sentences) and the four parts, each with either `findings` (markdown, at most 5,000
bytes) or `blocker` (why there are none, a sentence or two)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What was found out, or what kept it from being found out."""

    findings: str = ""
    blocker: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that was found out."""

    summary: str
    stack: Part
    features: Part
    architecture: Part
    pitfalls: Part


def targets(s: Snapshot) -> Iterable[str]:
    """The milestone that begins the project, where it was decided so, until something was found out."""
    decided = start.settled(s, start.DECISION)
    if start.begins(s) and decided and decided.verdict == start.LOOK and start.settled(s, KIND) is None:
        yield s.milestone.id


def needs(s: Snapshot, _target: str) -> tuple[TextHash, ...]:
    """What the project is and what it has to do; the specification."""
    wanted = start.settled(s, start.REQUIREMENTS)
    return (s.milestone.context, *foundation.needed(s), *((wanted.report,) if wanted else ()))


def brief(s: Snapshot, _target: str, texts: Mapping[TextHash, str]) -> str:
    """What the project is, each requirement, and the specification."""
    told, required = foundation.told(s, texts), foundation.requirements(s, texts)
    parts = (sections.milestone(s), told, required, sections.specification(s, texts))
    return "\n\n".join(part for part in parts if part)


def check(_s: Snapshot, _target: str, report: Report) -> str:
    """Refuse a part that says nothing, both or too much."""
    if empty := sections.blank(summary=report.summary):
        return empty
    for name, part in _parts(report).items():
        if bool(part.findings.strip()) == bool(part.blocker.strip()):
            return f"`{name}` has either `findings` or a `blocker`."
        if (size := len(part.findings.encode())) > FINDINGS_MOST:
            return f"The findings of `{name}` have {size} bytes; at most {FINDINGS_MOST}."
        if (size := len(part.blocker.encode())) > BLOCKER_MOST:
            return f"The blocker of `{name}` has {size} bytes; at most {BLOCKER_MOST}."
    return ""


def _parts(report: Report) -> Mapping[str, Part]:
    return {name: getattr(report, name) for name in start.PARTS}


def accept(s: Snapshot, target: str, report: Report, by: Accepting) -> "list[Event]":
    """What was found is written down, with what was not; where nothing was, a person is asked whether to go on."""
    from walkaway.core.derive import ask  # noqa: PLC0415 - kept off the query path
    from walkaway.core.events import QuestionRaised  # noqa: PLC0415

    blocked = {name: part.blocker for name, part in _parts(report).items() if part.blocker.strip()}
    if len(blocked) < len(start.PARTS):
        return [notes.taken(s, target, by, summary=report.summary, verdict=", ".join(blocked))]
    why = GiveUp(
        reason=start.NO_RESEARCH,
        text="Nothing was found out about the project's field.\n"
        + sections.bullets(f"{name}: {text}" for name, text in blocked.items()),
        remedies=("change what keeps it from being found out, then answer retry", "answer skip to go on without it"),
        options=("retry", start.SKIP),
    )
    return [QuestionRaised(question=ask(s, by.dispatch.key, why))]


UNIT = UnitType(
    kind=KIND,
    purpose="Look into a project's field before it is planned.",
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
