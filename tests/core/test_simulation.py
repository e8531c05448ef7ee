"""Any run of failures ends complete or blocked with a remedy, and every unit lands exactly once."""

import json
import random
from dataclasses import replace

import pytest

from tests.core.build import TEXT, created, fold, sha
from tests.tiers import tier
from walkaway.core import answer as answers
from walkaway.core import events as e
from walkaway.core.asking import gates
from walkaway.core.derive import Ask, Blocked, Decision, Expand, Finished, Resume, Settle, Spent, Start, Wait, derive
from walkaway.core.ids import DispatchId, MilestoneId, TaskId, UnitKey, short, slice_id, slice_of, task_id
from walkaway.core.model import SCOPES, MilestoneStatus, Policy, SliceStatus, Snapshot
from walkaway.core.plan import start as beginning
from walkaway.core.plan import wish
from walkaway.core.plan.expand import expanded
from walkaway.core.plan.profile import PROFILES
from walkaway.core.plan.step import Step
from walkaway.core.unit import Accepting, Judged, find
from walkaway.units import (
    UNITS,
    cutting,
    discuss_milestone,
    discuss_project,
    discuss_requirements,
    evaluate_gate,
    execute_task,
    plan_milestone,
    plan_slice,
    quality,
    reassess_roadmap,
    replan_slice,
    research_decision,
    research_milestone,
    research_project,
    research_slices,
    resolve_conflict,
    review_step,
    rewrite_docs,
    roadmap,
    run_uat,
    triage_captures,
    validate_milestone,
)

MOST_TURNS = 2_000
MOST_GROWN = 8
MOST_SAID = 5
ENDINGS = ("fine", "fine", "fine", "fine", "verification", "crash", "provider", "stuck", "pause", "environment")


def report(s: Snapshot, kind: str, rng: random.Random) -> object:  # noqa: PLR0911 - one match, one case a kind
    match kind:
        case "discuss-milestone":
            return discuss_milestone.Report(summary="s", context="c", assumptions=("a",), questions=("q",))
        case "discuss-project" | "discuss-requirements" | "research-decision" | "research-project":
            return begun(kind, rng)
        case "research-milestone" | "research-slice":
            return research_milestone.Report(summary="s", findings="f")
        case "research-slices":
            asked = [short(each.id) for each in research_slices.waiting(s)]
            chosen = rng.sample(asked, rng.randint(1, len(asked)))
            return research_slices.Report(
                slices=tuple(research_slices.Found(slice=x, summary="s", findings="f") for x in chosen)
            )
        case "plan-milestone":
            slices = tuple(
                planned(rng, n, sketch=n > 1 and rng.random() < 0.3) for n in range(1, rng.randint(1, 4) + 1)
            )
            return plan_milestone.Report(title="T", vision="v", criteria=("c",), slices=slices)
        case "plan-slice" | "refine-slice":
            return plan_slice.Report(goal="g", must_haves=(), tasks=cut(rng))
        case "replan-slice":
            return replan_slice.Report(reason="r", tasks=cut(rng))
        case "execute-task":
            blocker = "it cannot be" if rng.random() < 0.15 else ""
            return execute_task.Report(summary="did", narrative="n", blocker=blocker)
        case "run-uat":
            verdict = rng.choice(["pass", "pass", "partial", "fail"])
            return run_uat.Report(verdict=verdict, steps=("looked",), summary="s")
        case "triage-captures":
            return sorted_in(s, rng)
        case "rewrite-docs":
            return rewritten(s, rng)
        case "review-step":
            return review_step.Report(verdict=rng.choice(review_step.VERDICTS), summary="s")
        case "evaluate-gate":
            return evaluate_gate.Report(gates=answered(rng, "Q3", "Q4"))
        case "resolve-conflict":
            files = s.milestone.conflict_files
            resolved = tuple(resolve_conflict.Resolved(file=name, how="both") for name in files)
            return resolve_conflict.Report(summary="s", resolved=resolved)
        case "reassess-roadmap":
            return reassessed(s, rng)
        case "validate-milestone":
            verdict = rng.choice(["pass", "pass", "needs-attention", "needs-remediation"])
            more = verdict == "needs-remediation" and rng.random() < 0.7
            added = (planned(rng, len(s.slices) + 1),) if more else ()
            gates_ = answered(rng, "MV01", "MV02", "MV03", "MV04", flags=verdict != "pass")
            return validate_milestone.Report(
                verdict=verdict, criteria=("c",), rationale="r", slices=added, gates=gates_
            )
    return find(UNITS, kind).report(summary="sum")


