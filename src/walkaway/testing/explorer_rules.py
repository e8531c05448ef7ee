"""What must hold between any state and the next: each rule yields, in words, what is wrong with one step.

Rule: nothing here asks the code under test. Who holds what is read from the history of leases, who is gone from what
the explorer did, which status may follow from a table of its own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from walkaway.core.errors import Held, LeaseLost, StaleSnapshot, WalkawayError
from walkaway.core.evolve import evolve
from walkaway.core.fleet import pause
from walkaway.core.fleet.order import DELIVERIES_MOST
from walkaway.core.fleet.pause import Control
from walkaway.core.ids import PROJECT_SCOPE, WorkerId
from walkaway.core.model import Lease, Snapshot
from walkaway.store.codec import event_from_entry
from walkaway.testing.explorer_cast import TTL, Hand, State
from walkaway.testing.explorer_facts import DispatchRow, EventRow, Facts, HeldRow, OrderRow
from walkaway.testing.explorer_moves import Move

JUDGED = {"verification", "hook", "report", "limit"}
FOLLOWS: Mapping[str, set[str]] = {
    "claimed": {"running", "failed", "canceled", "paused"},
    "running": {"reported", "failed", "stuck", "canceled", "paused"},
    "reported": {"completed", "failed"},
}
ENDS = {
    *("DispatchCompleted", "DispatchFailed", "DispatchStuck", "DispatchCanceled", "DispatchPaused"),
    "IntegrationConflicted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One move: what was, what it returned or was refused with, and what is now."""

    move: Move
    before: State
    lease: Lease | None
    returned: Lease | Snapshot | bool | None
    refused: WalkawayError | None
    facts: Facts
    same: bool
    """Whether the database is as it was."""

    @property
    def was(self) -> Facts:
        return self.before.facts

    @property
    def actor(self) -> Hand | None:
        """The worker that moved, as it was before."""
        return self.before.hands[self.move.at] if self.move.at >= 0 else None

    @property
    def news(self) -> Sequence[EventRow]:
        """What the journal has more than before."""
        known = {(e.scope, e.rev, e.i) for e in self.was.events}
        return [e for e in self.facts.events if (e.scope, e.rev, e.i) not in known]

    @property
    def opened(self) -> Sequence[HeldRow]:
        """The leases given out."""
        return self.facts.lease_history[len(self.was.lease_history) :]


Rule = Callable[[Step], Iterator[str]]


# ---- leases ---------------------------------------------------------------------------------------------------------


def a_refusal_has_its_reason_and_changes_nothing(step: Step) -> Iterator[str]:
    error, actor = step.refused, step.actor
    if error is None:
        return
    if not step.same:
        yield "it was refused and changed the database"
    match error:
        case LeaseLost():
            right = step.lease is not None and actor is not None and not actor.holds(step.was)
        case StaleSnapshot() if step.lease is not None:
            right = actor is not None and actor.seen != step.was.lease.rev
        case StaleSnapshot():
            right = step.move.kind == "resumes" and not step.was.pause_records
        case Held():
            right = step.move.kind == "claims" and actor is not None and step.was.held(actor.id)
        case _:
            right = False
    if not right:
        yield f"there was no reason to refuse it: {type(error).__name__}: {error}"


def only_the_holder_writes(step: Step) -> Iterator[str]:
    """Expiry is not asked; a lease that was taken, released or revoked is worth nothing."""
    if step.lease is None or step.actor is None:
        return
    if step.actor.holds(step.was):
        if step.returned is False:
            yield "who holds the lease was told that it does not"
        return
    if not isinstance(step.refused, LeaseLost) and step.returned is not False:
        yield "a lease that is no more was accepted"
    if not step.same:
        yield "a lease that is no more changed the database"


def what_is_written_carries_the_fence_of_its_holder(step: Step) -> Iterator[str]:
    held = [*([step.was.holding] if step.was.holding else []), *step.opened]
    for event in step.news:
        fence = (event.by_whom, event.epoch, event.fencing_token)
        if event.fencing_token and fence not in {(h.worker_id, h.epoch, h.fencing_token) for h in held}:
            yield f"{event.type} was written under a fence that nobody held"


