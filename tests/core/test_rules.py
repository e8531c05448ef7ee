"""The rules of the core, values in and values out."""

from dataclasses import replace

import pytest

from tests.core.build import TEXT, M, blank, claim, crashed, created, failed, fold, reported, running, sha
from walkaway.core import answer as answers
from walkaway.core import events as e
from walkaway.core import retry
from walkaway.core.budget import TOKENS_PER_USD, left_usd, spent_usd
from walkaway.core.derive import Ask, Blocked, Finished, Resume, Spent, Start, Wait, derive
from walkaway.core.errors import DispatchOver, IllegalTransition, Usage
from walkaway.core.fleet.overview import MilestoneRow, Overview
from walkaway.core.grant import BUILDING, ERRAND, PLANNING, RESEARCHING, Effect, Grant
from walkaway.core.ids import UnitKey, is_target, milestone_id, milestone_of, natural_order, parse_unit, short
from walkaway.core.model import Evidence, MilestoneStatus, Phase, Policy, Question, Result
from walkaway.core.model import Usage as Spending
from walkaway.core.retry import Again, GiveUp, Later, next_run
from walkaway.core.schedule import eligible
from walkaway.core.unit import find
from walkaway.core.verdict import Accepted, Rejected, Unjudged, judge
from walkaway.units import UNITS

PLAN = UnitKey("plan-milestone", M)


def evidence(result: Result, command: str = "c") -> Evidence:
    return Evidence(
        id=command, dispatch_id="", phase=Phase.WORK, tree=sha(1), command=command, result=result, exit_code=1,
        duration_ms=1500, output=TEXT,
    )  # fmt: skip


@pytest.mark.parametrize("text", ["M001", "M001/S01", "M001/S01/T01", "M1234", "M001-ab12cd/S10"])
def test_identifiers_are_recognised(text):
    assert is_target(text)


@pytest.mark.parametrize("text", ["", "m001", "M01", "M001/T01", "M001/S01/T01/X", "M001/S1", "M001//T01", "../M001"])
def test_what_is_no_identifier_is_refused(text):
    assert not is_target(text)
    with pytest.raises(Usage):
        parse_unit(f"execute-task {text}")


def test_a_unit_key_prints_and_parses():
    assert str(parse_unit("execute-task M001/S01/T01")) == "execute-task M001/S01/T01"
    assert (milestone_of("M001/S01/T01"), short("M001/S01/T01"), milestone_id(7)) == ("M001", "T01", "M007")
    assert sorted(["S100", "S99"], key=natural_order) == ["S99", "S100"]


def test_the_first_attempt_is_one():
    assert next_run(created(), PLAN) == Again(attempt=1)


def test_a_judged_failure_consumes_an_attempt_and_its_reason_is_carried():
    s = failed(created(), PLAN)
    assert next_run(s, PLAN) == Again(attempt=2, why="no", output=TEXT, carry=sha(101))


@pytest.mark.parametrize("kind", ["verification", "hook", "report", "limit"])
def test_every_judged_kind_counts(kind):
    assert next_run(failed(created(), PLAN, kind), PLAN).attempt == 2


def test_crash_pause_and_stop_consume_no_attempt():
    s = crashed(crashed(created(), PLAN), PLAN)
    s, d = running(s, PLAN)
    s = fold(s, e.DispatchPaused(dispatch=d, why="a person stopped it"))
    assert next_run(s, PLAN).attempt == 1


def test_a_provider_failure_waits_and_consumes_no_attempt():
    s = failed(created(), PLAN, "provider", next_run_at=500.0)
    assert next_run(s, PLAN) == Later(until=500.0, why="no")
    assert next_run(replace(s, now=500.0), PLAN).attempt == 1


def test_the_wait_for_a_provider_doubles_up_to_a_bound():
    s, waits = created(), []
    for _ in range(9):
        waits.append(retry.provider_wait(s, PLAN))
        s = failed(s, PLAN, "provider")
    assert waits[:3] == [30.0, 60.0, 120.0]
    assert waits[-1] == 1800.0


def test_three_judged_failures_ask_a_person():
    s = failed(failed(failed(created(), PLAN), PLAN), PLAN)
    assert next_run(s, PLAN).reason == "attempts"


def test_the_limit_of_attempts_is_the_policys():
    assert next_run(failed(created(Policy(attempts=1)), PLAN), PLAN).reason == "attempts"


def test_three_crashes_in_a_row_block_the_unit_as_killing_its_worker():
    s = crashed(crashed(crashed(created(), PLAN), PLAN), PLAN)
    assert next_run(s, PLAN).reason == "kills-its-worker"


def test_crashes_with_a_report_between_them_do_not_block():
    s = crashed(failed(crashed(crashed(created(), PLAN), PLAN), PLAN), PLAN)
    assert next_run(s, PLAN).attempt == 2


