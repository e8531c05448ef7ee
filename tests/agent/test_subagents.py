"""Sub-agents: what they may, what they cost, what reaches them, and what their sender is told."""

import asyncio
import json
import threading
from pathlib import Path

import pytest
import yaml

from tests.agent.conftest import DONE, Stage, call
from walkaway.agent.limits import Meter
from walkaway.agent.subagents import ANSWER_MOST, MOST_SENT
from walkaway.core.brief import Brief, Limits, ModelCall
from walkaway.core.errors import BudgetSpent, Cancelled, LimitReached, ProviderRefused
from walkaway.core.grant import PLANNING, RESEARCHING
from walkaway.playback import running

TASK = "M001/S01/T01"


def serve(stage: Stage, parent: list[object], *subagents: list[object]) -> str:
    """Serve a conversation and those inside it, each by its own ``Unit:`` line."""
    targets = [TASK, *(f"{TASK}/sub{n}" for n in range(1, len(subagents) + 1))]
    said = zip(targets, (parent, *subagents), strict=True)
    units = [{"unit": f"execute-task {target}", "say": say} for target, say in said]
    path = stage.root / "subagents.yaml"
    path.write_text(yaml.safe_dump({"units": units}))
    return stage.stack.enter_context(running(path, stage.root / "log.jsonl"))


def send(*tasks: str) -> dict[str, object]:
    """A reply that sends a sub-agent for each task."""
    return {"tools": [call("subagent", task=task) for task in tasks]}


def brief(stage: Stage, limits: Limits | None = None) -> Brief:
    return stage.brief(RESEARCHING, limits)


def transcript(stage: Stage, number: int) -> Path:
    return stage.transcript.with_name(f"d1.sub{number}.jsonl")


def events(stage: Stage, number: int) -> list[dict[str, object]]:
    return [json.loads(line) for line in transcript(stage, number).read_text().splitlines()]


def test_it_reads_and_its_last_words_are_told(stage: Stage, protocol: str) -> None:
    (stage.cwd / "a.py").write_text("ANSWER = 42\n")
    reads = {"tools": [call("read", path="a.py")]}
    url = serve(stage, [send("What is in a.py?"), DONE], [reads, {"text": "It is 42."}])
    outcome = stage.run(stage.harness(url, protocol), brief(stage))
    assert stage.results() == ["It is 42."]
    assert outcome.requests == len(stage.engine.calls) == 4
    told = events(stage, 1)
    assert (told[0]["unit"], told[0]["grant"]) == (f"execute-task {TASK}/sub1", "errand")
    assert "ANSWER = 42" in next(str(event["text"]) for event in told if event["event"] == "result")
    assert (told[-1]["event"], told[-1]["how"]) == ("end", "reported")


def test_each_is_told_apart_whatever_its_task_quotes(stage: Stage) -> None:
    url = serve(
        stage, [send(f"Unit: execute-task {TASK} (attempt 1)", "two"), DONE], [{"text": "first"}], [{"text": "second"}]
    )
    stage.run(stage.harness(url), brief(stage))
    assert sorted(stage.results()) == ["first", "second"]


def test_it_is_offered_reading_and_nothing_else_is_carried_out(stage: Stage) -> None:
    tried = [
        call("write", path="a", content=""),
        call("edit", path="a", old="", new="x"),
        call("bash", command="touch a"),
        call("subagent", task="go on"),
        call("report", summary="done"),
        call("ask", question="May I?"),
    ]
    url = serve(stage, [send("look"), DONE], [{"tools": tried}, {"text": "I could not."}])
    stage.run(stage.harness(url), brief(stage))
    told = events(stage, 1)
    offered = told[0]["tools"]
    assert isinstance(offered, list)
    assert [tool["name"] for tool in offered] == ["read", "grep", "find", "ls"]
    results = [str(event["text"]) for event in told if event["event"] == "result"]
    assert [text.split(" here.")[0] for text in results] == [f"There is no tool '{each['name']}'" for each in tried]
    assert list(stage.cwd.iterdir()) == []
    assert stage.engine.asked == []
    assert stage.engine.reports == ['{"summary": "done"}']
    assert not transcript(stage, 2).exists()


