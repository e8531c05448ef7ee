"""Conformance of the agent port: whoever runs conversations for the engine runs this over it."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import pytest

from walkaway.core.brief import Asked, Brief, Desk, Limits, ModelCall, Outcome, Told, Watch
from walkaway.core.errors import (
    Cancelled,
    LimitReached,
    ProviderDown,
    ProviderRefused,
    Unanswered,
)
from walkaway.core.grant import BUILDING
from walkaway.engine.ports import Agent

PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """What the model of one conversation does: reports (each in a reply of its own), or an error, or nothing."""

    reports: Sequence[Mapping[str, object]] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    status: int = 0
    """The provider's HTTP status instead of a reply; 0 = it replies."""
    retry_after: float | None = None
    hangs: bool = False
    asks: Sequence[Asked] = ()
    """What it asks before all else, each in a reply of its own."""


class AgentStage(Protocol):
    """An agent whose model says what a test wants."""

    agent: Agent
    cwd: Path

    def script(self, *conversations: Says) -> None:
        """Say this in the next conversations, one after the other."""
        ...

    def wait_for_hanging(self) -> None:
        """Return when the model has been asked and hangs."""
        ...


GOOD: Mapping[str, object] = {"summary": "done"}
SCHEMA = json.dumps(
    {"type": "object", "properties": {"summary": {"type": "string"}}, "required": ["summary"]}, separators=(",", ":")
)
BRIEF = Brief(
    unit="execute-task M001/S01/T01",
    attempt=1,
    system="You build.",
    prompt="Unit: execute-task M001/S01/T01 (attempt 1)\n\nDo it.\n",
    grant=BUILDING,
    limits=Limits(idle_s=20.0, total_s=40.0, wait_s=1.0),
)


@dataclass
class Engine:
    """The engine's side: what it was told, in order."""

    refuses: list[str] = field(default_factory=list)
    gate: Callable[[], None] = lambda: None
    heard: list[str] = field(default_factory=list)
    reports: list[dict[str, object]] = field(default_factory=list)
    calls: list[ModelCall] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    answers: Callable[[Asked], Told] = lambda _asked: Told(text="yes")
    pending: Callable[[], str] = lambda: ""

    def run(self, stage: AgentStage, brief: Brief = BRIEF) -> Outcome:
        desk = Desk(schema=SCHEMA, submit=self._submit)
        watch = Watch(
            gate=self._gated,
            spent=self._spent,
            saw=lambda _kind, _text: None,
            asks=self._asks,
            pending=self.pending,
        )
        transcript = stage.cwd.parent / "transcripts" / "d.jsonl"
        return stage.agent.run(brief, str(stage.cwd), desk, watch, str(transcript))

    def _submit(self, raw: str) -> str:
        self.heard.append("report")
        self.reports.append(json.loads(raw))
        return self.refuses.pop(0) if self.refuses else ""

    def _asks(self, asked: Asked) -> Told:
        self.asked.append(asked)
        return self.answers(asked)

    def _gated(self) -> None:
        self.heard.append("gate")
        self.gate()

    def _spent(self, call: ModelCall) -> None:
        self.heard.append("spent")
        self.calls.append(call)


