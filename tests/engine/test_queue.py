"""Parking, discarding, taking back, and running one kind of unit: what a run makes of it."""

import pytest

from tests.engine.conftest import NewWorld
from tests.engine.test_workflow import person, units
from walkaway.commands import undo
from walkaway.commands.command import Project
from walkaway.commands.queue import AFTER, DISCARD, MOVE, PARK, UNPARK, Discarded, Form, Moved, Ordered
from walkaway.core.brief import Brief
from walkaway.core.errors import Usage
from walkaway.core.ids import Scope
from walkaway.engine.result import RunOptions, Status
from walkaway.testing.fakes import Turn
from walkaway.testing.world import good_turn

M001, M002 = Form(milestone="M001"), Form(milestone="M002")


def test_a_parked_milestone_is_left_alone_until_it_is_taken_up(new_world: NewWorld) -> None:
    world = new_world(milestones=2)
    PARK.run(person(world), M001)
    ended = world.run()
    assert ended.status is Status.COMPLETE
    assert ended.detail == "Nothing is left to do but what is parked: M001; take up with: walkaway unpark M001"
    assert not world.snapshot().dispatches
    assert [row.standing for row in world.store.overview().milestones] == ["parked", "complete"]
    UNPARK.run(person(world), M001)
    assert world.run().detail == "Everything is complete."
    assert world.snapshot().milestone.status == "complete"


def test_a_run_of_a_parked_milestone_ends_paused_and_of_a_discarded_one_is_an_error(new_world: NewWorld) -> None:
    world = new_world()
    PARK.run(person(world), M001)
    ended = world.run(RunOptions(milestone=world.milestones[0]))
    assert ended.status is Status.PAUSED
    assert "unpark M001" in ended.detail
    with pytest.raises(Usage, match="--yes"):
        DISCARD.run(person(world), Discarded(milestone="M001"))
    DISCARD.run(person(world), Discarded(milestone="M001", confirmed=True))
    with pytest.raises(Usage, match="was discarded"):
        world.run(RunOptions(milestone=world.milestones[0]))
    assert world.run().status is Status.COMPLETE


def test_what_comes_after_something_parked_blocks_the_run_and_is_named(new_world: NewWorld) -> None:
    world = new_world(milestones=2)
    AFTER.run(person(world), Ordered(milestone="M002", after=("M001",)))
    PARK.run(person(world), M001)
    ended = world.run()
    assert ended.status is Status.BLOCKED
    assert "M002 waits for M001 (parked)" in ended.detail
    with pytest.raises(Usage, match="M002 comes after M001"):
        DISCARD.run(person(world), Discarded(milestone="M001", confirmed=True))
    AFTER.run(person(world), Ordered(milestone="M002", after=()))
    DISCARD.run(person(world), Discarded(milestone="M001", confirmed=True))
    assert world.run().status is Status.COMPLETE


def test_milestones_are_worked_on_in_the_order_of_the_queue(new_world: NewWorld) -> None:
    world = new_world(milestones=3)
    MOVE.run(person(world), Moved(milestone="M003", before="M001"))
    AFTER.run(person(world), Ordered(milestone="M001", after=("M002",)))
    assert world.run().status is Status.COMPLETE
    done = {world.store.snapshot(Scope(m)).milestone.completed_at: m for m in world.milestones}
    assert [done[at] for at in sorted(done)] == ["M003", "M002", "M001"]


def test_an_order_that_cannot_be_is_refused_with_its_reason(new_world: NewWorld) -> None:
    world = new_world(milestones=3)
    AFTER.run(person(world), Ordered(milestone="M002", after=("M001",)))
    for wrong, said in (
        (lambda: AFTER.run(person(world), Ordered(milestone="M001", after=("M002",))), "come after each other"),
        (lambda: MOVE.run(person(world), Moved(milestone="M002", before="M001")), "stands before M001"),
        (lambda: AFTER.run(person(world), Ordered(milestone="M001", after=("M001",))), "after itself"),
        (lambda: AFTER.run(person(world), Ordered(milestone="M001", after=("M009",))), "no milestone M009"),
        (lambda: MOVE.run(person(world), Moved(milestone="M001", before="M001")), "beside itself"),
        (lambda: MOVE.run(person(world), Moved(milestone="M001")), "--before or --after"),
    ):
        with pytest.raises(Usage, match=said):
            wrong()
    assert world.store.snapshot(Scope(world.milestones[0])).milestone.depends == ()


