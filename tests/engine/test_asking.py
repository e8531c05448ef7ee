"""What an agent asks a person, from the question on record to the answer in its next brief."""

from collections.abc import Mapping

import pytest

from tests.engine.conftest import NewWorld
from walkaway.core import answer as answers
from walkaway.core.asking import gates
from walkaway.core.asking.question import BY_POLICY
from walkaway.core.brief import Asked
from walkaway.core.derive import ask
from walkaway.core.events import QuestionRaised
from walkaway.core.ids import UnitKey
from walkaway.core.model import Policy, Seen
from walkaway.engine.asking.answers import WHO
from walkaway.engine.result import Ended, RunOptions, Status
from walkaway.testing.fakes import Turn
from walkaway.testing.world import Scripted, World, good_files, good_report, good_turn

TASK = "execute-task M001/S01/T01"
GATE = "depth:M001"
WHICH = Asked(text="Which sign?", options=("plus", "minus"))
DEEP = Asked(text="Is it so?", gate=GATE)


def asking(*asked: Asked, unit: str = TASK) -> Turn:
    """A good agent that asks first."""
    kind, target = unit.split(" ")
    return Turn(asks=asked, reports=[good_report(kind, target)], files=good_files(kind, target))


def asks_once(world: World, *asked: Asked, unit: str = TASK) -> None:
    world.script = Scripted({unit: [asking(*asked, unit=unit)]})


def run(world: World, given: Mapping[str, str] | None = None) -> Ended:
    return world.run(RunOptions(answers=given or {}))


def told(world: World) -> list[tuple[str, bool]]:
    return [(each.text, each.refused) for agent in world.agents for each in agent.told]


def statuses(world: World, unit: str = TASK) -> list[tuple[str, int]]:
    return [(str(d.status), d.attempt) for d in world.snapshot().dispatches.values() if str(d.key) == unit]


def test_a_question_waits_for_a_person_costs_no_attempt_and_its_answer_is_in_the_next_brief(world: World) -> None:
    asks_once(world, WHICH)
    ended = run(world)
    assert (ended.status, ended.detail) == (Status.BLOCKED, "Which sign?")
    q = world.snapshot().blocked_by
    assert q is not None
    assert (q.reason, q.unit, q.options, q.gate) == ("asked", TASK, ("plus", "minus", "assume"), "")
    assert statuses(world) == [("paused", 1)]
    assert run(world).status is Status.BLOCKED, "a new run is no answer"
    world.answer("plus")
    assert run(world).status is Status.COMPLETE
    assert statuses(world) == [("paused", 1), ("completed", 1)]
    briefs = [b.prompt for b in world.briefs if b.unit == TASK]
    assert "## What was asked, and answered" not in briefs[0]
    assert "Which sign? Answer of ada: plus" in briefs[1]
    assert not any("Which sign?" in b.prompt for b in world.briefs if b.unit != TASK)


def test_where_the_policy_says_assume_the_question_is_on_record_and_the_agent_goes_on(new_world: NewWorld) -> None:
    world = new_world(policy=Policy(questions="assume"))
    asks_once(world, WHICH)
    assert run(world).status is Status.COMPLETE
    q = world.snapshot().questions["M001-Q1"]
    assert (q.answer, q.answered_by, q.options) == ("assume", BY_POLICY, ("plus", "minus", "assume"))
    assert "write it into your report" in told(world)[0][0]
    assert statuses(world) == [("completed", 1)]


def test_a_gate_is_asked_whatever_the_policy(new_world: NewWorld) -> None:
    world = new_world(policy=Policy(questions="assume"))
    asks_once(world, DEEP)
    assert run(world).status is Status.BLOCKED
    assert gates.holds(world.snapshot(), GATE)
    assert run(world).status is Status.BLOCKED
    world.answer("confirm")
    assert run(world).status is Status.COMPLETE
    assert f"{DEEP.text} Answer of ada: confirm" in [b.prompt for b in world.briefs if b.unit == TASK][-1]


def test_a_written_answer_is_told_at_once(world: World) -> None:
    asks_once(world, WHICH, DEEP)
    assert run(world, {"asked": "minus", GATE: "confirm"}).status is Status.COMPLETE
    assert told(world) == [("M001-Q1 was answered: minus", False), (f"{GATE} was answered: confirm", False)]
    assert [(q.answer, q.answered_by) for q in world.snapshot().questions.values()] == [
        ("minus", WHO),
        ("confirm", WHO),
    ]
    assert statuses(world) == [("completed", 1)]


