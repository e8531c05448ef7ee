"""What can happen next: the moves of the workers, of everybody else, and of time.

A move is one transaction of the production's `Store`, or an accident. What a worker does in two transactions is two
moves, so that anything can happen in between: it proves a holder dead and takes; it reads, chooses and claims.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from walkaway.core.derive import Ask, Start
from walkaway.core.events import DispatchPaused, PolicyChanged, QuestionRaised
from walkaway.core.fleet.pause import Pause, Stop
from walkaway.core.ids import PROJECT_SCOPE, DispatchId, WorkerId
from walkaway.core.model import DispatchStatus, FailureKind, Policy, Seen
from walkaway.identity import me
from walkaway.testing.explorer_cast import JANITOR, PERSON, PROJECT, SCOPE, TASK, TTL, Hand, Scene, State
from walkaway.testing.explorer_facts import GONE
from walkaway.testing.moments import (
    answered,
    canceled,
    claimed,
    completed,
    failed,
    fence,
    question,
    reported,
    started,
    task_done,
)

Do = Callable[[Scene], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What can happen: ``at`` is the place of the hand that moves, -1 for everybody else; it costs one of ``cost``."""

    kind: str
    who: str
    do: Do
    at: int = -1
    cost: str = ""

    def __str__(self) -> str:
        return f"{self.who} {self.kind}".strip()


@dataclass(frozen=True, slots=True)
class Mover:
    """Makes the moves of one hand."""

    who: str
    at: int

    def __call__(self, kind: str, do: Do, cost: str = "") -> Move:
        return Move(kind=kind, who=self.who, do=do, at=self.at, cost=cost)


# ---- workers --------------------------------------------------------------------------------------------------------


def _look(scene: Scene) -> None:
    scene.hand = replace(scene.hand, proof=scene.store._dead_holder(SCOPE))


def _renew(scene: Scene) -> None:
    scene.lease = lease = scene.hand.lease
    assert lease is not None
    scene.store.renew(lease, TTL)


def _release(scene: Scene) -> None:
    scene.lease = lease = scene.hand.lease
    assert lease is not None
    scene.returned = scene.store.release(lease)
    scene.hand = scene.hand.without_lease()


def _choose(scene: Scene) -> None:
    scene.hand = scene.hand.choosing(scene.store.snapshot(SCOPE))


def _claim(scene: Scene) -> None:
    hand = scene.hand
    assert hand.lease is not None
    assert isinstance(hand.decision, Start)
    key, number = hand.decision.key, len(scene.before.facts.unit_dispatches) + 1
    event = claimed(fence(hand.lease), key.kind, key.target, f"{SCOPE}-D{number:03}", hand.decision.attempt)
    scene.commit(event, expect=hand.seen)


def _ask(scene: Scene) -> None:
    assert isinstance(scene.hand.decision, Ask)
    scene.commit(QuestionRaised(question=scene.hand.decision.question), expect=scene.hand.seen)


def _ask_about_it(scene: Scene) -> None:
    """The work cannot be judged here: the dispatch stays reported until a person has answered."""
    number = len(scene.before.facts.questions) + 1
    scene.commit(question(f"{SCOPE}-Q{number}", reason="environment"))


def _complete(scene: Scene) -> None:
    scene.commit(task_done(TASK), completed(scene.hand.dispatch))


def _pause_dispatch(scene: Scene) -> None:
    scene.commit(DispatchPaused(dispatch=DispatchId(scene.hand.dispatch), why="A person said so."))


def _take_order(scene: Scene) -> None:
    found = scene.store.commands.claim(scene.hand.id, TTL)
    scene.returned = found is not None
    scene.hand = replace(scene.hand, order=found.seq if found else 0)


def _answer_order(scene: Scene) -> None:
    scene.returned = scene.store.commands.complete(scene.hand.order, scene.hand.id, "done so")
    scene.hand = replace(scene.hand, order=0)


def _leave(scene: Scene) -> None:
    scene.store.end_worker(scene.hand.id)
    scene.hand = Hand(place=scene.hand.place, life=scene.hand.life, up=False)


def _crash(scene: Scene) -> None:
    """The process is gone: its row names one that no process is."""
    scene.memory.run("UPDATE workers SET started = :gone WHERE id = :id", gone=GONE, id=scene.hand.id)
    scene.hand = Hand(place=scene.hand.place, life=scene.hand.life, up=False)


def _restart(scene: Scene) -> None:
    scene.hand = Hand(place=scene.hand.place, life=scene.hand.life + 1)
    scene.store.register(scene.hand.id, me())


STEPS: Mapping[DispatchStatus, tuple[tuple[str, Do], ...]] = {
    DispatchStatus.CLAIMED: (("starts", lambda scene: scene.commit(started(scene.hand.dispatch))),),
    DispatchStatus.RUNNING: (("reports", lambda scene: scene.commit(reported(scene.hand.dispatch))),),
    DispatchStatus.REPORTED: (
        ("completes", _complete),
        ("fails", lambda scene: scene.commit(failed(scene.hand.dispatch))),
    ),
}