def begun(kind: str, rng: random.Random) -> object:
    """Return what is said at a project's start."""
    if kind == "discuss-project":
        return discuss_project.Report(
            summary="s", what="w", value="v", complexity="simple", why="y", state="s", architecture="a",
            milestones=("m",),
        )  # fmt: skip
    if kind == "discuss-requirements":
        one = discuss_requirements.Wanted(description="d", kind="constraint", why="w", acceptance="a")
        return discuss_requirements.Report(summary="s", requirements=(one,))
    if kind == "research-decision":
        return research_decision.Report(reason="r", verdict=rng.choice([beginning.SKIP, beginning.LOOK]))
    found, none = research_project.Part(findings="f"), research_project.Part(blocker="b")
    nothing = rng.random() < 0.3
    parts = {name: none if nothing else rng.choice([found, none]) for name in beginning.PARTS}
    return research_project.Report(summary="s", **parts)


def sorted_in(s: Snapshot, rng: random.Random) -> triage_captures.Report:
    """Sort in every thought as something that the plan can take in now."""
    found, replanned = [], set()
    doing = [x for x in s.slices.values() if x.status is SliceStatus.IN_PROGRESS and not x.aside]
    for note in wish.captures(s):
        verdict = rng.choice(triage_captures.VERDICTS)
        slice_ = rng.choice(doing) if doing and verdict in {"inject", "replan"} else None
        if verdict in {"inject", "replan"} and slice_ is None:
            verdict = "defer"
        if verdict == "replan" and (slice_.id in replanned or all(t.inactive for t in s.tasks_of(slice_.id))):
            verdict, slice_ = "note", None
        if verdict == "replan":
            replanned.add(slice_.id)
        one = cut(rng)[:1] if verdict in {"inject", "quick-task"} else ()
        found.append(
            triage_captures.Sorted(
                id=note.id, verdict=verdict, reason="r", slice=slice_.id if slice_ else "", tasks=one
            )
        )
    return triage_captures.Report(captures=tuple(found))


def rewritten(s: Snapshot, rng: random.Random) -> rewrite_docs.Report:
    """Change what is ahead now and then, and what is in progress."""
    doing = [x.id for x in s.slices.values() if x.status is SliceStatus.IN_PROGRESS and not x.aside]
    anew = [rewrite_docs.Replan(id=x, tasks=cut(rng)) for x in doing if rng.random() < 0.5]
    last = list(s.slices)[-1]
    drop = [last] if last in roadmap.ahead(s) and rng.random() < 0.2 else []
    add = (planned(rng, len(s.slices) + 1),) if rng.random() < 0.2 else ()
    return rewrite_docs.Report(summary="s", replan=tuple(anew), drop=tuple(drop), add=add)


def planned(rng: random.Random, number: int, *, sketch: bool = False) -> cutting.PlannedSlice:
    depends = tuple(d for d in range(1, number) if rng.random() < 0.3)
    return cutting.PlannedSlice(title="s", goal="g", demo="d", depends=depends, sketch=sketch)


def answered(rng: random.Random, *asked: str, flags: bool = True) -> tuple[quality.Answer, ...]:
    verdicts = ["pass", "omitted", "flag"] if flags else ["pass", "omitted"]
    return tuple(quality.Answer(gate=each, verdict=rng.choice(verdicts), findings="f") for each in asked)


def cut(rng: random.Random) -> tuple[cutting.PlannedTask, ...]:
    return tuple(cutting.PlannedTask(title="t", description="d") for _ in range(rng.randint(1, 4)))


