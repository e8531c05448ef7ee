"""What failed on the target before anything was changed is known: it refuses nothing, and it excuses nothing new."""

from tests.engine.conftest import NewWorld
from walkaway.core.brief import Brief
from walkaway.core.model import Result
from walkaway.engine.result import RunOptions, Status
from walkaway.testing.fakes import Files, Turn
from walkaway.testing.world import World, good_report, good_turn

TASK = "execute-task M001/S01/T01"
DONE = "M001/S02/T02.py"


def fails(*names: str) -> str:
    """Return what pytest says where these tests fail."""
    lines = "".join(f"FAILED tests.py::{name} - AssertionError\n" for name in names)
    return f"{lines}{len(names)} failed, 9 passed in 0.01s\n"


def known_from_the_start(files: Files) -> Result | str:
    """One test fails on the target, another in a task's first attempt; the first is mended by who mends it."""
    names = [] if "MENDED" in files else ["test_old"]
    names += ["test_new"] if "wrong\n" in files.values() else []
    return fails(*names) if names else Result.PASS


def first_attempt_is_wrong(brief: Brief) -> Turn:
    if brief.unit != TASK:
        return good_turn(brief)
    text = "wrong\n" if brief.attempt == 1 else "right\n"
    return Turn(reports=[good_report(*brief.unit.split(" "))], files={"M001/S01/T01.py": text})


def test_a_red_target_does_not_refuse_to_start_where_the_failing_tests_are_known(new_world: NewWorld) -> None:
    world = new_world(script=first_attempt_is_wrong)
    world.verifier.known["test"] = known_from_the_start

    assert world.run().status is Status.COMPLETE

    s = world.snapshot()
    assert [str(q.reason) for q in s.questions.values()] == []
    assert world.runs[TASK] == 2, "one that failed before excuses none that fails anew"
    refused = next(d for d in s.dispatches.values() if d.status == "failed")
    assert refused.why == "The check `test` failed with exit code 1. 1 known, 1 new."
    again = [b for b in world.briefs if b.unit == TASK][1]
    assert "[1 known, 1 new: tests.py::test_new]" in again.prompt
    assert {task.verified for task in s.tasks.values()} == {"passed"}
    assert s.milestone.verified


def test_what_fails_on_a_target_that_moved_is_looked_at_there(world: World) -> None:
    world.verifier.known["test"] = lambda files: fails("test_theirs") if "THEIRS" in files else Result.PASS
    world.run(RunOptions(units=3))
    tip = world.workspace.move("main", {"THEIRS": "broken\n"})

    assert world.run().status is Status.COMPLETE

    looked = [e for e in world.snapshot().evidence.values() if e.phase == "baseline"]
    assert [(e.tree == tip, e.known) for e in looked] == [(False, 0), (True, 1)]


def test_what_the_milestone_breaks_is_not_excused_by_a_target_that_moved(new_world: NewWorld) -> None:
    world = new_world()
    world.verifier.known["test"] = lambda files: fails("test_both") if {"OTHER", DONE} <= files.keys() else Result.PASS
    world.run(RunOptions(units=3))
    world.workspace.move("main", {"OTHER": "green\n"})

    assert world.run().status is not Status.COMPLETE
