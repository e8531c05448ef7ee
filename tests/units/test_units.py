"""Conformance over UNITS: pure targets, a brief that is read before it is sent, reports that are judged, facts that fit."""

import json
import os
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests.core.build import TEXT, created, fold, reported, sha
from walkaway import shown
from walkaway.core import events as e
from walkaway.core.derive import Blocked, Settle, Start, derive
from walkaway.core.ids import SliceId, TaskId, TextHash, UnitKey
from walkaway.core.model import Policy, Snapshot
from walkaway.core.plan import start as beginning
from walkaway.core.plan import wish
from walkaway.core.plan.profile import STEPS
from walkaway.core.plan.step import Step
from walkaway.core.unit import Accepting, find
from walkaway.units import (
    UNITS,
    complete_milestone,
    complete_slice,
    cutting,
    discuss_milestone,
    discuss_project,
    discuss_requirements,
    evaluate_gate,
    execute_task,
    notes,
    plan_milestone,
    plan_slice,
    quality,
    reassess_roadmap,
    refine_slice,
    replan_slice,
    research_decision,
    research_milestone,
    research_project,
    research_slices,
    resolve_conflict,
    review_step,
    rewrite_docs,
    run_uat,
    sections,
    triage_captures,
    validate_milestone,
)

SNAPSHOTS = Path(__file__).parent / "snapshots"
SPEC = "# Greet\n\nA function that greets.\n"
FOUND = json.dumps(
    {
        "findings": "- `greet.py` is missing.",
        "context": "One name, in English.",
        "assumptions": ["A name is never empty."],
        "what": "It greets people by name.",
        "excluded": ["No small talk"],
        "requirements": [{"description": "It greets by name.", "kind": "core-capability", "status": "active"}],
        **{part: {"findings": f"- {part}: others greet, too.", "blocker": ""} for part in beginning.PARTS[:3]},
        beginning.PARTS[3]: {"findings": "", "blocker": "No network."},
    }
)
OUTPUT = "FAILED (failures=1)\n" * 3
LOG = TextHash("d" * 64)
THEIRS = "- 1234567 Greet in French\n\ngreet.py"
PRINTED = TextHash("b" * 64)
CHECKS = ("python3 -m unittest discover -s tests",)

