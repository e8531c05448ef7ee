"""Where a project stands, in the original's words: its phase, and the slice and task in hand."""

from dataclasses import dataclass

from walkaway.core.derive import Ask, Blocked, Decision
from walkaway.core.fleet.overview import Overview
from walkaway.core.model import MilestoneStatus, Slice, SliceStatus, Snapshot, Task
from walkaway.core.plan.scope import takes
from walkaway.core.schedule import eligible, waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A phase, and what it is about."""

    phase: str
    slice: Slice | None = None
    task: Task | None = None


def where(overview: Overview, s: Snapshot | None, decision: Decision | None) -> Where:
    """Return where the work stands; ``s`` is the milestone that is next, None where there is none."""
    if s is None:
        done = bool(overview.milestones) and all(m.over for m in overview.milestones)
        held = bool(waiting(overview)) and not eligible(overview)  # parked, or waiting for what is
        return Where(phase="complete" if done else "blocked" if held else "pre-planning")
    at = _within(s)
    if isinstance(decision, Ask | Blocked):
        return Where(phase="blocked", slice=at.slice, task=at.task)
    return at


def _within(s: Snapshot) -> Where:
    if s.milestone.status is MilestoneStatus.COMPLETE:
        return Where(phase="complete")
    if s.milestone.status is MilestoneStatus.VALIDATED:
        return Where(phase="completing-milestone")
    if not s.slices:
        return Where(phase="pre-planning")
    if s.all_inactive:
        skipped = s.scripted or not takes(s, "validate-milestone")
        return Where(phase="completing-milestone" if skipped else "validating-milestone")
    active = next((x for x in s.slices.values() if s.free(x)), None)
    if active is None:
        return Where(phase="blocked")
    return _of_slice(s, active)


def _of_slice(s: Snapshot, active: Slice) -> Where:
    if active.status is SliceStatus.PENDING:
        return Where(phase="refining" if active.sketch else "planning", slice=active)
    task = next((t for t in s.tasks_of(active.id) if not t.inactive), None)
    if active.blocker:
        return Where(phase="replanning-slice", slice=active, task=task)
    return Where(phase="executing" if task else "summarizing", slice=active, task=task)
