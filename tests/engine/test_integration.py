"""Onto the target branch: prepared in private, checked, recorded, published once."""

import pytest

from tests.engine.conftest import NewWorld
from walkaway.core.errors import Usage
from walkaway.core.ids import NO_SHA
from walkaway.core.model import MilestoneStatus, Policy, Result
from walkaway.engine.result import Progress, RunOptions, Status
from walkaway.testing.fakes import Files, Turn
from walkaway.testing.world import Fate, Scripted, World, good_report

CLOSE = "complete-milestone M001"
DONE = "M001/S02/T02.py"


def while_checking(world: World, times: int) -> list[str]:
    """Move the target while the integrated tree is checked, so many times."""
    moved: list[str] = []

    def test(files: Files) -> Result:
        integrating = any(".integration" in path for path in world.workspace.directories)
        if integrating and len(moved) < times:
            moved.append(world.workspace.move("main", {"OTHER": f"{len(moved)}\n"}))
        return Result.PASS

    world.verifier.known["test"] = test
    return moved


def test_the_integration_commit_stands_on_the_tip_of_the_target_and_the_line_stays_reachable(world: World) -> None:
    world.run(RunOptions(units=1))
    theirs = world.workspace.move("main", {"OTHER": "theirs\n"})

    world.run()

    m = world.snapshot().milestone
    published = world.workspace.commits[m.commit_sha]
    assert published.parent == theirs
    assert published.files["OTHER"] == "theirs\n"
    assert world.workspace.refs["refs/walkaway/M001"] == m.head
    assert len(world.facts().on_the_line) == 11
    for name in ("Walkaway-Unit: complete-milestone M001", "Walkaway-Dispatch: M001-D011", "Walkaway-Fence: 1.2"):
        assert name in published.message
    assert "The tool adds numbers." in published.message
    assert "Did M001/S01/T01" in published.message


def test_at_no_moment_is_a_milestone_complete_and_its_line_not_whole(world: World) -> None:
    whole: list[bool] = []

    def look(_call: str) -> None:
        m = world.snapshot().milestone
        if m.status is MilestoneStatus.COMPLETE:
            whole.append(world.workspace.refs.get("refs/walkaway/M001") == m.head)

    world.run(fate=Fate(before=look))

    assert whole
    assert all(whole)


def test_a_line_that_was_drawn_by_somebody_else_meanwhile_is_looked_at_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.run(RunOptions(units=3))
    assert world.workspace.refs["refs/walkaway/M001"] == world.snapshot().milestone.head, (
        "also of a run that ends early"
    )
    world.workspace.refs["refs/walkaway/M001"] = world.workspace.pin("main").sha
    line, old = world.workspace.line, [NO_SHA]
    monkeypatch.setattr(world.workspace, "line", lambda m: old.pop() if old else line(m))

    assert world.run().status is Status.COMPLETE
    assert not old
    assert world.workspace.refs["refs/walkaway/M001"] == world.snapshot().milestone.head


def test_a_target_that_moves_while_it_is_checked_is_prepared_and_checked_again(world: World) -> None:
    moved = while_checking(world, 2)

    assert world.run().status is Status.COMPLETE
    assert world.workspace.commits[world.snapshot().milestone.commit_sha].parent == moved[-1]
    assert world.runs[CLOSE] == 1


def test_a_target_that_moves_three_times_is_a_question_and_the_answer_goes_on_without_the_model(world: World) -> None:
    while_checking(world, 3)

    ended = world.run()

    question = world.snapshot().blocked_by
    assert ended.status is Status.BLOCKED
    assert question is not None
    assert question.reason == "target-moves"
    assert "moved 3 times" in question.text
    world.answer("retry")
    assert world.run().status is Status.COMPLETE
    assert world.runs[CLOSE] == 1


def test_a_file_of_the_users_in_the_way_leaves_the_milestone_ready_to_integrate(world: World) -> None:
    world.workspace.edited = {DONE}

    ended = world.run()

    s = world.snapshot()
    assert ended.status is Status.BLOCKED
    assert s.blocked_by is not None
    assert s.blocked_by.reason == "ready-to-integrate"
    assert DONE in s.blocked_by.text
    assert any("walkaway auto again" in remedy for remedy in s.blocked_by.remedies)
    assert any(f"git merge --ff-only {s.milestone.prepared_sha[:12]}" in remedy for remedy in s.blocked_by.remedies)
    assert world.facts().on_the_target == ("Begin",)
    assert ended.commits == ()


def test_the_next_run_publishes_the_recorded_commit_without_a_model_call_or_a_check(world: World) -> None:
    world.workspace.edited = {DONE}
    world.run()
    recorded, checks, asked = world.snapshot().milestone.prepared_sha, len(world.verifier.ran), len(world.briefs)

    world.workspace.edited = set()
    ended = world.run()

    assert ended.status is Status.COMPLETE
    assert ended.commits == (recorded,) == (world.workspace.branches["main"],)
    assert (ended.units, ended.usage.calls) == (1, 0)
    assert (len(world.verifier.ran), len(world.briefs)) == (checks, asked)