ROADMAP = plan_milestone.Report(
    title="Greet",
    vision="Programs can greet.",
    criteria=("greet('Ann') greets Ann",),
    slices=(
        cutting.PlannedSlice(title="Function", goal="greet exists", demo="import greet"),
        cutting.PlannedSlice(
            title="Command", goal="a command greets", demo="greet Ann", risk="low", depends=(1,), sketch=True
        ),
        cutting.PlannedSlice(title="Manual", goal="it says how to greet", demo="read it", depends=(2,)),
    ),
)
PLAN = plan_slice.Report(
    goal="greet exists and is tested",
    must_haves=("a test shows it",),
    tasks=(
        cutting.PlannedTask(
            title="Write greet", description="In greet.py.", files=("greet.py",), verify="python3 -m unittest"
        ),
        cutting.PlannedTask(title="Test greet", description="In tests/."),
    ),
)
THOUGHT = discuss_milestone.Report(
    summary="It greets.", context="One name, in English.", assumptions=("A name is never empty.",), questions=("Bob?",)
)
PROJECT = discuss_project.Report(
    summary="A library that greets.",
    what="It greets people by name.",
    value="Nobody is left out.",
    complexity="simple",
    why="One user.",
    state="A README.",
    architecture="One function.",
    milestones=("Greet one", "Greet all"),
    excluded=("No small talk",),
    assumptions=("English; else one would have to ask.",),
)
REQUIRED = discuss_requirements.Report(
    summary="It greets.",
    requirements=(
        discuss_requirements.Wanted(
            description="It greets by name.", kind="core-capability", why="It is polite.", acceptance="greet('Ann')"
        ),
    ),
)
FOUND_OUT = research_project.Part(findings="- Others greet, too.")
RESEARCH = research_project.Report(
    summary="Much is known.",
    stack=FOUND_OUT,
    features=FOUND_OUT,
    architecture=FOUND_OUT,
    pitfalls=research_project.Part(blocker="No network."),
)
BOTH = research_slices.Report(
    slices=tuple(research_slices.Found(slice=f"S0{n}", summary="Little.", findings=f"- `{n}.py` does.") for n in (1, 2))
)
SAMPLES = {
    "plan-milestone": ROADMAP,
    "plan-slice": PLAN,
    "execute-task": execute_task.Report(summary="Write greet", narrative="As planned.", key_files=("greet.py",)),
    "discuss-milestone": THOUGHT,
    "discuss-project": PROJECT,
    "discuss-requirements": REQUIRED,
    "research-decision": research_decision.Report(reason="Greetings differ.", verdict="research"),
    "research-project": RESEARCH,
    "research-milestone": research_milestone.Report(summary="Nothing there.", findings="- `greet.py` is missing."),
    "research-slice": research_milestone.Report(summary="Little.", findings="- `argparse` does."),
    "research-slices": BOTH,
    "refine-slice": PLAN,
    "replan-slice": replan_slice.Report(
        reason="greet needs a name.", tasks=(cutting.PlannedTask(title="Ask the name", description="In ask.py."),)
    ),
    "triage-captures": triage_captures.Report(
        captures=(triage_captures.Sorted(id="M001-N1", verdict="note", reason="It is so already."),)
    ),
    "rewrite-docs": rewrite_docs.Report(summary="The plans say so already."),
    "run-uat": run_uat.Report(verdict="pass", steps=("greet('Ann') greets Ann",), summary="It holds."),
    "reassess-roadmap": reassess_roadmap.Report(verdict="confirmed", summary="As planned."),
    "review-step": review_step.Report(verdict="pass", summary="It greets everyone."),
    "resolve-conflict": resolve_conflict.Report(
        summary="Both greet.", resolved=(resolve_conflict.Resolved(file="greet.py", how="It greets in French too."),)
    ),
    "complete-slice": complete_slice.Report(summary="greet stands.", shown=("a test shows it: unittest",)),
    "evaluate-gate": evaluate_gate.Report(
        gates=(
            quality.Answer(gate="Q3", verdict="omitted"),
            quality.Answer(gate="Q4", verdict="flag", findings="Nobody says what an empty name is greeted with."),
        )
    ),
    "validate-milestone": validate_milestone.Report(
        verdict="pass",
        criteria=("seen",),
        rationale="All met.",
        gates=tuple(quality.Answer(gate=f"MV0{n}", verdict="pass", findings="Seen.") for n in range(1, 5)),
    ),
    "complete-milestone": complete_milestone.Report(summary="Programs can greet."),
}  # fmt: skip


BLOCKED = UnitKey("execute-task", "M001/S01/T02")
"""What is planned anew."""


def through(s: Snapshot, start: Start) -> Snapshot:
    """Carry one unit through with its sample report."""
    unit = find(UNITS, start.key.kind)
    s, d = reported(s, start.key, start.attempt)
    if start.key.kind == "complete-milestone":
        s = fold(s, e.IntegrationPrepared(dispatch=d, base=sha(1), commit=sha(5), verified=True))
    said = SAMPLES[start.key.kind]
    if start.key == BLOCKED:
        said = execute_task.Report(summary="Nothing", narrative="It cannot be.", blocker="Nobody says whom to greet.")
    facts = unit.accept(s, start.key.target, said, Accepting(dispatch=s.dispatches[d], verified=True))
    return fold(s, *facts, e.DispatchCompleted(dispatch=d, head=s.dispatches[d].commit_sha))


def scripted() -> Snapshot:
    """A run of a workflow with one step, which a model looks at."""
    own, step = SliceId("M001/S01"), Step(prompt="Greet.", reviewer="model", review="Does it greet everyone?")
    slices = (e.SlicePlan(id=own, title="Greet", demo="", goal="Greet.", risk="low", depends=(), step=step),)
    tasks = (e.TaskPlan(id=TaskId(f"{own}/T01"), title="Greet", description="Greet.", files=(), verify=""),)
    return fold(
        created(),
        e.MilestonePlanned(title="Greet", vision="All are greeted.", criteria=(), slices=slices),
        e.SlicePlanned(slice=own, goal="Greet.", must_haves=(), tasks=tasks),
    )


def said(kind: str) -> Snapshot:
    """A milestone whose first slice is in progress, and a person says something."""
    s = created()
    while isinstance(start := derive(s, UNITS), Start) and start.key.kind != "execute-task":
        s = through(s, start)
    words = {wish.CAPTURE: "Does it greet cats, too?", wish.OVERRIDE: "Greet in French."}[kind]
    return fold(s, e.NoteTaken(note=wish.said(s, kind, words, TEXT)))


