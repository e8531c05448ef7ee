"""What must hold in a state whatever happens next: questions put to a database, whose answers are taken back.

They depend on the database alone, so they are put once for each content that differs. The last one is the way out: from
every state, once a TTL has passed, a fresh worker takes the milestone and finishes its unit.
"""

from collections.abc import Callable, Iterator

from walkaway.core import events as e
from walkaway.core.derive import Ask, Blocked, Resume, Start, derive
from walkaway.core.errors import DispatchOver, Held, IllegalTransition, LeaseLost, Refused, StaleSnapshot, WalkawayError
from walkaway.core.ids import PROJECT_SCOPE, DispatchId, WorkerId
from walkaway.core.model import FailureKind, Lease, Policy, Seen
from walkaway.identity import me
from walkaway.store import Store
from walkaway.testing.explorer_cast import JANITOR, PERSON, PROJECT, SCOPE, TASK, TTL
from walkaway.testing.explorer_facts import Facts, HeldRow
from walkaway.testing.explorer_memory import Memory
from walkaway.testing.moments import (
    answered,
    canceled,
    claimed,
    completed,
    failed,
    fence,
    reported,
    started,
    task_done,
)
from walkaway.units import UNITS

FRESH = WorkerId("z1")
STRANGER = WorkerId("x1")
FORMER = 2
"""How many of the leases that are over are tried, the last ones."""
TURNS_MOST = 12


