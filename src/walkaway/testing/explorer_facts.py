"""What the explorer knows of a database's content: rows as values, and what of them decides what can happen next."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import NamedTuple, TypeVar

from walkaway.core.fleet.order import CommandStatus
from walkaway.core.ids import PROJECT_SCOPE
from walkaway.core.model import LIVE
from walkaway.testing.explorer_memory import Memory, Tables

R = TypeVar("R")
Key = tuple[object, ...]

GONE = -1.0
"""Start of a process that is no more: none has ever begun then, whatever number it has."""


class LeaseRow(NamedTuple):
    """The columns that are looked at, of a scope's row; likewise below."""

    scope: str
    rev: int
    worker_id: str
    epoch: int
    fencing_token: int
    status: str
    expires_at: float


class HeldRow(NamedTuple):
    epoch: int
    fencing_token: int
    worker_id: str
    acquired_at: float
    ended_at: float
    ended_how: str


class WorkerRow(NamedTuple):
    id: str
    started: float
    status: str
    since: int


class DispatchRow(NamedTuple):
    id: str
    seq: int
    attempt: int
    status: str
    worker_id: str
    fencing_token: int
    failure: str

    @property
    def live(self) -> bool:
        return self.status in LIVE


class TaskRow(NamedTuple):
    id: str
    status: str


class QuestionRow(NamedTuple):
    id: str
    answer: str
    after: int


class EventRow(NamedTuple):
    scope: str
    rev: int
    i: int
    at: float
    by_whom: str
    epoch: int
    fencing_token: int
    type: str
    body: str


class OrderRow(NamedTuple):
    seq: int
    worker: str
    status: str
    deliveries: int
    claimed_by: str
    claim_expires_at: float

    @property
    def open(self) -> bool:
        return self.status in {CommandStatus.WAITING, CommandStatus.CLAIMED}


class PauseRow(NamedTuple):
    id: str
    step: int