def conflicted(s: Snapshot) -> Snapshot:
    """A milestone that met the work of somebody else on its target."""
    s, d = reported(s, UnitKey("complete-milestone", "M001"))
    return fold(s, e.IntegrationConflicted(dispatch=d, onto=sha(8), files=("greet.py",), why="Both.", log=LOG))


def states() -> dict[str, tuple[Snapshot, Start]]:
    """Return, for each kind, the last state of a small milestone in which it is chosen; a third slice is planned."""
    s, found = created(Policy(steps=STEPS)), {}
    while isinstance(start := derive(s, UNITS), Start):
        if start.key.kind != "reassess-roadmap" or start.key.kind not in found:  # the first: there is most ahead
            found[start.key.kind] = (s, start)
        met = start.key.kind == "complete-milestone" and "resolve-conflict" not in found
        s = conflicted(s) if met else through(s, start)
    for kind in (wish.CAPTURE, wish.OVERRIDE):
        s = said(kind)
        start = derive(s, UNITS)
        assert isinstance(start, Start)
        found[start.key.kind] = (s, start)
    s = apart()
    start = derive(s, UNITS)
    assert isinstance(start, Start)
    found[start.key.kind] = (s, start)
    s = scripted()
    while isinstance(start := derive(s, UNITS), Start):
        found.setdefault(start.key.kind, (s, start))
        s = through(s, start)
    return found


def apart() -> Snapshot:
    """A milestone whose first two slices do not depend on each other."""
    s = created(Policy(steps=("research-slice",)))
    start = derive(s, UNITS)
    assert isinstance(start, Start)
    s, d = reported(s, start.key, start.attempt)
    roadmap = replace(ROADMAP, slices=tuple(replace(x, depends=(), sketch=False) for x in ROADMAP.slices[:2]))
    facts = find(UNITS, start.key.kind).accept(s, "M001", roadmap, Accepting(dispatch=s.dispatches[d], verified=True))
    return fold(s, *facts, e.DispatchCompleted(dispatch=d, head=s.dispatches[d].commit_sha))


def begun() -> dict[str, tuple[Snapshot, Start]]:
    """Return, for each kind of a deep start, the state in which it is chosen, and the last one after all of them."""
    s, found = created(Policy(planning="deep")), {}
    while "plan-milestone" not in found:
        match derive(s, UNITS):
            case Start() as start:
                found[start.key.kind] = (s, start)
                s = through(s, start)
            case Blocked(question=question):
                s = fold(s, e.QuestionAnswered(question=question.id, answer="confirm", who="ann"))
            case Settle(note=note):
                s = fold(s, e.NoteTaken(note=note))
    return found


BEGUN = begun()
STATES = {**BEGUN, **states()}


def brief(s: Snapshot, start: Start, found: str = FOUND) -> str:
    unit = find(UNITS, start.key.kind)
    texts = {**dict.fromkeys(sections.needs(s, unit, start), found), s.milestone.context: SPEC, LOG: THEIRS}
    return f"{sections.system(unit)}\n\n-----\n\n{sections.prompt(s, unit, start, {**texts, '': ''}, CHECKS)}"


def test_every_kind_is_reached_on_the_way_to_complete():
    assert set(STATES) == {u.kind for u in UNITS} == set(SAMPLES)
    assert len({u.kind for u in UNITS}) == len(UNITS)


@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.kind)
def test_targets_are_the_same_when_asked_twice(unit):
    for s, _ in STATES.values():
        assert list(unit.targets(s)) == list(unit.targets(s))


@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.kind)
def test_the_sample_report_is_accepted_and_leads_on(unit):
    s, start = STATES[unit.kind]
    assert unit.check(s, start.key.target, SAMPLES[unit.kind]) == ""
    assert derive(through(s, start), UNITS) != start


@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.kind)
def test_the_brief_is_the_one_that_was_read(unit):
    text = brief(*STATES[unit.kind])
    path = SNAPSHOTS / f"{unit.kind}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, "read the new brief, then run with UPDATE_SNAPSHOTS=1"


@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.kind)
def test_a_brief_names_its_unit_once_and_at_the_start_of_a_line(unit):
    s, start = STATES[unit.kind]
    lines = [line for line in brief(s, start).splitlines() if line.startswith("Unit:")]
    assert lines == [f"Unit: {start.key} (attempt 1)"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.kind)