class Asked:
    """Puts questions to one database."""

    def __init__(self, memory: Memory, facts: Facts) -> None:
        self.memory = memory
        self.facts = facts
        self.store = Store(memory, PROJECT)

    def refused(
        self, error: type[WalkawayError] | tuple[type[WalkawayError], ...], what: str, do: Callable[[], object]
    ) -> Iterator[str]:
        """Yield what is wrong unless ``do`` is refused in this way, or returns that it did nothing."""
        with self.memory.taken_back():
            try:
                answer = do()
            except error:
                return
            except WalkawayError as other:
                yield f"{what} was answered by {type(other).__name__}: {other}"
                return
        if answer is not False and answer is not None:
            yield f"{what} was accepted"

    def wrong(self) -> Iterator[str]:
        yield from self._former_leases()
        yield from self._present_lease()
        yield from self._others()

    def _former_leases(self) -> Iterator[str]:
        """A lease that is over neither writes nor renews nor ends another."""
        store = self.store
        over = [held for held in self.facts.lease_history if held.ended_how]
        for held in over[-FORMER:]:
            lease = _lease(held)
            name = f"lease {held.fencing_token} of {held.worker_id}, which was {held.ended_how}:"
            yield from self.refused(LeaseLost, f"{name} a renewal", lambda lease=lease: store.renew(lease, TTL))
            yield from self.refused(LeaseLost, f"{name} a write", lambda lease=lease: store.commit(lease, []))
            yield from self.refused(LeaseLost, f"{name} a release", lambda lease=lease: store.release(lease))
            yield from self.refused(
                LeaseLost,
                f"{name} a revocation",
                lambda held=held: store.revoke(SCOPE, WorkerId(held.worker_id), held.fencing_token),
            )

    def _present_lease(self) -> Iterator[str]:
        """Not even the holder changes how a dispatch ended, claims a second one, or claims as of what is over."""
        held = self.facts.holding
        if held is None:
            return
        lease, store, rev = _lease(held), self.store, self.facts.lease.rev
        over = [d.id for d in self.facts.unit_dispatches if not d.live]
        for dispatch in over[-1:]:
            for event in _all_of(dispatch):
                name = f"{type(event).__name__} of {dispatch}, which is over,"
                yield from self.refused(DispatchOver, name, lambda event=event: store.commit(lease, [event]))
        again = claimed(fence(lease), "execute-task", TASK, "again")
        if self.facts.live:
            yield from self.refused((IllegalTransition, Held), "a second claim", lambda: store.commit(lease, [again]))
        late = f"a claim as of revision {rev - 1}"
        yield from self.refused(StaleSnapshot, late, lambda: store.commit(lease, [again], expect=rev - 1))
        theirs = claimed(fence(_lease(held._replace(worker_id=STRANGER))), "execute-task", TASK, "theirs")
        yield from self.refused(IllegalTransition, "a claim for another", lambda: store.commit(lease, [theirs]))

    def _others(self) -> Iterator[str]:
        """Nobody does what is another's: settle the living, write as of what is over, complete or resume."""
        facts, store = self.facts, self.store
        for worker in facts.workers:
            wanted = WorkerId(worker.id)
            if not facts.gone(worker.id):
                what = f"a recovery of {worker.id}, who lives,"
                yield from self.refused(Refused, what, lambda wanted=wanted: store.recover(wanted, JANITOR))
            elif worker.status == "crashed":
                what = f"a second recovery of {worker.id}"
                yield from self.refused(Refused, what, lambda wanted=wanted: store.recover(wanted, JANITOR).changed)
        seen = Seen(project=PROJECT, scope=SCOPE, rev=facts.lease.rev - 1, who=PERSON)
        change = e.PolicyChanged(policy=Policy())
        yield from self.refused(StaleSnapshot, "an edit of what is over", lambda: store.commit(seen, [change]))
        for order in facts.command_queue:
            by = WorkerId(order.claimed_by) if order.status == "done" else STRANGER
            what = f"order {order.seq}, which is {order.status}, completed by {by}"
            yield from self.refused(Refused, what, lambda n=order.seq, by=by: store.commands.complete(n, by, ""))
        if not facts.pause_records:
            yield from self.refused(StaleSnapshot, "a resume of what is not paused", self._resumed_late)

    def _resumed_late(self) -> Lease | None:
        self.memory.clock += TTL + 1
        return self.store.acquire(SCOPE, FRESH, TTL, resume=PROJECT_SCOPE)

    # ---- the way out ------------------------------------------------------------------------------------------------

    def way_out(self) -> Iterator[str]:
        """Yield what is wrong where nothing can go on: everybody but a fresh worker and a person sleeps for good."""
        with self.memory.taken_back():
            try:
                yield from self._way_out()
            except WalkawayError as error:
                yield f"there is no way out: {type(error).__name__}: {error}"

    def _way_out(self) -> Iterator[str]:
        """The fresh worker resumes what is paused; the person answers what is asked."""
        store, paused = self.store, bool(self.facts.pause_records)
        self.memory.clock += TTL + 1
        store.register(FRESH, me())
        lease = store.acquire(SCOPE, FRESH, TTL, resume=PROJECT_SCOPE if paused else None)
        if lease is None:
            yield "there is no way out: nobody can take the milestone"
            return
        for _ in range(TURNS_MOST):
            s = store.snapshot(SCOPE)
            if s.tasks[TASK].completed_at:
                break
            match derive(s, UNITS):
                case Start(key=key, attempt=attempt):
                    name = f"{SCOPE}-D{len(s.dispatches) + 1:03}"
                    begun = claimed(fence(lease), key.kind, key.target, name, attempt)
                    store.commit(lease, [begun, started(name), reported(name)], expect=s.rev)
                case Resume(dispatch=live):
                    store.commit(lease, [task_done(TASK), completed(live.id)])
                case Ask(question=question):
                    store.commit(lease, [e.QuestionRaised(question=question)], expect=s.rev)
                case Blocked(question=question):
                    store.commit(Seen(project=PROJECT, scope=SCOPE, rev=s.rev, who=PERSON), [answered(question.id)])
                case other:
                    yield f"there is no way out: {other}"
                    return
        if not store.snapshot(SCOPE).tasks[TASK].completed_at:
            yield "there is no way out: the unit is never done"
        yield from self._orders_out()

    def _orders_out(self) -> Iterator[str]:
        store = self.store
        for worker in self.facts.workers:
            if self.facts.gone(worker.id):
                store.recover(WorkerId(worker.id), FRESH)
        while order := store.commands.claim(FRESH, TTL):
            store.commands.complete(order.seq, FRESH, "done so")
        for order in store.commands.listed():
            if order.status not in {"done", "dead"} and (not order.worker or self.facts.gone(order.worker)):
                yield f"order {order.seq} is {order.status} for ever"


def _lease(held: HeldRow) -> Lease:
    return Lease(
        project=PROJECT,
        scope=SCOPE,
        worker_id=WorkerId(held.worker_id),
        epoch=held.epoch,
        fencing_token=held.fencing_token,
        expires_at=0.0,
    )


def _all_of(dispatch: str) -> list[e.Event]:
    """Return every fact that can be about a dispatch."""
    return [
        started(dispatch),
        reported(dispatch),
        completed(dispatch),
        failed(dispatch),
        canceled(dispatch, FailureKind.CANCELLED),
        e.DispatchPaused(dispatch=DispatchId(dispatch), why="late"),
        e.DispatchStuck(dispatch=DispatchId(dispatch), why="late"),
    ]
