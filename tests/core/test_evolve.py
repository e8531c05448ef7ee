"""What an event does, and what cannot happen: over histories that are drawn, and case by case."""

import os
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.core.build import TEXT, M, blank, created, fold, reported, running, sha
from tests.tiers import tier
from walkaway.core import events as e
from walkaway.core.derive import Ask, Blocked, Finished, Resume, Start, derive
from walkaway.core.errors import DispatchOver, IllegalTransition
from walkaway.core.evolve import evolve
from walkaway.core.ids import MilestoneId, Sha, SliceId, TaskId, TextHash, UnitKey, natural_order, slice_id
from walkaway.core.model import LIVE, MilestoneStatus, Policy, SliceStatus, Snapshot, TaskStatus
from walkaway.testing import moments as m
from walkaway.testing.strategies import moves, strays
from walkaway.testing.strategies_strays import candidates
from walkaway.units import UNITS

BY = m.Fence()
S01 = slice_id(M, 1)
T01, T02 = TaskId(f"{S01}/T01"), TaskId(f"{S01}/T02")
PLAN = UnitKey("plan-milestone", M)
PURE = settings(
    max_examples=tier(60, 1500), deadline=None, database=None, derandomize=tier(True, False),
    suppress_health_check=list(HealthCheck),
    phases=[p for p in Phase if p is not Phase.shrink or "NO_SHRINK" not in os.environ],
)  # fmt: skip


def planned(slices: int = 1) -> Snapshot:
    return fold(created(), m.planned(M, slices))


def cut(tasks: int = 1) -> Snapshot:
    return fold(planned(), m.cut(S01, tasks))


def done() -> Snapshot:
    """All slices are complete; a dispatch has reported."""
    s = fold(cut(), m.task_done(T01), e.SliceDone(slice=S01, summary="."))
    return reported(s, UnitKey("validate-milestone", M))[0]


@PURE
@given(data=st.data())
def test_no_history_that_can_happen_leads_to_a_state_that_must_never_be(data: st.DataObject) -> None:
    s = fold(blank(), e.MilestoneCreated(milestone=M, title="T", context=TEXT), m.pinned())
    for _ in range(data.draw(st.integers(1, 25))):
        with pytest.raises((IllegalTransition, DispatchOver)):
            evolve(s, data.draw(strays(s, BY)), s.now + 1)
        for event in data.draw(moves(s, BY)):
            before, s = s, fold(s, event, at=s.now + 1)
            _check_invariants(before, s, reopened=isinstance(event, e.Reopened | e.Undone))
    decision = derive(s, UNITS)
    assert derive(s, UNITS) == decision
    if isinstance(decision, Start):
        assert s.live is None
        assert s.blocked_by is None
    if isinstance(decision, Finished):
        assert s.milestone.status is MilestoneStatus.COMPLETE or s.milestone.aside
    if isinstance(decision, Resume):
        assert decision.dispatch is s.live
    if s.blocked_by and not s.milestone.aside and s.milestone.status is not MilestoneStatus.COMPLETE:
        assert isinstance(decision, Blocked)
    if isinstance(decision, Ask):
        assert decision.question.id not in s.questions


def _check_invariants(before: Snapshot, s: Snapshot, *, reopened: bool) -> None:
    assert sum(d.live for d in s.dispatches.values()) <= 1
    assert [d.seq for d in s.dispatches.values()] == list(range(1, len(s.dispatches) + 1))
    for name in ("slices", "tasks", "questions", "evidence", "notes"):
        ids = list(getattr(s, name))
        assert ids == sorted(ids, key=natural_order)
    for identifier, run in before.dispatches.items():
        if run.status not in LIVE:
            assert s.dispatches[identifier] == run, "what has ended is final"
    for task in s.tasks.values():
        if task.status is TaskStatus.COMPLETE:
            assert task.commit_sha
            assert task.verified
        if not reopened and before.tasks.get(task.id, task).status is TaskStatus.COMPLETE:
            assert before.tasks[task.id] == task, "no task lands twice"
    for slice_ in s.slices.values():
        if slice_.status is SliceStatus.COMPLETE:
            assert all(t.inactive for t in s.tasks_of(slice_.id)) or slice_.aside
    if s.milestone.status in {MilestoneStatus.VALIDATED, MilestoneStatus.COMPLETE}:
        assert s.all_inactive
    if s.milestone.status is MilestoneStatus.COMPLETE:
        assert s.milestone.commit_sha


