"""The engine judges: what a check says decides, and the next attempt is told."""

import pytest

from tests.core.build import created, fold
from tests.engine.conftest import NewWorld
from walkaway.core.events import SlicePlanned, TaskPlan
from walkaway.core.ids import MilestoneId, SliceId, TaskId
from walkaway.core.model import Policy, Result
from walkaway.engine.result import RunOptions, Status
from walkaway.testing import moments
from walkaway.testing.fakes import Files, Turn
from walkaway.testing.world import Died, Fate, Scripted, World, good_report
from walkaway.units import execute_task

TASK = "execute-task M001/S01/T01"


def does(text: str, unit: str = TASK) -> Turn:
    """A turn that writes ``text``."""
    return Turn(reports=[good_report(*unit.split(" "))], files={"a.py": text})


def finds(word: str, result: Result):
    """A check that says ``result`` of a tree with ``word`` in it."""
    return lambda files: result if any(word in text for text in files.values()) else Result.PASS


def test_a_failed_check_is_told_to_the_next_attempt_with_its_output_and_its_files(new_world: NewWorld) -> None:
    world = new_world(script=Scripted({TASK: [does("wrong"), does("right")]}))
    world.verifier.known["test"] = finds("wrong", Result.FAIL)

    assert world.run().status is Status.COMPLETE

    first, second = (b for b in world.briefs if b.unit == TASK)
    assert (first.attempt, second.attempt) == (1, 2)
    assert "was refused" not in first.prompt
    assert "The check `test` failed with exit code 1." in second.prompt
    assert "output of test: fail" in second.prompt
    assert "lie uncommitted" in second.prompt
    refused = next(d for d in world.snapshot().dispatches.values() if d.status == "failed")
    assert (refused.failure, refused.attempt) == ("verification", 1)
    assert world.workspace.commits[refused.commit_sha].files["a.py"] == "wrong"
    assert world.workspace.refs[f"refs/walkaway-rescue/M001/{refused.id}"] == refused.commit_sha
    assert refused.commit_sha not in {
        c.sha for c in world.workspace.history(world.workspace.refs["refs/walkaway/M001"])
    }


def test_the_next_attempt_finds_the_refused_work_in_its_directory(new_world: NewWorld) -> None:
    found: list[Files] = []
    world = new_world()
    look = lambda: found.append(dict(next(iter(world.workspace.directories.values()))))  # noqa: E731
    again = Turn(reports=[good_report(*TASK.split(" "))], files={"a.py": "right"}, meanwhile=look)
    world.script = Scripted({TASK: [does("wrong"), again]})
    world.verifier.known["test"] = finds("wrong", Result.FAIL)

    world.run()

    assert found[0]["a.py"] == "wrong"


def test_a_check_that_does_not_end_in_time_counts_as_an_attempt(new_world: NewWorld) -> None:
    world = new_world(script=Scripted({TASK: [does("slow"), does("fast")]}))
    world.verifier.known["test"] = finds("slow", Result.TIMEOUT)

    assert world.run().status is Status.COMPLETE
    assert "did not end within" in next(b.prompt for b in world.briefs if b.unit == TASK and b.attempt == 2)


def test_after_three_refused_attempts_a_person_is_asked_and_told_why(new_world: NewWorld) -> None:
    world = new_world(script=Scripted({TASK: [does("wrong")] * 3}))
    world.verifier.known["test"] = finds("wrong", Result.FAIL)

    ended = world.run()

    assert ended.status is Status.BLOCKED
    question = world.snapshot().blocked_by
    assert question is not None
    assert (question.reason, question.unit) == ("attempts", TASK)
    assert "refused 3 times" in ended.detail
    assert "The check `test` failed" in question.text
    assert question.remedies
    assert world.runs[TASK] == 3


