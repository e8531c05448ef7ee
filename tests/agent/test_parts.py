"""The parts of the harness by themselves: money, patience, shortening, stuckness, bounds, transcript, imports."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic_ai.exceptions import (
    ModelContextWindowExceededError,
    ModelHTTPError,
    ModelQuotaExceededError,
    ModelRateLimitError,
)
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, ToolCallPart, ToolReturnPart, UserPromptPart

from walkaway.agent.compact import Compactor
from walkaway.agent.conversation import StuckGuard
from walkaway.agent.limits import LEAST_OUTPUT, Meter
from walkaway.agent.model import translated
from walkaway.agent.settings import ModelSettings
from walkaway.agent.tool import bounded
from walkaway.agent.transcript import Transcript
from walkaway.core.brief import Limits, ModelCall
from walkaway.core.errors import AgentStuck, BudgetSpent, LimitReached, ProviderDown, ProviderRefused
from walkaway.redact import Redactor


def price(input_tokens: int, output_tokens: int) -> float:
    return input_tokens / 1e6 + 10 * output_tokens / 1e6


def used(usd: float | None, tokens: int = 0) -> ModelCall:
    return ModelCall(model="m", input_tokens=tokens, output_tokens=0, usd=usd)


def test_a_model_of_unknown_price_costs_what_its_brief_says() -> None:
    meter = Meter(Limits(usd=1.0, tokens_per_usd=10_000), 16_000, lambda _i, _o: None)
    assert meter.reserve(1000) == 9000
    meter.settle(used(None, 7000), 1000)
    assert meter.reserve(100) == 10_000 - 7000 - 700


def test_without_a_cap_a_call_may_ask_for_all() -> None:
    meter = Meter(Limits(), 16_000, price)
    meter.settle(used(1e6, 10**9), 1)
    assert meter.reserve(1000) == 16_000


def test_the_last_call_is_cut_to_what_is_left_and_then_none_is_made() -> None:
    meter = Meter(Limits(usd=1.0), 16_000, price)
    assert meter.reserve(1000) == 16_000
    meter.settle(used(0.95), 1000)
    room = meter.reserve(1000)
    assert room == 4900
    assert price(1000, room) <= 0.05
    meter.settle(used(0.049), 1000)
    with pytest.raises(BudgetSpent, match=r"1\.00 USD"):
        meter.reserve(1)


def test_input_that_costs_more_than_is_left_is_not_sent() -> None:
    with pytest.raises(BudgetSpent):
        Meter(Limits(usd=1.0), 16_000, price).reserve(2_000_000)


def test_a_free_model_is_never_too_dear() -> None:
    assert Meter(Limits(usd=0.0), 16_000, lambda _i, _o: 0.0).reserve(10**6) == 16_000


def test_estimates_grow_with_what_the_provider_counts() -> None:
    meter = Meter(Limits(tokens=10_000), 2000, price)
    assert meter.reserve(1000) == 2000
    meter.settle(used(0, 3000), 1000)
    with pytest.raises(LimitReached, match="10000 tokens"):
        meter.reserve(2100)
    assert meter.reserve(1900) == 10_000 - 3000 - 3 * 1900


def test_tokens_below_what_is_of_use_are_not_asked_for() -> None:
    assert Meter(Limits(tokens=LEAST_OUTPUT + 10), 16_000, price).reserve(10) == LEAST_OUTPUT
    with pytest.raises(LimitReached):
        Meter(Limits(tokens=LEAST_OUTPUT + 9), 16_000, price).reserve(10)


def test_the_stuck_guard_counts_only_in_a_row() -> None:
    guard = StuckGuard()
    said = [guard.seen("ls", "{}") for _ in range(7)]
    assert [bool(text) for text in said] == [False, False, False, True, False, False, False]
    assert guard.seen("ls", '{"path":"x"}') == ""
    assert [bool(guard.seen("ls", "{}")) for _ in range(7)] == [False, False, False, True, False, False, False]
    with pytest.raises(AgentStuck, match="8 times in a row: ls"):
        guard.seen("ls", "{}")


@pytest.mark.parametrize(
    ("category", "status", "becomes"),
    [
        (ModelRateLimitError, 429, ProviderDown),
        (ModelQuotaExceededError, 429, ProviderRefused),
        (ModelContextWindowExceededError, 400, LimitReached),
        (None, 408, ProviderDown),
        (None, 418, ProviderRefused),
    ],
)
def test_errors_of_a_vendor_become_ours(category: type | None, status: int, becomes: type[Exception]) -> None:
    body = {"error": {"message": "you have sk-ant-api03-CANARYCANARYCANARYCANARY"}}
    error = ModelHTTPError.for_category(
        category, status_code=status, model_name="m", body=body, headers={"Retry-After": "0.25"}
    )
    with pytest.raises(becomes) as caught, translated("a:m"):
        raise error
    assert str(caught.value) == f"a:m answered {status}: you have [redacted]"
    if isinstance(caught.value, ProviderDown):
        assert caught.value.retry_after == 0.25


# ---- shortening --------------------------------------------------------------------------------------------------


def turns(count: int, size: int) -> list[ModelMessage]:
    talk: list[ModelMessage] = [ModelRequest(parts=[UserPromptPart("the brief")], instructions="system")]
    for n in range(count):
        talk.append(ModelResponse(parts=[ToolCallPart("read", {"path": f"f{n}"}, f"c{n}")]))
        talk.append(ModelRequest(parts=[ToolReturnPart("read", "x" * size, f"c{n}")], instructions="system"))
    return talk


def test_a_conversation_that_fits_is_sent_as_it_is() -> None:
    talk = turns(5, 300)
    assert Compactor(10_000).fit(talk) == talk


def test_a_long_one_keeps_the_brief_the_newest_and_a_line_per_call() -> None:
    talk = turns(10, 3000)
    sent = Compactor(6000).fit(talk)
    first = sent[0]
    assert isinstance(first, ModelRequest)
    brief, note = (str(part.content) for part in first.parts if isinstance(part, UserPromptPart))
    assert brief == "the brief"
    assert first.instructions == "system"
    left_out = (len(talk) - len(sent)) // 2
    assert left_out == 8
    assert note.splitlines()[-1] == f"Step: {left_out}"
    assert note.count("- read ") == left_out
    assert isinstance(sent[1], ModelResponse)
    assert sent[1:] == talk[1 + 2 * left_out :]
    assert talk == turns_like(talk)


def turns_like(talk: list[ModelMessage]) -> list[ModelMessage]:
    first = talk[0]
    assert isinstance(first, ModelRequest)
    assert len(first.parts) == 1
    return talk


def test_the_cut_stays_where_it_is_until_there_is_no_room_again() -> None:
    compactor = Compactor(6000)
    talk = turns(10, 3000)
    steps = []
    for end in range(1, len(talk) + 1, 2):
        first = compactor.fit(talk[:end])[0]
        assert isinstance(first, ModelRequest)
        steps.append(str(first.parts[-1].content).rpartition("Step: ")[2] if len(first.parts) == 2 else "")  # type: ignore[union-attr]
    assert steps == ["", "", "", "", "", "", "4", "4", "4", "4", "8"]


def test_the_last_turn_is_never_left_out() -> None:
    compactor = Compactor(10)
    talk = turns(3, 3000)
    assert len(compactor.fit(talk)) == 3
    assert not compactor.shrink(talk)
    assert len(Compactor(10).fit(turns(0, 0))) == 1


def test_shrinking_leaves_out_half_of_a_conversation_that_fits() -> None:
    compactor = Compactor(10**6)
    talk = turns(8, 3000)
    assert compactor.shrink(talk)
    assert len(compactor.fit(talk)) in {7, 9}


def test_the_note_is_bounded() -> None:
    compactor = Compactor(6000)
    first = compactor.fit(turns(500, 300))[0]
    assert isinstance(first, ModelRequest)
    note = str(first.parts[-1].content)  # type: ignore[union-attr]
    assert note.count("- read") == 60
    assert "earlier calls" in note


# ---- bounds and transcript ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["x" * 100_000, "é" * 100_000, "line\n" * 5000, ("y" * 1000 + "\n") * 300])
def test_bounded_output_says_how_much_is_missing(text: str) -> None:
    kept: list[str] = []
    shown = bounded(text, lambda whole: kept.append(whole) or "/kept")
    assert len(shown.encode()) < 17_000
    assert len(shown.splitlines()) <= 402
    assert kept == [text]
    assert f"of {len(text)} characters" in shown
    assert "/kept" in shown


def test_short_output_is_shown_whole() -> None:
    assert bounded("a\n" * 400, lambda _: pytest.fail("kept")) == "a\n" * 400


def test_a_transcript_is_valid_json_whatever_is_redacted(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "t.jsonl"
    nasty = 'password=abcd"efgh\\ "quoted" \udcff api_key: "s3cr3t-value"\n'
    with Transcript(str(path), Redactor(['ca"n\\ary']), lambda: 2.5) as log:
        log.write("result", text=nasty, args={"password": "hunter2", "list": ['ca"n\\ary', 1, None, True]})
        assert json.loads(path.read_text())["event"] == "result"  # on disk at once
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0]["args"] == {"password": "[redacted]", "list": ["[redacted]", 1, None, True]}
    assert "abcd" not in lines[0]["text"]
    assert "s3cr3t" not in lines[0]["text"]
    with Transcript(str(path), str, lambda: 3.0) as log:
        log.write("start")
    with pytest.raises(ZeroDivisionError), Transcript(str(path), str, lambda: 3.0):
        raise ZeroDivisionError("by nought")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line.get("how", "") for line in lines] == ["", "reported", "", "reported", "internal"]
    assert lines[-1]["why"] == "by nought"


def test_a_key_is_not_shown_by_its_settings() -> None:
    assert "CANARY" not in repr(ModelSettings(name="openai:x", api_key="CANARY"))


def test_making_a_harness_or_listing_tools_imports_no_model_library() -> None:
    code = (
        "import sys; from walkaway.agent import Harness, ModelSettings; import walkaway.agent.tools;"
        "h = Harness(ModelSettings(name='openai:x'), now=lambda: 0.0); h.cancel(); h.close();"
        "print([m for m in ('pydantic_ai', 'openai', 'anthropic', 'httpx2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
