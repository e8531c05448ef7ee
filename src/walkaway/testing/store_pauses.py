"""Conformance of pauses and stops: what they hold, what consumes them, and what the journal says of them."""

from dataclasses import replace

import pytest

from walkaway.core.errors import Held, StaleSnapshot, Usage
from walkaway.core.fleet.pause import Control, Pause, Stop, evolve
from walkaway.core.ids import PROJECT_SCOPE, Scope, WorkerId
from walkaway.core.model import Lease
from walkaway.identity import me
from walkaway.store import Store, connect
from walkaway.store.codec import event_from_entry
from walkaway.testing.moments import claimed, fence, pinned
from walkaway.testing.store_bench import TTL, W1, W2, W3, assert_consistent, milestone, taken, together


def present(store: Store, *workers: WorkerId) -> None:
    for worker in workers:
        store.register(worker, me())


def told_control(store: Store) -> Control:
    """What the journal of the project's own scope says."""
    control = Control()
    for entry in store.journal({}):
        if entry.scope == PROJECT_SCOPE:
            control = evolve(control, event_from_entry(entry.type, entry.body), entry.at, entry.rev)
    return control


def assert_control_consistent(store: Store) -> None:
    kept = store.controls.read()
    assert replace(told_control(store), rev=0) == replace(kept, rev=0)


def claim(store: Store, lease: Lease) -> None:
    s = store.snapshot(lease.scope)
    store.commit(lease, [claimed(fence(lease), "plan-milestone", lease.scope, f"{lease.scope}-d1")], expect=s.rev)


