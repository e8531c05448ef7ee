"""Conformance of leases, fences and clocks. Wants the fixtures ``store`` (fresh, empty) and ``store_url``."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from walkaway.core.errors import DispatchOver, IllegalTransition, LeaseLost, StaleSnapshot, Usage
from walkaway.core.ids import ProjectId, Scope, WorkerId
from walkaway.core.model import DispatchStatus, FailureKind, Lease, Policy, Seen
from walkaway.identity import Identity, me
from walkaway.store import Store, connect, create
from walkaway.testing.moments import canceled, claimed, fence, pinned, planned, reported, run_of, started

TTL = 60.0
W1, W2, W3 = WorkerId("w1"), WorkerId("w2"), WorkerId("w3")


def milestone(store: Store, title: str = "A tool") -> Scope:
    return Scope(store.new_milestone(title, "Make a tool.", Policy(), "ann"))


def taken(store: Store, scope: Scope, worker: WorkerId = W1) -> Lease:
    found = store.acquire(scope, worker, TTL)
    assert found is not None
    return found


def lease_row(store: Store, scope: Scope) -> dict[str, object]:
    names = ("rev", "worker_id", "epoch", "fencing_token", "status", "acquired_at", "renewed_at", "expires_at", "clock")
    with store.driver.read() as tx:
        row = tx.one(
            f"SELECT {', '.join(names)} FROM milestone_leases WHERE project_id = :p AND scope = :s",  # noqa: S608
            p=store.project,
            s=scope,
        )
    assert row is not None
    return dict(zip(names, row, strict=True))


@contextmanager
def living_process() -> Iterator[tuple[subprocess.Popen[str], Identity]]:
    """A child that tells who it is and lives until it is killed."""
    code = (
        "from walkaway.identity import me; i = me(); print(i.host, i.boot_id, i.pid, i.started, sep='\\n', flush=True);"
        "import sys; sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        host, boot_id, pid, started_at = (child.stdout.readline().strip() for _ in range(4))
        try:
            yield child, Identity(host, boot_id, int(pid), float(started_at))
        finally:
            child.kill()


class TestHolding:
    def test_one_worker_holds_a_milestone_and_another_gets_nothing(self, store: Store) -> None:
        scope = milestone(store)
        first = taken(store, scope)
        assert store.acquire(scope, W2, TTL) is None
        assert store.acquire(scope, W1, TTL) is None, "not even the holder takes it twice"
        assert store.holder(scope) == W1
        assert first.fencing_token == 1

    def test_milestones_are_held_independently(self, store: Store) -> None:
        assert taken(store, milestone(store), W1)
        assert taken(store, milestone(store), W2)

    def test_a_milestone_given_back_is_free_at_once(self, store: Store) -> None:
        scope = milestone(store)
        assert store.release(taken(store, scope)) is True
        assert store.holder(scope) is None
        assert taken(store, scope, W2).worker_id == W2

    def test_giving_back_what_was_lost_changes_nothing(self, store: Store) -> None:
        scope = milestone(store)
        old = taken(store, scope)
        store.driver.skew += TTL + 1
        taken(store, scope, W2)
        assert store.release(old) is False
        assert store.holder(scope) == W2

    def test_a_milestone_that_never_was_cannot_be_taken(self, store: Store) -> None:
        with pytest.raises(Usage):
            store.acquire(Scope("M042"), W1, TTL)

    @pytest.mark.parametrize("ttl", [0.0, -1.0, float("inf"), float("nan")])
    def test_a_lease_lasts_for_some_time(self, store: Store, ttl: float) -> None:
        scope = milestone(store)
        with pytest.raises(Usage):
            store.acquire(scope, W1, ttl)
        with pytest.raises(Usage):
            store.renew(taken(store, scope), ttl)

    def test_tokens_only_rise_over_release_expiry_and_deletion_of_the_milestone(self, store: Store) -> None:
        scope = milestone(store)
        tokens = [taken(store, scope).fencing_token]
        store.driver.skew += TTL + 1
        second = taken(store, scope, W2)
        tokens.append(second.fencing_token)
        store.release(second)
        with store.driver.write() as tx:
            tx.run("DELETE FROM policies")
            tx.run("DELETE FROM milestones")
        tokens.append(taken(store, scope, W3).fencing_token)
        assert tokens == [1, 2, 3]
        assert milestone(store) == "M002", "a number is never used twice"


class TestTakingOver:
    def test_a_lapsed_lease_is_taken_with_a_new_token(self, store: Store) -> None:
        scope = milestone(store)
        old = taken(store, scope)
        store.driver.skew += TTL + 1
        new = taken(store, scope, W2)
        assert new.fencing_token == old.fencing_token + 1
        with pytest.raises(LeaseLost):
            store.renew(old, TTL)

    def test_a_lapsed_lease_that_nobody_took_is_renewed_by_its_exact_holder(self, store: Store) -> None:
        scope = milestone(store)
        lease = taken(store, scope)
        store.driver.skew += 10 * TTL
        assert store.renew(lease, TTL) == store.snapshot(scope).rev
        assert store.acquire(scope, W2, TTL) is None

    def test_a_renewed_lease_is_not_taken(self, store: Store) -> None:
        scope = milestone(store)
        lease = taken(store, scope)
        for _ in range(5):
            store.driver.skew += TTL * 0.9
            store.renew(lease, TTL)
            assert store.acquire(scope, W2, TTL) is None

    def test_renewal_tells_the_revision_so_that_the_holder_sees_what_people_did(self, store: Store) -> None:
        scope = milestone(store)
        lease = taken(store, scope)
        before = store.renew(lease, TTL)
        store.commit(Seen(project=store.project, scope=scope, rev=before, who="ann"), [pinned()])
        assert store.renew(lease, TTL) == before + 1

    def test_a_holder_killed_on_this_host_is_replaced_at_once(self, store: Store) -> None:
        scope = milestone(store)
        with living_process() as (child, identity):
            store.register(W1, identity)
            old = taken(store, scope)
            assert store.acquire(scope, W2, TTL) is None, "it lives"
            child.send_signal(signal.SIGKILL)
            child.wait()
            new = taken(store, scope, W2)
        assert new.fencing_token == old.fencing_token + 1
        assert [w.id for w in store.overview().workers] == [], "the dead is no longer listed"
        with pytest.raises(LeaseLost):
            store.renew(old, TTL)

    def test_a_stopped_holder_is_not_dead(self, store: Store) -> None:
        scope = milestone(store)
        with living_process() as (child, identity):
            store.register(W1, identity)
            lease = taken(store, scope)
            child.send_signal(signal.SIGSTOP)
            assert store.acquire(scope, W2, TTL) is None
            assert store.renew(lease, TTL)

    def test_a_process_with_the_holders_number_and_another_start_is_not_the_holder(self, store: Store) -> None:
        scope = milestone(store)
        here = me()
        store.register(W1, Identity(here.host, here.boot_id, here.pid, here.started - 5))
        taken(store, scope)
        assert taken(store, scope, W2).fencing_token == 2

    @pytest.mark.parametrize(("host", "boot_id"), [("elsewhere", None), (None, "another-boot")])
    def test_a_holder_that_cannot_be_seen_from_here_is_waited_for(
        self, store: Store, host: str | None, boot_id: str | None
    ) -> None:
        scope = milestone(store)
        here = me()
        store.register(W1, Identity(host or here.host, boot_id or here.boot_id, 2**22 + 1, 1.0))
        taken(store, scope)
        assert store.acquire(scope, W2, TTL) is None
        store.driver.skew += TTL + 1
        assert taken(store, scope, W2)

    def test_a_holder_nobody_registered_is_waited_for(self, store: Store) -> None:
        scope = milestone(store)
        taken(store, scope)
        assert store.acquire(scope, W2, TTL) is None

    def test_a_worker_that_said_goodbye_is_not_waited_for(self, store: Store) -> None:
        scope = milestone(store)
        store.register(W1, me())
        taken(store, scope)
        store.end_worker(W1)
        assert taken(store, scope, W2)
        with store.driver.read() as tx:
            assert tx.one("SELECT status FROM workers WHERE id = 'w1'") == ("stopped",), "it did not crash"

    def test_raising_the_epoch_ends_every_lease_and_stands_above_every_token(self, store: Store) -> None:
        scope = milestone(store)
        old = taken(store, scope)
        with store.driver.write() as tx:  # as after a backup was restored
            tx.run("UPDATE projects SET fence_epoch = fence_epoch + 1")
            tx.run("UPDATE milestone_leases SET fencing_token = 7 WHERE scope = :s", s=scope)
        for lost in (old, replace(old, fencing_token=7)):
            with pytest.raises(LeaseLost):
                store.commit(lost, [pinned()])
            with pytest.raises(LeaseLost):
                store.renew(lost, TTL)
            assert store.release(lost) is False
        new = taken(store, scope, W2)
        assert (new.epoch, new.fencing_token) == (2, 8)
        assert store.commit(new, [pinned()])


class TestFence:
    def test_the_replaced_holder_can_no_longer_write_and_leaves_no_trace(self, store: Store) -> None:
        scope = milestone(store)
        old = taken(store, scope)
        store.driver.skew += TTL + 1
        taken(store, scope, W2)
        before = store.snapshot(scope)
        with pytest.raises(LeaseLost):
            store.commit(old, [pinned()], texts=["a late thought"])
        after = store.snapshot(scope)
        assert (after.milestone, after.rev) == (before.milestone, before.rev)
        with store.driver.read() as tx:
            assert tx.all("SELECT 1 FROM blobs WHERE text = 'a late thought'") == []

    def test_a_late_holder_whom_nobody_replaced_may_finish(self, store: Store) -> None:
        scope = milestone(store)
        lease = taken(store, scope)
        store.driver.skew += 100 * TTL
        assert store.commit(lease, [pinned()]).milestone.target_branch == "main"

    def test_who_gave_a_milestone_back_can_no_longer_write(self, store: Store) -> None:
        scope = milestone(store)
        lease = taken(store, scope)
        store.release(lease)
        with pytest.raises(LeaseLost):
            store.commit(lease, [pinned()])

    def test_every_part_of_the_fence_is_proved(self, store: Store) -> None:
        scope = milestone(store)
        lease = taken(store, scope)
        for wrong in (
            replace(lease, worker_id=W2),
            replace(lease, epoch=2),
            replace(lease, fencing_token=2),
            replace(lease, fencing_token=0),
        ):
            with pytest.raises(LeaseLost):
                store.commit(wrong, [pinned()])
        assert store.snapshot(scope).milestone.target_branch == ""

    def test_the_lease_of_another_project_is_refused(self, store: Store, store_url: str) -> None:
        scope = milestone(store)
        other = create(store_url, ProjectId("other"))
        try:
            assert milestone(other) == scope, "same number, another project"
            mine, theirs = taken(store, scope), taken(other, scope)
            for use in (
                lambda: store.commit(theirs, [pinned()]),
                lambda: store.commit(Seen(project=other.project, scope=scope, rev=1, who="ann"), [pinned()]),
                lambda: store.renew(theirs, TTL),
            ):
                with pytest.raises(LeaseLost):
                    use()
            assert store.release(theirs) is False
            assert store.commit(mine, [pinned()])
            assert other.snapshot(scope).milestone.target_branch == ""
        finally:
            other.close()

    def test_a_choice_made_on_an_older_state_is_refused(self, store: Store) -> None:
        scope = milestone(store)
        lease = taken(store, scope)
        seen = store.snapshot(scope)
        store.commit(Seen(project=store.project, scope=scope, rev=seen.rev, who="ann"), [pinned()])
        with pytest.raises(StaleSnapshot):
            store.commit(lease, [pinned("other")], expect=seen.rev)
        assert store.snapshot(scope).milestone.target_branch == "main"
        assert store.commit(lease, [pinned("other")], expect=seen.rev + 1).milestone.target_branch == "other"

    def test_a_fact_is_recorded_whatever_moved_meanwhile(self, store: Store) -> None:
        scope = milestone(store)
        lease = taken(store, scope)
        seen = store.snapshot(scope)
        store.commit(Seen(project=store.project, scope=scope, rev=seen.rev, who="ann"), [pinned()])
        assert store.commit(lease, [pinned("other")]).rev == seen.rev + 2

    def test_a_person_who_saw_an_older_page_is_refused(self, store: Store) -> None:
        scope = milestone(store)
        page = store.snapshot(scope).rev
        ann = Seen(project=store.project, scope=scope, rev=page, who="ann")
        store.commit(ann, [pinned()])
        with pytest.raises(StaleSnapshot):
            store.commit(ann, [pinned("other")])

    def test_nobody_claims_in_anothers_name(self, store: Store) -> None:
        scope = milestone(store)
        lease = taken(store, scope)
        person = Seen(project=store.project, scope=scope, rev=store.snapshot(scope).rev, who="ann")
        claim = claimed(fence(lease), "plan-milestone", scope)
        with pytest.raises(IllegalTransition):
            store.commit(person, [claim])
        stranger = claimed(fence(replace(lease, worker_id=W2)), "plan-milestone", scope)
        with pytest.raises(IllegalTransition):
            store.commit(lease, [stranger])
        assert store.commit(lease, [claim])


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
