"""Whatever happened before: a blocked milestone stays blocked until its question is answered, and then it goes on.

How each reason is come to and left in the whole engine is in `tests/engine/test_remedies.py`.
"""

from dataclasses import replace

import pytest

from tests.core.build import fold
from tests.core.test_simulation import MOST_TURNS, Executor
from tests.tiers import tier
from walkaway.core import answer as answers
from walkaway.core import events as e
from walkaway.core.derive import Ask, Blocked, Finished, derive
from walkaway.core.errors import Usage
from walkaway.core.ids import parse_unit
from walkaway.core.model import Question, Snapshot
from walkaway.core.retry import RETRIED_BY_STARTING
from walkaway.units import UNITS

YEAR_S = 365 * 24 * 3600.0
SAID = {
    *("attempts", "stuck", "environment", "kills-its-worker", "replans", "needs-remediation", "uat-failed", "no-unit"),
    *("capture", "capture-stop", "depth", "discuss-slice"),
}


def holds(s: Snapshot, question: Question) -> None:
    """Nothing less than an answer leaves it."""
    assert derive(replace(s, now=s.now + YEAR_S), UNITS) == Blocked(question=question)
    for slice_ in s.slices.values():
        if not slice_.inactive:
            aside = fold(s, e.SetAside(target=slice_.id, how="skipped", why="no need"), at=s.now)
            assert derive(aside, UNITS) == Blocked(question=question)
    for words in ("", "yes", question.options[0].upper()):
        with pytest.raises(Usage):
            answers.answer(s, question.id, words, "ann")
    started = [event.question for event in answers.started_again(s)]
    assert (question.id in started) == (question.reason in RETRIED_BY_STARTING and "retry" in question.options)


def can_be_left(s: Snapshot, question: Question) -> None:
    """Every answer leaves it; where what it waits for is still away, the same is asked anew."""
    for words in question.options:
        after = fold(s, *answers.answer(s, question.id, words, "ann"), at=s.now)
        then = derive(after, UNITS)
        assert not after.questions[question.id].open
        assert not isinstance(then, Blocked) or then.question.id in s.questions, "others wait beside it"
        if isinstance(then, Ask):
            same = (then.question.reason, then.question.unit) == (question.reason, question.unit)
            assert not same or question.reason == "no-unit"


def names_its_object(s: Snapshot, question: Question) -> None:
    assert parse_unit(question.unit).target in {s.milestone.id, *s.slices, *s.tasks}
    assert question.text
    assert question.remedies


def blocked_states(seed: int) -> set[str]:
    """Walk one run of failures and look at every state in which a person is waited for; return their reasons."""
    run, met = Executor(seed), set()
    for _ in range(MOST_TURNS):
        decision = derive(run.s, UNITS)
        if isinstance(decision, Finished):
            return met
        if isinstance(decision, Blocked):
            met.add(decision.question.reason)
            names_its_object(run.s, decision.question)
            holds(run.s, decision.question)
            can_be_left(run.s, decision.question)
        run.turn(decision)
    raise AssertionError("The milestone does not end.")


def test_every_blocked_state_names_its_object_holds_and_can_be_left() -> None:
    met: set[str] = set()
    for seed in range(tier(200, 2_000)):
        met |= blocked_states(seed)
    assert met >= SAID, SAID - met
