"""I5, and I6 for what is written to the database: what ended stays ended, and an older fence writes nothing."""

import random
from collections.abc import Callable

import pytest

from tests.coordination.actor import race
from tests.coordination.audit import FINAL, MOVES
from tests.coordination.conftest import Crew
from tests.tiers import tier
from walkaway.core import events as e
from walkaway.core.errors import DispatchOver, IllegalTransition
from walkaway.core.ids import DispatchId, Sha, TextHash, WorkerId
from walkaway.core.model import FailureKind
from walkaway.store import Store
from walkaway.testing.moments import Fence, canceled, claimed, completed, failed, fence, pinned, reported, started
from walkaway.testing.store_bench import CALL, TTL, assert_consistent, milestone, taken

ROUNDS = tier(15, 1000)
LIVE = {"claimed", "running", "reported"}

MAKE: dict[str, Callable[[Fence, str], e.Event]] = {
    "DispatchClaimed": lambda by, d: claimed(by, "plan-milestone", "M001", d),
    "DispatchStarted": lambda _, d: started(d),
    "DispatchReported": lambda _, d: reported(d),
    "DispatchAdopted": lambda by, d: e.DispatchAdopted(
        dispatch=DispatchId(d), worker=by.worker, epoch=by.epoch, token=by.token
    ),
    "DispatchCompleted": lambda _, d: completed(d),
    "DispatchFailed": lambda _, d: failed(d),
    "IntegrationConflicted": lambda _, d: e.IntegrationConflicted(
        dispatch=DispatchId(d), onto=Sha("8" * 40), files=("a.py",), why="Both changed it.", log=TextHash("b" * 64)
    ),
    "DispatchStuck": lambda _, d: e.DispatchStuck(dispatch=DispatchId(d), why="again and again"),
    "DispatchCanceled": lambda _, d: canceled(d, FailureKind.CANCELLED),
    "DispatchPaused": lambda _, d: e.DispatchPaused(dispatch=DispatchId(d), why="ann paused it"),
}


# ---- I5 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(tier(4, 150)))
def test_i05_a_dispatch_goes_only_the_ways_of_the_table_and_what_ended_stays(store: Store, seed: int) -> None:
    chance = random.Random(seed)
    scope = milestone(store)
    lease = taken(store, scope)
    store.commit(lease, [pinned()])
    status: dict[str, str] = {}
    for _ in range(70):
        dispatch = chance.choice([*status, *[f"d{len(status)}"] * 2, *[d for d in status if status[d] in LIVE] * 8])
        ways = [kind for kind, (required, _) in MOVES.items() if status.get(dispatch, "") in (required or ("",))]
        kind = chance.choice([*MOVES, *ways * 4])
        required, made = MOVES[kind]
        claims = not required and dispatch not in status and not LIVE & set(status.values())
        before = store.snapshot(scope)
        if claims or (status.get(dispatch) in required and kind != "DispatchAdopted"):  # that wants a newer fence
            store.commit(lease, [MAKE[kind](fence(lease), dispatch)])
            status[dispatch] = made
        else:
            with pytest.raises((IllegalTransition, DispatchOver)) as refused:
                store.commit(lease, [MAKE[kind](fence(lease), dispatch)])
            if required and kind != "DispatchAdopted" and status.get(dispatch) in FINAL:
                assert refused.type is DispatchOver
            assert store.snapshot(scope).rev == before.rev, "a refusal leaves nothing behind"
        assert {d.id: str(d.status) for d in store.snapshot(scope).dispatches.values()} == status
    assert FINAL & set(status.values()), "seventy orders and nothing has ended"
    assert_consistent(store, scope)


