"""Events as one writes them down: each function makes the usual form of a fact, under one fence."""

from collections.abc import Sequence
from dataclasses import dataclass

from walkaway.core import events as e
from walkaway.core.ids import DispatchId, MilestoneId, Sha, SliceId, TaskId, TextHash, WorkerId, slice_id, task_id
from walkaway.core.model import Evidence, FailureKind, Lease, Phase, Question, Result, Snapshot

FIRST = WorkerId("w1")
REPORT = TextHash("a" * 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """In whose name things happen."""

    worker: WorkerId = FIRST
    epoch: int = 1
    token: int = 1


def fence(lease: Lease) -> Fence:
    return Fence(worker=lease.worker_id, epoch=lease.epoch, token=lease.fencing_token)


def sha(number: int) -> Sha:
    return Sha(f"{number:040x}")


def pinned(branch: str = "main", at: int = 1) -> e.TargetPinned:
    return e.TargetPinned(branch=branch, sha=sha(at))


def claimed(by: Fence, unit: str, target: str, dispatch: str = "d1", attempt: int = 1) -> e.DispatchClaimed:
    return e.DispatchClaimed(
        dispatch=DispatchId(dispatch),
        unit=unit,
        target=target,
        attempt=attempt,
        worker=by.worker,
        epoch=by.epoch,
        token=by.token,
        base=sha(1),
    )


def started(dispatch: str = "d1") -> e.DispatchStarted:
    return e.DispatchStarted(dispatch=DispatchId(dispatch))


def reported(dispatch: str = "d1", at: int = 2, report: TextHash = REPORT) -> e.DispatchReported:
    return e.DispatchReported(dispatch=DispatchId(dispatch), report=report, commit=sha(at))


def completed(dispatch: str = "d1", at: int = 2) -> e.DispatchCompleted:
    return e.DispatchCompleted(dispatch=DispatchId(dispatch), head=sha(at))


def failed(
    dispatch: str = "d1", failure: str = FailureKind.VERIFICATION, until: float = 0.0, why: str = "It failed."
) -> e.DispatchFailed:
    return e.DispatchFailed(
        dispatch=DispatchId(dispatch), failure=failure, why=why, output=TextHash(""), next_run_at=until
    )


def canceled(dispatch: str = "d1", failure: str = FailureKind.LEASE_LOST) -> e.DispatchCanceled:
    return e.DispatchCanceled(dispatch=DispatchId(dispatch), failure=failure, why="Its worker was gone.")


def planned(milestone: MilestoneId, slices: int = 1, *, depends: bool = False) -> e.MilestonePlanned:
    ids = [slice_id(milestone, n) for n in range(1, slices + 1)]
    return e.MilestonePlanned(
        title="A tool",
        vision="One can use it.",
        criteria=("it works",),
        slices=tuple(
            e.SlicePlan(
                id=own,
                title=f"Slice {n}",
                demo="run it",
                goal="it runs",
                risk="medium",
                depends=(ids[n - 1],) if depends and n else (),
            )
            for n, own in enumerate(ids)
        ),
    )


def cut(slice_: SliceId, tasks: int = 1) -> e.SlicePlanned:
    return e.SlicePlanned(
        slice=slice_,
        goal="it runs well",
        must_haves=("it runs",),
        tasks=tuple(
            e.TaskPlan(id=task_id(slice_, n), title=f"Task {n}", description="Do it.", files=("a.py",), verify="true")
            for n in range(1, tasks + 1)
        ),
    )


def task_done(task: TaskId, at: int = 2) -> e.TaskDone:
    return e.TaskDone(
        task=task, summary="Did it", narrative="I did it.", key_files=("a.py",), verified="passed", commit=sha(at)
    )


def evidence(identifier: str, dispatch: str = "d1", result: Result = Result.PASS) -> e.EvidenceRecorded:
    return e.EvidenceRecorded(
        evidence=Evidence(
            id=identifier,
            dispatch_id=dispatch,
            phase=Phase.WORK,
            tree=sha(2),
            command="make check",
            result=result,
            exit_code=0 if result is Result.PASS else 1,
            duration_ms=12,
        )
    )


def question(
    identifier: str = "M001-Q1",
    unit: str = "execute-task M001/S01/T01",
    reason: str = "attempts",
    options: tuple[str, ...] = ("retry",),
) -> e.QuestionRaised:
    asked = Question(
        id=identifier, unit=unit, reason=reason, text="What now?", remedies=("answer retry",), options=options
    )
    return e.QuestionRaised(question=asked)


def gate(identifier: str = "M001-Q1", milestone: str = "M001") -> e.QuestionRaised:
    """The depth gate of a milestone is asked."""
    asked = Question(
        id=identifier,
        unit=f"discuss-milestone {milestone}",
        reason="depth",
        text="Is it so?",
        remedies=("answer it",),
        options=("confirm", "revise"),
        gate=f"depth:{milestone}",
    )
    return e.QuestionRaised(question=asked)


def answered(identifier: str = "M001-Q1", answer: str = "retry") -> e.QuestionAnswered:
    return e.QuestionAnswered(question=identifier, answer=answer, who="ann")


def run_of(
    s: Snapshot, by: Fence, unit: str, target: str, landing: Sequence[e.Event], dispatch: str | None = None
) -> list[e.Event]:
    """A whole run of a unit that ends well."""
    number = len(s.dispatches) + 1
    name = dispatch or f"{s.milestone.id}-d{number}"
    return [
        claimed(by, unit, target, name),
        started(name),
        reported(name, 10 + number),
        *landing,
        completed(name, 10 + number),
    ]
