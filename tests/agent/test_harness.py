"""The harness over playback, on each protocol."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from blockbuster import blockbuster_ctx

from tests.agent.conftest import DONE, Stage, call
from walkaway.core.brief import Limits
from walkaway.core.errors import (
    AgentStuck,
    BudgetSpent,
    Cancelled,
    GitFailed,
    LimitReached,
    ProviderDown,
    ProviderRefused,
)
from walkaway.identity import stat


def test_a_reply_without_a_call_is_reminded_and_the_accepted_report_ends_the_conversation(
    stage: Stage, protocol: str
) -> None:
    outcome = stage.play({"text": "I think."}, DONE, {"text": "never asked for"}, protocol=protocol)
    assert json.loads(outcome.report) == {"summary": "done"}
    assert outcome.requests == 2
    assert [request["step"] for request in stage.requests()] == [0, 1]
    assert outcome.transcript == str(stage.transcript)


def test_parallel_calls_are_all_done_before_the_report(stage: Stage, protocol: str) -> None:
    at_report: list[bool] = []
    stage.engine.on_seen = lambda kind, text: (
        at_report.append((stage.cwd / "a.py").exists()) if "report" in text else None
    )
    say = {
        "text": "All at once.",
        "tools": [call("report", summary="first"), call("write", path="a.py", content="x = 1\n"), call("ls")],
    }
    outcome = stage.play(say, protocol=protocol)
    assert json.loads(outcome.report) == {"summary": "first"}
    assert (stage.cwd / "a.py").read_text() == "x = 1\n"
    assert at_report == [True]


def test_a_refused_report_goes_back_to_the_model_and_the_next_is_accepted(stage: Stage, protocol: str) -> None:
    stage.engine.refusals = ["summary is empty"]
    outcome = stage.play({"tools": [call("report", summary="")]}, DONE, protocol=protocol)
    assert [json.loads(report)["summary"] for report in stage.engine.reports] == ["", "done"]
    assert outcome.requests == 2


def test_five_refusals_are_answered_and_the_sixth_ends_it(stage: Stage) -> None:
    stage.engine.refusals = [f"no {n}" for n in range(9)]
    with pytest.raises(LimitReached, match=r"refused 6 times.*no 5"):
        stage.play(*[DONE] * 9)
    assert len(stage.requests()) == 6


def test_three_reminders_in_a_row_are_enough(stage: Stage) -> None:
    with pytest.raises(LimitReached, match="reminded 3 times"):
        stage.play(*[{"text": "hm"}] * 9)
    assert len(stage.requests()) == 4


def test_a_call_between_reminders_starts_their_count_again(stage: Stage) -> None:
    hm = {"text": "hm"}
    assert stage.play(hm, hm, hm, {"tools": [call("ls")]}, hm, hm, hm, DONE).requests == 8


def test_unknown_tools_and_wrong_arguments_are_told_and_bounded(stage: Stage, protocol: str) -> None:
    garbage = [{"tools": [call("fly", to=str(n)), call("read", pfad=str(n))]} for n in range(2)]
    stage.play(*garbage, DONE, protocol=protocol)
    results = stage.results()
    assert "There is no tool 'fly'" in results[0]
    assert "pfad" in results[1]
    with pytest.raises(LimitReached, match="11 calls in a row"):
        stage.play(*[{"tools": [call("fly", to=n)]} for n in range(20)], protocol=protocol)


def test_the_two_ways_to_fail_are_told_with_their_advice(stage: Stage, protocol: str) -> None:
    say = {"tools": [call("read", path="../secret"), call("write", path="n" * 300, content="")]}
    stage.play(say, DONE, protocol=protocol)
    refused, failed = stage.results()
    assert "outside the working directory" in refused
    assert refused.endswith("Try it differently.")
    assert failed.endswith("Do not repeat this call.")
    assert [event["failed"] for event in stage.events() if event["event"] == "result"] == [True, True]


def test_a_short_rate_limit_is_waited_for_and_the_same_request_sent_again(stage: Stage, protocol: str) -> None:
    outcome = stage.play({"error": {"status": 429, "retry_after": 0.05}, "times": 2}, DONE, protocol=protocol)
    assert outcome.requests == 1
    assert [(r["status"], r["step"]) for r in stage.requests()] == [(429, 0), (429, 0), (200, 0)]
    waits = [text for kind, text in stage.engine.seen if kind == "wait"]
    assert len(waits) == 2
    assert "429" in waits[0]


def test_a_long_rate_limit_is_given_back_with_its_time(stage: Stage, protocol: str) -> None:
    with pytest.raises(ProviderDown) as caught:
        stage.play({"error": {"status": 429, "retry_after": 30}, "times": 9}, DONE, protocol=protocol)
    assert caught.value.retry_after == 30
    assert len(stage.requests()) == 1


@pytest.mark.parametrize("status", [500, 503, 529])
def test_an_overloaded_server_is_asked_again_with_growing_waits(stage: Stage, protocol: str, status: int) -> None:
    stage.play({"error": {"status": status}, "times": 3}, DONE, protocol=protocol)
    waits = [event["seconds"] for event in stage.events() if event["event"] == "wait"]
    assert waits == [0.02, 0.04, 0.08]


def test_waits_of_one_request_add_up_to_the_limit(stage: Stage) -> None:
    with pytest.raises(ProviderDown) as caught:
        stage.play({"error": {"status": 503}, "times": 99}, DONE, limits=Limits(wait_s=0.1))
    assert caught.value.retry_after == pytest.approx(0.08)
    assert len(stage.requests()) == 3


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404])
def test_what_a_person_must_mend_is_refused_at_once(stage: Stage, protocol: str, status: int) -> None:
    with pytest.raises(ProviderRefused, match=str(status)):
        stage.play({"error": {"status": status, "message": "ask your admin"}, "times": 9}, DONE, protocol=protocol)
    assert len(stage.requests()) == 1


def test_nobody_listening_is_a_provider_that_is_down(stage: Stage, protocol: str) -> None:
    harness = stage.harness("http://127.0.0.1:9", protocol)
    with pytest.raises(ProviderDown):
        stage.run(harness, stage.brief(limits=Limits(wait_s=0.01)))


@pytest.mark.parametrize("name", ["gpt-5", "nobody:gpt-5", "bedrock:x"])
def test_a_name_of_no_use_is_refused(stage: Stage, name: str) -> None:
    harness = stage.harness("http://127.0.0.1:9", name=name)
    with pytest.raises(ProviderRefused, match=r"cannot be used|cannot be reached"):
        stage.run(harness)


@pytest.mark.parametrize("cut", [1, 2, 5])
def test_a_cut_stream_is_never_taken_for_a_reply(stage: Stage, protocol: str, cut: int) -> None:
    with pytest.raises(ProviderDown, match=r"half-way|cannot be understood"):
        stage.play({"text": "It is done and ", "cut": cut}, DONE, protocol=protocol)
    assert [request["step"] for request in stage.requests()] == [0] * 4


def test_a_cut_tool_call_is_not_carried_out(stage: Stage, protocol: str) -> None:
    with pytest.raises(ProviderDown):
        stage.play({"tools": [call("write", path="a.py", content="x" * 500)], "cut": 4}, DONE, protocol=protocol)
    assert list(stage.cwd.iterdir()) == []


def test_a_stream_that_falls_silent_is_a_provider_that_is_down(stage: Stage, protocol: str) -> None:
    with pytest.raises(ProviderDown, match="stopped answering"):
        stage.play({"text": "wait for me", "hang": 60}, protocol=protocol, limits=Limits(idle_s=0.3, wait_s=0.01))


def test_what_a_broken_reply_is_known_to_have_cost_is_recorded(stage: Stage) -> None:
    stalls = {"text": "wait for me", "hang": 60, "usage": {"input": 5000, "output": 9}}
    with pytest.raises(ProviderDown):
        stage.play(stalls, protocol="anthropic", limits=Limits(idle_s=0.3, wait_s=0.01))
    assert [call.input_tokens for call in stage.engine.calls] == [5000]


def test_the_whole_conversation_has_a_time(stage: Stage) -> None:
    with pytest.raises(LimitReached, match="worked for"):
        stage.play({"text": "wait for me", "hang": 60}, limits=Limits(total_s=0.5))
    assert stage.events()[-1]["how"] == "limit-reached"


def test_requests_are_limited(stage: Stage) -> None:
    with pytest.raises(LimitReached, match="2 requests"):
        stage.play(*[{"tools": [call("find", pattern=f"{n}")]} for n in range(9)], limits=Limits(requests=2))
    assert len(stage.requests()) == 2


def test_a_call_that_the_budget_does_not_cover_is_not_made(stage: Stage, protocol: str) -> None:
    costly = {"tools": [call("ls")], "usage": {"input": 100_000, "output": 500}}
    with pytest.raises(BudgetSpent):
        stage.play(costly, costly, costly, DONE, protocol=protocol, limits=Limits(usd=0.5))
    spent = sum(call.usd or 0 for call in stage.engine.calls)
    assert 0 < spent <= 0.5
    assert len(stage.requests()) == len(stage.engine.calls) < 4


def test_no_call_at_all_is_made_on_an_empty_budget(stage: Stage) -> None:
    with pytest.raises(BudgetSpent):
        stage.play(DONE, limits=Limits(usd=0.0))
    assert not (stage.root / "log.jsonl").read_text()


def test_a_model_of_unknown_price_is_capped_by_its_tokens(stage: Stage) -> None:
    harness = stage.harness(
        stage.serve(
            *[{"tools": [call("find", pattern=f"{n}")], "usage": {"input": 30_000, "output": 1}} for n in range(9)]
        ),
        name="openai:some-local-thing",
    )
    with pytest.raises(BudgetSpent):
        stage.run(harness, stage.brief(limits=Limits(usd=1.0)))
    assert [call.usd for call in stage.engine.calls] == [None] * 3


def test_every_answered_request_is_reported_with_its_cost(stage: Stage, protocol: str) -> None:
    stage.play({"text": "a", "usage": {"input": 1000, "output": 50, "cached": 600}}, DONE, protocol=protocol)
    first = stage.engine.calls[0]
    assert (first.input_tokens, first.output_tokens, first.cached_tokens) == (1000, 50, 600)
    assert first.usd is not None
    assert 0 < first.usd < 0.01
    assert len(stage.engine.calls) == 2


def test_the_same_call_again_and_again_is_warned_about_and_then_ended(stage: Stage) -> None:
    with pytest.raises(AgentStuck, match="ls"):
        stage.play(*[{"tools": [call("ls")]}] * 12)
    results = stage.results()
    assert len(results) == 7
    assert ["4 times" in text for text in results] == [False, False, False, True, False, False, False]


def test_the_gate_is_passed_before_each_request_and_each_call(stage: Stage) -> None:
    stage.play({"tools": [call("ls"), call("find", pattern="*")]}, DONE)
    assert stage.engine.gates == 2 + 3


def test_what_the_gate_raises_ends_the_conversation(stage: Stage) -> None:
    def gate() -> None:
        if stage.engine.gates == 2:
            raise Cancelled("the lease is lost")

    stage.engine.on_gate = gate
    with pytest.raises(Cancelled, match="lease is lost"):
        stage.play({"tools": [call("write", path="a", content="")]}, DONE)
    assert list(stage.cwd.iterdir()) == []


def test_cancel_gets_past_a_gate_that_blocks(stage: Stage) -> None:
    entered, release = threading.Event(), threading.Event()
    stage.engine.on_gate = lambda: (entered.set(), release.wait(30))[0]
    harness = stage.harness(stage.serve(DONE))
    threading.Thread(target=lambda: (entered.wait(10), harness.cancel())).start()
    try:
        with pytest.raises(Cancelled):
            stage.run(harness)
        assert not (stage.root / "log.jsonl").read_text()
    finally:
        release.set()


def test_cancel_ends_a_hanging_stream(stage: Stage, protocol: str) -> None:
    harness = stage.harness(stage.serve({"text": "one. two. three. four.", "hang": 60}), protocol)
    stage.engine.on_gate = lambda: None
    timer = threading.Thread(target=_cancel_once_asked, args=(stage, harness.cancel))
    timer.start()
    with pytest.raises(Cancelled):
        stage.run(harness)
    timer.join()
    assert stage.events()[-1] == {
        "t": 1.0,
        "event": "end",
        "how": "cancelled",
        "why": "The conversation was cancelled.",
    }


def _cancel_once_asked(stage: Stage, cancel: object) -> None:
    waiting = threading.Event()
    while not (stage.root / "log.jsonl").exists() or not (stage.root / "log.jsonl").read_text():
        waiting.wait(0.01)
    cancel()  # type: ignore[operator]


def test_cancel_ends_a_wait_for_the_provider(stage: Stage) -> None:
    harness = stage.harness(stage.serve({"error": {"status": 429, "retry_after": 50}, "times": 9}))
    stage.engine.on_seen = lambda kind, _text: harness.cancel() if kind == "wait" else None
    with pytest.raises(Cancelled):
        stage.run(harness, stage.brief(limits=Limits(wait_s=100)))


def test_cancel_kills_a_command_and_all_it_started(stage: Stage) -> None:
    os.mkfifo(stage.cwd / "pipe")
    command = "sh -c 'echo $$ > inner; exec cat pipe' & echo $$ > outer; cat pipe"
    harness = stage.harness(stage.serve({"tools": [call("bash", command=command)]}, DONE))
    both = [stage.cwd / "inner", stage.cwd / "outer"]

    def cancel() -> None:
        waiting = threading.Event()
        while not all(path.exists() and path.read_text().strip() for path in both):
            waiting.wait(0.01)
        harness.cancel()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    with pytest.raises(Cancelled):
        stage.run(harness)
    canceller.join()
    for path in both:
        found = stat(int(path.read_text()))
        assert found is None or found.zombie


def test_a_cancel_while_the_model_is_being_opened_is_not_lost(stage: Stage) -> None:
    harness = stage.harness(stage.serve(DONE))
    opened = harness._opened

    async def opening() -> object:
        harness.cancel()
        return await opened()

    harness._opened = opening  # type: ignore[method-assign,assignment]
    with pytest.raises(Cancelled, match="before it began"):
        stage.run(harness)
    assert not stage.transcript.exists()


def test_a_harness_is_used_again_after_a_cancel(stage: Stage) -> None:
    harness = stage.harness(stage.serve({"tools": [call("ls")]}, DONE))
    harness.cancel()
    stage.engine.on_seen = lambda kind, _text: harness.cancel() if kind == "tool" else None
    with pytest.raises(Cancelled):
        stage.run(harness)
    stage.engine.on_seen = lambda _kind, _text: None
    assert stage.run(harness).requests == 2


def test_signal_handlers_of_the_caller_run_while_it_waits(stage: Stage) -> None:
    harness = stage.harness(stage.serve({"text": "hm", "hang": 60}))
    before = signal.signal(signal.SIGUSR1, lambda _number, _frame: harness.cancel())
    thread = threading.Thread(target=_cancel_once_asked, args=(stage, lambda: os.kill(os.getpid(), signal.SIGUSR1)))
    try:
        thread.start()
        with pytest.raises(Cancelled):
            stage.run(harness)
    finally:
        thread.join()
        signal.signal(signal.SIGUSR1, before)


def test_a_signal_handler_that_raises_leaves_no_conversation_behind(stage: Stage) -> None:
    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    harness = stage.harness(stage.serve({"text": "hm", "hang": 60}))
    before = signal.signal(signal.SIGUSR1, stop)
    thread = threading.Thread(target=_cancel_once_asked, args=(stage, lambda: os.kill(os.getpid(), signal.SIGUSR1)))
    try:
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            stage.run(harness)
        assert stage.events()[-1]["how"] == "cancelled"
    finally:
        thread.join()
        signal.signal(signal.SIGUSR1, before)


def test_the_guard_surrounds_each_command_and_may_end_the_conversation(stage: Stage) -> None:
    entered: list[str] = []

    @contextmanager
    def guard(cwd: str) -> Iterator[None]:
        entered.append(cwd)
        yield
        if (stage.cwd / "moved").exists():
            raise GitFailed("the command moved refs/heads/main")

    say = [{"tools": [call("bash", command="true")]}, {"tools": [call("bash", command="touch moved")]}, DONE]
    with pytest.raises(GitFailed, match="moved refs"):
        stage.run(stage.harness(stage.serve(*say), guard=guard))
    assert entered == [str(stage.cwd)] * 2


def test_warming_up_is_harmless_and_its_errors_come_from_run(stage: Stage) -> None:
    harness = stage.harness(stage.serve(DONE))
    harness.warm()
    harness.warm()
    assert stage.run(harness).requests == 1
    bad = stage.harness("http://127.0.0.1:9", name="nobody:x")
    bad.warm()
    with pytest.raises(ProviderRefused):
        stage.run(bad)


def test_the_connection_is_kept_between_conversations(stage: Stage) -> None:
    harness = stage.harness(stage.serve(DONE))
    for _ in range(3):
        stage.run(harness)
    model = harness._model
    assert model is not None
    stage.run(harness)
    assert harness._model is model


def test_the_transcript_has_every_event_and_no_secret(stage: Stage) -> None:
    (stage.cwd / "notes").write_text(
        "key sk-ant-api03-CANARYCANARYCANARYCANARY end\npassword=hunter2hunter2\nit is canary-key here\n"
    )
    stage.engine.refusals = ["say more"]
    say = [
        {"text": "token ghp_CANARYCANARYCANARYCANARY12345", "thinking": "hmm", "tools": [call("read", path="notes")]},
        {"tools": [call("bash", command="export API_KEY=CANARYCANARY; ls nowhere")]},
        DONE,
        {"error": {"status": 503}},
        DONE,
    ]
    stage.play(*say, protocol="anthropic")
    text = stage.transcript.read_text()
    assert "CANARY" not in text
    assert "canary-key" not in text
    assert "hunter2" not in text
    events = [str(event["event"]) for event in stage.events()]
    assert events[:3] == ["start", "system", "prompt"]
    assert {"text", "thinking", "call", "usage", "result", "wait", "report", "end"} <= set(events)
    assert stage.events()[-1] == {"t": 1.0, "event": "end", "how": "reported", "why": ""}


def test_long_outputs_are_bounded_and_kept_whole_in_a_file_that_can_be_read(stage: Stage) -> None:
    say = [
        {"tools": [call("bash", command="seq 1 20000")]},
        {"tools": [call("read", path=str(stage.root / "transcripts/d1.outputs/0001.txt"), offset=9000, limit=1)]},
        DONE,
    ]
    stage.play(*say)
    first, second = stage.results()
    assert len(first) < 18_000
    assert "d1.outputs/0001.txt" in first
    assert second.splitlines()[0] == "9000"


def test_a_long_conversation_is_shortened_and_goes_on_where_it_stood(stage: Stage, protocol: str) -> None:
    (stage.cwd / "big").write_text(("x" * 99 + "\n") * 150)
    say = [{"tools": [call("read", path="big", limit=100 + n)]} for n in range(12)]
    harness = stage.harness(stage.serve(*say, DONE), protocol, context_tokens=20_000, max_output_tokens=1000)
    assert stage.run(harness).requests == 13
    assert [request["step"] for request in stage.requests()] == list(range(13))
    assert max(int(str(request["bytes"])) for request in stage.requests()) < 20_000 * 3


def test_a_conversation_that_the_provider_calls_too_long_is_shortened_once(stage: Stage) -> None:
    full = {"error": {"status": 400, "message": "This model's maximum context length is 8 tokens"}, "times": 1}
    say = [{"tools": [call("find", pattern=f"{n}")]} for n in range(4)]
    harness = stage.harness(stage.serve(*say, full, DONE))
    assert stage.run(harness).requests == 5
    sizes = [int(str(request["bytes"])) for request in stage.requests()]
    assert sizes[-1] < sizes[-2]
    with pytest.raises(LimitReached, match="maximum context length"):
        stage.play(*say, {**full, "times": 9}, DONE)


def test_the_first_request_is_small(stage: Stage, protocol: str) -> None:
    stage.play(DONE, protocol=protocol)
    assert int(str(stage.requests()[0]["bytes"])) < 5000


def test_the_event_loop_is_not_blocked_but_by_the_transcript(stage: Stage) -> None:
    say = [{"text": "x", "tools": [call("write", path="a", content="b"), call("bash", command="ls")]}, DONE]
    harness = stage.harness(stage.serve(*say))
    stage.run(harness)  # imports may block, once
    with blockbuster_ctx() as watched:
        for function in watched.functions.values():
            function.can_block_in("agent/transcript.py", {"__init__", "write", "__exit__"})
            function.can_block_in("agent/session.py", {"_site"})
        assert stage.run(harness).requests == 2
