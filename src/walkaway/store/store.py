"""The one door to durable state: prove, load, evolve, write the difference, append, commit.

Rule: `ADVANCE` is the only place that decides who may write: its one ``WHERE``. Everything a commit does, tables and
journal together, happens in the transaction in which it proved its right.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from walkaway.core.errors import IllegalTransition, LeaseLost, StaleSnapshot, Usage
from walkaway.core.ids import (
    PROJECT_SCOPE,
    DispatchId,
    MilestoneId,
    ProjectId,
    Scope,
    TextHash,
    WorkerId,
    milestone_id,
    milestone_number,
)
from walkaway.core.model import (
    Authority,
    DispatchStatus,
    FailureKind,
    Lease,
    Milestone,
    Overview,
    Policy,
    Seen,
    Snapshot,
)
from walkaway.core.model import (
    Usage as Spent,
)
from walkaway.identity import Identity
from walkaway.store import blobs, leases, loading, schema, workers
from walkaway.store.driver import Cell, Driver, Tx

if TYPE_CHECKING:
    from walkaway.core.brief import ModelCall
    from walkaway.core.events import Event

T = TypeVar("T")

ADVANCE = f"""
UPDATE milestone_leases SET rev = rev + 1, clock = {leases.CLOCK}
WHERE project_id = :project AND scope = :scope AND (:any_rev = 1 OR rev = :rev)
  AND (:person = 1 OR ({leases.FENCED}))
RETURNING rev, clock, epoch, fencing_token
"""  # noqa: S608 - the inserted texts are constants

APPEND = """
INSERT INTO events (project_id, scope, rev, i, at, by_whom, epoch, fencing_token, type, body)
VALUES (:project, :scope, :rev, :i, :at, :by_whom, :epoch, :token, :type, :body)
"""

NEXT = "UPDATE milestone_leases SET rev = rev + 1 WHERE project_id = :project AND scope = :scope"

LOCK = "UPDATE milestone_leases SET rev = rev WHERE project_id = :project AND scope = :scope"

SPEND = """
INSERT INTO usage (project_id, scope, dispatch_id, call, model, input_tokens, output_tokens, cached_tokens, usd, at)
SELECT :project, :scope, :dispatch, COALESCE(MAX(call), 0) + 1, :model, :input, :output, :cached, :usd, {now}
FROM usage WHERE project_id = :project AND dispatch_id = :dispatch
"""

EVENTS = """
SELECT scope, rev, i, at, by_whom, epoch, fencing_token, type, body FROM events
WHERE project_id = :project AND scope = :scope AND rev > :rev ORDER BY rev, i
"""

SCOPES = "SELECT scope FROM milestone_leases WHERE project_id = :project ORDER BY scope"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the journal."""

    scope: Scope
    rev: int
    i: int
    at: float
    by: str
    epoch: int
    fencing_token: int
    type: str
    body: str


class Advanced(NamedTuple):
    """A lease row as `ADVANCE` left it. Two that differ only in ``now`` are of the same state."""

    scope: Scope
    rev: int
    epoch: int
    fencing_token: int
    now: float


