"""Conformance of leases and fences. Wants the fixtures ``store`` (fresh, empty) and ``store_url``."""

import signal
from dataclasses import replace

import pytest

from walkaway.core.errors import IllegalTransition, LeaseLost, StaleSnapshot, Usage
from walkaway.core.ids import ProjectId, Scope
from walkaway.core.model import Seen
from walkaway.identity import Identity, me
from walkaway.store import Store, create
from walkaway.testing.moments import claimed, fence, pinned
from walkaway.testing.store_bench import TTL, W1, W2, W3, living_process, milestone, taken


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
