"""The state of a project as frozen values: one milestone and all under it is one aggregate.

Times are seconds since the UNIX epoch by the store's clock. Money is USD. Every class whose name is also a table's
has one field per column (`store/codec.py` maps them); long texts are held as the hash of a blob.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from walkaway.core.asking.question import Question
from walkaway.core.ids import (
    NO_SHA,
    NO_TEXT,
    DispatchId,
    MilestoneId,
    ProjectId,
    Scope,
    Sha,
    SliceId,
    TaskId,
    TextHash,
    UnitKey,
    WorkerId,
)
from walkaway.core.plan.policy import Policy
from walkaway.core.plan.step import Step


class MilestoneStatus(StrEnum):
    """Life of a milestone (workflow §1.3)."""

    QUEUED = "queued"
    ACTIVE = "active"
    VALIDATED = "validated"
    COMPLETE = "complete"


class SliceStatus(StrEnum):
    """Life of a slice: a sketch until planned."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETE = "complete"


RISKS = ("high", "medium", "low")
SCOPES = ("auto", "trivial", "standard", "complex")


class TaskStatus(StrEnum):
    """Life of a task."""

    PENDING = "pending"
    COMPLETE = "complete"


class DispatchStatus(StrEnum):
    """Life of a dispatch; the first three are live, the others final."""

    CLAIMED = "claimed"
    RUNNING = "running"
    REPORTED = "reported"
    COMPLETED = "completed"
    FAILED = "failed"
    STUCK = "stuck"
    CANCELED = "canceled"
    PAUSED = "paused"


LIVE = frozenset({DispatchStatus.CLAIMED, DispatchStatus.RUNNING, DispatchStatus.REPORTED})