def test_candidates_are_of_every_type() -> None:
    import typing

    assert {type(event) for event in candidates(created(), BY)} == set(typing.get_args(e.Event))


def test_nothing_happens_to_a_milestone_before_it_is_created() -> None:
    for event in candidates(created(), BY):
        if not isinstance(event, e.MilestoneCreated):
            with pytest.raises(IllegalTransition):
                evolve(blank(), event, 1.0)
    with pytest.raises(IllegalTransition):
        evolve(blank(), e.MilestoneCreated(milestone=MilestoneId("M002"), title="", context=TEXT), 1.0)


def met(dispatch: str, files: tuple[str, ...] = ("a.py",), onto: Sha = sha(8)) -> e.IntegrationConflicted:  # noqa: B008 - a constant
    name = m.started(dispatch).dispatch
    return e.IntegrationConflicted(dispatch=name, onto=onto, files=files, why="Both changed it.", log=TEXT)


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (created, e.MilestoneCreated(milestone=M, title="", context=TEXT)),
        (created, e.PolicyChanged(policy=Policy(attempts=0))),
        (created, e.TargetPinned(branch="", sha=sha(1))),
        (created, e.TargetPinned(branch="main", sha=Sha(""))),
        (done, m.pinned()),
        (created, e.BaselineAccepted(sha=sha(2))),
        (created, m.planned(M, 0)),
        (planned, m.planned(M, 1)),
        (created, m.planned(MilestoneId("M002"), 1)),
        (created, replace(m.planned(M, 1), slices=m.planned(M, 1).slices * 2)),
        (created, replace(m.planned(M, 1), slices=(replace(m.planned(M, 1).slices[0], depends=(S01,)),))),
        (created, replace(m.planned(M, 1), slices=(replace(m.planned(M, 1).slices[0], risk="none"),))),
        (created, replace(m.planned(M, 1), slices=(replace(m.planned(M, 1).slices[0], id=SliceId("M001/x")),))),
        (planned, m.cut(slice_id(M, 2))),
        (planned, m.cut(S01, 0)),
        (planned, replace(m.cut(S01), tasks=m.cut(slice_id(M, 2)).tasks)),
        (planned, replace(m.cut(S01), tasks=m.cut(S01).tasks * 2)),
        (cut, m.cut(S01)),
        (cut, m.task_done(T02)),
        (cut, replace(m.task_done(T01), commit=Sha(""))),
        (cut, replace(m.task_done(T01), verified="surely")),
        (done, m.task_done(T01)),
        (planned, e.SliceDone(slice=S01, summary="")),
        (cut, e.SliceDone(slice=S01, summary="")),
        (cut, e.SliceDone(slice=slice_id(M, 7), summary="")),
        (created, e.MilestoneValidated(verdict="pass")),
        (planned, e.MilestoneValidated(verdict="pass")),
        (cut, e.MilestoneValidated(verdict="pass")),
        (done, e.MilestoneDone(summary="", commit=sha(5))),
        (lambda: fold(done(), e.MilestoneValidated(verdict="pass")), e.MilestoneDone(summary="", commit=sha(5))),
        (created, m.claimed(BY, "plan-milestone", M, "")),
        (created, m.claimed(BY, "plan-milestone", M, attempt=0)),
        (created, m.claimed(m.Fence(token=0), "plan-milestone", M)),
        (done, m.claimed(BY, "plan-slice", S01)),
        (lambda: fold(created(), m.question()), m.claimed(BY, "plan-milestone", M)),
        (created, m.started("no-such")),
        (done, m.started("M001-D001")),
        (lambda: running(created(), PLAN)[0], replace(m.reported("M001-D001"), report=TextHash(""))),
        (lambda: running(created(), PLAN)[0], replace(m.reported("M001-D001"), commit=Sha(""))),
        (lambda: running(created(), PLAN)[0], m.completed("M001-D001")),
        (lambda: running(created(), PLAN)[0], m.failed("M001-D001", "gremlins")),
        (lambda: running(created(), PLAN)[0], m.canceled("M001-D001", "")),
        (done, m.canceled("M001-D001")),
        (done, e.DispatchPaused(dispatch=m.started("M001-D001").dispatch, why="")),
        (done, e.DispatchStuck(dispatch=m.started("M001-D001").dispatch, why="")),
        (done, replace(m.completed("M001-D001"), head=Sha(""))),
        (done, e.DispatchAdopted(dispatch=m.started("M001-D001").dispatch, worker=BY.worker, epoch=1, token=1)),
        (done, e.DispatchAdopted(dispatch=m.started("M001-D001").dispatch, worker=BY.worker, epoch=0, token=9)),
        (created, m.evidence("e1", "no-such")),
        (lambda: fold(done(), m.evidence("e1", "M001-D001")), m.evidence("e1", "M001-D001")),
        (
            lambda: running(created(), PLAN)[0],
            e.IntegrationPrepared(dispatch=m.started("M001-D001").dispatch, base=sha(1), commit=sha(2), verified=True),
        ),
        (created, e.IntegrationStale(dispatch=m.started("no-such").dispatch, tip=sha(1))),
        (created, met("no-such")),
        (lambda: running(created(), PLAN)[0], met("M001-D001")),
        (lambda: reported(created(), PLAN)[0], met("M001-D001", files=())),
        (lambda: reported(created(), PLAN)[0], met("M001-D001", onto=Sha(""))),
        (created, e.ConflictResolved(onto=sha(8))),
        (created, e.ConflictResolved(onto=Sha(""))),
        (lambda: fold(reported(created(), PLAN)[0], met("M001-D001")), e.ConflictResolved(onto=sha(7))),
        (
            done,
            e.IntegrationPrepared(dispatch=m.started("M001-D001").dispatch, base=Sha(""), commit=sha(2), verified=True),
        ),
        (lambda: fold(created(), m.question()), m.question()),
        (created, m.question(options=())),
        (created, e.QuestionRaised(question=replace(m.question().question, remedies=()))),
        (created, e.QuestionRaised(question=replace(m.question().question, answer="retry"))),
        (created, m.answered()),
        (lambda: fold(created(), m.question()), m.answered(answer="perhaps")),
        (lambda: fold(created(), m.question(), m.answered()), m.answered()),
    ],
)
def test_what_cannot_happen_is_refused(state, event) -> None:
    with pytest.raises(IllegalTransition):
        evolve(state(), event, 200.0)


