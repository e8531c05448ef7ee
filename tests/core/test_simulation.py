"""Any run of failures ends complete or blocked with a remedy, and every unit lands exactly once."""

import json
import random
from dataclasses import replace

import pytest

from tests.core.build import TEXT, created, fold, sha
from tests.tiers import tier
from walkaway.core import answer as answers
from walkaway.core import events as e
from walkaway.core.derive import Ask, Blocked, Decision, Finished, Resume, Spent, Start, Wait, derive
from walkaway.core.ids import DispatchId
from walkaway.core.model import MilestoneStatus, Policy, Snapshot
from walkaway.core.unit import Accepting, Judged, find
from walkaway.units import UNITS, execute_task, plan_milestone, plan_slice, validate_milestone

MOST_TURNS = 2_000
ENDINGS = ("fine", "fine", "fine", "fine", "verification", "crash", "provider", "stuck", "pause", "environment")


def report(kind: str, rng: random.Random) -> object:
    if kind == "plan-milestone":
        count = rng.randint(1, 4)
        slices = tuple(
            plan_milestone.PlannedSlice(
                title="s", goal="g", demo="d", depends=tuple(d for d in range(1, n) if rng.random() < 0.3)
            )
            for n in range(1, count + 1)
        )
        return plan_milestone.Report(title="T", vision="v", criteria=("c",), slices=slices)
    if kind == "plan-slice":
        tasks = tuple(plan_slice.PlannedTask(title="t", description="d") for _ in range(rng.randint(1, 4)))
        return plan_slice.Report(goal="g", must_haves=(), tasks=tasks)
    if kind == "execute-task":
        return execute_task.Report(summary="did", narrative="n")
    if kind == "validate-milestone":
        verdict = rng.choice(["pass", "pass", "needs-attention", "needs-remediation"])
        return validate_milestone.Report(verdict=verdict, criteria=("c",), rationale="r")
    return find(UNITS, kind).report(summary="sum")


class Executor:
    """Does what the engine does, without the world."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.s = created(Policy(attempts=self.rng.randint(1, 3)))
        self.reports: dict[str, object] = {}
        self.asked = 0

    def turn(self, decision: Decision) -> None:
        match decision:
            case Start():
                self.start(decision)
            case Resume(dispatch=d):
                self.finish(d.id)
            case Wait(until=until):
                assert until > self.s.now
                self.s = replace(self.s, now=until)
            case Ask(question=question):
                assert question.remedies
                assert question.options
                self.s = fold(self.s, e.QuestionRaised(question=question), at=self.s.now)
            case Blocked(question=question):
                self.asked += 1
                words = self.rng.choice(question.options)
                self.s = fold(self.s, *answers.answer(self.s, question.id, words, "ann"), at=self.s.now)
            case Spent() | Finished():
                raise AssertionError(decision)

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
                self.reports[d] = report(start.key.kind, self.rng)
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
        if unit.judged is Judged.INTEGRATION:
            prepared = e.IntegrationPrepared(dispatch=d, base=sha(1), commit=sha(7), verified=True)
            self.s = fold(self.s, prepared, at=self.s.now)
        assert unit.check(self.s, run.target, self.reports[d]) == ""
        facts = unit.accept(
            self.s, run.target, self.reports[d], Accepting(dispatch=self.s.dispatches[d], verified=True)
        )
        self.s = fold(self.s, *facts, e.DispatchCompleted(dispatch=d, head=run.commit_sha), at=self.s.now)


def landed(s: Snapshot) -> list[str]:
    return sorted(
        str(d.key) for d in s.dispatches.values() if d.status == "completed" and d.unit != "validate-milestone"
    )


@pytest.mark.parametrize("seed", range(tier(300, 10_000)))
def test_every_run_of_failures_ends_complete_with_each_unit_landed_once(seed):
    run = Executor(seed)
    for _ in range(MOST_TURNS):
        decision = derive(run.s, UNITS)
        assert derive(run.s, UNITS) == decision
        if isinstance(decision, Finished):
            break
        run.turn(decision)
    assert run.s.milestone.status is MilestoneStatus.COMPLETE
    done = landed(run.s)
    assert len(done) == len(set(done)), json.dumps(done)
    assert len(done) == 2 + 2 * len(run.s.slices) + len(run.s.tasks)
    assert run.s.live is None