def test_the_brief_of_a_retry_says_why_and_what_was_printed(unit):
    s, start = STATES[unit.kind]
    again = replace(start, attempt=2, why="The check failed.", output=PRINTED, carry=sha(9))
    text = sections.prompt(s, unit, again, {PRINTED: OUTPUT, "": "", s.milestone.context: SPEC}, CHECKS)
    assert "(attempt 2)" in text
    assert "## Why the last attempt was refused" in text
    assert "FAILED (failures=1)" in text
    assert "lie uncommitted" in text
    fresh = sections.prompt(s, unit, replace(again, carry="", output=""), {"": "", s.milestone.context: SPEC}, ())
    assert "lie uncommitted" not in fresh


def test_who_plans_is_told_what_the_project_is_and_what_was_found_out():
    text = brief(*BEGUN["plan-milestone"])
    for words in (
        "## The project",
        "It greets people by name.",
        "- No small talk",
        "### Stack",
        "Not known: No network.",
    ):
        assert words in text
    assert "## The project" not in brief(*states()["plan-milestone"])


def test_a_draft_that_was_not_confirmed_is_told_to_who_writes_it_anew():
    s, start = BEGUN["discuss-project"]
    s = through(s, start)
    asked = derive(s, UNITS)
    assert isinstance(asked, Blocked)
    s = fold(s, e.QuestionAnswered(question=asked.question.id, answer="revise", who="ann"))
    again = derive(s, UNITS)
    assert isinstance(again, Start)
    text = brief(s, again)
    assert "## The last draft" in text
    assert "Answer of ann: revise" in text


def test_the_largest_start_that_is_accepted_fits_into_a_brief():
    wanted = discuss_requirements.Wanted(description="d", kind="constraint", why="w" * 300, acceptance="a")
    listed = tuple(replace(wanted, description=f"{n} " + "d" * 80) for n in range(discuss_requirements.MOST))
    part = research_project.Part(findings="f" * research_project.FINDINGS_MOST)
    reports = {
        "PROJECT": replace(PROJECT, what="w" * (discuss_project.WHOLE_MOST - 400)),
        "REQUIREMENTS": replace(REQUIRED, requirements=listed),
        "research-project": replace(RESEARCH, stack=part, features=part, architecture=part, pitfalls=part),
    }
    texts = {}
    for kind, (s, start) in BEGUN.items():
        for note_kind, said in reports.items():
            unit = {"PROJECT": "discuss-project", "REQUIREMENTS": "discuss-requirements"}.get(note_kind, note_kind)
            assert find(UNITS, unit).check(s, "M001", said) == ""
            texts[TextHash(note_kind)] = json.dumps(asdict(said))
        notes = {n.id: replace(n, report=TextHash(n.kind)) if n.kind in reports else n for n in s.notes.values()}
        s = replace(s, notes=notes)  # noqa: PLW2901 - the same state with longer texts
        unit = find(UNITS, start.key.kind)
        known = {**dict.fromkeys(sections.needs(s, unit, start), FOUND), **texts, s.milestone.context: "s " * 40_000}
        assert len(sections.prompt(s, unit, start, {**known, "": ""}, CHECKS).encode()) <= 45_000, kind


def test_without_checks_the_agent_is_told_so():
    s, start = STATES["execute-task"]
    text = sections.prompt(s, find(UNITS, "execute-task"), start, {"": ""}, ())
    assert "found no check" in text


def large() -> dict[str, tuple[Snapshot, Start]]:
    """Thirty slices of six tasks, with wordy summaries and findings as long as they may be; every kind but the start."""
    words = "What was done, at some length, so that it costs. " * 6
    roadmap = replace(
        ROADMAP,
        slices=tuple(
            cutting.PlannedSlice(title=f"Slice {n}", goal=words, demo=words, sketch=n == 1) for n in range(30)
        ),
        criteria=tuple(words for _ in range(10)),
    )
    plan = replace(PLAN, tasks=PLAN.tasks * 3)
    samples = {
        **SAMPLES,
        "plan-milestone": roadmap,
        "plan-slice": plan,
        "execute-task": execute_task.Report(summary=words, narrative=words * 10),
        "complete-slice": complete_slice.Report(summary=words * 3),
        "validate-milestone": validate_milestone.Report(verdict="pass", criteria=("x",) * 10, rationale="r"),
        "research-milestone": replace(SAMPLES["research-milestone"], findings="f" * 8_000),
        "research-slice": replace(SAMPLES["research-slice"], findings="f" * 8_000),
        "research-slices": replace(BOTH, slices=tuple(replace(x, findings="f" * 8_000) for x in BOTH.slices)),
        "discuss-milestone": replace(THOUGHT, context="c" * 6_000),
    }
    old = dict(SAMPLES)
    SAMPLES.update(samples)
    try:
        return states()
    finally:
        SAMPLES.update(old)