def test_the_last_attempt_is_told_to_diagnose_and_a_person_what_was_tried(new_world: NewWorld) -> None:
    world = new_world(script=Scripted({TASK: [does("wrong")] * 3}))
    world.verifier.known["test"] = finds("wrong", Result.FAIL)
    world.run()

    told = [b.prompt for b in world.briefs if b.unit == TASK]
    assert ["## Diagnose first" in prompt for prompt in told] == [False, False, True]
    runs = world.snapshot().runs_of(world.snapshot().dispatches["M001-D003"].key)
    assert f"### {runs[0].id}, attempt 1: verification" in told[2]
    assert f"`git diff {runs[0].base_sha} {runs[0].commit_sha}`" in told[2]
    question = world.snapshot().blocked_by
    assert question is not None
    assert question.text.count("\n- M001-D") == 3


def test_a_path_that_is_missing_is_named_where_a_check_says_so(new_world: NewWorld) -> None:
    world = new_world(script=Scripted({TASK: [does("wrong"), does("right")]}))
    says = "cat: notes.md: No such file or directory"  # the fake verifier prints the command
    world.verifier.known[says], world.verifier.discovered = finds("wrong", Result.FAIL), (says,)
    world.run()
    assert "It looked for `notes.md`, which is not there." in next(
        b.prompt for b in world.briefs if b.unit == TASK and b.attempt == 2
    )


def test_a_block_stays_until_it_is_answered_and_then_the_attempts_count_anew(new_world: NewWorld) -> None:
    world = new_world(script=Scripted({TASK: [*[does("wrong")] * 3, does("right")]}))
    world.verifier.known["test"] = finds("wrong", Result.FAIL)
    world.run()

    assert world.run().status is Status.BLOCKED
    assert world.runs[TASK] == 3

    world.answer("retry")
    assert world.run().status is Status.COMPLETE
    assert world.runs[TASK] == 4
    assert [b.attempt for b in world.briefs if b.unit == TASK] == [1, 2, 3, 1]


def test_the_first_attempt_after_an_answer_begins_with_what_was_refused_and_why(new_world: NewWorld) -> None:
    found: list[Files] = []
    world = new_world(policy=Policy(attempts=1))
    look = lambda: found.append(dict(next(iter(world.workspace.directories.values()))))  # noqa: E731
    again = Turn(reports=[good_report(*TASK.split(" "))], files={"a.py": "right"}, meanwhile=look)
    world.script = Scripted({TASK: [does("wrong"), again]})
    world.verifier.known["test"] = finds("wrong", Result.FAIL)
    assert world.run().status is Status.BLOCKED
    world.answer("retry")

    assert world.run().status is Status.COMPLETE

    last = [b for b in world.briefs if b.unit == TASK][-1]
    assert last.attempt == 1
    assert "Why the last attempt was refused" in last.prompt
    assert "output of test: fail" in last.prompt
    assert "lie uncommitted" in last.prompt
    assert found[0]["a.py"] == "wrong"


def test_the_number_of_attempts_is_a_setting(new_world: NewWorld) -> None:
    world = new_world(script=Scripted({TASK: [does("wrong")] * 3}), policy=Policy(attempts=1))
    world.verifier.known["test"] = finds("wrong", Result.FAIL)

    assert world.run().status is Status.BLOCKED
    assert world.runs[TASK] == 1


def test_evidence_says_what_ran_on_which_tree_and_what_it_printed(new_world: NewWorld) -> None:
    world = new_world(script=Scripted({TASK: [does("wrong"), does("right")]}))
    world.verifier.known["test"] = finds("wrong", Result.FAIL)
    world.run()

    s = world.snapshot()
    refused, accepted = (d for d in s.dispatches.values() if str(d.key) == TASK)
    seen = [e for e in s.evidence.values() if e.dispatch_id == refused.id]
    assert [(e.command, e.result, e.exit_code, e.tree, e.phase) for e in seen] == [
        ("test", "fail", 1, refused.commit_sha, "work")
    ]
    assert world.store.texts([seen[0].output])[seen[0].output] == "output of test: fail\n"
    assert seen[0].duration_ms == 7
    assert any(e.dispatch_id == accepted.id and e.result == "pass" for e in s.evidence.values())


# ---- what cannot be run ------------------------------------------------------------------------------------------


def test_a_set_up_that_fails_once_is_run_once_more(new_world: NewWorld) -> None:
    world = new_world(policy=Policy(setup=("install",)))
    world.verifier.set_ups_fail = 1

    assert world.run().status is Status.COMPLETE
    assert not world.snapshot().questions


