"""I31, I37: a wait is honoured, by whatever clock, and what stops is stopped: nobody tries for ever."""

import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.coordination.bench import EITHER, TASK, rows, small
from tests.tiers import tier
from walkaway.clock import SystemClock
from walkaway.core.errors import (
    CannotRun,
    GitFailed,
    LimitReached,
    ProviderDown,
    ProviderRefused,
    StoreUnavailable,
    WalkawayError,
)
from walkaway.core.failing.failure import JUDGED
from walkaway.core.fleet.pause import Pause
from walkaway.core.ids import PROJECT_SCOPE
from walkaway.core.model import Policy, Result
from walkaway.core.retry import PROVIDER_WAIT_MOST_S, TOLD_WAIT_MOST_S, GiveUp, next_run
from walkaway.engine import turn
from walkaway.engine.result import Progress, RunOptions, Status
from walkaway.store import Store
from walkaway.testing.fakes import Turn
from walkaway.testing.world import Died, Fate, World

HOUR_S = 3600.0
DOWN = Turn(raises=ProviderDown("429: slow down", retry_after=30.0))
EARLY = """
SELECT later.id, earlier.next_run_at - later.claimed_at FROM unit_dispatches earlier JOIN unit_dispatches later
ON later.project_id = earlier.project_id AND later.unit = earlier.unit AND later.target = earlier.target
AND later.seq > earlier.seq AND later.claimed_at < earlier.next_run_at
"""
"""Dispatches that were claimed before an earlier one of their unit allowed it."""