class StopRow(NamedTuple):
    id: str
    rev: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The content of a database with one milestone; a field is named after its table."""

    milestone_leases: tuple[LeaseRow, ...] = ()
    lease_history: tuple[HeldRow, ...] = ()
    workers: tuple[WorkerRow, ...] = ()
    unit_dispatches: tuple[DispatchRow, ...] = ()
    tasks: tuple[TaskRow, ...] = ()
    questions: tuple[QuestionRow, ...] = ()
    events: tuple[EventRow, ...] = ()
    command_queue: tuple[OrderRow, ...] = ()
    pause_records: tuple[PauseRow, ...] = ()
    stop_requests: tuple[StopRow, ...] = ()

    @property
    def lease(self) -> LeaseRow:
        """The row of the milestone."""
        return next(row for row in self.milestone_leases if row.scope != PROJECT_SCOPE)

    @property
    def holding(self) -> HeldRow | None:
        """Who holds the milestone, by the history of leases."""
        return next((row for row in self.lease_history if not row.ended_how), None)

    @property
    def live(self) -> DispatchRow | None:
        return next((d for d in self.unit_dispatches if d.live), None)

    @property
    def done(self) -> bool:
        return all(task.status == "complete" for task in self.tasks)

    def worker(self, identity: str) -> WorkerRow | None:
        return next((w for w in self.workers if w.id == identity), None)

    def gone(self, identity: str) -> bool:
        """Whether a worker's process is no more or said goodbye, whatever the production's code would say of it."""
        found = self.worker(identity)
        return found is not None and (found.started == GONE or found.status == "stopped")

    def stopped(self, worker: WorkerRow) -> bool:
        """Whether a person ended the run of this worker."""
        return any(stop.rev > worker.since for stop in self.stop_requests)

    def held(self, identity: str) -> bool:
        """Whether a person paused or stopped what this worker does."""
        found = self.worker(identity)
        return any(not p.step for p in self.pause_records) or (found is not None and self.stopped(found))


VIEWS: Mapping[str, tuple[str, ...]] = {
    "milestone_leases": LeaseRow._fields,
    "lease_history": HeldRow._fields,
    "workers": WorkerRow._fields,
    "unit_dispatches": DispatchRow._fields,
    "tasks": TaskRow._fields,
    "questions": QuestionRow._fields,
    "events": EventRow._fields,
    "command_queue": OrderRow._fields,
    "pause_records": PauseRow._fields,
    "stop_requests": StopRow._fields,
}


class Reader:
    """Makes facts of rows."""

    def __init__(self, memory: Memory) -> None:
        self._pick = {
            table: itemgetter(*(memory.columns(table).index(name) for name in names)) for table, names in VIEWS.items()
        }

    def after(self, facts: Facts, before: Tables, now: Tables) -> Facts:
        """Return the facts of ``now``, where ``facts`` are those of ``before``."""

        def view(table: str, row: Callable[..., R], known: tuple[R, ...]) -> tuple[R, ...]:
            rows = now[table]
            return known if rows is before.get(table) else tuple(row(*self._pick[table](cells)) for cells in rows)

        if now is before:
            return facts
        return Facts(
            milestone_leases=view("milestone_leases", LeaseRow, facts.milestone_leases),
            lease_history=view("lease_history", HeldRow, facts.lease_history),
            workers=view("workers", WorkerRow, facts.workers),
            unit_dispatches=view("unit_dispatches", DispatchRow, facts.unit_dispatches),
            tasks=view("tasks", TaskRow, facts.tasks),
            questions=view("questions", QuestionRow, facts.questions),
            events=view("events", EventRow, facts.events),
            command_queue=view("command_queue", OrderRow, facts.command_queue),
            pause_records=view("pause_records", PauseRow, facts.pause_records),
            stop_requests=view("stop_requests", StopRow, facts.stop_requests),
        )


# ---- what decides ---------------------------------------------------------------------------------------------------


def essence(facts: Facts, now: float, *, mirrored: bool = False) -> Key:
    """Return what of a database decides what can happen: two that agree in it can only go on alike.

    Dropped is what the transitions never look at, or only as far as it is kept here: times (lapsed or not), revisions
    (a worker's choice is of the present one or not), tokens (only compared with the present one), numbers of dispatches
    and orders (their place counted from the newest), how dispatches ended (only what `core.retry` counts of it), ended
    leases and orders, the journal. `explorer_rules` looks at all of that, but between a state and the next. With
    ``mirrored`` it is told as if each of the two workers were the other.
    """
    lease, live = facts.lease, facts.live
    return (
        (_name(lease.worker_id, mirrored), lease.expires_at <= now) if lease.status == "held" else (),
        (live.status, lease.fencing_token - live.fencing_token) if live else (),
        _retries(facts),
        facts.done,
        tuple(not q.answer for q in facts.questions),
        tuple(sorted((_name(w.id, mirrored), w.status, w.started == GONE, facts.stopped(w)) for w in facts.workers)),
        tuple(
            (
                _name(o.worker, mirrored),
                o.status,
                o.deliveries,
                _name(o.claimed_by, mirrored),
                o.claim_expires_at <= now,
            )
            for o in facts.command_queue
            if o.open
        ),
        tuple((p.id, p.step) for p in facts.pause_records),
    )


_MIRROR = str.maketrans("ab", "ba")


@cache
def _name(worker: str, mirrored: bool) -> str:  # noqa: FBT001 - a column of a table
    return worker.translate(_MIRROR) if mirrored else worker


def _retries(facts: Facts) -> Key:
    """Return what counts for the next attempt: refusals, the crashes in a row at the end, how it ended last."""
    start = max((q.after for q in facts.questions if q.answer), default=0)
    ends = [d.failure for d in facts.unit_dispatches if not d.live and d.seq > start and d.status != "completed"]
    crashes = 0
    while crashes < len(ends) and ends[-1 - crashes] == "lease-lost":
        crashes += 1
    return (sum(end == "verification" for end in ends), crashes, ends[-1] if ends else "")