@pytest.mark.parametrize(
    "words", ["", " ", "yes", "Confirm", "confirm (Recommended)", "none of the above", "revise it"]
)
def test_a_written_answer_that_is_none_leaves_the_gate_pending_and_orders_it_to_be_asked_again(
    world: World, words: str
) -> None:
    asks_once(world, DEEP, DEEP)
    ended = run(world, {GATE: words})
    assert ended.status is Status.BLOCKED
    assert gates.pending(world.snapshot()).gate == GATE
    assert len(world.snapshot().questions) == 1, "asked again, it is the same question"
    assert told(world)[0][1]
    assert statuses(world) == [("paused", 1)]


def test_what_an_agent_is_told_of_a_wrong_answer(world: World) -> None:
    world.script = Scripted({TASK: [asking(DEEP)]})
    run(world, {GATE: "yes"})
    (text, refused) = told(world)[0]
    assert refused
    assert f"{GATE} stays pending" in text
    assert f'Call `ask` again, with gate "{GATE}"' in text
    assert world.site.see("refs/walkaway/M001")[0].files.get("M001/S01/T01.py") is None, "nothing was done meanwhile"


def test_a_reason_answers_no_gate_and_an_answer_is_good_for_one_question_of_a_unit(world: World) -> None:
    world.script = Scripted({TASK: [asking(DEEP)]})
    assert run(world, {"depth": "confirm", "asked": "confirm"}).status is Status.BLOCKED
    assert gates.holds(world.snapshot(), GATE)
    world.script = Scripted({TASK: [asking(WHICH, WHICH)]})
    world.answer("confirm")
    assert run(world, {"asked": "plus"}).status is Status.BLOCKED
    assert [q.answer for q in world.snapshot().questions.values()] == ["confirm", "plus", ""]


def test_what_blocked_an_earlier_run_is_answered_by_what_was_written_down(world: World) -> None:
    asks_once(world, WHICH)
    assert run(world).status is Status.BLOCKED
    assert run(world, {"M001-Q1": "perhaps"}).status is Status.BLOCKED
    assert any("'perhaps' is no answer to M001-Q1" in note for note in world.said("note"))
    assert run(world, {"M001-Q1": "minus"}).status is Status.COMPLETE
    assert world.snapshot().questions["M001-Q1"].answered_by == WHO


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Asked(text=" ", options=("a", "b")), "empty"),
        (Asked(text="x", options=("a",)), "2 to 4"),
        (Asked(text="x", options=("a", "a")), "different"),
        (Asked(text="x", options=tuple("abcde")), "2 to 4"),
        (Asked(text="x", options=("a", " b")), "one line"),
        (Asked(text="x", options=("a", "b\nc")), "one line"),
        (Asked(text="x", options=("a", "x" * 61)), "one line"),
        (Asked(text="x", options=("a", "assume")), "offered anyway"),
        (Asked(text="x", gate="depth:M002"), "no gate of M001"),
        (Asked(text="x", gate="depth:M001/S01"), "no gate of M001"),
        (Asked(text="x", gate="confirm"), "no gate of M001"),
        (Asked(text="x", gate=GATE, options=("yes", "no")), "confirm and revise"),
    ],
)
def test_what_cannot_be_asked_is_refused_and_not_on_record(world: World, asked: Asked, words: str) -> None:
    asks_once(world, asked)
    assert run(world).status is Status.COMPLETE
    assert words in told(world)[0][0]
    assert told(world)[0][1]
    assert world.snapshot().questions == {}


def test_a_gate_that_a_person_opens_holds_the_agent_at_work(world: World) -> None:
    def opened() -> None:
        s = world.snapshot()
        question = ask(s, next(d.key for d in s.dispatches.values()), gates.wanted(GATE, "Think again."))
        seen = Seen(project=s.project, scope=s.scope, rev=s.rev, who="ada")
        world.store.commit(seen, [QuestionRaised(question=question)])

    good = asking()
    world.script = Scripted({TASK: [Turn(reports=good.reports, files=good.files, meanwhile=opened)]})
    assert run(world).status is Status.BLOCKED
    assert len(world.agents[0].answers) == len(["plan-milestone", "plan-slice"]), "this unit's report is not taken"
    assert "M001/S01/T01.py" not in dict(world.facts().files)
    world.answer("confirm")
    assert run(world).status is Status.COMPLETE


def test_a_gate_that_a_task_asked_and_a_person_did_not_confirm_has_the_context_written_first(world: World) -> None:
    world.script = Scripted({TASK: [asking(DEEP)]})
    run(world)
    s = world.snapshot()
    seen = Seen(project=s.project, scope=s.scope, rev=s.rev, who="eve")
    world.store.commit(seen, answers.answer(s, "M001-Q1", "revise", "eve"))
    world.script = good_turn
    assert run(world).status is Status.BLOCKED
    assert gates.holds(world.snapshot(), GATE), "revise confirms nothing"
    assert world.briefs[-1].unit == "discuss-milestone M001"
    world.answer("confirm")
    assert run(world).status is Status.COMPLETE
    assert "Answer of eve: revise" in [b.prompt for b in world.briefs if b.unit == TASK][-1]