def test_a_set_up_that_fails_twice_blocks_before_the_model_is_asked_and_a_new_run_goes_on(new_world: NewWorld) -> None:
    world = new_world(policy=Policy(setup=("install",)))
    world.on_told = lambda p: p.kind == "unit" and p.text == TASK and setattr(world.verifier, "set_ups_fail", 2)

    ended = world.run()

    assert ended.status is Status.BLOCKED
    assert "install" in ended.detail
    question = world.snapshot().blocked_by
    assert question is not None
    assert question.reason == "environment"
    assert TASK not in world.runs

    world.on_told = lambda _: None
    assert world.run().status is Status.COMPLETE
    assert [b.attempt for b in world.briefs if b.unit == TASK] == [1]
    assert world.snapshot().questions[question.id].answered_by == "a new run"


def test_a_missing_program_is_looked_for_once_more_and_then_blocks_without_an_attempt(new_world: NewWorld) -> None:
    world = new_world(script=Scripted({TASK: [does("needs-a-program")]}), policy=Policy(setup=("install",)))
    world.verifier.known["test"] = finds("needs-a-program", Result.CANNOT_RUN)

    ended = world.run()

    s = world.snapshot()
    assert ended.status is Status.BLOCKED
    assert s.blocked_by is not None
    assert s.blocked_by.reason == "environment"
    assert "`test` could not be run" in s.blocked_by.text
    assert s.live is not None
    assert s.live.status == "reported"
    path = world.verifier.ran[-1][1]
    assert [command for command, where in world.verifier.ran if where == path][-3:] == ["test", "install", "test"]

    world.verifier.known["test"] = Result.PASS
    assert world.run().status is Status.COMPLETE
    assert world.runs[TASK] == 1, "the report was in: the model is not asked again"
    assert [d.attempt for d in world.snapshot().dispatches.values() if str(d.key) == TASK] == [1]


def test_a_program_that_the_second_set_up_brings_is_enough(new_world: NewWorld) -> None:
    world = new_world(script=Scripted({TASK: [does("needs-a-program")]}), policy=Policy(setup=("install",)))
    tries = []

    def test(files: Files) -> Result:
        if "needs-a-program" in files.values() and len(tries) < 1:
            tries.append(1)
            return Result.CANNOT_RUN
        return Result.PASS

    world.verifier.known["test"] = test
    assert world.run().status is Status.COMPLETE
    assert not world.snapshot().questions


def test_a_set_up_that_fails_after_the_report_blocks_and_keeps_the_report(new_world: NewWorld) -> None:
    world = new_world(script=Scripted({TASK: [does("needs-a-program")]}), policy=Policy(setup=("install",)))

    def test(files: Files) -> Result:
        if "needs-a-program" not in files.values():
            return Result.PASS
        world.verifier.set_ups_fail = 2
        return Result.CANNOT_RUN

    world.verifier.known["test"] = test

    assert world.run().status is Status.BLOCKED
    s = world.snapshot()
    assert s.blocked_by is not None
    assert s.blocked_by.reason == "environment"
    assert "set-up command 'install' failed" in s.blocked_by.text
    world.verifier.known["test"] = Result.PASS
    assert world.run().status is Status.COMPLETE
    assert world.runs[TASK] == 1


# ---- no check ----------------------------------------------------------------------------------------------------


def test_without_a_check_tasks_are_accepted_as_unverified_but_nothing_is_integrated(world: World) -> None:
    world.policy = Policy(checks=())

    ended = world.run()

    s = world.snapshot()
    assert ended.status is Status.BLOCKED
    assert {t.verified for t in s.tasks.values()} == {"unverified"}
    assert s.blocked_by is not None
    assert s.blocked_by.reason == "unverified"
    assert s.blocked_by.options == ("retry", "accept-unverified")
    assert any("checks.commands" in remedy for remedy in s.blocked_by.remedies)
    assert {e.result for e in s.evidence.values()} == {"no-check"}
    assert world.facts().on_the_target == ("Begin",)


