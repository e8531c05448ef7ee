"""The real client libraries, over real sockets, in all three protocols."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic_ai import Agent, AgentRunResult
from pydantic_ai.exceptions import ModelAPIError, ModelHTTPError, UnexpectedModelBehavior
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ThinkingPart, ToolCallPart
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings

Play = Callable[[str], str]

STEPS = """
units:
  - unit: execute-task M001/S01/T01
    say:
      - thinking: "A file is needed."
        text: "Writing."
        tools: [{name: write, args: {path: a.py, content: "é = [1, 2]"}}]
      - tools:
          - {name: write, args: {path: b.py}}
          - {name: write, args: {path: c.py, content: "a long text that is streamed in more pieces than one"}}
      - {text: "All three files are written.", usage: {input: 1000, output: 50, cached: 800}}
"""
VENDORS = ("chat", "responses", "anthropic")
BRIEF = "Work on this.\nUnit: execute-task M001/S01/T01 (attempt 1)\nGo."


@asynccontextmanager
async def model_at(vendor: str, url: str, retries: int) -> AsyncIterator[Model]:
    """Give the vendor's real client, and close its connections."""
    if vendor == "anthropic":
        provider = AnthropicProvider(api_key="x", base_url=url)
        provider.client.max_retries = retries
        async with provider.client:
            yield AnthropicModel("claude-playback", provider=provider)
    else:
        openai = OpenAIProvider(api_key="x", base_url=f"{url}/v1")
        openai.client.max_retries = retries
        kind = OpenAIChatModel if vendor == "chat" else OpenAIResponsesModel
        async with openai.client:
            yield kind("gpt-5", provider=openai)


@dataclass(kw_only=True)
class Talk:
    """A client of one vendor, streaming or not, that talks to a script and remembers which tools it ran."""

    vendor: str
    stream: bool
    url: str = ""
    retries: int = 0
    settings: ModelSettings | None = None
    ran: list[str] = field(default_factory=list)

    def __call__(
        self, prompt: str = BRIEF, *, history: Sequence[ModelMessage] = (), system: str = "Be brief."
    ) -> AgentRunResult[str]:
        """Run a whole conversation."""
        return asyncio.run(self._run(prompt, history, system))

    async def _run(self, prompt: str, history: Sequence[ModelMessage], system: str) -> AgentRunResult[str]:
        async with model_at(self.vendor, self.url, self.retries) as model:
            agent = Agent(model, instructions=system, retries=0, model_settings=self.settings)
            agent.tool_plain(self.write)
            async with agent.iter(prompt, message_history=list(history)) as run:
                async for node in run:
                    if self.stream and Agent.is_model_request_node(node):
                        async with node.stream(run.ctx) as events:
                            async for _ in events:
                                pass
            assert run.result is not None
            return run.result

    async def write(self, path: str, content: str = "") -> str:
        """Write a file."""
        self.ran.append(f"{path}={content}")
        return f"wrote {path}"


@pytest.fixture(params=[f"{vendor}-{way}" for vendor in VENDORS for way in ("stream", "whole")])
def talk(request: pytest.FixtureRequest) -> Talk:
    """Each of the six ways to talk to a model."""
    vendor, way = str(request.param).split("-")
    return Talk(vendor=vendor, stream=way == "stream")


@pytest.fixture(params=VENDORS)
def streamed(request: pytest.FixtureRequest) -> Talk:
    """Each of the three vendors, streaming."""
    return Talk(vendor=str(request.param), stream=True)


@pytest.fixture(params=VENDORS)
def whole(request: pytest.FixtureRequest) -> Talk:
    """Each of the three vendors, not streaming."""
    return Talk(vendor=str(request.param), stream=False)


def ask(talk: Talk, play: Play, script: str, prompt: str = BRIEF) -> str:
    talk.url = play(script)
    return talk(prompt).output


