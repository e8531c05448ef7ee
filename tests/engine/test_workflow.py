"""The other ways from a specification to the target: research, sketches, blockers, trials, remediation, set aside."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.engine.conftest import NewWorld
from walkaway.commands.command import Project
from walkaway.commands.reshape import DEFER, REOPEN, SKIP, Form
from walkaway.core.errors import Usage
from walkaway.core.model import Lease, Policy
from walkaway.core.plan.profile import PROFILES, STEPS
from walkaway.engine.result import Progress, RunOptions, Status
from walkaway.testing.fakes import Turn
from walkaway.testing.moments import claimed, fence, started
from walkaway.testing.world import Scripted, World, good_report, good_turn

TASK = "execute-task M001/S01/T01"
VALIDATE = "validate-milestone M001"


def says(unit: str, **changes: object) -> Turn:
    """A turn with the good report of a unit, changed."""
    return Turn(reports=[{**good_report(*unit.split(" ")), **changes}])


def units(world: World) -> list[str]:
    """Every unit that was completed, in order."""
    return [str(d.key) for d in world.snapshot().dispatches.values() if d.status == "completed"]


def person(world: World) -> Project:
    return Project(store=world.store, policy=world.policy, who="ada", keep=lambda _, __: None)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_says_which_steps_a_milestone_takes(new_world: NewWorld, profile: str) -> None:
    world = new_world(policy=Policy(steps=PROFILES[profile]))
    assert world.run().status is Status.COMPLETE
    kinds = {unit.split()[0] for unit in units(world)}
    assert kinds & set(STEPS) == set(PROFILES[profile])
    assert world.snapshot().milestone.verdict == ("skipped" if profile == "budget" else "pass")


def small(vision: str) -> Scripted:
    return Scripted({"plan-milestone M001": [says("plan-milestone M001", vision=vision)]})


def test_a_trivial_milestone_is_integrated_without_research_of_its_slices_and_without_validation(
    new_world: NewWorld,
) -> None:
    policy = Policy(steps=PROFILES["max"])
    world = new_world(policy=policy, script=small("A typo in the greeting is gone."))
    assert world.run().status is Status.COMPLETE
    kinds = {unit.split()[0] for unit in units(world)}
    assert set(STEPS) - kinds == {"research-slice", "validate-milestone"}
    assert world.snapshot().milestone.verdict == "skipped"
    roadmap = next((world.state / "view").rglob("M001-ROADMAP.md")).read_text(encoding="utf-8")
    assert "**Scope:** trivial, because it says 'typo', and nothing speaks against it" in roadmap


def test_a_person_may_want_the_whole_way_for_it(new_world: NewWorld) -> None:
    world = new_world(policy=Policy(scope="standard"), script=small("A typo in the greeting is gone."))
    assert world.run().status is Status.COMPLETE
    assert world.snapshot().milestone.verdict == "pass"


def test_what_was_found_out_stands_in_the_briefs_of_those_who_plan(new_world: NewWorld) -> None:
    world = new_world(policy=Policy(steps=STEPS))
    assert world.run().status is Status.COMPLETE
    planning = {b.unit: b.prompt for b in world.briefs if b.unit.startswith("plan-")}
    assert "- `README` alone." in planning["plan-milestone M001"]
    assert "- `README` alone." in planning["plan-slice M001/S01"], "the first slice has no research of its own"
    assert "- nothing of M001/S02" in planning["plan-slice M001/S02"]


def test_a_sketch_is_refined_when_its_turn_comes(new_world: NewWorld) -> None:
    plan = good_report("plan-milestone", "M001")
    first, second = plan["slices"]  # type: ignore[misc]
    world = new_world(
        script=Scripted(
            {"plan-milestone M001": [says("plan-milestone M001", slices=[first, {**second, "sketch": True}])]}
        )
    )
    assert world.run().status is Status.COMPLETE
    done = units(world)
    assert done.index("complete-slice M001/S01") < done.index("refine-slice M001/S02")
    assert "plan-slice M001/S02" not in done
    assert not world.snapshot().slices["M001/S02"].sketch


def blocked(times: int) -> Mapping[str, list[Turn]]:
    """Tasks of the first slice meet a blocker so often."""
    tasks = [TASK, *(f"execute-task M001/S01/T{n:02}" for n in range(3, 3 + times))]
    return {task: [says(task, blocker="There is no such file.")] for task in tasks[:times]}


def test_a_blocker_leads_to_a_new_plan_of_what_is_open(new_world: NewWorld) -> None:
    world = new_world(script=Scripted(blocked(1)))
    assert world.run().status is Status.COMPLETE
    s = world.snapshot()
    assert [(t.id, t.status, t.aside) for t in s.tasks_of("M001/S01")] == [
        ("M001/S01/T01", "pending", "replaced"),
        ("M001/S01/T02", "pending", "replaced"),
        ("M001/S01/T03", "complete", ""),
    ]
    (brief,) = [b.prompt for b in world.briefs if b.unit == "replan-slice M001/S01"]
    assert "T01: There is no such file." in brief
    assert s.slices["M001/S01"].blocker == ""


def test_after_three_new_plans_a_person_is_asked(new_world: NewWorld) -> None:
    world = new_world(script=Scripted(blocked(4)))
    assert world.run().status is Status.BLOCKED
    question = world.snapshot().blocked_by
    assert question is not None
    assert question.reason == "replans"
    assert any("walkaway skip M001/S01" in remedy for remedy in question.remedies)
    world.answer("retry")
    assert world.run().status is Status.COMPLETE
    assert units(world).count("replan-slice M001/S01") == 4


def test_what_a_validation_misses_is_added_as_slices_and_validated_again(new_world: NewWorld) -> None:
    more = {"title": "More", "goal": "It subtracts.", "demo": "sub 1 1", "depends": [2]}
    lacks = says(VALIDATE, verdict="needs-remediation", slices=[more])
    world = new_world(script=Scripted({VALIDATE: [lacks]}))
    assert world.run().status is Status.COMPLETE
    done = units(world)
    assert done.index(VALIDATE) < done.index("plan-slice M001/S03") < done.index("complete-slice M001/S03")
    assert done.count(VALIDATE) == 2
    assert [n.verdict for n in world.snapshot().notes.values()] == ["needs-remediation", "pass"]


def test_slices_are_added_three_times_then_a_person_is_asked(new_world: NewWorld) -> None:
    more = {"title": "More", "goal": "It subtracts.", "demo": "sub 1 1"}
    world = new_world(script=Scripted({VALIDATE: [says(VALIDATE, verdict="needs-remediation", slices=[more])] * 4}))
    assert world.run().status is Status.BLOCKED
    question = world.snapshot().blocked_by
    assert question is not None
    assert "Slices were added 3 times" in question.text
    world.answer("accept-as-is")
    assert world.run().status is Status.COMPLETE
    assert len(world.snapshot().slices) == 5


def test_a_worker_whose_milestone_was_taken_leaves_what_the_other_is_at(new_world: NewWorld) -> None:
    """What a snapshot shows as live may be another's: it is not this worker's to go on with."""
    world = new_world()
    world.run(RunOptions(units=2))

    def taken(progress: Progress) -> None:
        if progress.kind == "milestone" and world.store.overview().milestones[0].holder != "the-heir":
            heir = world.take_over()
            lease = Lease(
                project=world.store.project, scope=world.scope, worker_id=heir, epoch=1,
                fencing_token=world.store.lease_history(world.scope)[-1].fencing_token, expires_at=0.0,
            )  # fmt: skip
            world.store.commit(
                lease, [claimed(fence(lease), "execute-task", "M001/S01/T01", "theirs"), started("theirs")]
            )

    world.on_told = taken
    ended = world.run()
    assert ended.status is Status.BLOCKED
    assert "the-heir" in ended.detail
    assert any("was taken over: theirs is the-heir's" in text for text in world.said("note"))


FAILS = {"run-uat M001/S01": [says("run-uat M001/S01", verdict="fail", summary="1 + 1 is 3.")]}


@pytest.mark.parametrize(("words", "slices", "trials"), [("remediate", 3, 1), ("retry", 2, 2), ("accept-as-is", 2, 1)])
def test_a_trial_that_fails_is_a_question_with_three_ways_out(
    new_world: NewWorld, words: str, slices: int, trials: int
) -> None:
    world = new_world(script=Scripted(FAILS), policy=Policy(steps=("run-uat", "validate-milestone")))
    assert world.run().status is Status.BLOCKED
    question = world.snapshot().blocked_by
    assert question is not None
    assert (question.reason, "1 + 1 is 3." in question.text) == ("uat-failed", True)
    world.answer(words)
    assert world.run().status is Status.COMPLETE
    assert len(world.snapshot().slices) == slices
    assert units(world).count("run-uat M001/S01") == trials


def test_a_reassessment_drops_changes_and_adds_slices(new_world: NewWorld) -> None:
    unit = "reassess-roadmap M001/S01"
    added = {"title": "Third", "goal": "g", "demo": "d"}
    script = Scripted({unit: [says(unit, verdict="adjusted", drop=["S02"], add=[added])]})
    world = new_world(script=script, policy=Policy(steps=("reassess-roadmap",)))
    assert world.run().status is Status.COMPLETE
    assert [(x.title, x.status, x.aside) for x in world.snapshot().slices.values()] == [
        ("Library", "complete", ""),
        ("Command", "pending", "skipped"),
        ("Third", "complete", ""),
    ]


def test_a_slice_that_is_skipped_frees_what_depends_on_it_and_one_deferred_does_not(new_world: NewWorld) -> None:
    world = new_world()
    world.run(RunOptions(units=1))
    assert "is deferred" in DEFER.run(person(world), Form(target="M001/S01", reason="later"))
    assert world.run().status is Status.BLOCKED
    question = world.snapshot().blocked_by
    assert question is not None
    assert "M001/S02 waits for M001/S01 (deferred)" in question.text
    assert "is to be done" in REOPEN.run(person(world), Form(target="M001/S01"))
    assert "is skipped" in SKIP.run(person(world), Form(target="M001/S01", reason="no need"))
    world.answer("retry")
    assert world.run().status is Status.COMPLETE
    assert [x.status for x in world.snapshot().slices.values()] == ["pending", "complete"]


def test_a_task_that_is_skipped_is_not_done_and_one_reopened_is_done_again(new_world: NewWorld) -> None:
    world = new_world()
    world.run(RunOptions(units=3))
    SKIP.run(person(world), Form(target="M001/S01/T02"))
    REOPEN.run(person(world), Form(target="M001/S01/T01", reason="once more"))
    world.script = lambda b: replace(good_turn(b), files={"again.py": "2\n"}) if b.unit == TASK else good_turn(b)
    assert world.run().status is Status.COMPLETE
    assert units(world).count(TASK) == 2
    assert "execute-task M001/S01/T02" not in units(world)


@pytest.mark.parametrize("target", ["M001", "nonsense", "M001/S09", "M001/S01/T09"])
def test_what_is_no_slice_or_task_cannot_be_set_aside(new_world: NewWorld, target: str) -> None:
    world = new_world()
    world.run(RunOptions(units=2))
    with pytest.raises(Usage):
        SKIP.run(person(world), Form(target=target))


def test_what_is_complete_or_at_work_cannot_be_set_aside(new_world: NewWorld) -> None:
    world = new_world()
    refused: list[str] = []

    def now() -> None:
        with pytest.raises(Usage) as error:
            SKIP.run(person(world), Form(target="M001/S01"))
        refused.append(str(error.value))

    world.script = Scripted({TASK: [Turn(reports=[good_report(*TASK.split(" "))], meanwhile=now)]})
    assert world.run().status is Status.COMPLETE
    assert "is at work on M001/S01/T01" in refused[0]
    for target in ("M001/S01", "M001/S01/T01"):
        with pytest.raises(Usage, match="is complete"):
            SKIP.run(person(world), Form(target=target))