def test_without_the_grant_there_is_no_such_tool(stage: Stage) -> None:
    url = serve(stage, [send("look"), DONE], [{"text": "never"}])
    stage.run(stage.harness(url), stage.brief(PLANNING))
    assert "There is no tool 'subagent' here" in stage.results()[0]
    tools = stage.events()[0]["tools"]
    assert isinstance(tools, list)
    assert "subagent" not in [tool["name"] for tool in tools]
    assert not transcript(stage, 1).exists()


def test_those_of_one_reply_work_at_the_same_time(stage: Stage) -> None:
    # one hangs, the other is refused at once: one after the other, nobody would hear of the refusal
    url = serve(stage, [send("one", "two"), DONE], [{"text": "a. b. c.", "hang": 60}], [{"error": {"status": 401}}])
    with pytest.raises(ProviderRefused, match="401"):
        stage.run(stage.harness(url), brief(stage, Limits(idle_s=60, total_s=20)))
    assert events(stage, 1)[-1]["how"] == "cancelled"
    assert events(stage, 2)[-1]["how"] == "provider-refused"


def test_one_that_comes_to_nothing_is_told_and_the_work_goes_on(stage: Stage) -> None:
    url = serve(stage, [send("one", "two"), DONE], [{"tools": [call("ls")]}] * 9, [{"text": "here"}])
    stage.run(stage.harness(url), brief(stage))
    first, second = sorted(stage.results())
    assert first.startswith("The sub-agent came to no answer: The agent made the same call 8 times")
    assert second == "here"


def test_its_requests_count_as_its_senders(stage: Stage) -> None:
    url = serve(stage, [send("one"), DONE], [{"tools": [call("find", pattern=f"{n}")]} for n in range(9)])
    with pytest.raises(LimitReached, match="4 requests"):
        stage.run(stage.harness(url), brief(stage, Limits(requests=4, idle_s=30, total_s=60)))
    assert len(stage.engine.calls) == len(stage.requests()) == 4
    assert "The sub-agent came to no answer" in stage.results()[0]


def test_a_budget_that_is_spent_inside_ends_the_unit_within_it(stage: Stage) -> None:
    costly = [{"tools": [call("find", pattern=f"{n}")], "usage": {"input": 100_000, "output": 500}} for n in range(9)]
    url = serve(stage, [send("one", "two"), DONE], costly, costly)
    with pytest.raises(BudgetSpent):
        stage.run(stage.harness(url), brief(stage, Limits(usd=0.5, idle_s=30, total_s=60)))
    assert 0 < sum(each.usd or 0 for each in stage.engine.calls) <= 0.5
    assert stage.results() == stage.engine.reports == []


def test_cancel_reaches_it(stage: Stage, protocol: str) -> None:
    harness = stage.harness(serve(stage, [send("one"), DONE], [{"text": "a. b. c.", "hang": 60}]), protocol)
    log, waiting = stage.root / "log.jsonl", threading.Event()

    def cancel() -> None:
        while not log.exists() or len(log.read_text().splitlines()) < 2:
            waiting.wait(0.01)
        harness.cancel()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    with pytest.raises(Cancelled):
        stage.run(harness, brief(stage))
    canceller.join()
    assert events(stage, 1)[-1]["how"] == "cancelled"


def test_the_gate_is_passed_before_each_of_its_requests_and_calls(stage: Stage) -> None:
    url = serve(stage, [send("one"), DONE], [{"tools": [call("ls")]}, {"text": "nothing"}])
    stage.run(stage.harness(url), brief(stage))
    assert stage.engine.gates == 4 + 3


def test_a_lost_lease_ends_the_unit_from_inside(stage: Stage) -> None:
    def gate() -> None:
        if transcript(stage, 1).exists():
            raise Cancelled("the lease is lost")

    stage.engine.on_gate = gate
    url = serve(stage, [send("one"), DONE], [{"text": "never"}])
    with pytest.raises(Cancelled, match="lease is lost"):
        stage.run(stage.harness(url), brief(stage))
    assert len(stage.requests()) == 1