class TestAgentPort:
    def test_an_accepted_report_ends_the_conversation_and_is_returned(self, stage: AgentStage) -> None:
        stage.script(Says(reports=[GOOD, GOOD]))
        engine = Engine()
        outcome = engine.run(stage)
        assert json.loads(outcome.report) == GOOD
        assert engine.reports == [GOOD]

    def test_a_refused_report_may_be_handed_in_again(self, stage: AgentStage) -> None:
        stage.script(Says(reports=[{"summary": "bad"}, GOOD]))
        engine = Engine(refuses=["not like this"])
        assert json.loads(engine.run(stage).report) == GOOD
        assert [report["summary"] for report in engine.reports] == ["bad", "done"]

    def test_the_gate_is_asked_before_money_is_spent_and_the_money_is_told_before_the_report(
        self, stage: AgentStage
    ) -> None:
        stage.script(Says(reports=[GOOD]))
        engine = Engine()
        engine.run(stage)
        assert engine.heard[0] == "gate"
        assert engine.heard.index("gate") < engine.heard.index("spent") < engine.heard.index("report")
        assert engine.calls[0].input_tokens > 0

    def test_a_gate_that_refuses_ends_the_conversation_before_anything_is_spent(self, stage: AgentStage) -> None:
        def closed() -> None:
            raise Cancelled("No.")

        stage.script(Says(reports=[GOOD]))
        engine = Engine(gate=closed)
        with pytest.raises(Cancelled):
            engine.run(stage)
        assert (engine.calls, engine.reports) == ([], [])

    def test_what_it_writes_lies_in_its_directory(self, stage: AgentStage) -> None:
        stage.script(Says(reports=[GOOD], files={"b.txt": "b\n"}))
        Engine().run(stage)
        assert (stage.cwd / "b.txt").read_text() == "b\n"

    def test_the_transcript_is_lines_of_json(self, stage: AgentStage) -> None:
        stage.script(Says(reports=[GOOD]))
        lines = Path(Engine().run(stage).transcript).read_text().splitlines()
        assert lines
        assert all(isinstance(json.loads(line), dict) for line in lines)

    def test_a_conversation_is_cancelled_from_another_thread(self, stage: AgentStage) -> None:
        stage.script(Says(hangs=True))
        ended = list[bool]()

        def converse() -> None:
            with pytest.raises(Cancelled):
                Engine().run(stage)
            ended.append(True)

        thread = threading.Thread(target=converse)
        thread.start()
        stage.wait_for_hanging()
        stage.agent.cancel()
        thread.join(PATIENCE_S)
        assert ended == [True]

    def test_cancelling_nothing_is_harmless(self, stage: AgentStage) -> None:
        stage.script(Says(reports=[GOOD]))
        stage.agent.cancel()
        assert json.loads(Engine().run(stage).report) == GOOD

    def test_what_it_asks_is_handed_on_and_an_answer_lets_it_go_on(self, stage: AgentStage) -> None:
        plain, gate = Asked(text="Which?", options=("a", "b")), Asked(text="Is it so?", gate="depth:M001")
        stage.script(Says(asks=[plain, gate], reports=[GOOD]))
        engine = Engine()
        assert json.loads(engine.run(stage).report) == GOOD
        assert engine.asked == [plain, gate]

    def test_a_question_that_has_to_wait_ends_the_conversation_and_nothing_more_is_done(
        self, stage: AgentStage
    ) -> None:
        def waits(_asked: Asked) -> Told:
            raise Unanswered("depth:M001 waits.")

        stage.script(Says(asks=[Asked(text="Is it so?", gate="depth:M001")], files={"b.txt": "b"}, reports=[GOOD]))
        engine = Engine(answers=waits)
        with pytest.raises(Unanswered):
            engine.run(stage)
        assert engine.reports == []
        assert not (stage.cwd / "b.txt").exists()

    def test_while_a_gate_waits_nothing_is_written_and_no_report_is_taken(self, stage: AgentStage) -> None:
        stage.script(Says(files={"b.txt": "b"}, reports=[GOOD]))
        engine = Engine(pending=lambda: "depth:M001")
        with pytest.raises((LimitReached, ProviderRefused)):  # the script has nothing more to say
            engine.run(stage)
        assert engine.reports == []
        assert not (stage.cwd / "b.txt").exists()

    def test_a_provider_that_asks_for_time_is_down_for_that_long(self, stage: AgentStage) -> None:
        stage.script(Says(status=429, retry_after=90.0))
        with pytest.raises(ProviderDown) as caught:
            Engine().run(stage)
        assert caught.value.retry_after == 90.0

    def test_a_provider_that_refuses_says_so_and_the_next_conversation_works(self, stage: AgentStage) -> None:
        stage.script(Says(status=401), Says(reports=[GOOD]))
        with pytest.raises(ProviderRefused):
            Engine().run(stage)
        assert json.loads(
            Engine().run(stage, replace(BRIEF, attempt=2, prompt=BRIEF.prompt.replace("1)", "2)"))).report
        )
