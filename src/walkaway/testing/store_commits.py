"""Conformance of commits, constraints and transactions. Wants ``store`` and ``store_url``."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import pytest

from walkaway.core.errors import DispatchOver, IllegalTransition, StoreUnavailable, Usage
from walkaway.core.events import PolicyChanged
from walkaway.core.ids import DispatchId, Scope
from walkaway.core.model import DispatchStatus, Policy, Result, Seen
from walkaway.store import Store, connect
from walkaway.store.blobs import clean, text_hash
from walkaway.store.driver import Cell, Driver, Row, Tx
from walkaway.store.replay import fold
from walkaway.testing.moments import (
    answered,
    claimed,
    completed,
    evidence,
    failed,
    fence,
    pinned,
    question,
    reported,
    run_of,
    started,
    task_done,
)
from walkaway.testing.store_bench import CALL, W2, assert_consistent, begun, lease_row, milestone, taken


class TestCommit:
    def test_a_commit_returns_what_a_reader_sees_after_it(self, store: Store) -> None:
        scope, lease = begun(store)
        s = store.commit(lease, [claimed(fence(lease), "execute-task", f"{scope}/S01/T01", "d9"), started("d9")])
        seen = store.snapshot(scope)
        assert s.aggregate == seen.aggregate
        assert s.rev == seen.rev
        assert seen.live is not None
        assert seen.live.status is DispatchStatus.RUNNING
        assert_consistent(store, scope)

    def test_an_illegal_event_in_the_middle_leaves_nothing(self, store: Store) -> None:
        scope, lease = begun(store)
        before, row, journal = store.snapshot(scope), lease_row(store, scope), store.journal({})
        claim = claimed(fence(lease), "execute-task", f"{scope}/S01/T01", "d9")
        with pytest.raises(IllegalTransition):
            store.commit(lease, [claim, completed("d9"), started("d9")], texts=["lost"])
        assert store.snapshot(scope).aggregate == before.aggregate
        assert (lease_row(store, scope), store.journal({})) == (row, journal)
        with pytest.raises(StoreUnavailable):
            store.texts([text_hash("lost")])

    def test_what_ends_makes_room_in_the_same_commit_for_what_begins(self, store: Store) -> None:
        scope, lease = begun(store)
        target = f"{scope}/S01/T01"
        store.commit(lease, [claimed(fence(lease), "execute-task", target, "d8"), started("d8")])
        s = store.commit(lease, [failed("d8"), claimed(fence(lease), "execute-task", target, "d9", 2)])
        assert s.live is not None
        assert s.live.id == "d9"
        assert_consistent(store, scope)

    def test_a_finished_dispatch_never_moves_again(self, store: Store) -> None:
        scope, lease = begun(store)
        over = next(iter(store.snapshot(scope).dispatches))
        for event in (started(over), reported(over), completed(over), failed(over)):
            with pytest.raises(DispatchOver):
                store.commit(lease, [event])

    def test_an_identifier_used_in_another_milestone_is_refused_and_overwrites_nothing(self, store: Store) -> None:
        scope, lease = begun(store)
        store.commit(lease, [claimed(fence(lease), "execute-task", f"{scope}/S01/T01", "d9")])
        other = milestone(store)
        second = taken(store, other, W2)
        with pytest.raises(IllegalTransition):
            store.commit(second, [claimed(fence(second), "plan-milestone", other, "d9")])
        assert store.snapshot(scope).dispatches["d9"].target == f"{scope}/S01/T01"

    def test_what_another_process_wrote_between_two_commits_is_built_upon(self, store: Store, store_url: str) -> None:
        scope, lease = begun(store)
        seen = store.commit(lease, [claimed(fence(lease), "execute-task", f"{scope}/S01/T01", "d9")])
        other = connect(store_url, store.project)
        other.commit(Seen(project=store.project, scope=scope, rev=seen.rev, who="ann"), [question()])
        other.close()
        after = store.commit(lease, [started("d9")])
        assert after.blocked_by is not None
        assert after.aggregate == store.snapshot(scope).aggregate
        with pytest.raises(IllegalTransition):
            store.commit(lease, [question()])
        assert_consistent(store, scope)

    def test_an_empty_commit_is_a_revision(self, store: Store) -> None:
        scope, lease = begun(store)
        before = store.snapshot(scope).rev
        assert store.commit(lease, []).rev == before + 1

    def test_texts_in_events_are_kept_as_both_databases_can_hold_them(self, store: Store) -> None:
        scope, lease = begun(store)
        nasty = "a\x00b\ud800c \u2028 😀 ' \" \\u0000 %s :x {now}"
        s = store.commit(
            lease,
            [claimed(fence(lease), "execute-task", f"{scope}/S01/T01", "d9"), failed("d9", why=nasty)],
        )
        assert s.dispatches["d9"].why == clean(nasty) == "a␀b?c \u2028 😀 ' \" \\u0000 %s :x {now}"
        assert_consistent(store, scope)

    def test_a_persons_name_is_kept_so_too(self, store: Store) -> None:
        scope = milestone(store)
        ann = Seen(project=store.project, scope=scope, rev=store.snapshot(scope).rev, who="an\x00n")
        store.commit(ann, [pinned()])
        assert store.journal({})[-1].by == "an␀n"

    def test_a_milestone_that_never_was_cannot_be_written(self, store: Store) -> None:
        nowhere = Scope("M042")
        with pytest.raises(Usage):
            store.commit(Seen(project=store.project, scope=nowhere, rev=0, who="ann"), [pinned()])
        with pytest.raises(Usage):
            store.snapshot(nowhere)

    def test_policies_come_back_as_they_were(self, store: Store) -> None:
        scope, lease = begun(store)
        for policy in (Policy(), Policy(checks=(), setup=("a", "b"), usd=1.5), Policy(checks=None, attempts=1)):
            store.commit(lease, [PolicyChanged(policy=policy)])
            assert store.snapshot(scope).policy == policy

    def test_questions_and_evidence_keep_the_order_of_their_numbers(self, store: Store) -> None:
        scope, lease = begun(store)
        store.commit(lease, [claimed(fence(lease), "execute-task", f"{scope}/S01/T01", "d9")])
        for n in range(1, 12):
            store.commit(lease, [question(f"{scope}-Q{n}"), evidence(f"d9-{n}", "d9", Result.FAIL)])
        s = store.snapshot(scope)
        assert list(s.questions) == [f"{scope}-Q{n}" for n in range(1, 12)]
        assert list(s.evidence) == [f"d9-{n}" for n in range(1, 12)]
        store.commit(lease, [answered(f"{scope}-Q1")])
        asked = store.snapshot(scope).blocked_by
        assert asked is not None
        assert asked.id == f"{scope}-Q2"
        assert_consistent(store, scope)


class TestConstraints:
    """What must never be true is refused by the database itself, whoever asks."""

    @pytest.fixture
    def scope(self, store: Store) -> Scope:
        scope, lease = begun(store)
        task = f"{scope}/S01/T01"
        s = store.snapshot(scope)
        store.commit(lease, run_of(s, fence(lease), "execute-task", task, [task_done(s.tasks[task].id)], "done"))
        store.commit(lease, [claimed(fence(lease), "execute-task", f"{scope}/S01/T02", "live"), question()])
        store.commit(lease, [evidence("ev", "live")])
        milestone(store)
        return scope

    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE milestone_leases SET worker_id = '' WHERE status = 'held'",
            "UPDATE milestone_leases SET status = 'lost'",
            "UPDATE milestones SET status = 'complete', commit_sha = ''",
            "UPDATE milestones SET status = 'done'",
            "UPDATE milestones SET scope = 'M009'",
            "UPDATE slices SET status = 'begun'",
            "UPDATE slices SET risk = 'unknown'",
            "UPDATE slices SET scope = 'M009'",
            "UPDATE tasks SET status = 'complete', commit_sha = ''",
            "UPDATE tasks SET verified = '' WHERE status = 'complete'",
            "UPDATE tasks SET verified = 'perhaps'",
            "UPDATE unit_dispatches SET status = 'resting'",
            "UPDATE unit_dispatches SET attempt = 0",
            "UPDATE unit_dispatches SET fencing_token = 0",
            "UPDATE unit_dispatches SET seq = 1",
            "UPDATE unit_dispatches SET status = 'reported' WHERE id = 'live'",
            "UPDATE unit_dispatches SET commit_sha = '' WHERE status = 'completed'",
            "UPDATE unit_dispatches SET status = 'failed' WHERE id = 'live'",
            "UPDATE unit_dispatches SET status = 'canceled' WHERE id = 'live'",
            "UPDATE questions SET remedies = '[]'",
            "UPDATE evidence SET result = 'maybe'",
            "UPDATE evidence SET phase = 'later'",
            "UPDATE events SET project_id = 'nobody'",
            "INSERT INTO workers SELECT 'p', 'w', 'h', 'b', 1, 1, 'asleep', '', 1, 1, 0",
            "INSERT INTO milestone_leases (project_id, scope) VALUES ('nobody', 'M001')",
        ],
    )
    def test_a_state_that_must_never_be_is_an_error(self, store: Store, scope: Scope, sql: str) -> None:
        before = store.snapshot(scope).aggregate
        with pytest.raises(IllegalTransition), store.driver.write() as tx:
            tx.run(sql)
        assert store.snapshot(scope).aggregate == before

    @pytest.mark.parametrize("status", ["claimed", "running", "reported"])
    def test_a_unit_has_one_live_dispatch_in_the_whole_project(self, store: Store, scope: Scope, status: str) -> None:
        self._second(store, scope="'M002'", target="target", status=status)

    @pytest.mark.parametrize("status", ["claimed", "running", "reported"])
    def test_a_milestone_has_one_live_dispatch(self, store: Store, scope: Scope, status: str) -> None:
        self._second(store, scope="scope", target="'M001/S01/T09'", status=status)

    def _second(self, store: Store, *, scope: str, target: str, status: str) -> None:
        sql = f"""
        INSERT INTO unit_dispatches SELECT project_id, {scope}, 'second', 99, unit, {target}, attempt, :status,
            worker_id, epoch, fencing_token, base_sha, 'r', 'c', failure, why, output, next_run_at, claimed_at,
            ended_at, held
        FROM unit_dispatches WHERE id = 'live'
        """  # noqa: S608
        with pytest.raises(IllegalTransition), store.driver.write() as tx:
            tx.run(sql, status=status)
        with store.driver.write() as tx:
            tx.run(sql, status="completed")


class TestTransactions:
    def test_an_error_inside_takes_everything_back(self, store: Store) -> None:
        scope = milestone(store)
        before = lease_row(store, scope)
        with pytest.raises(KeyError), store.driver.write() as tx:
            tx.run("UPDATE milestone_leases SET rev = 99")
            raise KeyError
        assert lease_row(store, scope) == before

    def test_a_reader_changes_nothing(self, store: Store) -> None:
        scope = milestone(store)
        before = lease_row(store, scope)
        with pytest.raises((StoreUnavailable, ZeroDivisionError)), store.driver.read() as tx:
            tx.run("UPDATE milestone_leases SET rev = 99")
            raise ZeroDivisionError
        assert lease_row(store, scope) == before

    def test_transactions_of_one_thread_do_not_nest(self, store: Store) -> None:
        scope = milestone(store)
        before = lease_row(store, scope)
        with pytest.raises(RuntimeError), store.driver.write() as tx:
            tx.run("UPDATE milestone_leases SET rev = 99")
            store.snapshot(scope)
        assert lease_row(store, scope) == before
        assert milestone(store) == "M002", "and afterwards all is well"

    def test_nonsense_is_told_as_such(self, store: Store) -> None:
        with pytest.raises(StoreUnavailable), store.driver.read() as tx:
            tx.all("SELEKT 1")
        assert milestone(store)


class Meddler:
    """A driver whose readers are disturbed: somebody writes before each of their statements."""

    def __init__(self, driver: Driver, meddle: Callable[[], None]) -> None:
        self._driver = driver
        self._meddle = meddle

    @contextmanager
    def read(self) -> Iterator[Tx]:
        with self._driver.read() as tx:
            yield cast("Tx", MeddledTx(tx, self._meddle))


class MeddledTx:
    """A transaction, disturbed."""

    def __init__(self, tx: Tx, meddle: Callable[[], None]) -> None:
        self._tx = tx
        self._meddle = meddle

    def all(self, sql: str, **params: Cell) -> Sequence[Row]:
        found = self._tx.all(sql, **params)
        self._meddle()
        return found

    def one(self, sql: str, **params: Cell) -> Row | None:
        found = self._tx.one(sql, **params)
        self._meddle()
        return found


class TestOneInstant:
    @pytest.fixture
    def writer(self, store: Store, store_url: str) -> Iterator[Store]:
        made = connect(store_url, store.project)
        yield made
        made.close()

    def test_a_snapshot_is_one_instant_though_a_writer_comes_between(self, store: Store, writer: Store) -> None:
        scope, lease = begun(store)
        count = 0

        def meddle() -> None:
            nonlocal count
            count += 1
            name = f"x{count}"
            writer.commit(
                lease,
                [
                    claimed(fence(lease), "execute-task", f"{scope}/S01/T01", name),
                    question(f"{scope}-Q{count}"),
                    evidence(f"e{count}", name),
                    failed(name),
                    answered(f"{scope}-Q{count}"),
                ],
            )
            writer.spend(scope, DispatchId(name), CALL)

        disturbed = Store(cast("Driver", Meddler(store.driver, meddle)), store.project)
        for _ in range(3):
            before = count
            s = disturbed.snapshot(scope)
            assert count > before + 5, "it was disturbed"
            past = [entry for entry in store.journal({}) if entry.rev <= s.rev]
            assert s.aggregate == fold(store.project, scope, past).aggregate
            assert s.usage.calls == before

    def test_the_overview_is_one_instant(self, store: Store, writer: Store) -> None:
        milestone(store)

        def meddle() -> None:
            made = milestone(writer)
            writer.spend(made, DispatchId("d"), CALL)

        disturbed = Store(cast("Driver", Meddler(store.driver, meddle)), store.project)
        for _ in range(2):
            found = disturbed.overview()
            assert len(found.milestones) - 1 <= found.usage.calls <= len(found.milestones)
            made = {m.id for m in found.milestones}
            assert found.usage.calls == len(made) - 1, "as many calls as milestones after the first"