def test_accept_unverified_publishes_what_no_check_has_seen(world: World) -> None:
    world.policy = Policy(checks=())
    world.run()

    world.answer("accept-unverified")

    assert world.run().status is Status.COMPLETE
    assert not world.snapshot().milestone.verified
    assert world.facts().on_the_target == ("Begin", "A tool that adds (M001)")
    assert world.runs["complete-milestone M001"] == 1


def test_setting_checks_and_starting_again_publishes_without_asking_the_model_again(world: World) -> None:
    world.policy = Policy(checks=())
    world.run()

    world.policy = Policy(checks=("test",))

    assert world.run().status is Status.COMPLETE
    assert world.snapshot().milestone.verified
    assert world.runs["complete-milestone M001"] == 1


def test_starting_again_with_no_check_still_asks_again(world: World) -> None:
    world.policy = Policy(checks=())
    world.run()

    assert world.run().status is Status.BLOCKED
    assert world.runs["complete-milestone M001"] == 1


def test_a_milestone_that_changes_no_file_needs_no_check(new_world: NewWorld) -> None:
    tasks = [f"execute-task M001/S0{s}/T0{t}" for s in (1, 2) for t in (1, 2)]
    idle = {unit: [Turn(reports=[good_report(*unit.split(" "))])] for unit in tasks}
    for slice_ in ("M001/S01", "M001/S02"):
        plan = good_report("plan-slice", slice_)
        looking = [{**task, "no_code": True} for task in plan["tasks"]]  # type: ignore[attr-defined]
        idle[f"plan-slice {slice_}"] = [Turn(reports=[{**plan, "tasks": looking}])]
    world = new_world(script=Scripted(idle), policy=Policy(checks=()))

    assert world.run().status is Status.COMPLETE


def test_a_report_without_the_work_is_no_work(new_world: NewWorld) -> None:
    idle = Turn(reports=[good_report(*TASK.split(" "))])
    world = new_world(script=Scripted({TASK: [idle]}))
    assert world.run().status is Status.COMPLETE
    first, second = [d for d in world.snapshot().dispatches.values() if str(d.key) == TASK]
    assert (first.status, first.failure) == ("failed", "verification")
    assert "No file was changed" in first.why
    assert second.status == "completed"
    assert not [e for e in world.snapshot().evidence.values() if e.dispatch_id == first.id], "no check had to run"


def test_the_integrated_tree_is_checked_in_a_clean_checkout_and_its_failure_goes_back_to_the_agent(
    new_world: NewWorld,
) -> None:
    unit = "complete-milestone M001"
    world = new_world(script=Scripted({unit: [does("x", unit), does("mended", unit)]}))
    world.workspace.move("main", {"OTHER": "first\n"})
    theirs: list[str] = []

    def test(files: Files) -> Result:
        if files.get("OTHER") == "second\n" and files.get("a.py") != "mended":
            return Result.FAIL
        return Result.PASS

    world.verifier.known["test"] = test
    world.on_told = lambda p: (
        p.kind == "unit" and p.text == unit and not theirs and theirs.append(world.workspace.move("main", {"OTHER": "second\n"}))
    )  # fmt: skip

    assert world.run().status is Status.COMPLETE
    assert world.runs[unit] == 2
    assert "The check `test` failed" in [b for b in world.briefs if b.unit == unit][1].prompt
    assert world.facts().files[0] == ("M001/S01/T01.py", "# M001/S01/T01\n")
    assert dict(world.facts().files)["a.py"] == "mended"


# ---- the baseline ------------------------------------------------------------------------------------------------


def test_a_target_that_is_red_already_is_said_before_the_first_token_is_spent(world: World) -> None:
    world.verifier.known["test"] = Result.FAIL

    ended = world.run()

    assert ended.status is Status.BLOCKED
    assert world.briefs == []
    assert ended.usage.calls == 0
    s = world.snapshot()
    assert s.blocked_by is not None
    assert s.blocked_by.reason == "red-target"
    assert "main at" in s.blocked_by.text
    assert s.blocked_by.options == ("retry", "start-anyway")


