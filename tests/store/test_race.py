"""Eight processes want the same milestones at the same time."""

import multiprocessing
from collections import Counter
from collections.abc import Callable
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

from tests.tiers import tier
from walkaway.core.errors import StaleSnapshot, WalkawayError
from walkaway.core.ids import ProjectId, Scope, WorkerId
from walkaway.core.model import Seen
from walkaway.store import Store, connect
from walkaway.testing.moments import claimed, fence, pinned
from walkaway.testing.store_bench import milestone

PROCESSES = 8
ROUNDS = tier(12, 125)
TTL = 600.0
PROJECT = ProjectId("p")

Told = tuple[str, list[str], list[str]]


def _claims(url: str, number: int, barrier: Barrier, told: "Queue[Told]") -> None:
    """Race for each milestone: take it, then claim its first unit."""
    store = connect(url, PROJECT)
    won: list[str] = []
    wrong: list[str] = []
    me = WorkerId(f"w{number}")
    for n in range(1, ROUNDS + 1):
        scope = Scope(f"M{n:03}")
        barrier.wait()
        try:
            lease = store.acquire(scope, me, TTL)
            if lease is not None:
                won.append(f"{scope} {lease.fencing_token}")
                s = store.snapshot(scope)
                store.commit(lease, [claimed(fence(lease), "plan-milestone", scope, f"{scope}-{me}")], expect=s.rev)
        except WalkawayError as error:
            wrong.append(str(error))
    store.close()
    told.put((me, won, wrong))


def _appends(url: str, number: int, barrier: Barrier, told: "Queue[Told]") -> None:
    """Write under one shared milestone as people do: read, then write what was seen, again where it moved."""
    store = connect(url, PROJECT)
    done: list[str] = []
    wrong: list[str] = []
    scope = Scope("M001")
    barrier.wait()
    for n in range(ROUNDS):
        for _ in range(2000):
            seen = Seen(project=PROJECT, scope=scope, rev=store.snapshot(scope).rev, who=f"p{number}")
            try:
                store.commit(seen, [pinned(f"b{number}-{n}")])
            except StaleSnapshot:
                continue
            except WalkawayError as error:
                wrong.append(str(error))
            else:
                done.append(f"b{number}-{n}")
            break
    store.close()
    told.put((f"p{number}", done, wrong))


def _race(url: str, body: Callable[[str, int, Barrier, "Queue[Told]"], None]) -> list[Told]:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(PROCESSES)
    told: Queue[Told] = context.Queue()
    processes = [context.Process(target=body, args=(url, n, barrier, told)) for n in range(PROCESSES)]
    for process in processes:
        process.start()
    found = [told.get(timeout=240) for _ in processes]
    for process in processes:
        process.join()
    return found


def test_no_two_grants_and_no_lock_error_reaches_a_caller(store: Store, store_url: str) -> None:
    scopes = [milestone(store) for _ in range(ROUNDS)]
    found = _race(store_url, _claims)
    assert [wrong for _, _, errors in found for wrong in errors] == []
    grants = Counter(grant for _, won, _ in found for grant in won)
    assert grants == Counter(f"{scope} 1" for scope in scopes)
    for scope in scopes:
        (claim,) = store.snapshot(scope).dispatches.values()
        assert (claim.worker_id, claim.fencing_token) == (store.holder(scope), 1)
    claims = [entry for entry in store.journal({}) if entry.type == "DispatchClaimed"]
    assert len(claims) == len(scopes)


def test_no_write_is_lost_and_none_is_made_on_an_older_state(store: Store, store_url: str) -> None:
    scope = milestone(store)
    found = _race(store_url, _appends)
    assert [wrong for _, _, errors in found for wrong in errors] == []
    done = [branch for _, branches, _ in found for branch in branches]
    assert len(done) == PROCESSES * ROUNDS
    s = store.snapshot(scope)
    assert s.rev == 1 + len(done)
    pins = [entry for entry in store.journal({}) if entry.type == "TargetPinned"]
    assert [entry.rev for entry in pins] == list(range(2, s.rev + 1))
    assert {entry.by for entry in pins} == {f"p{n}" for n in range(PROCESSES)}
