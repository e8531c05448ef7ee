"""A project's start: drafts are confirmed by a person, and only then they stand for the project, for every milestone."""

from dataclasses import replace

import pytest

from tests.core.build import TEXT, created, fold, reported
from walkaway.core import answer as answers
from walkaway.core import events as e
from walkaway.core.asking import gates
from walkaway.core.derive import Blocked, Decision, Settle, Start, ask, derive
from walkaway.core.errors import IllegalTransition
from walkaway.core.ids import TextHash, UnitKey
from walkaway.core.model import MilestoneStatus, Note, Policy, Snapshot
from walkaway.core.plan import start
from walkaway.core.unit import Accepting, find
from walkaway.units import UNITS
from walkaway.views.samples import SAMPLES

DEEP = Policy(planning="deep")


def done(s: Snapshot, report: object = None, text: str = "") -> Snapshot:
    """Carry the unit through that comes now; its report is the text ``text``."""
    now = derive(s, UNITS)
    assert isinstance(now, Start), now
    unit = find(UNITS, now.key.kind)
    s, d = reported(s, now.key)
    run = replace(s.dispatches[d], report=TextHash(text or str(len(s.dispatches)) * 64))
    facts = unit.accept(s, now.key.target, report or SAMPLES[now.key.kind], Accepting(dispatch=run, verified=True))
    return fold(s, *facts, e.DispatchCompleted(dispatch=d, head=run.commit_sha))


def said(s: Snapshot, words: str) -> Snapshot:
    assert s.blocked_by
    return fold(s, *answers.answer(s, s.blocked_by.id, words, "ann"))


def settle(s: Snapshot, at: float = 100.0) -> Snapshot:
    now = derive(s, UNITS)
    assert isinstance(now, Settle), now
    return fold(s, e.NoteTaken(note=now.note), at=at)


def confirmed(s: Snapshot) -> Snapshot:
    return settle(said(done(s), "confirm"))


def told(decision: Decision) -> str:
    match decision:
        case Start(key=key):
            return str(key)
        case Blocked(question=question):
            return question.gate or question.reason
        case Settle(note=note):
            return note.kind
    return type(decision).__name__


def test_a_project_begins_with_what_it_is_then_what_it_has_to_do_then_its_field():
    s, way = created(DEEP), []
    while told(derive(s, UNITS)) != "plan-milestone M001":
        now = derive(s, UNITS)
        way.append(told(now))
        s = said(s, "confirm") if isinstance(now, Blocked) else settle(s) if isinstance(now, Settle) else done(s)
    assert way == [
        "discuss-project M001", "depth:PROJECT", "PROJECT",
        "discuss-requirements M001", "depth:REQUIREMENTS", "REQUIREMENTS",
        "research-decision M001", "research-project M001",
    ]  # fmt: skip
    assert s.note(start.RESEARCH, "M001").verdict == "pitfalls", "what nothing was found out about is told"


def test_a_light_project_begins_with_its_plan():
    assert told(derive(created(), UNITS)) == "plan-milestone M001"


def test_only_confirm_settles_what_was_drafted_and_nothing_but_that():
    s = done(created(DEEP))
    assert told(derive(s, UNITS)) == "depth:PROJECT"
    s = said(s, "revise")
    assert told(derive(s, UNITS)) == "discuss-project M001"
    assert start.settled(s, start.PROJECT) is None
    s = settle(said(done(s), "confirm"))
    assert start.settled(s, start.PROJECT)
    assert start.settled(s, start.REQUIREMENTS) is None
    assert told(derive(s, UNITS)) == "discuss-requirements M001"


def test_nothing_is_settled_that_no_person_confirmed():
    s = done(created(DEEP))
    note = Note(id="M001-N9", kind="PROJECT", target="M001", verdict="", summary="s", report=TEXT)
    for kind in (start.PROJECT, start.REQUIREMENTS):
        with pytest.raises(IllegalTransition, match="is not confirmed"):
            fold(s, e.NoteTaken(note=replace(note, kind=kind)))
    s = said(s, "confirm")
    with pytest.raises(IllegalTransition, match="depth:REQUIREMENTS is not confirmed"):
        fold(s, e.NoteTaken(note=replace(note, kind=start.REQUIREMENTS)))
    fold(s, e.NoteTaken(note=note))