def test_a_milestone_that_the_user_integrated_by_hand_is_complete(world: World) -> None:
    world.workspace.edited = {DONE}
    world.run()

    world.workspace.branches["main"] = world.snapshot().milestone.prepared_sha

    assert world.run().status is Status.COMPLETE
    assert world.facts().on_the_target == ("Begin", "A tool that adds (M001)")


def test_a_target_that_moved_while_ready_to_integrate_is_prepared_anew_without_the_model(world: World) -> None:
    world.workspace.edited = {DONE}
    world.run()
    world.workspace.edited = set()
    theirs = world.workspace.move("main", {"OTHER": "theirs\n"})

    assert world.run().status is Status.COMPLETE
    assert world.workspace.commits[world.snapshot().milestone.commit_sha].parent == theirs
    assert world.runs[CLOSE] == 1


def test_a_target_that_was_deleted_is_a_question_and_a_new_run_goes_on_once_it_is_back(world: World) -> None:
    world.run(RunOptions(units=1))
    pinned = world.workspace.branches.pop("main")

    assert world.run().status is Status.BLOCKED

    question = world.snapshot().blocked_by
    assert question is not None
    assert (question.reason, question.unit) == ("target-missing", CLOSE)
    assert "main" in question.text
    assert pinned in question.text
    assert question.remedies == (f"git branch main {pinned}, then run walkaway auto again",)
    assert world.run().status is Status.BLOCKED, "it is looked for once more, and asked again"
    world.workspace.branches["main"] = pinned
    assert world.run().status is Status.COMPLETE
    assert world.runs[CLOSE] == 1


def test_a_target_that_is_deleted_at_the_last_moment_is_wanted_back_where_the_work_was_prepared(world: World) -> None:
    theirs = []

    def told(progress: Progress) -> None:
        if progress.kind == "unit" and progress.text == CLOSE:
            theirs.append(world.workspace.move("main", {"OTHER": "theirs\n"}))

    def test(_files: Files) -> Result:
        if any(".integration" in path for path in world.workspace.directories):
            world.workspace.branches.pop("main")
        return Result.PASS

    world.on_told = told
    world.verifier.known["test"] = test
    ended = world.run()

    question = world.snapshot().blocked_by
    assert ended.status is Status.BLOCKED
    assert question is not None
    assert question.reason == "target-missing"
    assert f"git branch main {theirs[0]}" in question.remedies[0]
    world.workspace.branches["main"] = theirs[0]
    recorded = world.snapshot().milestone.prepared_sha
    assert world.run().commits == (recorded,), "what was checked is published"


def test_a_target_that_is_missing_before_the_first_unit_is_a_usage_error(world: World) -> None:
    del world.workspace.branches["main"]

    with pytest.raises(Usage):
        world.run()

    assert world.snapshot().blocked_by is None


def test_a_hook_that_refuses_costs_an_attempt_and_its_words_are_in_the_next_brief(new_world: NewWorld) -> None:
    unit = "execute-task M001/S01/T01"
    report = good_report(*unit.split(" "))
    world = new_world(
        script=Scripted(
            {unit: [Turn(reports=[report], files={"a": "tabs"}), Turn(reports=[report], files={"a": "ok"})]}
        )
    )
    world.workspace.hook = lambda files: "no tabs, please" if files.get("a") == "tabs" else ""

    assert world.run().status is Status.COMPLETE
    second = next(b for b in world.briefs if b.unit == unit and b.attempt == 2)
    assert "no tabs, please" in second.prompt
    assert "lie uncommitted" in second.prompt
    failed = next(d for d in world.snapshot().dispatches.values() if d.status == "failed")
    assert failed.failure == "hook"
    assert world.workspace.refs[f"refs/walkaway-rescue/M001/{failed.id}"] == failed.commit_sha
    assert world.workspace.commits[failed.commit_sha].files["a"] == "tabs"


def test_the_target_is_the_branch_that_was_named(world: World) -> None:
    world.workspace.branches["release"] = world.workspace.branches["main"]

    assert world.run(RunOptions(target="release")).status is Status.COMPLETE
    assert world.facts().on_the_target == ("Begin",)
    assert world.workspace.branches["release"] == world.snapshot().milestone.commit_sha


def test_another_target_is_refused_once_the_first_unit_has_started(world: World) -> None:
    world.workspace.branches["release"] = world.workspace.branches["main"]
    world.run(RunOptions(units=1))
    rev = world.snapshot().rev

    with pytest.raises(Usage, match="integrates into main"):
        world.run(RunOptions(target="release"))

    assert world.snapshot().rev == rev
    assert world.store.holder(world.scope) is None
    assert world.run(RunOptions(target="main")).status is Status.COMPLETE


def test_a_detached_head_is_a_usage_error_that_asks_for_a_target(world: World) -> None:
    world.workspace.checked_out = None

    with pytest.raises(Usage, match="--target"):
        world.run()

    assert world.run(RunOptions(target="main")).status is Status.COMPLETE


def test_checks_set_by_a_person_are_stored_with_the_milestone(world: World) -> None:
    world.run(RunOptions(units=1))
    world.policy = Policy(checks=("test",), attempts=5)
    world.run(RunOptions(units=1))

    assert world.snapshot().policy == world.policy
