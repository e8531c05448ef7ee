"""I29, I30: a question holds its own milestone until it is answered, and a verdict follows from the ledger alone."""

import random
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from tests.coordination.bench import PROJECT, TASK, small, staged
from tests.core.build import created
from tests.tiers import tier
from walkaway.agent.conversation import REPEATS_TO_STOP, StuckGuard
from walkaway.chaos.plan import USAGE, Json
from walkaway.chaos.stage import result_of
from walkaway.core.answer import answer
from walkaway.core.derive import Ask, Blocked, derive
from walkaway.core.errors import AgentStuck, IllegalTransition, LimitReached, StaleSnapshot, Usage
from walkaway.core.events import DispatchStuck, QuestionAnswered
from walkaway.core.failing.failure import CRASHES_TO_BLOCK, JUDGED, STUCK_TO_BLOCK
from walkaway.core.ids import Scope, UnitKey
from walkaway.core.model import DispatchStatus, FailureKind, Lease, Policy, Seen
from walkaway.core.retry import GiveUp, Later, next_run
from walkaway.engine.result import RunOptions, Status
from walkaway.store import Store, connect, create
from walkaway.store.replay import fold
from walkaway.testing.fakes import Turn
from walkaway.testing.moments import answered, claimed, failed, fence, pinned, question, reported, started
from walkaway.testing.store_bench import TTL, W1, W2, milestone, taken
from walkaway.testing.strategies import texts
from walkaway.testing.world import World
from walkaway.units import UNITS

PLAN = UnitKey("plan-milestone", "M001")


# ---- I29 -----------------------------------------------------------------------------------------------------------


def asked(store: Store, *, options: Sequence[str] = ("retry", "accept-as-is")) -> tuple[Scope, Scope]:
    """Two milestones, the first with an open question."""
    first, second = milestone(store), milestone(store)
    lease = taken(store, first)
    store.commit(lease, [pinned(), question(f"{first}-Q1", unit=f"plan-milestone {first}", options=tuple(options))])
    store.release(lease)
    return first, second


ILLEGAL = ("", " ", "retry ", " retry", "Retry", "RETRY", "yes", "y", "1", "0", "retry\n", "retry,accept-as-is", "None")


@pytest.mark.parametrize("words", ILLEGAL)
def test_i29_an_answer_that_is_none_leaves_the_question_open(store: Store, words: str) -> None:
    first, _ = asked(store)
    s = store.snapshot(first)
    for wrong in (words, f"M002-Q1 {words}"):
        with pytest.raises(Usage):
            answer(s, "M001-Q1", wrong, "ann")
    by_hand = QuestionAnswered(question="M001-Q1", answer=words, who="ann")
    seen = Seen(project=s.project, scope=first, rev=s.rev, who="ann")
    with pytest.raises(IllegalTransition):
        store.commit(seen, [by_hand])
    assert store.snapshot(first).blocked_by == s.blocked_by is not None


@given(words=texts)
def test_i29_whatever_a_person_says_that_is_no_option_is_no_answer(words: str) -> None:
    q = question(options=("retry", "accept-as-is")).question
    s = replace(created(), questions={q.id: q})
    for name in (q.id, words, f"{q.id} "):
        if name == q.id and words in q.options:
            continue
        with pytest.raises(Usage):
            answer(s, name, words, "ann")
    assert isinstance(derive(s, UNITS), Blocked)


def test_i29_an_open_question_keeps_every_unit_of_its_milestone_from_being_claimed_and_no_other(store: Store) -> None:
    first, second = asked(store)
    for scope, held in ((first, True), (second, False)):
        lease = taken(store, scope)
        s = store.snapshot(scope)
        assert isinstance(derive(s, UNITS), Blocked) is held
        for kind, target in (("plan-milestone", scope), ("execute-task", f"{scope}/S01/T01"), ("anything", scope)):
            claim = claimed(fence(lease), kind, target, f"{scope}-D9")
            if held:
                with pytest.raises(IllegalTransition, match="waits for an answer"):
                    store.commit(lease, [claim])
            else:
                store.commit(lease, [claim])
                break
        store.release(lease)
    assert store.snapshot(first).dispatches == {}


def test_i29_an_answer_unlocks_its_own_milestone_only(store: Store) -> None:
    first, second = asked(store)
    lease = taken(store, second)
    store.commit(lease, [pinned(), question(f"{second}-Q1", unit=f"plan-milestone {second}")])
    store.release(lease)
    s = store.snapshot(first)
    seen = Seen(project=s.project, scope=first, rev=s.rev, who="ann")
    with pytest.raises(IllegalTransition):
        store.commit(seen, [answered(f"{second}-Q1")])
    with pytest.raises(Usage):
        answer(s, f"{second}-Q1", "retry", "ann")
    store.commit(seen, answer(s, f"{first}-Q1", "retry", "ann"))
    assert store.snapshot(first).blocked_by is None
    assert store.snapshot(second).blocked_by is not None
    with pytest.raises(StaleSnapshot):
        store.commit(seen, [answered(f"{first}-Q1")])
    assert store.snapshot(first).questions[f"{first}-Q1"].answered_by == "ann"


UNMET: Json = {
    "tools": [
        {"name": "report", "args": {"verdict": "needs-remediation", "criteria": ["ls: no"], "rationale": "It is not."}}
    ],
    "usage": USAGE,
}