def test_what_comes_too_late_is_told_from_what_cannot_be() -> None:
    s, d = running(created(), PLAN)
    over = fold(s, m.failed(d))
    late = [
        m.started(d),
        m.reported(d),
        m.completed(d),
        m.failed(d),
        m.canceled(d),
        m.evidence("late", d),
        e.IntegrationPrepared(dispatch=d, base=sha(1), commit=sha(2), verified=True),
        e.IntegrationStale(dispatch=d, tip=sha(1)),
        e.DispatchAdopted(dispatch=d, worker=BY.worker, epoch=2, token=9),
    ]
    for event in late:
        with pytest.raises(DispatchOver):
            evolve(over, event, 200.0)


def test_a_complete_milestone_claims_no_more() -> None:
    s = fold(done(), e.MilestoneValidated(verdict="pass"))
    d = next(reversed(s.dispatches.values())).id
    prepared = e.IntegrationPrepared(dispatch=d, base=sha(1), commit=sha(5), verified=True)
    s = fold(s, prepared, e.MilestoneDone(summary="", commit=sha(5)), m.completed(d))
    assert s.milestone.commit_sha == sha(5)
    with pytest.raises(IllegalTransition):
        evolve(s, m.claimed(BY, "plan-milestone", M, "d99"), 200.0)
    assert isinstance(derive(s, UNITS), Finished)


