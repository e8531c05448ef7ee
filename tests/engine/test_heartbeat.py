"""A lease is kept from a thread of its own, and trusted for less than it lasts."""

import threading
from collections.abc import Callable
from typing import cast

import pytest

from walkaway.clock import SystemClock
from walkaway.core.errors import Cancelled, LeaseLost, StoreUnavailable
from walkaway.core.ids import ProjectId, Scope, WorkerId
from walkaway.core.model import Lease
from walkaway.engine.heartbeat import Heartbeat
from walkaway.store import Store

TTL_S = 1.0
PATIENCE_S = 10.0
LEASE = Lease(
    project=ProjectId("p"), scope=Scope("M001"), worker_id=WorkerId("w"), epoch=1, fencing_token=1, expires_at=60.0
)


class Hand:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


class Renewals:
    """A store that answers renewals as a test says, and tells when it was asked."""

    def __init__(self, answer: Callable[[], None] = lambda: None) -> None:
        self.answer = answer
        self.asked = threading.Semaphore(0)
        self.units: list[str] = []
        self.times: list[float] = []

    def renew(self, lease: Lease, ttl_s: float) -> int:
        assert (lease, ttl_s) == (LEASE, self.ttl_s)
        self.times.append(SystemClock().monotonic())
        try:
            self.answer()
        finally:
            self.asked.release()
        return 1

    def beat(self, worker: WorkerId, unit: str) -> None:
        assert worker == LEASE.worker_id
        self.units.append(unit)

    ttl_s = TTL_S


class Lost:
    """Notes why a lease was lost."""

    def __init__(self) -> None:
        self.why: list[str] = []
        self.told = threading.Event()

    def __call__(self, why: str) -> None:
        self.why.append(why)
        self.told.set()


def heartbeat(store: Renewals, clock: Hand, lost: Lost) -> Heartbeat:
    return Heartbeat(cast("Store", store), LEASE, ttl_s=store.ttl_s, clock=clock, since=clock.monotonic(), on_lost=lost)


def down() -> None:
    raise StoreUnavailable("The database is away.")


def taken() -> None:
    raise LeaseLost("Another worker took it.")


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def lost() -> Lost:
    return Lost()


def in_thread(work: Callable[[], None]) -> tuple[threading.Thread, list[BaseException | None]]:
    """Do it in a thread; what it raised, or None, is in the list at its end."""
    ended: list[BaseException | None] = []

    def run() -> None:
        try:
            work()
        except Cancelled as error:
            ended.append(error)
        else:
            ended.append(None)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, ended


def test_a_lease_is_renewed_every_third_of_its_time(lost: Lost) -> None:
    store = Renewals()
    store.ttl_s = 0.3
    beat = Heartbeat(
        cast("Store", store), LEASE, ttl_s=0.3, clock=SystemClock(), since=SystemClock().monotonic(), on_lost=lost
    )
    with beat:
        for _ in range(4):
            assert store.asked.acquire(timeout=PATIENCE_S)

    gaps = [later - earlier for earlier, later in zip(store.times, store.times[1:], strict=False)]
    assert min(gaps) >= 0.09
    assert not lost.why


def test_the_register_shows_what_the_worker_does_from_the_next_beat_on(clock: Hand, lost: Lost) -> None:
    store = Renewals()
    with heartbeat(store, clock, lost) as beat:
        beat.doing("execute-task M001/S01/T01")
        assert store.asked.acquire(timeout=PATIENCE_S)

    assert store.units == ["execute-task M001/S01/T01"]


def test_the_gate_is_open_while_the_lease_is_trusted_and_asks_nobody(clock: Hand, lost: Lost) -> None:
    store = Renewals(down)
    beat = heartbeat(store, clock, lost)

    clock.time += TTL_S * 0.89
    beat.gate()

    assert store.times == []


