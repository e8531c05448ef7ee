"""A task's tests have to be able to fail, and to ask no less than before."""

import pytest

from tests.engine.conftest import NewWorld
from tests.engine.test_known_failures import fails
from walkaway.core.model import Policy, Result
from walkaway.engine.result import Status
from walkaway.testing.fakes import Files, Turn
from walkaway.testing.world import Scripted, World, good_report

TASK = "execute-task M001/S01/T01"
CODE, TEST = "add.py", "tests/test_add.py"
ASKS = "def test_add():\n    assert add(1, 2) == 3\n"
PROOF = "test (without the change)"


def does(files: Files) -> Turn:
    """A turn that writes ``files``."""
    return Turn(reports=[good_report(*TASK.split(" "))], files=files)


def suite(files: Files) -> Result | str:
    """Run the test there is, against the code there is."""
    if "wants add" in files.get(TEST, "") and CODE not in files:
        return fails("test_add").replace("tests.py", TEST)
    return Result.PASS


def proofs(world: World) -> list[tuple[str, str]]:
    """Return what is recorded of the tests of tasks."""
    return [
        (e.command, e.result)
        for e in world.snapshot().evidence.values()
        if e.command.endswith("(without the change)") or e.command == "(tests kept)"
    ]


def done_by(new_world: NewWorld, *turns: Files, tests: str = "flag") -> World:
    """Let a milestone be done whose first task is done so, attempt by attempt."""
    world = new_world(script=Scripted({TASK: [does(files) for files in turns]}), policy=Policy(tests=tests))
    world.verifier.known["test"] = suite
    assert world.run().status is Status.COMPLETE
    return world


def test_a_test_that_fails_without_the_work_shows_it(new_world: NewWorld) -> None:
    world = done_by(new_world, {CODE: "add", TEST: f"# wants add\n{ASKS}"}, tests="refuse")
    assert proofs(world) == [(PROOF, "pass")]
    assert world.runs[TASK] == 1
    assert CODE in world.site.see("refs/heads/main")[0].files


def test_a_test_that_cannot_fail_is_flagged(new_world: NewWorld) -> None:
    world = done_by(new_world, {CODE: "add", TEST: ASKS})
    assert proofs(world) == [(PROOF, "fail")]
    assert any("No test of this task fails without its implementation" in text for text in world.said("note"))
    asked = next(b for b in world.briefs if b.unit == "validate-milestone M001")
    assert "M001/S01/T01: none of its tests fails without its implementation" in asked.prompt
    closing = next(b for b in world.briefs if b.unit == "complete-slice M001/S01")
    assert "none of its tests fails" in closing.prompt


def test_a_test_that_cannot_fail_is_refused_where_the_policy_says_so(new_world: NewWorld) -> None:
    world = done_by(new_world, {CODE: "add", TEST: ASKS}, {CODE: "add", TEST: f"# wants add\n{ASKS}"}, tests="refuse")
    assert world.runs[TASK] == 2
    again = [b for b in world.briefs if b.unit == TASK][1]
    assert "No test of this task fails without its implementation" in again.prompt
    assert proofs(world) == [(PROOF, "fail"), (PROOF, "pass")]


def test_only_a_test_of_the_task_shows_it(new_world: NewWorld) -> None:
    """An older test that fails without the new code says nothing of the new test."""
    world = new_world(script=Scripted({TASK: [does({CODE: "add", TEST: ASKS})]}))
    world.verifier.known["test"] = lambda files: (
        fails("test_old") if TEST in files and CODE not in files else Result.PASS
    )
    world.run()
    assert proofs(world) == [(PROOF, "fail")]


def test_without_names_a_check_that_fails_shows_it(new_world: NewWorld) -> None:
    world = new_world(script=Scripted({TASK: [does({CODE: "add", TEST: ASKS})]}))
    world.verifier.known["test"] = lambda files: Result.FAIL if TEST in files and CODE not in files else Result.PASS
    world.run()
    assert proofs(world) == [(PROOF, "pass")]


@pytest.mark.parametrize("result", [Result.TIMEOUT, Result.CANNOT_RUN])
def test_what_cannot_be_told_is_neither_shown_nor_flagged(new_world: NewWorld, result: Result) -> None:
    world = new_world(script=Scripted({TASK: [does({CODE: "add", TEST: ASKS})]}), policy=Policy(tests="refuse"))
    world.verifier.known["test"] = lambda files: result if TEST in files and CODE not in files else Result.PASS
    assert world.run().status is Status.COMPLETE
    assert proofs(world) == [(PROOF, result)]
    assert world.runs[TASK] == 1


@pytest.mark.parametrize(
    ("files", "tests"),
    [({CODE: "add"}, "refuse"), ({TEST: ASKS}, "refuse"), ({CODE: "add", TEST: ASKS}, "off")],
    ids=["no test", "nothing but tests", "off"],
)
def test_there_is_not_always_something_to_show(new_world: NewWorld, files: Files, tests: str) -> None:
    assert proofs(done_by(new_world, files, tests=tests)) == []


def test_tests_that_ask_less_are_flagged_or_refused(new_world: NewWorld) -> None:
    second = "execute-task M001/S01/T02"
    for how, runs in (("flag", 1), ("refuse", 2)):
        turns = {
            TASK: [does({CODE: "add", TEST: f"# wants add\n{ASKS}"})],
            second: [
                Turn(reports=[good_report(*second.split(" "))], files={"b.py": "b", TEST: text})
                for text in ("# wants add\ndef test_add():\n    pass\n", f"# wants add\n{ASKS}")
            ],
        }
        world = new_world(script=Scripted(turns), policy=Policy(tests=how))
        world.verifier.known["test"] = suite
        assert world.run().status is Status.COMPLETE
        assert ("(tests kept)", "fail") in proofs(world)
        assert world.runs[second] == runs
        if how == "refuse":
            again = [b for b in world.briefs if b.unit == second][1]
            assert "1 fewer assertions (0 of 1 left)" in again.prompt
