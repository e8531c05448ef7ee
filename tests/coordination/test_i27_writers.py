"""I27, I28: many writers lose nothing, and a transaction that breaks anywhere leaves nothing."""

import multiprocessing
import random
import threading
from collections.abc import Callable, Iterator
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from tests.coordination.bench import PROJECT, Thrown, brittle, content, rows
from tests.tiers import tier
from walkaway.core.brief import ModelCall
from walkaway.core.errors import StaleSnapshot, StoreUnavailable
from walkaway.core.fleet.pause import Pause, Stop
from walkaway.core.ids import PROJECT_SCOPE, DispatchId, Scope
from walkaway.core.model import Lease, Policy
from walkaway.identity import me
from walkaway.store import Store, connect, create, sqlite
from walkaway.store.fleet.kv import KvScope
from walkaway.store.sqlite import SqliteDriver
from walkaway.testing.moments import claimed, fence, pinned, reported, started
from walkaway.testing.store_bench import TTL, W1, W2, W3, assert_consistent, milestone, taken
from walkaway.testing.store_pauses import assert_control_consistent
from walkaway.testing.world import dead_identity

PROCESSES, THREADS = tier((2, 4), (8, 1))
EACH = tier(40, 1250)

Told = tuple[int, int, int]
"""Orders sent, counts made, refusals told."""


# ---- I27 -----------------------------------------------------------------------------------------------------------


def opened(url: str, *, patient: bool) -> Store:
    """The store; one that is not patient waits for no other writer, where the database lets us say so."""
    if patient or not url.startswith("sqlite"):
        return connect(url, PROJECT)
    return Store(SqliteDriver(url.removeprefix("sqlite://"), busy_s=0.002), PROJECT)


def _writes(store: Store, name: str) -> Told:
    sent = counted = refused = 0
    for n in range(EACH):
        try:
            store.commands.send("wake", f"{name}-{n}", who=name)
            sent += 1
            if n % 5 == 0:
                seen = store.kv.get(KvScope(), "count")
                store.kv.put_if(KvScope(), "count", "x", version=seen.version if seen else 0)
                counted += 1
        except StoreUnavailable as error:
            refused += 1
            if "busy" not in str(error) and "locked" not in str(error):
                raise
        except StaleSnapshot:
            pass
    return sent, counted, refused


