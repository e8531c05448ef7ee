"""Conformance of what a take-over settles, and of clocks. Wants ``store`` and ``store_url``."""

import pytest

from walkaway.core.errors import DispatchOver, IllegalTransition, LeaseLost
from walkaway.core.model import DispatchStatus, FailureKind
from walkaway.identity import me
from walkaway.store import Store, connect
from walkaway.testing.moments import canceled, claimed, fence, pinned, planned, reported, run_of, started
from walkaway.testing.store_bench import TTL, W1, W2, lease_row, milestone, taken


class TestSettling:
    @pytest.mark.parametrize("running", [False, True])
    def test_a_take_over_cancels_what_had_not_reported(self, store: Store, *, running: bool) -> None:
        scope = milestone(store)
        old = taken(store, scope)
        store.commit(old, [claimed(fence(old), "plan-milestone", scope), *([started()] if running else [])])
        store.driver.skew += TTL + 1
        new = taken(store, scope, W2)
        run = store.snapshot(scope).dispatches["d1"]
        assert run.status is DispatchStatus.CANCELED
        assert run.failure == FailureKind.LEASE_LOST
        last = store.journal({})[-1]
        assert (last.type, last.by, last.fencing_token) == ("DispatchCanceled", W2, new.fencing_token)

    def test_a_take_over_adopts_what_had_reported_under_the_new_fence(self, store: Store) -> None:
        scope = milestone(store)
        old = taken(store, scope)
        store.commit(old, [claimed(fence(old), "plan-milestone", scope), started(), reported()])
        store.driver.skew += TTL + 1
        new = taken(store, scope, W2)
        run = store.snapshot(scope).dispatches["d1"]
        assert run.status is DispatchStatus.REPORTED
        assert (run.worker_id, run.epoch, run.fencing_token) == (W2, new.epoch, new.fencing_token)
        assert store.journal({})[-1].type == "DispatchAdopted"

    def test_a_take_over_leaves_finished_runs_alone(self, store: Store) -> None:
        scope = milestone(store)
        old = taken(store, scope)
        s = store.snapshot(scope)
        store.commit(old, run_of(s, fence(old), "plan-milestone", scope, [planned(s.milestone.id)], "d1"))
        before = store.snapshot(scope)
        store.release(old)
        taken(store, scope, W2)
        assert store.snapshot(scope).dispatches == before.dispatches
        assert store.snapshot(scope).rev == before.rev

    def test_taking_and_settling_are_one_transaction(self, store: Store) -> None:
        scope = milestone(store)
        old = taken(store, scope)
        store.commit(old, [claimed(fence(old), "plan-milestone", scope)])
        with store.driver.write() as tx:  # the journal's next place is taken: settling cannot succeed
            tx.run(
                "INSERT INTO events (project_id, scope, rev, i, at, by_whom, epoch, fencing_token, type, body) "
                "SELECT project_id, scope, rev + 1, 0, 0, '', 0, 0, 'x', '{}' FROM milestone_leases WHERE scope = :s",
                s=scope,
            )
        store.driver.skew += TTL + 1
        before = lease_row(store, scope)
        with pytest.raises(IllegalTransition):
            store.acquire(scope, W2, TTL)
        assert lease_row(store, scope) == before

    def test_the_zombie_finds_its_run_over(self, store: Store) -> None:
        scope = milestone(store)
        old = taken(store, scope)
        store.commit(old, [claimed(fence(old), "plan-milestone", scope), started()])
        store.driver.skew += TTL + 1
        new = taken(store, scope, W2)
        with pytest.raises(LeaseLost):
            store.commit(old, [reported()])
        with pytest.raises(DispatchOver):
            store.commit(new, [canceled()])


class TestClocks:
    @pytest.mark.parametrize("jump", [-3600.0, -61.0, 61.0, 3600.0])
    def test_no_jump_of_the_clock_makes_two_holders_or_turns_a_time_back(self, store: Store, jump: float) -> None:
        scope = milestone(store)
        old = taken(store, scope)
        store.commit(old, [pinned()])
        store.driver.skew += jump
        before = lease_row(store, scope)
        new = store.acquire(scope, W2, TTL)
        holders = 0
        for lease in (old, new):
            if lease is None:
                continue
            try:
                store.renew(lease, TTL)
                store.commit(lease, [pinned("again")])
                holders += 1
            except LeaseLost:
                pass
        assert holders == 1
        after = lease_row(store, scope)
        for name in ("acquired_at", "renewed_at", "clock"):
            assert float(str(after[name])) >= float(str(before[name])), name
        s = store.snapshot(scope)
        times = [entry.at for entry in sorted(store.journal({}), key=lambda e: (e.scope, e.rev, e.i))]
        assert times == sorted(times)
        assert s.now >= max(times)

    def test_a_clock_set_back_cannot_free_a_held_lease(self, store: Store) -> None:
        scope = milestone(store)
        lease = taken(store, scope)
        store.driver.skew -= 3600
        store.renew(lease, TTL)
        store.driver.skew += 3600
        assert store.acquire(scope, W2, TTL) is None

    def test_a_beat_never_goes_back_either(self, store: Store) -> None:
        store.register(W1, me())
        before = store.overview().workers[0].beat_at
        store.driver.skew -= 3600
        store.beat(W1, "execute-task M001/S01/T01")
        row = store.overview().workers[0]
        assert (row.beat_at, row.unit) == (before, "execute-task M001/S01/T01")
        store.driver.skew += 7200
        store.beat(W1, "")
        assert store.overview().workers[0].beat_at > before

    def test_skew_is_of_one_driver_and_the_stores_clock_shows_it(self, store: Store, store_url: str) -> None:
        other = connect(store_url, store.project)
        try:
            store.driver.skew = 3600.0
            assert 3590 < store.now() - other.now() < 3610
        finally:
            other.close()