def the_history_tells_who_holds(step: Step) -> Iterator[str]:
    lease = step.facts.lease
    open_ = [(h.worker_id, h.fencing_token) for h in step.facts.lease_history if not h.ended_how]
    if open_ != ([(lease.worker_id, lease.fencing_token)] if lease.status == "held" else []):
        yield f"the history says {open_}, the lease {lease.status} {lease.worker_id} {lease.fencing_token}"
    for old, new in zip(step.was.lease_history, step.facts.lease_history, strict=False):
        if old != new and (old.ended_how or old[:4] != new[:4] or not new.ended_how):
            yield "an entry of the history was changed"
    if step.facts.lease.rev < step.was.lease.rev:
        yield "the revision went back"


def tokens_only_rise(step: Step) -> Iterator[str]:
    last = max((h.fencing_token for h in step.was.lease_history), default=0)
    for held in step.opened:
        if held.fencing_token <= last:
            yield f"token {held.fencing_token} was given out after {last}"
        last = held.fencing_token
    if len(step.facts.lease_history) < len(step.was.lease_history) or step.facts.lease.fencing_token != last:
        yield f"the lease has token {step.facts.lease.fencing_token}, the last one given out is {last}"


def only_what_is_free_lapsed_or_a_dead_workers_is_taken(step: Step) -> Iterator[str]:
    held, lease = step.was.holding, step.was.lease
    free = held is None or lease.expires_at <= step.before.now
    gone = held is not None and step.was.gone(held.worker_id)
    if held and step.opened and not (free or gone):
        yield f"the lease of {held.worker_id} was taken while it lived"
    proof = step.actor.proof if step.actor else None
    proven = gone and (proof is None or (held is not None and proof[0] == held.worker_id))
    asked = step.move.kind in {"acquires", "resumes"} and step.refused is None
    if asked and (free or proven) and step.returned is None:
        yield "it could not be taken though it was free"
    if asked and isinstance(step.returned, Lease) != bool(step.opened):
        yield "what was returned is not what was given out"


def a_lease_lasts_its_ttl(step: Step) -> Iterator[str]:
    given = step.move.kind == "renews" or isinstance(step.returned, Lease)
    if given and step.refused is None and step.facts.lease.expires_at != step.before.now + TTL:
        yield f"it lapses {step.facts.lease.expires_at - step.before.now} s from now"


def a_take_over_settles(step: Step) -> Iterator[str]:
    """Cancelled where the work is lost, adopted where it was reported; in the same transaction."""
    live = step.was.live
    if not step.opened or live is None:
        return
    now = next(d for d in step.facts.unit_dispatches if d.id == live.id)
    if live.status == "reported":
        if (now.status, now.worker_id, now.fencing_token) != (
            "reported",
            step.opened[-1].worker_id,
            step.opened[-1].fencing_token,
        ):
            yield f"a reported dispatch was not adopted: it is {now.status} of token {now.fencing_token}"
    elif (now.status, now.failure) != ("canceled", "lease-lost"):
        yield f"a {live.status} dispatch was not cancelled: it is {now.status}"


def nobody_else_ends_a_lease(step: Step) -> Iterator[str]:
    held = step.was.holding
    revoked = step.move.kind == "revokes the lease"
    if revoked and (step.returned is not True or step.facts.holding):
        yield "a revocation did not end the lease"
    if held is None or step.opened or step.facts.holding is not None:
        return
    right = revoked or (step.move.kind == "releases" and step.actor is not None and step.actor.holds(step.was))
    if not right:
        yield "a lease ended that nobody gave back, took or revoked"


# ---- dispatches -----------------------------------------------------------------------------------------------------


def one_dispatch_is_live_and_has_the_fence_of_the_lease(step: Step) -> Iterator[str]:
    live = [d for d in step.facts.unit_dispatches if d.live]
    if len(live) > 1:
        yield f"{len(live)} dispatches are live"
    token = step.facts.lease.fencing_token
    for d in live:
        if d.fencing_token != token:
            yield f"{d.id} is live under token {d.fencing_token}, and {token} was given out since"