@pytest.mark.parametrize(
    ("ways", "words"),
    [(("reported", "canceled"), {"IllegalTransition", "DispatchOver"}), (("completed", "failed"), {"DispatchOver"})],
    ids=["a report against a cancellation", "a completion against a failure"],
)
def test_i05_of_two_ends_at_once_exactly_one_is_recorded(
    store: Store, crew: Crew, ways: tuple[str, str], words: set[str]
) -> None:
    scope = milestone(store)
    holder, copy = crew(2)
    token = holder.do("acquire", scope, 600.0)
    holder.do("pin", scope)
    copy.do("share", scope, holder.me, token)
    won = set()
    for n in range(ROUNDS):
        dispatch = holder.do("claim", scope, f"M001-D{n}")
        holder.do("end", scope, dispatch, "started", *(["reported"] if ways[0] == "completed" else []))
        first, second = (holder, copy) if n % 2 else (copy, holder)
        first.tell("end", scope, dispatch, ways[0])
        second.tell("end", scope, dispatch, ways[1])
        said = [first.said(), second.said()]
        (way,) = set(said) & set(ways)
        won.add(way)
        assert set(said) - {way} <= words
        assert store.snapshot(scope).dispatches[dispatch].status == way
        if way == "reported":
            holder.do("end", scope, dispatch, "failed")
    ends = [
        entry
        for entry in store.journal({})
        if entry.type in {"DispatchCanceled", "DispatchFailed", "DispatchCompleted"}
    ]
    assert len(ends) == ROUNDS


# ---- I6: what is written to the database ---------------------------------------------------------------------------

WRITES: dict[str, tuple[str, tuple[object, ...]]] = {
    "a renewal": ("renew", (TTL,)),
    "a release": ("release", ()),
    "a claim": ("claim", ("M001-D002",)),
    "a report": ("end", ("M001-D001", "reported")),
    "a cancellation": ("end", ("M001-D001", "canceled")),
}
POINTS = {"renew": "renew", "release": "release", "claim": "commit:DispatchClaimed"}


@pytest.mark.parametrize("what", WRITES)
def test_i06_a_write_that_comes_after_the_heir_is_refused(store: Store, crew: Crew, what: str) -> None:
    deed, args = WRITES[what]
    scope = milestone(store)
    old, heir = crew(2)
    old.do("acquire", scope, TTL)
    old.do("pin", scope)
    old.do("claim", scope, "M001-D001")
    old.do("end", scope, "M001-D001", "started")
    facts = {"reported": "DispatchReported", "canceled": "DispatchCanceled"}
    old.stops(deed, scope, *args, fate=f"before {POINTS.get(deed) or f'commit:{facts[str(args[-1])]}'}")
    store.revoke(scope, WorkerId(old.me), 1)
    assert heir.do("acquire", scope, TTL) == 2
    before = store.snapshot(scope)
    old.goes_on()
    assert old.said() in {"LeaseLost", False}
    after = store.snapshot(scope)
    assert (after.rev, after.dispatches) == (before.rev, before.dispatches)
    assert store.holder(scope) == heir.me


def test_i06_eight_that_were_replaced_write_nothing_while_the_ninth_works(store: Store, crew: Crew) -> None:
    scope = milestone(store)
    everybody = crew(9)
    for token, each in enumerate(everybody, start=1):
        assert each.do("acquire", scope, 600.0) == token
        if each is not everybody[-1]:
            store.revoke(scope, WorkerId(each.me), token)
    *old, heir = everybody
    heir.do("pin", scope)
    for n in range(tier(3, 100)):
        for each in old:
            each.tell("claim", scope, f"M001-D9{n}")
        assert heir.do("claim", scope, f"M001-D{n}") == f"M001-D{n}"
        assert {each.said() for each in old} == {"LeaseLost"}
        assert set(race(old, "end", scope, f"M001-D{n}", "started")) == {"LeaseLost"}
        assert heir.do("end", scope, f"M001-D{n}", "started", "canceled") == "canceled"
    wrote = {entry.fencing_token for entry in store.journal({}) if entry.type.startswith("Dispatch")}
    assert wrote == {9}


def test_i06_what_is_spent_is_counted_whoever_spent_it(store: Store) -> None:
    """Money is no protected effect: it is gone in any case. See `Store.spend`."""
    scope = milestone(store)
    lease = taken(store, scope)
    store.commit(lease, [pinned(), claimed(fence(lease), "plan-milestone", scope)])
    store.revoke(scope, lease.worker_id, lease.fencing_token)

    store.spend(scope, DispatchId("d1"), CALL)
    assert store.snapshot(scope).usage.calls == 1