def test_what_a_person_opens_again_stands_until_another_is_confirmed():
    s = confirmed(created(DEEP))
    first = start.settled(s, start.PROJECT)
    again = ask(s, UnitKey("discuss-project", "M001"), gates.wanted("depth:PROJECT", "Really?"))
    s = fold(s, e.QuestionRaised(question=again))
    s = said(s, "revise")
    assert told(derive(s, UNITS)) == "discuss-project M001"
    assert start.settled(s, start.PROJECT) == first
    s = said(done(s, text="9" * 64), "confirm")
    s = settle(s, at=101.0)
    assert start.settled(s, start.PROJECT).report == "9" * 64
    assert told(derive(s, UNITS)) == "discuss-requirements M001"


def elsewhere(*kinds: str, verdict: str = "") -> dict[str, Note]:
    """Return what another milestone settled."""
    return {
        kind: Note(id=f"M000-N{n}", kind=kind, target="M000", verdict=verdict, summary="s", report=TEXT, at=50.0)
        for n, kind in enumerate(kinds)
    }


@pytest.mark.parametrize(
    ("kinds", "verdict", "first"),
    [
        ((start.PROJECT,), "", "discuss-requirements M001"),
        ((start.PROJECT, start.REQUIREMENTS), "", "research-decision M001"),
        ((start.PROJECT, start.REQUIREMENTS, start.DECISION), "skip", "plan-milestone M001"),
        ((start.PROJECT, start.REQUIREMENTS, start.DECISION), "research", "research-project M001"),
        (start.SETTLED, "research", "plan-milestone M001"),
    ],
)
def test_what_another_milestone_settled_is_not_done_again(kinds, verdict, first):
    s = replace(created(DEEP), elsewhere=elsewhere(*kinds, verdict=verdict))
    assert told(derive(s, UNITS)) == first
    assert all(start.settled(s, kind) for kind in kinds)
    assert not any(start.own(s, kind) for kind in kinds)


def test_the_latest_stands_for_the_project_whoever_settled_it():
    s = confirmed(created(DEEP))
    mine = s.note(start.PROJECT, "M001")
    older, newer = elsewhere(start.PROJECT), {start.PROJECT: replace(mine, id="M002-N1", at=mine.at + 1)}
    assert start.own(replace(s, elsewhere=older), start.PROJECT) == mine
    later = replace(s, elsewhere=newer)
    assert start.settled(later, start.PROJECT) == newer[start.PROJECT]
    assert start.own(later, start.PROJECT) is None


def test_a_milestone_that_is_planned_begins_no_project():
    s = created(DEEP)
    planned = replace(s, milestone=replace(s.milestone, status=MilestoneStatus.ACTIVE))
    assert not any([*find(UNITS, kind).targets(planned)] for kind in (*start.DRAFTS, start.DECISION, start.RESEARCH))


def nothing_found() -> Snapshot:
    s = done(confirmed(confirmed(created(DEEP))))
    none = {name: replace(SAMPLES[start.RESEARCH].pitfalls, blocker=f"no {name}") for name in start.PARTS}
    return done(s, replace(SAMPLES[start.RESEARCH], **none))


def test_where_nothing_was_found_out_a_person_is_asked_and_may_go_on_without():
    s = nothing_found()
    question = s.blocked_by
    assert question.reason == start.NO_RESEARCH
    assert all(f"no {name}" in question.text for name in start.PARTS)
    assert s.note(start.RESEARCH, "M001") is None
    assert told(derive(said(s, "retry"), UNITS)) == "research-project M001"
    s = said(s, "skip")
    assert told(derive(s, UNITS)) == "plan-milestone M001"
    assert start.settled(s, start.DECISION).verdict == start.SKIP
    assert "ann said so" in start.settled(s, start.DECISION).summary


def test_research_is_skipped_unless_something_speaks_for_it():
    s = confirmed(confirmed(created(DEEP)))
    report = find(UNITS, start.DECISION).report(reason="The field is known.")
    s = done(s, report)
    assert s.note(start.DECISION, "M001").verdict == start.SKIP
    assert told(derive(s, UNITS)) == "plan-milestone M001"
