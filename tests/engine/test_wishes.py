"""Captures and overrides: what a person throws in while the work goes on, and what becomes of it."""

from collections.abc import Callable

import pytest
from pydantic import TypeAdapter

from tests.engine.conftest import NewWorld
from tests.engine.test_workflow import person, units
from walkaway.commands.wish import CAPTURE, OVERRIDE, Form
from walkaway.core.brief import Brief
from walkaway.core.errors import Usage
from walkaway.core.ids import SliceId
from walkaway.core.model import Policy
from walkaway.core.plan import wish
from walkaway.engine.result import RunOptions, Status
from walkaway.testing.fakes import Turn
from walkaway.testing.world import World, good_report, good_turn
from walkaway.units import rewrite_docs, triage_captures
from walkaway.views.wishes import wishes

TRIAGE = "triage-captures M001"
TASK = {"title": "Add cats", "description": "Cats are added, too."}


def begun(new_world: NewWorld, policy: Policy | None = None) -> World:
    """A milestone whose first slice is in progress, one task done."""
    world = new_world(policy=policy) if policy else new_world()
    world.run(RunOptions(units=3))
    return world


def sorts(world: World, *captures: dict[str, object]) -> None:
    """From now on the agent sorts in what was thrown in like this."""
    world.script = lambda brief: Turn(reports=[{"captures": captures}]) if brief.unit == TRIAGE else good_turn(brief)


def inject(number: int, **more: object) -> dict[str, object]:
    found = {
        "id": f"M001-N{number}",
        "verdict": "inject",
        "reason": "It is about cats.",
        "slice": "S01",
        "tasks": [TASK],
    }
    return {**found, **more}


def test_a_capture_changes_the_plan_only_after_the_person_agreed(new_world: NewWorld) -> None:
    world = begun(new_world)
    assert "M001-N1 is kept" in CAPTURE.run(person(world), Form(text="Add cats, too."))
    sorts(world, inject(1))
    ended = world.run()
    assert ended.status is Status.BLOCKED
    assert "You said: Add cats, too." in ended.detail
    assert "a task more in S01 (Add cats)" in ended.detail
    assert [x.became for x in wishes([world.snapshot()])] == ["waits for your answer to M001-Q1"]
    assert "M001/S01/T03" not in world.snapshot().tasks
    world.answer("do")
    assert world.run().status is Status.COMPLETE
    s = world.snapshot()
    assert (s.tasks[s.tasks_of(SliceId("M001/S01"))[-1].id].title, len(s.tasks_of(SliceId("M001/S01")))) == (
        "Add cats",
        3,
    )
    assert "execute-task M001/S01/T03" in units(world)
    assert [x.became for x in wishes([s])] == ["inject"]
    second = [b.prompt for b in world.briefs if b.unit == TRIAGE][1]
    assert "M001-N1: Add cats, too. (the person agreed" in second


def test_what_the_person_leaves_is_left(new_world: NewWorld) -> None:
    world = begun(new_world)
    CAPTURE.run(person(world), Form(text="Add cats, too."))
    sorts(world, inject(1))
    world.run()
    world.answer("leave")
    assert world.run().status is Status.COMPLETE
    assert len(world.snapshot().tasks_of(SliceId("M001/S01"))) == 2
    assert [x.became for x in wishes([world.snapshot()])] == ["left"]
    assert units(world).count(TRIAGE) == 1


def test_who_said_beforehand_not_to_be_asked_is_not_asked(new_world: NewWorld) -> None:
    world = begun(new_world, Policy(questions="assume"))
    for words in ("Add cats.", "Add dogs.", "Mend the typo.", "Mice are nice."):
        CAPTURE.run(person(world), Form(text=words))
    sorts(
        world,
        inject(1),
        inject(2, tasks=[{**TASK, "title": "Add dogs"}]),
        {"id": "M001-N3", "verdict": "quick-task", "reason": "Small.", "tasks": [{**TASK, "title": "Mend the typo"}]},
        {"id": "M001-N4", "verdict": "defer", "reason": "Later."},
    )
    assert world.run().status is Status.COMPLETE
    s = world.snapshot()
    assert [t.title for t in s.tasks_of(SliceId("M001/S01"))][2:] == ["Add cats", "Add dogs"]
    assert [t.title for t in s.tasks_of(SliceId("M001/S03"))] == ["Mend the typo"]
    assert all(t.status == "complete" for t in s.tasks.values())
    validation = next(b.prompt for b in world.briefs if b.unit == "validate-milestone M001")
    assert "## Thoughts of the person whose project this is\n\n- Mice are nice." in validation