class TestPauses:
    def test_a_pause_holds_every_claim_of_what_it_restricts_and_nothing_else(self, store: Store) -> None:
        first, second = milestone(store), milestone(store)
        present(store, W1, W2)
        one, other = taken(store, first, W1), taken(store, second, W2)
        for lease in (one, other):
            store.commit(lease, [pinned()])
        store.controls.pause(Pause(id=first, reason="lunch", who="ann"))
        with pytest.raises(Held):
            claim(store, one)
        assert store.snapshot(first).dispatches == {}
        claim(store, other)
        assert_consistent(store, first)
        assert_control_consistent(store)

    def test_a_pause_of_the_project_also_holds_workers_that_come_later(self, store: Store) -> None:
        scope = milestone(store)
        store.controls.pause(Pause(id=PROJECT_SCOPE, who="ann"))
        present(store, W1)
        lease = taken(store, scope)
        store.commit(lease, [pinned()])
        with pytest.raises(Held):
            claim(store, lease)

    def test_pausing_twice_keeps_the_first(self, store: Store) -> None:
        first = store.controls.pause(Pause(id=PROJECT_SCOPE, reason="lunch", who="ann"))
        store.driver.skew += 10
        assert store.controls.pause(Pause(id=PROJECT_SCOPE, reason="other", who="bob")) == first
        assert_control_consistent(store)

    def test_a_milestone_that_never_was_cannot_be_paused(self, store: Store) -> None:
        with pytest.raises(Usage):
            store.controls.pause(Pause(id=Scope("M009"), who="ann"))

    def test_a_resume_consumes_the_pause_with_the_lease_and_only_once(self, store: Store) -> None:
        first, second = milestone(store), milestone(store)
        present(store, W1, W2)
        store.controls.pause(Pause(id=PROJECT_SCOPE, who="ann"))
        lease = store.acquire(first, W1, TTL, resume=PROJECT_SCOPE)
        assert lease is not None
        assert store.controls.read().pauses == {}
        with pytest.raises(StaleSnapshot):
            store.acquire(second, W2, TTL, resume=PROJECT_SCOPE)
        assert store.holder(second) is None, "nothing was taken by the resume that came too late"
        store.commit(lease, [pinned()])
        claim(store, lease)
        assert_control_consistent(store)

    def test_a_resume_that_gets_no_lease_leaves_the_pause(self, store: Store) -> None:
        scope = milestone(store)
        present(store, W1, W2)
        taken(store, scope, W1)
        store.controls.pause(Pause(id=PROJECT_SCOPE, who="ann"))
        assert store.acquire(scope, W2, TTL, resume=PROJECT_SCOPE) is None
        assert PROJECT_SCOPE in store.controls.read().pauses

    def test_a_step_holds_nobody_and_is_gone_when_its_milestone_is_taken(self, store: Store) -> None:
        scope = milestone(store)
        store.controls.pause(Pause(id=scope, step=True, who="w"))
        lease = taken(store, scope)
        assert store.controls.read().pauses == {}
        store.commit(lease, [pinned()])
        claim(store, lease)
        assert_control_consistent(store)

    def test_what_workers_leave_behind_adds_up(self, store: Store) -> None:
        present(store, W1, W2)
        store.controls.pause(Pause(id=PROJECT_SCOPE, who="ann"))
        note = Pause(
            id=PROJECT_SCOPE, milestone="M001", unit="execute-task M001/S01/T01", units_left=2, units=1, usd=0.5
        )
        store.controls.note(note, W1)
        store.controls.note(replace(note, unit="other", units_left=3, usd=None, elapsed_s=9.0), W2)
        kept = store.controls.read().pauses[PROJECT_SCOPE]
        assert (kept.unit, kept.units_left, kept.units) == ("execute-task M001/S01/T01", 5, 2)
        assert (kept.usd, kept.elapsed_s, kept.who) == (None, 9.0, "ann")
        assert_control_consistent(store)

    def test_a_note_after_the_pause_is_over_changes_nothing(self, store: Store) -> None:
        store.controls.note(Pause(id=PROJECT_SCOPE, unit="late"), W1)
        assert store.controls.read().pauses == {}

    def test_a_stop_ends_the_runs_under_way_and_no_later_one(self, store: Store) -> None:
        first, second = milestone(store), milestone(store)
        present(store, W1)
        lease = taken(store, first, W1)
        store.commit(lease, [pinned()])
        store.controls.stop(Stop(id=PROJECT_SCOPE, who="ann"))
        with pytest.raises(Held):
            claim(store, lease)
        began = store.register(W2, me())
        store.register(W3, me(), since=began - 1)
        later = taken(store, second, W2)
        store.commit(later, [pinned()])
        claim(store, later)
        store.release(lease)
        joined = taken(store, first, W3)
        with pytest.raises(Held):
            claim(store, joined)
        assert_control_consistent(store)

    def test_a_stop_puts_the_pauses_that_it_covers_away(self, store: Store) -> None:
        first, second = milestone(store), milestone(store)
        for scope in (PROJECT_SCOPE, first, second):
            store.controls.pause(Pause(id=scope, who="ann"))
        store.controls.stop(Stop(id=first, who="ann"))
        assert set(store.controls.read().pauses) == {PROJECT_SCOPE, second}
        store.controls.stop(Stop(id=PROJECT_SCOPE, who="ann"))
        assert store.controls.read().pauses == {}
        assert_control_consistent(store)

    def test_a_pause_and_claims_at_once_never_leave_a_claim_after_the_pause(self, store: Store, store_url: str) -> None:
        scopes = [milestone(store) for _ in range(4)]
        present(store, W1)
        leases = [taken(store, scope) for scope in scopes]
        for lease in leases:
            store.commit(lease, [pinned()])
        todo = list(leases)

        def work() -> None:
            own = connect(store_url, store.project)
            if not todo:
                own.controls.pause(Pause(id=PROJECT_SCOPE, who="ann"))
            else:
                lease = todo.pop()
                try:
                    claim(own, lease)
                except Held:
                    assert own.snapshot(lease.scope).dispatches == {}
            own.close()

        together(5, work)
        paused_at = next(e for e in store.journal({}) if e.type == "Paused").at
        claims = [e.at for e in store.journal({}) if e.type == "DispatchClaimed"]
        assert all(at <= paused_at for at in claims)