@pytest.mark.parametrize("database", tier(["sqlite"], ["sqlite", "postgres"]))
def test_i29_a_question_survives_kills_and_restarts_and_holds_its_own_milestone_only(
    database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = "" if database == "sqlite" else request.getfixturevalue("postgres_database")
    before = {"validate-milestone M001": [UNMET]}
    with staged(tmp_path / "stage", url, before=before, milestones=2, tasks=1) as stage:
        auto = stage.start()
        stage.until(lambda: stage.store.snapshot(Scope("M001")).blocked_by is not None, "the question is asked")
        auto.signal(signal.SIGKILL)
        auto.wait()
        waiting = stage.store.snapshot(Scope("M001"))
        auto = stage.start()
        assert auto.wait(60) == 10, auto.output()
        assert [b["reason"] for b in result_of(auto)["blocked"]] == ["needs-remediation"]
        assert stage.store.snapshot(Scope("M002")).milestone.status == "complete", "the other one is not held"
        now = stage.store.snapshot(Scope("M001"))
        assert (now.questions, now.dispatches) == (waiting.questions, waiting.dispatches)

        assert stage.run("answer", "M001-Q1", "accept it as it is").exit_code == 2
        assert stage.store.snapshot(Scope("M001")).questions == waiting.questions
        stage.walkaway("answer", "M001-Q1", "accept-as-is")
        assert stage.run("auto", "--json").exit_code == 0


# ---- I30 -----------------------------------------------------------------------------------------------------------

KINDS = (*sorted(JUDGED), FailureKind.STUCK, FailureKind.LEASE_LOST, FailureKind.PROVIDER)


class Ledger:
    """One milestone whose first unit fails again and again, in ways that are drawn."""

    def __init__(self, store: Store, scope: Scope) -> None:
        self.store = store
        self.scope = scope
        self.key = UnitKey("plan-milestone", scope)
        self.lease: Lease = taken(store, scope, W1)
        store.commit(self.lease, [pinned()])

    def fails(self, kind: str, number: int) -> None:
        name = f"{self.scope}-D{number:03}"
        attempt = 1 + sum(d.failure in JUDGED for d in self.store.snapshot(self.scope).dispatches.values())
        by = fence(self.lease)
        self.store.commit(self.lease, [claimed(by, self.key.kind, self.scope, name, attempt), started(name)])
        if kind == FailureKind.LEASE_LOST:
            self.store.driver.skew += TTL + 1
            heir = self.store.acquire(self.scope, W2 if self.lease.worker_id == W1 else W1, TTL)
            assert heir is not None
            self.lease = heir
        elif kind == FailureKind.STUCK:
            self.store.commit(self.lease, [DispatchStuck(dispatch=name, why="again and again")])
        else:
            until = self.store.snapshot(self.scope).now + 30.0 if kind == FailureKind.PROVIDER else 0.0
            self.store.commit(self.lease, [reported(name), failed(name, kind, until)])


@pytest.mark.parametrize("seed", range(tier(4, 40)))
def test_i30_a_verdict_is_a_function_of_the_ledger_and_a_restart_changes_nothing(
    store: Store, store_url: str, seed: int
) -> None:
    rng = random.Random(seed)
    ledger = Ledger(store, milestone(store))
    drawn: list[str] = []
    while True:
        s = store.snapshot(ledger.scope)
        verdict = next_run(s, ledger.key)
        assert next_run(s, ledger.key) == verdict, "asked twice"
        told = replace(fold(store.project, ledger.scope, store.journal({})), now=s.now)
        assert next_run(told, ledger.key) == verdict, "from the journal"
        if rng.random() < 0.3:
            restarted = connect(store_url, store.project)
            again = restarted.snapshot(ledger.scope)
            assert next_run(replace(again, now=s.now), ledger.key) == verdict, "after a restart"
            restarted.close()
        if isinstance(verdict, GiveUp):
            assert isinstance(derive(s, UNITS), Ask)
            break
        if isinstance(verdict, Later):
            assert verdict.until - s.now <= 30.0
            store.driver.skew += 31.0
            continue
        counted = [kind for kind in drawn if kind != FailureKind.PROVIDER]
        assert len(counted) < (s.policy.attempts + STUCK_TO_BLOCK) * CRASHES_TO_BLOCK, "it is given up in bounded time"
        drawn.append(rng.choice(KINDS))
        ledger.fails(drawn[-1], len(drawn))
    judged = [kind for kind in drawn if kind in JUDGED]
    assert len(judged) <= Policy().attempts


def test_i30_the_same_failures_end_the_same_whether_one_worker_saw_them_or_each_its_own(tmp_path: Path) -> None:
    stores = [create(f"sqlite://{tmp_path}/{n}/state.db", PROJECT) for n in range(2)]
    one, many = worlds = [World(store, tmp_path / f"state{n}") for n, store in enumerate(stores)]
    for world in worlds:
        world.script = small({TASK: [Turn(raises=LimitReached("No report."))] * 9})
    one.run()
    while many.run(RunOptions(step=True)).status is Status.UNIT_DONE:
        pass
    ends = [
        [(d.status, d.failure, d.attempt) for d in world.snapshot().dispatches.values() if str(d.key) == TASK]
        for world in worlds
    ]
    assert ends[0] == ends[1] == [(DispatchStatus.FAILED, "limit", n) for n in (1, 2, 3)]
    assert one.snapshot().blocked_by.text == many.snapshot().blocked_by.text
    for store in stores:
        store.close()


def test_i30_the_same_call_again_and_again_is_ended_after_a_bounded_number_of_times() -> None:
    for _ in range(2):  # a restart begins a conversation anew: no count is carried over, and none is needed
        guard = StuckGuard()
        for _ in range(REPEATS_TO_STOP - 1):
            guard.seen("bash", '{"command":"ls"}')
        with pytest.raises(AgentStuck):
            guard.seen("bash", '{"command":"ls"}')
