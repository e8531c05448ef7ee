"""Every fact that can happen, past tense and frozen; the journal stores exactly these.

An event carries what it changes and nothing that can be derived. The time of an event is the store's, given to
`evolve` beside it.
"""

from dataclasses import dataclass

from walkaway.core.ids import (
    NO_SHA,
    NO_TEXT,
    DispatchId,
    MilestoneId,
    Sha,
    SliceId,
    TaskId,
    TextHash,
    WorkerId,
)
from walkaway.core.model import Evidence, Note, Policy, Question
from walkaway.core.plan.planned import SlicePlan, TaskPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneCreated:
    """A person handed in a specification."""

    milestone: MilestoneId
    title: str
    context: TextHash


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChanged:
    """The settings that decide were stored with the milestone."""

    policy: Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPinned:
    """The branch to integrate into, and its commit, were fixed."""

    branch: str
    sha: Sha


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineAccepted:
    """The checks of the pinned target do not fail, or a person said to start anyway."""

    sha: Sha


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestonePlanned:
    """The milestone was cut into slices."""

    title: str
    vision: str
    criteria: tuple[str, ...]
    slices: tuple[SlicePlan, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlicePlanned:
    """A slice was cut into tasks."""

    slice: SliceId
    goal: str
    must_haves: tuple[str, ...]
    tasks: tuple[TaskPlan, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadmapChanged:
    """Slices were added, changed in words or dropped, and why; what is complete or begun stays as it is."""

    added: tuple[SlicePlan, ...]
    changed: tuple[SlicePlan, ...]
    dropped: tuple[SliceId, ...]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockerFound:
    """A task cannot be done as it is planned: its slice is to be planned anew."""

    task: TaskId
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceReplanned:
    """The open tasks of a slice were replaced by others; what is complete stays."""

    slice: SliceId
    tasks: tuple[TaskPlan, ...]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksAdded:
    """A slice in progress has more to do than was planned."""

    slice: SliceId
    tasks: tuple[TaskPlan, ...]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteTaken:
    """A unit wrote down what it found out, or a person what they want."""

    note: Note


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """A person said where the milestone stands in the queue, and which milestones it comes after."""

    place: float
    depends: tuple[MilestoneId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """A person said that a part is not to be done.

    A slice or task is ``skipped``, a slice may be ``deferred``, a milestone ``parked`` or ``discarded``.
    """

    target: str
    how: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopened:
    """A person said that a part is to be done after all; a slice or task also once more."""

    target: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """A person took back the newest task that was done: it is open again, its milestone's line ends before it."""

    task: TaskId
    head: Sha
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDone:
    """The work of a task landed on its milestone's line."""

    task: TaskId
    summary: str
    narrative: str
    key_files: tuple[str, ...]
    verified: str
    commit: Sha


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceDone:
    """All tasks of a slice are done and it was summed up."""

    slice: SliceId
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneValidated:
    """The milestone was held against its success criteria and found to meet them."""

    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneDone:
    """The milestone is on the target branch."""

    summary: str
    commit: Sha


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchClaimed:
    """A worker took a unit; the intent is durable before anything is done."""

    dispatch: DispatchId
    unit: str
    target: str
    attempt: int
    worker: WorkerId
    epoch: int
    token: int
    base: Sha


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchStarted:
    """Its checkout is ready and the agent begins."""

    dispatch: DispatchId


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchReported:
    """The work is sealed as a commit and the report is in, with what its agent saved: all of it, together."""

    dispatch: DispatchId
    report: TextHash
    commit: Sha
    held: TextHash = NO_TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchAdopted:
    """An heir goes on with a reported dispatch under its own fence."""

    dispatch: DispatchId
    worker: WorkerId
    epoch: int
    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRecorded:
    """A check ran."""

    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationPrepared:
    """The integration commit was made on ``base``; ``verified`` once its checks passed."""

    dispatch: DispatchId
    base: Sha
    commit: Sha
    verified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationStale:
    """The target moved on, perhaps by another milestone of this project; the prepared commit is given up."""

    dispatch: DispatchId
    tip: Sha
    sibling: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationConflicted:
    """The work and its target changed the same lines of ``files``: the dispatch failed, a unit is to resolve it.

    ``log``: what happened on the target since, in words, for that unit's brief.
    """

    dispatch: DispatchId
    onto: Sha
    files: tuple[str, ...]
    why: str
    log: TextHash


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictResolved:
    """The target's tip was merged into the milestone's line."""

    onto: Sha


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchCompleted:
    """The unit is done; its commit is the milestone's new head."""

    dispatch: DispatchId
    head: Sha


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchFailed:
    """The unit is not done, and why; not to be run again before ``next_run_at``.

    ``commit`` is the work of a dispatch that did not report, where there is any.
    """

    dispatch: DispatchId
    failure: str
    why: str
    output: TextHash
    next_run_at: float
    commit: Sha = NO_SHA


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchStuck:
    """The agent repeated itself without progress."""

    dispatch: DispatchId
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchCanceled:
    """The run was ended from outside; no attempt is consumed."""

    dispatch: DispatchId
    failure: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchPaused:
    """The run was ended by a pause or stop; no attempt is consumed."""

    dispatch: DispatchId
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionRaised:
    """Something waits for a person."""

    question: Question


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionAnswered:
    """A person, or the start of a new run where that is the remedy, answered."""

    question: str
    answer: str
    who: str


Event = (
    MilestoneCreated
    | PolicyChanged
    | TargetPinned
    | BaselineAccepted
    | MilestonePlanned
    | SlicePlanned
    | RoadmapChanged
    | BlockerFound
    | SliceReplanned
    | TasksAdded
    | NoteTaken
    | Queued
    | SetAside
    | Reopened
    | Undone
    | TaskDone
    | SliceDone
    | MilestoneValidated
    | MilestoneDone
    | DispatchClaimed
    | DispatchStarted
    | DispatchReported
    | DispatchAdopted
    | EvidenceRecorded
    | IntegrationPrepared
    | IntegrationStale
    | IntegrationConflicted
    | ConflictResolved
    | DispatchCompleted
    | DispatchFailed
    | DispatchStuck
    | DispatchCanceled
    | DispatchPaused
    | QuestionRaised
    | QuestionAnswered
)
