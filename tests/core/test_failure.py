"""One classification of failures, and what follows from each kind."""

from pathlib import Path

import pytest

from tests.core.build import M, created, failed, fold, reported, running, sha
from walkaway.agent import model as agent_model
from walkaway.core import errors
from walkaway.core import events as e
from walkaway.core.derive import derive
from walkaway.core.failing.failure import JUDGED, KIND_OF, RULES, When, kind_of
from walkaway.core.failing.stuck import MISSING, missing_in, missing_of
from walkaway.core.ids import UnitKey
from walkaway.core.model import FailureKind, Policy
from walkaway.core.retry import RETRIED_BY_STARTING, GiveUp, next_run
from walkaway.testing.moments import question
from walkaway.units import UNITS

PLAN = UnitKey("plan-milestone", M)
OTHER = UnitKey("plan-slice", "M001/S01")


def below(cls: type) -> list[type]:
    return [cls, *(each for child in cls.__subclasses__() for each in below(child))]


def refused(s, why, kind="verification", key=PLAN, output=""):
    s, d = running(s, key)
    return fold(s, e.DispatchFailed(dispatch=d, failure=kind, why=why, output=output, next_run_at=0.0))


def test_every_error_of_the_tree_has_a_kind_of_its_own_and_every_kind_a_rule():
    tree = [cls for cls in below(errors.WalkawayError) if cls.__module__ == errors.__name__]
    assert set(tree) == set(KIND_OF)
    assert set(RULES) == set(FailureKind)
    assert set(KIND_OF.values()) | {
        FailureKind.LEASE_LOST,
        FailureKind.VERIFICATION,
        FailureKind.REPORT,
        FailureKind.CONFLICT,
    } == set(RULES)


def test_the_user_is_told_of_every_kind_and_of_every_question_that_a_kind_asks():
    page = (Path(__file__).parents[2] / "docs" / "workflow.md").read_text(encoding="utf-8")
    table = page.partition("## When a unit fails")[2].partition("\n## ")[0]
    for kind, rule in RULES.items():
        assert f"`{kind}`" in table
        assert rule.asks is None or f"`{rule.asks.reason}`" in table


def test_an_error_of_an_adapter_has_the_kind_of_what_it_is():
    assert kind_of(agent_model.ContextFull("full")) is FailureKind.LIMIT
    assert kind_of(agent_model.CutOff("cut")) is FailureKind.PROVIDER


def test_the_words_of_an_error_decide_nothing():
    assert kind_of(errors.Cancelled("ECONNREFUSED 429 rate limit")) is FailureKind.CANCELLED
    assert kind_of(errors.GitFailed("ENOSPC")) is FailureKind.GIT


@pytest.mark.parametrize("kind", [k for k, r in RULES.items() if r.asks], ids=str)
def test_each_kind_asks_after_its_number_with_a_remedy_and_is_left_by_its_answer(kind):
    asks = RULES[kind].asks
    s = created()
    for n in range(asks.most or s.policy.attempts):
        assert not isinstance(next_run(s, PLAN), GiveUp), n
        s = refused(s, f"no {n}", kind)
    found = next_run(s, PLAN)
    assert isinstance(found, GiveUp)
    assert found.reason == asks.reason
    assert found.remedies
    assert str(PLAN) in found.text
    assert (found.reason in RETRIED_BY_STARTING) == (RULES[kind].when is When.MENDED)
    s = fold(s, e.QuestionRaised(question=derive(s, UNITS).question))
    s = fold(s, e.QuestionAnswered(question="M001-Q1", answer="retry", who="ann"))
    assert next_run(s, PLAN).attempt == 1


def test_the_same_error_twice_diagnoses_once_and_then_asks_with_what_was_tried():
    s = created(Policy(attempts=6))
    s = refused(s, "no")
    assert next_run(s, PLAN).diagnose == ""
    s = refused(s, "no")
    assert "twice in a row" in next_run(s, PLAN).diagnose
    s, d = running(s, PLAN)
    s = fold(s, e.DispatchCanceled(dispatch=d, failure="lease-lost", why="gone"))
    assert next_run(s, PLAN).diagnose, "a crash does not use the diagnosis up"
    given_up = next_run(refused(s, "no"), PLAN)
    assert given_up.reason == "stuck"
    assert given_up.text.count("verification: no") == 3