def test_a_brief_stays_small_on_a_small_and_on_a_large_project():
    for s, start in STATES.values():
        assert len(brief(s, start).encode()) <= 9_000, start.key
    found = large()
    longest = json.dumps({**json.loads(FOUND), "findings": "f" * 8_000, "context": "c" * 6_000})
    assert set(found) | set(BEGUN) == {unit.kind for unit in UNITS}
    for s, start in found.values():
        sent = len(brief(s, start, longest).encode()) + sum(
            len(json.dumps(asdict(t))) for t in shown.tools_of(start.key.kind)
        )
        assert sent <= 60_000, start.key


def adjusted(verdict: str = "adjusted", **changes: object) -> reassess_roadmap.Report:
    return replace(reassess_roadmap.Report(verdict=verdict, summary="s"), **changes)


def added(verdict: str, depends: tuple[int, ...] = ()) -> validate_milestone.Report:
    more = cutting.PlannedSlice(title="More", goal="g", demo="d", depends=depends)
    return validate_milestone.Report(verdict=verdict, criteria=("x",), rationale="r", slices=(more,))


def gates(*answers: tuple[str, str, str]) -> tuple[quality.Answer, ...]:
    return tuple(quality.Answer(gate=gate, verdict=verdict, findings=words) for gate, verdict, words in answers)


def required(**changes: object) -> discuss_requirements.Report:
    return replace(REQUIRED, requirements=(replace(REQUIRED.requirements[0], **changes),))


def slices(**changes: object) -> plan_milestone.Report:
    return replace(ROADMAP, slices=(replace(ROADMAP.slices[0], **changes), *ROADMAP.slices[1:]))


