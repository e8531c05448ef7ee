"""A gate holds what it is about until its last asking was confirmed, and nothing else lets it go on."""

from dataclasses import replace

import pytest

from tests.core.build import created, fold
from walkaway.core import answer as answers
from walkaway.core import events as e
from walkaway.core.asking import gates
from walkaway.core.asking.gates import GateStatus
from walkaway.core.asking.question import BY_POLICY, GATE_OPTIONS, OF_PROJECT, is_gate
from walkaway.core.derive import Ask, Blocked, ask, derive
from walkaway.core.errors import IllegalTransition, Usage
from walkaway.core.ids import UnitKey
from walkaway.core.model import Policy, Question, Snapshot
from walkaway.units import UNITS

DEPTH = "depth:M001"
KEY = UnitKey("discuss-milestone", "M001")


def asking(s: Snapshot, gate: str = DEPTH) -> Question:
    return ask(s, KEY, gates.wanted(gate, "Is it so?"))


def asked(s: Snapshot, gate: str = DEPTH) -> Snapshot:
    return fold(s, e.QuestionRaised(question=asking(s, gate)))


def said(s: Snapshot, question: str, words: str) -> Snapshot:
    return fold(s, *answers.answer(s, question, words, "ann"))


def statuses(s: Snapshot) -> list[GateStatus]:
    return [gates.status(s, q) for q in s.questions.values() if q.gate]


@pytest.mark.parametrize(
    "text", ["depth:M001", "depth:M1234", "depth:M002-abc123", "depth:PROJECT", "depth:REQUIREMENTS"]
)
def test_what_is_a_gate(text):
    assert is_gate(text)


@pytest.mark.parametrize(
    "text",
    ["", "depth", "depth:", "depth:M1", "depth:M001/S01", "depth:project", "deep:M001", "depth:M001 ", "M001", ":M001"],
)
def test_what_is_none(text):
    assert not is_gate(text)
    s = created()
    with pytest.raises(IllegalTransition):
        fold(s, e.QuestionRaised(question=replace(asking(s), gate=text or "?")))


def test_a_gate_holds_until_it_is_confirmed_and_asking_it_again_revokes_that():
    s = asked(created())
    assert gates.holds(s, DEPTH)
    assert isinstance(derive(s, UNITS), Blocked)
    s = said(s, "M001-Q1", "confirm")
    assert not gates.holds(s, DEPTH)
    assert statuses(s) == [GateStatus.CONFIRMED]
    s = asked(s)
    assert gates.holds(s, DEPTH)
    assert statuses(s) == [GateStatus.REVOKED, GateStatus.PENDING]
    s = said(s, "M001-Q2", "revise")
    assert gates.holds(s, DEPTH)
    assert statuses(s) == [GateStatus.REVOKED, GateStatus.DECLINED]
    assert gates.pending(s) is None


def test_a_gate_that_was_never_asked_holds_only_where_the_policy_wants_it():
    assert not gates.holds(created(), DEPTH)
    assert gates.holds(created(Policy(gates=("depth",))), DEPTH)


def test_confirming_unlocks_only_what_the_gate_holds():
    s = created()
    for gate in (DEPTH, *(f"depth:{held}" for held in OF_PROJECT)):
        s = asked(s, gate)
    s = said(s, "M001-Q2", "confirm")
    assert [gates.holds(s, f"depth:{held}") for held in ("M001", *OF_PROJECT)] == [True, False, True]
    assert gates.pending(s).gate == DEPTH


def test_a_gate_is_asked_once_at_a_time_and_only_where_it_belongs():
    s = asked(created())
    with pytest.raises(IllegalTransition, match="waits for an answer already"):
        asked(s)
    with pytest.raises(IllegalTransition, match="no gate of M001"):
        asked(s, "depth:M002")


@pytest.mark.parametrize(
    "options", [("confirm",), ("revise", "confirm"), ("confirm", "revise", "later"), ("yes", "no")]
)
def test_a_gate_takes_its_fixed_words_only(options):
    s = created()
    with pytest.raises(IllegalTransition, match="takes confirm, revise"):
        fold(s, e.QuestionRaised(question=replace(asking(s), options=options)))


@pytest.mark.parametrize("words", ["", " ", "Confirm", "confirm ", "yes", "confirm (Recommended)", "none of the above"])
def test_another_answer_leaves_it_pending(words):
    s = asked(created())
    with pytest.raises(Usage, match="stays pending"):
        answers.answer(s, "M001-Q1", words, "ann")
    with pytest.raises(IllegalTransition):
        fold(s, e.QuestionAnswered(question="M001-Q1", answer=words, who="ann"))


def test_neither_a_setting_nor_a_new_run_answers_a_gate():
    s = asked(created())
    with pytest.raises(IllegalTransition, match="by a person"):
        fold(s, e.QuestionAnswered(question="M001-Q1", answer="confirm", who=BY_POLICY))
    assert answers.started_again(s) == []
    for words in GATE_OPTIONS:
        assert said(s, "M001-Q1", words).blocked_by is None


def planned(*slices: str, policy: Policy) -> Snapshot:
    plans = tuple(e.SlicePlan(id=each, title=each, demo="d", goal="g", risk="low", depends=()) for each in slices)
    return fold(created(policy), e.MilestonePlanned(title="T", vision="v", criteria=("c",), slices=plans))


TALK = Policy(gates=("discuss-slice",), steps=())


def test_a_slice_is_talked_about_once_before_it_is_planned():
    s = planned("M001/S01", "M001/S02", policy=TALK)
    decision = derive(s, UNITS)
    assert isinstance(decision, Ask)
    assert (decision.question.reason, decision.question.unit) == ("discuss-slice", "discuss-slice M001/S01")
    s = said(fold(s, e.QuestionRaised(question=decision.question)), "M001-Q1", "plan")
    assert derive(s, UNITS).key == UnitKey("plan-slice", "M001/S01")
    assert derive(planned("M001/S01", policy=Policy()), UNITS).key == UnitKey("plan-slice", "M001/S01")


@pytest.mark.parametrize(("words", "aside"), [("skip", "skipped"), ("defer", "deferred")])
def test_a_person_may_set_a_slice_aside_when_asked(words, aside):
    s = planned("M001/S01", "M001/S02", policy=TALK)
    s = said(fold(s, e.QuestionRaised(question=derive(s, UNITS).question)), "M001-Q1", words)
    assert s.slices["M001/S01"].aside == aside
    assert "ann" in s.slices["M001/S01"].aside_why
    assert derive(s, UNITS).question.unit == "discuss-slice M001/S02"
