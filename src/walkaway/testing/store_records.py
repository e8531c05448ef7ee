"""Conformance of journal, usage, texts, numbers, overview, waiting, threads. Wants ``store`` and ``store_url``."""

import subprocess
import sys
import time
from dataclasses import replace

import pytest

from walkaway.core.errors import StoreUnavailable, Usage
from walkaway.core.events import Event, NoteTaken, Reopened, SetAside
from walkaway.core.ids import PROJECT_SCOPE, DispatchId, ProjectId, Scope, SliceId, TaskId, TextHash
from walkaway.core.model import Note, Policy
from walkaway.core.model import Usage as Spent
from walkaway.identity import me
from walkaway.store import Store, connect
from walkaway.store.blobs import clean, text_hash
from walkaway.testing.moments import (
    REPORT,
    answered,
    claimed,
    fence,
    pinned,
    question,
    run_of,
    started,
    task_done,
)
from walkaway.testing.store_bench import CALL, W1, W2, assert_consistent, begun, milestone, taken, together


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


class TestElsewhere:
    def test_what_a_milestone_settled_of_the_start_is_told_to_the_others_and_the_latest_counts(
        self, store: Store
    ) -> None:
        first, second, third = milestone(store), milestone(store), milestone(store)
        for scope, verdict in ((first, "skip"), (second, "research")):
            lease = taken(store, scope)
            note = Note(
                id=f"{scope}-N1", kind="research-decision", target=scope, verdict=verdict, summary="s", report=REPORT
            )
            store.commit(lease, [NoteTaken(note=note), NoteTaken(note=replace(note, id=f"{scope}-N2", kind="run-uat"))])
            store.release(lease)
        found = {scope: store.snapshot(scope).elsewhere for scope in (first, second, third)}
        assert [[*notes] for notes in found.values()] == [["research-decision"]] * 3
        assert [notes["research-decision"].verdict for notes in found.values()] == ["research", "skip", "research"]
        lease = taken(store, third)
        assert store.commit(lease, [pinned()]).elsewhere == found[third]
        assert store.commit(lease, [question()]).elsewhere == found[third], "also where the last state is remembered"


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
        together(8, lambda: made.extend(milestone(store) for _ in range(3)))
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

    def test_it_counts_what_is_done_or_to_be_done(self, store: Store) -> None:
        scope, lease = begun(store)
        slice_ = SliceId(f"{scope}/S01")

        def counted(*facts: Event) -> tuple[int, int, int, int]:
            store.commit(lease, facts)
            [row] = store.overview().milestones
            return row.slices_done, row.slices_total, row.tasks_done, row.tasks_total

        s = store.snapshot(scope)
        done = run_of(s, fence(lease), "execute-task", f"{slice_}/T01", [task_done(TaskId(f"{slice_}/T01"))])
        assert counted(*done) == (0, 1, 1, 2)
        assert counted(SetAside(target=f"{slice_}/T02", how="skipped", why="no")) == (0, 1, 1, 1)
        assert counted(Reopened(target=f"{slice_}/T02", why="yes")) == (0, 1, 1, 2)
        assert counted(SetAside(target=slice_, how="deferred", why="later")) == (0, 1, 1, 2)
        assert counted(Reopened(target=slice_, why="now")) == (0, 1, 1, 2)
        assert counted(SetAside(target=slice_, how="skipped", why="no")) == (0, 0, 1, 1)

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
            together(4, lambda: store.snapshot(scope))
        connections = store.driver._connections  # type: ignore[attr-defined]
        assert len(connections._kept) <= 6

    def test_calls_paid_at_once_are_all_counted(self, store: Store) -> None:
        scope = milestone(store)
        together(8, lambda: [store.spend(scope, DispatchId("d1"), CALL) for _ in range(5)])
        assert store.snapshot(scope).usage.calls == 40

    def test_a_closed_store_opens_again_when_it_is_used(self, store: Store) -> None:
        store.close()
        assert store.overview().milestones == ()

    def test_the_projects_own_scope_is_no_milestone(self, store: Store) -> None:
        milestone(store)
        assert [m.id for m in store.overview().milestones] == ["M001"]
        with pytest.raises(Usage):
            store.snapshot(PROJECT_SCOPE)
