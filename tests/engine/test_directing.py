"""What people say to workers: pause, resume, stop, cancel, steer; and what a worker does among others."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.engine.conftest import NewWorld
from walkaway import proc
from walkaway.core.errors import StaleSnapshot
from walkaway.core.fleet.order import CommandStatus, Order
from walkaway.core.fleet.pause import Pause, Stop
from walkaway.core.ids import PROJECT_SCOPE, MilestoneId, Scope, WorkerId
from walkaway.engine.fleet import recover
from walkaway.engine.result import Ended, RunOptions, Status
from walkaway.engine.run import Trouble
from walkaway.testing.fakes import Turn
from walkaway.testing.world import Died, Fate, Scripted, World, dead_identity, good_turn

TASK = "execute-task M001/S01/T01"
NEXT = "execute-task M001/S01/T02"
SECOND = MilestoneId("M002")
PATIENCE_S = 30.0


def during(unit: str, does: Callable[[], object], world: list[World] | None = None) -> Callable[..., Turn]:
    """A good agent that lets something happen in the middle of one run of one unit."""
    done: list[str] = []

    def script(brief: object) -> Turn:
        turn = good_turn(brief)  # pyrefly: ignore
        if getattr(brief, "unit", "") == unit and not done:
            done.append(unit)
            return replace(turn, meanwhile=does)
        return turn

    return script


def waiting(unit: str = TASK) -> Scripted:
    """A good agent that waits, the first time, until it is cancelled."""
    return Scripted({unit: [Turn(until_cancelled=True)]})


def running(world: World, options: RunOptions | None = None) -> tuple[threading.Thread, list[Ended]]:
    """Let a worker run in a thread; it is at work when this returns."""
    worker = world.worker()
    ended: list[Ended] = []
    thread = threading.Thread(target=lambda: ended.append(worker.run(options or RunOptions())))
    thread.start()
    assert world.agents[-1].talking.wait(PATIENCE_S)
    return thread, ended


def order(world: World, name: str, body: dict[str, str] | None = None) -> int:
    """Send an order to the only worker."""
    (row,) = world.store.overview().workers
    return world.store.commands.send(name, json.dumps(body or {}), who="ann", worker=row.id)


def kept(world: World) -> Pause:
    (record,) = world.store.controls.read().pauses.values()
    return record


# ---- pause and resume --------------------------------------------------------------------------------------------


def test_a_paused_project_lets_the_unit_finish_and_begins_no_other(new_world: NewWorld) -> None:
    world = new_world(script=during(TASK, lambda: world.store.controls.pause(Pause(id=PROJECT_SCOPE, who="ann"))))

    ended = world.run(RunOptions(units=9))

    assert (ended.status, ended.units) == (Status.PAUSED, 3)
    assert "paused by ann" in ended.detail
    assert "walkaway resume" in ended.detail
    assert world.runs.get(NEXT) is None
    assert world.store.holder(world.scope) is None
    record = kept(world)
    assert (record.milestone, record.unit, record.units, record.units_left) == ("M001", TASK, 3, 6)
    assert (record.model, record.target, record.usd) == ("fake", "main", pytest.approx(0.03))


def test_a_paused_project_holds_a_worker_that_comes_later(world: World) -> None:
    world.store.controls.pause(Pause(id=PROJECT_SCOPE, who="ann", reason="lunch"))
    ended = world.run()
    assert ended.status is Status.PAUSED
    assert "(lunch)" in ended.detail
    assert world.briefs == []


def test_what_was_paused_goes_on_once_and_the_record_is_consumed(new_world: NewWorld) -> None:
    world = new_world(script=during(TASK, lambda: world.store.controls.pause(Pause(id=PROJECT_SCOPE, who="ann"))))
    world.run()

    assert world.run(RunOptions(resume=PROJECT_SCOPE)).status is Status.COMPLETE
    assert world.store.controls.read().pauses == {}
    assert world.runs[TASK] == 1
    with pytest.raises(StaleSnapshot, match="resumed or stopped"):
        new = world.store.new_milestone("Another", "More.", world.policy, "ann")
        world.run(RunOptions(resume=PROJECT_SCOPE, milestone=new))


def test_a_resume_that_finds_everything_complete_puts_the_record_away(world: World) -> None:
    world.run()
    world.store.controls.pause(Pause(id=PROJECT_SCOPE, who="ann"))
    assert world.run(RunOptions(resume=PROJECT_SCOPE)).status is Status.COMPLETE
    assert world.store.controls.read().pauses == {}


def test_a_resume_that_gets_no_milestone_keeps_the_record(world: World) -> None:
    world.store.controls.pause(Pause(id=PROJECT_SCOPE, who="ann"))
    world.store.register(WorkerId("other"), proc.me())
    assert world.store.acquire(world.scope, WorkerId("other"), 60.0)
    assert world.run(RunOptions(resume=PROJECT_SCOPE)).status is Status.BLOCKED
    assert PROJECT_SCOPE in world.store.controls.read().pauses


def test_a_paused_milestone_is_left_for_the_next_one(new_world: NewWorld) -> None:
    world = new_world(milestones=2)
    world.store.controls.pause(Pause(id=world.scope, who="ann"))

    ended = world.run()

    assert ended.status is Status.PAUSED
    assert "walkaway resume --milestone M001" in ended.detail
    assert world.store.snapshot(Scope(SECOND)).milestone.status == "complete"
    assert world.snapshot().dispatches == {}


def test_pause_now_ends_the_running_unit_and_consumes_no_attempt(new_world: NewWorld) -> None:
    world = new_world(script=waiting())
    thread, ended = running(world)
    world.store.controls.pause(Pause(id=PROJECT_SCOPE, who="ann"))
    seq = order(world, Order.HALT)
    thread.join(PATIENCE_S)

    assert [e.status for e in ended] == [Status.PAUSED]
    (answer,) = world.store.commands.find([seq])
    assert (answer.status, answer.result) == (CommandStatus.DONE, "M001 was left.")
    runs = [d for d in world.snapshot().dispatches.values() if str(d.key) == TASK]
    assert [d.status for d in runs] == ["paused"]
    assert world.run(RunOptions(resume=PROJECT_SCOPE)).status is Status.COMPLETE
    assert [d.attempt for d in world.snapshot().dispatches.values() if str(d.key) == TASK] == [1, 1]


def test_an_order_to_look_that_concerns_nothing_here_is_answered_at_once(new_world: NewWorld) -> None:
    world = new_world(script=waiting(), milestones=2)
    thread, ended = running(world)
    world.store.controls.pause(Pause(id=Scope(SECOND), who="ann"))
    seq = order(world, Order.HALT)
    until_answered(world, seq)
    assert "Nothing that this worker does" in world.store.commands.find([seq])[0].result
    world.store.controls.stop(Stop(id=PROJECT_SCOPE, who="ann"))
    order(world, Order.HALT)
    thread.join(PATIENCE_S)
    assert [e.status for e in ended] == [Status.CANCELLED]


def until_answered(world: World, seq: int) -> str:
    while (found := world.store.commands.find([seq])[0]).status not in {CommandStatus.DONE, CommandStatus.DEAD}:
        world.store.wait(0.1)
    return found.result


def test_a_pause_ends_a_wait_for_the_provider(new_world: NewWorld) -> None:
    from walkaway.core.errors import ProviderDown

    world = new_world(script=Scripted({TASK: [Turn(raises=ProviderDown("429", retry_after=600.0))]}))
    world.on_told = lambda p: p.kind == "wait" and world.store.controls.pause(Pause(id=PROJECT_SCOPE, who="ann"))
    assert world.run().status is Status.PAUSED


# ---- step ----------------------------------------------------------------------------------------------------------


def test_a_step_leaves_a_record_that_the_next_run_takes_up(world: World) -> None:
    assert world.run(RunOptions(step=True)).status is Status.UNIT_DONE
    record = kept(world)
    assert (record.step, record.id, record.units) == (True, world.scope, 1)
    assert world.run(RunOptions(step=True)).status is Status.UNIT_DONE
    assert len(world.briefs) == 2
    assert world.run().status is Status.COMPLETE
    assert world.store.controls.read().pauses == {}


# ---- stop ----------------------------------------------------------------------------------------------------------


def test_a_stop_ends_the_run_after_its_unit_and_a_later_run_begins_anew(new_world: NewWorld) -> None:
    world = new_world(script=during(TASK, lambda: world.store.controls.stop(Stop(id=PROJECT_SCOPE, who="ann"))))
    ended = world.run()
    assert (ended.status, ended.units) == (Status.CANCELLED, 3)
    assert "stopped by ann" in ended.detail
    assert world.store.overview().workers == ()
    assert world.run().status is Status.COMPLETE


def test_a_stop_holds_a_worker_that_joins_the_run_it_was_meant_for(world: World) -> None:
    since = world.store.controls.read().rev
    world.store.controls.stop(Stop(id=PROJECT_SCOPE, who="ann"))
    assert world.run(RunOptions(since=since)).status is Status.CANCELLED
    assert world.briefs == []


# ---- cancel and steer ----------------------------------------------------------------------------------------------


def test_a_cancelled_unit_is_begun_again_as_the_same_attempt(new_world: NewWorld) -> None:
    world = new_world(script=waiting())
    thread, ended = running(world)
    live = world.snapshot().live
    assert live is not None
    seq = order(world, Order.CANCEL, {"dispatch": live.id})
    assert "was cancelled; its unit is begun again" in until_answered(world, seq)
    thread.join(PATIENCE_S)

    assert [e.status for e in ended] == [Status.COMPLETE]
    runs = [d for d in world.snapshot().dispatches.values() if str(d.key) == TASK]
    assert [(d.status, d.failure, d.attempt) for d in runs] == [("canceled", "cancelled", 1), ("completed", "", 1)]
    assert "ann cancelled it" in runs[0].why


def test_a_dispatch_that_is_not_with_an_agent_is_not_cancelled(new_world: NewWorld) -> None:
    world = new_world(script=waiting())
    thread, _ = running(world)
    seq = order(world, Order.CANCEL, {"dispatch": "M001-D999"})
    assert "was not cancelled" in until_answered(world, seq)
    world.store.controls.stop(Stop(id=PROJECT_SCOPE, who="ann"))
    order(world, Order.HALT)
    thread.join(PATIENCE_S)


def test_words_to_the_agent_reach_it_once(new_world: NewWorld) -> None:
    sent: list[int] = []

    def speak() -> None:
        sent.append(order(world, Order.STEER, {"text": "use the library"}))
        assert "Said to the agent" in until_answered(world, sent[0])

    world = new_world(script=during(TASK, speak))
    assert world.run().status is Status.COMPLETE
    assert world.agents[-1].heard == ["use the library"]


def test_words_and_unknown_orders_while_no_agent_works_are_answered_so(new_world: NewWorld) -> None:
    answers: list[str] = []

    def ask(*_: object) -> None:
        for name, body in ((Order.STEER, {"text": "hello"}), ("dance", {})):
            answers.append(until_answered(world, order(world, name, body)))

    world = new_world()
    world.verifier.before = ask if hasattr(world.verifier, "before") else None
    world.on_told = lambda p: ask() if p.kind == "milestone" else None
    world.run(RunOptions(units=1))
    assert "No agent is at work" in answers[0]
    assert "does not know the order 'dance'" in answers[1]


# ---- among others --------------------------------------------------------------------------------------------------


def test_a_worker_joins_where_another_milestone_is_free(new_world: NewWorld) -> None:
    world = new_world(milestones=2)
    world.store.register(WorkerId("other"), proc.me())
    assert world.store.acquire(world.scope, WorkerId("other"), 60.0)

    ended = world.run()

    assert world.store.snapshot(Scope(SECOND)).milestone.status == "complete"
    assert ended.status is Status.BLOCKED
    assert f"worker other on {proc.me().host}, pid {proc.me().pid}" in ended.detail
    assert "walkaway stop --milestone M001" in ended.detail


def test_one_of_several_does_not_call_what_others_hold_blocked(new_world: NewWorld) -> None:
    world = new_world()
    world.store.register(WorkerId("other"), proc.me())
    assert world.store.acquire(world.scope, WorkerId("other"), 60.0)
    assert world.run(RunOptions(member=True)).status is Status.LIMIT


def test_a_milestone_that_waits_for_a_person_does_not_keep_the_others_waiting(new_world: NewWorld) -> None:
    from walkaway.core.errors import ProviderRefused

    world = new_world(milestones=2, script=Scripted({TASK: [Turn(raises=ProviderRefused("no quota"))]}))
    ended = world.run()
    assert ended.status is Status.BLOCKED
    assert "no quota" in ended.detail
    assert world.store.snapshot(Scope(SECOND)).milestone.status == "complete"


def test_a_dead_worker_without_a_milestone_is_settled_by_the_next_with_a_word(world: World) -> None:
    world.store.register(WorkerId("dead"), dead_identity())
    seq = world.store.commands.send(Order.WAKE, "{}", who="ann", worker=WorkerId("dead"))
    world.run(RunOptions(units=1))
    assert any("Worker dead" in text and "no work was lost" in text for text in world.said("recovered"))
    assert world.store.commands.find([seq])[0].status is CommandStatus.DEAD


# ---- what an interrupted run left ------------------------------------------------------------------------------------


def crash_in(world: World, unit: str = TASK) -> None:
    """Let a worker die while its agent works on a unit."""
    fate = Fate()
    world.script = during(unit, fate.strike)
    with pytest.raises(Died):
        world.run(fate=fate)
    world.script = good_turn


def conversation(world: World, dispatch: str, *events: dict[str, object], cut: str = "") -> None:
    """Write a transcript as the agent's harness does."""
    path = world.state / "transcripts" / f"{dispatch}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(event) + "\n" for event in events) + cut)


