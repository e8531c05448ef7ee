"""How a run ends: one word for each, and what is left behind."""

import os
import threading

import pytest

from tests.engine.conftest import NewWorld
from walkaway import proc
from walkaway.core.brief import ModelCall
from walkaway.core.errors import (
    AgentStuck,
    BudgetSpent,
    GitFailed,
    LimitReached,
    NewerSchema,
    ProviderDown,
    ProviderRefused,
    Usage,
)
from walkaway.core.events import DispatchCanceled, PolicyChanged
from walkaway.core.ids import MilestoneId, Scope
from walkaway.core.model import Policy, Result, Seen
from walkaway.engine.result import Progress, RunOptions, Status
from walkaway.testing.fakes import Files, Turn
from walkaway.testing.world import Died, Fate, Scripted, World, good_report, good_turn

TASK = "execute-task M001/S01/T01"
DONE = {"work.py": "1\n"}


def fails(error: BaseException, times: int = 1, unit: str = TASK) -> Scripted:
    """The unit fails so often, then succeeds."""
    return Scripted({unit: [Turn(raises=error)] * times})


def ends_of(world: World, unit: str = TASK) -> list[tuple[str, str, int]]:
    """Return status, failure and attempt of each dispatch of a unit."""
    return [(d.status, d.failure, d.attempt) for d in world.snapshot().dispatches.values() if str(d.key) == unit]


def at_rest(world: World) -> bool:
    """Whether nothing is left half done: no claimed or running dispatch, no lease, no registered worker."""
    live = world.snapshot().live
    free = world.store.holder(world.scope) is None
    return (live is None or live.status == "reported") and free and not world.store.overview().workers


# ---- the provider ------------------------------------------------------------------------------------------------


def pass_time(world: World) -> None:
    """Let waits pass at once."""

    def told(progress: Progress) -> None:
        if progress.kind == "wait":
            world.store.driver.skew += progress.seconds

    world.on_told = told


def test_a_provider_that_asks_for_time_is_given_it_and_no_attempt_is_consumed(new_world: NewWorld) -> None:
    world = new_world(script=fails(ProviderDown("429: slow down", retry_after=90.0)))
    pass_time(world)

    assert world.run().status is Status.COMPLETE
    waits = [p for p in world.told if p.kind == "wait"]
    assert [(w.unit, w.text, 85 < w.seconds <= 90) for w in waits] == [(TASK, "429: slow down", True)]
    assert ends_of(world) == [("failed", "provider", 1), ("completed", "", 1)]


def test_a_provider_that_names_no_time_is_left_alone_twice_as_long_each_time(new_world: NewWorld) -> None:
    world = new_world(script=fails(ProviderDown("503"), times=3))
    pass_time(world)

    assert world.run().status is Status.COMPLETE
    assert [round(p.seconds, -1) for p in world.told if p.kind == "wait"] == [30, 60, 120]


def test_told_not_to_wait_a_run_ends_as_waiting_and_the_next_one_goes_on(new_world: NewWorld) -> None:
    world = new_world(script=fails(ProviderDown("429", retry_after=90.0)))

    ended = world.run(RunOptions(wait=False))

    assert (ended.status, ended.units) == (Status.WAITING, 2)
    assert at_rest(world)
    assert world.run(RunOptions(wait=False)).status is Status.WAITING
    world.store.driver.skew += 90
    assert world.run(RunOptions(wait=False)).status is Status.COMPLETE


def test_a_worker_that_waits_stops_when_it_is_told_to(new_world: NewWorld) -> None:
    world = new_world(script=fails(ProviderDown("429", retry_after=90.0)))
    worker = world.worker()
    world.on_told = lambda p: p.kind == "wait" and worker.drain("enough")

    ended = worker.run(RunOptions())

    assert (ended.status, ended.detail) == (Status.CANCELLED, "enough")
    assert at_rest(world)