# ---- thinking a milestone through, and talking about a slice -------------------------------------------------------

THINKS = "discuss-milestone M001"
GATED = Policy(steps=("discuss-milestone",), gates=("depth",))


def units(world: World) -> list[str]:
    return [str(d.key) for d in world.snapshot().dispatches.values() if d.status == "completed"]


def test_what_is_thought_stands_in_the_briefs_of_those_who_plan(new_world: NewWorld) -> None:
    world = new_world(policy=Policy(steps=("discuss-milestone", "research-milestone")))
    assert run(world).status is Status.COMPLETE
    assert units(world)[:3] == [THINKS, "research-milestone M001", "plan-milestone M001"]
    assert world.snapshot().questions == {}
    for kind in ("research-milestone", "plan-milestone", "plan-slice"):
        prompt = next(b.prompt for b in world.briefs if b.unit.startswith(kind))
        assert "## Context\n\nIntegers.\n\nAssumed:\n- No sum." in prompt


def test_nothing_is_planned_before_the_gate_is_confirmed(new_world: NewWorld) -> None:
    world = new_world(policy=GATED)
    assert run(world).status is Status.BLOCKED
    q = world.snapshot().blocked_by
    assert (q.gate, q.unit, q.options) == (GATE, THINKS, ("confirm", "revise"))
    assert q.text == "It adds.\n\nIntegers.\n\nAssumed:\n- No sum."
    assert units(world) == [THINKS]
    world.answer("revise")
    assert run(world).status is Status.BLOCKED
    assert units(world) == [THINKS, THINKS]
    assert "Answer of ada: revise" in world.briefs[-1].prompt
    assert "Write it anew" in world.briefs[-1].prompt
    world.answer("confirm")
    assert run(world).status is Status.COMPLETE
    assert units(world)[:3] == [THINKS, THINKS, "plan-milestone M001"]


def test_a_context_that_is_doubted_while_slices_are_done_is_written_anew_before_anything_else(
    new_world: NewWorld,
) -> None:
    world = new_world(policy=GATED)
    run(world, {GATE: "confirm"})
    assert world.snapshot().milestone.status == "complete"
    world = new_world(policy=GATED)
    world.run(RunOptions(units=3, answers={GATE: "confirm"}))
    s = world.snapshot()
    question = ask(s, UnitKey("discuss-milestone", "M001"), gates.wanted(GATE, "Really?"))
    world.store.commit(
        Seen(project=s.project, scope=s.scope, rev=s.rev, who="ada"), [QuestionRaised(question=question)]
    )
    assert run(world).status is Status.BLOCKED
    world.answer("revise")
    before = len(units(world))
    assert run(world).status is Status.BLOCKED
    assert units(world)[before:] == [THINKS]
    world.answer("confirm")
    assert run(world).status is Status.COMPLETE


def test_a_gate_that_is_opened_while_the_context_is_written_is_asked_once(new_world: NewWorld) -> None:
    world = new_world(policy=GATED)
    turn = asking(DEEP, unit=THINKS)
    world.script = Scripted({THINKS: [turn]})
    assert run(world).status is Status.BLOCKED
    world.answer("confirm")
    assert run(world).status is Status.COMPLETE
    assert len(world.snapshot().questions) == 1, "what the agent asked itself was confirmed"


def test_a_person_is_asked_before_each_slice_and_may_set_it_aside(new_world: NewWorld) -> None:
    world = new_world(policy=Policy(gates=("discuss-slice",)))
    assert run(world).status is Status.BLOCKED
    assert world.snapshot().blocked_by.unit == "discuss-slice M001/S01"
    assert units(world) == ["plan-milestone M001"]
    world.answer("plan")
    assert run(world).status is Status.BLOCKED
    assert world.snapshot().blocked_by.unit == "discuss-slice M001/S02"
    world.answer("skip")
    assert run(world).status is Status.COMPLETE
    assert world.snapshot().slices["M001/S02"].aside == "skipped"


def test_one_written_answer_is_good_for_each_slice(new_world: NewWorld) -> None:
    world = new_world(policy=Policy(gates=("discuss-slice",)))
    assert run(world, {"discuss-slice": "plan"}).status is Status.COMPLETE
    assert [q.answer for q in world.snapshot().questions.values()] == ["plan", "plan"]