def called(number: int, tool: str, result: str, *, failed: bool = False, **args: str) -> list[dict[str, object]]:
    return [
        {"event": "call", "id": str(number), "tool": tool, "args": args},
        {"event": "result", "id": str(number), "tool": tool, "failed": failed, "text": result},
    ]


def test_the_next_agent_is_told_what_the_interrupted_one_did(world: World) -> None:
    crash_in(world)
    live = world.snapshot().live
    assert live is not None
    conversation(
        world,
        live.id,
        {"event": "start", "unit": TASK},
        {"event": "text", "text": "I will write the file."},
        *called(1, "write", "written", path="a.py", content="x"),
        *called(2, "bash", "E   assert 1 == 2", failed=True, command="pytest -q"),
        {"event": "call", "id": "3", "tool": "bash", "args": {"command": "make slow"}},
        cut='{"event": "resu',
    )

    assert world.run().status is Status.COMPLETE

    brief = next(b for b in reversed(world.briefs) if b.unit == TASK)
    told = brief.prompt.partition("## What an interrupted run did")[2]
    assert "Files it wrote: a.py" in told
    assert "- write a.py -> written" in told
    assert "- bash pytest -q -> failed: E assert 1 == 2" in told
    assert "- bash make slow -> [cut off]" in told
    assert "I will write the file." in told
    assert brief.attempt == 1
    assert any("is dead; going on with" in text for text in world.said("recovered"))