def test_a_provider_that_refuses_blocks_until_a_new_run(new_world: NewWorld) -> None:
    world = new_world(script=fails(ProviderRefused("401: no such key")))

    ended = world.run()

    assert ended.status is Status.BLOCKED
    assert "401: no such key" in ended.detail
    assert world.run().status is Status.COMPLETE
    assert ends_of(world) == [("failed", "provider-refused", 1), ("completed", "", 1)]


def test_git_that_fails_before_the_agent_begins_blocks_until_a_new_run(new_world: NewWorld) -> None:
    def before(name: str) -> None:
        if name == "prepare" and len(world.briefs) == 2:
            raise GitFailed("the disk is full")

    world = new_world()
    ended = world.run(fate=Fate(before=before))

    assert ended.status is Status.BLOCKED
    assert "the disk is full" in ended.detail
    assert TASK not in world.runs
    assert world.run().status is Status.COMPLETE


@pytest.mark.parametrize("call", ["integrate", "publish"])
def test_git_that_fails_after_the_report_blocks_and_the_next_run_goes_on_without_the_model(
    world: World, call: str
) -> None:
    def before(name: str) -> None:
        if name == call:
            raise GitFailed("the disk is full")

    ended = world.run(fate=Fate(before=before))

    assert ended.status is Status.BLOCKED
    assert "git stands in the way: the disk is full" in ended.detail
    assert world.run().status is Status.COMPLETE
    assert world.runs["complete-milestone M001"] == 1


# ---- the agent ---------------------------------------------------------------------------------------------------


def test_an_agent_that_is_stuck_once_is_tried_again(new_world: NewWorld) -> None:
    world = new_world(script=fails(AgentStuck("the same call five times")))

    assert world.run().status is Status.COMPLETE
    assert ends_of(world) == [("stuck", "stuck", 1), ("completed", "", 1)]


def test_an_agent_that_is_stuck_twice_ends_the_run_as_stuck(new_world: NewWorld) -> None:
    world = new_world(script=fails(AgentStuck("the same call five times"), times=2))

    ended = world.run()

    assert ended.status is Status.STUCK
    assert "the same call five times" in ended.detail
    assert at_rest(world)
    assert world.run().status is Status.STUCK, "it waits for an answer"
    world.answer("retry")
    assert world.run().status is Status.COMPLETE


def test_a_limit_of_one_unit_consumes_an_attempt_and_the_next_brief_says_so(new_world: NewWorld) -> None:
    world = new_world(script=fails(LimitReached("200 requests and no report")))

    assert world.run().status is Status.COMPLETE
    assert ends_of(world) == [("failed", "limit", 1), ("completed", "", 2)]
    assert "200 requests and no report" in [b for b in world.briefs if b.unit == TASK][1].prompt


def test_the_attempt_after_a_limit_begins_with_what_the_last_one_wrote(new_world: NewWorld) -> None:
    found: list[Files] = []
    world = new_world()
    look = lambda: found.append(dict(next(iter(world.workspace.directories.values()))))  # noqa: E731
    half = Turn(files={"half.py": "half"}, raises=LimitReached("200 requests and no report"))
    rest = Turn(reports=[good_report(*TASK.split(" "))], files=DONE, meanwhile=look)
    world.script = Scripted({TASK: [half, rest]})

    assert world.run().status is Status.COMPLETE

    assert found[0]["half.py"] == "half"
    assert "lie uncommitted" in [b for b in world.briefs if b.unit == TASK][1].prompt


def test_what_a_unit_left_that_may_not_write_is_not_carried_on(new_world: NewWorld) -> None:
    plan = "plan-milestone M001"
    turn = Turn(files={"stray": "x"}, raises=LimitReached("no report"))
    world = new_world(script=Scripted({plan: [turn]}))

    assert world.run().status is Status.COMPLETE

    assert "lie uncommitted" not in [b for b in world.briefs if b.unit == plan][1].prompt


