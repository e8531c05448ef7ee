"""The call that asks a person, and the wall that a pending gate is: every other call is refused, whatever it is."""

import json
from collections.abc import Sequence

import pytest

from tests.agent.conftest import DONE, Stage, call
from walkaway.agent.conversation import REPEATS_TO_STOP
from walkaway.agent.policy import ALLOW, Refuse, while_pending
from walkaway.agent.tools import TOOLS, ask
from walkaway.core.brief import Asked, Told
from walkaway.core.errors import AgentStuck, StoreUnavailable, Unanswered

GATE = "depth:M001"
OTHERS = ("read", "write", "edit", "bash", "grep", "find", "ls", "report", "fly", "mcp__server__ask", "Ask", "ask ", "")


def asks(text: str = "Is it so?", gate: str = "", options: Sequence[str] = ()) -> dict[str, object]:
    given = {"question": text, "gate": gate, "options": list(options)}
    return {"tools": [call("ask", **{name: value for name, value in given.items() if value})]}


@pytest.mark.parametrize("tool", [*OTHERS, *(tool.name for tool in TOOLS)])
def test_only_the_call_that_asks_passes_a_gate_that_waits(tool: str) -> None:
    refused = while_pending(GATE, tool)
    assert isinstance(refused, Refuse)
    assert f'gate "{GATE}"' in refused.why
    assert while_pending(GATE, ask.NAME) is ALLOW
    assert while_pending("", tool) is ALLOW


def test_a_question_goes_to_the_engine_and_its_answer_to_the_model(stage: Stage, protocol: str) -> None:
    stage.engine.answers = lambda asked: Told(text=f"{asked.options[1]}, please.")
    stage.play(asks("Which?", options=("a", "b")), DONE, protocol=protocol)
    assert stage.engine.asked == [Asked(text="Which?", options=("a", "b"))]
    assert stage.results() == ["b, please."]


def test_what_is_no_question_is_told_to_the_model_and_asked_of_nobody(stage: Stage) -> None:
    empty, strange = asks(""), {"tools": [call("ask", question="x", multiple=True)]}
    stage.engine.answers = lambda _asked: Told(text="Name the options.", refused=True)
    stage.play(empty, strange, asks("Which?"), DONE)
    assert len(stage.engine.asked) == 1
    told = stage.results()
    assert "do not fit 'ask'" in told[0]
    assert "multiple" in told[1]
    assert told[2] == "Name the options. Try it differently."


def test_a_question_that_waits_ends_the_conversation_before_the_calls_beside_it(stage: Stage, protocol: str) -> None:
    def waits(_asked: Asked) -> Told:
        raise Unanswered("M001-Q1 waits.")

    stage.engine.answers = waits
    together = {"tools": [*asks("Which?", options=("a", "b"))["tools"], call("write", path="a.py", content="x")]}
    with pytest.raises(Unanswered):
        stage.play(together, DONE, protocol=protocol)
    assert not (stage.cwd / "a.py").exists()
    assert len(stage.requests()) == 1


def test_while_a_gate_waits_every_call_is_refused_shell_and_report_included(stage: Stage, protocol: str) -> None:
    (stage.cwd / "there.txt").write_text("secret\n")
    waiting = [GATE]
    stage.engine.pending = lambda: waiting[0]

    def confirmed(_asked: Asked) -> Told:
        waiting[0] = ""
        return Told(text="confirmed")

    stage.engine.answers = confirmed
    every = [
        call("read", path="there.txt"),
        call("write", path="b.txt", content="b"),
        call("edit", path="there.txt", old="secret", new="open"),
        call("bash", command="touch shell.txt"),
        call("grep", pattern="secret"),
        call("find", pattern="*"),
        call("ls"),
        call("fly", to="the moon"),
        call("report", summary="done"),
    ]
    stage.play({"tools": every}, {"tools": [call("bash", command="git status; ls")]}, asks(gate=GATE), DONE, protocol=protocol)  # fmt: skip
    told = stage.results()
    assert len(told) == len(every) + 2
    for text in told[:-1]:
        assert f'Call `ask` with gate "{GATE}"' in text
        assert "secret" not in text
        assert "Try it differently" not in text
    assert told[-1] == "confirmed"
    assert [path.name for path in stage.cwd.iterdir()] == ["there.txt"]
    assert (stage.cwd / "there.txt").read_text() == "secret\n"
    assert [json.loads(report)["summary"] for report in stage.engine.reports] == ["done"]


def test_a_gate_that_is_opened_meanwhile_holds_the_call_that_comes_next(stage: Stage) -> None:
    waiting = ["", "", GATE, GATE]
    stage.engine.pending = lambda: waiting.pop(0) if waiting else ""
    stage.play(*[{"tools": [call("write", path=f"{n}.txt", content="x")]} for n in range(4)], DONE)
    assert sorted(path.name for path in stage.cwd.iterdir()) == ["0.txt", "1.txt"]


def test_where_it_cannot_be_known_whether_a_gate_waits_nothing_is_done(stage: Stage) -> None:
    def unknown() -> str:
        raise StoreUnavailable("The database is gone.")

    stage.engine.pending = unknown
    with pytest.raises(StoreUnavailable):
        stage.play({"tools": [call("write", path="a.txt", content="x")]}, DONE)
    assert list(stage.cwd.iterdir()) == []


def test_the_same_question_may_be_asked_again_and_again_at_a_gate_that_waits(stage: Stage) -> None:
    refusals, waiting = [f"no {n}" for n in range(2 * REPEATS_TO_STOP)], [GATE]
    stage.engine.pending = lambda: waiting[0]

    def again(_asked: Asked) -> Told:
        if refusals:
            return Told(text=refusals.pop(0), refused=True)
        waiting[0] = ""
        return Told(text="confirmed")

    stage.engine.answers = again
    stage.play(*[asks(gate=GATE)] * (2 * REPEATS_TO_STOP + 1), DONE)
    assert stage.results()[0] == "no 0"
    assert stage.results()[-1] == "confirmed"


@pytest.mark.parametrize("gate", ["", "depth:M002"])
def test_the_same_refused_question_about_something_else_is_repetition(stage: Stage, gate: str) -> None:
    stage.engine.pending = lambda: GATE
    stage.engine.answers = lambda _asked: Told(text="no", refused=True)
    with pytest.raises(AgentStuck):
        stage.play(*[asks(gate=gate)] * (REPEATS_TO_STOP + 2))


def test_the_same_call_at_a_gate_that_waits_is_repetition(stage: Stage) -> None:
    stage.engine.pending = lambda: GATE
    with pytest.raises(AgentStuck):
        stage.play(*[{"tools": [call("ls")]}] * (REPEATS_TO_STOP + 2))
