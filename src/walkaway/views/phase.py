"""Where a project stands, in the original's words: its phase, and the slice and task in hand."""

from dataclasses import dataclass

from walkaway.core.derive import Ask, Blocked, Decision
from walkaway.core.model import (
    MilestoneStatus,
    Overview,
    Slice,
    SliceStatus,
    Snapshot,
    Task,
    TaskStatus,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A phase, and what it is about."""

    phase: str
    slice: Slice | None = None
    task: Task | None = None


def where(overview: Overview, s: Snapshot | None, decision: Decision | None) -> Where:
    """Return where the work stands; ``s`` is the milestone that is next, None where there is none."""
    if s is None:
        done = bool(overview.milestones) and all(m.status is MilestoneStatus.COMPLETE for m in overview.milestones)
        return Where(phase="complete" if done else "pre-planning")
    at = _within(s)
    if isinstance(decision, Ask | Blocked):
        return Where(phase="blocked", slice=at.slice, task=at.task)
    return at


def _within(s: Snapshot) -> Where:  # noqa: PLR0911 - a list of cases, first match wins
    if s.milestone.status is MilestoneStatus.COMPLETE:
        return Where(phase="complete")
    if s.milestone.status is MilestoneStatus.VALIDATED:
        return Where(phase="completing-milestone")
    if not s.slices:
        return Where(phase="pre-planning")
    if all(x.status is SliceStatus.COMPLETE for x in s.slices.values()):
        return Where(phase="validating-milestone")
    active = next((x for x in s.slices.values() if _in_hand(s, x)), None)
    if active is None:
        return Where(phase="blocked")
    tasks = s.tasks_of(active.id)
    if not tasks:
        return Where(phase="planning", slice=active)
    task = next((t for t in tasks if t.status is TaskStatus.PENDING), None)
    return Where(phase="executing" if task else "summarizing", slice=active, task=task)


def _in_hand(s: Snapshot, candidate: Slice) -> bool:
    """Whether a slice is open and all that it depends on is done."""
    done = all(s.slices[d].status is SliceStatus.COMPLETE for d in candidate.depends)
    return candidate.status is not SliceStatus.COMPLETE and done