def _of_hand(state: State, at: int) -> Iterator[Move]:
    hand, facts, left = state.hands[at], state.facts, state.left

    move = Mover(hand.id, at)

    if not hand.up:
        if left["restart"]:
            yield move("starts again", _restart, "restart")
        return
    if left["crash"]:
        yield move("crashes", _crash, "crash")
    if hand.lease is None:
        yield move("acquires", lambda scene: scene.take(None))
        if any(event.type == "Paused" for event in facts.events):
            yield move("resumes", lambda scene: scene.take(PROJECT_SCOPE))
        if facts.holding and facts.gone(facts.holding.worker_id) and hand.proof is None:
            yield move("proves the holder dead", _look)
        if left["leave"] and not hand.order:
            yield move("leaves", _leave, "leave")
    else:
        yield from _under_lease(state, hand, move)
    if hand.order:
        yield move("answers the order", _answer_order)
    elif any(o.open and o.worker in {"", hand.id} for o in facts.command_queue):
        yield move("takes an order", _take_order)


def _under_lease(state: State, hand: Hand, move: Mover) -> Iterator[Move]:
    facts = state.facts
    if not hand.holds(facts) or facts.lease.expires_at <= state.now:  # else it changes nothing
        yield move("renews", _renew)
    yield move("releases", _release)
    if hand.phase is not None:
        yield from _at_work(state, hand, hand.phase, move)
    elif isinstance(hand.decision, Start):
        yield move("claims", _claim)
    elif isinstance(hand.decision, Ask):
        yield move("asks", _ask)
    elif hand.seen != facts.lease.rev:
        yield move("looks again", _choose)


def _at_work(state: State, hand: Hand, phase: DispatchStatus, move: Mover) -> Iterator[Move]:
    for kind, do in STEPS[phase]:
        yield move(kind, do)
    if phase is DispatchStatus.REPORTED:
        if state.left["question"]:
            yield move("asks about its dispatch", _ask_about_it, "question")
        return
    if state.facts.held(hand.id):
        yield move("pauses its dispatch", _pause_dispatch)
    if hand.order:
        yield move("cancels its dispatch", _cancel)


def _cancel(scene: Scene) -> None:
    scene.commit(canceled(scene.hand.dispatch, FailureKind.CANCELLED))


# ---- everybody else -------------------------------------------------------------------------------------------------


def _pause(scene: Scene) -> None:
    scene.store.controls.pause(Pause(id=PROJECT_SCOPE, who=PERSON))


def _stop(scene: Scene) -> None:
    scene.store.controls.stop(Stop(id=PROJECT_SCOPE, who=PERSON))


def _edit(scene: Scene) -> None:
    seen = Seen(project=PROJECT, scope=SCOPE, rev=scene.before.facts.lease.rev, who=PERSON)
    scene.store.commit(seen, [PolicyChanged(policy=Policy(usd=1.0 + scene.before.left["edit"]))])


def _answer(scene: Scene) -> None:
    asked = next(q.id for q in scene.before.facts.questions if not q.answer)
    seen = Seen(project=PROJECT, scope=SCOPE, rev=scene.before.facts.lease.rev, who=PERSON)
    scene.store.commit(seen, [answered(asked)])


def _revoke(scene: Scene) -> None:
    lease = scene.before.facts.lease
    scene.returned = scene.store.revoke(SCOPE, WorkerId(lease.worker_id), lease.fencing_token)


def _send(worker: WorkerId | None) -> Do:
    def do(scene: Scene) -> None:
        scene.store.commands.send("cancel", "{}", who=PERSON, worker=worker)

    return do


def _recover(worker: str) -> Do:
    def do(scene: Scene) -> None:
        scene.returned = scene.store.recover(WorkerId(worker), JANITOR).changed

    return do


def _sleep(scene: Scene) -> None:
    scene.memory.clock += TTL + 1


def moves(state: State) -> Iterator[Move]:
    """Yield everything that can happen next."""
    for at in range(len(state.hands)):
        yield from _of_hand(state, at)
    facts, left = state.facts, state.left
    words: list[tuple[str, str, Do]] = [("pause", "pauses", _pause), ("stop", "stops", _stop), ("edit", "edits", _edit)]
    words.append(("order", "orders anybody", _send(None)))
    words += [("order", f"orders {hand.id}", _send(hand.id)) for hand in state.hands if hand.up]
    if facts.holding:
        words.append(("revoke", "revokes the lease", _revoke))
    for cost, kind, do in words:
        if left[cost]:
            yield Move(kind=kind, who=PERSON, do=do, cost=cost)
    if any(not q.answer for q in facts.questions):
        yield Move(kind="answers", who=PERSON, do=_answer)
    for worker in facts.workers:
        if worker.started == GONE and worker.status != "crashed":
            yield Move(kind=f"recovers {worker.id}", who=JANITOR, do=_recover(worker.id))
    ends = [o.claim_expires_at for o in facts.command_queue if o.status == "claimed"]
    if facts.lease.status == "held":
        ends.append(facts.lease.expires_at)
    if left["expiry"] and any(end > state.now for end in ends):
        yield Move(kind="a TTL passes", who="", do=_sleep, cost="expiry")