def test_work_that_git_cannot_save_is_a_question_about_git(new_world: NewWorld) -> None:
    def before(name: str) -> None:
        if name == "salvage":
            raise GitFailed("the disk is full")

    world = new_world(script=fails(LimitReached("no report")))
    ended = world.run(fate=Fate(before=before))

    assert ended.status is Status.BLOCKED
    assert "the disk is full" in ended.detail
    assert world.run().status is Status.COMPLETE
    assert ends_of(world) == [("failed", "git", 1), ("completed", "", 1)]


def test_a_report_that_does_not_fit_is_answered_at_once_and_may_be_handed_in_again(new_world: NewWorld) -> None:
    good = good_report(*TASK.split(" "))
    turn = Turn(files=DONE, reports=[{"summary": 1}, {**good, "summary": " "}, {**good, "summary": "two\nlines"}, good])
    world = new_world(script=Scripted({TASK: [turn]}))

    world.run(RunOptions(units=3))

    schema, blank, lines, fine = world.agents[-1].answers[2:6]
    assert "does not fit its schema" in schema
    assert "summary" in schema
    assert "must not be empty: summary" in blank
    assert "one line" in lines
    assert fine == ""
    assert ends_of(world) == [("completed", "", 1)]


def test_a_worker_killed_three_times_by_the_same_unit_is_a_question(new_world: NewWorld) -> None:
    world = new_world()
    for count in range(3):
        fate = Fate()
        world.script = Scripted({TASK: [Turn(meanwhile=fate.strike)]})
        with pytest.raises(Died):
            world.run(fate=fate)
        assert world.runs[TASK] == count + 1

    ended = world.run()

    question = world.snapshot().blocked_by
    assert ended.status is Status.BLOCKED
    assert question is not None
    assert question.reason == "kills-its-worker"
    assert world.runs[TASK] == 3
    assert [attempt for _, _, attempt in ends_of(world)] == [1, 1, 1]
    world.answer("retry")
    assert world.run().status is Status.COMPLETE


def test_two_crashes_and_a_report_in_between_are_no_reason_to_ask(new_world: NewWorld) -> None:
    world = new_world()
    for _ in range(2):
        fate = Fate()
        world.script = Scripted({TASK: [Turn(meanwhile=fate.strike)]})
        with pytest.raises(Died):
            world.run(fate=fate)

    assert world.run().status is Status.COMPLETE
    assert [attempt for _, _, attempt in ends_of(world)] == [1, 1, 1]


# ---- money -------------------------------------------------------------------------------------------------------


def test_a_milestone_whose_money_is_spent_ends_as_budget_until_it_is_raised(world: World) -> None:
    world.policy = Policy(usd=0.025)

    ended = world.run()

    assert (ended.status, ended.units) == (Status.BUDGET, 3)
    assert ended.usage.usd == pytest.approx(0.03)
    assert at_rest(world)
    assert world.run().status is Status.BUDGET
    world.policy = Policy(usd=1.0)
    assert world.run().status is Status.COMPLETE


def test_a_run_whose_money_is_spent_ends_as_budget_and_the_next_run_has_its_own(world: World) -> None:
    ended = world.run(RunOptions(usd=0.035))

    assert (ended.status, ended.units) == (Status.BUDGET, 4)
    assert world.run(RunOptions(usd=0.02)).units == 2
    assert world.run().status is Status.COMPLETE


def test_an_agent_is_never_given_more_money_than_the_milestone_and_the_run_have_left(world: World) -> None:
    world.policy = Policy(usd=0.5)
    world.run(RunOptions(units=2, usd=0.30))
    world.run(RunOptions(units=1))
    world.policy = Policy()
    world.run(RunOptions(units=1))

    assert [b.limits.usd for b in world.briefs] == [
        pytest.approx(0.30), pytest.approx(0.29), pytest.approx(0.48), None
    ]  # fmt: skip


def test_an_agent_that_spends_its_budget_ends_the_run_and_consumes_no_attempt(new_world: NewWorld) -> None:
    world = new_world(script=fails(BudgetSpent("0.50 USD are spent")))

    ended = world.run()

    assert (ended.status, ended.detail) == (Status.BUDGET, "0.50 USD are spent")
    assert at_rest(world)
    assert world.run().status is Status.COMPLETE
    assert ends_of(world) == [("canceled", "budget", 1), ("completed", "", 1)]