def test_one_check_that_fails_for_two_reasons_is_not_the_same_error():
    s = refused(created(Policy(attempts=6)), "The check failed.", output="b" * 64)
    assert next_run(refused(s, "The check failed.", output="c" * 64), PLAN).diagnose == ""
    assert next_run(refused(s, "The check failed.", output="b" * 64), PLAN).diagnose


def test_an_answer_starts_the_looking_anew():
    s = refused(refused(refused(created(Policy(attempts=6)), "no"), "no"), "no")
    s = fold(s, e.QuestionRaised(question=derive(s, UNITS).question))
    s = fold(s, e.QuestionAnswered(question="M001-Q1", answer="retry", who="ann"))
    s = refused(s, "no")
    assert next_run(s, PLAN).diagnose == ""
    assert next_run(refused(s, "no"), PLAN).diagnose


def test_an_answer_starts_the_turns_anew():
    s = created(Policy(attempts=6))
    for n, key in enumerate((PLAN, OTHER, PLAN)):
        s = refused(s, f"no {n}", key=key)
    asked = question("M001-Q1", unit="plan-slice M001/S09")
    s = fold(s, asked, e.QuestionAnswered(question="M001-Q1", answer="retry", who="ann"))
    s = refused(s, "no 4", key=OTHER)
    assert next_run(s, OTHER).diagnose == ""


def test_a_success_between_is_progress():
    s = created(Policy(attempts=6))
    for n in range(6):
        s = refused(s, f"no {n}", key=(PLAN, OTHER)[n % 2])
        s, d = reported(s, UnitKey("research-milestone", M))
        s = fold(s, e.DispatchCompleted(dispatch=d, head=sha(n)))
    assert not any(next_run(s, key).diagnose for key in (PLAN, OTHER))


def test_what_was_written_about_a_missing_path_by_someone_else_is_not_looked_at():
    s = created(Policy(attempts=6))
    s = refused(s, "x." + MISSING.format("a.py"), "report")
    s = refused(s, "y." + MISSING.format("a.py"), "report")
    assert next_run(s, PLAN).diagnose == ""


def test_the_last_attempt_diagnoses_and_different_errors_may_take_all_of_them():
    s = refused(refused(created(), "a"), "b")
    assert "last attempt" in next_run(s, PLAN).diagnose
    s = refused(refused(created(Policy(attempts=5)), "a"), "b")
    assert next_run(s, PLAN).diagnose == ""


def test_judged_and_stuck_together_three_times_is_no_progress():
    s = refused(refused(refused(created(Policy(attempts=3)), "a"), "again", "stuck"), "b")
    assert next_run(s, PLAN).reason == "stuck"


def test_the_same_missing_path_twice_is_the_same_trouble():
    s = created(Policy(attempts=6))
    s = refused(refused(refused(s, "x." + MISSING.format("a.py")), "y"), "z." + MISSING.format("a.py"))
    assert "`a.py` is not there" in next_run(s, PLAN).diagnose


@pytest.mark.parametrize(
    ("output", "path"),
    [
        ("FileNotFoundError: [Errno 2] No such file or directory: 'a/b.json'", "a/b.json"),
        ("Error: ENOENT: no such file or directory, open 'x.txt'", "x.txt"),
        ("cat: notes.md: No such file or directory\n", "notes.md"),
        ("all is well", ""),
    ],
)
def test_a_missing_path_is_read_from_what_programs_print(output, path):
    assert missing_in(output) == path
    assert missing_of("It failed." + MISSING.format(path)) == path


@pytest.mark.parametrize("turn", [(PLAN, OTHER), (PLAN, OTHER, UnitKey("plan-slice", "M001/S02"))], ids=len)
def test_units_that_take_turns_without_a_result_are_seen(turn):
    s = created(Policy(attempts=6))
    for n in range(2 * len(turn)):
        assert not any(next_run(s, key).diagnose for key in turn)
        s = refused(s, f"no {n}", key=turn[n % len(turn)])
    assert "take turns" in next_run(s, turn[-1]).diagnose


def test_what_the_agent_had_no_say_in_is_no_circle():
    s = created(Policy(attempts=6))
    for _ in range(4):
        s = failed(s, PLAN, "provider")
    assert next_run(s, PLAN).diagnose == ""
    assert {"verification", "hook", "report", "limit"} == JUDGED