def test_success_starts_the_count_again():
    s, d = reported(failed(failed(created(), PLAN), PLAN), PLAN, 3)
    s = fold(s, e.DispatchCompleted(dispatch=d, head=sha(9)))
    assert next_run(s, PLAN) == Again(attempt=1)


def test_an_answer_starts_the_count_again():
    s = failed(failed(failed(created(), PLAN), PLAN), PLAN)
    asked = derive(s, UNITS)
    assert isinstance(asked, Ask)
    s = fold(s, e.QuestionRaised(question=asked.question))
    assert isinstance(derive(s, UNITS), Blocked)
    s = fold(s, *answers.answer(s, asked.question.id, "retry", "ann"))
    assert isinstance(derive(s, UNITS), Start)
    assert derive(s, UNITS).attempt == 1


def test_an_answer_ends_the_count_only_and_what_was_refused_is_carried_on():
    s = failed(failed(created(Policy(attempts=2)), PLAN), PLAN)
    s = fold(s, e.QuestionRaised(question=derive(s, UNITS).question))
    s = fold(s, *answers.answer(s, "M001-Q1", "retry", "ann"))
    assert next_run(s, PLAN) == Again(attempt=1, why="no", output=TEXT, carry=sha(102))
    assert next_run(crashed(s, PLAN), PLAN) == Again(attempt=1, why="no", output=TEXT, carry=sha(102))
    assert next_run(failed(s, PLAN), PLAN) == Again(attempt=2, why="no", output=TEXT, carry=sha(103))


def test_a_failure_that_nobody_judged_hides_no_reason_and_no_work():
    s = failed(failed(created(), PLAN), PLAN, "environment")
    s = fold(s, e.QuestionRaised(question=derive(s, UNITS).question))
    s = fold(s, *answers.started_again(s))
    assert next_run(s, PLAN) == Again(attempt=1, why="no", output=TEXT, carry=sha(101))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("environment", "environment"), ("provider-refused", "provider-refused"), ("git", "git")],
)
def test_what_only_a_person_can_mend_is_asked_at_once_and_retried_by_starting_again(kind, reason):
    s = failed(created(), PLAN, kind)
    asked = derive(s, UNITS)
    assert asked.question.reason == reason
    s = fold(s, e.QuestionRaised(question=asked.question))
    s = fold(s, *answers.started_again(s))
    assert derive(s, UNITS).attempt == 1


def test_stuck_twice_in_a_row_asks():
    s = created()
    for _ in range(2):
        s, d = running(s, PLAN)
        s = fold(s, e.DispatchStuck(dispatch=d, why="the same call again and again"))
    assert next_run(s, PLAN).reason == "stuck"
    assert answers.started_again(fold(s, e.QuestionRaised(question=derive(s, UNITS).question))) == []


def test_money_that_is_gone_stops_before_the_next_unit():
    s = replace(created(Policy(usd=1.0)), usage=Spending(calls=1, usd=1.0))
    assert derive(s, UNITS) == Spent(key=PLAN)
    assert isinstance(derive(replace(s, usage=Spending(calls=1, usd=0.99)), UNITS), Start)


def test_tokens_of_unknown_price_count_against_the_cap():
    usage = Spending(calls=1, input_tokens=TOKENS_PER_USD, output_tokens=TOKENS_PER_USD, usd=None)
    assert spent_usd(usage) == 2.0
    assert left_usd(Policy(usd=1.0), usage) == 0.0
    assert left_usd(Policy(usd=None), usage) is None


def test_a_live_dispatch_is_resumed_and_nothing_else_begins():
    s, d = reported(created(), PLAN)
    assert derive(s, UNITS) == Resume(dispatch=s.dispatches[d])


def test_a_deadline_is_waited_for():
    s = failed(created(), PLAN, "provider", next_run_at=500.0)
    assert derive(s, UNITS) == Wait(key=PLAN, until=500.0, why="no")


def test_a_state_in_which_nothing_can_start_asks_a_person():
    assert derive(created(), ()).question.reason == "no-unit"


def test_a_failure_outweighs_a_check_that_could_not_run_which_outweighs_a_pass():
    passed, fail = evidence(Result.PASS), evidence(Result.FAIL, "pytest")
    broken, slow = evidence(Result.CANNOT_RUN), evidence(Result.TIMEOUT)
    assert judge([passed]) == Accepted(verified=True)
    assert judge([]) == judge([evidence(Result.NO_CHECK)]) == Accepted(verified=False)
    assert isinstance(judge([broken, fail]), Rejected)
    assert "pytest" in judge([passed, fail]).why
    assert judge([passed, fail]).output == TEXT
    assert isinstance(judge([slow]), Rejected)
    assert "2 s" in judge([slow]).why
    assert isinstance(judge([passed, broken]), Unjudged)


