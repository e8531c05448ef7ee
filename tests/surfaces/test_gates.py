"""`gates`: what a person has confirmed, what waits, and what is opened again."""

import pytest

from tests.surfaces.conftest import grow
from walkaway.core.ids import Scope
from walkaway.testing.moments import gate

M001 = Scope("M001")


def asked(opened) -> dict[str, str]:
    return {q.id: q.answer for q in opened.store.snapshot(M001).questions.values()}


def test_a_gate_is_shown_confirmed_and_opened_again(opened, walkaway):
    assert "No gate was asked." in walkaway("gates").out
    grow(opened.store, [gate()])
    assert "pending" in walkaway("gates").out
    assert "walkaway answer depth:M001 confirm|revise" in walkaway("status").out
    ran = walkaway("gates", "confirm", "depth:M001")
    assert (ran.code, asked(opened)) == (0, {"M001-Q1": "confirm"})
    ran = walkaway("gates", "reopen", "depth:M001", "--reason", "The budget changed.")
    assert "is revoked" in ran.out
    again = walkaway("gates", "reopen", "depth:M001")
    assert "pending already, as M001-Q2" in again.out
    told = walkaway("gates", "--json").json()[-1]["gates"]
    assert [(g["question"], g["status"]) for g in told] == [("M001-Q1", "revoked"), ("M001-Q2", "pending")]
    assert "The budget changed." in told[1]["text"]


def test_answer_takes_a_gate_by_its_own_id(opened, walkaway):
    grow(opened.store, [gate()])
    assert walkaway("answer", "depth:M001", "revise").code == 0
    assert asked(opened) == {"M001-Q1": "revise"}
    assert walkaway("gates", "--json").json()[-1]["gates"][0]["status"] == "declined"


@pytest.mark.parametrize(
    "args",
    [
        ("answer", "depth:M001", "yes"),
        ("answer", "depth:M001", ""),
        ("answer", "depth:M002", "confirm"),
        ("gates", "confirm", "depth:PROJECT"),
        ("gates", "confirm", "M001-Q1"),
        ("gates", "reopen", "depth:M002"),
    ],
)
def test_what_is_no_answer_to_a_gate_leaves_it_pending(opened, walkaway, args):
    grow(opened.store, [gate()])
    assert walkaway(*args).code == 2
    assert asked(opened) == {"M001-Q1": ""}


def test_a_gate_that_was_confirmed_cannot_be_confirmed_twice(opened, walkaway):
    grow(opened.store, [gate()])
    assert walkaway("gates", "confirm", "depth:M001").code == 0
    assert walkaway("gates", "confirm", "depth:M001").code == 2