def test_a_price_that_nobody_knows_makes_the_sum_unknown(new_world: NewWorld) -> None:
    call = ModelCall(model="local", input_tokens=10, output_tokens=5, usd=None)
    world = new_world(script=lambda brief: Turn(reports=good_turn(brief).reports, calls=[call]))

    ended = world.run(RunOptions(units=2))

    assert (ended.usage.calls, ended.usage.input_tokens, ended.usage.output_tokens, ended.usage.usd) == (
        2,
        20,
        10,
        None,
    )


# ---- bounds ------------------------------------------------------------------------------------------------------


def test_a_run_stops_after_as_many_units_as_it_was_told(world: World) -> None:
    ended = world.run(RunOptions(units=4))

    assert (ended.status, ended.units) == (Status.LIMIT, 4)
    assert at_rest(world)


def test_one_step_is_one_unit(world: World) -> None:
    ended = world.run(RunOptions(step=True))

    assert (ended.status, ended.units, ended.detail) == (Status.UNIT_DONE, 1, "One unit is done.")
    assert len(world.briefs) == 1


def test_one_step_is_one_unit_even_if_it_is_refused(new_world: NewWorld) -> None:
    world = new_world(script=fails(LimitReached("no report"), unit="plan-milestone M001"))

    ended = world.run(RunOptions(step=True))

    assert (ended.status, ended.units, len(world.briefs)) == (Status.UNIT_DONE, 0, 1)
    assert "not done yet" in ended.detail


def test_one_step_that_needs_a_person_says_so(new_world: NewWorld) -> None:
    world = new_world(script=fails(ProviderRefused("no key"), unit="plan-milestone M001"))

    assert world.run(RunOptions(step=True)).status is Status.BLOCKED


def test_one_step_does_not_sit_a_wait_out_that_it_caused(new_world: NewWorld) -> None:
    world = new_world(script=fails(ProviderDown("429", retry_after=90.0), unit="plan-milestone M001"))

    assert world.run(RunOptions(step=True)).status is Status.WAITING


def test_the_last_step_completes_the_milestone_and_takes_no_other(new_world: NewWorld) -> None:
    world = new_world(milestones=2)
    world.run(RunOptions(units=10))

    assert world.run(RunOptions(step=True)).status is Status.COMPLETE
    assert world.runs["complete-milestone M001"] == 1
    assert "plan-milestone M002" not in world.runs


# ---- stopping ----------------------------------------------------------------------------------------------------


def test_a_worker_that_drains_finishes_its_unit_and_stops(new_world: NewWorld) -> None:
    world = new_world()
    worker = world.worker()
    world.script = Scripted(
        {TASK: [Turn(reports=[good_report(*TASK.split(" "))], files=DONE, meanwhile=lambda: worker.drain("lunch"))]}
    )

    ended = worker.run(RunOptions())

    assert (ended.status, ended.detail, ended.units) == (Status.CANCELLED, "lunch", 3)
    assert ends_of(world) == [("completed", "", 1)]
    assert at_rest(world)


def test_a_worker_that_is_cancelled_ends_its_agent_and_settles_the_dispatch(new_world: NewWorld) -> None:
    world = new_world(script=Scripted({TASK: [Turn(until_cancelled=True)]}))
    worker = world.worker()
    agent = world.agents[-1]
    person = threading.Thread(target=lambda: (agent.talking.wait(30), worker.cancel("stop now")))
    person.start()

    ended = worker.run(RunOptions())
    person.join()

    assert (ended.status, ended.detail) == (Status.CANCELLED, "stop now")
    assert agent.cancels == 1
    assert agent.closed
    assert at_rest(world)
    assert world.run().status is Status.COMPLETE
    assert ends_of(world) == [("paused", "cancelled", 1), ("completed", "", 1)]