class Result(StrEnum):
    """What the runner saw when it ran a check."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    TIMEOUT = "timeout"
    CANNOT_RUN = "cannot-run"
    NO_CHECK = "no-check"


class Phase(StrEnum):
    """Which tree a check looked at."""

    BASELINE = "baseline"
    WORK = "work"
    INTEGRATION = "integration"


class FailureKind(StrEnum):
    """Why a dispatch ended without its unit being done; what follows is in `core/failing/failure.py`."""

    VERIFICATION = "verification"
    HOOK = "hook"
    REPORT = "report"
    LIMIT = "limit"
    STUCK = "stuck"
    PROVIDER = "provider"
    PROVIDER_REFUSED = "provider-refused"
    ENVIRONMENT = "environment"
    GIT = "git"
    POLICY = "policy"
    INTERNAL = "internal"
    CONFLICT = "conflict"
    LEASE_LOST = "lease-lost"
    CANCELLED = "cancelled"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """A shippable version. ``head`` is the tip of its own line of sealed work; ``target_sha`` is pinned."""

    id: MilestoneId
    title: str
    status: MilestoneStatus = MilestoneStatus.QUEUED
    context: TextHash = NO_TEXT
    vision: str = ""
    criteria: tuple[str, ...] = ()
    target_branch: str = ""
    target_sha: Sha = NO_SHA
    baseline_sha: Sha = NO_SHA  # the target commit whose checks were seen not to fail, or that a person let pass
    head: Sha = NO_SHA
    prepared_base: Sha = NO_SHA
    prepared_sha: Sha = NO_SHA
    """The integration commit made and checked, and the target's tip that it was made on."""
    conflict_onto: Sha = NO_SHA  # the target's tip that the work does not fit, until a unit has brought them together
    conflict_files: tuple[str, ...] = ()
    stale_count: int = 0  # how often the target moved since the integration was first prepared
    commit_sha: Sha = NO_SHA
    """The integration commit on the target, once published."""
    verdict: str = ""
    verified: bool = False
    """Whether some check passed on the integrated tree."""
    summary: str = ""
    created_at: float = 0.0
    completed_at: float = 0.0
    place: float = 0.0  # where it stands in the queue; 0: where its number says
    depends: tuple[MilestoneId, ...] = ()  # the milestones that are to be complete before it is worked on
    aside: str = ""  # ``parked``: not now, or ``discarded``: never
    aside_why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One demonstrable vertical piece of a milestone."""

    id: SliceId
    title: str
    status: SliceStatus = SliceStatus.PENDING
    goal: str = ""
    demo: str = ""
    risk: str = "medium"
    depends: tuple[SliceId, ...] = ()
    must_haves: tuple[str, ...] = ()
    summary: str = ""
    completed_at: float = 0.0
    sketch: bool = False  # to be planned by what the slices before it have shown
    aside: str = ""  # ``skipped`` or ``deferred``: not to be done, and what depends on it may start or waits for it
    aside_why: str = ""
    blocker: str = ""  # what a task found that its plan did not know: the slice is to be planned anew
    step: Step | None = None  # of a workflow that a person wrote

    @property
    def inactive(self) -> bool:
        """Whether nothing is left to do for it."""
        return self.status is SliceStatus.COMPLETE or self.aside != ""

    @property
    def satisfies(self) -> bool:
        """Whether what depends on it may start."""
        return self.status is SliceStatus.COMPLETE or self.aside == "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One context window of work."""

    id: TaskId
    title: str
    status: TaskStatus = TaskStatus.PENDING
    description: str = ""
    files: tuple[str, ...] = ()
    verify: str = ""
    summary: str = ""
    narrative: str = ""
    key_files: tuple[str, ...] = ()
    verified: str = ""  # ``passed``, or ``unverified`` where the project had no check to run
    commit_sha: Sha = NO_SHA
    completed_at: float = 0.0
    no_code: bool = False  # it is planned to change no file; any other task that changes none is not done
    aside: str = ""  # ``skipped`` by a person, or ``replaced`` by a new plan: not to be done
    aside_why: str = ""

    @property
    def inactive(self) -> bool:
        """Whether nothing is left to do for it."""
        return self.status is TaskStatus.COMPLETE or self.aside != ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a unit found out: research, an assessment, a verdict. The whole report is the text ``report``."""

    id: str
    kind: str  # the unit type that wrote it, or the question that it answers (`core/plan/quality.py`)
    target: str
    verdict: str
    summary: str
    report: TextHash
    at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """One claimed run of one unit, under one fence (epoch, token)."""

    id: DispatchId
    seq: int
    unit: str
    target: str
    attempt: int
    status: DispatchStatus
    worker_id: WorkerId
    epoch: int
    fencing_token: int
    base_sha: Sha = NO_SHA
    report: TextHash = NO_TEXT
    held: TextHash = NO_TEXT  # what its agent saved beside the report, for the registers
    commit_sha: Sha = NO_SHA
    failure: str = ""  # a `FailureKind`, or "" where nothing failed
    why: str = ""
    output: TextHash = NO_TEXT  # what the failed check printed, for the next brief
    next_run_at: float = 0.0
    claimed_at: float = 0.0
    ended_at: float = 0.0

    @property
    def key(self) -> UnitKey:
        """The unit that this dispatch runs."""
        return UnitKey(self.unit, self.target)

    @property
    def live(self) -> bool:
        """Whether it is not ended."""
        return self.status in LIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One check, run by the engine: never what an agent says about it."""

    id: str
    dispatch_id: str
    """Empty for the baseline of the target."""
    phase: Phase
    tree: Sha  # the commit that was checked out
    command: str
    result: Result
    exit_code: int | None
    duration_ms: int
    output: TextHash = NO_TEXT
    at: float = 0.0
    failing: int = 0
    """How many tests failed; 0 where the output does not say so for certain."""
    known: int = 0
    """How many of them failed on the target, too, before anything was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What model calls cost; ``usd`` is None as soon as one price is unknown."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float | None = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One milestone and all under it, at one instant; ``now`` is never before any time in it.

    Mappings are in the natural order of their identifiers, dispatches in that of their numbers.
    """

    project: ProjectId
    scope: Scope
    rev: int
    now: float
    milestone: Milestone
    policy: Policy = field(default_factory=Policy)
    slices: Mapping[str, Slice] = field(default_factory=dict)
    tasks: Mapping[str, Task] = field(default_factory=dict)
    dispatches: Mapping[str, Dispatch] = field(default_factory=dict)
    questions: Mapping[str, Question] = field(default_factory=dict)
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    notes: Mapping[str, Note] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)  # of this milestone; append-only
    elsewhere: Mapping[str, Note] = field(default_factory=dict)
    """By kind, what other milestones settled last of the project's start (`core/plan/start.py`)."""

    @property
    def aggregate(self) -> "Snapshot":
        """Return it without what no fact of this milestone makes: this is what its journal folds to."""
        return replace(self, rev=0, now=0.0, usage=Usage(), elsewhere={})

    def tasks_of(self, slice_: SliceId) -> tuple[Task, ...]:
        """Return the tasks of a slice, in order."""
        prefix = f"{slice_}/"
        return tuple(task for task in self.tasks.values() if task.id.startswith(prefix))

    def note(self, kind: str, target: str) -> Note | None:
        """Return the latest note of a unit type about something."""
        return next((n for n in reversed([*self.notes.values()]) if (n.kind, n.target) == (kind, target)), None)

    @property
    def all_inactive(self) -> bool:
        """Whether it was cut into slices and nothing is left to do for any of them."""
        return bool(self.slices) and all(slice_.inactive for slice_ in self.slices.values())

    @property
    def scripted(self) -> bool:
        """Whether its plan is a workflow that a person wrote."""
        return any(slice_.step for slice_ in self.slices.values())

    def free(self, slice_: Slice) -> bool:
        """Whether a slice may be worked on: it is to be done, and all that it depends on is there."""
        return not slice_.inactive and all(self.slices[d].satisfies for d in slice_.depends)

    @property
    def live(self) -> Dispatch | None:
        """The dispatch that is not ended, if there is one: never two (schema.sql)."""
        return next((d for d in self.dispatches.values() if d.live), None)

    @property
    def blocked_by(self) -> Question | None:
        """The first question that waits for a person."""
        return next((q for q in self.questions.values() if q.open), None)

    def runs_of(self, key: UnitKey) -> tuple[Dispatch, ...]:
        """Return every dispatch of a unit, oldest first."""
        return tuple(d for d in self.dispatches.values() if d.unit == key.kind and d.target == key.target)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The exclusive right to a scope, as held: its fence (epoch, token) is proved at every write."""

    project: ProjectId
    scope: Scope
    worker_id: WorkerId
    epoch: int
    fencing_token: int
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A person's authority: no lease, only the revision that was on the screen."""

    project: ProjectId
    scope: Scope
    rev: int
    who: str


Authority = Lease | Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A directory that belongs to one fence; ``branch`` is checked out there, on top of ``base``."""

    path: str
    branch: str
    base: Sha


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A branch and the commit it pointed to."""

    branch: str
    sha: Sha