def reassessed(s: Snapshot, rng: random.Random) -> reassess_roadmap.Report:
    if rng.random() < 0.6 or len(s.slices) > MOST_GROWN:
        return reassess_roadmap.Report(verdict="confirmed", summary="s")
    ahead = [x for x in s.slices.values() if x.status == "pending" and not x.aside]
    free = [x.id for x in ahead if not any(x.id in y.depends for y in ahead)]
    touched = rng.choice(free)
    if rng.random() < 0.5:
        return reassess_roadmap.Report(verdict="adjusted", summary="s", drop=(touched,))
    change = reassess_roadmap.Change(id=touched.rpartition("/")[2], title="other", goal="g", demo="d")
    added = (planned(rng, len(s.slices) + 1),)
    return reassess_roadmap.Report(verdict="adjusted", summary="s", change=(change,), add=added)


class Executor:
    """Does what the engine does, without the world."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        policy = Policy(
            attempts=self.rng.randint(1, 3),
            steps=self.rng.choice([*PROFILES.values()]),
            scope=self.rng.choice([*SCOPES]),
            planning=self.rng.choice(["light", "deep"]),
            gates=self.rng.choice([(), (), ("depth",), ("discuss-slice",), ("depth", "discuss-slice")]),
        )
        self.s = created(policy)
        self.reports: dict[str, object] = {}
        self.asked = 0

    def turn(self, decision: Decision) -> None:
        match decision:
            case Start():
                self.throw_in()
                if derive(self.s, UNITS) == decision:
                    self.start(decision)
            case Resume(dispatch=d):
                self.finish(d.id)
            case Settle(note=note):
                self.s = fold(self.s, e.NoteTaken(note=note), at=self.s.now)
            case Wait(until=until):
                assert until > self.s.now
                self.s = replace(self.s, now=until)
            case Ask(question=question):
                assert question.remedies
                assert question.options
                self.s = fold(self.s, e.QuestionRaised(question=question), at=self.s.now)
            case Blocked(question=question):
                self.asked += 1
                if self.asked % 3 == 0 and (steered := self.steered()):
                    self.s = fold(self.s, steered, at=self.s.now)
                words = self.rng.choice(question.options)
                self.s = fold(self.s, *answers.answer(self.s, question.id, words, "ann"), at=self.s.now)
                if question.reason == "no-unit":  # what it waits for was deferred
                    waits = next(x for x in self.s.slices.values() if x.aside == "deferred")
                    self.s = fold(self.s, e.Reopened(target=waits.id, why="after all"), at=self.s.now)
            case Expand(slice=step):
                found = [f"item {n}" for n in range(self.rng.randint(0, 3))]
                self.s = fold(self.s, *expanded(self.s.slices[step], found), at=self.s.now)
            case Spent() | Finished():
                raise AssertionError(decision)

    def throw_in(self) -> None:
        """A person says something, now and then: while nothing runs, or (in `start`) while a unit does."""
        said = sum(note.kind in {wish.CAPTURE, wish.OVERRIDE} for note in self.s.notes.values())
        if said < MOST_SAID and self.s.milestone.status is MilestoneStatus.ACTIVE and self.rng.random() < 0.06:
            kind = self.rng.choice([wish.CAPTURE, wish.CAPTURE, wish.OVERRIDE])
            note = wish.said(self.s, kind, "w", TEXT)
            self.s = fold(self.s, e.NoteTaken(note=note), at=self.s.now)

    def steered(self) -> e.Event | None:
        """Return what a person says of the plan."""
        todo = [x.id for x in self.s.slices.values() if not x.inactive]
        todo += [t.id for t in self.s.tasks.values() if not t.inactive]
        if not todo or self.s.milestone.status is not MilestoneStatus.ACTIVE:
            return None
        target = self.rng.choice(todo)
        how = self.rng.choice(["skipped", "deferred"]) if target.count("/") == 1 else "skipped"
        return e.SetAside(target=target, how=how, why="no need")

    def start(self, start: Start) -> None:
        d = DispatchId(f"M001-D{len(self.s.dispatches) + 1:03}")
        self.s = fold(
            self.s,
            e.DispatchClaimed(
                dispatch=d, unit=start.key.kind, target=start.key.target, attempt=start.attempt, worker="w", epoch=1,
                token=1, base=self.s.milestone.head,
            ),
            e.DispatchStarted(dispatch=d),
            at=self.s.now,
        )  # fmt: skip
        match self.rng.choice(ENDINGS):
            case "crash":
                ending: e.Event = e.DispatchCanceled(dispatch=d, failure="lease-lost", why="gone")
            case "pause":
                ending = e.DispatchPaused(dispatch=d, why="a person")
            case "stuck":
                ending = e.DispatchStuck(dispatch=d, why="again and again")
            case "provider":
                ending = self.failed(d, "provider", self.s.now + 30)
            case "environment":
                ending = self.failed(d, "environment", 0.0)
            case how:
                self.reports[d] = report(self.s, start.key.kind, self.rng)
                self.throw_in()
                commit = sha(1000 + len(self.s.dispatches))
                self.s = fold(self.s, e.DispatchReported(dispatch=d, report=TEXT, commit=commit), at=self.s.now)
                if how == "fine":
                    if self.rng.random() < 0.8:  # else the worker is gone, and an heir resumes it
                        self.finish(d)
                    return
                ending = self.failed(d, "verification", self.s.now)
        self.s = fold(self.s, ending, at=self.s.now)

    def failed(self, d: DispatchId, kind: str, at: float) -> e.Event:
        return e.DispatchFailed(dispatch=d, failure=kind, why="no", output=TEXT, next_run_at=at)

    def finish(self, d: DispatchId) -> None:
        run = self.s.dispatches[d]
        unit = find(UNITS, run.unit)
        if unit.judged is Judged.INTEGRATION and self.rng.random() < 0.2:
            met = e.IntegrationConflicted(dispatch=d, onto=sha(2), files=("a", "b"), why="both", log=TEXT)
            self.s = fold(self.s, met, at=self.s.now)
            return
        if unit.judged is Judged.INTEGRATION:
            prepared = e.IntegrationPrepared(dispatch=d, base=sha(1), commit=sha(7), verified=True)
            self.s = fold(self.s, prepared, at=self.s.now)
        assert unit.check(self.s, run.target, self.reports[d]) == ""
        facts = unit.accept(
            self.s, run.target, self.reports[d], Accepting(dispatch=self.s.dispatches[d], verified=True)
        )
        self.s = fold(self.s, *facts, e.DispatchCompleted(dispatch=d, head=run.commit_sha), at=self.s.now)


AGAIN = {
    "discuss-project", "discuss-requirements", "research-project", "discuss-milestone", "resolve-conflict", "validate-milestone", "run-uat", "replan-slice", "triage-captures",
    "rewrite-docs",
}  # fmt: skip


def landed(run: Executor) -> list[str]:
    done = [d for d in run.s.dispatches.values() if d.status == "completed" and d.unit not in AGAIN]
    return sorted(str(d.key) for d in done if not getattr(run.reports[d.id], "blocker", ""))


def wanted_at_the_start(s: Snapshot) -> set[str]:
    decided = s.note(beginning.DECISION, "M001")
    looked = {beginning.RESEARCH} if decided and decided.verdict == beginning.LOOK else set()
    return {beginning.PROJECT, beginning.REQUIREMENTS, beginning.DECISION} | looked


@pytest.mark.parametrize("seed", range(tier(500, 10_000)))
def test_every_run_of_failures_ends_complete_with_each_unit_landed_once(seed):
    run = Executor(seed)
    for _ in range(MOST_TURNS):
        decision = derive(run.s, UNITS)
        assert derive(run.s, UNITS) == decision
        if isinstance(decision, Finished):
            break
        run.turn(decision)
    assert run.s.milestone.status is MilestoneStatus.COMPLETE
    done = landed(run)
    assert len(done) == len(set(done)), json.dumps(done)
    assert run.s.all_inactive
    settled = {kind for kind in beginning.SETTLED if run.s.note(kind, "M001")}
    assert settled == (wanted_at_the_start(run.s) if run.s.policy.planning == beginning.DEEP else set())
    assert not run.s.milestone.conflict_onto
    for task in run.s.tasks.values():
        assert task.inactive or run.s.slices[slice_of(task.id)].aside
        assert (str(UnitKey("execute-task", task.id)) in done) >= (task.status == "complete")
    for slice_ in run.s.slices.values():
        assert (str(UnitKey("complete-slice", slice_.id)) in done) == (slice_.status == "complete")
    rounds = [n.verdict for n in run.s.notes.values() if n.kind == "validate-milestone"]
    assert len(rounds) <= validate_milestone.MOST_ROUNDS + 1 + run.asked
    if run.s.policy.scope == "trivial":
        assert not rounds
        assert run.s.milestone.verdict == "skipped"
    assert run.s.live is None
    looked = {
        d.target: d.seq for d in run.s.dispatches.values() if (d.unit, d.status) == ("evaluate-gate", "completed")
    }
    if "evaluate-gate" in run.s.policy.steps:
        for d in run.s.dispatches.values():
            if d.unit == "execute-task":
                assert looked[slice_of(TaskId(d.target))] < d.seq, "nothing is done before its plan was looked at"
    gate = gates.last(run.s, "depth:M001")
    assert (gate is not None) == ("depth" in run.s.policy.gates)
    assert gate is None or gate.answer == "confirm"
    planned = next(d for d in run.s.dispatches.values() if d.unit == "plan-milestone")
    assert gate is None or planned.seq > gate.after, "nothing is planned before its context is confirmed"
    talked = [q for q in run.s.questions.values() if q.reason == "discuss-slice"]
    assert len({q.unit for q in talked}) == len(talked), "a slice is talked about once"
    cut = {d.target for d in run.s.dispatches.values() if d.unit in {"plan-slice", "refine-slice"}}
    if "discuss-slice" in run.s.policy.gates:
        assert cut <= {q.unit.partition(" ")[2] for q in talked}


def written(rng: random.Random) -> list[e.Event]:
    """Return the plan of a random workflow."""
    own = MilestoneId("M001")
    ids = [slice_id(own, n) for n in range(1, rng.randint(2, 6))]
    slices = tuple(
        e.SlicePlan(
            id=each, title="s", demo="", goal="Do {{item}}.", risk="low",
            depends=tuple(x for x in ids[:n] if rng.random() < 0.4),
            step=Step(prompt="p", source=rng.choice(["", "list"]), reviewer=rng.choice(["", "", "person", "model"])),
        )
        for n, each in enumerate(ids)
    )  # fmt: skip
    cut_ = [
        e.SlicePlanned(
            slice=x.id, goal="g", must_haves=(),
            tasks=(e.TaskPlan(id=task_id(x.id, 1), title="t", description="d", files=(), verify=""),),
        )
        for x in slices
        if x.step and not x.step.source
    ]  # fmt: skip
    return [e.MilestonePlanned(title="W", vision="v", criteria=(), slices=slices), *cut_]


@pytest.mark.parametrize("seed", range(tier(100, 2_000)))
def test_every_workflow_that_a_person_wrote_ends_complete_and_no_model_plans_it(seed):
    run = Executor(seed)
    run.s = fold(run.s, *written(run.rng))
    for _ in range(MOST_TURNS):
        decision = derive(run.s, UNITS)
        if isinstance(decision, Finished):
            break
        run.turn(decision)
    assert run.s.milestone.status is MilestoneStatus.COMPLETE
    assert run.s.all_inactive
    assert {d.unit for d in run.s.dispatches.values()} <= {u.kind for u in UNITS if u.scripted}
    if not any(q.answer == "redo" for q in run.s.questions.values()):
        done = landed(run)
        assert len(done) == len(set(done))
