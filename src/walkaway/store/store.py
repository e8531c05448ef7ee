"""The state of one project: every method is one transaction.

What a commit does, and who may write, is in `door.py`; who may take, in `leases.py`; what workers and people share
besides the milestones, in `fleet/`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from walkaway.core.errors import LeaseLost, Usage
from walkaway.core.fleet.overview import Overview
from walkaway.core.ids import (
    PROJECT_SCOPE,
    DispatchId,
    MilestoneId,
    ProjectId,
    Scope,
    TextHash,
    UnitKey,
    WorkerId,
    milestone_id,
    milestone_number,
)
from walkaway.core.model import Authority, DispatchStatus, FailureKind, Lease, Policy, Seen, Snapshot
from walkaway.core.model import Usage as Spent
from walkaway.identity import Identity
from walkaway.store import blobs, journal, leases, loading, schema
from walkaway.store.door import Door, unknown
from walkaway.store.driver import Driver, Tx
from walkaway.store.fleet import workers
from walkaway.store.fleet.workers import Recovered
from walkaway.store.journal import Entry

if TYPE_CHECKING:
    from walkaway.core.brief import ModelCall
    from walkaway.core.events import Event
    from walkaway.core.registers.facts import RegisterEvent
    from walkaway.core.registers.model import Glance, RegisterKind, Registers
    from walkaway.store.fleet.commands import CommandQueue
    from walkaway.store.fleet.controls import Controls
    from walkaway.store.fleet.kv import RuntimeKv

T = TypeVar("T")

NEXT = "UPDATE milestone_leases SET rev = rev + 1 WHERE project_id = :project AND scope = :scope"

LOCK = "UPDATE milestone_leases SET rev = rev WHERE project_id = :project AND scope = :scope"

SPEND = """
INSERT INTO usage (project_id, scope, dispatch_id, call, model, input_tokens, output_tokens, cached_tokens, usd, at)
SELECT :project, :scope, :dispatch, COALESCE(MAX(call), 0) + 1, :model, :input, :output, :cached, :usd, {now}
FROM usage WHERE project_id = :project AND dispatch_id = :dispatch
"""


class Store:
    """The state of one project in one database; each thread that uses it has a connection of its own.

    Every method is one transaction. All raise `StoreUnavailable` where the database cannot be used.
    """

    def __init__(self, driver: Driver, project: ProjectId) -> None:
        """See the project ``project`` in the database behind ``driver``."""
        self.driver = driver
        self.project = project
        self._door = Door(project)

    @property
    def commands(self) -> "CommandQueue":
        """The orders to its workers."""
        from walkaway.store.fleet.commands import CommandQueue  # noqa: PLC0415 - `query` needs none of the three

        return CommandQueue(self.driver, self.project)

    @property
    def controls(self) -> "Controls":
        """Its pauses and stops."""
        from walkaway.store.fleet.controls import Controls  # noqa: PLC0415

        return Controls(self.driver, self.project)

    @property
    def kv(self) -> "RuntimeKv":
        """Its soft state."""
        from walkaway.store.fleet.kv import RuntimeKv  # noqa: PLC0415

        return RuntimeKv(self.driver, self.project)

    def snapshot(self, scope: Scope) -> Snapshot:
        """Return a milestone and all under it, at one instant; raise `Usage` if there is none."""
        with self.driver.read() as tx:
            found = loading.load(tx, self.project, scope)
        if not found.milestone.created_at:
            raise unknown(scope)
        return found

    def overview(self) -> Overview:
        """Return all milestones in short, the workers and what was spent, at one instant."""
        with self.driver.read() as tx:
            return loading.overview(tx, self.project)

    def commit(
        self,
        by: Authority,
        events: "Sequence[Event | RegisterEvent]",
        *,
        expect: int | None = None,
        texts: Iterable[str] = (),
    ) -> Snapshot:
        """Record what happened, all of it or nothing, and return the state after it.

        ``by`` is a held `Lease` (its fence is proved; expiry is not asked, ADR 0003) or what a person has `Seen`.
        With ``expect`` the state must still be at that revision: for choices, which are valid only if nothing moved.
        ``texts`` are kept as blobs. Raises `LeaseLost`, `StaleSnapshot`, `DispatchOver` or `IllegalTransition`,
        `Held` for a claim that a person's pause or stop forbids, and `Usage` for a milestone that never was.
        """
        with self.driver.write() as tx:
            at, after = self._door.record(tx, by, events, expect=expect, texts=texts)
        self._door.committed(at, after)
        return after

    def exists(self) -> bool:
        """Whether the database knows the project."""
        with self.driver.read() as tx:
            return leases.exists(tx, self.project, PROJECT_SCOPE)

    def is_integration(self, sha: str) -> bool:
        """Whether a commit is recorded as the integration of some milestone, prepared or published."""
        with self.driver.read() as tx:
            return loading.is_integration(tx, self.project, sha)

    def new_milestone(
        self,
        title: str,
        context: str,
        policy: Policy,
        who: str,
        plan: "Callable[[MilestoneId], Sequence[Event]]" = lambda _: (),
    ) -> MilestoneId:
        """Hand in a specification as the next milestone, and return its number; numbers are never used twice.

        ``plan`` returns what is known of its plan from the start: all of it is recorded, or nothing.
        """
        from walkaway.core.events import MilestoneCreated, PolicyChanged  # noqa: PLC0415 - `query` only reads

        with self.driver.write() as tx:
            if not tx.run(NEXT, project=self.project, scope=PROJECT_SCOPE):
                raise Usage(f"There is no project {self.project} in this database. Run walkaway init first.")
            taken = [scope for scope in journal.scopes(tx, self.project) if scope != PROJECT_SCOPE]
            made = milestone_id(1 + max((milestone_number(MilestoneId(m)) for m in taken), default=0))
            leases.ensure(tx, self.project, Scope(made))
            seen = Seen(project=self.project, scope=Scope(made), rev=0, who=who)
            events: list[Event] = [
                MilestoneCreated(milestone=made, title=title, context=blobs.text_hash(context)),
                PolicyChanged(policy=policy),
                *plan(made),
            ]
            self._door.record(tx, seen, events, texts=[context])
        return made

    def gate_pending(self, scope: Scope) -> str:
        """Return the gate of a milestone that waits for its answer; "" where none does."""
        with self.driver.read() as tx:
            return loading.gate_pending(tx, self.project, scope)

    def gates_asked(self) -> tuple[Scope, ...]:
        """Return the milestones that ever asked a gate."""
        with self.driver.read() as tx:
            return loading.gates_asked(tx, self.project)

    def registers(self) -> "Registers":
        """Return the decisions, requirements and memories of the project, at one instant."""
        from walkaway.store.registers import table  # noqa: PLC0415 - `query` shows none of them at length

        with self.driver.read() as tx:
            return table.load(tx, self.project)

    def registers_at_a_glance(self) -> "Glance":
        """Return how many requirements there are of each status, and the newest current decisions, at one instant."""
        from walkaway.store.registers.glance import glance  # noqa: PLC0415 - for `query` only

        with self.driver.read() as tx:
            return glance(tx, self.project)

    def reserve(self, kind: "RegisterKind") -> str:
        """Return the next identifier of a register; nobody else gets it, and one that is not used then is lost."""
        from walkaway.store.registers import table  # noqa: PLC0415

        return self._write(lambda tx: table.reserve(tx, self.project, kind))

    # ---- leases -----------------------------------------------------------------------------------------------------

    def acquire(self, scope: Scope, worker: WorkerId, ttl_s: float, *, resume: Scope | None = None) -> Lease | None:
        """Take a milestone and settle, in the same transaction, what its last holder left live.

        A claimed or running dispatch is cancelled (lease-lost); a reported one is adopted under the new fence. A
        holder that is provably dead (same host, boot and process namespace, process gone) is not waited for. Return
        None where a living holder has it; raise `Usage` for a milestone that never was.

        With ``resume`` the pause of that restriction is consumed in the same transaction; `StaleSnapshot`, and
        nothing is taken, where it is gone meanwhile.
        """
        wanted = leases.Wanted(project=self.project, scope=scope, worker=worker, ttl_s=leases.positive(ttl_s))
        dead = self._dead_holder(scope)
        with self.driver.write() as tx:
            lease = self._take(tx, wanted, dead)
            if lease is not None:
                from walkaway.store.fleet import controls  # noqa: PLC0415 - `query` only reads

                controls.consume(tx, self.project, scope, worker, resume)
            elif not leases.exists(tx, self.project, scope):
                raise unknown(scope)
            return lease

    def recover(self, worker: WorkerId, by: WorkerId) -> Recovered:
        """Settle, in one transaction, everything that a provably dead worker left; the second time nothing is left.

        Its milestones are free again, their dispatches cancelled (lease-lost) or kept where they were reported, its
        orders given back, its soft state forgotten. ``by`` is who says so in the journal. Raises `Refused` for a
        worker that may be alive.
        """
        with self.driver.write() as tx:
            workers.require_dead(tx, self.project, worker)
            freed: dict[Scope, UnitKey | None] = {}
            for scope, token in leases.held_by(tx, self.project, worker):
                wanted = leases.Wanted(project=self.project, scope=scope, worker=by, ttl_s=1.0)
                if leases.lock(tx, wanted, (worker, token)):
                    live = loading.load(tx, self.project, scope).live
                    if lease := self._take(tx, wanted, (worker, token)):
                        leases.release(tx, lease)
                        freed[scope] = live.key if live else None
            changed = workers.bury(tx, self.project, worker) or bool(freed)
            return Recovered(worker=worker, freed=freed, changed=changed)

    def _take(self, tx: Tx, wanted: leases.Wanted, dead: tuple[WorkerId, int]) -> Lease | None:
        from walkaway.core.events import DispatchAdopted, DispatchCanceled  # noqa: PLC0415 - `query` only reads

        lease = leases.take(tx, wanted, dead)
        if lease is None:
            return None
        live = loading.load(tx, self.project, wanted.scope).live
        event: Event | None = None
        if live is not None and live.status is DispatchStatus.REPORTED:
            event = DispatchAdopted(
                dispatch=live.id, worker=wanted.worker, epoch=lease.epoch, token=lease.fencing_token
            )
        elif live is not None:
            why = f"Its worker {live.worker_id} was gone; {wanted.worker} took over."
            event = DispatchCanceled(dispatch=live.id, failure=FailureKind.LEASE_LOST, why=why)
        if event is not None:
            self._door.record(tx, lease, [event])
        if dead[0]:
            workers.bury(tx, self.project, dead[0])
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

    def revoke(self, scope: Scope, worker: WorkerId, token: int) -> bool:
        """End, in a person's name, the lease that ``worker`` holds by ``token``; False if it holds it no more.

        What it was doing is settled by whoever takes the milestone next; it cannot write from now on.
        """
        return self._write(lambda tx: leases.revoke(tx, self.project, scope, worker, token))

    def holder(self, scope: Scope) -> WorkerId | None:
        """Return the worker that holds a scope, lapsed or not."""
        with self.driver.read() as tx:
            held = leases.holder(tx, self.project, scope)
        return held[0] if held else None

    def lease_history(self, scope: Scope) -> tuple[leases.Held, ...]:
        """Return who held a scope, from when to when, and how it ended; by token."""
        with self.driver.read() as tx:
            return leases.history(tx, self.project, scope)

    # ---- workers ----------------------------------------------------------------------------------------------------

    def register(self, worker: WorkerId, identity: Identity, *, since: int | None = None) -> int:
        """Enter a worker, before it takes any lease, and return the revision of the project at which its run began.

        ``since``: that revision, for a worker that joins a run begun before; None: the run begins now.
        """
        return self._write(lambda tx: workers.register(tx, self.project, worker, identity, since))

    def beat(self, worker: WorkerId, unit: str) -> None:
        """Say that a worker lives, and what it does."""
        self._write(lambda tx: workers.beat(tx, self.project, worker, unit))

    def stopping(self, worker: WorkerId) -> None:
        """Enter that a worker takes no more work."""
        self._write(lambda tx: workers.set_status(tx, self.project, worker, "stopping"))

    def end_worker(self, worker: WorkerId) -> None:
        """Enter that a worker stopped; its orders are given back and its soft state is forgotten."""
        self._write(lambda tx: workers.bury(tx, self.project, worker, "stopped"))

    # ---- what is outside the aggregates -----------------------------------------------------------------------------

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
            for scope in journal.scopes(tx, self.project):
                found.extend(journal.entries(tx, self.project, scope, after.get(scope, 0)))
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
