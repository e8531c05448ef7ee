"""Cut a specification into slices."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from walkaway.core.grant import PLANNING
from walkaway.core.ids import SliceId, TextHash, slice_id
from walkaway.core.model import RISKS, MilestoneStatus, Snapshot
from walkaway.core.unit import Accepting, Judged, UnitType
from walkaway.units import sections

if TYPE_CHECKING:
    from walkaway.core.events import Event

MOST_SLICES = 20

INSTRUCTIONS = """\
Plan this milestone: look at the code that exists, then cut the specification into slices.

A slice is a thin vertical piece whose result can be shown through the real interface when it is done; not a layer,
not a spike, not groundwork alone. Put the riskiest first. A single slice is right for small work; no milestone needs
more than ten. All slices together must make the success criteria true, and nothing beyond the specification.

Report: `title` (a few words), `vision` (one sentence: what is possible afterwards), `criteria` (observable, each
provable by a command or a test), `slices` in order, each with `title`, `goal`, `demo` (what one can see or run after
it), `risk` (high, medium or low) and `depends` (numbers of earlier slices, counted from 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSlice:
    """One slice as the model proposes it; it has no id yet."""

    title: str
    goal: str
    demo: str
    risk: str = "medium"
    depends: tuple[int, ...] = ()


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


def needs(s: Snapshot, _target: str) -> tuple[TextHash, ...]:
    """The specification."""
    return (s.milestone.context,)


def brief(s: Snapshot, _target: str, texts: Mapping[TextHash, str]) -> str:
    """The milestone's title and its specification."""
    return f"{sections.milestone(s)}\n\n{sections.specification(s, texts, sections.SPECIFICATION_MOST)}"


def check(_s: Snapshot, _target: str, report: Report) -> str:
    """Refuse empty, oversized or circular plans."""
    if not 1 <= len(report.slices) <= MOST_SLICES:
        return f"A milestone has 1 to {MOST_SLICES} slices, not {len(report.slices)}."
    if not any(c.strip() for c in report.criteria):
        return "Name at least one success criterion."
    if wrong := sections.blank(title=report.title, vision=report.vision):
        return wrong
    return next(filter(None, (_wrong(n, planned) for n, planned in enumerate(report.slices, 1))), "")


def _wrong(number: int, planned: PlannedSlice) -> str:
    if wrong := sections.blank(title=planned.title, goal=planned.goal, demo=planned.demo):
        return f"Slice {number}: {wrong}"
    if planned.risk not in RISKS:
        return f"Slice {number}: risk is {', '.join(RISKS)}, not '{planned.risk}'."
    if any(not 1 <= d < number for d in planned.depends):
        earlier = f"earlier ones (1 to {number - 1})" if number > 1 else "earlier ones, and there is none"
        return f"Slice {number} depends on {list(planned.depends)}; a slice may only depend on {earlier}."
    return ""


def accept(s: Snapshot, _target: str, report: Report, _by: Accepting) -> "list[Event]":
    """The roadmap stands; ids follow from the order."""
    from walkaway.core.events import MilestonePlanned, SlicePlan  # noqa: PLC0415 - kept off the query path

    ids: list[SliceId] = [slice_id(s.milestone.id, n) for n in range(1, len(report.slices) + 1)]
    return [
        MilestonePlanned(
            title=report.title,
            vision=report.vision,
            criteria=report.criteria,
            slices=tuple(
                SlicePlan(
                    id=ids[n],
                    title=p.title,
                    demo=p.demo,
                    goal=p.goal,
                    risk=p.risk,
                    depends=tuple(ids[d - 1] for d in p.depends),
                )
                for n, p in enumerate(report.slices)
            ),
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
)