def a_dispatch_goes_its_way_and_ends_once(step: Step) -> Iterator[str]:
    now = {d.id: d for d in step.facts.unit_dispatches}
    ends = [event_from_entry(e.type, e.body).dispatch for e in step.news if e.type in ENDS]
    for old in step.was.unit_dispatches:
        new = now.pop(old.id, None)
        if new is None or (not old.live and new != old):
            yield f"{old.id}, which is {old.status}, became {new}"
            continue
        if new.status != old.status and new.status not in FOLLOWS[old.status]:
            yield f"{old.id} went from {old.status} to {new.status}"
        if ends.count(old.id) != int(old.live and not new.live):
            yield f"{old.id} has {ends.count(old.id)} ends in the journal"
    for new in now.values():
        yield from _claimed(step, new)


def _claimed(step: Step, new: DispatchRow) -> Iterator[str]:
    actor = step.actor
    if new.status != "claimed" or step.move.kind != "claims" or actor is None:
        yield f"{new.id} was made as {new.status}"
        return
    if step.was.held(actor.id):
        yield f"{actor.id} claimed while a person said otherwise"
    if actor.seen != step.was.lease.rev:
        yield f"{actor.id} claimed as of revision {actor.seen}, and it was {step.was.lease.rev}"
    start = max((q.after for q in step.was.questions if q.answer), default=0)
    judged = [d for d in step.was.unit_dispatches if d.seq > start and d.failure in JUDGED]
    if new.attempt != len(judged) + 1:
        yield f"attempt {new.attempt} after {len(judged)} refusals"


def a_unit_is_done_once(step: Step) -> Iterator[str]:
    done = sum(e.type == "TaskDone" for e in step.facts.events)
    completed = sum(d.status == "completed" for d in step.facts.unit_dispatches)
    if not done == completed == int(step.facts.done):
        yield f"done {done} times by {completed} dispatches"


# ---- people ---------------------------------------------------------------------------------------------------------


def a_pause_is_consumed_once_by_who_resumes(step: Step) -> Iterator[str]:
    before, after = ({p.id for p in facts.pause_records} for facts in (step.was, step.facts))
    ends = [e.type for e in step.news if e.type in {"Resumed", "PauseDropped", "Stopped"}]
    if before - after and not ends:
        yield "a pause is gone without a word"
    if "Resumed" in ends and (step.move.kind != "resumes" or PROJECT_SCOPE not in before or not step.opened):
        yield "a pause was resumed that was not there, or by nobody who resumes"
    if step.move.kind == "resumes" and step.opened and PROJECT_SCOPE in after:
        yield "a resume took the lease and left the pause"
    if "Stopped" in ends and PROJECT_SCOPE in after:
        yield "a stop left a pause"


def orders_are_kept_delivered_to_one_and_completed_by_it(step: Step) -> Iterator[str]:
    was, now = step.was.command_queue, step.facts.command_queue
    sent = int(step.move.kind.startswith("orders"))
    if len(now) != len(was) + sent:
        yield f"there were {len(was)} orders, {sent} was sent, and there are {len(now)}"
    for old, new in zip(was, now, strict=False):
        yield from (f"order {old.seq}: {wrong}" for wrong in _moved(step, old, new))
    actor = step.actor
    if step.move.kind == "answers the order" and actor is not None:
        old = next(o for o in was if o.seq == actor.order)
        if (step.returned is True) != ((old.status, old.claimed_by) == ("claimed", actor.id)):
            yield f"order {old.seq} is {old.status} of {old.claimed_by}, and {actor.id} was told {step.returned}"