def test_the_identifier_of_a_run_is_used_once() -> None:
    s, d = running(created(), PLAN)
    with pytest.raises(IllegalTransition, match="exists already"):
        evolve(fold(s, m.failed(d)), m.claimed(BY, "plan-milestone", M, d), 200.0)


def test_strangers_moves_are_counted_and_an_answer_about_them_starts_that_count_again_and_no_other() -> None:
    s, d = reported(created(), PLAN)
    stale = e.IntegrationStale(dispatch=d, tip=sha(3))
    sibling = e.IntegrationStale(dispatch=d, tip=sha(3), sibling=True)
    s = fold(s, stale, sibling, stale, sibling)
    assert s.milestone.stale_count == 2, "what moved it was another milestone of the project: that ends by itself"
    other = fold(s, m.question("M001-Q1"), m.answered("M001-Q1"))
    assert other.milestone.stale_count == 2
    asked = fold(s, m.question("M001-Q1", reason="target-moves"), m.answered("M001-Q1"))
    assert asked.milestone.stale_count == 0


def test_a_conflict_stands_until_it_is_resolved_or_a_person_answers_about_it() -> None:
    s, d = reported(created(), PLAN)
    s = fold(s, met(d))
    assert (s.dispatches[d].status, s.dispatches[d].failure) == ("failed", "conflict")
    assert (s.milestone.conflict_onto, s.milestone.conflict_files) == (sha(8), ("a.py",))
    resolved = fold(s, e.ConflictResolved(onto=sha(8)))
    assert (resolved.milestone.conflict_onto, resolved.milestone.conflict_files) == ("", ())
    other = fold(s, m.question("M001-Q1"), m.answered("M001-Q1"))
    assert other.milestone.conflict_onto == sha(8)
    asked = fold(s, m.question("M001-Q1", reason="conflict"), m.answered("M001-Q1"))
    assert (asked.milestone.conflict_onto, asked.milestone.conflict_files) == ("", ())


def test_times_are_the_stores() -> None:
    s, d = running(created(), PLAN)
    s = fold(s, m.evidence("e1", d), m.failed(d), m.question(), m.answered(), at=123.5)
    assert s.dispatches[d].ended_at == 123.5
    assert s.evidence["e1"].at == 123.5
    assert (s.questions["M001-Q1"].asked_at, s.questions["M001-Q1"].answered_at) == (123.5, 123.5)
    assert s.questions["M001-Q1"].after == 1


def test_siblings_are_ordered_as_they_are_counted() -> None:
    s = planned(101)
    assert list(s.slices)[98:] == ["M001/S99", "M001/S100", "M001/S101"]


@pytest.mark.parametrize("kind", ["verification", "stuck", "lease-lost", "environment", "git", "hook", "limit"])
def test_a_unit_that_always_ends_so_asks_a_person_within_a_few_runs(kind: str) -> None:
    s = created()
    for _ in range(4):
        decision = derive(s, UNITS)
        if isinstance(decision, Ask):
            break
        s, d = running(s, PLAN)
        s = fold(s, m.failed(d, kind))
    else:
        pytest.fail("it goes on for ever")


def test_kinds_of_trouble_that_take_turns_do_not_go_on_for_ever() -> None:
    s = created()
    for n in range(12):
        if isinstance(derive(s, UNITS), Ask):
            break
        s, d = running(s, PLAN)
        s = fold(s, m.failed(d, ["stuck", "lease-lost"][n % 2]))
    else:
        pytest.fail("it goes on for ever")