def test_the_gate_closes_before_the_lease_expires_and_opens_when_it_is_renewed(clock: Hand, lost: Lost) -> None:
    store = Renewals()
    with heartbeat(store, clock, lost) as beat:
        clock.time += TTL_S * 0.91
        beat.gate()
        assert store.times, "it asked before it let anybody through"

    assert not lost.why


def test_what_was_asked_long_ago_is_trusted_from_when_it_was_asked(clock: Hand, lost: Lost) -> None:
    store = Renewals()
    beat = Heartbeat(
        cast("Store", store), LEASE, ttl_s=TTL_S, clock=clock, since=clock.time - TTL_S * 0.95, on_lost=lost
    )
    with beat:
        beat.gate()

    assert store.times, "acquiring took so long that the lease has to be renewed before it is used"


def test_trust_counts_from_when_a_renewal_was_sent_not_from_when_it_was_answered(clock: Hand, lost: Lost) -> None:
    def slow() -> None:
        clock.time += TTL_S / 2

    store = Renewals(slow)
    with heartbeat(store, clock, lost) as beat:
        beat.doing("a")
        assert store.asked.acquire(timeout=PATIENCE_S)
        store.answer = lambda: None
        beat.gate()
        clock.time += TTL_S * 0.45
        asked = len(store.times)
        beat.gate()
        assert len(store.times) > asked, "0.95 of its time has gone since it was sent"


def test_a_gate_in_doubt_waits_and_goes_on_when_the_renewal_is_granted(clock: Hand, lost: Lost) -> None:
    store = Renewals(down)
    with heartbeat(store, clock, lost) as beat:
        clock.time += TTL_S
        waiting, ended = in_thread(beat.gate)
        for _ in range(3):
            assert store.asked.acquire(timeout=PATIENCE_S)
        assert waiting.is_alive(), "the database does not answer: nobody goes on"

        store.answer = lambda: None
        waiting.join(PATIENCE_S)

    assert ended == [None]
    assert not lost.why


def test_no_answer_for_a_whole_time_to_live_is_a_loss(clock: Hand, lost: Lost) -> None:
    store = Renewals(down)
    with heartbeat(store, clock, lost) as beat:
        clock.time += TTL_S
        waiting, ended = in_thread(beat.gate)
        assert store.asked.acquire(timeout=PATIENCE_S)
        clock.time += TTL_S
        waiting.join(PATIENCE_S)

    assert isinstance(ended[0], Cancelled)
    assert "No renewal was answered" in beat.lost
    assert "The database is away." in beat.lost
    assert lost.why == [beat.lost]


def test_a_lease_that_another_worker_took_is_lost_at_the_next_beat(clock: Hand, lost: Lost) -> None:
    store = Renewals(taken)
    with heartbeat(store, clock, lost) as beat:
        beat.doing("anything")
        assert lost.told.wait(PATIENCE_S)
        with pytest.raises(Cancelled, match="Another worker took it"):
            beat.gate()

    assert lost.why == ["Another worker took it."]
    assert len(store.times) == 1, "it asks no more"


def test_a_database_that_is_away_for_a_moment_loses_nothing(clock: Hand, lost: Lost) -> None:
    store = Renewals(down)
    with heartbeat(store, clock, lost) as beat:
        beat.doing("a")
        assert store.asked.acquire(timeout=PATIENCE_S)
        store.answer = lambda: None
        beat.doing("b")
        assert store.asked.acquire(timeout=PATIENCE_S)
        beat.gate()

    assert not beat.lost


class Bug(Exception):
    """Something that nobody thought of."""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_heartbeat_that_ends_by_an_error_of_ours_keeps_nobody_waiting(clock: Hand, lost: Lost) -> None:
    def broken() -> None:
        raise Bug

    store = Renewals(broken)
    with heartbeat(store, clock, lost) as beat:
        clock.time += TTL_S
        with pytest.raises(Cancelled, match="ended by an error"):
            beat.gate()

    assert len(lost.why) == 1