def test_a_worker_that_is_cancelled_during_a_check_keeps_the_report(new_world: NewWorld) -> None:
    world = new_world()
    worker = world.worker()

    def test(files: Files) -> Result:
        if "M001/S01/T01.py" in files:
            worker.cancel("stop now")
        return Result.PASS

    world.verifier.known["test"] = test
    ended = worker.run(RunOptions())

    assert ended.status is Status.CANCELLED
    live = world.snapshot().live
    assert live is not None
    assert live.status == "reported"
    assert at_rest(world)
    world.verifier.known["test"] = Result.PASS
    assert world.run().status is Status.COMPLETE
    assert world.runs[TASK] == 1


def test_a_worker_that_is_cancelled_during_the_baseline_has_claimed_nothing(world: World) -> None:
    worker = world.worker()

    def test(_files: Files) -> Result:
        worker.cancel("stop now")
        return Result.PASS

    world.verifier.known["test"] = test

    assert worker.run(RunOptions()).status is Status.CANCELLED
    assert not world.snapshot().dispatches
    assert at_rest(world)


def test_a_worker_that_was_cancelled_before_it_began_does_nothing(world: World) -> None:
    worker = world.worker()
    worker.cancel("changed my mind")

    assert worker.run(RunOptions()).status is Status.CANCELLED
    assert world.briefs == []
    assert world.verifier.ran == []


def test_a_time_limit_ends_the_unit_and_settles_it(new_world: NewWorld) -> None:
    world = new_world(script=Scripted({"plan-milestone M001": [Turn(until_cancelled=True)]}))

    ended = world.run(RunOptions(seconds=0.2))

    assert ended.status is Status.TIME_LIMIT
    assert "time limit" in ended.detail
    assert at_rest(world)
    assert ends_of(world, "plan-milestone M001") in ([("paused", "cancelled", 1)], [])


def test_a_time_limit_that_is_not_reached_leaves_no_thread_behind(world: World) -> None:
    before = set(threading.enumerate())

    assert world.run(RunOptions(seconds=3600)).status is Status.COMPLETE

    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=30)
    assert set(threading.enumerate()) <= before


def test_a_word_to_stop_counts_before_the_time_limit(new_world: NewWorld) -> None:
    world = new_world()
    worker = world.worker()
    turn = Turn(meanwhile=lambda: worker.drain("a person said so"), until_cancelled=True)
    world.script = Scripted({"plan-milestone M001": [turn]})

    ended = worker.run(RunOptions(seconds=0.5))

    assert (ended.status, ended.detail) == (Status.CANCELLED, "a person said so")


def test_a_worker_that_is_cancelled_while_it_takes_a_milestone_starts_nothing(world: World) -> None:
    workers = []
    fate = Fate(before=lambda name: workers[0].cancel("now") if name == "acquire" else None)
    workers.append(world.worker(fate))

    assert workers[0].run(RunOptions()).status is Status.CANCELLED
    assert world.verifier.ran == []
    assert world.store.holder(world.scope) is None


# ---- several milestones, several workers -------------------------------------------------------------------------


def test_two_milestones_are_done_one_after_the_other(new_world: NewWorld) -> None:
    world = new_world(milestones=2)

    ended = world.run()

    assert (ended.status, ended.units, len(ended.commits)) == (Status.COMPLETE, 22, 2)
    assert world.facts().on_the_target == ("Begin", "A tool that adds (M001)", "A tool that adds (M002)")
    second = world.store.snapshot(Scope("M002")).milestone
    assert second.target_sha == world.snapshot().milestone.commit_sha


def test_a_milestone_that_is_named_is_done_alone(new_world: NewWorld) -> None:
    world = new_world(milestones=2)

    ended = world.run(RunOptions(milestone=MilestoneId("M002")))

    assert (ended.status, ended.detail) == (Status.COMPLETE, "M002 is complete.")
    assert world.snapshot().milestone.status == "queued"