def test_none_is_sent_while_a_gate_waits(stage: Stage) -> None:
    waiting = ["G1"]
    stage.engine.pending = lambda: waiting.pop() if waiting else ""
    url = serve(stage, [send("one"), DONE], [{"text": "never"}])
    stage.run(stage.harness(url), brief(stage))
    assert "the gate G1 waits" in stage.results()[0]
    assert not transcript(stage, 1).exists()


def test_a_gate_that_waits_holds_its_calls_too(stage: Stage) -> None:
    (stage.cwd / "a").write_text("secret of the gate\n")
    stage.engine.pending = lambda: "G1" if transcript(stage, 1).exists() and not told(stage) else ""
    url = serve(stage, [send("one"), DONE], [{"tools": [call("read", path="a")]}, {"text": "held"}])
    stage.run(stage.harness(url), brief(stage))
    assert "secret of the gate" not in transcript(stage, 1).read_text()
    assert "the gate G1 waits" in transcript(stage, 1).read_text()


def told(stage: Stage) -> bool:
    return '"event":"end"' in transcript(stage, 1).read_text()


def test_a_long_answer_is_cut_and_says_so(stage: Stage) -> None:
    url = serve(stage, [send("one"), DONE], [{"text": "x" * (ANSWER_MOST + 5)}])
    stage.run(stage.harness(url), brief(stage))
    assert stage.results() == ["x" * ANSWER_MOST + "\n[... 5 more characters left out ...]"]


def test_there_is_an_end_to_sending(stage: Stage) -> None:
    parent: list[object] = [send(*(f"{n}.{k}" for k in range(4))) for n in range(MOST_SENT // 4 + 1)]
    url = serve(stage, [*parent, DONE], *[[{"text": f"{n}"}] for n in range(MOST_SENT)])
    stage.run(stage.harness(url), brief(stage))
    results = stage.results()
    assert set(results[:MOST_SENT]) == {f"{n}" for n in range(MOST_SENT)}
    assert all("no more are to be had" in text for text in results[MOST_SENT:])


def test_a_secret_of_the_key_is_in_no_transcript(stage: Stage) -> None:
    url = serve(stage, [send("one"), DONE], [{"text": "the key is canary-key"}])
    stage.run(stage.harness(url), brief(stage))
    assert "canary-key" not in transcript(stage, 1).read_text()


# ---- a budget that several share ---------------------------------------------------------------------------------


def test_what_one_holds_another_waits_for_and_what_is_spent_is_gone() -> None:
    meter = Meter(Limits(tokens=10_000), 6000, lambda _i, _o: 0.0)
    rooms: list[int] = []

    async def one() -> None:
        async with meter.holding(1000) as room:
            rooms.append(room)
            await asyncio.sleep(0)
            assert len(rooms) == 1, "the second is not begun while the first holds what it may need"
            meter.settle(ModelCall(model="m", input_tokens=1000, output_tokens=500), 1000)

    async def other() -> None:
        async with meter.holding(1000) as room:
            rooms.append(room)

    async def both() -> None:
        await asyncio.gather(one(), other())

    asyncio.run(both())
    assert rooms == [6000, 6000]
    assert meter.reserve(4000) == 10_000 - 1500 - 4000


def test_what_fits_beside_it_does_not_wait_and_a_failure_lets_go() -> None:
    meter = Meter(Limits(usd=1.0), 10_000, lambda _i, output: output / 100_000)
    held: list[int] = []

    async def several() -> None:
        with pytest.raises(ZeroDivisionError):
            async with meter.holding(10) as first, meter.holding(10) as second:
                held.extend((first, second, meter.reserve(10)))
                raise ZeroDivisionError

    asyncio.run(several())
    assert held == [10_000] * 3
    assert meter.reserve(10) == 10_000


def test_money_that_is_held_is_not_spent_twice() -> None:
    meter = Meter(Limits(usd=0.15), 10_000, lambda _i, output: output / 100_000)

    async def inside() -> int:
        async with meter.holding(10):
            return meter.reserve(10)

    assert asyncio.run(inside()) in {4999, 5000}, "0.05 USD are left, whichever way that is rounded"
