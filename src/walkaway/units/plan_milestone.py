"""Cut a specification into slices."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from walkaway.core.grant import PLANNING
from walkaway.core.ids import TextHash
from walkaway.core.model import MilestoneStatus, Snapshot
from walkaway.core.unit import PLANS, Accepting, Judged, UnitType
from walkaway.units import cutting, discuss_milestone, foundation, notes, sections
from walkaway.units.cutting import PlannedSlice

if TYPE_CHECKING:
    from walkaway.core.events import Event

INSTRUCTIONS = """\
Plan this milestone: look at the code that exists, then cut the specification into slices.

A slice is a thin vertical piece whose result can be shown through the real interface when it is done; not a layer,
not a spike, not groundwork alone. Put the riskiest first. A single slice is right for small work; no milestone needs
more than ten. All slices together must make the success criteria true, and nothing beyond the specification.

Report: `title` (a few words), `vision` (one sentence: what is possible afterwards), `criteria` (observable, each
provable by a command or a test), `slices` in order, each with `title`, `goal`, `demo` (what one can see or run after
it), `risk` (high, medium or low), `depends` (numbers of earlier slices, counted from 1) and `sketch` (true for a later
slice whose shape depends on what an earlier one shows: it is planned when its turn comes)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A roadmap."""

    title: str
    vision: str
    criteria: tuple[str, ...]
    slices: tuple[PlannedSlice, ...]


def targets(s: Snapshot) -> Iterable[str]:
    """Possible once, while the milestone is only a specification."""
    if s.milestone.status is MilestoneStatus.QUEUED:
        yield s.milestone.id


def needs(s: Snapshot, target: str) -> tuple[TextHash, ...]:
    """The specification, what was thought and what was found out about it."""
    found = notes.needed(s, ("research-milestone", target))
    return (s.milestone.context, *discuss_milestone.needed(s), *found, *foundation.needed(s))


def brief(s: Snapshot, target: str, texts: Mapping[TextHash, str]) -> str:
    """The milestone's title, what was thought and found out about it, and its specification."""
    thought, told = discuss_milestone.context(s, texts), foundation.told(s, texts)
    found = notes.findings(s, texts, "research-milestone", target, "What was found out")
    most = (
        sections.SPECIFICATION_MOST - (notes.FINDINGS_MOST if found else 0) - len(thought.encode()) - len(told.encode())
    )
    most = max(most, sections.EXCERPT_MOST)
    parts = (sections.milestone(s), told, thought, found, sections.specification(s, texts, most))
    return "\n\n".join(part for part in parts if part)


def check(_s: Snapshot, _target: str, report: Report) -> str:
    """Refuse empty, oversized or circular plans."""
    if not 1 <= len(report.slices) <= cutting.MOST_SLICES:
        return f"A milestone has 1 to {cutting.MOST_SLICES} slices, not {len(report.slices)}."
    if not any(c.strip() for c in report.criteria):
        return "Name at least one success criterion."
    if wrong := sections.blank(title=report.title, vision=report.vision):
        return wrong
    return cutting.wrong_slices(report.slices)


def accept(s: Snapshot, _target: str, report: Report, _by: Accepting) -> "list[Event]":
    """The roadmap stands; ids follow from the order."""
    from walkaway.core.events import MilestonePlanned  # noqa: PLC0415 - kept off the query path

    return [
        MilestonePlanned(
            title=report.title,
            vision=report.vision,
            criteria=report.criteria,
            slices=cutting.slices_from(s, report.slices),
        )
    ]


UNIT = UnitType(
    kind="plan-milestone",
    purpose="Cut a specification into slices.",
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
