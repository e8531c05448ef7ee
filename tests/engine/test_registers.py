"""What agents save: held while they work, written with the accepted report, and gone with a run that fails."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from tests.engine.conftest import NewWorld
from tests.tiers import tier
from walkaway.core.brief import Brief, Told
from walkaway.core.errors import LimitReached
from walkaway.core.model import Result
from walkaway.core.registers.model import Registers
from walkaway.store.replay import registers as told
from walkaway.testing.fakes import FakeAgent, Files, Turn
from walkaway.testing.world import Died, Fate, Scripted, World, good_turn, one_slice

TASK = "execute-task M001/S01/T01"
PLAN = "plan-slice M001/S01"
NOTE = ("remember", {"category": "gotcha", "content": "Imported files are UTF-8."})
CHOICE = ("decide", {"topic": "format", "decision": "Export format", "choice": "CSV", "rationale": "It opens."})

Saves = Sequence[tuple[str, Mapping[str, object]]]


def saving(unit: str, *saves: tuple[str, Mapping[str, object]]) -> "Saving":
    return Saving({unit: saves})


class Saving:
    """Does everything well, and saves what it is told to in the first run of a unit."""

    def __init__(self, saves: Mapping[str, Saves]) -> None:
        self.saves = dict(saves)

    def __call__(self, brief: Brief) -> Turn:
        return replace(one_slice(brief), saves=self.saves.pop(brief.unit, ()))


def kept(world: World) -> Registers:
    """Return the registers, which are what the journal tells of."""
    present, journal = world.store.registers(), told(world.store.journal({}))
    assert (journal.decisions, journal.requirements, journal.memories) == (
        present.decisions,
        present.requirements,
        present.memories,
    )
    return present


def told_by(world: World) -> list[Told]:
    """Return what the agents were told of what they saved."""
    return [said for agent in world.agents for said in agent.told]


def test_what_was_saved_is_written_in_the_commit_that_accepts_the_report(new_world: NewWorld) -> None:
    world = new_world(script=saving(TASK, CHOICE, NOTE))
    world.run()
    r = kept(world)
    assert [(d.id, d.context, d.made_by) for d in r.decisions.values()] == [("D001", "M001/S01/T01", "agent")]
    assert [(m.id, m.source) for m in r.memories.values()] == [("MEM001", TASK)]
    facts = world.store.journal({})
    (done,) = (e for e in facts if e.type == "TaskDone" and TASK.endswith(json.loads(e.body)["task"]))
    assert {(e.type) for e in facts if (e.scope, e.rev) == (done.scope, done.rev)} == {
        "TaskDone", "DecisionMade", "MemoryKept", "DispatchCompleted",
    }  # fmt: skip
    assert [t.text for t in told_by(world)] == [
        "D001 is held, and saved when your report is accepted.",
        "MEM001 is held, and saved when your report is accepted.",
    ]


def test_a_run_that_fails_leaves_nothing(new_world: NewWorld) -> None:
    world = new_world(script=Scripted({TASK: [Turn(saves=[CHOICE, NOTE], raises=LimitReached("Too long."))]}))
    world.run()
    r = kept(world)
    assert (dict(r.decisions), dict(r.memories)) == ({}, {})


def test_what_a_refused_unit_saved_is_not_written(new_world: NewWorld) -> None:
    def script(brief: Brief) -> Turn:
        turn = one_slice(brief)
        if brief.unit == TASK and brief.attempt == 1:
            return replace(turn, files={"bad.py": "wrong\n"}, saves=[NOTE])
        return turn

    def test(files: Files) -> Result:
        return Result.FAIL if files.get("bad.py") == "wrong\n" else Result.PASS

    world = new_world(script=script)
    world.verifier.known["test"] = test
    world.run()
    assert "DispatchFailed" in [e.type for e in world.store.journal({})]
    assert dict(kept(world).memories) == {}


def test_a_memory_that_was_found_counts_as_used_once_the_report_is_accepted(new_world: NewWorld) -> None:
    find = ("recall", {"query": "importing"})
    world = new_world(script=Saving({PLAN: [NOTE, find], TASK: [find, find, ("recall", {"query": "zzz"})]}))
    world.run()
    assert kept(world).memories["MEM001"].hits == 1
    assert [t.text for t in told_by(world)[1:]] == [
        "Nothing was found.", "MEM001  Imported files are UTF-8.", "MEM001  Imported files are UTF-8.", "Nothing was found.",
    ]  # fmt: skip


def test_a_requirement_that_is_said_twice_is_changed_and_what_is_held_is_there(new_world: NewWorld) -> None:
    add = ("require", {"description": "Export a month.", "kind": "core-capability"})
    again = ("require", {"description": "export A month.", "owner": "M001/S01"})
    proof = ("require", {"id": "R001", "status": "validated", "validation": "test_export passes"})
    world = new_world(script=saving(PLAN, add, again, proof))
    world.run()
    (r,) = kept(world).requirements.values()
    assert (r.id, r.status, r.owner, r.source) == ("R001", "validated", "M001/S01", PLAN)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (("decide", {"decision": "x"}), "The arguments do not fit."),
        (("decide", {**CHOICE[1], "choice": " "}), "choice is empty"),
        (("decide", {**CHOICE[1], "supersedes": "D404"}), "There is no D404"),
        (("decide", {**CHOICE[1], "colour": "red"}), "colour"),
        (("require", {"id": "R404", "notes": "x"}), "There is no R404"),
        (("require", {"description": "x", "kind": "wish"}), "class is one of"),
        (("remember", {**NOTE[1], "content": "x" * 1001}), "At most 1000 characters"),
        (("remember", {**NOTE[1], "confidence": 2}), "confidence"),
    ],
)
def test_what_cannot_be_is_said_at_once_and_spends_no_number(new_world: NewWorld, call, said: str) -> None:
    world = new_world(script=saving(PLAN, call, NOTE))
    world.run()
    first = told_by(world)[0]
    assert (first.refused, said in first.text) == (True, True), first
    assert [*kept(world).memories] == ["MEM001"]


def test_one_unit_saves_no_more_than_enough(new_world: NewWorld) -> None:
    world = new_world(script=saving(PLAN, *[NOTE] * 31))
    world.run()
    assert "that is enough" in told_by(world)[30].text
    assert len(kept(world).memories) == 30


def test_what_was_saved_is_written_once_wherever_the_worker_dies(new_world: NewWorld) -> None:
    def story() -> World:
        return new_world(script=lambda brief: replace(one_slice(brief), saves=[NOTE] if brief.unit == TASK else []))

    count = Fate()
    world = story()
    world.run(fate=count)
    expected = [m.content for m in kept(world).memories.values()]
    assert len(expected) == 1
    commits = [n for n, name in enumerate(count.points) if name == "commit"][:: tier(4, 1)]
    for point in (2 * n + after for n in commits for after in (0, 1)):
        world = story()
        with pytest.raises(Died):
            world.run(fate=Fate(point))
        world.run()
        assert [m.content for m in kept(world).memories.values()] == expected, point


def test_units_without_a_say_in_plans_save_no_requirements(new_world: NewWorld, monkeypatch) -> None:
    offered: dict[str, set[str]] = {}
    world = new_world(script=good_turn)
    run = FakeAgent.run

    def watched(agent, brief, cwd, desk, watch, transcript):
        offered[brief.unit.partition(" ")[0]] = {tool.name for tool in desk.tools}
        return run(agent, brief, cwd, desk, watch, transcript)

    monkeypatch.setattr(FakeAgent, "run", watched)
    world.run()
    assert offered["execute-task"] == {"decide", "remember", "recall"}
    assert offered["plan-slice"] == {"decide", "require", "remember", "recall"}


def test_later_units_are_told_what_earlier_ones_saved(new_world: NewWorld) -> None:
    world = new_world(script=saving(PLAN, CHOICE, NOTE))
    world.run()
    (plan, task) = (next(b for b in world.briefs if b.unit == unit) for unit in (PLAN, TASK))
    assert "MEM001" not in plan.prompt
    assert "## Decisions in force\n\n- D001 Export format: CSV" in task.prompt
    assert "- MEM001 Imported files are UTF-8." in task.prompt


def test_the_registers_are_printed_when_a_unit_is_done(new_world: NewWorld) -> None:
    world = new_world(script=saving(PLAN, CHOICE))
    world.run()
    assert "| D001 | M001/S01 | format | Export format | CSV |" in (world.state / "view/DECISIONS.md").read_text(
        "utf-8"
    )
    assert "- D001: Export format: CSV" in (world.state / "view/STATE.md").read_text("utf-8")