def test_start_anyway_starts_on_a_red_target(world: World) -> None:
    world.verifier.known["test"] = lambda files: Result.PASS if "M001/S01/T01.py" in files else Result.FAIL
    world.run()

    world.answer("start-anyway")

    assert world.run().status is Status.COMPLETE


def test_a_mended_target_is_pinned_anew_and_started_on(world: World) -> None:
    world.verifier.known["test"] = lambda files: Result.PASS if "FIX" in files else Result.FAIL
    world.run()

    mended = world.workspace.move("main", {"FIX": "yes\n"})

    assert world.run().status is Status.COMPLETE
    assert world.snapshot().milestone.target_sha == mended


def test_a_check_that_was_red_for_a_reason_outside_the_tree_is_run_again_by_a_new_run(world: World) -> None:
    world.verifier.known["test"] = Result.FAIL
    world.run()

    world.verifier.known["test"] = Result.PASS

    assert world.run().status is Status.COMPLETE


def test_a_target_that_stays_red_blocks_again_and_says_so_each_time(world: World) -> None:
    world.verifier.known["test"] = Result.FAIL
    world.run()

    assert world.run().status is Status.BLOCKED
    assert [q.reason for q in world.snapshot().questions.values()] == ["red-target", "red-target"]


def test_a_target_whose_checks_cannot_be_run_blocks_as_environment(world: World) -> None:
    world.verifier.known["test"] = Result.CANNOT_RUN

    ended = world.run()

    s = world.snapshot()
    assert ended.status is Status.BLOCKED
    assert s.blocked_by is not None
    assert s.blocked_by.reason == "environment"
    assert "cannot be checked" in s.blocked_by.text
    assert world.briefs == []
    world.verifier.known["test"] = Result.PASS
    assert world.run().status is Status.COMPLETE


def test_a_target_whose_set_up_fails_blocks_as_environment(world: World) -> None:
    world.policy = Policy(setup=("install",))
    world.verifier.set_ups_fail = 2

    assert world.run().status is Status.BLOCKED
    s = world.snapshot()
    assert s.blocked_by is not None
    assert s.blocked_by.reason == "environment"
    assert world.briefs == []
    assert world.run().status is Status.COMPLETE


def test_the_baseline_is_checked_once(world: World) -> None:
    world.run(RunOptions(units=1))
    world.run()

    assert len([e for e in world.snapshot().evidence.values() if e.phase == "baseline"]) == 1


def test_a_check_whose_result_is_recorded_is_not_run_again_after_a_crash(world: World) -> None:
    fate = Fate()
    world.verifier.known["lint"] = Result.PASS
    world.verifier.discovered = ("test", "lint")
    world.verifier.known["lint"] = lambda files: fate.strike() if "M001/S01/T01.py" in files else Result.PASS

    with pytest.raises(Died):
        world.run(fate=fate)
    world.verifier.known["lint"] = Result.PASS
    seen = len(world.verifier.ran)
    world.run(RunOptions(units=1))

    assert [command for command, _ in world.verifier.ran[seen:]] == ["lint"]
    tree = world.snapshot().tasks["M001/S01/T01"].commit_sha
    assert [e.command for e in world.snapshot().evidence.values() if e.tree == tree] == ["test", "lint"]


def test_a_failure_that_is_recorded_counts_after_a_crash(new_world: NewWorld) -> None:
    world = new_world(script=Scripted({TASK: [does("wrong"), does("right")]}))
    world.verifier.discovered = ("test", "lint")
    world.verifier.known["test"] = finds("wrong", Result.FAIL)
    fate = Fate()
    world.verifier.known["lint"] = lambda files: fate.strike() if "wrong" in files.values() else Result.PASS
    with pytest.raises(Died):
        world.run(fate=fate)
    world.verifier.known |= {"lint": Result.PASS, "test": Result.PASS}

    assert world.run().status is Status.COMPLETE
    assert [b.attempt for b in world.briefs if b.unit == TASK] == [1, 2]


# ---- the command of a task's own plan


OWN = "ls adder.py"