def _moved(step: Step, old: OrderRow, new: OrderRow) -> Iterator[str]:
    if old == new:
        return
    if not old.open or (old.seq, old.worker) != (new.seq, new.worker):
        yield f"it was {old.status} for ever and became {new.status}"
    lapsed = old.claim_expires_at <= step.before.now
    gone = step.facts.gone(old.claimed_by)
    actor = step.actor.id if step.actor else ""
    match old.status, new.status:
        case _, "claimed":
            if new.claimed_by != actor or new.worker not in {"", actor} or new.deliveries != old.deliveries + 1:
                yield f"{actor} took it for {new.claimed_by} as delivery {new.deliveries}"
            if old.status == "claimed" and not lapsed:
                yield f"{new.claimed_by} was given what {old.claimed_by} has"
        case "claimed", "waiting" if not (lapsed or gone):
            yield f"it was taken from {old.claimed_by}"
        case "claimed", "done" if old.claimed_by != actor or step.move.kind != "answers the order":
            yield f"{actor or step.move.who} completed what {old.claimed_by} has"
        case "waiting", "done":
            yield "it was completed by nobody who has it"
        case _, "dead" if not (step.facts.gone(old.worker) or old.deliveries >= DELIVERIES_MOST):
            yield "it was put aside for no reason"
        case _:
            pass


def the_dead_leave_nothing_behind(step: Step) -> Iterator[str]:
    """A recovery settles all, and changes nothing where nothing is left; only who is gone is ever settled."""
    for worker in step.facts.workers:
        if worker.status == "crashed" and not step.facts.gone(worker.id):
            yield f"{worker.id} lives and was buried"
        if worker.status in {"crashed", "stopped"}:
            if any(o.status == "claimed" and o.claimed_by == worker.id for o in step.facts.command_queue):
                yield f"{worker.id} was settled and has an order"
            if any(o.open and o.worker == worker.id for o in step.facts.command_queue):
                yield f"{worker.id} was settled and an order waits for it"
    if step.move.kind.startswith("recovers") and step.refused is None:
        worker_id = WorkerId(step.move.kind.rpartition(" ")[2])
        held, found = step.facts.holding, step.facts.worker(worker_id)
        if (held and held.worker_id == worker_id) or found is None or found.status != "crashed":
            yield f"{worker_id} was recovered and is {found}"
        if (step.returned is False) != step.same:
            yield f"the recovery said changed = {step.returned}"


# ---- the journal ----------------------------------------------------------------------------------------------------


def the_journal_tells_what_is(step: Step, kept: Snapshot, said: Control) -> "tuple[Snapshot, Control, list[str]]":
    """Fold what the journal has more than before; what it tells is what the tables say, and a commit returned."""
    told, control = step.before.told, step.before.control
    wrong: list[str] = []
    if list(step.facts.events[: len(step.was.events)]) != list(step.was.events):
        wrong.append("the journal was not only added to")
    try:
        for e in step.news:
            if e.scope == PROJECT_SCOPE:
                control = pause.evolve(control, event_from_entry(e.type, e.body), e.at, e.rev)
            else:
                told = evolve(told, event_from_entry(e.type, e.body), e.at)
    except WalkawayError as error:
        wrong.append(f"the journal tells what cannot be: {error}")
    if kept.aggregate != told.aggregate:
        wrong.append("the fold of the journal is not what the tables say")
    if replace(control, rev=0) != replace(said, rev=0):
        wrong.append("the fold of the project's journal is not what the tables say")
    if isinstance(step.returned, Snapshot) and step.returned.aggregate != kept.aggregate:
        wrong.append("a commit returned a state that is not kept")
    return told, control, wrong


RULES: Sequence[Rule] = (
    a_refusal_has_its_reason_and_changes_nothing,
    only_the_holder_writes,
    what_is_written_carries_the_fence_of_its_holder,
    the_history_tells_who_holds,
    tokens_only_rise,
    only_what_is_free_lapsed_or_a_dead_workers_is_taken,
    a_lease_lasts_its_ttl,
    a_take_over_settles,
    nobody_else_ends_a_lease,
    one_dispatch_is_live_and_has_the_fence_of_the_lease,
    a_dispatch_goes_its_way_and_ends_once,
    a_unit_is_done_once,
    a_pause_is_consumed_once_by_who_resumes,
    orders_are_kept_delivered_to_one_and_completed_by_it,
    the_dead_leave_nothing_behind,
)


def wrong(step: Step) -> Iterator[str]:
    """Yield what is wrong with a step, by any rule, with the name of the rule."""
    for rule in RULES:
        for words in rule(step):
            yield f"{rule.__name__.replace('_', ' ')}: {words}"