def test_a_run_that_called_no_tool_leaves_no_briefing(world: World) -> None:
    crash_in(world)
    assert world.run().status is Status.COMPLETE
    assert all("interrupted run" not in b.prompt for b in world.briefs)


def test_a_unit_that_was_not_interrupted_gets_no_briefing(new_world: NewWorld) -> None:
    world = new_world(script=waiting())
    thread, _ = running(world)
    live = world.snapshot().live
    assert live is not None
    conversation(world, live.id, *called(1, "bash", "ok", command="ls"))
    order(world, Order.CANCEL, {"dispatch": live.id})
    thread.join(PATIENCE_S)
    assert all("interrupted run" not in b.prompt for b in world.briefs)


def test_a_unit_that_kills_its_worker_is_asked_about_with_the_end_of_its_transcript(world: World) -> None:
    for _ in range(3):
        crash_in(world)
        live = world.snapshot().live
        assert live is not None
        conversation(world, live.id, *called(1, "bash", "Segmentation fault", command="./crash"), {"event": "usage"})
    ended = world.run()
    assert ended.status is Status.BLOCKED
    question = world.snapshot().blocked_by
    assert question is not None
    assert question.reason == "kills-its-worker"
    assert "call: bash ./crash" in question.text
    assert "result: Segmentation fault" in question.text