def test_a_worker_that_drains_takes_no_further_milestone(new_world: NewWorld) -> None:
    world = new_world(milestones=2)
    worker = world.worker()
    world.on_told = lambda p: p.kind == "published" and worker.drain("enough")

    ended = worker.run(RunOptions())

    assert (ended.status, ended.units) == (Status.CANCELLED, 11)
    assert world.store.snapshot(Scope("M002")).milestone.target_sha == ""


def test_when_everything_is_complete_a_run_says_so_and_does_nothing(world: World) -> None:
    world.run()

    ended = world.run()

    assert (ended.status, ended.detail, ended.units) == (Status.COMPLETE, "Everything is complete.", 0)


def test_a_milestone_that_is_not_there_is_a_usage_error(world: World) -> None:
    with pytest.raises(Usage, match="no milestone M009"):
        world.run(RunOptions(milestone=MilestoneId("M009")))


def test_a_project_without_a_specification_asks_for_one(new_world: NewWorld) -> None:
    with pytest.raises(Usage, match="walkaway new --spec"):
        new_world(milestones=0).run()


def test_a_second_worker_on_a_held_milestone_is_told_who_holds_it(new_world: NewWorld) -> None:
    world = new_world()
    first = world.worker()
    second = []
    world.script = Scripted(
        {
            TASK: [
                Turn(reports=[good_report(*TASK.split(" "))], files=DONE, meanwhile=lambda: second.append(world.run()))
            ]
        }
    )

    assert first.run(RunOptions()).status is Status.COMPLETE

    assert second[0].status is Status.BLOCKED
    for name in (first.id, proc.me().host, f"pid {os.getpid()}", f"kill {os.getpid()}"):
        assert name in second[0].detail
    assert world.runs[TASK] == 1


# ---- people, upgrades --------------------------------------------------------------------------------------------


def test_a_choice_is_made_again_when_a_person_acted_between_looking_and_claiming(world: World) -> None:
    acted = []

    def before(name: str) -> None:
        s = world.snapshot()
        if name == "commit" and not s.live and world.runs.get("plan-slice M001/S01") and not acted:
            acted.append(s.rev)
            seen = Seen(project=s.project, scope=s.scope, rev=s.rev, who="ada")
            world.store.commit(seen, [PolicyChanged(policy=Policy(usd=0.001))])

    assert world.run(fate=Fate(before=before)).status is Status.BUDGET

    assert acted
    assert TASK not in world.runs, "it had been chosen before the person said that no more may be spent"
    assert world.run().status is Status.COMPLETE


def test_a_start_is_made_again_when_a_person_acted_meanwhile(world: World) -> None:
    acted = []

    def before(name: str) -> None:
        if name == "commit" and not acted:
            acted.append(name)
            s = world.snapshot()
            seen = Seen(project=s.project, scope=s.scope, rev=s.rev, who="ada")
            world.store.commit(seen, [PolicyChanged(policy=Policy(attempts=7))])

    assert world.run(fate=Fate(before=before)).status is Status.COMPLETE
    assert world.snapshot().policy == world.policy, "the settings of the run are stored after the person's"


def test_a_unit_that_a_person_ended_is_not_reported_and_the_state_is_looked_at_anew(new_world: NewWorld) -> None:
    world = new_world()

    def end_it() -> None:
        s = world.snapshot()
        assert s.live is not None
        seen = Seen(project=s.project, scope=s.scope, rev=s.rev, who="ada")
        world.store.commit(seen, [DispatchCanceled(dispatch=s.live.id, failure="cancelled", why="not like this")])

    world.script = Scripted({TASK: [Turn(reports=[good_report(*TASK.split(" "))], files=DONE, meanwhile=end_it)]})

    assert world.run().status is Status.COMPLETE
    assert ends_of(world) == [("canceled", "cancelled", 1), ("completed", "", 1)]
    assert any("already canceled" in note for note in world.said("note"))


def test_a_database_that_a_newer_walkaway_upgraded_ends_the_run_after_its_unit(new_world: NewWorld) -> None:
    world = new_world()

    def upgraded() -> None:
        with world.store.driver.write() as tx:
            tx.run("INSERT INTO schema_version VALUES (99, {now})")

    world.script = Scripted({TASK: [Turn(reports=[good_report(*TASK.split(" "))], files=DONE, meanwhile=upgraded)]})

    with pytest.raises(NewerSchema):
        world.run()

    assert ends_of(world) == [("completed", "", 1)]
    assert at_rest(world)


