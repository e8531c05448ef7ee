"""Conformance of a store: whoever adds a database runs this over it.

Import everything from here into a test module and give it two fixtures: ``store``, a fresh `Store` of a project that
has no milestone, and ``store_url``, the URL by which `walkaway.store.connect` finds the same database again.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import cast

import pytest

from walkaway.core.brief import ModelCall
from walkaway.core.errors import DispatchOver, IllegalTransition, StoreUnavailable, Usage
from walkaway.core.events import PolicyChanged
from walkaway.core.ids import PROJECT_SCOPE, DispatchId, ProjectId, Scope, SliceId, TextHash
from walkaway.core.model import DispatchStatus, Lease, Policy, Result, Seen, Snapshot
from walkaway.core.model import Usage as Spent
from walkaway.identity import me
from walkaway.store import Store, connect
from walkaway.store.blobs import clean, text_hash
from walkaway.store.driver import Cell, Driver, Row, Tx
from walkaway.store.replay import fold
from walkaway.testing.moments import (
    answered,
    claimed,
    completed,
    cut,
    evidence,
    failed,
    fence,
    pinned,
    planned,
    question,
    reported,
    run_of,
    started,
    task_done,
)
from walkaway.testing.store_leases import (
    W1,
    W2,
    TestClocks,
    TestFence,
    TestHolding,
    TestSettling,
    TestTakingOver,
    lease_row,
    milestone,
    taken,
)

__all__ = [
    "TestBlobs",
    "TestClocks",
    "TestCommit",
    "TestConstraints",
    "TestFence",
    "TestHolding",
    "TestJournal",
    "TestNumbers",
    "TestOneInstant",
    "TestOverview",
    "TestSettling",
    "TestTakingOver",
    "TestThreads",
    "TestTransactions",
    "TestUsage",
    "TestWaiting",
]

CALL = ModelCall(model="m", input_tokens=1000, output_tokens=50, usd=0.25)


def told(store: Store, scope: Scope) -> Snapshot:
    """What the journal says."""
    return fold(store.project, scope, store.journal({}))


def state(s: Snapshot) -> Snapshot:
    """A snapshot without what is outside the aggregate."""
    return replace(s, rev=0, now=0.0, usage=Spent())


def assert_consistent(store: Store, scope: Scope) -> None:
    """The fold of the journal equals the tables, order included."""
    kept, journal = state(store.snapshot(scope)), state(told(store, scope))
    assert kept == journal
    for name in ("slices", "tasks", "dispatches", "questions", "evidence"):
        assert list(getattr(kept, name)) == list(getattr(journal, name)), name


def begun(store: Store) -> tuple[Scope, Lease]:
    """A milestone with one slice of two tasks, and its lease."""
    scope = milestone(store)
    lease = taken(store, scope)
    s = store.commit(lease, [pinned()])
    s = store.commit(lease, run_of(s, fence(lease), "plan-milestone", scope, [planned(s.milestone.id)]))
    slice_ = SliceId(f"{scope}/S01")
    store.commit(lease, run_of(s, fence(lease), "plan-slice", slice_, [cut(slice_, 2)]))
    return scope, lease


class TestCommit:
    def test_a_commit_returns_what_a_reader_sees_after_it(self, store: Store) -> None:
        scope, lease = begun(store)
        s = store.commit(lease, [claimed(fence(lease), "execute-task", f"{scope}/S01/T01", "d9"), started("d9")])
        seen = store.snapshot(scope)
        assert state(s) == state(seen)
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
        assert state(store.snapshot(scope)) == state(before)
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
        assert state(after) == state(store.snapshot(scope))
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
            "INSERT INTO workers SELECT 'p', 'w', 'h', 'b', 1, 1, 'asleep', '', 1, 1",
            "INSERT INTO milestone_leases (project_id, scope) VALUES ('nobody', 'M001')",
        ],
    )
    def test_a_state_that_must_never_be_is_an_error(self, store: Store, scope: Scope, sql: str) -> None:
        before = state(store.snapshot(scope))
        with pytest.raises(IllegalTransition), store.driver.write() as tx:
            tx.run(sql)
        assert state(store.snapshot(scope)) == before

    @pytest.mark.parametrize("status", ["claimed", "running", "reported"])
    def test_a_unit_has_one_live_dispatch_in_the_whole_project(self, store: Store, scope: Scope, status: str) -> None:
        self._second(store, scope="'M002'", target="target", status=status)

    @pytest.mark.parametrize("status", ["claimed", "running", "reported"])
    def test_a_milestone_has_one_live_dispatch(self, store: Store, scope: Scope, status: str) -> None:
        self._second(store, scope="scope", target="'M001/S01/T09'", status=status)

    def _second(self, store: Store, *, scope: str, target: str, status: str) -> None:
        sql = f"""
        INSERT INTO unit_dispatches SELECT project_id, {scope}, 'second', 99, unit, {target}, attempt, :status,
            worker_id, epoch, fencing_token, base_sha, 'r', 'c', failure, why, output, next_run_at, claimed_at, ended_at
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
            assert state(s) == state(fold(store.project, scope, past))
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