@pytest.mark.parametrize(
    ("kind", "report", "words"),
    [
        ("plan-milestone", replace(ROADMAP, slices=()), "1 to 20"),
        ("plan-milestone", replace(ROADMAP, slices=ROADMAP.slices * 11), "1 to 20"),
        ("plan-milestone", replace(ROADMAP, criteria=()), "criterion"),
        ("plan-milestone", replace(ROADMAP, title=" "), "title"),
        ("plan-milestone", slices(goal=""), "goal"),
        ("plan-milestone", slices(risk="huge"), "high, medium, low"),
        ("plan-milestone", slices(depends=(1,)), "earlier"),
        ("plan-milestone", slices(depends=(2,)), "earlier"),
        ("plan-milestone", slices(sketch=True), "no sketch"),
        ("discuss-project", replace(PROJECT, value=" "), "value"),
        ("discuss-project", replace(PROJECT, excluded=("a", " ")), "empty line: excluded"),
        ("discuss-project", replace(PROJECT, milestones=()), "milestones"),
        ("discuss-project", replace(PROJECT, what="x" * 12_001), "at most 12000"),
        ("discuss-requirements", replace(REQUIRED, requirements=()), "1 to 40"),
        ("discuss-requirements", required(kind="wish"), "Requirement 1: `kind`"),
        ("discuss-requirements", required(acceptance=" "), "acceptance"),
        ("discuss-requirements", required(why="x" * 601), "At most 600 characters: why"),
        ("discuss-requirements", required(status="deferred"), "At least one requirement is active"),
        ("discuss-requirements", replace(REQUIRED, requirements=REQUIRED.requirements * 2), "say the same"),
        ("research-decision", research_decision.Report(reason=" "), "reason"),
        ("research-project", replace(RESEARCH, stack=research_project.Part()), "`stack` has either"),
        (
            "research-project",
            replace(RESEARCH, stack=research_project.Part(findings="f", blocker="b")),
            "`stack` has either",
        ),
        ("research-project", replace(RESEARCH, stack=research_project.Part(findings="x" * 5_001)), "at most 5000"),
        ("research-project", replace(RESEARCH, stack=research_project.Part(blocker="x" * 601)), "at most 600"),
        ("discuss-milestone", discuss_milestone.Report(summary="s", context=" "), "context"),
        ("discuss-milestone", discuss_milestone.Report(summary="s", context="x" * 6_001), "at most 6000"),
        ("discuss-milestone", replace(THOUGHT, assumptions=(" ",)), "`assumptions` has an empty line"),
        ("discuss-milestone", replace(THOUGHT, questions=("x" * 2_001,)), "at most 2000"),
        ("research-milestone", research_milestone.Report(summary="s", findings=" "), "findings"),
        ("research-slice", research_milestone.Report(summary="s", findings="x" * 9_000), "at most 8000"),
        ("research-slices", research_slices.Report(slices=()), "the slices are S01, S02"),
        ("research-slices", replace(BOTH, slices=(replace(BOTH.slices[0], slice="S09"),)), "not 'S09'"),
        ("research-slices", replace(BOTH, slices=BOTH.slices[:1] * 2), "S01 is there twice"),
        (
            "research-slices",
            replace(BOTH, slices=(replace(BOTH.slices[0], findings=" "),)),
            "S01: These fields must not be empty: findings",
        ),
        ("refine-slice", replace(PLAN, tasks=()), "1 to 20"),
        ("replan-slice", replan_slice.Report(reason="r", tasks=()), "1 to 20"),
        ("replan-slice", replace(SAMPLES["replan-slice"], reason=""), "reason"),
        ("run-uat", run_uat.Report(verdict="fine", steps=("x",), summary="s"), "pass, fail, partial"),
        ("run-uat", run_uat.Report(verdict="pass", steps=(" ",), summary="s"), "what you did"),
        ("run-uat", run_uat.Report(verdict="fail", steps=("x",), summary=""), "summary"),
        ("reassess-roadmap", adjusted(verdict="fine"), "confirmed, adjusted"),
        ("reassess-roadmap", adjusted(verdict="confirmed", drop=("S02",)), "no changes"),
        ("reassess-roadmap", adjusted(drop=("S01",)), "no slice ahead"),
        ("reassess-roadmap", adjusted(drop=("S02", "S02")), "once"),
        ("reassess-roadmap", adjusted(drop=("S02",)), "depends on what you drop"),
        ("reassess-roadmap", adjusted(add=(cutting.PlannedSlice(title="", goal="g", demo="d"),)), "title"),
        (
            "reassess-roadmap",
            adjusted(change=(reassess_roadmap.Change(id="S02", title="t", goal="", demo="d"),)),
            "goal",
        ),
        ("validate-milestone", added("pass"), "Only `needs-remediation`"),
        ("validate-milestone", added("needs-remediation", depends=(9,)), "earlier"),
        ("evaluate-gate", evaluate_gate.Report(gates=()), "each of Q3, Q4 once"),
        ("evaluate-gate", evaluate_gate.Report(gates=gates(("Q3", "omitted", ""), ("Q3", "omitted", ""))), "Q4 once"),
        ("evaluate-gate", evaluate_gate.Report(gates=gates(("Q3", "fine", "x"), ("Q4", "omitted", ""))), "not 'fine'"),
        ("evaluate-gate", evaluate_gate.Report(gates=gates(("Q3", "pass", " "), ("Q4", "omitted", ""))), "of Q3 what"),
        ("evaluate-gate", evaluate_gate.Report(gates=gates(("Q3", "omitted", ""), ("Q4", "flag", ""))), "of Q4 what"),
        ("validate-milestone", replace(SAMPLES["validate-milestone"], gates=()), "MV01, MV02, MV03, MV04 once"),
        (
            "validate-milestone",
            replace(SAMPLES["validate-milestone"], gates=gates(*((f"MV0{n}", "flag", "x") for n in range(1, 5)))),
            "cannot be flagged where the verdict is `pass`",
        ),
        ("plan-slice", replace(PLAN, tasks=()), "1 to 20"),
        ("plan-slice", replace(PLAN, goal=""), "goal"),
        ("plan-slice", replace(PLAN, tasks=(replace(PLAN.tasks[0], verify="Look at the page."),)), "is a sentence"),
        ("plan-slice", replace(PLAN, tasks=(replace(PLAN.tasks[0], verify="rm -rf /"),)), "deletes everything"),
        ("plan-slice", replace(PLAN, tasks=(replace(PLAN.tasks[0], description="  "),)), "description"),
        ("review-step", review_step.Report(verdict="good", summary="s"), "pass or fail"),
        ("review-step", review_step.Report(verdict="fail", summary=" "), "summary"),
        ("execute-task", execute_task.Report(summary="", narrative="n"), "summary"),
        ("execute-task", execute_task.Report(summary="a\nb", narrative="n"), "one line"),
        ("resolve-conflict", replace(SAMPLES["resolve-conflict"], summary=" "), "summary"),
        ("resolve-conflict", replace(SAMPLES["resolve-conflict"], resolved=()), "missing: greet.py"),
        (
            "resolve-conflict",
            resolve_conflict.Report(summary="s", resolved=(resolve_conflict.Resolved(file="greet.py", how=" "),)),
            "missing: greet.py",
        ),
        ("complete-slice", complete_slice.Report(summary=""), "summary"),
        ("validate-milestone", validate_milestone.Report(verdict="great", criteria=("x",), rationale="r"), "verdict"),
        ("validate-milestone", validate_milestone.Report(verdict="pass", criteria=(), rationale="r"), "each of the 1"),
        ("validate-milestone", validate_milestone.Report(verdict="pass", criteria=("x",), rationale=""), "rationale"),
        ("complete-milestone", complete_milestone.Report(summary="\n"), "summary"),
    ],
)
def test_an_illegal_report_is_refused_in_words(kind, report, words):
    s, start = STATES[kind]
    assert words in find(UNITS, kind).check(s, start.key.target, report)