def log_of(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_a_reply_of_text_arrives_whole(talk: Talk, play: Play) -> None:
    text = "Two words.\nAnd — a second line, longer than one piece of a stream."
    assert ask(talk, play, f"units: [{{unit: 'execute-task *', say: [{{text: {json.dumps(text)}}}]}}]") == text


def test_steps_advance_through_calls_parallel_calls_and_a_last_word(talk: Talk, play: Play) -> None:
    assert ask(talk, play, STEPS) == "All three files are written."
    assert talk.ran == [
        "a.py=é = [1, 2]",
        "b.py=",
        "c.py=a long text that is streamed in more pieces than one",
    ]


def test_thinking_text_and_call_of_one_reply_count_as_one_step(talk: Talk, play: Play, tmp_path: Path) -> None:
    ask(talk, play, STEPS)
    assert [line["step"] for line in log_of(tmp_path)] == [0, 1, 2]


def test_a_reply_holds_its_thinking_text_and_call_in_order(talk: Talk, play: Play) -> None:
    talk.url = play(STEPS)
    first = talk().all_messages()[1]
    assert [type(part) for part in first.parts] == [ThinkingPart, TextPart, ToolCallPart]
    assert [part.content for part in first.parts if isinstance(part, ThinkingPart)] == ["A file is needed."]


def test_the_finish_says_whether_tools_are_called(talk: Talk, play: Play) -> None:
    talk.url = play(STEPS)
    replies = [message for message in talk().all_messages() if isinstance(message, ModelResponse)]
    reasons = [reply.finish_reason for reply in replies]
    calls = "stop" if talk.vendor == "responses" else "tool_call"
    assert reasons == [calls, calls, "stop"]


def test_tool_call_ids_are_unique_in_a_conversation_and_the_same_when_it_is_repeated(talk: Talk, play: Play) -> None:
    talk.url = play(STEPS)
    runs = [
        [
            part.tool_call_id
            for message in talk().all_messages()
            for part in message.parts
            if isinstance(part, ToolCallPart)
        ]
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 3


def test_scripted_usage_reaches_the_client_with_cached_tokens_inside_the_input(talk: Talk, play: Play) -> None:
    talk.url = play(STEPS)
    last = talk().all_messages()[-1]
    assert isinstance(last, ModelResponse)
    assert (last.usage.input_tokens, last.usage.output_tokens, last.usage.cache_read_tokens) == (
        1000,
        50,
        800,
    )


def test_usage_that_the_script_does_not_give_is_a_quarter_of_the_bytes(talk: Talk, play: Play, tmp_path: Path) -> None:
    talk.url = play("units: [{unit: 'execute-task *', say: [{text: 'eight by'}]}]")
    usage = talk().usage
    (line,) = log_of(tmp_path)
    assert (usage.input_tokens, usage.output_tokens) == (-(-int(str(line["bytes"])) // 4), 2)


def test_an_error_is_answered_as_often_as_it_says_and_then_the_reply(talk: Talk, play: Play, tmp_path: Path) -> None:
    talk.retries = 2
    script = """
units:
  - unit: execute-task M001/S01/T01
    say:
      - {error: {status: 429, retry_after: 0.05}, times: 2}
      - {text: "At last."}
"""
    assert ask(talk, play, script) == "At last."
    assert [line["status"] for line in log_of(tmp_path)] == [429, 429, 200]


def test_an_error_between_replies_is_answered_at_its_step(talk: Talk, play: Play, tmp_path: Path) -> None:
    talk.retries = 1
    script = """
units:
  - unit: execute-task M001/S01/T01
    say:
      - {tools: [{name: write, args: {path: a.py}}]}
      - {error: {status: 529, retry_after: 0.01}}
      - {text: done}
"""
    assert ask(talk, play, script) == "done"
    assert [(line["step"], line["status"]) for line in log_of(tmp_path)] == [(0, 200), (1, 529), (1, 200)]


def test_an_error_carries_its_status_and_message(talk: Talk, play: Play) -> None:
    script = "units: [{unit: 'execute-task *', say: [{error: {status: 401, message: 'no such key'}}]}]"
    with pytest.raises(ModelHTTPError, match="no such key") as caught:
        ask(talk, play, script)
    assert caught.value.status_code == 401


def test_errors_are_counted_for_each_target_and_attempt_alone(talk: Talk, play: Play) -> None:
    script = "units: [{unit: 'execute-task *', say: [{error: {status: 503}}, {text: ok}]}]"
    talk.url = play(script)
    for unit in ("M001/S01/T01 (attempt 1)", "M001/S01/T01 (attempt 2)", "M001/S01/T02 (attempt 1)"):
        with pytest.raises(ModelHTTPError, match="503"):
            talk(f"Unit: execute-task {unit}")
        assert talk(f"Unit: execute-task {unit}").output == "ok"


def test_a_request_that_no_line_answers_is_refused_by_name(talk: Talk, play: Play) -> None:
    script = "units: [{unit: 'execute-task M001/S01/T02', say: [{text: ok}]}]"
    with pytest.raises(ModelHTTPError, match=r"execute-task M001/S01/T01, attempt 1, step 0") as caught:
        ask(talk, play, script)
    assert caught.value.status_code == 400


def test_a_conversation_that_outlasts_its_line_is_refused_by_name(talk: Talk, play: Play) -> None:
    script = "units: [{unit: 'execute-task *', say: [{tools: [{name: write, args: {path: a}}]}]}]"
    with pytest.raises(ModelHTTPError, match=r"attempt 1, step 1: the matching entry has 1 replies"):
        ask(talk, play, script)


def test_a_request_without_a_unit_line_is_refused(talk: Talk, play: Play) -> None:
    with pytest.raises(ModelHTTPError, match="unit none, attempt none, step 0"):
        ask(talk, play, "units: []", prompt="Hello.")


def test_the_unit_may_stand_in_the_system_text(talk: Talk, play: Play) -> None:
    talk.url = play("units: [{unit: 'plan-slice M001/S02', attempt: 3, say: [{text: ok}]}]")
    assert talk("Hello.", system="Rules.\nUnit: plan-slice M001/S02 attempt 3").output == "ok"


def test_a_step_line_is_the_base_of_a_compacted_conversation(talk: Talk, play: Play, tmp_path: Path) -> None:
    talk.url = play(STEPS)
    assert talk(f"{BRIEF}\nSummary: a.py is written.\nStep: 1\n").output == "All three files are written."
    assert [line["step"] for line in log_of(tmp_path)] == [1, 2]


def test_a_step_line_replaces_the_messages_before_it(talk: Talk, play: Play, tmp_path: Path) -> None:
    talk.url = play(STEPS)
    history = talk().all_messages()
    talk("Once more.\nStep: 2", history=history)
    assert log_of(tmp_path)[-1]["step"] == 2


def test_a_cut_stream_ends_early_and_without_a_finish(streamed: Talk, play: Play) -> None:
    streamed.url = play("units: [{unit: 'execute-task *', say: [{text: '" + "many words " * 20 + "', cut: 6}]}]")
    reply = streamed().response
    assert "finish_reason" not in (reply.provider_details or {})
    assert 0 < len(str(reply.text)) < 200


def test_a_call_that_was_cut_off_is_not_run(streamed: Talk, play: Play) -> None:
    tools = f"[{{name: write, args: {{path: a, content: {'x' * 400}}}}}]"
    streamed.url = play(f"units: [{{unit: 'execute-task *', say: [{{tools: {tools}, cut: 5}}]}}]")
    with pytest.raises(UnexpectedModelBehavior):
        streamed()
    assert streamed.ran == []


def test_a_cut_body_is_an_error_of_the_connection(whole: Talk, play: Play) -> None:
    whole.url = play("units: [{unit: 'execute-task *', say: [{text: 'never whole', cut: 0}]}]")
    with pytest.raises(ModelAPIError):
        whole()


def test_a_hang_longer_than_the_clients_patience_ends_in_its_time_out(talk: Talk, play: Play) -> None:
    talk.settings = {"timeout": 0.1}
    talk.url = play("units: [{unit: 'execute-task *', say: [{hang: 60, text: late}]}]")
    before = time.monotonic()
    with pytest.raises(ModelAPIError):
        talk()
    assert time.monotonic() - before < 5


def test_a_short_hang_and_a_delay_are_waited_for_and_the_reply_goes_on(talk: Talk, play: Play) -> None:
    before = time.monotonic()
    assert ask(talk, play, "units: [{unit: 'execute-task *', say: [{delay: 0.1, hang: 0.1, text: late}]}]") == "late"
    assert time.monotonic() - before >= 0.2


def test_the_log_has_a_line_for_each_request_with_what_was_decided(talk: Talk, play: Play, tmp_path: Path) -> None:
    before = time.time()
    ask(talk, play, STEPS, prompt="Unit: execute-task M001/S01/T01 attempt 4")
    line = log_of(tmp_path)[-1]
    paths = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "anthropic": "/v1/messages"}
    moment, size = line.pop("t"), line.pop("bytes")
    assert line == {
        "path": paths[talk.vendor],
        "unit": "execute-task M001/S01/T01",
        "attempt": 4,
        "step": 2,
        "status": 200,
    }
    assert isinstance(moment, float)
    assert before <= moment <= time.time()
    assert isinstance(size, int)
    assert size > 200