class TestJournal:
    def test_it_tells_who_did_what_under_which_fence(self, store: Store) -> None:
        scope = milestone(store)
        lease = taken(store, scope)
        store.commit(lease, [pinned()])
        created, policy, pin = store.journal({})
        assert [e.type for e in (created, policy, pin)] == ["MilestoneCreated", "PolicyChanged", "TargetPinned"]
        assert (created.by, created.fencing_token, created.rev, created.i) == ("ann", 0, 1, 0)
        assert (policy.rev, policy.i) == (1, 1)
        assert (pin.by, pin.epoch, pin.fencing_token, pin.rev) == (W1, lease.epoch, lease.fencing_token, 2)

    def test_it_is_read_on_from_where_one_was(self, store: Store) -> None:
        scope, lease = begun(store)
        other = milestone(store)
        seen = {scope: store.snapshot(scope).rev, other: store.snapshot(other).rev}
        assert store.journal(seen) == []
        store.commit(lease, [question(), answered()])
        assert [e.type for e in store.journal(seen)] == ["QuestionRaised", "QuestionAnswered"]
        assert {e.scope for e in store.journal({scope: seen[scope]})} == {scope, other}

    def test_its_fold_equals_the_tables(self, store: Store) -> None:
        scope, lease = begun(store)
        task = f"{scope}/S01/T01"
        s = store.snapshot(scope)
        store.commit(lease, run_of(s, fence(lease), "execute-task", task, [task_done(s.tasks[task].id)]))
        store.commit(lease, [claimed(fence(lease), "execute-task", f"{scope}/S01/T02", "d9"), started("d9")])
        store.driver.skew += 61
        taken(store, scope, W2)
        assert_consistent(store, scope)


class TestUsage:
    def test_it_is_summed_by_milestone_and_by_project(self, store: Store) -> None:
        scope, other = milestone(store), milestone(store)
        assert store.snapshot(scope).usage == Spent()
        for _ in range(3):
            store.spend(scope, DispatchId("d1"), CALL)
        store.spend(other, DispatchId("d2"), CALL)
        assert store.snapshot(scope).usage == Spent(calls=3, input_tokens=3000, output_tokens=150, usd=0.75)
        assert store.overview().usage == Spent(calls=4, input_tokens=4000, output_tokens=200, usd=1.0)

    def test_one_unknown_price_makes_the_sum_unknown(self, store: Store) -> None:
        scope, other = milestone(store), milestone(store)
        store.spend(scope, DispatchId("d1"), CALL)
        store.spend(scope, DispatchId("d1"), replace(CALL, usd=None, model="x\x00"))
        store.spend(other, DispatchId("d2"), CALL)
        assert store.snapshot(scope).usage.usd is None
        assert store.overview().usage.usd is None
        assert store.snapshot(other).usage.usd == 0.25

    def test_it_is_told_by_dispatch(self, store: Store) -> None:
        scope, other = milestone(store), milestone(store)
        for name, price in (("d1", 0.25), ("d1", 0.5), ("d2", None)):
            store.spend(scope, DispatchId(name), replace(CALL, usd=price))
        store.spend(other, DispatchId("d3"), CALL)
        assert store.costs(scope) == {
            "d1": Spent(calls=2, input_tokens=2000, output_tokens=100, usd=0.75),
            "d2": Spent(calls=1, input_tokens=1000, output_tokens=50, usd=None),
        }

    def test_spending_is_no_revision(self, store: Store) -> None:
        scope = milestone(store)
        before = store.snapshot(scope).rev
        store.spend(scope, DispatchId("d1"), CALL)
        assert store.snapshot(scope).rev == before


class TestBlobs:
    @pytest.mark.parametrize("text", ["x", "", "é😀", "a\x00b", "\ud800", "line\r\nline\n", "x" * 1_000_000])
    def test_a_text_is_found_by_its_hash(self, store: Store, text: str) -> None:
        scope = milestone(store)
        lease = taken(store, scope)
        store.commit(lease, [], texts=[text, text])
        assert store.texts([text_hash(text)])[text_hash(text)] == clean(text)

    def test_the_specification_is_the_milestones_context(self, store: Store) -> None:
        made = store.new_milestone("T\x00", "Make\x00 it.", Policy(usd=2.0), "ann")
        s = store.snapshot(Scope(made))
        assert store.texts([s.milestone.context])[s.milestone.context] == "Make␀ it."
        assert (s.milestone.title, s.policy.usd) == ("T␀", 2.0)

    def test_a_missing_text_is_said(self, store: Store) -> None:
        with pytest.raises(StoreUnavailable):
            store.texts([TextHash("f" * 64)])


