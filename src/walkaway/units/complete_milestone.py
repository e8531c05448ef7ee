"""Close a validated milestone: its report words the integration commit; accepting it publishes the work."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from walkaway.core.grant import BUILDING
from walkaway.core.ids import TextHash, slice_of
from walkaway.core.model import MilestoneStatus, Snapshot
from walkaway.core.plan.scope import takes
from walkaway.core.unit import PLANS, Accepting, Judged, UnitType
from walkaway.units import sections

if TYPE_CHECKING:
    from walkaway.core.events import Event

INSTRUCTIONS = """\
Close this milestone. Its work will be checked again in a clean checkout on top of the target branch and then become
one commit there. If the brief says that this failed, find and mend the cause, with tests.

Report: `summary`: the commit message's body, for developers who read it in five years: what is possible now, how to
use it, decisions worth knowing, what is left open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The milestone in words."""

    summary: str


def targets(s: Snapshot) -> Iterable[str]:
    """The milestone, once validated; or once nothing is left to do, where the validation is left out."""
    if s.milestone.status is MilestoneStatus.VALIDATED or _unvalidated(s):
        yield s.milestone.id


def _unvalidated(s: Snapshot) -> bool:
    """Whether it goes to the target without a validation, because its profile, its workflow or its scope says so."""
    finished = s.milestone.status is MilestoneStatus.ACTIVE and s.all_inactive
    return finished and (s.scripted or not takes(s, "validate-milestone"))


def brief(s: Snapshot, _target: str, _texts: Mapping[TextHash, str]) -> str:
    """The milestone and what each slice and task delivered."""
    done = [t for t in s.tasks.values() if not t.aside and s.slices[slice_of(t.id)].aside != "skipped"]
    tasks = sections.fit(f"- {t.id} {t.title}: {sections.line(t.summary, 200)}" for t in done)
    return f"{sections.milestone(s)}\n\n{sections.roadmap(s)}\n\n## Tasks\n\n{tasks}"


def check(_s: Snapshot, _target: str, report: Report) -> str:
    """Refuse an empty summary."""
    return sections.blank(summary=report.summary)


def accept(s: Snapshot, _target: str, report: Report, _by: Accepting) -> "list[Event]":
    """The milestone is on the target: the engine published the prepared commit before it asks for this."""
    from walkaway.core.events import MilestoneDone, MilestoneValidated  # noqa: PLC0415 - kept off the query path

    done = MilestoneDone(summary=report.summary, commit=s.milestone.prepared_sha)
    return [MilestoneValidated(verdict="skipped"), done] if _unvalidated(s) else [done]


UNIT = UnitType(
    kind="complete-milestone",
    purpose="Close a validated milestone and put it on the target branch.",
    instructions=INSTRUCTIONS,
    grant=BUILDING,
    report=Report,
    judged=Judged.INTEGRATION,
    targets=targets,
    brief=brief,
    check=check,
    accept=accept,
    side=PLANS,
    scripted=True,
)
