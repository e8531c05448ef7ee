"""Write down what a project has to do, once it is confirmed what it is, where it is planned in depth."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from walkaway.core.grant import PLANNING
from walkaway.core.ids import TextHash
from walkaway.core.model import Snapshot
from walkaway.core.plan import start
from walkaway.core.registers.model import CLASSES
from walkaway.core.unit import DECIDING, Accepting, Judged, UnitType
from walkaway.units import foundation, sections

if TYPE_CHECKING:
    from walkaway.core.events import Event

KIND = "discuss-requirements"

MOST = 40
"""Requirements of one project, to begin with."""
FIELD_MOST = 600
"""Characters of one text of a requirement: every later planner pays for it."""
WHOLE_MOST = 16_000
"""Bytes of all of them: a person reads them at a gate."""

INSTRUCTIONS = f"""\
Write down what this project has to do. Walk through the classes of capability that matter to it, name what anybody
would take for granted and what sets it apart, and say of each whether it is to be done (`active`), later (`deferred`)
or not at all (`out-of-scope`). Each is one thing, and can be seen to hold or not. The person reads the list and
confirms it; the register takes it over then, and plans are held against it. Save none of it with another tool, and plan
nothing.

Report: `summary` (two or three sentences) and `requirements` (1 to {MOST}, at least one active; at most 16,000 bytes in
all), each with `description` (what one can do, or what holds), `kind` ({", ".join(CLASSES[:6])},
{", ".join(CLASSES[6:])}), `status`,
`owner` (which of the milestones in the project's sequence is to bring it, in a few words), `why` (what it matters for)
and `acceptance` (what shows that it holds)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One requirement."""

    description: str
    kind: str
    why: str
    acceptance: str
    owner: str = ""
    status: Literal["active", "deferred", "out-of-scope"] = "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a project has to do."""

    summary: str
    requirements: tuple[Wanted, ...]


def targets(s: Snapshot) -> Iterable[str]:
    """The milestone that begins the project, once PROJECT is settled, until a person confirmed what was written."""
    if start.settled(s, start.PROJECT) and start.drafted(s, KIND):
        yield s.milestone.id


def needs(s: Snapshot, _target: str) -> tuple[TextHash, ...]:
    """The specification, what the project is, and the draft that was not confirmed."""
    return (s.milestone.context, *foundation.needed(s), *foundation.draft(s, KIND))


def brief(s: Snapshot, _target: str, texts: Mapping[TextHash, str]) -> str:
    """What the project is, the draft that was not confirmed, and the specification."""
    told, before = foundation.told(s, texts), foundation.unconfirmed(s, KIND, texts, WHOLE_MOST)
    most = max(sections.SPECIFICATION_MOST - len(told.encode()) - len(before.encode()), sections.EXCERPT_MOST)
    parts = (sections.milestone(s), told, before, sections.specification(s, texts, most))
    return "\n\n".join(part for part in parts if part)


def check(_s: Snapshot, _target: str, report: Report) -> str:
    """Refuse what the register could not take, or what nobody could tell apart."""
    if empty := sections.blank(summary=report.summary):
        return empty
    if not 1 <= len(report.requirements) <= MOST:
        return f"A project begins with 1 to {MOST} requirements, not {len(report.requirements)}."
    for number, each in enumerate(report.requirements, 1):
        if wrong := _wrong(each):
            return f"Requirement {number}: {wrong}"
    said = [plain(each.description) for each in report.requirements]
    if twice := next((text for text in said if said.count(text) > 1), ""):
        return f"Two requirements say the same: '{twice}'."
    if all(each.status != "active" for each in report.requirements):
        return "At least one requirement is active: else nothing would be to be done."
    size = sum(len(text.encode()) for each in report.requirements for text in _texts(each).values())
    return f"The requirements have {size} bytes; at most {WHOLE_MOST}." if size > WHOLE_MOST else ""


def _wrong(each: Wanted) -> str:
    if empty := sections.blank(description=each.description, why=each.why, acceptance=each.acceptance):
        return empty
    if each.kind not in CLASSES:
        return f"`kind` is one of {', '.join(CLASSES)}, not '{each.kind}'."
    long = [name for name, text in _texts(each).items() if len(text) > FIELD_MOST]
    return f"At most {FIELD_MOST} characters: {', '.join(long)}." if long else ""


def _texts(each: Wanted) -> Mapping[str, str]:
    return {"description": each.description, "why": each.why, "acceptance": each.acceptance, "owner": each.owner}


def plain(text: str) -> str:
    """Return a description in one case and spacing, so that two that say the same are equal."""
    return " ".join(text.split()).casefold()


def accept(s: Snapshot, _target: str, report: Report, by: Accepting) -> "list[Event]":
    """It is a draft; a person is asked whether it is so."""
    return foundation.drafted(s, by, summary=report.summary, told=_told(report))


def _told(report: Report) -> str:
    """Return the draft as a person is asked about it."""
    lines = [f"{q.description} ({q.kind}, {q.status}) Shown by: {q.acceptance}" for q in report.requirements]
    return f"{report.summary}\n\n{sections.bullets(lines)}"


UNIT = UnitType(
    kind=KIND,
    purpose="Write down what a project has to do before any of it is planned.",
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