class Hand:
    """The machine's monotonic clock, moved on by hand."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._clock = SystemClock()

    def now(self) -> float:
        return self._clock.now()

    def monotonic(self) -> float:
        return self._clock.monotonic() + self.ahead


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def world(store: Store, tmp_path: Path, hand: Hand) -> World:
    """A world on either database, whose task finds the provider down at first."""
    return World(store, tmp_path / "world", script=small({TASK: [DOWN]}), clock=hand, ttl_s=600.0)


def waits(world: World) -> list[Progress]:
    return [progress for progress in world.told if progress.kind == "wait"]


def on_wait(world: World, does: Callable[[Progress], object]) -> None:
    """Let something happen when the worker begins to wait, the first time."""
    seen: list[Progress] = []

    def told(progress: Progress) -> None:
        if progress.kind == "wait" and not seen:
            seen.append(progress)
            does(progress)

    world.on_told = told


# ---- I31 -----------------------------------------------------------------------------------------------------------


def test_i31_no_dispatch_of_a_unit_is_claimed_before_its_time_also_after_a_restart(world: World) -> None:
    for ahead in (0.0, 10.0, 10.0):
        world.store.driver.skew += ahead
        assert world.run(RunOptions(wait=False)).status is Status.WAITING
        assert world.runs[TASK] == 1, "it is not its time yet"
    world.store.driver.skew += 10.5
    assert world.run(RunOptions(wait=False)).status is Status.COMPLETE
    assert world.runs[TASK] == 2
    assert rows(world.store.driver, EARLY) == []


def test_i31_a_wait_ends_when_the_clock_of_the_store_has_reached_it_and_not_before(world: World, hand: Hand) -> None:
    def told(progress: Progress) -> None:
        assert 29.0 < progress.seconds <= 30.0
        world.store.driver.skew += 29.5
        hand.ahead += 29.5

    on_wait(world, told)
    assert world.run().status is Status.COMPLETE
    assert rows(world.store.driver, EARLY) == []


@pytest.mark.parametrize("jump", tier([-HOUR_S], [-HOUR_S, -61.0]))
def test_i31_a_clock_that_is_set_back_during_a_wait_makes_it_no_longer(world: World, hand: Hand, jump: float) -> None:
    def told(progress: Progress) -> None:
        world.store.driver.skew += jump
        hand.ahead += progress.seconds + turn.SLACK_S

    on_wait(world, told)
    assert world.run().status is Status.COMPLETE
    assert world.runs[TASK] == 2
    assert [w.seconds <= 30.0 for w in waits(world)] == [True]


@pytest.mark.parametrize("jump", tier([-HOUR_S], [-HOUR_S, -61.0]))
def test_i31_a_worker_that_begins_after_the_clock_was_set_back_waits_no_longer_than_was_set(
    world: World, hand: Hand, jump: float
) -> None:
    assert world.run(RunOptions(wait=False)).status is Status.WAITING
    world.store.driver.skew += jump
    on_wait(world, lambda w: setattr(hand, "ahead", hand.ahead + w.seconds + turn.SLACK_S))
    assert world.run().status is Status.COMPLETE
    assert [0 < w.seconds <= 30.0 for w in waits(world)] == [True]


def test_i31_a_wait_set_after_the_clock_was_set_back_is_no_longer_than_was_set(world: World, hand: Hand) -> None:
    back = Turn(raises=DOWN.raises, meanwhile=lambda: setattr(world.store.driver, "skew", -HOUR_S))
    world.script = small({TASK: [back]})
    on_wait(world, lambda w: setattr(hand, "ahead", hand.ahead + w.seconds + turn.SLACK_S))
    assert world.run().status is Status.COMPLETE
    assert [w.seconds <= 30.0 for w in waits(world)] == [True]


def test_i31_a_wait_is_measured_in_real_time_while_the_clock_stands(store: Store, tmp_path: Path) -> None:
    world = World(store, tmp_path / "world", script=small({TASK: [Turn(raises=ProviderDown("429", retry_after=0.5))]}))
    clock = SystemClock()
    began: list[float] = []

    def told(progress: Progress) -> None:
        began.append(clock.monotonic())
        world.store.driver.skew -= HOUR_S

    on_wait(world, told)
    done = threading.Timer(30.0, lambda: worker.cancel("It waited for half a minute."))
    worker = world.worker()
    done.start()
    assert worker.run(RunOptions()).status is Status.COMPLETE
    done.cancel()
    again = next(d for d in world.snapshot().dispatches.values() if str(d.key) == TASK and d.status == "completed")
    assert again.attempt == 1
    assert clock.monotonic() - began[0] < 20.0


def test_i31_a_clock_that_is_set_forward_ends_a_wait_early_and_nothing_else(world: World) -> None:
    on_wait(world, lambda _w: setattr(world.store.driver, "skew", HOUR_S))
    assert world.run().status is Status.COMPLETE
    assert rows(world.store.driver, EARLY) == []


def test_i31_a_pause_and_a_death_in_the_middle_of_a_wait_lose_none_of_it(world: World, hand: Hand) -> None:
    on_wait(world, lambda _w: world.store.controls.pause(Pause(id=PROJECT_SCOPE, who="ann")))
    assert world.run().status is Status.PAUSED
    fate = Fate()

    def die(_w: Progress) -> None:
        fate.cause = "in the middle of a wait"

    on_wait(world, die)
    with pytest.raises(Died):
        world.worker(fate).run(RunOptions(resume=PROJECT_SCOPE))
    assert world.runs[TASK] == 1
    on_wait(world, lambda w: setattr(world.store.driver, "skew", w.seconds))
    assert world.run().status is Status.COMPLETE
    assert rows(world.store.driver, EARLY) == []


@pytest.mark.parametrize("database", EITHER)
@pytest.mark.parametrize("seed", range(tier(2, 30)))
def test_i31_attempts_never_exceed_the_policy_whoever_dies_or_pauses(store: Store, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    policy = Policy(attempts=rng.randint(1, 4))
    world = World(store, tmp_path / "world", policy=policy, script=small({}))
    world.verifier.known["test"] = lambda files: Result.FAIL if "M001/S01/T01.py" in files else Result.PASS
    for _ in range(200):
        if world.snapshot().blocked_by is not None:
            break
        if rng.random() < 0.3:
            world.store.controls.pause(Pause(id=PROJECT_SCOPE, who="ann"))
            assert world.run().status is Status.PAUSED
        resume = next(iter(world.store.controls.read().pauses), None)
        try:
            world.worker(Fate(rng.choice([None, rng.randrange(60)]))).run(RunOptions(resume=resume))
        except Died:
            continue
    asked = world.snapshot().blocked_by
    assert asked is not None
    runs = [d for d in world.snapshot().dispatches.values() if str(d.key) == TASK]
    judged = [d for d in runs if d.failure in JUDGED]
    assert len(judged) <= policy.attempts
    assert [d.attempt for d in judged] == list(range(1, len(judged) + 1)), "a death or a pause consumes no attempt"
    same_again = 3  # the same error twice, and once more although the attempt was to find its cause
    few = "stuck" if len(judged) == same_again else "kills-its-worker"
    assert asked.reason == ("attempts" if len(judged) == policy.attempts else few)


# ---- I37 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("database", EITHER)
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ProviderRefused("401: no such key"), "provider-refused"),
        (GitFailed("git is broken"), "git"),
        (CannotRun("make is missing"), "environment"),
    ],
)
def test_i37_what_a_person_has_to_mend_stops_at_once_and_each_start_tries_once_more(
    store: Store, tmp_path: Path, error: WalkawayError, reason: str
) -> None:
    world = World(store, tmp_path / "world", script=small({TASK: [Turn(raises=error)] * 3}))
    for tries in (1, 2, 3):
        ended = world.run()
        assert (ended.status, world.runs[TASK]) == (Status.BLOCKED, tries), "it is tried once, and not again and again"
        assert world.snapshot().blocked_by.reason == reason
        assert all(d.attempt == 1 for d in world.snapshot().dispatches.values()), "no attempt is consumed"
    assert world.run().status is Status.COMPLETE


@pytest.mark.parametrize("database", EITHER)
def test_i37_a_database_that_goes_away_stops_the_run(store: Store, tmp_path: Path) -> None:
    world = World(store, tmp_path / "world")
    away = threading.Event()

    def before(name: str) -> None:
        if away.is_set() and name in {"commit", "spend", "acquire"}:
            raise StoreUnavailable("The database is away.")

    world.script = small({TASK: [Turn(meanwhile=away.set)]})
    with pytest.raises(StoreUnavailable):
        world.run(fate=Fate(before=before))
    assert world.runs[TASK] == 1


@pytest.mark.parametrize("database", EITHER)
@pytest.mark.parametrize("told", [None, 0.0, 5.0, 1e6, 1e300, float("inf"), float("nan"), -3.0])
def test_i37_every_wait_has_an_upper_bound_whatever_the_provider_says(
    store: Store, tmp_path: Path, told: float | None
) -> None:
    tries = 9
    down = Turn(raises=ProviderDown("503", retry_after=told))
    world = World(store, tmp_path / "world", script=small({TASK: [down] * tries}), ttl_s=1e6)
    world.on_told = lambda p: p.kind == "wait" and setattr(store.driver, "skew", store.driver.skew + p.seconds)
    assert world.run().status is Status.COMPLETE
    failed = [d for d in world.snapshot().dispatches.values() if d.failure == "provider"]
    seconds = [d.next_run_at - d.claimed_at for d in failed]
    assert len(failed) == tries
    assert max(seconds) <= (PROVIDER_WAIT_MOST_S if told is None else TOLD_WAIT_MOST_S) + 60
    if told is None:
        assert sum(seconds) <= 30 + 60 + 120 + 240 + 480 + 960 + 3 * PROVIDER_WAIT_MOST_S + 60 * tries
    assert all(d.attempt == 1 for d in failed), "a wait consumes no attempt"


@pytest.mark.parametrize("database", EITHER)
def test_i37_what_fails_in_every_way_in_turn_is_given_up_after_a_bounded_number_of_runs(
    store: Store, tmp_path: Path
) -> None:
    ways = [LimitReached("No report."), ProviderDown("503"), LimitReached("No report."), ProviderDown("503")]
    world = World(store, tmp_path / "world", script=small({TASK: [Turn(raises=error) for error in ways * 9]}))
    world.on_told = lambda p: p.kind == "wait" and setattr(store.driver, "skew", store.driver.skew + p.seconds)
    assert world.run().status is Status.BLOCKED
    s = world.snapshot()
    assert world.runs[TASK] == 5, "three judged failures, with two waits between"
    assert isinstance(next_run(s, list(s.dispatches.values())[-1].key), GiveUp)