class TestNumbers:
    def test_milestones_handed_in_at_once_get_different_numbers(self, store: Store) -> None:
        made: list[Scope] = []
        _together(8, lambda: made.extend(milestone(store) for _ in range(3)))
        assert sorted(made) == [f"M{n:03}" for n in range(1, 25)]

    def test_they_go_on_past_a_thousand(self, store: Store) -> None:
        milestone(store)
        with store.driver.write() as tx:
            tx.run("INSERT INTO milestone_leases (project_id, scope) VALUES ('p', 'M999')")
        assert milestone(store) == "M1000"
        assert [m.id for m in store.overview().milestones] == ["M001", "M1000"]
        with store.driver.write() as tx:
            tx.run("INSERT INTO milestone_leases (project_id, scope) VALUES ('p', 'M1001-abc123')")
        assert milestone(store) == "M1002"

    def test_a_project_that_is_not_there_gets_none(self, store: Store) -> None:
        nobody = Store(store.driver, ProjectId("nobody"))
        with pytest.raises(Usage):
            milestone(nobody)
        assert nobody.overview().milestones == ()


class TestOverview:
    def test_it_counts_without_loading(self, store: Store) -> None:
        scope, lease = begun(store)
        s = store.snapshot(scope)
        task = s.tasks[f"{scope}/S01/T01"].id
        store.commit(lease, [*run_of(s, fence(lease), "execute-task", task, [task_done(task)]), question()])
        milestone(store, "Another")
        first, second = store.overview().milestones
        assert (first.slices_done, first.slices_total, first.tasks_done, first.tasks_total) == (0, 1, 1, 2)
        assert (first.open_questions, first.holder, first.title) == (1, W1, "A tool")
        assert (second.holder, second.title, second.tasks_total) == (None, "Another", 0)

    def test_it_names_the_workers_that_did_not_say_goodbye(self, store: Store) -> None:
        store.register(W1, me())
        store.register(W2, me())
        store.beat(W2, "plan-milestone M001")
        store.end_worker(W1)
        (row,) = store.overview().workers
        assert (row.id, row.pid, row.host, row.started, row.unit, row.status) == (
            W2,
            me().pid,
            me().host,
            me().started,
            "plan-milestone M001",
            "active",
        )


class TestWaiting:
    def test_it_ends_when_another_process_writes(self, store: Store, store_url: str) -> None:
        code = (
            "import sys; from walkaway.store import connect; from walkaway.core.model import Policy\n"
            f"s = connect({store_url!r}, 'p'); print('ready', flush=True); sys.stdin.readline()\n"
            "s.new_milestone('t', 'c', Policy(), 'child'); s.close()\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            store.wait(0)
            child.stdin.write("go\n")
            child.stdin.flush()
            begin = time.monotonic()
            while not store.overview().milestones:
                store.wait(30)
            assert time.monotonic() - begin < 20
            assert child.wait() == 0

    def test_a_write_between_two_calls_is_not_missed(self, store: Store, store_url: str) -> None:
        other = connect(store_url, store.project)
        try:
            store.wait(30)  # the first returns at once
            milestone(other)
            milestone(other)
            begin = time.monotonic()
            store.wait(30)
            assert time.monotonic() - begin < 20
        finally:
            other.close()

    def test_it_ends_in_time_when_nothing_happens(self, store: Store) -> None:
        store.wait(0)
        begin = time.monotonic()
        store.wait(0.12)
        assert time.monotonic() - begin >= 0.1


class TestThreads:
    def test_each_has_a_connection_and_none_outlives_its_thread_for_long(self, store: Store) -> None:
        scope = milestone(store)
        for _ in range(5):
            _together(4, lambda: store.snapshot(scope))
        connections = store.driver._connections  # type: ignore[attr-defined]
        assert len(connections._kept) <= 6

    def test_calls_paid_at_once_are_all_counted(self, store: Store) -> None:
        scope = milestone(store)
        _together(8, lambda: [store.spend(scope, DispatchId("d1"), CALL) for _ in range(5)])
        assert store.snapshot(scope).usage.calls == 40

    def test_a_closed_store_opens_again_when_it_is_used(self, store: Store) -> None:
        store.close()
        assert store.overview().milestones == ()

    def test_the_projects_own_scope_is_no_milestone(self, store: Store) -> None:
        milestone(store)
        assert [m.id for m in store.overview().milestones] == ["M001"]
        with pytest.raises(Usage):
            store.snapshot(PROJECT_SCOPE)


def _together(count: int, work: Callable[[], object]) -> None:
    """Do the work in threads that begin at the same moment; raise what went wrong in any of them."""
    barrier = threading.Barrier(count)
    wrong: list[BaseException] = []

    def body() -> None:
        barrier.wait()
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            wrong.append(error)

    threads = [threading.Thread(target=body) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise wrong[0]
