"""What an agent saves beside its work: the engine hears of it, the model what came of it, and nobody a secret."""

from dataclasses import replace

from tests.agent.conftest import DONE, Stage, call
from walkaway.core.brief import Desk, SideTool, Told

SCHEMA = '{"type":"object","properties":{"content":{"type":"string"}},"required":["content"]}'


def offered(stage: Stage, heard: list[str]) -> None:
    def saved(raw: str) -> Told:
        heard.append(raw)
        return Told(text="No.", refused=True) if "bad" in raw else Told(text="MEM001 is held.")

    tool = SideTool(name="remember", description="Keep it.", schema=SCHEMA, call=saved)
    desk = stage.engine.desk

    def with_tool() -> Desk:
        return replace(desk(), tools=(tool,))

    stage.engine.desk = with_tool


def test_it_is_offered_called_and_answered(stage: Stage, protocol: str) -> None:
    heard: list[str] = []
    offered(stage, heard)
    stage.play(
        {"tools": [call("remember", content="It rains.")]},
        {"tools": [call("remember", content="bad")]},
        DONE,
        protocol=protocol,
    )
    assert heard == ['{"content": "It rains."}', '{"content": "bad"}']
    assert stage.results() == ["MEM001 is held.", "No. Try it differently."]


def test_a_secret_is_refused_before_anybody_hears_it(stage: Stage) -> None:
    heard: list[str] = []
    offered(stage, heard)
    stage.play({"tools": [call("remember", content="token ghp_CANARYCANARYCANARYCANARY12345")]}, DONE)
    assert heard == []
    assert "looks as if it holds a secret" in stage.results()[0]