def test_a_milestone_is_not_put_aside_under_a_unit_at_work(new_world: NewWorld) -> None:
    world = new_world()
    refused: list[str] = []

    def park_meanwhile(brief: Brief) -> Turn:
        try:
            PARK.run(person(world), M001)
        except Usage as error:
            refused.append(str(error))
        return good_turn(brief)

    world.script = park_meanwhile
    world.run(RunOptions(units=1))
    assert len(refused) == 1
    assert "is at work on M001; cancel it first" in refused[0]
    PARK.run(person(world), M001)


# ---- taking back ----------------------------------------------------------------------------------------------------


def test_the_newest_task_is_taken_back_and_done_again(new_world: NewWorld) -> None:
    world = new_world()
    world.run(RunOptions(units=3))
    before = world.snapshot()
    last = [d for d in before.dispatches.values() if d.unit == "execute-task"][-1]
    kept: list[tuple[str, str]] = []
    ada = Project(
        store=world.store, policy=world.policy, who="ada", keep=lambda milestone, sha: kept.append((milestone, sha))
    )
    with pytest.raises(Usage, match="was not done last"):
        undo.COMMAND.run(ada, undo.Form(target="M001/S02/T01"))
    undo.COMMAND.run(ada, undo.Form(target="M001"))
    s = world.snapshot()
    assert kept == [("M001", before.milestone.head)]
    assert s.milestone.head == last.base_sha
    assert (s.tasks[last.target].status, s.tasks[last.target].commit_sha) == ("pending", "")
    ended = world.run()
    assert ended.status is Status.COMPLETE
    assert units(world).count(f"execute-task {last.target}") == 2
    facts = world.facts()
    assert facts.on_the_line.count(f"execute-task {last.target}") == 1, "the line has it once"


def test_a_slice_that_was_summed_up_is_open_again_and_all_tasks_can_be_taken_back_one_by_one(
    new_world: NewWorld,
) -> None:
    world = new_world()
    world.run(RunOptions(units=5))
    done = [t.id for t in world.snapshot().tasks.values() if t.status == "complete"]
    assert any(x.status == "complete" for x in world.snapshot().slices.values())
    for _ in done:
        undo.COMMAND.run(person(world), undo.Form(target="M001", reason="Another way."))
    s = world.snapshot()
    assert all(t.status == "pending" for t in s.tasks.values())
    assert all(x.status != "complete" for x in s.slices.values())
    with pytest.raises(Usage, match="nothing to take back"):
        undo.COMMAND.run(person(world), undo.Form(target="M001"))
    assert world.run().status is Status.COMPLETE


def test_what_is_integrated_is_not_taken_back(new_world: NewWorld) -> None:
    world = new_world()
    world.run()
    with pytest.raises(Usage):
        undo.COMMAND.run(person(world), undo.Form(target="M001"))


# ---- one kind of unit -----------------------------------------------------------------------------------------------


def test_one_kind_of_unit_is_run_if_it_is_its_turn_and_nothing_else(new_world: NewWorld) -> None:
    world = new_world()
    ended = world.run(RunOptions(step=True, only=("execute-task",)))
    assert ended.status is Status.USAGE
    assert ended.detail == "Not now: plan-milestone M001 comes first."
    assert not world.snapshot().dispatches
    assert world.run(RunOptions(step=True, only=("plan-milestone", "plan-slice"))).status is Status.UNIT_DONE
    assert units(world) == ["plan-milestone M001"]
