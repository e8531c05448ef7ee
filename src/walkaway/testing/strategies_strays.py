"""Events of every type about things that exist, existed or never did: what `strategies.strays` draws from."""

from dataclasses import replace

from walkaway.core import events as e
from walkaway.core.ids import DispatchId, MilestoneId, Sha, SliceId, TaskId, TextHash, slice_id, task_id
from walkaway.core.model import Evidence, Note, Phase, Policy, Question, Result, Snapshot
from walkaway.testing.moments import Fence, sha
from walkaway.testing.strategies_plan import of_milestone

Events = list[e.Event]


def claim_of(s: Snapshot, by: Fence, unit: str, target: str, attempt: int) -> e.DispatchClaimed:
    """Return the claim of a unit as the next dispatch."""
    return e.DispatchClaimed(
        dispatch=DispatchId(f"{s.milestone.id}-d{len(s.dispatches) + 1}"),
        unit=unit,
        target=target,
        attempt=attempt,
        worker=by.worker,
        epoch=by.epoch,
        token=by.token,
        base=s.milestone.head,
    )


def candidates(s: Snapshot, by: Fence) -> Events:
    """Return events of every type about things that exist, existed or never did; many are illegal, some are not."""
    m = s.milestone.id
    other = MilestoneId("M999")
    dispatches = [*[*s.dispatches][-2:], "no-such"]
    tasks = [*[*s.tasks][:2], task_id(slice_id(m, 98), 1)]
    slices = [*[*s.slices][:2], slice_id(m, 98)]
    asked = Question(id=f"{m}-Q1", unit="", reason="", text="", remedies=(), options=())
    found: Events = [
        e.MilestoneCreated(milestone=m, title="", context=TextHash("")),
        e.MilestoneCreated(milestone=other, title="", context=TextHash("")),
        e.PolicyChanged(policy=Policy(attempts=0)),
        e.PolicyChanged(policy=Policy(scope="huge")),
        e.PolicyChanged(policy=Policy(planning="wide")),
        e.TargetPinned(branch="b", sha=sha(9)),
        e.TargetPinned(branch="", sha=sha(9)),
        e.BaselineAccepted(sha=sha(0)),
        e.MilestonePlanned(title="", vision="", criteria=(), slices=()),
        e.MilestonePlanned(title="", vision="", criteria=(), slices=(_sketch(slice_id(other, 1)),)),
        e.MilestonePlanned(title="", vision="", criteria=(), slices=(_sketch(slice_id(m, 1)),) * 2),
        e.MilestonePlanned(title="", vision="", criteria=(), slices=(_sketch(slice_id(m, 1), slice_id(m, 2)),)),
        e.MilestonePlanned(title="", vision="", criteria=(), slices=(_sketch(slice_id(m, 1), risk="none"),)),
        e.MilestoneValidated(verdict="pass"),
        e.MilestoneDone(summary="", commit=sha(8)),
        e.MilestoneDone(summary="", commit=Sha("")),
        e.ConflictResolved(onto=sha(1)),
        claim_of(s, by, "execute-task", f"{m}/S01/T01", 1),
        claim_of(s, by, "execute-task", f"{m}/S01/T01", 0),
        e.QuestionRaised(question=asked),
        e.QuestionRaised(question=replace(asked, options=("retry",))),
        e.QuestionRaised(question=replace(asked, options=("retry",), remedies=("x",), answer="retry")),
        *(e.QuestionAnswered(question=q, answer="nonsense", who="") for q in [*s.questions, "no-such"]),
        *(e.SlicePlanned(slice=SliceId(x), goal="", must_haves=(), tasks=()) for x in slices),
        *(e.SliceDone(slice=SliceId(x), summary="") for x in slices),
        *(e.SliceReplanned(slice=SliceId(x), tasks=(), why="") for x in slices),
        *(e.SetAside(target=x, how=how, why="") for x in [*slices, *tasks] for how in ("skipped", "deferred", "")),
        *(e.Reopened(target=x, why="") for x in [*slices, *tasks]),
        *of_milestone(s),
        *(e.BlockerFound(task=TaskId(x), why=why) for x in tasks for why in ("", "w")),
        e.RoadmapChanged(added=(), changed=(), dropped=(slice_id(m, 98),), why=""),
        e.RoadmapChanged(added=(_sketch(slice_id(m, 1)),), changed=(), dropped=(), why=""),
        *(e.NoteTaken(note=old) for old in list(s.notes.values())[:1]),
        e.NoteTaken(note=Note(id="", kind="", target="", verdict="", summary="", report=TextHash(""))),
        *(e.EvidenceRecorded(evidence=old) for old in list(s.evidence.values())[:1]),
    ]
    for task in tasks:
        done = e.TaskDone(task=TaskId(task), summary="", narrative="", key_files=(), verified="passed", commit=sha(7))
        found += [done, replace(done, verified=""), replace(done, commit=Sha(""))]
    for name in map(DispatchId, dispatches):
        found += _about(name, by)
    return found


def _sketch(own: SliceId, *depends: SliceId, risk: str = "low") -> e.SlicePlan:
    return e.SlicePlan(id=own, title="", demo="", goal="", risk=risk, depends=depends)


def _about(name: DispatchId, by: Fence) -> Events:
    evidence = Evidence(
        id="late", dispatch_id=name, phase=Phase.WORK, tree=sha(1), command="", result=Result.PASS, exit_code=0,
        duration_ms=1,
    )  # fmt: skip
    return [
        e.DispatchStarted(dispatch=name),
        e.DispatchReported(dispatch=name, report=TextHash("r"), commit=sha(1)),
        e.DispatchReported(dispatch=name, report=TextHash(""), commit=sha(1)),
        e.DispatchReported(dispatch=name, report=TextHash("r"), commit=Sha("")),
        e.DispatchAdopted(dispatch=name, worker=by.worker, epoch=by.epoch, token=by.token),
        e.DispatchCompleted(dispatch=name, head=sha(1)),
        e.DispatchCompleted(dispatch=name, head=Sha("")),
        e.DispatchFailed(dispatch=name, failure="git", why="", output=TextHash(""), next_run_at=0.0),
        e.DispatchFailed(dispatch=name, failure="", why="", output=TextHash(""), next_run_at=0.0),
        e.DispatchStuck(dispatch=name, why=""),
        e.DispatchCanceled(dispatch=name, failure="git", why=""),
        e.DispatchCanceled(dispatch=name, failure="gremlins", why=""),
        e.DispatchPaused(dispatch=name, why=""),
        e.IntegrationPrepared(dispatch=name, base=sha(1), commit=sha(2), verified=True),
        e.IntegrationPrepared(dispatch=name, base=sha(1), commit=Sha(""), verified=True),
        e.IntegrationStale(dispatch=name, tip=sha(1)),
        e.IntegrationConflicted(dispatch=name, onto=sha(1), files=(), why="", log=TextHash("")),
        e.EvidenceRecorded(evidence=evidence),
    ]
