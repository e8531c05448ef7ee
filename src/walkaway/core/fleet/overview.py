"""The project at one instant, without loading its milestones."""

from dataclasses import dataclass

from walkaway.core.ids import MilestoneId, ProjectId, WorkerId
from walkaway.core.model import MilestoneStatus, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneRow:
    """One line of the overview: enough to choose a milestone without loading it.

    What was skipped or replaced is not among what is to be done; what was deferred is.
    """

    id: MilestoneId
    title: str
    status: MilestoneStatus
    slices_done: int
    slices_total: int
    tasks_done: int
    tasks_total: int
    open_questions: int
    holder: WorkerId | None
    expires_at: float
    place: float = 0.0
    depends: tuple[MilestoneId, ...] = ()
    aside: str = ""

    @property
    def over(self) -> bool:
        """Whether nothing will ever be done for it."""
        return self.status is MilestoneStatus.COMPLETE or self.aside == "discarded"

    @property
    def standing(self) -> str:
        """Its status, or how a person put it aside."""
        return self.aside or str(self.status)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRow:
    """One worker as registered: identity is host + boot id + pid + process start time (pains §4, rule 4)."""

    id: WorkerId
    host: str
    boot_id: str
    pid: int
    started: float
    status: str
    beat_at: float
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The project at one instant: every milestone in order, every worker that is not stopped."""

    project: ProjectId
    now: float
    milestones: tuple[MilestoneRow, ...]
    workers: tuple[WorkerRow, ...]
    usage: Usage
