"""Sum a slice up, once all its tasks are done."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from walkaway.core.grant import BUILDING
from walkaway.core.ids import SliceId, TextHash, short
from walkaway.core.model import SliceStatus, Snapshot
from walkaway.core.plan.quality import OF_SLICE, asked
from walkaway.core.unit import PLANS, Accepting, Judged, UnitType
from walkaway.units import quality, sections

if TYPE_CHECKING:
    from walkaway.core.events import Event

NARRATIVES_MOST = 8_000
"""Bytes of what all tasks together tell of themselves."""

ASKED = "Also to be reported, in two or three sentences; left out where it does not apply"

INSTRUCTIONS = """\
Close this slice. Hold every must-have against the code and run what proves it; small gaps you mend now, with tests.

Report: `summary` (two or three sentences for whoever plans and builds what comes next: what now exists, which
interfaces to use, what is fragile) and `shown` (for each must-have, the command or test that shows it)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the slice delivered."""

    summary: str
    shown: tuple[str, ...] = ()
    operational_readiness: str = ""


def targets(s: Snapshot) -> Iterable[str]:
    """Each planned slice without an open task."""
    for slice_ in s.slices.values():
        tasks = s.tasks_of(slice_.id)
        done = bool(tasks) and all(t.inactive for t in tasks)
        if slice_.status is SliceStatus.IN_PROGRESS and done and not slice_.aside and not slice_.blocker:
            yield slice_.id


def brief(s: Snapshot, target: str, _texts: Mapping[TextHash, str]) -> str:
    """The slice, what is flagged about it, and what its tasks say they did."""
    slice_ = s.slices[target]
    tasks = [t for t in s.tasks_of(slice_.id) if not t.aside]
    each = max(100, min(1_500, NARRATIVES_MOST // max(len(tasks), 1)))
    done = "\n\n".join(
        f"### {short(t.id)} {t.title}\n\n{sections.line(t.summary, 300)}\n\n{sections.head(t.narrative, each)}"
        for t in tasks
    )
    parts = (
        sections.slice_plan(slice_),
        quality.flagged(s, slice_.id),
        quality.doubtful(s, slice_.id),
        quality.put(OF_SLICE, ASKED, ("operational_readiness",)) if asked(s) else "",
        f"## What its tasks did\n\n{done}",
        sections.milestone(s),
    )
    return "\n\n".join(part for part in parts if part)


def check(_s: Snapshot, _target: str, report: Report) -> str:
    """Refuse an empty summary."""
    return sections.blank(summary=report.summary)


def accept(s: Snapshot, target: str, report: Report, by: Accepting) -> "list[Event]":
    """The slice is done."""
    from walkaway.core.events import SliceDone  # noqa: PLC0415 - kept off the query path

    answers = quality.told(OF_SLICE, (report.operational_readiness,)) if asked(s) else []
    return [SliceDone(slice=SliceId(target), summary=report.summary), *quality.taken(s, target, by, answers)]


UNIT = UnitType(
    kind="complete-slice",
    purpose="Hold a finished slice against its must-haves and sum it up.",
    instructions=INSTRUCTIONS,
    grant=BUILDING,
    report=Report,
    judged=Judged.WORK,
    targets=targets,
    brief=brief,
    check=check,
    accept=accept,
    side=PLANS,
    scripted=True,
)
