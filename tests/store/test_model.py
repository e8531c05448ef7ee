"""Store == evolve == fold of the journal, over histories that can happen; and what cannot happen changes nothing."""

import os
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings, target
from hypothesis import strategies as st

from tests.tiers import tier
from walkaway.core.errors import IllegalTransition, LeaseLost, StaleSnapshot, Superseded
from walkaway.core.evolve import evolve
from walkaway.core.model import Lease, Seen, Snapshot
from walkaway.store import Store
from walkaway.store.codec import storable
from walkaway.store.replay import fold
from walkaway.testing.moments import fence, pinned
from walkaway.testing.store_bench import W1, W2, milestone, taken
from walkaway.testing.strategies import moves, strays

TTL = 60.0
SETTINGS = settings(
    max_examples=tier(25, 400),
    deadline=None,
    database=None,
    derandomize=tier(True, False),
    suppress_health_check=list(HealthCheck),
    phases=[p for p in Phase if p is not Phase.shrink or "NO_SHRINK" not in os.environ],
)
ROWS = ("slices", "tasks", "dispatches", "questions", "evidence")


def assert_same(a: Snapshot, b: Snapshot) -> None:
    assert a.aggregate == b.aggregate
    for name in ROWS:
        assert list(getattr(a, name)) == list(getattr(b, name))


@SETTINGS
@given(data=st.data())
def test_store_equals_evolve_equals_fold_of_the_journal(store: Store, data: st.DataObject) -> None:
    scope = milestone(store)
    lease = taken(store, scope)
    model = store.commit(lease, [pinned()])
    for step in range(data.draw(st.integers(5, tier(25, 40)), label="steps")):
        kind = data.draw(st.sampled_from(["move", "move", "move", "move", "move", "person", "stray", "taken", "clock"]))
        before = store.snapshot(scope)
        assert_same(before, model)
        assert before.rev == model.rev
        if kind == "clock":
            store.driver.skew += data.draw(st.sampled_from([-3600.0, -61.0, 0.0, 61.0]))
        elif kind == "taken":
            lease, model = _taken_over(store, lease, model, step)
        elif kind == "stray":
            stray = data.draw(strays(before, fence(lease)), label="stray")
            with pytest.raises((IllegalTransition, Superseded)):
                store.commit(lease, [*data.draw(moves(before, fence(lease))), stray, stray])
            with pytest.raises((IllegalTransition, Superseded)):
                store.commit(lease, [stray])
        else:
            model = _moved(store, lease, model, data, as_person=kind == "person")
    after = store.snapshot(scope)
    assert_same(after, model)
    journal = [entry for entry in store.journal({}) if entry.scope == scope]
    assert_same(after, fold(store.project, scope, journal))
    places = [(entry.rev, entry.i) for entry in journal]
    assert places == sorted(set(places))
    times = [entry.at for entry in sorted(journal, key=lambda e: (e.rev, e.i))]
    assert times == sorted(times)
    assert after.now >= max(times)
    target(float(len(after.dispatches)))


def _moved(store: Store, lease: Lease, model: Snapshot, data: st.DataObject, *, as_person: bool) -> Snapshot:
    events = data.draw(moves(model, fence(lease)), label="events")
    by: Lease | Seen = lease
    claims = any(type(event).__name__ in {"DispatchClaimed", "DispatchAdopted"} for event in events)
    if as_person and not claims:
        by = Seen(project=store.project, scope=model.scope, rev=model.rev, who="ann")
        late = replace(by, rev=model.rev - 1)
        with pytest.raises(StaleSnapshot):
            store.commit(late, events)
    returned = store.commit(by, events, expect=data.draw(st.sampled_from([None, model.rev])))
    for event in events:
        model = evolve(model, storable(event)[0], returned.now)
    assert_same(returned, model)
    assert returned.rev == model.rev + 1
    return replace(model, rev=returned.rev, now=returned.now)


def _taken_over(store: Store, lease: Lease, model: Snapshot, step: int) -> tuple[Lease, Snapshot]:
    store.driver.skew += max(0.0, lease.expires_at - store.now()) + 1  # however far back the clock was set
    heir = store.acquire(lease.scope, W2 if step % 2 else W1, TTL)
    assert heir is not None
    assert heir.fencing_token == lease.fencing_token + 1
    with pytest.raises(LeaseLost):
        store.commit(lease, [])
    after = store.snapshot(lease.scope)
    live = model.live
    if live is None:
        assert_same(after, model)
    elif live.status == "reported":
        assert after.dispatches[live.id].fencing_token == heir.fencing_token
    else:
        assert after.dispatches[live.id].failure == "lease-lost"
    return heir, after