def row(name: str, status: MilestoneStatus) -> MilestoneRow:
    return MilestoneRow(
        id=name, title="", status=status, slices_done=0, slices_total=0, tasks_done=0, tasks_total=0, open_questions=0,
        holder=None, expires_at=0.0,
    )  # fmt: skip


def test_milestones_are_taken_in_order_and_complete_ones_never():
    rows = (
        row("M010", MilestoneStatus.QUEUED),
        row("M002", MilestoneStatus.ACTIVE),
        row("M001", MilestoneStatus.COMPLETE),
    )
    overview = Overview(project="p", now=0.0, milestones=rows, workers=(), usage=Spending())
    assert eligible(overview) == ("M002", "M010")
    assert eligible(overview, "M010") == ("M010",)
    assert eligible(overview, "M001") == ()


def question(reason: str, options: tuple[str, ...]) -> e.QuestionRaised:
    q = Question(id="Q1", unit=str(PLAN), reason=reason, text="?", remedies=("do",), options=options)
    return e.QuestionRaised(question=q)


def test_starting_anyway_accepts_the_red_target():
    s = fold(
        blank(), e.MilestoneCreated(milestone=M, title="T", context=TEXT), e.TargetPinned(branch="main", sha=sha(1))
    )
    s = fold(s, question("red-target", ("retry", "start-anyway")))
    s = fold(s, *answers.answer(s, "Q1", "start-anyway", "ann"))
    assert s.milestone.baseline_sha == sha(1)
    assert s.questions["Q1"].answered_by == "ann"


def test_only_an_answer_that_was_offered_is_taken_and_only_once():
    s = fold(created(), question("attempts", ("retry",)))
    for wrong in ("", "yes", "accept-unverified"):
        with pytest.raises(Usage):
            answers.answer(s, "Q1", wrong, "ann")
    with pytest.raises(Usage):
        answers.answer(s, "Q2", "retry", "ann")
    s = fold(s, *answers.answer(s, "Q1", "retry", "ann"))
    with pytest.raises(Usage):
        answers.answer(s, "Q1", "retry", "ann")
    with pytest.raises(IllegalTransition):
        fold(s, e.QuestionAnswered(question="Q1", answer="retry", who="bob"))


def test_accepting_unverified_is_remembered():
    s = fold(created(), question("unverified", ("retry", "accept-unverified")))
    assert not answers.accepted_unverified(s)
    assert answers.accepted_unverified(fold(s, *answers.answer(s, "Q1", "accept-unverified", "ann")))
    assert answers.of_reason(s, "unverified") is not None
    assert answers.of_reason(s, "conflict") is None


def test_an_ended_dispatch_is_final():
    s = failed(created(), PLAN)
    d = next(iter(s.dispatches))
    for late in (
        e.DispatchReported(dispatch=d, report=TEXT, commit=sha(3)),
        e.DispatchCompleted(dispatch=d, head=sha(3)),
        e.DispatchCanceled(dispatch=d, failure="cancelled", why="late"),
    ):
        with pytest.raises(DispatchOver):
            fold(s, late)


def test_two_dispatches_are_never_live_at_once():
    s, _ = claim(created(), PLAN)
    with pytest.raises(IllegalTransition):
        claim(s, UnitKey("plan-slice", "M001/S01"))


def test_an_open_question_keeps_every_unit_from_being_claimed():
    s = fold(created(), question("attempts", ("retry",)))
    with pytest.raises(IllegalTransition):
        claim(s, PLAN)


def test_the_policy_sentence_follows_from_the_grant():
    reviewing = Grant(name="r", effects=frozenset({Effect.READ, Effect.SHELL}))
    assert "not run commands" in PLANNING.sentence()
    assert "run commands" in BUILDING.sentence()
    assert "change any file" in BUILDING.sentence()
    assert "may not change files" in reviewing.sentence()
    docs = Grant(name="d", effects=frozenset({Effect.READ, Effect.WRITE}), paths=("docs/**",))
    assert "docs/**" in docs.sentence()
    assert "may send sub-agents" in RESEARCHING.sentence()
    assert all("sub-agents" not in grant.sentence() for grant in (PLANNING, BUILDING, ERRAND))


def test_whoever_may_send_sub_agents_may_only_read_and_they_send_none():
    sending = [unit for unit in UNITS if unit.grant.subagents]
    assert {unit.kind for unit in sending} == {
        "research-milestone",
        "research-project",
        "research-slice",
        "research-slices",
    }
    assert all(unit.grant.effects == {Effect.READ} for unit in sending)
    assert ERRAND.effects == {Effect.READ}
    assert not ERRAND.subagents


def test_a_kind_that_is_not_installed_is_named():
    with pytest.raises(LookupError, match="dance"):
        find(UNITS, "dance")
    assert isinstance(derive(created(), UNITS), Start)
    assert not isinstance(derive(created(), UNITS), Finished)
    assert isinstance(next_run(created(), PLAN), Again)
    assert not isinstance(next_run(created(), PLAN), GiveUp)