def test_a_missing_transcript_is_said_to_be_missing(world: World) -> None:
    for _ in range(3):
        crash_in(world)
        live = world.snapshot().live
        assert live is not None
        (world.state / "transcripts" / f"{live.id}.jsonl").unlink(missing_ok=True)
    world.run()
    question = world.snapshot().blocked_by
    assert question is not None
    assert "there is nothing in it" in question.text


def test_a_crash_between_units_is_said_to_have_cost_nothing(world: World) -> None:
    fate = Fate(before=lambda name: name == "prepare" and fate.strike())
    world.run(RunOptions(units=2))
    fate = Fate(before=lambda name: name == "release" and fate.strike())
    with pytest.raises(Died):
        world.run(RunOptions(units=1), fate=fate)
    world.run(RunOptions(units=1))
    assert any("no work was lost" in text for text in world.said("recovered"))


def test_a_briefing_is_bounded(tmp_path) -> None:
    path = tmp_path / "t.jsonl"
    events = [event for n in range(100) for event in called(n, "bash", "x" * 5000, command="y" * 5000)]
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    assert len(recover.briefing(str(path)).encode()) < recover.BRIEFING_MOST + 100


# ---- before each dispatch --------------------------------------------------------------------------------------------


def test_what_keeps_units_from_being_begun_blocks_with_its_name_until_it_is_mended(world: World) -> None:
    world.troubles = [Trouble(code="low-disk", text="Only 1 MB is free.", remedy="free some space")]
    ended = world.run()
    assert ended.status is Status.BLOCKED
    question = world.snapshot().blocked_by
    assert question is not None
    assert (question.reason, question.remedies) == ("not-ready", ("free some space, then run walkaway auto again",))
    assert "low-disk: Only 1 MB is free." in question.text
    assert world.briefs == []
    world.troubles = []
    assert world.run().status is Status.COMPLETE