@pytest.mark.parametrize("replaced", [True, False], ids=["replaced", "gone"])
def test_a_package_that_was_replaced_pauses_the_run_after_its_unit(new_world: NewWorld, tmp_path, replaced) -> None:
    package = tmp_path / "package.py"
    package.write_text("old")
    world = new_world(package=package)
    world.script = Scripted(
        {
            TASK: [
                Turn(
                    reports=[good_report(*TASK.split(" "))],
                    files=DONE,
                    meanwhile=lambda: package.write_text("newer") if replaced else package.unlink(),
                )
            ]
        }
    )

    ended = world.run()

    assert ended.status is Status.PAUSED
    assert "upgraded" in ended.detail
    assert ended.units == 3
    assert at_rest(world)


# ---- validation --------------------------------------------------------------------------------------------------


def misses(times: int) -> Scripted:
    unit = "validate-milestone M001"
    report = {"verdict": "needs-remediation", "criteria": ["1 + 1 is 3"], "rationale": "It adds wrongly."}
    return Scripted({unit: [Turn(reports=[report])] * times})


def test_a_milestone_that_needs_remediation_is_a_question(new_world: NewWorld) -> None:
    world = new_world(script=misses(1))

    ended = world.run()

    question = world.snapshot().blocked_by
    assert ended.status is Status.BLOCKED
    assert question is not None
    assert (question.reason, question.options) == ("needs-remediation", ("retry", "accept-as-is"))
    assert "It adds wrongly." in question.text
    assert world.run().status is Status.BLOCKED


def test_accept_as_is_integrates_what_there_is(new_world: NewWorld) -> None:
    world = new_world(script=misses(1))
    world.run()

    world.answer("accept-as-is")

    assert world.run().status is Status.COMPLETE
    assert world.snapshot().milestone.verdict == "accepted by a person"
    assert world.runs["validate-milestone M001"] == 1


def test_retry_validates_again(new_world: NewWorld) -> None:
    world = new_world(script=misses(1))
    world.run()

    world.answer("retry")

    assert world.run().status is Status.COMPLETE
    assert world.runs["validate-milestone M001"] == 2


def test_directories_that_hold_somebodys_files_are_kept_and_named(new_world: NewWorld) -> None:
    world = new_world()
    kept = "/worktrees/M001.f1"
    world.script = Scripted({TASK: [Turn(reports=[good_report(*TASK.split(" "))], files={"trace.log": "x"})]})

    world.run(RunOptions(units=4))
    assert world.run().status is Status.COMPLETE

    assert world.workspace.directories[kept]["trace.log"] == "x"
    assert sum(kept in step for step in world.said("step")) == 2, "when the next run began, and at its end"


def test_a_milestone_that_is_given_back_between_asking_and_looking_is_asked_for_again(world: World) -> None:
    lease = world.store.acquire(world.scope, world.worker().id, 60.0)
    assert lease is not None
    world.store.register(lease.worker_id, proc.me())

    def before(name: str) -> None:
        if name == "holder":
            world.store.release(lease)

    assert world.run(fate=Fate(before=before)).status is Status.COMPLETE


def test_what_a_worker_left_that_died_after_its_last_commit_is_cleared_away_by_the_next(new_world: NewWorld) -> None:
    world = new_world(milestones=2)
    fate = Fate(before=lambda name: name == "release" and len(world.briefs) == 11 and fate.strike())
    with pytest.raises(Died):
        world.run(RunOptions(milestone=MilestoneId("M001")), fate=fate)
    assert world.snapshot().milestone.status == "complete"
    assert world.workspace.directories

    world.run(RunOptions(units=1))

    assert world.store.holder(world.scope) is None
    assert not any("M001" in path for path in world.workspace.directories)
