"""A project that is planned in depth: what it is and has to do is confirmed, registered and told to all who plan."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.conftest import NewWorld
from walkaway.core.asking import gates
from walkaway.core.brief import Brief
from walkaway.core.derive import ask
from walkaway.core.events import QuestionRaised
from walkaway.core.ids import MilestoneId, Scope, UnitKey
from walkaway.core.model import Policy, Seen
from walkaway.core.plan import start
from walkaway.engine.result import RunOptions, Status
from walkaway.store.replay import fold
from walkaway.testing.fakes import Turn
from walkaway.testing.reports import REPORTS
from walkaway.testing.world import Died, Fate, World, one_slice

DEEP = Policy(planning="deep", steps=("research-milestone",))
CONFIRM = {"depth:PROJECT": "confirm", "depth:REQUIREMENTS": "confirm"}
LISTS = "discuss-requirements M001"


def units(world: World, milestone: str = "M001") -> list[str]:
    s = world.store.snapshot(Scope(milestone))
    return [str(d.key) for d in s.dispatches.values() if d.status == "completed"]


def requires(*descriptions: str) -> Turn:
    """A list of what the project has to do."""
    said = REPORTS["discuss-requirements"]("M001")
    listed = said["requirements"]
    assert isinstance(listed, list)
    (one,) = listed
    return Turn(reports=[{**said, "requirements": [{**one, "description": d} for d in descriptions]}])


def lists(world: World, *descriptions: str) -> None:
    world.script = lambda brief: requires(*descriptions) if brief.unit == LISTS else one_slice(brief)


def test_a_deep_start_is_confirmed_twice_and_leads_to_a_finished_milestone(new_world: NewWorld) -> None:
    world = new_world(policy=DEEP, script=one_slice)
    assert world.run().status is Status.BLOCKED
    assert world.snapshot().blocked_by.gate == "depth:PROJECT"
    assert "Sums are right." in world.snapshot().blocked_by.text
    world.answer("confirm")
    assert world.run().status is Status.BLOCKED
    assert world.snapshot().blocked_by.gate == "depth:REQUIREMENTS"
    assert not world.store.registers().requirements, "what nobody confirmed is not in the register"
    world.answer("confirm")
    assert world.run().status is Status.COMPLETE
    assert units(world)[:6] == [
        f"{kind} M001"
        for kind in (
            "discuss-project", "discuss-requirements", "research-decision", "research-project", "research-milestone",
            "plan-milestone",
        )
    ]  # fmt: skip
    (required,) = world.store.registers().requirements.values()
    assert (required.id, required.status, required.description) == ("R001", "active", "It adds.")
    assert (required.source, required.validation, required.owner) == (LISTS, "1 + 1 is 2", "")
    for kind in ("research-milestone", "plan-milestone"):
        prompt = next(b.prompt for b in world.briefs if b.unit.startswith(kind))
        assert "Sums are right." in prompt
        assert "- stack: integers." in prompt
        assert "Not known: Nobody adds here." in prompt


def test_answers_that_were_written_down_confirm_a_start(new_world: NewWorld) -> None:
    world = new_world(policy=DEEP, script=one_slice)
    assert world.run(RunOptions(answers={"depth:PROJECT": "yes"})).status is Status.BLOCKED
    assert world.run(RunOptions(answers={"depth": "confirm"})).status is Status.BLOCKED
    assert world.snapshot().blocked_by.gate == "depth:PROJECT"
    assert world.run(RunOptions(answers=CONFIRM)).status is Status.COMPLETE


def test_the_second_milestone_goes_on_at_once_and_is_told_of_the_project(new_world: NewWorld) -> None:
    world = new_world(policy=DEEP, script=one_slice, milestones=2)
    assert world.run(RunOptions(answers=CONFIRM)).status is Status.COMPLETE
    assert units(world, "M002")[:2] == ["research-milestone M002", "plan-milestone M002"]
    prompt = next(b.prompt for b in world.briefs if b.unit == "plan-milestone M002")
    assert "Sums are right." in prompt
    s = world.store.snapshot(Scope("M002"))
    assert {*s.elsewhere} == {*start.SETTLED}
    assert not s.questions


def test_a_list_that_is_written_anew_keeps_numbers_and_drops_what_it_no_longer_names(new_world: NewWorld) -> None:
    world = new_world(policy=DEEP)
    lists(world, "It adds.", "It divides.")
    world.run(RunOptions(answers=CONFIRM, units=3))
    s = world.snapshot()
    asked = ask(s, UnitKey("discuss-requirements", "M001"), gates.wanted("depth:REQUIREMENTS", "All of it?"))
    world.store.commit(Seen(project=s.project, scope=s.scope, rev=s.rev, who="ada"), [QuestionRaised(question=asked)])
    world.answer("revise")
    lists(world, "it  adds.", "It multiplies.")
    assert world.run().status is Status.BLOCKED
    assert [r.status for r in world.store.registers().requirements.values()] == ["active", "active"]
    world.answer("confirm")
    assert world.run().status is Status.COMPLETE
    listed = world.store.registers().requirements.values()
    assert [(r.id, r.description, r.status) for r in listed] == [
        ("R001", "It adds.", "active"),
        ("R002", "It divides.", "out-of-scope"),
        ("R003", "It multiplies.", "active"),
    ]


@pytest.mark.parametrize("moment", range(1, 16))
def test_a_worker_that_dies_while_it_is_settled_leaves_it_settled_once(new_world: NewWorld, moment: int) -> None:
    world = new_world(policy=DEEP, script=one_slice)
    world.run(RunOptions(answers={"depth:PROJECT": "confirm"}))
    world.answer("confirm")
    fate = Fate(moment)
    try:
        world.run(RunOptions(units=1), fate=fate)
    except Died:
        world.run_when_lapsed()
    s = world.snapshot()
    assert [n.kind for n in s.notes.values()].count(start.REQUIREMENTS) == 1
    assert [r.description for r in world.store.registers().requirements.values()] == ["It adds."]
    assert fold(world.store.project, world.scope, world.store.journal({})).notes == s.notes


def test_the_files_show_what_stands_for_the_project_always_in_the_same_bytes(new_world: NewWorld) -> None:
    world = new_world(policy=DEEP, script=one_slice)
    view = Path(world.state) / "view"
    world.run()
    assert not (view / "PROJECT.md").exists(), "it is a draft"
    world.run(RunOptions(answers=CONFIRM, units=4))
    said = (view / "PROJECT.md").read_bytes()
    assert b"## Core Value\n\nSums are right.\n" in said
    assert b"## Capability Contract\n\nWhat the project has to do stands in REQUIREMENTS.md.\n" in said
    assert (view / "REQUIREMENTS.md").exists()
    found = {path.name: path.read_bytes() for path in (view / "research").iterdir()}
    assert {*found} == {"STACK.md", "FEATURES.md", "ARCHITECTURE.md", "PITFALLS-BLOCKER.md"}
    assert b"Nobody adds here." in found["PITFALLS-BLOCKER.md"]
    assert world.run().status is Status.COMPLETE
    assert (view / "PROJECT.md").read_bytes() == said
    assert {path.name: path.read_bytes() for path in (view / "research").iterdir()} == found


def test_a_start_that_one_milestone_left_half_done_is_taken_up_by_the_next(new_world: NewWorld) -> None:
    world = new_world(policy=DEEP, script=one_slice, milestones=2)
    world.run(RunOptions(answers=CONFIRM, units=3, milestone=MilestoneId("M001")))
    world.run(RunOptions(units=1, milestone=MilestoneId("M002")))
    assert units(world, "M002") == ["research-project M002"]


def test_what_the_gate_of_another_milestone_holds_is_not_what_a_start_waits_for(new_world: NewWorld) -> None:
    world = new_world(policy=replace(DEEP, gates=("depth",)), script=one_slice)
    assert world.run(RunOptions(answers=CONFIRM)).status is Status.BLOCKED
    assert world.snapshot().blocked_by.gate == "depth:M001"


def test_every_unit_of_a_start_may_fail_and_is_done_again(new_world: NewWorld) -> None:
    refused: set[str] = set()

    def script(brief: Brief) -> Turn:
        turn = one_slice(brief)
        if brief.unit.split()[0] in (*start.DRAFTS, start.DECISION, start.RESEARCH) and brief.unit not in refused:
            refused.add(brief.unit)
            return Turn(reports=[{**turn.reports[0], "summary": " ", "reason": " "}, *turn.reports])
        return turn

    world = new_world(policy=DEEP, script=script)
    assert world.run(RunOptions(answers=CONFIRM)).status is Status.COMPLETE
    assert len(refused) == 4