def test_a_projection_that_somebody_removed_is_printed_again_before_the_next_unit(new_world: NewWorld) -> None:
    seen: list[bool] = []

    def look(name: str) -> None:
        if name == "prepare":
            seen.append((world.state / "view" / "STATE.md").exists())

    world = new_world()
    fate = Fate(before=look)
    world.on_told = lambda p: p.kind == "unit-done" and (world.state / "view" / "STATE.md").unlink()
    assert world.run(RunOptions(units=3), fate=fate).status is Status.LIMIT
    assert seen
    assert all(seen)
    assert any("projection-missing" in text for text in world.said("step"))


# ---- on another host -------------------------------------------------------------------------------------------------


def test_a_milestone_whose_work_is_in_another_clone_is_left_to_that_host(
    new_world: NewWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = new_world(milestones=2)
    world.run(RunOptions(units=3, milestone=world.id))
    head = world.snapshot().milestone.head
    monkeypatch.setattr(world.workspace, "has", lambda sha: sha != head)

    ended = world.run()

    assert "in the clone of another host" in ended.detail
    assert ended.status is Status.BLOCKED
    assert world.store.snapshot(Scope(SECOND)).milestone.status == "complete"
    assert len(world.snapshot().dispatches) == 3
    monkeypatch.undo()
    assert world.run().status is Status.COMPLETE
