"""What may change of a plan, and what may not."""

import pytest

from tests.core.build import created, fold, reported, sha
from walkaway.core import events as e
from walkaway.core.derive import Start, derive
from walkaway.core.errors import IllegalTransition
from walkaway.core.evolve import evolve
from walkaway.core.ids import SliceId, TaskId, UnitKey
from walkaway.core.model import Snapshot
from walkaway.core.plan.profile import DISCUSS, PROFILES, UAT, steps
from walkaway.testing import moments as m
from walkaway.units import UNITS, complete_milestone, complete_slice, execute_task

FIRST, SECOND = SliceId("M001/S01"), SliceId("M001/S02")
TASK = TaskId("M001/S01/T01")


def plan(own: SliceId, *depends: SliceId, sketch: bool = False) -> e.SlicePlan:
    return e.SlicePlan(id=own, title="t", demo="d", goal="g", risk="low", depends=depends, sketch=sketch)


def task(number: int) -> e.TaskPlan:
    return e.TaskPlan(id=TaskId(f"{FIRST}/T{number:02}"), title="t", description="d", files=(), verify="")


def planned() -> Snapshot:
    """A milestone of two slices, the first of them cut into two tasks."""
    slices = (plan(FIRST), plan(SECOND, FIRST, sketch=True))
    return fold(
        created(),
        e.MilestonePlanned(title="T", vision="v", criteria=("c",), slices=slices),
        e.SlicePlanned(slice=FIRST, goal="g", must_haves=(), tasks=(task(1), task(2))),
    )


def done(number: int) -> e.TaskDone:
    return e.TaskDone(
        task=task(number).id, summary="s", narrative="n", key_files=(), verified="passed", commit=sha(number)
    )


def finished() -> Snapshot:
    """All done, nothing validated."""
    s = fold(planned(), done(1), done(2), e.SliceDone(slice=FIRST, summary="s"))
    return fold(s, e.SetAside(target=SECOND, how="skipped", why=""))


def complete() -> Snapshot:
    s, d = reported(fold(finished(), e.MilestoneValidated(verdict="pass")), UnitKey("complete-milestone", "M001"))
    prepared = e.IntegrationPrepared(dispatch=d, base=sha(1), commit=sha(5), verified=True)
    return fold(s, prepared, e.MilestoneDone(summary="", commit=sha(5)), m.completed(d))


@pytest.mark.parametrize(
    "event",
    [
        e.RoadmapChanged(added=(), changed=(), dropped=(FIRST,), why="begun"),
        e.RoadmapChanged(added=(), changed=(plan(FIRST),), dropped=(), why="begun"),
        e.RoadmapChanged(added=(plan(SECOND),), changed=(), dropped=(), why="there"),
        e.SliceReplanned(slice=FIRST, tasks=(task(2),), why="used"),
        e.SliceReplanned(slice=SECOND, tasks=(task(3),), why="not planned"),
        e.SetAside(target=FIRST, how="replaced", why="not a person's word"),
        e.SetAside(target=TASK, how="deferred", why="slices only"),
        e.SetAside(target="M001", how="skipped", why="no part"),
        e.Reopened(target=FIRST, why="open"),
        e.Reopened(target=TASK, why="open"),
        e.BlockerFound(task=TASK, why=""),
    ],
    ids=lambda event: f"{type(event).__name__} {event.why}",
)
def test_what_a_plan_does_not_allow_is_illegal(event: e.Event) -> None:
    with pytest.raises(IllegalTransition):
        evolve(planned(), event, 1.0)


@pytest.mark.parametrize("target", [FIRST, SECOND, TASK])
def test_of_a_complete_milestone_nothing_is_set_aside_or_reopened(target: str) -> None:
    for event in (e.SetAside(target=target, how="skipped", why=""), e.Reopened(target=target, why="")):
        with pytest.raises(IllegalTransition, match=r"M001(, which)? is complete"):
            evolve(complete(), event, 1.0)


def test_what_is_complete_is_not_set_aside() -> None:
    for target in (FIRST, TASK):
        with pytest.raises(IllegalTransition, match="is complete already"):
            evolve(finished(), e.SetAside(target=target, how="skipped", why=""), 1.0)


def test_a_complete_milestone_takes_no_new_plan_and_a_task_of_an_inactive_slice_is_not_done() -> None:
    with pytest.raises(IllegalTransition):
        evolve(complete(), e.RoadmapChanged(added=(plan(SliceId("M001/S03")),), changed=(), dropped=(), why=""), 1.0)
    skipped = fold(planned(), e.SetAside(target=TASK, how="skipped", why=""))
    with pytest.raises(IllegalTransition, match="was skipped"):
        evolve(skipped, done(1), 1.0)


def test_beside_a_blocker_nothing_goes_on_and_a_new_plan_ends_it() -> None:
    s = fold(planned(), e.BlockerFound(task=TASK, why="no file"))
    assert list(execute_task.targets(s)) == []
    replanned = fold(s, e.SliceReplanned(slice=FIRST, tasks=(task(3),), why="w"))
    assert replanned.slices[FIRST].blocker == ""
    assert list(execute_task.targets(replanned)) == [task(3).id]
    assert [t.aside for t in replanned.tasks.values()] == ["replaced", "replaced", ""]
    met_last = fold(planned(), done(1), done(2))
    assert list(complete_slice.targets(met_last)) == [FIRST]


def test_a_milestone_is_not_completed_beside_its_validation() -> None:
    assert list(complete_milestone.targets(finished())) == []


def test_a_validated_milestone_whose_slice_is_reopened_is_active_and_done_again() -> None:
    s = fold(finished(), e.MilestoneValidated(verdict="pass"), e.Reopened(target=FIRST, why="a mistake"))
    assert s.milestone.status == "active"
    assert [t.status for t in s.tasks.values()] == ["pending", "pending"]
    assert s.slices[FIRST].status == "in_progress"
    decision = derive(s, UNITS)
    assert isinstance(decision, Start)
    assert str(decision.key) == f"execute-task {TASK}"


@pytest.mark.parametrize(
    ("profile", "discuss", "gated", "thinks"),
    [
        ("balanced", None, False, False),
        ("balanced", True, False, True),
        ("quality", None, False, True),
        ("max", False, False, False),
        ("max", False, True, True),
        ("budget", None, True, True),
    ],
)
def test_a_milestone_is_thought_through_where_the_profile_a_setting_or_a_gate_says_so(profile, discuss, gated, thinks):
    taken = steps(profile, discuss=discuss, uat=None, gated=gated)
    assert (DISCUSS in taken) is thinks
    assert tuple(s for s in taken if s != DISCUSS) == tuple(s for s in PROFILES[profile] if s != DISCUSS)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("uat", [True, False])
def test_slices_are_tried_where_a_setting_says_so_and_no_other_step_is_touched(profile, uat):
    taken = steps(profile, discuss=None, uat=uat, gated=False)
    assert (UAT in taken) is uat
    assert [s for s in taken if s != UAT] == [s for s in PROFILES[profile] if s != UAT]
