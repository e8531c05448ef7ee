"""Conformance of what workers and people share: orders, soft state, recovery, the history of leases."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest

from walkaway.core.errors import IllegalTransition, Refused, StaleSnapshot
from walkaway.core.fleet.order import DELIVERIES_MOST, CommandStatus
from walkaway.core.ids import UnitKey, WorkerId
from walkaway.core.model import DispatchStatus
from walkaway.identity import Identity, me
from walkaway.store import Store, connect
from walkaway.store.fleet.kv import KvKind, KvScope
from walkaway.testing.moments import pinned, reported, started
from walkaway.testing.store_bench import TTL, W1, W2, W3, assert_consistent, living_process, milestone, taken, together
from walkaway.testing.store_pauses import claim, present

MINE = KvScope(KvKind.WORKER, W1)


@contextmanager
def killed(store: Store, worker: WorkerId) -> Iterator[None]:
    """A registered worker whose process is killed at the end."""
    with living_process() as (child, identity):
        store.register(worker, identity)
        yield
        child.send_signal(signal.SIGKILL)
        child.wait()


class TestCommands:
    def test_an_order_to_one_worker_is_for_it_alone(self, store: Store) -> None:
        seq = store.commands.send("wake", "{}", who="ann", worker=W1)
        assert store.commands.claim(W2, TTL) is None
        found = store.commands.claim(W1, TTL)
        assert found is not None
        assert (found.seq, found.name, found.sent_by, found.deliveries) == (seq, "wake", "ann", 1)
        assert store.commands.claim(W1, TTL) is None, "it is delivered to one at a time"
        assert store.commands.complete(seq, W1, "done so") is True
        (kept,) = store.commands.find([seq])
        assert (kept.status, kept.claimed_by, kept.result) == (CommandStatus.DONE, W1, "done so")

    def test_an_order_to_anybody_goes_to_whoever_takes_it_first(self, store: Store) -> None:
        store.commands.send("wake", "{}", who="ann")
        assert store.commands.claim(W2, TTL) is not None
        assert store.commands.claim(W1, TTL) is None

    def test_orders_are_taken_oldest_first_over_both_kinds(self, store: Store) -> None:
        sent = [store.commands.send("wake", str(n), who="ann", worker=W1 if n % 2 else None) for n in range(4)]
        found = [store.commands.claim(W1, TTL) for _ in range(4)]
        assert [c.seq for c in found if c] == sent == [1, 2, 3, 4]

    def test_an_older_order_to_somebody_else_stands_in_nobodys_way(self, store: Store) -> None:
        store.commands.send("wake", "{}", who="ann", worker=W1)
        anybodys = store.commands.send("wake", "{}", who="ann")
        found = store.commands.claim(W2, TTL)
        assert found is not None
        assert found.seq == anybodys

    def test_an_order_to_all_is_one_row_for_each_that_did_not_say_goodbye(self, store: Store) -> None:
        present(store, W1, W2, W3)
        store.stopping(W2)
        store.end_worker(W3)
        assert len(store.commands.broadcast("halt", "{}", who="ann")) == 2
        assert [c.worker for c in store.commands.listed()] == [W1, W2]

    def test_only_its_claimer_completes_an_order_and_once(self, store: Store) -> None:
        seq = store.commands.send("wake", "{}", who="ann")
        assert store.commands.complete(seq, W1, "early") is False
        store.commands.claim(W1, TTL)
        assert store.commands.complete(seq, W2, "not mine") is False
        assert store.commands.complete(seq, W1, "first") is True
        assert store.commands.complete(seq, W1, "again") is False
        assert store.commands.find([seq])[0].result == "first"

    def test_an_order_whose_claim_lapsed_is_delivered_again(self, store: Store) -> None:
        seq = store.commands.send("wake", "{}", who="ann")
        store.commands.claim(W1, TTL)
        store.driver.skew += TTL + 1
        again = store.commands.claim(W2, TTL)
        assert again is not None
        assert (again.seq, again.deliveries) == (seq, 2)
        assert store.commands.complete(seq, W1, "late") is False
        assert store.commands.complete(seq, W2, "in time") is True

    def test_an_order_delivered_too_often_is_put_aside(self, store: Store) -> None:
        seq = store.commands.send("wake", "{}", who="ann")
        for _ in range(DELIVERIES_MOST):
            assert store.commands.claim(W1, TTL) is not None
            store.driver.skew += TTL + 1
        assert store.commands.claim(W1, TTL) is None
        (kept,) = store.commands.find([seq])
        assert kept.status is CommandStatus.DEAD
        assert "never completed" in kept.result

    def test_the_orders_of_a_worker_that_ended_go_to_others_or_are_dead(self, store: Store) -> None:
        present(store, W1)
        anybodys, own = (store.commands.send("wake", "{}", who="ann", worker=w) for w in (None, W1))
        assert store.commands.claim(W1, TTL)
        store.end_worker(W1)
        first, second = store.commands.find([anybodys, own])
        assert (first.status, first.claimed_by) == (CommandStatus.WAITING, "")
        assert second.status is CommandStatus.DEAD
        assert "gone" in second.result

    def test_claimers_at_once_get_each_order_once(self, store: Store, store_url: str) -> None:
        for n in range(40):
            store.commands.send("wake", str(n), who="ann")
        got: list[tuple[WorkerId, int]] = []

        def work() -> None:
            own = connect(store_url, store.project)
            me_ = WorkerId(f"w-{id(own)}")
            while found := own.commands.claim(me_, TTL):
                got.append((me_, found.seq))
                assert own.commands.complete(found.seq, me_, "")
            own.close()

        together(4, work)
        assert sorted(seq for _, seq in got) == list(range(1, 41))


class TestKv:
    def test_a_value_is_kept_changed_listed_and_forgotten(self, store: Store) -> None:
        kv = store.kv
        assert kv.get(MINE, "a") is None
        assert [kv.put(MINE, "a", "1"), kv.put(MINE, "a", "2"), kv.put(MINE, "b", "3")] == [1, 2, 1]
        found = kv.get(MINE, "a")
        assert found is not None
        assert (found.value, found.version) == ("2", 2)
        assert [(e.key, e.value) for e in kv.listed(MINE)] == [("a", "2"), ("b", "3")]
        assert [kv.delete(MINE, "a"), kv.delete(MINE, "a")] == [True, False]

    def test_scopes_are_independent(self, store: Store) -> None:
        scopes = [KvScope(), MINE, KvScope(KvKind.WORKER, W2), KvScope(KvKind.MILESTONE, W1), KvScope(KvKind.UNIT, W1)]
        for n, scope in enumerate(scopes):
            store.kv.put(scope, "k", str(n))
        assert [e.value for scope in scopes for e in store.kv.listed(scope)] == ["0", "1", "2", "3", "4"]

    def test_a_value_is_replaced_only_where_it_is_the_one_that_was_seen(self, store: Store) -> None:
        assert store.kv.put_if(MINE, "k", "1", version=0) == 1
        for stale in (0, 2):
            with pytest.raises(StaleSnapshot):
                store.kv.put_if(MINE, "k", "x", version=stale)
        assert store.kv.put_if(MINE, "k", "2", version=1) == 2

    def test_of_many_that_replace_the_same_one_wins(self, store: Store) -> None:
        store.kv.put(KvScope(), "count", "0")

        def work() -> None:
            for _ in range(5):
                while True:
                    seen = store.kv.get(KvScope(), "count")
                    assert seen is not None
                    try:
                        store.kv.put_if(KvScope(), "count", str(int(seen.value) + 1), version=seen.version)
                    except StaleSnapshot:
                        continue
                    break

        together(4, work)
        found = store.kv.get(KvScope(), "count")
        assert found is not None
        assert (found.value, found.version) == ("20", 21)

    def test_only_all_of_the_project_has_no_name(self, store: Store) -> None:
        for wrong in (KvScope(KvKind.GLOBAL, "x"), KvScope(KvKind.WORKER, "")):
            with pytest.raises(IllegalTransition):
                store.kv.put(wrong, "k", "v")

    def test_a_workers_own_is_forgotten_when_it_ends(self, store: Store) -> None:
        present(store, W1)
        store.kv.put(MINE, "k", "v")
        store.end_worker(W1)
        assert store.kv.listed(MINE) == ()


class TestRecovery:
    def test_a_dead_worker_is_settled_in_one_go_and_the_second_time_nothing_is_left(self, store: Store) -> None:
        scope = milestone(store)
        with killed(store, W1):
            lease = taken(store, scope)
            store.commit(lease, [pinned()])
            claim(store, lease)
            store.kv.put(MINE, "k", "v")
            seq = store.commands.send("wake", "{}", who="ann")
            assert store.commands.claim(W1, TTL)
        found = store.recover(W1, W2)
        assert (found.freed, found.changed) == ({scope: UnitKey("plan-milestone", scope)}, True)
        (ended,) = store.snapshot(scope).dispatches.values()
        assert (ended.status, ended.failure) == (DispatchStatus.CANCELED, "lease-lost")
        assert store.holder(scope) is None
        assert store.kv.listed(MINE) == ()
        assert store.commands.find([seq])[0].status is CommandStatus.WAITING
        assert store.overview().workers == ()
        rev = store.snapshot(scope).rev
        again = store.recover(W1, W3)
        assert (again.freed, again.changed, store.snapshot(scope).rev) == ({}, False, rev)
        assert_consistent(store, scope)

    def test_what_a_dead_worker_reported_is_kept_for_the_next(self, store: Store) -> None:
        scope = milestone(store)
        with killed(store, W1):
            lease = taken(store, scope)
            store.commit(lease, [pinned()])
            claim(store, lease)
            (live,) = store.snapshot(scope).dispatches.values()
            store.commit(lease, [started(live.id), reported(live.id)])
        store.recover(W1, W2)
        live_now = store.snapshot(scope).live
        assert live_now is not None
        assert live_now.status is DispatchStatus.REPORTED
        heir = taken(store, scope, W3)
        adopted = store.snapshot(scope).live
        assert adopted is not None
        assert (adopted.worker_id, adopted.fencing_token) == (W3, heir.fencing_token)

    def test_a_worker_that_may_be_alive_is_never_recovered(self, store: Store) -> None:
        scope = milestone(store)
        here = me()
        store.register(W1, here)
        store.register(W2, Identity("elsewhere", here.boot_id, 2**22 + 1, 1.0))
        taken(store, scope, W1)
        for worker in (W1, W2, WorkerId("never-was")):
            with pytest.raises(Refused):
                store.recover(worker, W3)
        assert store.holder(scope) == W1

    def test_two_that_recover_at_once_settle_everything_once(self, store: Store, store_url: str) -> None:
        scope = milestone(store)
        with killed(store, W1):
            lease = taken(store, scope)
            store.commit(lease, [pinned()])
            claim(store, lease)
        changed: list[bool] = []

        def work() -> None:
            own = connect(store_url, store.project)
            changed.append(own.recover(W1, WorkerId(f"r-{id(own)}")).changed)
            own.close()

        together(4, work)
        assert sorted(changed) == [False, False, False, True]
        assert [e.type for e in store.journal({}) if e.type == "DispatchCanceled"] == ["DispatchCanceled"]

    def test_whoever_ended_stays_as_it_ended(self, store: Store) -> None:
        with killed(store, W1):
            pass
        store.recover(W1, W2)
        store.stopping(W1)
        store.end_worker(W1)
        with store.driver.read() as tx:
            assert tx.all("SELECT status FROM workers") == [("crashed",)]


class TestLeaseHistory:
    def test_the_history_proves_who_held_what(self, store: Store) -> None:
        scope = milestone(store)
        store.release(taken(store, scope, W1))
        taken(store, scope, W2)
        store.driver.skew += TTL + 1
        taken(store, scope, W3)
        assert [store.revoke(scope, W3, 2), store.revoke(scope, W2, 3)] == [False, False]
        assert store.revoke(scope, W3, 3) is True
        last = taken(store, scope, W1)
        found = store.lease_history(scope)
        assert [(h.worker_id, h.fencing_token, h.ended_how) for h in found] == [
            (W1, 1, "released"),
            (W2, 2, "taken"),
            (W3, 3, "revoked"),
            (W1, 4, ""),
        ]
        for earlier, later in pairwise(found):
            assert earlier.acquired_at <= earlier.ended_at <= later.acquired_at
        assert found[-1].fencing_token == last.fencing_token

    def test_a_revoked_lease_neither_writes_nor_renews(self, store: Store) -> None:
        scope = milestone(store)
        lease = taken(store, scope)
        assert store.revoke(scope, W1, lease.fencing_token) is True
        assert store.revoke(scope, W1, lease.fencing_token) is False
        for use in (lambda: store.renew(lease, TTL), lambda: store.commit(lease, [pinned()])):
            with pytest.raises(Exception, match="no longer holds"):
                use()
        assert store.release(lease) is False