class Store:
    """The state of one project in one database; each thread that uses it has a connection of its own.

    Every method is one transaction. All raise `StoreUnavailable` where the database cannot be used.
    """

    def __init__(self, driver: Driver, project: ProjectId) -> None:
        """See the project ``project`` in the database behind ``driver``."""
        self.driver = driver
        self.project = project
        self._last: tuple[Advanced, Snapshot] | None = None

    def snapshot(self, scope: Scope) -> Snapshot:
        """Return a milestone and all under it, at one instant; raise `Usage` if there is none."""
        with self.driver.read() as tx:
            found = loading.load(tx, self.project, scope)
        if not found.milestone.created_at:
            raise _unknown(scope)
        return found

    def overview(self) -> Overview:
        """Return all milestones in short, the workers and what was spent, at one instant."""
        with self.driver.read() as tx:
            return loading.overview(tx, self.project)

    def commit(
        self, by: Authority, events: "Sequence[Event]", *, expect: int | None = None, texts: Iterable[str] = ()
    ) -> Snapshot:
        """Record what happened, all of it or nothing, and return the state after it.

        ``by`` is a held `Lease` (its fence is proved; expiry is not asked, ADR 0003) or what a person has `Seen`.
        With ``expect`` the state must still be at that revision: for choices, which are valid only if nothing moved.
        ``texts`` are kept as blobs. Raises `LeaseLost`, `StaleSnapshot`, `DispatchOver` or `IllegalTransition`,
        and `Usage` for a milestone that never was.
        """
        with self.driver.write() as tx:
            at, after = self._record(tx, by, events, expect=expect, texts=texts)
        self._last = at, after
        return after

    def _record(
        self,
        tx: Tx,
        by: Authority,
        events: "Sequence[Event]",
        *,
        expect: int | None = None,
        texts: Iterable[str] = (),
    ) -> "tuple[Advanced, Snapshot]":
        from walkaway.core.evolve import evolve  # noqa: PLC0415 - `query` only reads
        from walkaway.store.codec import storable  # noqa: PLC0415

        at = self._advance(tx, by, expect)
        blobs.put(tx, self.project, texts)
        after = before = self._before(tx, at)
        facts = [storable(event) for event in events]
        for fact, _ in facts:
            _require_own_fence(by, fact)
            after = evolve(after, fact, at.now)
        loading.save(tx, before, after)
        self._append(tx, by, at, [(type(fact).__name__, body) for fact, body in facts])
        return at, after

    def _before(self, tx: Tx, at: Advanced) -> Snapshot:
        """Return the state that is being advanced.

        Where the last commit of this store left the row exactly one revision ago, in the same hands, it is the state
        that it left: every change is a revision, and the row is locked.
        """
        if self._last is not None:
            then, left = self._last
            if at._replace(rev=at.rev - 1, now=then.now) == then:
                return replace(left, rev=at.rev, now=at.now, usage=loading.usage(tx, self.project, at.scope))
        return replace(loading.load(tx, self.project, at.scope), rev=at.rev, now=at.now)

    def _advance(self, tx: Tx, by: Authority, expect: int | None) -> Advanced:
        wanted = by.rev if isinstance(by, Seen) else expect
        lease = by if isinstance(by, Lease) else None
        row = None
        if by.project == self.project:
            row = tx.one(
                ADVANCE,
                project=self.project,
                scope=by.scope,
                any_rev=int(wanted is None),
                rev=wanted or 0,
                person=int(lease is None),
                worker=lease.worker_id if lease else "",
                epoch=lease.epoch if lease else 0,
                token=lease.fencing_token if lease else 0,
            )
        if row is None:
            raise self._refusal(tx, by)
        rev, now, epoch, token = row
        return Advanced(by.scope, int(rev or 0), int(epoch or 0), int(token or 0), float(now or 0))

    def _refusal(self, tx: Tx, by: Authority) -> LeaseLost | StaleSnapshot | Usage:
        """Say why `ADVANCE` found no row."""
        if by.project != self.project:
            return LeaseLost(f"{by.scope} of project {by.project} cannot be written through {self.project}.")
        if not leases.exists(tx, self.project, by.scope):
            return _unknown(by.scope)
        if isinstance(by, Lease) and not leases.holds(tx, by):
            return LeaseLost(f"{by.worker_id} no longer holds {by.scope}; nothing was written.")
        return StaleSnapshot(f"{by.scope} has changed since it was read; read it again.")

    def _append(self, tx: Tx, by: Authority, at: Advanced, facts: Sequence[tuple[str, str]]) -> None:
        lease = by if isinstance(by, Lease) else None
        rows: list[dict[str, Cell]] = []
        for i, (kind, body) in enumerate(facts):
            rows.append(
                {
                    "project": self.project,
                    "scope": by.scope,
                    "rev": at.rev,
                    "i": i,
                    "at": at.now,
                    "by_whom": by.worker_id if isinstance(by, Lease) else blobs.clean(by.who),
                    "epoch": lease.epoch if lease else 0,
                    "token": lease.fencing_token if lease else 0,
                    "type": kind,
                    "body": body,
                }
            )
        tx.many(APPEND, rows)

    def new_milestone(self, title: str, context: str, policy: Policy, who: str) -> MilestoneId:
        """Hand in a specification as the next milestone, and return its number; numbers are never used twice."""
        from walkaway.core.events import MilestoneCreated, PolicyChanged  # noqa: PLC0415 - `query` only reads

        with self.driver.write() as tx:
            if not tx.run(NEXT, project=self.project, scope=PROJECT_SCOPE):
                raise Usage(f"There is no project {self.project} in this database. Run walkaway init first.")
            taken = [str(scope) for (scope,) in tx.all(SCOPES, project=self.project) if scope != PROJECT_SCOPE]
            made = milestone_id(1 + max((milestone_number(MilestoneId(m)) for m in taken), default=0))
            leases.ensure(tx, self.project, Scope(made))
            seen = Seen(project=self.project, scope=Scope(made), rev=0, who=who)
            events: list[Event] = [
                MilestoneCreated(milestone=made, title=title, context=blobs.text_hash(context)),
                PolicyChanged(policy=policy),
            ]
            self._record(tx, seen, events, texts=[context])
        return made

    def acquire(self, scope: Scope, worker: WorkerId, ttl_s: float) -> Lease | None:
        """Take a milestone and settle, in the same transaction, what its last holder left live.

        A claimed or running dispatch is cancelled (lease-lost); a reported one is adopted under the new fence. A
        holder that is provably dead (same host, boot and process namespace, process gone) is not waited for. Return
        None where a living holder has it; raise `Usage` for a milestone that never was.
        """
        from walkaway.core.events import DispatchAdopted, DispatchCanceled  # noqa: PLC0415 - `query` only reads

        wanted = leases.Wanted(project=self.project, scope=scope, worker=worker, ttl_s=leases.positive(ttl_s))
        dead = self._dead_holder(scope)
        with self.driver.write() as tx:
            lease = leases.take(tx, wanted, dead)
            if lease is None:
                if not leases.exists(tx, self.project, scope):
                    raise _unknown(scope)
                return None
            live = loading.load(tx, self.project, scope).live
            if live is not None and live.status is DispatchStatus.REPORTED:
                adopted = DispatchAdopted(dispatch=live.id, worker=worker, epoch=lease.epoch, token=lease.fencing_token)
                self._record(tx, lease, [adopted])
            elif live is not None:
                why = f"Its worker {live.worker_id} was gone; {worker} took over."
                self._record(tx, lease, [DispatchCanceled(dispatch=live.id, failure=FailureKind.LEASE_LOST, why=why)])
            if dead[0]:
                workers.set_status(tx, self.project, dead[0], "crashed")
            return lease

    def _dead_holder(self, scope: Scope) -> tuple[WorkerId, int]:
        with self.driver.read() as tx:
            held = leases.holder(tx, self.project, scope)
            if held is not None and workers.provably_dead(tx, self.project, held[0]):
                return held
        return WorkerId(""), 0

    def renew(self, lease: Lease, ttl_s: float) -> int:
        """Keep the lease; return the scope's revision, or raise `LeaseLost`."""
        if lease.project != self.project:
            raise LeaseLost(f"{lease.scope} of project {lease.project} is not kept through {self.project}.")
        return self._write(lambda tx: leases.renew(tx, lease, leases.positive(ttl_s)))

    def release(self, lease: Lease) -> bool:
        """Give the milestone back; False if it was lost before."""
        return lease.project == self.project and self._write(lambda tx: leases.release(tx, lease))

    def holder(self, scope: Scope) -> WorkerId | None:
        """Return the worker that holds a scope, lapsed or not."""
        with self.driver.read() as tx:
            held = leases.holder(tx, self.project, scope)
        return held[0] if held else None

    def register(self, worker: WorkerId, identity: Identity) -> None:
        """Enter a worker, before it takes any lease."""
        self._write(lambda tx: workers.register(tx, self.project, worker, identity))

    def beat(self, worker: WorkerId, unit: str) -> None:
        """Say that a worker lives, and what it does."""
        self._write(lambda tx: workers.beat(tx, self.project, worker, unit))

    def end_worker(self, worker: WorkerId) -> None:
        """Enter that a worker stopped."""
        self._write(lambda tx: workers.set_status(tx, self.project, worker, "stopped"))

    def spend(self, scope: Scope, dispatch: DispatchId, call: "ModelCall") -> None:
        """Record what one model request used, whoever made it: the money is gone in any case."""
        with self.driver.write() as tx:
            tx.run(LOCK, project=self.project, scope=scope)  # two calls of one dispatch are numbered one by one
            tx.run(
                SPEND,
                project=self.project,
                scope=scope,
                dispatch=dispatch,
                model=blobs.clean(call.model),
                input=call.input_tokens,
                output=call.output_tokens,
                cached=call.cached_tokens,
                usd=call.usd,
            )

    def costs(self, scope: Scope) -> Mapping[str, Spent]:
        """Return what each dispatch of a milestone used, by its id."""
        with self.driver.read() as tx:
            return loading.costs(tx, self.project, scope)

    def texts(self, hashes: Iterable[TextHash]) -> Mapping[TextHash, str]:
        """Return long texts by hash."""
        with self.driver.read() as tx:
            return blobs.get(tx, self.project, hashes)

    def journal(self, after: Mapping[Scope, int]) -> list[Entry]:
        """Return the journal's entries newer than the revision given for each scope (0 for one not named)."""
        found: list[Entry] = []
        with self.driver.read() as tx:
            for (scope,) in tx.all(SCOPES, project=self.project):
                rows = tx.all(EVENTS, project=self.project, scope=scope, rev=after.get(Scope(str(scope)), 0))
                found.extend(loading.entry(Entry, row) for row in rows)
        return sorted(found, key=lambda e: (e.at, e.scope, e.rev, e.i))

    def guard(self) -> None:
        """Raise `NewerSchema` if a newer walkaway has upgraded the database meanwhile."""
        schema.guard(self.driver)

    def wait(self, seconds: float) -> None:
        """Return when something may have changed, or after ``seconds``."""
        self.driver.wait(seconds)

    def now(self) -> float:
        """Return the store's clock."""
        return self.driver.now()

    def close(self) -> None:
        """Close all connections."""
        self.driver.close()

    def _write(self, work: Callable[[Tx], T]) -> T:
        with self.driver.write() as tx:
            return work(tx)


def _unknown(scope: Scope) -> Usage:
    return Usage(f"There is no milestone {scope}; walkaway status lists them.")


def _require_own_fence(by: Authority, event: "Event") -> None:
    """Refuse a claim or an adoption in another's name."""
    from walkaway.core.events import DispatchAdopted, DispatchClaimed  # noqa: PLC0415 - `query` only reads

    if not isinstance(event, DispatchClaimed | DispatchAdopted):
        return
    own = (by.worker_id, by.epoch, by.fencing_token) if isinstance(by, Lease) else None
    if own != (event.worker, event.epoch, event.token):
        raise IllegalTransition(f"Dispatch {event.dispatch} can only be taken in the name of one's own lease.")


def blank(project: ProjectId, scope: Scope) -> Snapshot:
    """Return the state before any event: what the fold of a milestone's journal begins with."""
    return Snapshot(project=project, scope=scope, rev=0, now=0.0, milestone=Milestone(id=MilestoneId(scope), title=""))