def planned(new_world: NewWorld, verify: str, *turns: Turn) -> World:
    """A world whose first task is judged by ``verify`` too."""
    plan = good_report("plan-slice", "M001/S01")
    first, second = plan["tasks"]  # type: ignore[misc]
    cut = Turn(reports=[{**plan, "tasks": [{**first, "verify": verify}, second]}])
    world: World = new_world(script=Scripted({"plan-slice M001/S01": [cut], TASK: turns}))
    world.verifier.known[OWN] = lambda files: Result.PASS if "adder.py" in files else Result.FAIL
    return world


def adds(*names: str) -> Turn:
    return Turn(reports=[good_report(*TASK.split(" "))], files=dict.fromkeys(names, "1 + 1\n"))


def test_the_command_of_a_task_s_plan_judges_it_beside_the_project_s_checks(new_world: NewWorld) -> None:
    world = planned(new_world, OWN, adds("other.py"), adds("adder.py"))
    assert world.run().status is Status.COMPLETE
    first, second = (b for b in world.briefs if b.unit == TASK)
    assert f"walkaway will run these; all must pass:\n\n- `test`\n- `{OWN}`" in first.prompt
    assert f"The check `{OWN}` failed with exit code 1." in second.prompt
    s = world.snapshot()
    seen = [
        (e.command, e.result)
        for e in s.evidence.values()
        if e.dispatch_id and s.dispatches[e.dispatch_id].target == TASK.split()[1]
    ]
    assert seen == [("test", "pass"), (OWN, "fail"), ("test", "pass"), (OWN, "pass")]
    others = {
        e.command
        for e in s.evidence.values()
        if e.dispatch_id and s.dispatches[e.dispatch_id].target != TASK.split()[1]
    }
    assert others == {"test"}, "it is the check of one task"


def test_a_planned_command_that_cannot_run_is_told_to_whoever_does_the_task_and_no_person(new_world: NewWorld) -> None:
    blocked = Turn(reports=[{**good_report(*TASK.split(" ")), "blocker": "There is no such program."}])
    world = planned(new_world, "adder --check", adds("adder.py"), blocked)
    assert world.run().status is Status.COMPLETE
    second = [b for b in world.briefs if b.unit == TASK][1]
    assert "The task's own command `adder --check` could not be run. Make it run, or say in `blocker`" in second.prompt
    assert world.runs["replan-slice M001/S01"] == 1


def test_that_the_project_s_check_cannot_run_is_nobody_s_fault_although_the_plan_names_it_too(
    new_world: NewWorld,
) -> None:
    world = planned(new_world, "test", does("needs-a-program"))
    world.verifier.known["test"] = finds("needs-a-program", Result.CANNOT_RUN)
    assert world.run().status is Status.BLOCKED
    s = world.snapshot()
    assert s.blocked_by is not None
    assert s.blocked_by.reason == "environment"
    assert [b.attempt for b in world.briefs if b.unit == TASK] == [1]


def test_words_about_a_check_are_refused_when_the_plan_is_handed_in(new_world: NewWorld) -> None:
    plan = good_report("plan-slice", "M001/S01")
    first, second = plan["tasks"]  # type: ignore[misc]
    wordy = {**plan, "tasks": [{**first, "verify": "Check that the page shows the sum."}, second]}
    world = new_world(script=Scripted({"plan-slice M001/S01": [Turn(reports=[wordy, plan])]}))
    assert world.run().status is Status.COMPLETE
    answers = [text for agent in world.agents for text in agent.answers]
    assert any("`verify` is a sentence, not a command; write one command" in text for text in answers)


def test_a_plan_of_an_older_version_with_words_about_a_check_is_still_done() -> None:
    s = fold(
        created(),
        moments.planned(MilestoneId("M001"), 1),
        SlicePlanned(
            slice=SliceId("M001/S01"),
            goal="g",
            must_haves=(),
            tasks=(
                TaskPlan(id=TaskId("M001/S01/T01"), title="t", description="d", files=(), verify="Look at the page."),
                TaskPlan(id=TaskId("M001/S01/T02"), title="t", description="d", files=(), verify=" make all "),
            ),
        ),
    )
    assert execute_task.verify(s, "M001/S01/T01", None) == ""
    assert execute_task.verify(s, "M001/S01/T02", None) == "make all"