def test_a_slice_is_planned_anew_because_of_a_thought(new_world: NewWorld) -> None:
    world = begun(new_world, Policy(questions="assume"))
    CAPTURE.run(person(world), Form(text="It must be lazy."))
    sorts(world, {"id": "M001-N1", "verdict": "replan", "reason": "All of it.", "slice": "S01"})
    assert world.run().status is Status.COMPLETE
    assert "replan-slice M001/S01" in units(world)
    brief = next(b.prompt for b in world.briefs if b.unit == "replan-slice M001/S01")
    assert "a person said: It must be lazy." in brief


def test_a_thought_that_wants_the_work_to_stop_stops_it_whatever_the_policy(new_world: NewWorld) -> None:
    world = begun(new_world, Policy(questions="assume"))
    CAPTURE.run(person(world), Form(text="I do not like where this goes."))
    sorts(world, {"id": "M001-N1", "verdict": "stop", "reason": "They want it."})
    assert world.run().status is Status.BLOCKED
    world.answer("go-on")
    assert world.run().status is Status.COMPLETE


@pytest.mark.parametrize("words", ["stop", "Halt!", " pause "])
def test_one_word_pauses_at_once_and_asks_no_model(new_world: NewWorld, words: str) -> None:
    world = begun(new_world)
    before = len(world.briefs)
    CAPTURE.run(person(world), Form(text=words))
    assert world.run(RunOptions(resume=None)).status is Status.PAUSED
    assert len(world.briefs) == before
    assert not world.snapshot().notes


@pytest.mark.parametrize(
    ("sorted_in", "said"),
    [
        ([], "Sort in each of M001-N1, once"),
        ([inject(1), inject(1)], "once"),
        ([inject(1, verdict="dance")], "`verdict` is one of"),
        ([inject(1, reason=" ")], "reason"),
        ([inject(1, tasks=[])], "one task for inject"),
        ([inject(1, tasks=[TASK, TASK])], "one task, not more"),
        ([inject(1, slice="S02")], "no slice in progress"),
        ([inject(1, verdict="note")], "none for anything else"),
        ([inject(1, verdict="replan", tasks=[], slice="S07")], "no slice in progress"),
    ],
)
def test_a_report_that_the_plan_cannot_take_in_is_refused(
    new_world: NewWorld, sorted_in: list[object], said: str
) -> None:
    world = begun(new_world)
    CAPTURE.run(person(world), Form(text="Add cats, too."))
    report = TypeAdapter(triage_captures.Report).validate_python({"captures": sorted_in})
    assert said in triage_captures.UNIT.check(world.snapshot(), "M001", report)


def test_what_is_said_while_the_agent_sorts_in_waits_for_its_own_turn(new_world: NewWorld) -> None:
    world = begun(new_world)
    CAPTURE.run(person(world), Form(text="One."))
    met: list[str] = []

    def script(brief: Brief) -> Turn:
        if brief.unit != TRIAGE:
            return good_turn(brief)
        met.append(brief.prompt)
        if len(met) == 1:
            CAPTURE.run(person(world), Form(text="Two."))
        number = 1 if len(met) == 1 else 2
        return Turn(reports=[{"captures": [{"id": f"M001-N{number}", "verdict": "note", "reason": "Yes."}]}])

    world.script = script
    assert world.run().status is Status.COMPLETE
    assert ["Two." in prompt for prompt in met] == [False, True]
    assert [x.became for x in wishes([world.snapshot()])] == ["note", "note"]


# ---- overrides ------------------------------------------------------------------------------------------------------