def _writers(url: str, number: int, barrier: Barrier, told: "Queue[Told]") -> None:
    barrier.wait()

    def work(thread: int) -> None:
        store = opened(url, patient=(number, thread) != (0, 0))
        found = (-1, -1, -1)
        try:
            found = _writes(store, f"{number}.{thread}")
        finally:
            told.put(found)
            store.close()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_i27_of_eight_writers_none_loses_a_write(store: Store, store_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(PROCESSES)
    told: Queue[Told] = context.Queue()
    processes = [context.Process(target=_writers, args=(store_url, n, barrier, told)) for n in range(PROCESSES)]
    for process in processes:
        process.start()
    found = [told.get(timeout=tier(60, 280)) for _ in range(PROCESSES * THREADS)]
    for process in processes:
        process.join()
    sent, counted, _ = map(sum, zip(*found, strict=True))
    patient = PROCESSES * THREADS - (store.driver.dialect == "sqlite")
    assert sum(refused == 0 for _, _, refused in found) >= patient, "who may wait is served"
    assert sent >= patient * EACH
    seqs = [row[0] for row in rows(store.driver, "SELECT seq FROM command_queue ORDER BY seq")]
    bodies = {row[0] for row in rows(store.driver, "SELECT body FROM command_queue")}
    assert seqs == list(range(1, sent + 1)), "as many rows as were said to be written"
    assert len(bodies) == sent
    assert rows(store.driver, "SELECT version FROM runtime_kv") == [(counted,)]


def test_i27_a_writer_has_the_lock_before_it_reads_anything(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path}/state.db"
    store = create(url, PROJECT)
    milestone(store)
    stranger = sqlite.sqlite3.connect(url.removeprefix("sqlite://"), isolation_level=None, timeout=0)
    with store.driver.write() as tx:
        for sql in ("BEGIN IMMEDIATE", "UPDATE workers SET unit = ''", "DELETE FROM events"):
            with pytest.raises(sqlite.sqlite3.OperationalError, match="locked"):
                stranger.execute(sql)
        assert tx.one("SELECT COUNT(*) FROM events") == (2,)
    stranger.execute("BEGIN IMMEDIATE")
    impatient = opened(url, patient=False)
    with pytest.raises(StoreUnavailable, match="locked"):
        milestone(impatient)
    stranger.close()
    assert milestone(impatient) == "M002"
    impatient.close()
    store.close()


# ---- I28 -----------------------------------------------------------------------------------------------------------

Act = Callable[[Store], object]


def story(lease: list[Lease]) -> Iterator[Act]:
    """Everything that writes, each act possible after those before it."""
    one, two = Scope("M001"), Scope("M002")
    for _ in (one, two):
        yield lambda s: s.new_milestone("A tool", "Make it.", Policy(), "ann")
    yield lambda s: s.register(W1, dead_identity())
    yield lambda s: s.register(W2, me())
    yield lambda s: lease.append(taken(s, one))
    yield lambda s: s.commit(lease[0], [pinned()], texts=["long"])
    yield lambda s: s.commit(lease[0], [claimed(fence(lease[0]), "plan-milestone", one), started()])
    yield lambda s: s.beat(W1, "plan-milestone M001")
    yield lambda s: s.spend(one, DispatchId("d1"), ModelCall(model="m", input_tokens=1, output_tokens=1, usd=0.1))
    yield lambda s: s.renew(lease[0], TTL)
    yield lambda s: s.kv.put(KvScope(), "k", "1")
    yield lambda s: s.kv.put_if(KvScope(), "k", "2", version=1)
    yield lambda s: s.commands.send("wake", "{}", who="ann")
    yield lambda s: s.commands.claim(W1, TTL)
    yield lambda s: s.commands.broadcast("wake", "{}", who="ann")
    yield lambda s: s.controls.pause(Pause(id=PROJECT_SCOPE, who="ann"))
    yield lambda s: s.controls.note(Pause(id=PROJECT_SCOPE, unit="x"), W1)
    yield lambda s: s.recover(W1, W2)
    yield lambda s: lease.append(s.acquire(one, W2, TTL, resume=PROJECT_SCOPE))
    yield lambda s: s.commit(lease[1], [claimed(fence(lease[1]), "plan-milestone", one, "d2"), started("d2")])
    yield lambda s: s.commit(lease[1], [reported("d2")])
    yield lambda s: s.revoke(one, W2, lease[1].fencing_token)
    yield lambda s: s.register(W3, me())
    yield lambda s: lease.append(taken(s, one, W3))  # what was reported is adopted
    yield lambda s: s.controls.pause(Pause(id=two, who="ann"))
    yield lambda s: s.controls.drop(two, "it is over", "ann")
    yield lambda s: s.controls.stop(Stop(id=one, who="ann"))
    yield lambda s: s.commands.claim(W2, TTL)
    yield lambda s: s.release(lease[2])
    yield lambda s: s.kv.delete(KvScope(), "k")
    yield lambda s: s.stopping(W2)
    yield lambda s: s.end_worker(W2)


@pytest.mark.parametrize("seed", range(tier(1, 10)))
def test_i28_whatever_a_transaction_is_at_when_it_breaks_nothing_of_it_stays(store: Store, seed: int) -> None:
    rng = random.Random(seed)
    broken, driver = brittle(store)
    leases: list[Lease] = []
    throws = 0
    for number, act in enumerate(story(leases)):
        before = content(store.driver)
        at = 0
        while True:
            driver.left = at
            driver.error = rng.choice(
                [Thrown("now"), StoreUnavailable("Now."), KeyboardInterrupt(), LookupError("now")]
            )
            had = len(leases)
            try:
                act(broken)
            except (Thrown, StoreUnavailable, KeyboardInterrupt, LookupError):
                assert content(store.driver) == before, f"act {number}, broken at statement {at}, left something"
                del leases[had:]
                throws += 1
                at += 1
            else:
                break
        assert driver.left is not None, "it ended before it was to break"
        driver.left = None
        assert content(store.driver) != before, f"act {number} did nothing"
    assert throws > 100
    for scope in ("M001", "M002"):
        assert_consistent(store, Scope(scope))
    assert_control_consistent(store)


def test_i28_transactions_do_not_nest_and_the_outer_is_whole_or_nothing(store: Store) -> None:
    before = content(store.driver)
    with pytest.raises(RuntimeError, match="do not nest"), store.driver.write() as tx:
        tx.run("INSERT INTO schema_version VALUES (77, 0)")
        store.kv.put(KvScope(), "inner", "x")
    assert content(store.driver) == before
    with store.driver.write() as tx:
        tx.run("INSERT INTO schema_version VALUES (77, 0)")
        with pytest.raises(RuntimeError, match="do not nest"):
            store.kv.put(KvScope(), "inner", "x")
    assert len(content(store.driver)["schema_version"]) == len(before["schema_version"]) + 1
    assert store.kv.get(KvScope(), "inner") is None
    assert store.kv.put(KvScope(), "after", "x") == 1