def test_a_milestone_that_needs_remediation_asks_and_can_be_left_both_ways():
    s, start = STATES["validate-milestone"]
    unit = find(UNITS, "validate-milestone")
    s, d = reported(s, start.key)
    report = validate_milestone.Report(
        verdict="needs-remediation", criteria=("no",), rationale="It does not greet Bob."
    )
    facts = unit.accept(s, start.key.target, report, Accepting(dispatch=s.dispatches[d], verified=False))
    s = fold(s, *facts, e.DispatchCompleted(dispatch=d, head=sha(6)))
    question = s.blocked_by
    assert "greet Bob" in question.text
    from walkaway.core.answer import answer

    assert derive(fold(s, *answer(s, question.id, "retry", "ann")), UNITS).key == start.key
    done = fold(s, *answer(s, question.id, "accept-as-is", "ann"))
    assert derive(done, UNITS).key == UnitKey("complete-milestone", "M001")


def test_slices_that_depend_on_an_open_one_are_not_planned():
    s, start = STATES["plan-milestone"]
    s = through(s, start)
    assert list(plan_slice.targets(s)) == ["M001/S01"]


def test_slices_that_can_be_looked_into_at_once_are_and_who_was_left_out_is_alone():
    s = apart()
    start = derive(s, UNITS)
    assert isinstance(start, Start)
    assert start.key == UnitKey("research-slices", "M001/S01")
    d = reported(s, start.key)[1]
    s = reported(s, start.key)[0]
    by = Accepting(dispatch=s.dispatches[d], verified=True)
    one = replace(BOTH, slices=BOTH.slices[:1])
    s = fold(s, *research_slices.accept(s, "M001/S01", one, by), e.DispatchCompleted(dispatch=d, head=sha(3)))
    assert research_slices.waiting(s) == []
    s = fold(s, e.SetAside(target="M001/S01", how="skipped", why="It is the other's turn."))
    start = derive(s, UNITS)
    assert isinstance(start, Start)
    assert start.key == UnitKey("research-slice", "M001/S02")
    report = s.note("research-slice", "M001/S01")
    assert report is not None
    texts = {report.report: json.dumps({"slices": [{"slice": x.slice, "findings": x.findings} for x in BOTH.slices]})}
    assert "- `1.py` does." in notes.findings(s, texts, "research-slice", "M001/S01", "Found")
    assert "- `2.py`" not in notes.findings(s, texts, "research-slice", "M001/S01", "Found")


@pytest.mark.parametrize(
    "policy",
    [Policy(), Policy(steps=("research-slice",), gates=("discuss-slice",))],
    ids=["no research", "each slice is asked about"],
)
def test_no_slices_are_looked_into_at_once_where(policy):
    assert research_slices.waiting(replace(apart(), policy=policy)) == ()


@pytest.mark.parametrize(("kind", "other"), [(plan_slice, refine_slice), (refine_slice, plan_slice)])
def test_a_slice_is_planned_or_refined_and_never_either(kind, other):
    s, start = states()[kind.UNIT.kind]
    assert start.key.target in kind.targets(s)
    assert start.key.target not in other.targets(s)