def test_an_override_stands_above_every_brief_and_the_open_plans_are_brought_in_line(new_world: NewWorld) -> None:
    world = begun(new_world)
    OVERRIDE.run(person(world), Form(text="Write it in French."))
    anew = {"summary": "All is French.", "replan": [{"id": "S01", "tasks": [{**TASK, "title": "Ajouter"}]}]}
    changed = {"change": [{"id": "S02", "title": "Commande", "goal": "En français.", "demo": "ajoute 1 1"}]}
    world.script = lambda brief: (
        Turn(reports=[{**anew, **changed}]) if brief.unit == "rewrite-docs M001" else good_turn(brief)
    )
    before = len(world.briefs)
    assert world.run().status is Status.COMPLETE
    assert all(
        "Where anything below says otherwise, this counts:\n\n- Write it in French." in b.prompt
        for b in world.briefs[before:]
    )
    assert not any("French" in b.prompt for b in world.briefs[:before])
    s = world.snapshot()
    assert [t.title for t in s.tasks_of(SliceId("M001/S01")) if not t.aside] == ["Write it", "Ajouter"]
    assert s.slices[SliceId("M001/S02")].title == "Commande"
    assert units(world).count("rewrite-docs M001") == 1


def test_what_was_said_before_the_plan_was_made_is_in_it(new_world: NewWorld) -> None:
    world = new_world()
    OVERRIDE.run(person(world), Form(text="Write it in French."))
    assert world.run().status is Status.COMPLETE
    assert "rewrite-docs M001" not in units(world)
    assert "Write it in French." in world.briefs[0].prompt


def test_an_override_said_while_the_plans_are_rewritten_is_not_taken_for_written(new_world: NewWorld) -> None:
    world = begun(new_world)
    OVERRIDE.run(person(world), Form(text="One."))
    seen: list[str] = []

    def script(brief: Brief) -> Turn:
        if brief.unit == "rewrite-docs M001":
            seen.append(brief.prompt)
            if len(seen) == 1:
                OVERRIDE.run(person(world), Form(text="Two."))
        return good_turn(brief)

    world.script = script
    assert world.run().status is Status.COMPLETE
    assert len(seen) == 2
    assert not list(wish.unwritten(world.snapshot()))


@pytest.mark.parametrize(
    ("report", "said"),
    [
        ({"summary": ""}, "summary"),
        ({"replan": [{"id": "S02", "tasks": [TASK]}]}, "S02 is no slice in progress"),
        ({"replan": [{"id": "S01", "tasks": [TASK]}, {"id": "M001/S01", "tasks": [TASK]}]}, "once"),
        ({"replan": [{"id": "S01", "tasks": []}]}, "1 to 20"),
        ({"drop": ["S01"]}, "no slice ahead"),
    ],
)
def test_plans_that_cannot_be_are_refused(new_world: NewWorld, report: dict[str, object], said: str) -> None:
    world = begun(new_world)
    OVERRIDE.run(person(world), Form(text="One."))
    wrong = TypeAdapter(rewrite_docs.Report).validate_python({**good_report("rewrite-docs", "M001"), **report})
    assert said in rewrite_docs.UNIT.check(world.snapshot(), "M001", wrong)


# ---- where it cannot be said -----------------------------------------------------------------------------------------


def validated(world: World) -> None:
    world.run(RunOptions(units=10))
    assert world.snapshot().milestone.status == "validated"


@pytest.mark.parametrize(
    ("at", "words", "said"),
    [
        (lambda w: None, "  ", "in your own words"),
        (lambda w: None, "x" * 2_001, "longer than 2000 bytes"),
        (lambda w: w.run(), "Too late.", "walkaway new"),
        (validated, "Too late.", "about to be merged"),
    ],
)
def test_where_the_plan_takes_nothing_in_that_is_said(
    new_world: NewWorld, at: Callable[[World], object], words: str, said: str
) -> None:
    world = new_world()
    at(world)
    for command in (CAPTURE, OVERRIDE):
        with pytest.raises(Usage, match=said):
            command.run(person(world), Form(text=words))
